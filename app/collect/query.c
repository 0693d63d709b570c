/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "collect_app.h"

#define PROGRESS_NS 200000000 // between lines on the terminal
#define STOPPED     1         // a visit has had enough

struct showing {
	const struct collect_args *args;
	struct collect_sink *sink;
};

static int record_show(void *ctx, const struct store_record *record)
{
	const struct showing *showing = ctx;
	struct collect_sink *sink = showing->sink;

	if (showing->args->format == COLLECT_CSV)
		csv_write(sink->out, record);
	else
		eve_write(sink->out, record, showing->args->eve_version);
	// On a full disk, say: the rest would be for nothing. The caller says what is wrong.
	if (ferror(sink->out))
		return STOPPED;
	return ++sink->rows == showing->args->limit ? STOPPED : 0;
}

static int progress_pass(void *ctx, const struct store_progress *progress)
{
	const struct collect_sink *sink = ((const struct showing *)ctx)->sink;

	return sink->progress ? sink->progress(sink->ctx, progress) : 0;
}

int query_write(const struct collect_args *args, struct store *store, struct collect_sink *sink)
{
	struct showing showing = {args, sink};
	const struct store_visitor visitor = {&showing, record_show, progress_pass};

	if (args->format == COLLECT_CSV)
		csv_header(sink->out);
	return store_query(store, &args->question, &visitor);
}

const char *query_wrong(const struct collect_args *args)
{
	const struct store_question *q = &args->question;

	if (args->has_format && args->format == COLLECT_TEXT)
		return "--format: expected ndjson or csv";
	if (q->from_ms && q->to_ms && q->from_ms >= q->to_ms)
		return "--to: expected a time behind --from";
	return NULL;
}

/** What is shown on a terminal while records go elsewhere. */
struct terminal {
	bool told; // something of it stands there
	int64_t last_ns;
};

static int progress_show(void *ctx, const struct store_progress *progress)
{
	struct terminal *terminal = ctx;
	struct timespec now;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (ns - terminal->last_ns < PROGRESS_NS)
		return 0;
	terminal->last_ns = ns;
	terminal->told = true;
	fprintf(stderr, "\r%u of %u hours, %" PRIu64 " records read, %" PRIu64 " found\x1b[K",
		progress->hours_done, progress->hours, progress->seen, progress->found);
	return 0;
}

// Who may read the log but not who was filtered shall not take half of an answer for the whole.
static bool may_read(const struct collect_args *args)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/filtered", args->store);
	if (args->question.kinds == STORE_UNFILTERED || access(path, R_OK | X_OK) == 0 ||
		errno != EACCES)
		return true;
	log_line(LOG_ERROR, "%s: may not be read; expected --unfiltered, or another user", path);
	return false;
}

int query_run(const struct collect_args *args)
{
	struct collect_sink sink = {.out = stdout};
	struct terminal terminal = {false, 0};
	const char *wrong = query_wrong(args);
	struct store *store;
	int err;

	if (wrong) {
		log_line(LOG_ERROR, "%s", wrong);
		return COLLECT_USAGE;
	}
	if (!may_read(args))
		return COLLECT_FAILED;
	err = collect_open(args, STORE_READ, &store);
	if (err != COLLECT_DONE)
		return err;
	// Records that go to the terminal say themselves how far it is.
	if (isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO)) {
		sink.progress = progress_show;
		sink.ctx = &terminal;
	}
	err = query_write(args, store, &sink);
	if (terminal.told)
		fputs("\r\x1b[K", stderr);
	store_close(store);
	return collect_exit_of(err);
}
