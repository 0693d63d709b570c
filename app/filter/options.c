/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const char usage[] =
	"Usage: dnsweir [EAL options] -- --config FILE [options]\n"
	"       dnsweir --config FILE [options]\n"
	"       dnsweir --check --config FILE | --print-config | --version | --help\n"
	"\n"
	"A bump in the wire in front of DNS resolvers: responses that hold a listed name get the\n"
	"sinkhole's addresses, everything else passes as it came.\n"
	"\n"
	"  -c, --config FILE         configuration; --print-config shows every key\n"
	"      --check               read the configuration, its lists and consent file, then "
	"exit;\n"
	"                            touches no port. 0: good, 2: not\n"
	"      --print-config        write the commented default configuration to stdout\n"
	"      --json                at the end, counters as one JSON object on stdout\n"
	"      --exit-when-idle MS   stop when no packet has come for MS milliseconds: for "
	"captures\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"EAL options are DPDK's own (lcores, devices, memory). The main lcore does control, the "
	"lowest\n"
	"other one statistics, all further ones are workers; with two lcores in all the main one "
	"also\n"
	"does statistics. SIGHUP reads lists and consent again, SIGINT and SIGTERM stop.\n"
	"\n"
	"Exit codes: 0 done, 1 failed while running, 2 wrong usage or configuration.\n";

enum {
	OPT_CHECK = 256,
	OPT_PRINT,
	OPT_JSON,
	OPT_IDLE,
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, OPT_CHECK},
	{"print-config", no_argument, NULL, OPT_PRINT},
	{"json", no_argument, NULL, OPT_JSON},
	{"exit-when-idle", required_argument, NULL, OPT_IDLE},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int milliseconds_parse(const char *text, unsigned *ms)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value < 1 || value > 3600000) {
		log_line(LOG_ERROR,
			"--exit-when-idle: expected 1 to 3600000 milliseconds, got \"%s\"", text);
		return APP_USAGE;
	}
	*ms = (unsigned)value;
	return APP_DONE;
}

static int option_take(int option, char **argv, struct options *options, bool *finished)
{
	switch (option) {
	case 'c':
		options->config = optarg;
		return APP_DONE;
	case OPT_CHECK:
		options->check = true;
		return APP_DONE;
	case OPT_PRINT:
		options->print_config = true;
		return APP_DONE;
	case OPT_JSON:
		options->json = true;
		return APP_DONE;
	case OPT_IDLE:
		return milliseconds_parse(optarg, &options->exit_when_idle);
	case 'V':
		puts("dnsweir " DNSWEIR_VERSION);
		*finished = true;
		return APP_DONE;
	case 'h':
		fputs(usage, stdout);
		*finished = true;
		return APP_DONE;
	case ':':
		log_line(LOG_ERROR, "%s: expected a value behind it", argv[optind - 1]);
		return APP_USAGE;
	default:
		log_line(LOG_ERROR,
			"%s: unknown option (EAL options come before \"--\"; see --help)",
			argv[optind - 1]);
		return APP_USAGE;
	}
}

int options_parse(int argc, char **argv, struct options *options, int *eal_argc, bool *finished)
{
	int split = 0, option, err = APP_DONE, app_argc;
	char **app_argv, *program = argv[0];

	*finished = false;
	for (int i = 1; i < argc && split == 0; i++)
		if (strcmp(argv[i], "--") == 0)
			split = i;
	// Without "--" all arguments are ours; getopt wants a program name in front of them.
	*eal_argc = split ? split : 1;
	app_argv = argv + split;
	app_argc = argc - split;
	app_argv[0] = program;
	opterr = 0;
	optind = 1;
	while (err == APP_DONE && !*finished &&
		(option = getopt_long(app_argc, app_argv, ":c:Vh", long_options, NULL)) != -1)
		err = option_take(option, app_argv, options, finished);
	// EAL parses its part with getopt too, and shall say what it does not know.
	opterr = 1;
	if (err != APP_DONE || *finished)
		return err;
	if (optind < app_argc) {
		log_line(LOG_ERROR, "%s: unexpected argument (see --help)", app_argv[optind]);
		return APP_USAGE;
	}
	if (!options->config && !options->print_config) {
		log_line(LOG_ERROR, "expected --config FILE (see --help)");
		return APP_USAGE;
	}
	return APP_DONE;
}
