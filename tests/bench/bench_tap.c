/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many responses a second become dnstap frames and get to the other side of a socket:
 *
 *   bench_tap [-s SECONDS] [-r RATE] [-n NAMES] [-u] [-t FOLDER] [SOCKET]
 *
 * With SOCKET a collector listens there; else a thread of this program does, and decodes. With RATE so many
 * a second are offered, in rounds of half a millisecond as the statistics core has them; else as many as
 * the queue takes. Names are by a Zipf distribution with exponent 1, with -u all alike. With -t over TLS, with
 * collector.crt and box1.crt of a folder as `dnsweir-collect certificate make` leaves it. Beside it, what writing and reading a frame takes, and what protobuf-c takes for it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "dnstap.pb-c.h"
#include "support/random.h"
#include "tap/tap_listener.h"
#include "tap/tap_scrub.h"
#include "tap/tap_sender.h"

#define NAMES 262144
#define DRAWS (1u << 20)
#define LOOPS 1000000
#define QUEUE (8u << 20)
#define PAUSE 500000 // nanoseconds

static uint8_t answers[NAMES][128];
static size_t answer_sizes[NAMES];
static uint32_t draws[DRAWS]; // numbers of names, in the order in which they are asked for
static unsigned names = 100000;
static bool uniform;
static uint64_t received;
static const char *tls_folder; // NULL: without TLS

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

// A question for one of some names, and an A record.
static void answers_make(void)
{
	static const uint8_t header[] = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
	static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 80};

	for (unsigned i = 0; i < names; i++) {
		uint8_t *to = answers[i];
		int n;

		memcpy(to, header, sizeof(header));
		n = snprintf((char *)to + 13, 40, "host-%06u", i * 7);
		to[12] = (uint8_t)n;
		memcpy(to + 13 + n, "\7example\0\0\1\0\1", 14);
		memcpy(to + 26 + n, record, sizeof(record));
		answer_sizes[i] = (size_t)n + 26 + sizeof(record);
	}
}

static void draws_make(void)
{
	uint64_t seed = RANDOM_SEED;

	for (unsigned i = 0; i < DRAWS; i++) {
		double u = (double)(random_next(&seed) >> 11) / (double)(1ull << 53);

		draws[i] = (uint32_t)(uniform ? u * names : exp(u * log(names)) - 1);
	}
}

static void message_make(uint64_t i, struct timespec *at, struct tap_message *m)
{
	static const uint8_t client[] = {198, 51, 100, 0}, server[] = {192, 0, 2, 53};
	unsigned name = draws[i % DRAWS];

	*m = (struct tap_message){
		.identity = {(const uint8_t *)"box", 3},
		.version = {(const uint8_t *)"dnsweir", 7},
		.type = TAP_CLIENT_RESPONSE,
		.family = TAP_INET,
		.protocol = TAP_UDP,
		.query_address = {client, 4},
		.response_address = {server, 4},
		.response_port = 53,
		.response_time = {(uint64_t)at->tv_sec, (uint32_t)at->tv_nsec},
		.response_message = {answers[name], tap_scrub(answers[name], answer_sizes[name])},
	};
}

/* ---- a collector that only decodes ----------------------------------------------------------- */

static void *on_open(void *ctx, const char *peer)
{
	(void)peer;
	return ctx;
}

static void on_frame(void *connection, const uint8_t *frame, size_t size)
{
	struct tap_message m;
	struct tap_extra extra;

	(void)connection;
	if (tap_decode(frame, size, &m) == 0 &&
		tap_extra_read(m.extra.data, m.extra.size, &extra) == 0)
		received++;
}

static void on_oversized(void *connection, size_t size)
{
	(void)connection, (void)size;
}

static void on_pause(void *connection)
{
	(void)connection;
}

static void on_close(void *connection, const char *why)
{
	(void)connection;
	if (why)
		fprintf(stderr, "bench_tap: %s\n", why);
}

static struct tls_keeper *keeper_open(const char *name)
{
	char paths[3][512], error[TLS_ERROR_SIZE];
	const struct tls_files files = {paths[0], paths[1], paths[2]};
	struct tls_keeper *keeper = NULL;

	if (!tls_folder)
		return NULL;
	snprintf(paths[0], sizeof(paths[0]), "%s/%s.crt", tls_folder, name);
	snprintf(paths[1], sizeof(paths[1]), "%s/%s.key", tls_folder, name);
	snprintf(paths[2], sizeof(paths[2]), "%s/ca.crt", tls_folder);
	if (tls_keeper_open(&files, &keeper, error) == 0)
		return keeper;
	fprintf(stderr, "bench_tap: %s\n", error);
	exit(2);
}

static struct tap_listener *listen_at(const struct endpoint *at)
{
	static const struct tap_listener_hooks hooks = {
		&received, on_open, on_frame, on_oversized, on_pause, on_close};
	const struct tap_listener_tls tls = {keeper_open("collector"), ""};
	struct endpoints all = {.n = 1, .at = {*at}};
	char error[256];
	struct tap_listener *listener =
		tap_listener_open(&all, "", &tls, &hooks, error, sizeof(error));

	if (!listener) {
		fprintf(stderr, "bench_tap: %s\n", error);
		exit(1);
	}
	return listener;
}

/* ---- sending --------------------------------------------------------------------------------- */

