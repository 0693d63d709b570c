/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_sender.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "support/folder.h"
#include "support/random.h"
#include "support/test.h"
#include "tap/tap_control.h"
#include "tap/tap_listener.h"
#include "tap/tap_ring.h"

#define QUEUE     (1u << 20)
#define PATIENCE  5000 // milliseconds
#define STARTS    16
#define SIZES_MAX 60000

static char folder[] = "/tmp/test_tap_XXXXXX";
static struct endpoints here;

/* ---- what a collector notes ------------------------------------------------------------------ */

static struct world {
	pthread_mutex_t lock;
	uint64_t frames, bad, gaps, oversized, closed_well, closed_badly, opened;
	struct {
		uint64_t start, last;
	} streams[STARTS];
	unsigned n_streams;
	uint64_t lost;             // as told, sum over streams
	_Atomic unsigned delay_us; // for each frame
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *note_open(void *ctx, const char *peer)
{
	pthread_mutex_lock(&world.lock);
	world.opened++;
	pthread_mutex_unlock(&world.lock);
	return *peer ? ctx : NULL;
}

static uint8_t octets[SIZES_MAX + 256];

// What frame `seq` of any stream holds is made from its number.
static struct tap_octets payload(uint64_t seq)
{
	uint64_t state = seq * 0x9e3779b97f4a7c15ull + 1;

	return (struct tap_octets){octets + seq % 256, random_below(&state, 50)
							       ? random_below(&state, 400)
							       : random_below(&state, SIZES_MAX)};
}

static void note_extra(const struct tap_extra *extra)
{
	unsigned i = 0;

	while (i < world.n_streams && world.streams[i].start != extra->start)
		i++;
	if (i == world.n_streams) {
		world.streams[i].start = extra->start;
		world.n_streams++;
	}
	if (extra->seq <= world.streams[i].last)
		world.bad++;
	else
		world.gaps += extra->seq - world.streams[i].last - 1;
	world.streams[i].last = extra->seq;
	if (extra->lost > world.lost)
		world.lost = extra->lost;
}

static void note_frame(void *connection, const uint8_t *frame, size_t size)
{
	struct tap_message m;
	struct tap_extra extra;
	unsigned delay = atomic_load(&world.delay_us);

	(void)connection;
	if (delay)
		usleep(delay);
	pthread_mutex_lock(&world.lock);
	world.frames++;
	if (tap_decode(frame, size, &m) < 0 ||
		tap_extra_read(m.extra.data, m.extra.size, &extra) < 0) {
		world.bad++;
	} else {
		struct tap_octets wanted = payload(m.response_time.sec);

		if (m.response_message.size != wanted.size ||
			memcmp(m.response_message.data, wanted.data, wanted.size) != 0)
			world.bad++;
		note_extra(&extra);
	}
	pthread_mutex_unlock(&world.lock);
}

static void note_oversized(void *connection, size_t size)
{
	(void)connection, (void)size;
	pthread_mutex_lock(&world.lock);
	world.oversized++;
	pthread_mutex_unlock(&world.lock);
}

static void note_pause(void *connection)
{
	(void)connection;
}

static void note_close(void *connection, const char *why)
{
	(void)connection;
	pthread_mutex_lock(&world.lock);
	*(why ? &world.closed_badly : &world.closed_well) += 1;
	pthread_mutex_unlock(&world.lock);
}

static const struct tap_listener_hooks hooks = {
	&world, note_open, note_frame, note_oversized, note_pause, note_close};

static uint64_t world_read(const uint64_t *counter)
{
	uint64_t value;

	pthread_mutex_lock(&world.lock);
	value = *counter;
	pthread_mutex_unlock(&world.lock);
	return value;
}

// Wait for a counter to be there; a test that waits in vain fails in its next line.
static uint64_t world_await(const uint64_t *counter, uint64_t wanted)
{
	for (unsigned i = 0; i < PATIENCE && world_read(counter) < wanted; i++)
		usleep(1000);
	return world_read(counter);
}

static struct tap_listener *listen_here(void)
{
	char error[256] = "";
	struct tap_listener *listener = tap_listener_open(&here, "", NULL, &hooks, error, sizeof(error));

	cr_assert_not_null(listener, "%s", error);
	return listener;
}

static struct tap_sender *send_here(unsigned connections)
{
	const struct tap_sender_config config = {
		.to = here.at, .n = here.n, .connections = connections, .queue_size = QUEUE};
	struct tap_sender *sender = tap_sender_open(&config);

