/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "list/list.h"
#include "report_app.h"

static const char usage[] =
	"Usage: dnsweir-report --from DAY --to DAY --totals FILE --catalogue FILE... [--watched "
	"FILE...]\n"
	"                      [--template FILE] [--addresses FILE] [--lang ja|en]\n"
	"                      [--format pdf|html|csv|json] [--hide-below N] -o OUT\n"
	"       dnsweir-report enter --totals FILE --month YYYY-MM [--responses N] [--filtered N]\n"
	"                      [--id ID] --note TEXT [--zone ZONE]\n"
	"       dnsweir-report import --totals FILE [--zone ZONE] OTHER...\n"
	"\n"
	"Reports of a period: what was filtered, and how many queries were affected.\n"
	"\n"
	"  enter    add a figure from elsewhere, or a correction, to those of a month\n"
	"  import   take the counters of other boxes' files\n"
	"\n"
	"  -f, --from DAY         first day of the period, YYYY-MM-DD\n"
	"  -t, --to DAY           last day of it\n"
	"  -T, --totals FILE      what boxes counted\n"
	"  -c, --catalogue FILE   what is filtered; may be given several times\n"
	"  -w, --watched FILE     catalogue of a list that only logs; may be given several times\n"
	"  -p, --template FILE    the operator's words; HTML and PDF need it\n"
	"  -a, --addresses FILE   numbers of C&C addresses, CSV id,addresses\n"
	"  -l, --lang LANGUAGE    ja or en (en)\n"
	"  -F, --format FORMAT    pdf, html, csv or json; else as OUT ends\n"
	"  -n, --hide-below N     show numbers of queries below N as <N; at least 3\n"
	"  -o, --output OUT       file to write; for csv a folder\n"
	"  -m, --month YYYY-MM    month that a figure is for\n"
	"  -r, --responses N      all queries; negative to take away\n"
	"  -q, --filtered N       affected ones of these; negative to take away\n"
	"  -i, --id ID            malware that the affected ones are of\n"
	"  -N, --note TEXT        where the figure is from, and why it was entered\n"
	"  -z, --zone ZONE        time zone of a totals file that is made; else the system's\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"Exit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or file.\n";

