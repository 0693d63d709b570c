/* SPDX-License-Identifier: BSD-3-Clause */
#include "shell.h"

#include "ctl/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WATCH_DEFAULT_S 2.0
#define BLANKS          " \t\r\n"

const char *const shell_words[] = {"watch", "help", "quit", "exit", NULL};

volatile sig_atomic_t shell_interrupted;

static void on_interrupt(int sig)
{
	shell_interrupted = 1;
}

void shell_catch_interrupt(void)
{
	// Without SA_RESTART, so that waiting ends.
	struct sigaction action = {.sa_handler = on_interrupt};

	sigaction(SIGINT, &action, NULL);
}

enum shell_result shell_fail(enum shell_result result, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", SHELL_NAME);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return result;
}

bool shell_seconds_parse(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	return isdigit((unsigned char)*text) && *end == '\0' && *seconds >= 0.1 &&
	       *seconds <= 86400;
}

/** Print what the box said. */
static enum shell_result print_reply(const struct shell *shell, const json_t *reply)
{
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (shell->json) {
		json_dumpf(reply, stdout, shell->terminal ? JSON_INDENT(2) : JSON_COMPACT);
		fputc('\n', stdout);
	} else if (!error) {
		shell_render(stdout, reply);
	}
	if (fflush(stdout) != 0)
		return shell_fail(SHELL_FAILED, "cannot write: %s", strerror(errno));
	return error ? shell_fail(SHELL_FAILED, "%s", error) : SHELL_DONE;
}

/**
 * Ask the box; blanks behind @p args are left out.
 *
 * @return the reply (taken by the caller), or NULL with the error set
 */
static json_t *ask(const struct shell *shell, const struct ctl_command *command, const char *args,
	char *error, size_t error_size)
{
	char request[CTL_REQUEST_MAX];
	size_t args_size = strlen(args);
	json_t *reply;
	int sock, size;

	while (args_size > 0 && strchr(BLANKS, args[args_size - 1]))
		args_size--;
	size = snprintf(request, sizeof(request), "%s%s%.*s", command->path, args_size ? " " : "",
		(int)args_size, args);
	if (size < 0 || (size_t)size >= sizeof(request)) {
		snprintf(error, error_size, "a command has at most %d bytes", CTL_REQUEST_MAX - 1);
		return NULL;
	}
	sock = ctl_connect(shell->socket);
	if (sock < 0) {
		snprintf(error, error_size, "%s: %s%s", shell->socket, strerror(-sock),
			sock == -ENOENT || sock == -ECONNREFUSED ? " (is dnsweir running?)" : "");
		return NULL;
	}
	reply = ctl_call(sock, request, command->timeout_s, error, error_size);
	close(sock);
	return reply;
}

static enum shell_result run_help(const char *words)
{
	size_t size = strlen(words);
	bool found = false;

	while (size > 0 && strchr(BLANKS, words[size - 1]))
		size--;
	for (const struct ctl_command *c = ctl_commands; c->path; c++) {
		if (strncmp(c->path, words, size) != 0)
			continue;
		found = true;
		printf("%s %-*s  %s\n", c->path, 16 - (int)strlen(c->path), c->args, c->help);
	}
	if (!found)
		return shell_fail(SHELL_USAGE, "no command begins with '%.*s'", (int)size, words);
	if (size == 0)
		printf("watch [SECONDS] COMMAND\n"
		       "                   Repeat COMMAND until Ctrl-C (default every 2 s).\n"
		       "help [COMMAND]     This text.\n"
		       "quit, exit         Leave. Words may be shortened: sh st.\n");
	return SHELL_DONE;
}

static enum shell_result run_watch(const struct shell *shell, const char *line)
{
	size_t size = strcspn(line, BLANKS);
	double seconds = WATCH_DEFAULT_S;
	char text[32];

	snprintf(text, sizeof(text), "%.*s", (int)size, line);
	if (isdigit((unsigned char)*line)) {
		if (size >= sizeof(text) || !shell_seconds_parse(text, &seconds))
			return shell_fail(SHELL_USAGE,
				"watch: expected 0.1 to 86400 seconds, got '%s'", text);
		line += size;
		line += strspn(line, BLANKS);
	}
	if (!*line)
		return shell_fail(SHELL_USAGE, "watch: expected a command, got nothing");
	return shell_watch(shell, seconds, line);
}

/** Whether the first word of @p line is @p word. @param rest [out] what follows it */
static bool first_word(const char *line, const char *word, const char **rest)
{
	size_t size = strcspn(line, BLANKS);

	*rest = line + size + strspn(line + size, BLANKS);
	return strlen(word) == size && strncmp(line, word, size) == 0;
}

enum shell_result shell_run(const struct shell *shell, const char *line)
{
	const struct ctl_command *command;
	const char *args, *rest, *wrong;
	enum shell_result result;
	char error[512];
	json_t *reply;