	cr_assert_not_null(sender);
	return sender;
}

static void send_one(struct tap_sender *sender, uint64_t number, uint64_t lost)
{
	struct tap_message m = {.type = TAP_CLIENT_RESPONSE,
		.response_time = {.sec = number},
		.response_message = payload(number)};
	struct tap_extra extra = {.bits = 22, .lost = lost};

	tap_sender_send(sender, &m, &extra);
}

static void await_connected(struct tap_sender *sender, unsigned lanes)
{
	struct tap_sender_stats stats;

	for (unsigned i = 0; i < PATIENCE; i++) {
		tap_sender_stats_get(sender, &stats);
		if (stats.connected == lanes)
			return;
		usleep(1000);
	}
	cr_assert(false, "no connection");
}

static void set_up(void)
{
	strcpy(folder, "/tmp/test_tap_XXXXXX");
	cr_assert(mkdtemp(folder));
	log_threshold(LOG_ERROR);
	here = (struct endpoints){.n = 1};
	snprintf(here.at[0].path, sizeof(here.at[0].path), "%s/tap", folder);
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7);
	world = (struct world){.lock = PTHREAD_MUTEX_INITIALIZER};
}

static void tear_down(void)
{
	folder_remove(folder);
}

// A test with a folder and a collector's notes of its own, also where all tests share a process.
#define STREAM_TEST(name)       \
	static void name(void); \
	Test(tap_stream, name)  \
	{                       \
		set_up();       \
		name();         \
		tear_down();    \
	}                       \
	static void name(void)

/* ---- tests ----------------------------------------------------------------------------------- */

Test(tap_ring, pieces_run_over_its_end_in_one_piece)
{
	struct tap_ring ring;
	uint64_t state = RANDOM_SEED, in = 0, out = 0;

	cr_assert(tap_ring_init(&ring, 4096) == 0);
	for (unsigned i = 0; i < 20000; i++) {
		size_t size = 1 + random_below(&state, 1500), there;
		uint8_t *to = tap_ring_reserve(&ring, size);
		const uint8_t *from;

		for (size_t j = 0; to && j < size; j++)
			to[j] = (uint8_t)in++;
		if (to)
			tap_ring_commit(&ring, size);
		else
			cr_assert(tap_ring_used(&ring) + size > 4096);
		from = tap_ring_peek(&ring, &there);
		there = random_below(&state, (uint32_t)there + 1);
		for (size_t j = 0; j < there; j++)
			cr_assert(from[j] == (uint8_t)out++);
		tap_ring_take(&ring, there);
	}
	cr_assert(in > 4096 * 100);
	tap_ring_free(&ring);
}

STREAM_TEST(every_frame_arrives_once_and_in_order_over_one_connection)
{
	struct tap_listener *listener = listen_here();
	struct tap_sender *sender = send_here(1);
	struct tap_sender_stats stats;

	await_connected(sender, 1);
	for (uint64_t i = 1; i <= 3000; i++) {
		send_one(sender, i, 0);
		if (i % 100 == 0)
			tap_sender_flush(sender);
		// The queue takes some megabyte; what the other side takes is slower.
		do
			tap_sender_stats_get(sender, &stats);
		while (stats.waiting > QUEUE / 2);
	}
	tap_sender_close(sender, PATIENCE, &stats);
	cr_expect(stats.frames == 3000 && stats.sent == 3000);
	cr_expect(stats.lost_full == 0 && stats.lost_stop == 0 && stats.connects == 1);
	cr_expect(world_await(&world.closed_well, 1) == 1);
	cr_expect(world.frames == 3000 && world.bad == 0 && world.gaps == 0);
	tap_listener_close(listener, PATIENCE);
}

STREAM_TEST(several_connections_share_the_frames)
{
	struct tap_listener *listener = listen_here();
	struct tap_sender *sender = send_here(4);
	struct tap_sender_stats stats;

	await_connected(sender, 4);
	for (uint64_t i = 1; i <= 2000; i++) {
		send_one(sender, i, 7);
		do
			tap_sender_stats_get(sender, &stats);
		while (stats.waiting > QUEUE / 2);
	}
	tap_sender_close(sender, PATIENCE, &stats);
	cr_expect(world_await(&world.closed_well, 4) == 4);
	cr_expect(stats.sent == 2000 && world.frames == 2000 && world.bad == 0 && world.gaps == 0);
	cr_expect(world.n_streams == 4 && world.lost == 7);
	for (unsigned i = 0; i < 4; i++)
		cr_expect(world.streams[i].last == 500);
	tap_listener_close(listener, PATIENCE);
}

