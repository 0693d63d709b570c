/* SPDX-License-Identifier: BSD-3-Clause */
#include "shell.h"

#include "ctl/ctl.h"

#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USAGE "dnsweir-shell [-s SOCKET] [-j] [-w SECONDS] [COMMAND ...]"

static const struct option long_options[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"watch", required_argument, NULL, 'w'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static void print_usage(void)
{
	printf("usage: %s\n"
	       "Asks a running dnsweir. Without COMMAND: reads commands from the terminal or from "
	       "standard input.\n\n"
	       "  -s, --socket SOCKET   control socket (default %s)\n"
	       "  -j, --json            print replies as JSON\n"
	       "  -w, --watch SECONDS   repeat COMMAND until Ctrl-C\n"
	       "      --help            this text\n"
	       "      --version         version\n\n"
	       "commands:\n",
		USAGE, CTL_SOCKET_PATH);
	for (const struct ctl_command *c = ctl_commands; c->path; c++)
		printf("  %s %-*s  %s\n", c->path, 16 - (int)strlen(c->path), c->args, c->help);
}

/** What the command line says. */
struct options {
	struct shell shell;
	double watch; /* seconds, 0: once */
	bool done;    /* --help or --version was printed */
};

static enum shell_result parse_options(int argc, char **argv, struct options *options)
{
	int option;

	opterr = 0;
	// "+": what follows the first word is the command's.
	while ((option = getopt_long(argc, argv, "+:s:jw:", long_options, NULL)) != -1) {
		switch (option) {
		case 's':
			options->shell.socket = optarg;
			break;
		case 'j':
			options->shell.json = true;
			break;
		case 'w':
			if (!shell_seconds_parse(optarg, &options->watch))
				return shell_fail(SHELL_USAGE,
					"-w: expected 0.1 to 86400 seconds, got '%s'", optarg);
			break;
		case 'h':
			print_usage();
			options->done = true;
			return SHELL_DONE;
		case 'V':
			printf("%s %s\n", SHELL_NAME, DNSWEIR_VERSION);
			options->done = true;
			return SHELL_DONE;
		case ':':
			return shell_fail(
				SHELL_USAGE, "option '%s' needs a value", argv[optind - 1]);
		default:
			return shell_fail(SHELL_USAGE, "unknown option '%s', see --help",
				optopt && argv[optind - 1][1] != '-'
					? (char[]){'-', (char)optopt, 0}
					: argv[optind - 1]);
		}
	}
	return SHELL_DONE;
}

/** Read commands from standard input, up to the first that fails. */
static enum shell_result run_batch(const struct shell *shell)
{
	enum shell_result result = SHELL_DONE;
	char *line = NULL;
	size_t room = 0;

	while (result == SHELL_DONE && getline(&line, &room, stdin) >= 0)
		result = shell_run(shell, line);
	free(line);
	return result == SHELL_QUIT ? SHELL_DONE : result;
}

/** Join the words of the command line to one command. @return taken by the caller */
static char *join(char **words)
{
	size_t size = 1;
	char *line, *end;

	for (char **w = words; *w; w++)
		size += strlen(*w) + 1;
	end = line = malloc(size);
	for (char **w = words; line && *w; w++)
		end += sprintf(end, "%s%s", w == words ? "" : " ", *w);
	return line;
}

int main(int argc, char **argv)
{
	struct options options = {.shell = {.socket = CTL_SOCKET_PATH}};
	enum shell_result result;
	char *line;

	// Replies are UTF-8; how wide that is does not depend on the operator's language.
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
	options.shell.terminal = isatty(STDOUT_FILENO);
	result = parse_options(argc, argv, &options);
	if (result != SHELL_DONE || options.done)
		return result;
	if (optind == argc && options.watch > 0)
		return shell_fail(SHELL_USAGE, "-w: expected a command, got nothing");
	if (optind == argc)
		return isatty(STDIN_FILENO) && options.shell.terminal
			       ? shell_interactive(&options.shell)
			       : run_batch(&options.shell);
	line = join(argv + optind);
	if (!line)
		return shell_fail(SHELL_FAILED, "out of memory");
	result = options.watch > 0 ? shell_watch(&options.shell, options.watch, line)
				   : shell_run(&options.shell, line);
	free(line);
	return result == SHELL_QUIT ? SHELL_DONE : result;
}
