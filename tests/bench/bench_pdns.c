/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataset with millions of tuples: octets a tuple, observations a second, and how long
 * questions take, alone and while answers come in. Prints a JSON object a line; nothing is
 * asserted.
 *
 * Tuple i is made from the number i alone. Registered names are two to four syllables out of some
 * hundreds, some with digits, below 12 suffixes as common as in the wild; each has 6 to 24 tuples:
 * hosts with usual names, with numbers, and with 12 random digits; 50 % A, 14 % AAAA, 13 % CNAME, 7
 * % NS, 4 % MX, 4 % TXT, 3 % SOA, 3 % HTTPS, 2 % PTR. Addresses are of 30,000 blocks of 256, half
 * of the names in 300 of them. Times lie in 60 days, with seconds of no pattern; half of the tuples
 * are seen once.
 */
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "dns/dns_name.h"
#include "pdns/pdns.h"
#include "support/random.h"

#define TIME_FIRST 1700000000
#define TIME_SPAN  (60 * 86400)

static const char usage[] =
	"Usage: bench_pdns [--tuples N] [--messages N] [--questions N] [--ask-only] FOLDER\n";

static struct {
	uint32_t tuples;
	uint32_t messages;
	uint32_t questions;
	bool ask_only;
	const char *folder;
} options = {.tuples = 5000000, .messages = 4000000, .questions = 2000};

/* ---- tuples ---------------------------------------------------------------------------------- */

struct made {
	uint8_t owner[DNS_NAME_SIZE_MAX], rdata[DNS_NAME_SIZE_MAX + 64];
	size_t owner_size, rdata_size;
	uint16_t type;
	char domain[96];
};

static uint64_t mixed(uint64_t n)
{
	n = (n ^ n >> 31) * 0x9e3779b97f4a7c15ull;
	n = (n ^ n >> 29) * 0xbf58476d1ce4e5b9ull;
	return n ^ n >> 32;
}

static void domain_make(uint64_t n, char text[96])
{
	static const char first[] = "bcdfghjklmnprstvwz", vowels[] = "aeiouy", last[] = "nrlst";
	static const char *const tops[] = {"com", "com", "com", "com", "net", "org", "jp", "co.jp",
		"de", "co.uk", "info", "xyz"};
	uint64_t r = mixed(n * 2 + 1);
	unsigned parts = 2 + r % 3, used = 0;

	for (r >>= 2; parts > 0; parts--, r = mixed(r)) {
		text[used++] = first[r % 18];
		text[used++] = vowels[(r >> 8) % 6];
		if (r >> 16 & 1)
			text[used++] = last[(r >> 20) % 5];
	}
	if (r % 8 == 0)
		used += (unsigned)sprintf(text + used, "%u", (unsigned)(r >> 8) % 1000);
	sprintf(text + used, ".%s", tops[(r >> 20) % 12]);
}

static size_t name_wire(const char *text, uint8_t *name)
{
	int size = dns_name_parse(text, strlen(text), name);

	if (size < 0)
		bench_die(text, "is no name");
	return (size_t)size;
}

static void host_make(uint64_t r, const char *domain, char text[160])
{
	static const char *const hosts[] = {"www", "mail", "api", "cdn", "img", "static", "m",
		"app", "dev", "vpn", "shop", "ns1"};

	if (r % 10 < 5)
		sprintf(text, "%s.%s", hosts[(r >> 8) % 12], domain);
	else if (r % 10 < 7)
		strcpy(text, domain);
	else if (r % 10 < 9)
		sprintf(text, "%s%u.%s", hosts[(r >> 8) % 12], (unsigned)(r >> 16) % 400, domain);
	else
		sprintf(text, "%012llx.%s", (unsigned long long)(r >> 16), domain);
}