STREAM_TEST(each_destination_gets_every_frame)
{
	struct tap_listener *listener;
	struct tap_sender *sender;
	struct tap_sender_stats stats;

	here.n = 2;
	cr_assert(endpoint_parse("127.0.0.1:46123", &here.at[1]) == 0);
	listener = listen_here();
	sender = send_here(1);
	await_connected(sender, 2);
	for (uint64_t i = 1; i <= 100; i++)
		send_one(sender, i, 0);
	tap_sender_close(sender, PATIENCE, &stats);
	cr_expect(world_await(&world.closed_well, 2) == 2);
	cr_expect(stats.frames == 200 && world.frames == 200 && world.bad == 0);
	cr_expect(world.n_streams == 2 && world.streams[0].last == 100 &&
		  world.streams[1].last == 100);
	tap_listener_close(listener, PATIENCE);
}

STREAM_TEST(frames_wait_for_a_collector_that_is_not_there_yet)
{
	struct tap_sender *sender = send_here(1);
	struct tap_sender_stats stats;
	struct tap_listener *listener;

	for (uint64_t i = 1; i <= 100; i++)
		send_one(sender, i, 0);
	tap_sender_flush(sender);
	usleep(50000);
	listener = listen_here();
	cr_expect(world_await(&world.frames, 100) == 100);
	tap_sender_close(sender, PATIENCE, &stats);
	cr_expect(stats.sent == 100 && stats.lost_full == 0);
	tap_listener_close(listener, PATIENCE);
	cr_expect(world.bad == 0 && world.gaps == 0);
}

STREAM_TEST(a_full_queue_loses_frames_counts_them_and_leaves_a_gap)
{
	struct tap_sender *sender = send_here(1);
	struct tap_sender_stats stats;
	struct tap_listener *listener;
	uint64_t lost;

	for (uint64_t i = 1; i <= 20000; i++)
		send_one(sender, i, 0);
	tap_sender_stats_get(sender, &stats);
	lost = stats.lost_full;
	cr_expect(stats.frames == 20000 && lost > 0 && lost < 20000);
	listener = listen_here();
	cr_expect(world_await(&world.frames, 20000 - lost) == 20000 - lost);
	// The one behind the gap tells of it.
	send_one(sender, 20001, 0);
	tap_sender_close(sender, PATIENCE, &stats);
	tap_listener_close(listener, PATIENCE);
	cr_expect(world.gaps == lost && world.bad == 0);
	cr_expect(stats.sent == 20001 - lost && stats.lost_full == lost);
}

STREAM_TEST(a_sender_that_ends_alone_counts_what_nobody_took)
{
	struct tap_sender *sender = send_here(1);
	struct tap_sender_stats stats;

	for (uint64_t i = 1; i <= 10; i++)
		send_one(sender, i, 0);
	tap_sender_close(sender, 100, &stats);
	cr_expect(stats.frames == 10 && stats.sent == 0 && stats.lost_stop == 10);
	cr_expect(stats.waiting == 0);
}

