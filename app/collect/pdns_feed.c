/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dnsweir-collect pdns feed: the feed of the collector that runs, over its unix socket, a row a line.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "base/log.h"
#include "http/http.h"
#include "pdns_app.h"

#define ESCAPED_SIZE 4096
#define CURSOR_SIZE  64

/** Where the feed is followed to. */
struct following {
	FILE *feed;
	char cursor[CURSOR_SIZE]; // behind the last row that standard output took
	uint64_t rows, limit;     // limit 0: none
	int result;               // enum collect_exit
};

static volatile sig_atomic_t is_over;
static int connection = -1;

// A read that waits ends by it, and so does one that is about to begin.
static void end(int signal)
{
	is_over = 1;
	shutdown(connection, SHUT_RD);
}

static void signals_take(int fd)
{
	const struct sigaction action = {.sa_handler = end};

	connection = fd;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	// Who closes our standard output is told the cursor, too.
	sigaction(SIGPIPE, &action, NULL);
}

static char *target_make(const struct pdns_args *args)
{
	static const struct {
		const char *name;
		int option;
	} params[] = {
		{"from", 'f'}, {"name", 'n'}, {"type", 't'}, {"sensor", 's'}, {"bailiwick", 'b'}};
	char escaped[ESCAPED_SIZE], *target = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&target, &size);

	if (!out)
		return NULL;
	fprintf(out, "/v1/feed?new=%s", args->only_new ? "yes" : "no");
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		if (args->given[params[i].option])
			fprintf(out, "&%s=%s", params[i].name,
				http_escape(
					args->given[params[i].option], escaped, sizeof(escaped)));
	return fclose(out) == 0 ? target : NULL;
}

/* ---- what comes ------------------------------------------------------------------------------ */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

// Returns whether there is more to take.
static bool line_take(struct following *following, const char *line, size_t size)
{
	json_t *object = json_loadb(line, size, 0, NULL);
	const char *cursor = text_of(object, "cursor");
	bool good = false;

	if (*text_of(object, "error") || !*cursor) {
		log_line(LOG_ERROR, "the feed ended: %s",
			object ? text_of(object, "error") : "expected a line of JSON");
		following->result = COLLECT_FAILED;
	} else {
		good = true;
	}
	if (good && json_object_get(object, "rrname")) {
		good = fwrite(line, 1, size, stdout) == size && !ferror(stdout);
		following->rows += good;
	}
	// An end because of rows that are gone has the cursor of what is there behind them.
	if (*cursor && !ferror(stdout))
		snprintf(following->cursor, CURSOR_SIZE, "%s", cursor);
	json_decref(object);
	return good && (following->limit == 0 || following->rows < following->limit);
}

static void follow(struct following *following)
{
	size_t room = 0;
	char *line = NULL;
	ssize_t n;

	// A row is with the reader before its cursor counts.
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	for (;;) {
		n = getline(&line, &room, following->feed);
		// What is cut is no line.
		if (is_over || n <= 0 || line[n - 1] != '\n')
			break;
		if (!line_take(following, line, (size_t)n)) {
			is_over = 1;
			break;
		}
	}
	if (!is_over) {
		log_line(LOG_ERROR, "the feed ended: the collector cut it off");
		following->result = COLLECT_FAILED;
	}
	if (following->cursor[0])
		log_line(LOG_INFO, "go on with --from %s", following->cursor);
	free(line);
}

// What the collector says instead of the feed.
static int refusal_tell(FILE *body, int status)
{
	json_t *object = json_loadf(body, 0, NULL);
	const char *error = text_of(object, "error"), *cursor = text_of(object, "cursor");
	// It is about a parameter, which is our option of that name.
	bool option = status == 400 || status == 410;

	log_line(LOG_ERROR, "%s%s%s%s",
		option ? "--" : "the collector: ", *error ? error : "no answer",
		*cursor ? "; the oldest there is: --from " : "", cursor);
	json_decref(object);
	return status == 400 ? COLLECT_USAGE : COLLECT_FAILED;
}

int pdns_feed_run(struct pdns_args *args)
{
	const char *store = args->given['S'] ? args->given['S'] : COLLECT_STORE;
	struct following following = {.limit = args->question.limit};
	char *target = target_make(args);
	int status = target ? http_open(store, target, &following.feed) : -ENOMEM;

	free(target);
	if (status < 0) {
		log_line(LOG_ERROR, "%s: the collector: %s", store,
			status == -ENOENT ? "none runs with its log there" : strerror(-status));
		return status == -ENOENT ? COLLECT_USAGE : COLLECT_FAILED;
	}
	if (status == 200) {
		signals_take(fileno(following.feed));
		follow(&following);
	} else {
		following.result = refusal_tell(following.feed, status);
	}
	fclose(following.feed);
	return following.result;
}
