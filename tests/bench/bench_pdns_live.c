/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions to a collector that serves, by all four faces, while it takes answers as dnstap:
 *
 *   bench_pdns_live [OPTION...] --tap SOCKET --api PORT --key KEY
 *
 * Questions come at their times whether others are answered or not, and how long one takes counts from then on.
 * Prints a JSON object every --each seconds, at the end what each face took, and how long a scan of a /16 takes.
 * The dataset was filled by bench_pdns with as many tuples, and answers are made as pdns_made.h says.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "bench.h"
#include "dns/dns_name.h"
#include "http_asker.h"
#include "pdns_made.h"
#include "support/random.h"
#include "tap/tap_sender.h"

#define ASKERS 24
#define LIMIT  1000 // rows of an answer
#define QUEUE  (16u << 20)
#define PAUSE  500000 // nanoseconds
#define FACES  4
#define TEXT   1100 // of a name
#define SCANS  5

static const char usage[] =
	"Usage: bench_pdns_live [--tuples N] [--rate OBSERVATIONS] [--clients PERCENT]\n"
	"         [--questions RATE] [--seconds N] [--each N] --tap SOCKET --api PORT --key KEY\n";

static struct {
	unsigned tuples, rate, clients, questions, seconds, each, port;
	const char *tap, *key;
} options = {.tuples = 5000000, .rate = 200000, .questions = 200, .seconds = 60, .each = 10};

static char headers[256];
static const char *const faces[FACES] = {"dnsdb", "circl", "deteque", "own"};

/* ---- answers --------------------------------------------------------------------------------- */

static atomic_bool ends;
static _Atomic uint64_t observations, late_most_ms;

static uint64_t message_send(struct tap_sender *sender, struct made_stream *stream, uint64_t number)
{
	static const uint8_t client[] = {198, 51, 100, 0}, server[] = {192, 0, 2, 53};
	uint8_t msg[MADE_MSG_MAX];
	size_t size = made_answer(stream, msg);
	bool of_client = number % 100 < options.clients;
	struct tap_extra extra = {.generation = 1, .bits = 22};
	struct tap_message m = {
		.identity = {(const uint8_t *)"box", 3},
		.type = of_client ? TAP_CLIENT_RESPONSE : TAP_RESOLVER_RESPONSE,
		.family = TAP_INET,
		.protocol = TAP_UDP,
		.query_address = {client, 4},
		.response_address = {server, 4},
		.response_port = 53,
		.response_time = {(uint64_t)time(NULL), 1},
		.response_message = {msg, size},
	};

	tap_sender_send(sender, &m, &extra);
	return made_answer_count(msg);
}

static void *send_run(void *arg)
{
	const struct timespec pause = {.tv_nsec = PAUSE};
	struct tap_sender *sender = arg;
	struct tap_sender_stats stats = {0};
	struct made_stream stream;
	uint64_t n = 0, number = 0, began = bench_now_ns();

	made_stream_init(&stream, options.tuples, RANDOM_SEED + began);
	stream.fresh = (uint32_t)(began >> 20);
	while (!atomic_load(&ends)) {
		uint64_t wanted = (bench_now_ns() - began) / 1000 * options.rate / 1000000;

		if (wanted > n && (wanted - n) * 1000 / options.rate > atomic_load(&late_most_ms))
			atomic_store(&late_most_ms, (wanted - n) * 1000 / options.rate);
		tap_sender_stats_get(sender, &stats);
		// What has no room in the queue waits here, so that nothing is lost.
		for (unsigned i = 0; i < 1000 && n < wanted && stats.waiting < QUEUE / 2; i++)
			n += message_send(sender, &stream, number++);
		atomic_store(&observations, n);
		tap_sender_flush(sender);
		if (n >= wanted || stats.waiting >= QUEUE / 2)
			nanosleep(&pause, NULL);
	}
	tap_sender_close(sender, 10000, &stats);
	printf("{\"frames\":%llu,\"sent\":%llu,\"lost\":%llu}\n", (unsigned long long)stats.frames,
		(unsigned long long)stats.sent,
		(unsigned long long)(stats.lost_full + stats.lost_stop));
	return NULL;
}