	line += strspn(line, BLANKS);
	if (!*line || *line == '#')
		return SHELL_DONE;
	if (first_word(line, "quit", &rest) || first_word(line, "exit", &rest))
		return SHELL_QUIT;
	if (first_word(line, "help", &rest) || first_word(line, "?", &rest))
		return run_help(rest);
	if (first_word(line, "watch", &rest))
		return run_watch(shell, rest);
	command = ctl_command_find(line, &args, &wrong);
	if (!command)
		return shell_fail(SHELL_USAGE, "%s", wrong);
	reply = ask(shell, command, args, error, sizeof(error));
	if (!reply)
		return shell_fail(SHELL_FAILED, "%s", error);
	result = print_reply(shell, reply);
	json_decref(reply);
	return result;
}

enum shell_result shell_watch(const struct shell *shell, double seconds, const char *line)
{
	struct timespec pause = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
	enum shell_result result = SHELL_DONE;
	sigset_t interrupt, before;
	const char *rest;

	if (first_word(line, "watch", &rest))
		return shell_fail(SHELL_USAGE, "watch: expected a command, got 'watch'");
	shell_catch_interrupt();
	shell_interrupted = 0;
	// Blocked but while we sleep, so that an interrupt between look and sleep is not lost.
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	for (bool first = true; result == SHELL_DONE && !shell_interrupted; first = false) {
		if (!first && !shell->json)
			fputc('\n', stdout);
		result = shell_run(shell, line);
		sigprocmask(SIG_BLOCK, &interrupt, &before);
		if (result == SHELL_DONE && !shell_interrupted)
			ppoll(NULL, 0, &pause, &before);
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	return shell_interrupted ? SHELL_DONE : result;
}

/** Names of the lists in force, for completion; silent when the box is not there. */
static void complete_lists(const struct shell *shell, const char *begin,
	void (*found)(void *ctx, const char *word), void *ctx)
{
	struct ctl_command command = {.path = "show lists", .timeout_s = 2};
	char error[512];
	json_t *reply = ask(shell, &command, "", error, sizeof(error)), *list;
	size_t i;

	json_array_foreach(json_object_get(reply, "lists"), i, list)
	{
		const char *name = json_string_value(json_object_get(list, "name"));

		if (name && strncmp(name, begin, strlen(begin)) == 0)
			found(ctx, name);
	}
	json_decref(reply);
}

/** Word @p level of a path, or NULL behind its end. */
static const char *path_word(const char *path, unsigned level, char word[32])
{
	while (level-- > 0) {
		path = strchr(path, ' ');
		if (!path)
			return NULL;
		path++;
	}
	snprintf(word, 32, "%.*s", (int)strcspn(path, " "), path);
	return word;
}

/** Next words of all commands that go on from what stands in front of @p begin. */
static void complete_words(
	const char *line, const char *begin, void (*found)(void *ctx, const char *word), void *ctx)
{
	char word[32], last[32] = "";

	for (const struct ctl_command *c = ctl_commands; c->path; c++) {
		const char *p = line;
		unsigned level = 0;

		for (; p < begin; level++) {
			size_t size = strcspn(p, BLANKS);

			if (!path_word(c->path, level, word) || strncmp(word, p, size) != 0)
				break;
			p += size + strspn(p + size, BLANKS);
		}
		if (p < begin || !path_word(c->path, level, word) ||
			strncmp(word, begin, strlen(begin)) != 0 || strcmp(word, last) == 0)
			continue;
		found(ctx, word);
		strcpy(last, word);
	}
}

void shell_complete(const struct shell *shell, const char *line,
	void (*found)(void *ctx, const char *word), void *ctx)
{
	const struct ctl_command *command;
	const char *begin, *args, *error, *rest;
	bool own = true;
	char *probe;

	line += strspn(line, BLANKS);
	for (; strpbrk(line, BLANKS) &&
		(first_word(line, "watch", &rest) || first_word(line, "help", &rest));
		line = rest)
		own = false;
	// The number of seconds behind watch.
	if (!own && isdigit((unsigned char)*line) && strpbrk(line, BLANKS)) {
		line += strcspn(line, BLANKS);
		line += strspn(line, BLANKS);
	}
	begin = line + strlen(line);
	while (begin > line && !strchr(BLANKS, begin[-1]))
		begin--;
	for (const char *const *w = shell_words; own && begin == line && *w; w++)
		if (strncmp(*w, begin, strlen(begin)) == 0)
			found(ctx, *w);
	complete_words(line, begin, found, ctx);
	// With something behind it a command is whole if its words are.
	if (asprintf(&probe, "%.*s x", (int)(begin - line), line) < 0)
		return;
	command = ctl_command_find(probe, &args, &error);
	if (command && strcmp(command->path, "show list") == 0 && strcmp(args, "x") == 0)
		complete_lists(shell, begin, found, ctx);
	free(probe);
}
