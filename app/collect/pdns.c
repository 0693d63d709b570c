/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dnsweir-collect pdns: which command, and its options.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "list/list.h"
#include "pdns_app.h"

static const char usage[] =
	"Usage: dnsweir-collect pdns query     WHAT [CONDITION...] [--limit N] [--offset N]\n"
	"                                      [--cursor TEXT] [--group] [--text]\n"
	"       dnsweir-collect pdns summarize WHAT [CONDITION...] [--max-count N]\n"
	"       dnsweir-collect pdns export    [CONDITION...]\n"
	"       dnsweir-collect pdns import    [--sensor CLASS] [--consent FILE] [--again] "
	"FILE...\n"
	"       dnsweir-collect pdns backup    FOLDER\n"
	"       dnsweir-collect pdns stats\n"
	"       dnsweir-collect pdns dump      --day DAY [--zone ZONE]\n"
	"       dnsweir-collect pdns feed      [--from CURSOR | TIME] [--new] [--name NAME] "
	"[--type TYPE]\n"
	"                                      [--sensor CLASS] [--bailiwick NAME] [--limit N]\n"
	"                                      [--store FOLDER]\n"
	"       dnsweir-collect pdns flux      [--networks FILE] [--last-after TIME] [--limit N] "
	"[--csv]\n"
	"                                      [--text] [NAME...]\n"
	"       dnsweir-collect pdns new       [--first-after TIME] [--limit N] [--csv] [--text]\n"
	"       dnsweir-collect pdns shared    [--limit N] [--csv] [--text] NAME...\n"
	"       dnsweir-collect pdns similar   [--words FILE] [--limit N] [--csv] [--text] "
	"NAME...\n"
	"\n"
	"What names resolved to, when first, when last and how often.\n"
	"\n"
	"  query       tuples, as JSON objects of the Common Output Format, one a line\n"
	"  summarize   how many they are, and from when to when\n"
	"  export      everything, each class of sensors by itself\n"
	"  import      take in captures (pcap), dnstap files and Common Output Format\n"
	"  backup      make a copy while the collector runs\n"
	"  stats       how much there is, by table, class and type\n"
	"  dump        write the files of a day, as the collector does after midnight\n"
	"  feed        what the collector that runs writes, as it writes it; ends at SIGINT\n"
	"  flux        names whose addresses come and go and lie in many networks\n"
	"  new         domains, names and data of names not seen before, by time; of one day\n"
	"  shared      domains with name servers or networks of another one\n"
	"  similar     names that imitate a domain, or a brand in any domain\n"
	"\n"
	"WHAT is one of:\n"
	"      --name NAME            of these names; *.NAME: and all below, LABELS.*: begin so\n"
	"      --rdata-name NAME      with such a name in their data: NS, MX, CNAME, SRV, ...\n"
	"      --ip ADDRESS           with this address; ADDRESS/LENGTH and FIRST-LAST, too\n"
	"      --raw HEX              with these octets as data\n"
	"CONDITION is any of:\n"
	"      --type TYPE            A, TYPE65280, 28; ANY, ANY-DNSSEC, ALL (ANY: all but "
	"DNSSEC)\n"
	"      --bailiwick NAME       seen in this zone\n"
	"      --sensor CLASS         client: answers to clients; resolver: to resolvers\n"
	"      --first-after TIME     first seen then or later; seconds since 1970, -SECONDS\n"
	"                             before now, or a day\n"
	"      --first-before TIME\n"
	"      --last-after TIME\n"
	"      --last-before TIME\n"
	"\n"
	"  -D, --dataset FOLDER       where the dataset is (" PDNS_APP_FOLDER ")\n"
	"      --limit N              rows at most\n"
	"      --offset N             rows left out in front\n"
	"      --cursor TEXT          go on behind a row, whose cursor is printed at a limit\n"
	"      --group                RRsets, not tuples\n"
	"      --text                 rows for people\n"
	"      --csv                  rows of comma-separated values, behind their names\n"
	"      --networks FILE        CSV file prefix,asn: networks are autonomous systems\n"
	"      --words FILE           one a line: names made of NAME and one of these, too\n"
	"      --from CURSOR | TIME   feed: from there on; oldest; else from now on\n"
	"      --new                  feed: only what is in the dataset for the first time\n"
	"      --store FOLDER         feed: where the collector's log is (" COLLECT_STORE ")\n"
	"      --day DAY              YYYY-MM-DD\n"
	"  -z, --zone ZONE            time zone of days, as in Asia/Tokyo; else the system's\n"
	"      --max-count N          stop where counts add up to N\n"
	"      --consent FILE         clients that refuse logging, whose answers are left out\n"
	"      --again                count files once more that were imported before\n"
	"  -h, --help\n"
	"\n"
	"Exit codes: 0 done, 1 failed while running, 2 wrong usage or file.\n";