STREAM_TEST(a_slow_collector_never_makes_the_producer_wait)
{
	struct tap_listener *listener = listen_here();
	struct tap_sender *sender = send_here(1);
	struct tap_sender_stats stats;
	struct timespec before, after;
	int64_t us;

	atomic_store(&world.delay_us, 100000);
	await_connected(sender, 1);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (uint64_t i = 1; i <= 20000; i++)
		send_one(sender, i, 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
	// The collector takes 2,000 seconds for them.
	cr_expect(us < 20000000, "%lld us", (long long)us);
	tap_sender_stats_get(sender, &stats);
	cr_expect(stats.lost_full > 0);
	atomic_store(&world.delay_us, 0);
	tap_sender_close(sender, PATIENCE, &stats);
	tap_listener_close(listener, PATIENCE);
	cr_expect(stats.frames == stats.sent + stats.lost_full + stats.lost_stop);
}

STREAM_TEST(a_collector_that_comes_back_gets_what_came_meanwhile)
{
	struct tap_sender *sender = send_here(1);
	struct tap_sender_stats stats;
	uint64_t sent = 0;

	for (unsigned round = 0; round < 5; round++) {
		struct tap_listener *listener = listen_here();

		await_connected(sender, 1);
		for (unsigned i = 0; i < 200; i++)
			send_one(sender, ++sent, 0);
		tap_sender_flush(sender);
		cr_expect(world_await(&world.frames, sent) == sent);
		tap_listener_close(listener, PATIENCE);
		await_connected(sender, 0);
		for (unsigned i = 0; i < 50; i++)
			send_one(sender, ++sent, 0);
		tap_sender_flush(sender);
	}
	tap_sender_close(sender, 10, &stats);
	cr_expect(stats.connects == 5 && stats.frames == sent && stats.lost_stop == 50);
	cr_expect(world.frames == sent - 50 && world.gaps == 0 && world.bad == 0);
}

/* ---- a sender of one's own ------------------------------------------------------------------- */

static int connect_here(void)
{
	struct sockaddr_storage address;
	socklen_t size = endpoint_address(&here.at[0], &address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, size) == 0);
	return fd;
}

static void put(int fd, const void *data, size_t size)
{
	cr_assert(send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
}

static void put_control(int fd, fstrm_control_type type)
{
	uint8_t frame[TAP_CONTROL_SIZE];

	put(fd, frame, tap_control_write(type, frame));
}

static fstrm_control_type get_control(int fd)
{
	uint8_t head[8], frame[FSTRM_CONTROL_FRAME_LENGTH_MAX];
	fstrm_control_type type;
	bool ours;

	cr_assert(recv(fd, head, sizeof(head), MSG_WAITALL) == sizeof(head));
	cr_assert(recv(fd, frame, load_be32(head + 4), MSG_WAITALL) == load_be32(head + 4));
	cr_assert(tap_control_read(frame, load_be32(head + 4), &type, &ours) == 0 && ours);
	return type;
}

static void put_frame(int fd, uint64_t seq)
{
	char text[TAP_EXTRA_SIZE];
	const struct tap_extra extra = {.start = 1, .seq = seq, .bits = 22};
	struct tap_message m = {.type = TAP_CLIENT_RESPONSE,
		.response_time = {.sec = 3},
		.response_message = payload(3),
		.extra = {(const uint8_t *)text, tap_extra_write(&extra, text)}};
	uint8_t *frame = malloc(4 + tap_size(&m));

	store_be32(frame, (uint32_t)tap_encode(&m, frame + 4));
	put(fd, frame, 4 + tap_size(&m));
	free(frame);
}

static bool ended(int fd)
{
	char octet;

	return recv(fd, &octet, 1, 0) <= 0;
}

STREAM_TEST(the_handshake_goes_both_ways)
{
	struct tap_listener *listener = listen_here();
	int fd = connect_here();

	put_control(fd, FSTRM_CONTROL_READY);
	cr_expect(get_control(fd) == FSTRM_CONTROL_ACCEPT);
	put_control(fd, FSTRM_CONTROL_START);
	put_frame(fd, 1);
	put_control(fd, FSTRM_CONTROL_STOP);
	cr_expect(get_control(fd) == FSTRM_CONTROL_FINISH);
	cr_expect(ended(fd));
	cr_expect(world_await(&world.closed_well, 1) == 1 && world.frames == 1 && world.bad == 0);
	close(fd);
	tap_listener_close(listener, PATIENCE);
}

STREAM_TEST(a_sender_may_begin_without_asking)
{
	struct tap_listener *listener = listen_here();
	int fd = connect_here();

	put_control(fd, FSTRM_CONTROL_START);
	put_frame(fd, 1);
	close(fd);
	cr_expect(world_await(&world.closed_well, 1) == 1 && world.frames == 1);
	tap_listener_close(listener, PATIENCE);
}

STREAM_TEST(a_frame_that_is_too_long_is_passed_over_without_harm)
{
	static uint8_t zeros[TAP_FRAME_MAX + 1];
	struct tap_listener *listener = listen_here();
	int fd = connect_here();
	uint8_t length[4];

	put_control(fd, FSTRM_CONTROL_START);
	put_frame(fd, 1);
	store_be32(length, sizeof(zeros));
	put(fd, length, sizeof(length));
	put(fd, zeros, sizeof(zeros));
	put_frame(fd, 2);
	put_control(fd, FSTRM_CONTROL_STOP);
	cr_expect(get_control(fd) == FSTRM_CONTROL_FINISH);
	cr_expect(world_await(&world.closed_well, 1) == 1);
	cr_expect(world.frames == 2 && world.oversized == 1 && world.bad == 0 && world.gaps == 0);
	close(fd);
	tap_listener_close(listener, PATIENCE);
}

STREAM_TEST(frames_may_come_octet_by_octet)
{
	struct tap_listener *listener = listen_here();
	uint8_t text[TAP_CONTROL_SIZE + 8];
	int fd = connect_here();
	size_t size = tap_control_write(FSTRM_CONTROL_START, text);

	// An empty frame's length would announce a control frame, so one of a single octet.
	memcpy(text + size, "\0\0\0\1x", 5);
	for (size_t i = 0; i < size + 5; i++) {
		put(fd, text + i, 1);
		usleep(200);
	}
	cr_expect(world_await(&world.frames, 1) == 1);
	cr_expect(world.bad == 1); // it is no dnstap
	close(fd);
	tap_listener_close(listener, PATIENCE);
}

STREAM_TEST(what_is_no_frame_stream_is_refused)
{
	static const struct {
		const char *what;
		size_t size;
		const char *octets;
	} rows[] = {
		{"data before it began", 8, "\0\0\0\4data"},
		{"text", 16, "GET / HTTP/1.0\r\n"},
		{"a control frame that is too long", 8, "\0\0\0\0\0\0\2\1"},
		{"an empty control frame", 8, "\0\0\0\0\0\0\0\0"},
		{"a stop before it began", 12, "\0\0\0\0\0\0\0\4\0\0\0\3"},
		{"another content type", 24, "\0\0\0\0\0\0\0\20\0\0\0\2\0\0\0\1\0\0\0\4text"},
	};
	struct tap_listener *listener = listen_here();
	struct tap_listener_stats stats;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = connect_here();

		put(fd, rows[i].octets, rows[i].size);
		cr_expect(ended(fd), "%s", rows[i].what);
		close(fd);
	}
	tap_listener_stats_get(listener, &stats);
	cr_expect(stats.connections == sizeof(rows) / sizeof(rows[0]));
	tap_listener_close(listener, PATIENCE);
	cr_expect(world.frames == 0 && world.opened == 0);
}

