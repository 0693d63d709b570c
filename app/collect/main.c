/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "collect_app.h"
#include "conf/conf.h"
#include "list/list.h"
#include "pdns_app.h"

static const char usage[] =
	"Usage: dnsweir-collect serve --config FILE [--check]\n"
	"       dnsweir-collect query [--from TIME] [--to TIME] [--name NAME | --subtree NAME]\n"
	"                             [--client PREFIX] [--id ID] [--rcode CODE] [--type TYPE]\n"
	"                             [--filtered | --unfiltered] [--order time | name] [--limit "
	"N]\n"
	"                             [--format ndjson | csv] [--eve-version 3 | 2]\n"
	"       dnsweir-collect infected --day DAY [--id ID] [--format csv | ndjson]\n"
	"       dnsweir-collect addresses [--from TIME] [--to TIME] [--id ID]\n"
	"                                 [--format csv | ndjson]\n"
	"       dnsweir-collect contacts [--from TIME] [--to TIME] [--id ID] [--client PREFIX]\n"
	"                                [--window SECONDS] [--format csv | ndjson]\n"
	"       dnsweir-collect sinkhole --config FILE LOG\n"
	"       dnsweir-collect days [--format text | csv | ndjson]\n"
	"       dnsweir-collect purge --before DAY\n"
	"       dnsweir-collect forget PREFIX\n"
	"       dnsweir-collect key add NAME --role metrics | pdns | log | analyst | admin\n"
	"                               [--expires DAY] [--quota N] [--certificate]\n"
	"       dnsweir-collect key list | remove NAME\n"
	"       dnsweir-collect certificate make NAME [--server HOST,...] [--valid-days N]\n"
	"       dnsweir-collect certificate show [FILE]\n"
	"       dnsweir-collect pdns COMMAND (see dnsweir-collect pdns --help)\n"
	"\n"
	"The query log.\n"
	"\n"
	"  serve       take dnstap from boxes and others, and keep it\n"
	"  query       the responses that meet everything asked for, oldest first\n"
	"  infected    clients whose answers were filtered on a day, by malware id\n"
	"  addresses   how many addresses the original answers had, by malware id\n"
	"  contacts    what reached the sinkhole, by malware id and client\n"
	"  sinkhole    take a log of the sinkhole host, or - for standard input, once\n"
	"  days        what is stored\n"
	"  purge       remove days\n"
	"  forget      take out the records of clients in a prefix\n"
	"  key         who may use the API\n"
	"  certificate   make one, by a CA of one's own; or show what is in one\n"
	"  pdns        passive DNS: questions, import, export, backup\n"
	"\n"
	"  -c, --config FILE      what to serve\n"
	"      --check            read the configuration and the files it names, then end\n"
	"  -s, --store FOLDER     where the log is (" COLLECT_STORE ")\n"
	"  -z, --zone ZONE        time zone of days and times, as in Asia/Tokyo; else the "
	"system's\n"
	"      --from TIME        from this moment or day on\n"
	"      --to TIME          up to this moment, or to the end of this day\n"
	"      --name NAME        this name\n"
	"      --subtree NAME     this name and all below it\n"
	"      --client PREFIX    clients in it that are kept with as many bits or more\n"
	"      --id ID            malware identifier\n"
	"      --rcode CODE       NOERROR, NXDOMAIN, ... or a number\n"
	"      --type TYPE        A, AAAA, ..., TYPE65280\n"
	"      --filtered         only responses that were changed or dropped\n"
	"      --unfiltered       only the others\n"
	"      --order ORDER      name: hour by hour, as stored, which takes no memory\n"
	"      --window SECONDS   how long before a contact its filtered answer may be: 3600\n"
	"      --limit N          stop behind N records\n"
	"      --format FORMAT    ndjson: as in Suricata's EVE log; csv; text\n"
	"      --eve-version N    form of the dns object: 3 or 2\n"
	"      --day DAY          YYYY-MM-DD\n"
	"      --before DAY       days before this one\n"
	"      --role ROLE        what a key is for: each role may do what those before it may\n"
	"      --expires DAY      the last day that the key is good for\n"
	"      --quota N          requests a day\n"
	"      --certificate      a certificate of this name is the key\n"
	"      --server HOST,...  a server's certificate, for these addresses and names\n"
	"      --valid-days N     how long it is good: 825\n"
	"      --print-config     every key of the configuration, at its default\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"Exit codes: 0 done, 1 failed while running, 2 wrong usage or configuration.\n";

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 'k'},
	{"store", required_argument, NULL, 's'},
	{"zone", required_argument, NULL, 'z'},
	{"from", required_argument, NULL, 'f'},
	{"to", required_argument, NULL, 't'},
	{"name", required_argument, NULL, 'n'},
	{"subtree", required_argument, NULL, 'S'},
	{"client", required_argument, NULL, 'C'},
	{"id", required_argument, NULL, 'i'},
	{"rcode", required_argument, NULL, 'r'},
	{"type", required_argument, NULL, 'T'},
	{"filtered", no_argument, NULL, 'F'},
	{"unfiltered", no_argument, NULL, 'U'},
	{"order", required_argument, NULL, 'o'},
	{"limit", required_argument, NULL, 'l'},
	{"window", required_argument, NULL, 'w'},
	{"format", required_argument, NULL, 'm'},
	{"eve-version", required_argument, NULL, 'e'},
	{"day", required_argument, NULL, 'd'},
	{"before", required_argument, NULL, 'b'},
	{"role", required_argument, NULL, 'R'},
	{"expires", required_argument, NULL, 'x'},
	{"quota", required_argument, NULL, 'q'},
	{"certificate", no_argument, NULL, 'K'},
	{"server", required_argument, NULL, 'v'},
	{"valid-days", required_argument, NULL, 'D'},
	{"print-config", no_argument, NULL, 'P'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct {
	const char *name;
	int (*run)(const struct collect_args *args);
	const char *options;  // those it takes
	const char *required; // of them, what it cannot do without
	int min, max;         // operands
	const char *operands;
} commands[] = {
	{"serve", serve_run, "ck", "c", 0, 0, "no operand"},
	{"query", query_run, "szftnSCirTFUolme", "", 0, 0, "no operand"},
	{"infected", infected_run, "szdim", "d", 0, 0, "no operand"},
	{"addresses", addresses_run, "szftim", "", 0, 0, "no operand"},
	{"contacts", contacts_run, "szftiCwm", "", 0, 0, "no operand"},
	{"sinkhole", sinkhole_run, "c", "c", 1, 1, "a file, or - for standard input"},
	{"days", days_run, "szm", "", 0, 0, "no operand"},
	{"purge", purge_run, "szb", "b", 0, 0, "no operand"},
	{"forget", forget_run, "sz", "", 1, 1, "PREFIX"},
	{"key", key_run, "szRxqK", "", 1, 2, "add NAME, list or remove NAME"},
	{"certificate", certificate_run, "szvD", "", 1, 2, "make NAME or show [FILE]"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *option_name(int option)
{
	const struct option *o = long_options;

	while (o->name && o->val != option)
		o++;
	return o->name;
}

// Options by letter and value in the order given: what they mean may depend on the zone.
struct given {
	int option;
	const char *value;
};

static int given_take(const struct given *given, size_t n, struct collect_args *args)
{
	int err = COLLECT_DONE;

	for (size_t i = 0; i < n && err == COLLECT_DONE; i++)
		if (given[i].option == 'z')
			err = collect_zone(given[i].value);
	for (size_t i = 0; i < n && err == COLLECT_DONE; i++) {
		if (given[i].option == 'c')
			args->config = given[i].value;
		else if (given[i].option == 'k')
			args->check = true;
		else if (given[i].option == 's')
			args->store = given[i].value;
		else if (given[i].option != 'z')
			err = ask_option_take(given[i].option, given[i].value, args);
		if (args->error[0])
			log_line(LOG_ERROR, "%s", args->error);
	}
	return err;
}

static int command_check(
	size_t command, const struct given *given, size_t n, const struct collect_args *args)
{
	const char *name = commands[command].name;

	for (size_t i = 0; i < n; i++)
		if (!strchr(commands[command].options, given[i].option)) {
			log_line(LOG_ERROR, "--%s: no option of %s (see --help)",
				option_name(given[i].option), name);
			return COLLECT_USAGE;
		}
	for (const char *r = commands[command].required; *r; r++) {
		size_t i = 0;

		while (i < n && given[i].option != *r)
			i++;
		if (i == n) {
			log_line(
				LOG_ERROR, "%s: expected --%s (see --help)", name, option_name(*r));
			return COLLECT_USAGE;
		}
	}
	if (args->n < commands[command].min || args->n > commands[command].max) {
		log_line(LOG_ERROR, "%s: expected %s (see --help)", name,
			commands[command].operands);
		return COLLECT_USAGE;
	}
	return COLLECT_DONE;
}

static int command_run(
	const char *name, const struct given *given, size_t n, struct collect_args *args)
{
	size_t command = 0;
	int err;

	while (command < N_COMMANDS && strcmp(commands[command].name, name) != 0)
		command++;
	if (command == N_COMMANDS) {
		log_line(LOG_ERROR, "%s: unknown command (see --help)", name);
		return COLLECT_USAGE;
	}
	err = command_check(command, given, n, args);
	if (err == COLLECT_DONE)
		err = given_take(given, n, args);
	if (err == COLLECT_DONE)
		err = commands[command].run(args);
	// What was printed may not have got anywhere, on a full disk say.
	if (fflush(stdout) == 0 && !ferror(stdout))
		return err;
	log_line(LOG_ERROR, "standard output: %s", strerror(errno));
	return COLLECT_FAILED;
}

int main(int argc, char **argv)
{
	struct collect_args args = COLLECT_ARGS;
	struct given *given = calloc((size_t)argc, sizeof(*given));
	size_t n = 0;
	int option, err;

	log_program("dnsweir-collect");
	if (argc > 1 && strcmp(argv[1], "pdns") == 0) {
		free(given);
		tzset();
		return pdns_main(argc - 1, argv + 1);
	}
	opterr = 0;
	while (given && (option = getopt_long(argc, argv, ":c:s:z:Vh", long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V' || option == 'P') {
			if (option == 'P')
				conf_print(stdout, CONF_COLLECT);
			else
				fputs(option == 'h' ? usage
						    : "dnsweir-collect " DNSWEIR_VERSION "\n",
					stdout);
			free(given);
			return COLLECT_DONE;
		}
		if (option == ':' || option == '?') {
			log_line(LOG_ERROR, "%s: %s", argv[optind - 1],
				option == ':' ? "expected a value behind it"
					      : "unknown option (see --help)");
			free(given);
			return COLLECT_USAGE;
		}
		given[n++] = (struct given){option, optarg};
	}
	if (optind == argc) {
		log_line(LOG_ERROR,
			"expected a command: serve, query, infected, addresses, contacts, "
			"sinkhole, days, purge, forget, key, certificate or pdns (see --help)");
		free(given);
		return COLLECT_USAGE;
	}
	args.words = argv + optind + 1;
	args.n = argc - optind - 1;
	tzset();
	err = given ? command_run(argv[optind], given, n, &args) : COLLECT_FAILED;
	free(given);
	return err;
}