static size_t address_make(uint64_t r, uint8_t *to, bool v6)
{
	uint64_t block = r % 2 ? (r >> 8) % 300 : (r >> 8) % 30000;
	uint64_t spread = mixed(block);

	if (!v6) {
		to[0] = (uint8_t)(1 + spread % 220);
		to[1] = (uint8_t)(spread >> 8);
		to[2] = (uint8_t)(spread >> 16);
		to[3] = (uint8_t)(r >> 40);
		return 4;
	}
	memset(to, 0, 16);
	to[0] = 0x2a;
	memcpy(to + 1, &spread, 5);
	to[7] = (uint8_t)(r >> 40);
	to[14] = (uint8_t)(r >> 48);
	to[15] = (uint8_t)(r >> 56);
	return 16;
}

static size_t random_octets(uint64_t r, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++, r = mixed(r))
		to[i] = (uint8_t)r;
	return n;
}

// Half of them say who may send mail, half are tokens of 32 random letters that prove something.
static void text_make(uint64_t r, const char *other, struct made *made)
{
	char text[160];
	size_t size;

	made->type = 16;
	if (r & 1 << 20) {
		size = (size_t)sprintf(text, "v=spf1 include:_spf.%s ~all", other);
	} else {
		size = (size_t)sprintf(text, "site-verification=");
		for (unsigned i = 0; i < 32; i++, r = mixed(r))
			text[size++] = (char)('a' + r % 26);
	}
	made->rdata[0] = (uint8_t)size;
	memcpy(made->rdata + 1, text, size);
	made->rdata_size = 1 + size;
}

static void rdata_make(uint64_t r, const char *domain, struct made *made)
{
	unsigned kind = (unsigned)(r % 100);
	char text[160], other[96];
	uint8_t *to = made->rdata;

	r = mixed(r);
	// Targets are of few companies, or of one's own.
	domain_make(r % 4 ? r % 2000 : r % 1000000, other);
	snprintf(text, sizeof(text), "%s%u.%s", kind < 77 ? "edge" : "ns", (unsigned)(r >> 24) % 8,
		r % 16 ? other : domain);
	if (kind < 64) {
		made->type = kind < 50 ? 1 : 28;
		made->rdata_size = address_make(r, to, kind >= 50);
	} else if (kind < 77 || kind < 84 || kind >= 98) {
		made->type = kind < 77 ? 5 : kind < 84 ? 2 : 12;
		made->rdata_size = name_wire(text, to);
	} else if (kind < 88 || (kind >= 95 && kind < 98)) {
		made->type = kind < 88 ? 15 : 65;
		to[0] = 0;
		to[1] = kind < 88 ? 10 : 1;
		made->rdata_size = 2 + name_wire(text, to + 2);
		if (kind >= 95) {
			memcpy(to + made->rdata_size, "\0\1\0\3\2h2", 7);
			made->rdata_size += 7;
		}
	} else if (kind < 92) {
		text_make(r, other, made);
	} else {
		made->type = 6;
		made->rdata_size = name_wire(text, to);
		made->rdata_size += name_wire(domain, to + made->rdata_size);
		made->rdata_size += random_octets(r, to + made->rdata_size, 4);
		memcpy(to + made->rdata_size, "\0\0\x1c\x20\0\0\3\x84\0\x12\x75\0\0\0\1\x2c", 16);
		made->rdata_size += 16;
	}
}

static void tuple_make(uint32_t i, struct made *made)
{
	uint64_t r = mixed((uint64_t)i + 0x1234567);
	char text[160];

	// 8 tuples a domain on average, from 1 to 24.
	domain_make(mixed(i / 24) % 4 == 0 ? i / 24 : 10000000 + i / 6, made->domain);
	host_make(r, made->domain, text);
	made->owner_size = name_wire(text, made->owner);
	rdata_make(mixed(r), made->domain, made);
}

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
		uint64_t r = mixed((uint64_t)i << 20);
		struct pdns_tuple t = {.class = r % 4 == 0 ? PDNS_RESOLVER : PDNS_CLIENT};

		tuple_make(i, &made);
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

/** Answers that are sent again and again, and some that are new each time. */
struct answers {
	struct pdns *pdns;
	double log_n;
	uint64_t seed;
	uint32_t fresh; // of tuples that nobody saw
	uint32_t messages, rate;
	_Atomic bool stop;
	double making; // seconds of the thread, without observing
	double observing;
	uint64_t tuples;
};