static double seconds_of(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void send_all(const struct endpoint *at, double seconds, double rate)
{
	const struct tap_sender_config config = {.to = at,
		.n = 1,
		.connections = 1,
		.queue_size = QUEUE,
		.tls = keeper_open("box1"),
		.tls_name = ""};
	const struct timespec pause = {.tv_nsec = PAUSE};
	struct tap_sender *sender = tap_sender_open(&config);
	struct tap_sender_stats stats = {0};
	struct rusage used;
	uint64_t i = 0;
	double begin, end, spent;

	getrusage(RUSAGE_SELF, &used);
	spent = seconds_of(&used.ru_utime) + seconds_of(&used.ru_stime);
	if (!sender)
		exit(1);
	while (stats.connected == 0) {
		nanosleep(&pause, NULL);
		tap_sender_stats_get(sender, &stats);
	}
	begin = now();
	for (double at_s = begin; at_s < begin + seconds; at_s = now()) {
		uint64_t wanted = rate > 0 ? (uint64_t)((at_s - begin) * rate) : i + 1024;
		struct timespec time;

		clock_gettime(CLOCK_REALTIME, &time);
		for (; i < wanted; i++) {
			struct tap_message m;
			struct tap_extra extra = {.generation = 1, .bits = 22};

			message_make(i, &time, &m);
			tap_sender_send(sender, &m, &extra);
		}
		tap_sender_flush(sender);
		tap_sender_stats_get(sender, &stats);
		// Without a rate the queue sets the pace.
		if (rate > 0 || stats.waiting > QUEUE / 2)
			nanosleep(&pause, NULL);
	}
	tap_sender_close(sender, 10000, &stats);
	end = now();
	getrusage(RUSAGE_SELF, &used);
	printf("%.2f s of a CPU\n",
		seconds_of(&used.ru_utime) + seconds_of(&used.ru_stime) - spent);
	printf("offered %" PRIu64 ", sent %" PRIu64 ", lost in the queue %" PRIu64
	       ": %.0f frames/s\n",
		stats.frames, stats.sent, stats.lost_full, (double)stats.sent / (end - begin));
}

/* ---- forms ----------------------------------------------------------------------------------- */

static void form_tell(const char *what, double begin)
{
	printf("%-24s %6.0f ns\n", what, (now() - begin) * 1e9 / LOOPS);
}

static void forms(void)
{
	struct timespec at = {1700000000, 123456789};
	uint8_t frame[1024], text[TAP_EXTRA_SIZE];
	struct tap_extra extra = {.start = 1, .seq = 1, .bits = 22};
	struct tap_message m;
	Dnstap__Dnstap *p;
	size_t size = 0, sum = 0;
	double begin = now();

	for (unsigned i = 0; i < LOOPS; i++) {
		message_make(i, &at, &m);
		sum += m.response_message.size;
	}
	form_tell("scrub", begin);
	begin = now();
	for (unsigned i = 0; i < LOOPS; i++) {
		extra.seq = i + 1;
		sum += tap_extra_write(&extra, (char *)text);
	}
	form_tell("write extra", begin);
	m.extra = (struct tap_octets){text, tap_extra_write(&extra, (char *)text)};
	begin = now();
	for (unsigned i = 0; i < LOOPS; i++) {
		m.query_port = i;
		size = tap_size(&m);
		sum += tap_encode(&m, frame);
	}
	form_tell("write", begin);
	begin = now();
	for (unsigned i = 0; i < LOOPS; i++)
		sum += (size_t)tap_decode(frame, size, &m);
	form_tell("read", begin);
	begin = now();
	for (unsigned i = 0; i < LOOPS; i++)
		sum += (size_t)tap_extra_read(m.extra.data, m.extra.size, &extra);
	form_tell("read extra", begin);
	p = dnstap__dnstap__unpack(NULL, size, frame);
	begin = now();
	for (unsigned i = 0; i < LOOPS; i++)
		sum += dnstap__dnstap__pack(p, frame);
	form_tell("write, protobuf-c", begin);
	begin = now();
	for (unsigned i = 0; i < LOOPS; i++) {
		Dnstap__Dnstap *q = dnstap__dnstap__unpack(NULL, size, frame);

		sum += (size_t)q->message->type;
		dnstap__dnstap__free_unpacked(q, NULL);
	}
	form_tell("read, protobuf-c", begin);
	dnstap__dnstap__free_unpacked(p, NULL);
	printf("%zu octets a frame%s\n", size, sum ? "" : ".");
}

int main(int argc, char **argv)
{
	struct tap_listener *listener = NULL;
	struct endpoint at = {0};
	double seconds = 3, rate = 0;
	int option;

	while ((option = getopt(argc, argv, "s:r:n:ut:")) != -1) {
		if (option == 's')
			seconds = atof(optarg);
		else if (option == 'r')
			rate = atof(optarg);
		else if (option == 'n' && atoi(optarg) > 0 && atoi(optarg) <= NAMES)
			names = (unsigned)atoi(optarg);
		else if (option == 'u')
			uniform = true;
		else if (option == 't')
			tls_folder = optarg;
		else
			return 2;
	}
	log_threshold(LOG_ERROR);
	answers_make();
	draws_make();
	if (optind < argc && endpoint_parse(argv[optind], &at) < 0) {
		fprintf(stderr, "bench_tap: expected a path or ADDRESS:PORT, got %s\n",
			argv[optind]);
		return 2;
	}
	at.tls = tls_folder && !at.path[0];
	if (tls_folder && optind == argc) {
		endpoint_parse("127.0.0.1:6514", &at);
		at.tls = true;
		listener = listen_at(&at);
	} else if (optind == argc) {
		forms();
		snprintf(at.path, sizeof(at.path), "/tmp/bench_tap.%d", (int)getpid());
		listener = listen_at(&at);
	}
	send_all(&at, seconds, rate);
	if (listener) {
		tap_listener_close(listener, 1000);
		printf("received %" PRIu64 "\n", received);
	}
	return 0;
}