static struct tap_sender *sender_open(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE};
	struct endpoint at;
	const struct tap_sender_config config = {
		.to = &at, .n = 1, .connections = 1, .queue_size = QUEUE};
	struct tap_sender_stats stats = {0};
	struct tap_sender *sender;

	if (endpoint_parse(options.tap, &at) < 0)
		bench_die(options.tap, "is no socket");
	sender = tap_sender_open(&config);
	if (!sender)
		bench_die(options.tap, "cannot be sent to");
	while (stats.connected == 0) {
		nanosleep(&pause, NULL);
		tap_sender_stats_get(sender, &stats);
	}
	return sender;
}

/* ---- questions ------------------------------------------------------------------------------- */

/** What is asked for, in text. */
struct subject {
	struct made made, with_address, with_target;
	char owner[TEXT], address[16], target[TEXT];
};

static void name_text(const uint8_t *name, char *text)
{
	text[dns_name_format(name, text)] = '\0';
}

static void subject_make(uint64_t *seed, struct subject *s)
{
	struct made *m = &s->made;

	made_tuple(random_below(seed, options.tuples), m);
	name_text(m->owner, s->owner);
	do
		made_tuple(random_below(seed, options.tuples), &s->with_address);
	while (s->with_address.type != 1);
	m = &s->with_address;
	sprintf(s->address, "%u.%u.%u.%u", m->rdata[0], m->rdata[1], m->rdata[2], m->rdata[3]);
	m = &s->with_target;
	do
		made_tuple(random_below(seed, options.tuples), m);
	while (m->type != 5 && m->type != 2 && m->type != 15);
	name_text(m->rdata + (m->type == 15 ? 2 : 0), s->target);
}

static void dnsdb_target(const struct subject *s, unsigned kind, char *to, size_t size)
{
	static const char *const forms[] = {"lookup/rrset/name/%s", "lookup/rrset/name/*.%s",
		"lookup/rdata/ip/%s", "lookup/rdata/ip/%s,24", "lookup/rdata/name/%s",
		"lookup/rdata/name/*.%s", "summarize/rrset/name/*.%s", "summarize/rdata/ip/%s,24"};
	const char *const of[] = {s->owner, s->made.domain, s->address, s->address, s->target,
		s->target, s->made.domain, s->address};
	char path[TEXT];

	snprintf(path, sizeof(path), forms[kind % 8], of[kind % 8]);
	snprintf(to, size, "/dnsdb/v2/%s?limit=%d", path, LIMIT);
}

static void deteque_target(const struct subject *s, unsigned kind, char *to, size_t size)
{
	static const char *const types[] = {
		"IP", "HOSTDOM", "HOST", "NS", "DOMAIN", "DOMSEARCH", "MX", "CNAME"};
	const char *const of[] = {s->address, s->address, s->owner, s->target, s->made.domain,
		s->made.domain, s->target, s->target};

	snprintf(to, size, "/api/query?queryType=%s&target=%s%s&query_limit=%d", types[kind % 8],
		of[kind % 8], kind % 8 == 1 ? "/24" : "", LIMIT);
}

static void own_target(const struct subject *s, unsigned kind, char *to, size_t size)
{
	static const char *const forms[] = {"?name=%s", "?name=*.%s&group=t", "?ip=%s", "?ip=%s/24",
		"?rdata-name=%s", "?rdata-name=*.%s", "?name=%s.*", "/summarize?name=*.%s"};
	const char *const of[] = {s->owner, s->made.domain, s->address, s->address, s->target,
		s->target, s->made.domain, s->made.domain};
	char path[TEXT], first[96];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(s->made.domain, "."), s->made.domain);
	snprintf(path, sizeof(path), forms[kind % 8], kind % 8 == 6 ? first : of[kind % 8]);
	snprintf(to, size, "/v1/pdns%s&limit=%d", path, LIMIT);
}