static const struct option long_options[] = {
	{"from", required_argument, NULL, 'f'},
	{"to", required_argument, NULL, 't'},
	{"totals", required_argument, NULL, 'T'},
	{"catalogue", required_argument, NULL, 'c'},
	{"watched", required_argument, NULL, 'w'},
	{"template", required_argument, NULL, 'p'},
	{"addresses", required_argument, NULL, 'a'},
	{"lang", required_argument, NULL, 'l'},
	{"format", required_argument, NULL, 'F'},
	{"hide-below", required_argument, NULL, 'n'},
	{"output", required_argument, NULL, 'o'},
	{"month", required_argument, NULL, 'm'},
	{"responses", required_argument, NULL, 'r'},
	{"filtered", required_argument, NULL, 'q'},
	{"id", required_argument, NULL, 'i'},
	{"note", required_argument, NULL, 'N'},
	{"zone", required_argument, NULL, 'z'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct {
	const char *name; // the first word; "" where there is none
	int (*run)(const struct report_args *args);
	const char *options; // those it takes
} commands[] = {
	{"", make_run, "ftTcwpalFno"},
	{"enter", enter_run, "TmrqiNz"},
	{"import", import_run, "Tz"},
};

int64_t report_now(void)
{
	const char *given = getenv("SOURCE_DATE_EPOCH");
	char *end;
	long long seconds;

	if (!given || *given < '0' || *given > '9')
		return (int64_t)time(NULL);
	seconds = strtoll(given, &end, 10);
	return *end ? (int64_t)time(NULL) : (int64_t)seconds;
}

static const char *option_name(int option)
{
	for (const struct option *o = long_options; o->name; o++)
		if (o->val == option)
			return o->name;
	return "";
}

static int bad_value(int option, const char *expected)
{
	log_line(LOG_ERROR, "--%s: expected %s, got \"%s\"", option_name(option), expected, optarg);
	return REPORT_USAGE;
}

static int day_take(int option, int *day)
{
	*day = list_day_parse(optarg, strlen(optarg));
	// The next day has to be a day, too, and the number of the first one means something else.
	if (*day > LIST_DAY_FIRST && *day < LIST_DAY_LAST - 1)
		return REPORT_DONE;
	return bad_value(option, "a day YYYY-MM-DD after 2000-01-01");
}

static int number_take(int option, int64_t *value, int64_t least)
{
	char *end;

	errno = 0;
	*value = strtoll(optarg, &end, 10);
	if (errno == 0 && *end == '\0' && strchr("-0123456789", *optarg) && end != optarg &&
		*value >= least)
		return REPORT_DONE;
	return bad_value(option, least < 0 ? "a number" : "a number that is not negative");
}

static int file_take(int option, const char **files, unsigned *n)
{
	if (*n == REPORT_FILES_MAX)
		return bad_value(option, "at most 64 files");
	files[(*n)++] = optarg;
	return REPORT_DONE;
}

static int format_parse(const char *text, enum report_format_kind *format)
{
	static const char *const names[] = {"", "pdf", "html", "csv", "json"};

	for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			*format = (enum report_format_kind)i;
			return REPORT_DONE;
		}
	return REPORT_USAGE;
}

static int month_take(struct report_args *args)
{
	char day[16];

	snprintf(day, sizeof(day), "%.8s-01", optarg);
	if (strlen(optarg) != 7 || list_day_parse(day, strlen(day)) < 0)
		return bad_value('m', "a month YYYY-MM");
	sscanf(day, "%d-%d", &args->year, &args->month);
	return REPORT_DONE;
}

static int language_take(struct report_args *args)
{
	if (strcmp(optarg, "ja") != 0 && strcmp(optarg, "en") != 0)
		return bad_value('l', "ja or en");
	args->language = strcmp(optarg, "ja") == 0 ? REPORT_JA : REPORT_EN;
	return REPORT_DONE;
}

static int value_take(int option, struct report_args *args)
{
	int64_t number = 0;
	int err;

	switch (option) {
	case 'f':
		return day_take(option, &args->from);
	case 't':
		return day_take(option, &args->to);
	case 'c':
		return file_take(option, args->catalogues, &args->n_catalogues);
	case 'w':
		return file_take(option, args->watched, &args->n_watched);
	case 'l':
		return language_take(args);
	case 'F':
		err = format_parse(optarg, &args->format);
		return err ? bad_value(option, "pdf, html, csv or json") : err;
	case 'n':
		err = number_take(option, &number, 0);
		args->hide_below = (uint64_t)number;
		// What can only be 0 or 1 cannot be hidden from who knows the sum.
		if (err == REPORT_DONE && number > 0 && number < REPORT_HIDE_LEAST)
			return bad_value(option, "0, or a number that is at least 3");
		return err;
	case 'm':
		return month_take(args);
	case 'r':
		return number_take(option, &args->responses, INT64_MIN);
	default:
		return number_take(option, &args->filtered, INT64_MIN);
	}
}

static int option_take(int option, char **argv, struct report_args *args)
{
	const char **text = option == 'T'   ? &args->totals
			    : option == 'p' ? &args->template_path
			    : option == 'a' ? &args->addresses
			    : option == 'o' ? &args->output
			    : option == 'i' ? &args->id
			    : option == 'N' ? &args->note
			    : option == 'z' ? &args->zone
					    : NULL;

	if (option == ':' || option == '?') {
		log_line(LOG_ERROR, "%s: %s", argv[optind - 1],
			option == ':' ? "expected a value behind it"
				      : "unknown option (see --help)");
		return REPORT_USAGE;
	}
	if (!text)
		return value_take(option, args);
	*text = optarg;
	return REPORT_DONE;
}

static int command_run(struct report_args *args, const char *given)
{
	size_t command = 0;

	for (size_t i = 1; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (args->n_words > 0 && strcmp(args->words[0], commands[i].name) == 0)
			command = i;
	if (command > 0) {
		args->words++;
		args->n_words--;
	}
	for (; *given; given++)
		if (!strchr(commands[command].options, *given)) {
			log_line(LOG_ERROR, "--%s: no option of %s (see --help)",
				option_name(*given), command ? commands[command].name : "a report");
			return REPORT_USAGE;
		}
	return commands[command].run(args);
}

int main(int argc, char **argv)
{
	struct report_args args = {.from = -1, .to = -1, .language = REPORT_EN};
	char given[64] = "";
	int option, err;

	log_program("dnsweir-report");
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:t:T:c:w:p:a:l:F:n:o:m:r:q:i:N:z:Vh",
			long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			fputs(option == 'h' ? usage : "dnsweir-report " DNSWEIR_VERSION "\n",
				stdout);
			return REPORT_DONE;
		}
		err = option_take(option, argv, &args);
		if (err != REPORT_DONE)
			return err;
		if (!strchr(given, option))
			given[strlen(given)] = (char)option;
	}
	args.words = argv + optind;
	args.n_words = argc - optind;
	return command_run(&args, given);
}