STREAM_TEST(there_are_so_many_connections_and_no_more)
{
	struct tap_listener *listener = listen_here();
	int fds[TAP_CONNECTIONS_MAX + 1];
	struct tap_listener_stats stats;

	for (unsigned i = 0; i < TAP_CONNECTIONS_MAX; i++) {
		fds[i] = connect_here();
		put_control(fds[i], FSTRM_CONTROL_START);
	}
	cr_expect(world_await(&world.opened, TAP_CONNECTIONS_MAX) == TAP_CONNECTIONS_MAX);
	fds[TAP_CONNECTIONS_MAX] = connect_here();
	cr_expect(ended(fds[TAP_CONNECTIONS_MAX]));
	close(fds[0]);
	cr_expect(world_await(&world.closed_well, 1) == 1);
	usleep(50000);
	close(fds[TAP_CONNECTIONS_MAX]);
	fds[TAP_CONNECTIONS_MAX] = connect_here();
	put_control(fds[TAP_CONNECTIONS_MAX], FSTRM_CONTROL_START);
	cr_expect(world_await(&world.opened, TAP_CONNECTIONS_MAX + 1) == TAP_CONNECTIONS_MAX + 1);
	tap_listener_stats_get(listener, &stats);
	cr_expect(stats.refused == 1 && stats.open == TAP_CONNECTIONS_MAX);
	tap_listener_close(listener, PATIENCE);
	for (unsigned i = 1; i <= TAP_CONNECTIONS_MAX; i++)
		close(fds[i]);
}

STREAM_TEST(a_socket_that_is_in_use_is_an_error_of_one_line)
{
	struct tap_listener *listener = listen_here();
	char error[256] = "";

	cr_expect(tap_listener_open(&here, "", NULL, &hooks, error, sizeof(error)) == NULL);
	cr_expect(strstr(error, "another process listens there") && !strchr(error, '\n'));
	tap_listener_close(listener, PATIENCE);
	cr_expect(access(here.at[0].path, F_OK) < 0 && errno == ENOENT);
}