static unsigned question_make(uint64_t *seed, char *to, size_t size)
{
	unsigned face = random_below(seed, FACES), kind = random_below(seed, 8);
	struct subject s;

	subject_make(seed, &s);
	if (face == 0)
		dnsdb_target(&s, kind, to, size);
	else if (face == 1)
		snprintf(to, size, "/pdns/query/%s", kind % 2 ? s.owner : s.address);
	else if (face == 2)
		deteque_target(&s, kind, to, size);
	else
		own_target(&s, kind, to, size);
	return face;
}

static struct http_asker *asker_open(void)
{
	struct http_asker *c = calloc(1, sizeof(*c));

	if (!c)
		bench_die("memory", "is short");
	c->port = (uint16_t)options.port;
	c->headers = headers;
	http_asker_open(c);
	return c;
}

/** What was asked; the number of a question is its place. */
struct asked {
	uint64_t at_ns, took_ns; // 0: not answered
	unsigned face;
	bool failed;
};

static struct asked *asked;
static _Atomic uint64_t next_question, octets;

static void *ask_run(void *arg)
{
	struct http_asker *c = asker_open();
	uint64_t began = *(uint64_t *)arg, all = (uint64_t)options.seconds * options.questions;
	char target[2 * TEXT];

	for (;;) {
		uint64_t i = atomic_fetch_add(&next_question, 1), now;
		uint64_t seed = RANDOM_SEED ^ made_mixed(began + i);
		struct asked *a = &asked[i];
		long size;

		if (i >= all)
			break;
		a->at_ns = began + i * 1000000000 / options.questions;
		a->face = question_make(&seed, target, sizeof(target));
		for (now = bench_now_ns(); now < a->at_ns; now = bench_now_ns())
			usleep((useconds_t)((a->at_ns - now) / 1000 + 1));
		size = http_asker_ask(c, target);
		if (size < 0) {
			a->failed = true;
			http_asker_close(c);
			http_asker_open(c);
		}
		atomic_fetch_add(&octets, size > 0 ? (uint64_t)size : 0);
		a->took_ns = bench_now_ns() - a->at_ns;
	}
	http_asker_close(c);
	free(c);
	return NULL;
}