static size_t answer_make(struct answers *a, uint8_t *msg)
{
	double u = (double)(random_next(&a->seed) >> 11) / (double)(1ull << 53);
	// By a Zipf distribution with exponent 1; 3 in 100 are new.
	uint32_t i = random_below(&a->seed, 100) < 3 ? options.tuples + a->fresh++
						     : (uint32_t)exp(u * a->log_n) - 1;
	unsigned n = 1 + i % 3;
	struct made made;
	size_t size;

	tuple_make(i, &made);
	memset(msg, 0, DNS_HEADER_SIZE);
	msg[2] = 0x80;
	msg[5] = 1;
	msg[7] = (uint8_t)n;
	memcpy(msg + DNS_HEADER_SIZE, made.owner, made.owner_size);
	size = DNS_HEADER_SIZE + made.owner_size;
	memcpy(msg + size, (const uint8_t[]){0, (uint8_t)made.type, 0, 1}, 4);
	size += 4;
	for (unsigned k = 0; k < n; k++) {
		memcpy(msg + size,
			(const uint8_t[]){0xc0, 12, 0, (uint8_t)made.type, 0, 1, 0, 0, 1, 44,
				(uint8_t)(made.rdata_size >> 8), (uint8_t)made.rdata_size},
			12);
		// Servers of one name stand side by side.
		if (made.type == 1 || made.type == 28)
			made.rdata[made.rdata_size - 1] ^= (uint8_t)k;
		memcpy(msg + size + 12, made.rdata, made.rdata_size);
		size += 12 + made.rdata_size;
	}
	return size;
}

static double thread_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Messages are made a thousand at a time, so that the clock is no part of what is measured.
static void *answers_main(void *ctx)
{
	enum { BATCH = 1000, ROOM = 1024 };
	uint8_t *msgs = malloc((size_t)BATCH * ROOM);
	size_t sizes_of[BATCH];
	struct answers *a = ctx;
	uint64_t began = bench_now_ns(), ticked = began;

	for (uint32_t sent = 0; sent < a->messages && !atomic_load(&a->stop); sent += BATCH) {
		double at = thread_seconds(), then;

		for (unsigned i = 0; i < BATCH; i++)
			sizes_of[i] = answer_make(a, msgs + (size_t)i * ROOM);
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
	struct answers a = {.pdns = pdns,
		.seed = RANDOM_SEED,
		.log_n = log(options.tuples),
		.messages = options.messages};
	double cpu = process_seconds(), began = (double)bench_now_ns(), wall;
	struct pdns_stats before, after;

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

	tuple_make(random_below(seed, options.tuples), made);
	*q = (struct pdns_question){.by = PDNS_BY_OWNER, .types = PDNS_ANY_AT_ALL, .limit = 1000};
	q->name = made->owner;
	q->name_size = made->owner_size;
	q->grouped = kind < 3;
	if (kind == 2 || kind == 3) {
		q->scope = kind == 2 ? PDNS_SUBTREE : PDNS_START;
		q->name_size = name_wire(made->domain, name);
		q->name = name;
	} else if (kind == 4 || kind == 5) {
		while (made->type != 1)
			tuple_make(random_below(seed, options.tuples), made);
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
			tuple_make(random_below(seed, options.tuples), made);
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

		for (tuple_make(i * 777, &made); made.type != 1;)
			tuple_make(i++ * 777, &made);
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
	struct answers a = {.pdns = pdns,
		.seed = RANDOM_SEED + 1,
		.log_n = log(options.tuples),
		.messages = UINT32_MAX - 1000,
		.rate = 200000,
		.fresh = options.messages};
	double began = (double)bench_now_ns();
	pthread_t thread;

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
		answers_run(pdns);
	}
	scans(pdns, "alone");
	questions(pdns, "mixed, one by one", 0);
	questions_beside(pdns);
	return pdns_close(pdns) == 0 ? 0 : 1;
}
