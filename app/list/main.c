/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "list/list.h"
#include "list_app.h"

#define DIFF_SHOWN 20

static const char usage[] =
	"Usage: dnsweir-list compile --config FILE [-o OUT]\n"
	"       dnsweir-list check FILE...\n"
	"       dnsweir-list show GENERATION\n"
	"       dnsweir-list explain [--day DAY] GENERATION NAME...\n"
	"       dnsweir-list diff [-v | -n N] OLD NEW\n"
	"\n"
	"Lists of names outside of the running box.\n"
	"\n"
	"  compile   read the lists of a configuration, write them as one file that dnsweir loads "
	"at\n"
	"            once; OUT is the configuration's own [lists] compiled unless given\n"
	"  check     read list files, show how many lines are good and which are bad\n"
	"  show      when a generation was compiled, of which lists, with how many lines\n"
	"  explain   which rule decides on a name, and all rules it meets\n"
	"  diff      names that a generation has and another has not, by list\n"
	"\n"
	"  -c, --config FILE   configuration of dnsweir\n"
	"  -o, --output OUT    file to write; it is replaced when the new one is whole\n"
	"  -d, --day DAY       decide as on this day, YYYY-MM-DD; else today\n"
	"  -n, --names N       show up to N names of each kind (20)\n"
	"  -v, --verbose       show all of them\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"Exit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or file.\n";

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"output", required_argument, NULL, 'o'},
	{"day", required_argument, NULL, 'd'},
	{"names", required_argument, NULL, 'n'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct {
	const char *name;
	int (*run)(const struct list_args *args);
	const char *options; // those it takes
	int min, max;        // operands
	const char *operands;
} commands[] = {
	{"compile", compile_run, "co", 0, 0, "no operand"},
	{"check", check_run, "", 1, INT_MAX, "FILE..."},
	{"show", show_run, "", 1, 1, "GENERATION"},
	{"explain", explain_run, "d", 2, INT_MAX, "GENERATION NAME..."},
	{"diff", diff_run, "nv", 2, 2, "OLD NEW"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int number_take(const char *text, unsigned *value)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || number > UINT_MAX) {
		log_line(LOG_ERROR, "-n: expected a number of names, got \"%s\"", text);
		return LIST_USAGE;
	}
	*value = (unsigned)number;
	return LIST_DONE;
}

static int option_take(int option, char **argv, struct list_args *args)
{
	switch (option) {
	case 'c':
		args->config = optarg;
		return LIST_DONE;
	case 'o':
		args->output = optarg;
		return LIST_DONE;
	case 'd':
		args->day = list_day_parse(optarg, strlen(optarg));
		if (args->day >= 0)
			return LIST_DONE;
		log_line(LOG_ERROR, "-d: expected a day YYYY-MM-DD, got \"%s\"", optarg);
		return LIST_USAGE;
	case 'n':
		return number_take(optarg, &args->shown);
	case 'v':
		args->shown = UINT_MAX;
		return LIST_DONE;
	case ':':
		log_line(LOG_ERROR, "%s: expected a value behind it", argv[optind - 1]);
		return LIST_USAGE;
	default:
		log_line(LOG_ERROR, "%s: unknown option (see --help)", argv[optind - 1]);
		return LIST_USAGE;
	}
}

static int command_run(size_t command, struct list_args *args, const char *given)
{
	for (; *given; given++)
		if (!strchr(commands[command].options, *given)) {
			log_line(LOG_ERROR, "-%c: no option of %s (see --help)", *given,
				commands[command].name);
			return LIST_USAGE;
		}
	if (args->n < commands[command].min || args->n > commands[command].max) {
		log_line(LOG_ERROR, "%s: expected %s (see --help)", commands[command].name,
			commands[command].operands);
		return LIST_USAGE;
	}
	return commands[command].run(args);
}

int main(int argc, char **argv)
{
	struct list_args args = {.day = -1, .shown = DIFF_SHOWN};
	char given[64] = "";
	int option, err;

	log_program("dnsweir-list");
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:o:d:n:vVh", long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			fputs(option == 'h' ? usage : "dnsweir-list " DNSWEIR_VERSION "\n", stdout);
			return LIST_DONE;
		}
		err = option_take(option, argv, &args);
		if (err != LIST_DONE)
			return err;
		if (!strchr(given, option))
			given[strlen(given)] = (char)option;
	}
	if (optind == argc) {
		log_line(LOG_ERROR,
			"expected a command: compile, check, show, explain or diff (see --help)");
		return LIST_USAGE;
	}
	args.words = argv + optind + 1;
	args.n = argc - optind - 1;
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, argv[optind]) == 0) {
			err = command_run(i, &args, given);
			// What was printed may not have got anywhere, on a full disk say.
			if (fflush(stdout) == 0 && !ferror(stdout))
				return err;
			log_line(LOG_ERROR, "standard output: %s", strerror(errno));
			return LIST_FAILED;
		}
	log_line(LOG_ERROR, "%s: unknown command (see --help)", argv[optind]);
	return LIST_USAGE;
}