/* ---- figures --------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

// Of questions @p from to @p to, of one face, or with -1 of all.
static void tell(const char *what, const char *which, uint64_t from, uint64_t to, int face)
{
	uint64_t *took = calloc(to - from + 1, sizeof(*took)), n = 0, failed = 0;
	double load[1] = {0};

	for (uint64_t i = from; i < to; i++)
		if (asked[i].took_ns && (face < 0 || asked[i].face == (unsigned)face)) {
			took[n++] = asked[i].took_ns;
			failed += asked[i].failed;
		}
	qsort(took, n, sizeof(*took), by_value);
	getloadavg(load, 1);
	printf("{\"%s\":\"%s\",\"questions\":%llu,\"unanswered\":%llu,\"failed\":%llu,"
	       "\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"load\":%.1f}\n",
		what, which, (unsigned long long)n,
		(unsigned long long)(face < 0 ? to - from - n : 0), (unsigned long long)failed,
		n ? (double)took[n / 2] / 1e6 : 0, n ? (double)took[n * 99 / 100] / 1e6 : 0,
		n ? (double)took[n - 1] / 1e6 : 0, load[0]);
	fflush(stdout);
	free(took);
}

static void watch(uint64_t began)
{
	uint64_t seen = 0;

	for (unsigned s = options.each; s <= options.seconds; s += options.each) {
		uint64_t until = began + (uint64_t)s * 1000000000, now, n;
		char which[96];

		for (now = bench_now_ns(); now < until; now = bench_now_ns())
			usleep((useconds_t)((until - now) / 1000 + 1));
		n = atomic_load(&observations);
		snprintf(which, sizeof(which), "%u s, %llu observations a second, late by %llu ms",
			s, (unsigned long long)((n - seen) / options.each),
			(unsigned long long)atomic_exchange(&late_most_ms, 0));
		seen = n;
		tell("until", which, (uint64_t)(s - options.each) * options.questions,
			(uint64_t)s * options.questions, -1);
	}
}

static void scans(void)
{
	struct http_asker *c = asker_open();
	uint64_t seed = RANDOM_SEED + bench_now_ns();

	for (unsigned i = 0; i < SCANS; i++) {
		uint64_t began;
		char target[128];
		struct subject s;
		long size;

		subject_make(&seed, &s);
		snprintf(target, sizeof(target), "/v1/pdns?ip=%u.%u.0.0/16&limit=100000",
			s.with_address.rdata[0], s.with_address.rdata[1]);
		began = bench_now_ns();
		size = http_asker_ask(c, target);
		printf("{\"scan\":\"/16\",\"octets\":%ld,\"first_ms\":%.2f,\"all_ms\":%.1f}\n",
			size, (double)(c->first_ns - began) / 1e6,
			(double)(bench_now_ns() - began) / 1e6);
		fflush(stdout);
	}
	http_asker_close(c);
	free(c);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void options_read(int argc, char **argv)
{
	static const struct option names[] = {{"tuples", required_argument, NULL, 0},
		{"rate", required_argument, NULL, 1}, {"clients", required_argument, NULL, 2},
		{"questions", required_argument, NULL, 3}, {"seconds", required_argument, NULL, 4},
		{"each", required_argument, NULL, 5}, {"api", required_argument, NULL, 6},
		{"tap", required_argument, NULL, 7}, {"key", required_argument, NULL, 8},
		{NULL, 0, NULL, 0}};
	unsigned *const numbers[] = {&options.tuples, &options.rate, &options.clients,
		&options.questions, &options.seconds, &options.each, &options.port};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == '?')
			exit((fputs(usage, stderr), 2));
		if (option == 7)
			options.tap = optarg;
		else if (option == 8)
			options.key = optarg;
		else
			*numbers[option] = (unsigned)strtoul(optarg, NULL, 10);
	}
	if (optind != argc || !options.tap || !options.key || !options.port || !options.each ||
		!options.questions || options.tuples < 1000)
		exit((fputs(usage, stderr), 2));
}

int main(int argc, char **argv)
{
	pthread_t sender = 0, askers[ASKERS];
	uint64_t began;

	options_read(argc, argv);
	log_threshold(LOG_ERROR);
	snprintf(headers, sizeof(headers), "X-API-Key: %s\r\ndribble-paginate-count: %d\r\n",
		options.key, LIMIT);
	asked = calloc((size_t)options.seconds * options.questions + ASKERS + 1, sizeof(*asked));
	if (!asked)
		bench_die("memory", "is short");
	if (options.rate && pthread_create(&sender, NULL, send_run, sender_open()) != 0)
		bench_die("thread", "cannot be started");
	began = bench_now_ns();
	for (unsigned i = 0; i < ASKERS; i++)
		if (pthread_create(&askers[i], NULL, ask_run, &began) != 0)
			bench_die("thread", "cannot be started");
	watch(began);
	for (unsigned i = 0; i < ASKERS; i++)
		pthread_join(askers[i], NULL);
	for (int face = 0; face < FACES; face++)
		tell("face", faces[face], 0, (uint64_t)options.seconds * options.questions, face);
	tell("face", "all", 0, (uint64_t)options.seconds * options.questions, -1);
	scans();
	atomic_store(&ends, true);
	if (sender)
		pthread_join(sender, NULL);
	free(asked);
	return 0;
}