static const struct option long_options[] = {
	{"dataset", required_argument, NULL, 'D'},
	{"name", required_argument, NULL, 'n'},
	{"rdata-name", required_argument, NULL, 'N'},
	{"ip", required_argument, NULL, 'i'},
	{"raw", required_argument, NULL, 'r'},
	{"type", required_argument, NULL, 't'},
	{"bailiwick", required_argument, NULL, 'b'},
	{"sensor", required_argument, NULL, 's'},
	{"first-after", required_argument, NULL, '1'},
	{"first-before", required_argument, NULL, '2'},
	{"last-after", required_argument, NULL, '3'},
	{"last-before", required_argument, NULL, '4'},
	{"limit", required_argument, NULL, 'l'},
	{"offset", required_argument, NULL, 'o'},
	{"cursor", required_argument, NULL, 'c'},
	{"group", no_argument, NULL, 'g'},
	{"text", no_argument, NULL, 'x'},
	{"csv", no_argument, NULL, 'v'},
	{"networks", required_argument, NULL, 'A'},
	{"words", required_argument, NULL, 'w'},
	{"max-count", required_argument, NULL, 'm'},
	{"day", required_argument, NULL, 'd'},
	{"zone", required_argument, NULL, 'z'},
	{"consent", required_argument, NULL, 'C'},
	{"again", no_argument, NULL, 'a'},
	{"from", required_argument, NULL, 'f'},
	{"new", no_argument, NULL, 'W'},
	{"store", required_argument, NULL, 'S'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

#define ASKED "nNirtbs1234"

static const struct {
	const char *name;
	int (*run)(struct pdns_args *args);
	const char *options; // those it takes
	int min, max;        // operands
	const char *operands;
	pdns_signal_write *signal; // instead of run
} commands[] = {
	{"query", pdns_query_run, ASKED "Dlocgx", 0, 0, "no operand"},
	{"summarize", pdns_summarise_run, ASKED "Dlom", 0, 0, "no operand"},
	{"export", pdns_export_run, "Dtbs1234", 0, 0, "no operand"},
	{"import", pdns_import_run, "DsCa", 1, 1 << 20, "files"},
	{"backup", pdns_backup_run, "D", 1, 1, "a folder to be made"},
	{"stats", pdns_stats_run, "D", 0, 0, "no operand"},
	{"dump", pdns_dump_run, "Ddz", 0, 0, "no operand"},
	{"feed", pdns_feed_run, "fntsblWS", 0, 0, "no operand"},
	{"flux", NULL, "DxvlA3", 0, 1 << 20, "names", pdns_flux_write},
	{"new", NULL, "Dxvl1", 0, 0, "no operand", pdns_new_write},
	{"shared", NULL, "Dxvl", 1, 1 << 20, "names", pdns_shared_write},
	{"similar", NULL, "Dxvwl", 1, 1 << 20, "names", pdns_similar_write},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *option_name(int option)
{
	const struct option *o = long_options;

	while (o->name && o->val != option)
		o++;
	return o->name;
}

static int day_take(struct pdns_args *args)
{
	int day = list_day_parse(optarg, strlen(optarg));

	if (day < 0) {
		log_line(LOG_ERROR, "--day: expected YYYY-MM-DD, got \"%.200s\"", optarg);
		return COLLECT_USAGE;
	}
	args->has_day = true;
	args->day = (uint16_t)day;
	return COLLECT_DONE;
}

static int option_take(size_t command, int option, struct pdns_args *args)
{
	int err;

	if (!strchr(commands[command].options, option)) {
		log_line(LOG_ERROR, "--%s: no option of pdns %s (see pdns --help)",
			option_name(option), commands[command].name);
		return COLLECT_USAGE;
	}
	args->given[option] = optarg;
	switch (option) {
	case 'f':
	case 'S':
		return COLLECT_DONE;
	case 'W':
		args->only_new = true;
		return COLLECT_DONE;
	case 'D':
		args->folder = optarg;
		return COLLECT_DONE;
	case 'C':
		args->consent = optarg;
		return COLLECT_DONE;
	case 'a':
		args->again = true;
		return COLLECT_DONE;
	case 'x':
		args->text = true;
		return COLLECT_DONE;
	case 'v':
		args->csv = true;
		return COLLECT_DONE;
	case 'A':
		args->network_file = optarg;
		return COLLECT_DONE;
	case 'w':
		args->wordlist = optarg;
		return COLLECT_DONE;
	case 'g':
		args->question.grouped = true;
		return COLLECT_DONE;
	case 'z':
		return collect_zone(optarg);
	case 'd':
		return day_take(args);
	}
	err = pdns_ask_take(option, optarg, args);
	if (err != COLLECT_DONE)
		log_line(LOG_ERROR, "%s", args->error);
	return err;
}

static int options_take(size_t command, int argc, char **argv, struct pdns_args *args)
{
	int option, err = COLLECT_DONE;

	opterr = 0;
	optind = 1;
	while (err == COLLECT_DONE &&
		(option = getopt_long(argc, argv, ":D:z:h", long_options, NULL)) != -1) {
		if (option == ':' || option == '?') {
			log_line(LOG_ERROR, "%s: %s", argv[optind - 1],
				option == ':' ? "expected a value behind it"
					      : "unknown option (see pdns --help)");
			return COLLECT_USAGE;
		}
		if (option == 'h') {
			fputs(usage, stdout);
			exit(fflush(stdout) == 0 ? COLLECT_DONE : COLLECT_FAILED);
		}
		err = option_take(command, option, args);
	}
	args->words = argv + optind;
	args->n = argc - optind;
	if (err == COLLECT_DONE &&
		(args->n < commands[command].min || args->n > commands[command].max)) {
		log_line(LOG_ERROR, "pdns %s: expected %s (see pdns --help)",
			commands[command].name, commands[command].operands);
		return COLLECT_USAGE;
	}
	return err;
}

int pdns_app_open(const struct pdns_args *args, enum pdns_mode mode, struct pdns **pdns)
{
	const struct pdns_options how = {.mode = mode};
	int err = pdns_open(args->folder, &how, pdns);

	return err == 0 ? COLLECT_DONE : err == -ENOENT ? COLLECT_USAGE : COLLECT_FAILED;
}

int pdns_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	struct pdns_args *args;
	size_t command = 0;
	int err;

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		fputs(usage, stdout);
		return fflush(stdout) == 0 ? COLLECT_DONE : COLLECT_FAILED;
	}
	while (command < N_COMMANDS && strcmp(commands[command].name, name) != 0)
		command++;
	if (command == N_COMMANDS) {
		log_line(LOG_ERROR,
			"pdns: expected query, summarize, export, import, backup, stats, dump, "
			"feed, flux, new, shared or similar, got \"%s\"",
			name);
		return COLLECT_USAGE;
	}
	args = calloc(1, sizeof(*args));
	if (!args)
		return COLLECT_FAILED;
	args->folder = PDNS_APP_FOLDER;
	err = options_take(command, argc - 1, argv + 1, args);
	if (err == COLLECT_DONE)
		err = commands[command].signal
			      ? pdns_signal_run(args, name, commands[command].signal)
			      : commands[command].run(args);
	free(args);
	// What was printed may not have got anywhere, on a full disk say.
	if (fflush(stdout) == 0 && !ferror(stdout))
		return err;
	log_line(LOG_ERROR, "standard output: %s", strerror(errno));
	return COLLECT_FAILED;
}
