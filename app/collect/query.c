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
	uint64_t shown;
	bool terminal; // progress is shown
	bool told;     // and something of it stands there
	int64_t last_ns;
};

static int record_show(void *ctx, const struct store_record *record)
{
	struct showing *showing = ctx;

	if (showing->args->format == COLLECT_CSV)
		csv_write(stdout, record);
	else
		eve_write(stdout, record, showing->args->eve_version);
	// On a full disk, say: the rest would be for nothing. main says what is wrong.
	if (ferror(stdout))
		return STOPPED;
	return ++showing->shown == showing->args->limit ? STOPPED : 0;
}

static int progress_show(void *ctx, const struct store_progress *progress)
{
	struct showing *showing = ctx;
	struct timespec now;
	int64_t ns;

	if (!showing->terminal)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (ns - showing->last_ns < PROGRESS_NS)
		return 0;
	showing->last_ns = ns;
	showing->told = true;
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
	struct showing showing = {.args = args};
	const struct store_visitor visitor = {&showing, record_show, progress_show};
	struct store *store;
	int err;

	if (args->has_format && args->format == COLLECT_TEXT) {
		log_line(LOG_ERROR, "--format: expected ndjson or csv");
		return COLLECT_USAGE;
	}
	if (args->question.from_ms && args->question.to_ms &&
		args->question.from_ms >= args->question.to_ms) {
		log_line(LOG_ERROR, "--to: expected a time behind --from");
		return COLLECT_USAGE;
	}
	if (!may_read(args))
		return COLLECT_FAILED;
	err = collect_open(args, STORE_READ, &store);
	if (err != COLLECT_DONE)
		return err;
	// Records that go to the terminal say themselves how far it is.
	showing.terminal = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
	if (args->format == COLLECT_CSV)
		csv_header(stdout);
	err = store_query(store, &args->question, &visitor);
	if (showing.told)
		fputs("\r\x1b[K", stderr);
	store_close(store);
	return collect_exit_of(err);
}

static int infected_show(void *ctx, const struct store_infected *row)
{
	char first[COLLECT_TIME_SIZE], last[COLLECT_TIME_SIZE], client[ADDR_TEXT_SIZE];
	const struct collect_args *args = ctx;

	if (args->question.id && strcmp(args->question.id, row->id) != 0)
		return 0;
	addr_format(&row->client, client);
	collect_time(row->first_ms, first);
	collect_time(row->last_ms, last);
	if (args->format == COLLECT_NDJSON) {
		fputs("{\"id\":", stdout);
		json_text(stdout, row->id);
		printf(",\"client\":\"%s\",\"first\":\"%s\",\"last\":\"%s\",\"count\":%" PRIu64
		       "}\n",
			client, first, last, row->n);
	} else {
		csv_text(stdout, row->id);
		printf(",%s,%s,%s,%" PRIu64 "\n", client, first, last, row->n);
	}
	return ferror(stdout) ? STOPPED : 0;
}

int infected_run(const struct collect_args *args)
{
	int64_t from = store_day_start_ms((uint16_t)args->day);
	int64_t to = store_day_start_ms((uint16_t)(args->day + 1));
	struct store *store;
	int err;

	if (args->has_format && args->format == COLLECT_TEXT) {
		log_line(LOG_ERROR, "--format: expected csv or ndjson");
		return COLLECT_USAGE;
	}
	err = collect_open(args, STORE_READ, &store);
	if (err != COLLECT_DONE)
		return err;
	if (args->format != COLLECT_NDJSON)
		fputs("id,client,first,last,count\n", stdout);
	err = store_infected(store, from, to, infected_show, (void *)args);
	store_close(store);
	return collect_exit_of(err);
}
