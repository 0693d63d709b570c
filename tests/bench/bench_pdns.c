/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataset with millions of tuples: octets a tuple, observations a second, and how long
 * questions take, alone and while answers come in. Prints a JSON object a line; nothing is
 * asserted.
 *
 * How tuples are made says pdns_made.h. Times lie in 60 days, with seconds of no pattern; half of the tuples are seen
 * once.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "pdns/pdns.h"
#include "pdns_made.h"
#include "support/random.h"

#define TIME_FIRST 1700000000
#define TIME_SPAN  (60 * 86400)

static const char usage[] = "Usage: bench_pdns [--tuples N] [--messages N] [--questions N] "
			    "[--fill-only | --ask-only] FOLDER\n";

static struct {
	uint32_t tuples;
	uint32_t messages;
	uint32_t questions;
	bool fill_only, ask_only;
	const char *folder;
} options = {.tuples = 5000000, .messages = 4000000, .questions = 2000};

/* ---- filling --------------------------------------------------------------------------------- */

static double process_seconds(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static struct pdns *dataset_open(enum pdns_mode mode)
{
	const struct pdns_options how = {.mode = mode};
	struct pdns *pdns;

	if (pdns_open(options.folder, &how, &pdns) != 0)
		bench_die(options.folder, "cannot be opened");
	return pdns;
}

static uint64_t tuples_count(struct pdns *pdns)
{
	const struct pdns_question q = {.types = PDNS_ANY_AT_ALL};
	struct pdns_summary s;

	if (pdns_summarise(pdns, &q, 0, NULL, &s) != 0)
		bench_die(options.folder, "cannot be asked");
	return s.rows;
}

static void fill(struct pdns *pdns)
{
	double cpu = process_seconds(), began = (double)bench_now_ns();
	struct made made;

	for (uint32_t i = 0; i < options.tuples; i++) {
		uint64_t r = made_mixed((uint64_t)i << 20);
		struct pdns_tuple t = {.class = r % 4 == 0 ? PDNS_RESOLVER : PDNS_CLIENT};

		made_tuple(i, &made);
		t.owner = made.owner;
		t.owner_size = made.owner_size;
		t.type = made.type;
		t.rdata = made.rdata;
		t.rdata_size = made.rdata_size;
		t.first_s = TIME_FIRST + (int64_t)(r >> 8) % TIME_SPAN;
		// Half of them are seen once.
		t.last_s = t.first_s + (r >> 4 & 1 ? (int64_t)(r >> 40) % TIME_SPAN : 0);
		t.count = 1 + (r >> 4 & 1 ? (r >> 60) * (r >> 50 & 255) : 0);
		if (pdns_put(pdns, &t) != 0)
			bench_die(options.folder, "cannot be written");
	}
	if (pdns_flush(pdns) != 0)
		bench_die(options.folder, "cannot be written");
	printf("{\"fill\":%u,\"seconds\":%.1f,\"cpu_seconds\":%.1f}\n", options.tuples,
		((double)bench_now_ns() - began) / 1e9, process_seconds() - cpu);
	fflush(stdout);
}

static void sizes(struct pdns *pdns)
{
	uint64_t tuples = tuples_count(pdns);
	struct pdns_stats stats;

	pdns_compact(pdns);
	pdns_stats_get(pdns, &stats);
	printf("{\"tuples\":%llu,\"bytes\":%llu,\"octets_a_tuple\":%.1f,\"rows\":%llu}\n",
		(unsigned long long)tuples, (unsigned long long)stats.bytes,
		(double)stats.bytes / (double)(tuples + 1), (unsigned long long)stats.rows);
	for (enum pdns_table table = PDNS_TABLE_TUPLES; table < PDNS_TABLES; table++)
		printf("{\"table\":%u,\"octets_a_tuple\":%.2f}\n", table,
			(double)pdns_table_bytes(pdns, table) / (double)(tuples + 1));
	fflush(stdout);
}

/* ---- answers --------------------------------------------------------------------------------- */

struct answers {
	struct pdns *pdns;
	struct made_stream stream;
	uint32_t messages, rate;
	_Atomic bool stop;
	double making; // seconds of the thread, without observing
	double observing;
	uint64_t tuples;
};

static double thread_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Messages are made a thousand at a time, so that the clock is no part of what is measured.
static void *answers_main(void *ctx)
{
	enum { BATCH = 1000, ROOM = MADE_MSG_MAX };
	uint8_t *msgs = malloc((size_t)BATCH * ROOM);
	size_t sizes_of[BATCH];
	struct answers *a = ctx;
	uint64_t began = bench_now_ns(), ticked = began;

	for (uint32_t sent = 0; sent < a->messages && !atomic_load(&a->stop); sent += BATCH) {
		double at = thread_seconds(), then;

		for (unsigned i = 0; i < BATCH; i++)
			sizes_of[i] = made_answer(&a->stream, msgs + (size_t)i * ROOM);
		then = thread_seconds();
		a->making += then - at;
		for (unsigned i = 0; i < BATCH; i++) {
			const struct pdns_answer answer = {
				.time_s = TIME_FIRST + TIME_SPAN + sent / 100000,
				.msg = msgs + (size_t)i * ROOM,
				.size = sizes_of[i],
				.start = 1,
				.seq = (uint64_t)sent + i + 1};
			int n = pdns_observe(a->pdns, &answer);

			if (n < 0)
				bench_die(options.folder, "does not take an answer");
			a->tuples += (unsigned)n;
		}
		if (bench_now_ns() - ticked > 1000000000) {
			pdns_tick(a->pdns);
			ticked = bench_now_ns();
		}
		a->observing += thread_seconds() - then;
		while (a->rate && a->tuples > (bench_now_ns() - began) / 1000 * a->rate / 1000000)
			usleep(1000);
	}
	free(msgs);
	return NULL;
}

static void answers_run(struct pdns *pdns)
{
	struct answers a = {.pdns = pdns, .messages = options.messages};
	double cpu = process_seconds(), began = (double)bench_now_ns(), wall;
	struct pdns_stats before, after;

	made_stream_init(&a.stream, options.tuples, RANDOM_SEED);
	pdns_stats_get(pdns, &before);
	answers_main(&a);
	pdns_flush(pdns);
	pdns_stats_get(pdns, &after);
	wall = ((double)bench_now_ns() - began) / 1e9;
	cpu = process_seconds() - cpu - a.making;
	printf("{\"messages\":%u,\"observations\":%llu,\"written\":%llu,"
	       "\"observations_a_thread_s\":%.0f,\"observations_a_cpu_s\":%.0f,"
	       "\"observations_a_wall_s\":%.0f,\"making_share\":%.2f}\n",
		a.messages, (unsigned long long)a.tuples,
		(unsigned long long)(after.flushed - before.flushed),
		(double)a.tuples / a.observing, (double)a.tuples / cpu, (double)a.tuples / wall,
		a.making / wall);
	fflush(stdout);
}

/* ---- questions ------------------------------------------------------------------------------- */

static int row_count(void *ctx, const struct pdns_row *row)
{
	uint64_t *first = ctx;

	if (*first == 0)
		*first = bench_now_ns();
	return 0;
}

/** Ask. @return nanoseconds; @p first those till the first row, 0: none came */
static uint64_t ask(
	struct pdns *pdns, const struct pdns_question *q, uint64_t *first, uint64_t *rows)
{
	uint64_t began = bench_now_ns(), at = 0;
	const struct pdns_visitor visitor = {.ctx = &at, .visit = row_count};
	struct pdns_result result;

	if (pdns_query(pdns, q, &visitor, &result) != 0)
		bench_die(options.folder, "cannot be asked");
	*first = at ? at - began : 0;
	*rows += result.rows;
	return bench_now_ns() - began;
}

static void question_make(uint64_t *seed, struct pdns_question *q, struct made *made, uint8_t *name)
{
	unsigned kind = random_below(seed, 8);
	const uint8_t *target;

	made_tuple(random_below(seed, options.tuples), made);
	*q = (struct pdns_question){.by = PDNS_BY_OWNER, .types = PDNS_ANY_AT_ALL, .limit = 1000};
	q->name = made->owner;
	q->name_size = made->owner_size;
	q->grouped = kind < 3;
	if (kind == 2 || kind == 3) {
		q->scope = kind == 2 ? PDNS_SUBTREE : PDNS_START;
		q->name_size = made_name(made->domain, name);
		q->name = name;
	} else if (kind == 4 || kind == 5) {
		while (made->type != 1)
			made_tuple(random_below(seed, options.tuples), made);
		q->by = PDNS_BY_ADDRESS;
		q->from.family = q->to.family = ADDR_IPV4;
		memcpy(q->from.bytes, made->rdata, 4);
		memcpy(q->to.bytes, made->rdata, 4);
		if (kind == 5) {
			q->from.bytes[3] = 0;
			q->to.bytes[3] = 255;
		}
	} else if (kind >= 6) {
		while (made->type != 5 && made->type != 2 && made->type != 15)
			made_tuple(random_below(seed, options.tuples), made);
		target = made->rdata + (made->type == 15 ? 2 : 0);
		q->by = PDNS_BY_TARGET;
		q->scope = kind == 6 ? PDNS_EXACT : PDNS_SUBTREE;
		q->name = target;
		q->name_size = made->rdata_size - (made->type == 15 ? 2 : 0);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

// @p rate questions a second; 0: one behind the other
static void questions(struct pdns *pdns, const char *what, unsigned rate)
{
	uint64_t *took = calloc(options.questions, sizeof(*took)), rows = 0, first;
	double cpu = thread_seconds();
	uint64_t seed = RANDOM_SEED, began = bench_now_ns();
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct pdns_question q;
	struct made made;

	for (uint32_t i = 0; i < options.questions; i++) {
		question_make(&seed, &q, &made, name);
		while (rate && bench_now_ns() - began < (uint64_t)i * 1000000000 / rate)
			usleep(200);
		took[i] = ask(pdns, &q, &first, &rows);
	}
	qsort(took, options.questions, sizeof(*took), by_value);
	printf("{\"questions\":\"%s\",\"n\":%u,\"rows\":%llu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
	       "\"max_ms\":%.2f,\"a_second\":%.0f,\"cpu_us_a_row\":%.1f}\n",
		what, options.questions, (unsigned long long)rows,
		(double)took[options.questions / 2] / 1e6,
		(double)took[options.questions * 99 / 100] / 1e6,
		(double)took[options.questions - 1] / 1e6,
		options.questions / ((double)(bench_now_ns() - began) / 1e9),
		(thread_seconds() - cpu) * 1e6 / (double)(rows + 1));
	fflush(stdout);
	free(took);
}

static void scans(struct pdns *pdns, const char *what)
{
	struct pdns_question q = {.by = PDNS_BY_ADDRESS, .types = PDNS_ANY_AT_ALL};
	struct made made;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t first, rows = 0, took;

		for (made_tuple(i * 777, &made); made.type != 1;)
			made_tuple(i++ * 777, &made);
		q.from.family = q.to.family = ADDR_IPV4;
		memcpy(q.from.bytes, (const uint8_t[4]){made.rdata[0], made.rdata[1]}, 4);
		memcpy(q.to.bytes, (const uint8_t[4]){made.rdata[0], made.rdata[1], 255, 255}, 4);
		took = ask(pdns, &q, &first, &rows);
		printf("{\"scan\":\"/16 %s\",\"rows\":%llu,\"first_ms\":%.2f,\"all_ms\":%.1f}\n",
			what, (unsigned long long)rows, (double)first / 1e6, (double)took / 1e6);
	}
	fflush(stdout);
}

static void questions_beside(struct pdns *pdns)
{
	struct answers a = {.pdns = pdns, .messages = UINT32_MAX - 1000, .rate = 200000};
	double began = (double)bench_now_ns();
	pthread_t thread;

	made_stream_init(&a.stream, options.tuples, RANDOM_SEED + 1);
	a.stream.fresh = options.messages;
	if (pthread_create(&thread, NULL, answers_main, &a) != 0)
		bench_die("thread", "cannot be started");
	scans(pdns, "beside answers");
	questions(pdns, "mixed, 200 a second beside answers", 200);
	atomic_store(&a.stop, true);
	pthread_join(thread, NULL);
	printf("{\"beside\":\"answers\",\"observations_a_wall_s\":%.0f}\n",
		(double)a.tuples / (((double)bench_now_ns() - began) / 1e9));
}

static void options_read(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"tuples", required_argument, NULL, 't'},
		{"messages", required_argument, NULL, 'm'},
		{"questions", required_argument, NULL, 'q'},
		{"fill-only", no_argument, NULL, 'f'},
		{"ask-only", no_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 't')
			options.tuples = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'm')
			options.messages = (uint32_t)strtoul(optarg, NULL, 10) / 1000 * 1000;
		else if (option == 'q')
			options.questions = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'f')
			options.fill_only = true;
		else if (option == 'a')
			options.ask_only = true;
		else
			exit((fputs(usage, stderr), 2));
	}
	if (optind + 1 != argc || options.tuples < 1000 || options.questions < 1)
		exit((fputs(usage, stderr), 2));
	options.folder = argv[optind];
}

int main(int argc, char **argv)
{
	struct pdns *pdns;

	options_read(argc, argv);
	pdns = dataset_open(PDNS_WRITE);
	if (!options.ask_only) {
		fill(pdns);
		sizes(pdns);
	}
	if (options.fill_only)
		return pdns_close(pdns) == 0 ? 0 : 1;
	if (!options.ask_only)
		answers_run(pdns);
	scans(pdns, "alone");
	questions(pdns, "mixed, one by one", 0);
	questions_beside(pdns);
	return pdns_close(pdns) == 0 ? 0 : 1;
}
