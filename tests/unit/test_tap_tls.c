/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/log.h"
#include "support/folder.h"
#include "tap/tap_listener.h"
#include "tap/tap_sender.h"
#include "tls/tls_make.h"

#define QUEUE    (1u << 20)
#define PATIENCE 8000 // milliseconds
#define BODY     50000

static char folder[] = "/tmp/test_tap_tls_XXXXXX", other[] = "/tmp/test_tap_tls_XXXXXX";
static struct endpoints here = {.n = 1, .at = {{.port = 0, .tls = true}}};

/* ---- what a collector notes ------------------------------------------------------------------ */

static struct {
	_Atomic uint64_t frames, octets, bad, opened, closed_well;
	_Atomic bool waits;
	char peer[TAP_PEER_SIZE];
} world;

static void *note_open(void *ctx, const char *peer)
{
	strcpy(world.peer, peer);
	world.opened++;
	return &world;
}

static void note_frame(void *connection, const uint8_t *frame, size_t size)
{
	struct tap_message m;

	while (world.waits)
		usleep(1000);
	if (tap_decode(frame, size, &m) < 0 || m.response_message.size == 0 ||
		m.response_message.data[m.response_message.size - 1] !=
			(uint8_t)m.response_time.sec)
		world.bad++;
	world.frames++;
	world.octets += size;
}

static void note_oversized(void *connection, size_t size)
{
	world.bad++;
}

static void note_pause(void *connection)
{
}

static void note_close(void *connection, const char *why)
{
	world.closed_well += !why;
}

/* ---- both sides ------------------------------------------------------------------------------ */

// With no days it ends now.
static void make(const char *at, const char *name, enum tls_use use, unsigned days)
{
	static const char *const hosts[] = {"127.0.0.1", "collector.example"};
	const struct tls_wish wish = {.use = use,
		.name = name,
		.hosts = hosts,
		.n_hosts = use == TLS_USE_SERVER ? 2 : 0,
		.days = days};
	char error[TLS_ERROR_SIZE];

	cr_assert_eq(tls_make(at, name, &wish, error), 0, "%s", error);
}

static struct tls_keeper *keeper(const char *at, const char *name, const char *ca)
{
	char paths[3][256], error[TLS_ERROR_SIZE];
	const struct tls_files files = {paths[0], paths[1], paths[2]};
	struct tls_keeper *result = NULL;

	snprintf(paths[0], sizeof(paths[0]), "%s/%s.crt", at, name);
	snprintf(paths[1], sizeof(paths[1]), "%s/%s.key", at, name);
	snprintf(paths[2], sizeof(paths[2]), "%s/ca.crt", ca);
	cr_assert_eq(tls_keeper_open(&files, &result, error), 0, "%s", error);
	return result;
}

static struct tap_listener *listen_with(struct tls_keeper *keeper, const char *senders)
{
	static const struct tap_listener_hooks hooks = {
		NULL, note_open, note_frame, note_oversized, note_pause, note_close};
	const struct tap_listener_tls tls = {keeper, senders};
	struct tap_listener *listener;
	char error[256] = "";

	listener = tap_listener_open(&here, "", &tls, &hooks, error, sizeof(error));
	cr_assert_not_null(listener, "%s", error);
	return listener;
}

static struct tap_sender *send_with(struct tls_keeper *keeper, const char *name)
{
	const struct tap_sender_config config = {.to = here.at,
		.n = 1,
		.connections = 1,
		.queue_size = QUEUE,
		.tls = keeper,
		.tls_name = name};
	struct tap_sender *sender = tap_sender_open(&config);

	cr_assert_not_null(sender);
	return sender;
}

/** A collector, and a box that sends to it. */
struct talk {
	struct tls_keeper *server, *client;
	struct tap_listener *listener;
	struct tap_sender *sender;
};

// @param senders who may send  @param name what the collector's certificate has to have
static struct talk talk_open(
	struct tls_keeper *server, struct tls_keeper *client, const char *senders, const char *name)
{
	struct talk talk = {server, client, listen_with(server, senders), NULL};

	talk.sender = send_with(client, name);
	return talk;
}

// The box has the certificate of one folder, and trusts the CA of another.
static struct talk talk_begin(
	const char *box, const char *trusted, const char *senders, const char *name)
{
	return talk_open(
		keeper(folder, "collector", folder), keeper(box, "box1", trusted), senders, name);
}

// Each side shows a certificate of the same CA.
static struct talk talk_between(const char *collector, const char *box)
{
	return talk_open(keeper(folder, collector, folder), keeper(folder, box, folder), "", "");
}

static void talk_end(struct talk *talk, unsigned patience_ms)
{
	tap_sender_close(talk->sender, patience_ms, NULL);
	tap_listener_close(talk->listener, 0);
	tls_keeper_close(talk->client);
	tls_keeper_close(talk->server);
}

// A talk in which nothing came through.
static void talk_end_empty(struct talk *talk)
{
	talk_end(talk, 0);
	cr_expect_eq(world.frames, 0);
}

// A port that is free now.
static void port_choose(void)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint8_t loopback[4] = {127, 0, 0, 1};

	here.at[0].addr.family = ADDR_IPV4;
	memcpy(here.at[0].addr.bytes, loopback, 4);
	endpoint_address(&here.at[0], &address);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	here.at[0].port = (uint16_t)(((uint8_t *)&address)[2] << 8 | ((uint8_t *)&address)[3]);
	close(fd);
}

static void set_up(void)
{
	log_threshold(LOG_ERROR);
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_not_null(mkdtemp(other));
	port_choose();
	make(folder, "ca", TLS_USE_CA, 10);
	make(other, "ca", TLS_USE_CA, 10);
	make(folder, "collector", TLS_USE_SERVER, 10);
	make(folder, "box1", TLS_USE_CLIENT, 10);
	make(other, "box1", TLS_USE_CLIENT, 10);
}

static void tear_down(void)
{
	folder_remove(folder);
	folder_remove(other);
}

static void send_n(struct tap_sender *sender, unsigned n, size_t size)
{
	static uint8_t body[BODY];

	for (unsigned i = 0; i < n; i++) {
		struct tap_message m = {.type = TAP_CLIENT_RESPONSE,
			.response_time = {.sec = i + 1},
			.response_message = {body, size}};
		struct tap_extra extra = {.bits = 22};

		body[size - 1] = (uint8_t)(i + 1);
		tap_sender_send(sender, &m, &extra);
	}
	tap_sender_flush(sender);
}

static uint64_t await(_Atomic uint64_t *counter, uint64_t wanted)
{
	for (unsigned i = 0; i < PATIENCE && *counter < wanted; i++)
		usleep(1000);
	return *counter;
}

static uint64_t await_refused(struct tap_listener *listener, enum tls_fault fault, uint64_t wanted)
{
	struct tap_listener_stats stats;

	for (unsigned i = 0; i < PATIENCE; i++) {
		tap_listener_stats_get(listener, &stats);
		if (stats.tls_refused[fault] >= wanted)
			break;
		usleep(1000);
	}
	return stats.tls_refused[fault];
}

static uint64_t await_tries(struct tap_sender *sender, uint64_t wanted)
{
	struct tap_sender_stats stats;

	for (unsigned i = 0; i < PATIENCE; i++) {
		tap_sender_stats_get(sender, &stats);
		if (stats.refused >= wanted)
			break;
		usleep(1000);
	}
	cr_expect_eq(stats.sent, 0);
	return stats.refused;
}

TestSuite(tap_tls, .init = set_up, .fini = tear_down);

Test(tap_tls, frames_of_all_sizes_arrive_and_the_sender_is_who_its_certificate_says)
{
	struct tls_keeper *server = keeper(folder, "collector", folder);
	struct tls_keeper *client = keeper(folder, "box1", folder);
	struct tap_listener *listener = listen_with(server, "box0, box1");
	struct tap_sender *sender = send_with(client, "");
	struct tap_sender_stats stats;

	send_n(sender, 300, 200);
	// More than the queue holds goes in pieces, as it becomes empty.
	for (unsigned i = 0; i < 20; i++) {
		send_n(sender, 10, BODY);
		cr_expect_eq(await(&world.frames, 300 + 10 * (i + 1)), 300 + 10 * (i + 1));
	}
	tap_sender_close(sender, PATIENCE, &stats);
	tap_listener_close(listener, 100);
	cr_expect_eq(stats.sent, 500);
	cr_expect_eq(stats.refused, 0);
	cr_expect_eq(world.bad, 0);
	cr_expect_eq(world.opened, 1);
	cr_expect_eq(world.closed_well, 1);
	cr_expect_str_eq(world.peer, "box1");
	tls_keeper_close(client);
	tls_keeper_close(server);
}

Test(tap_tls, a_slow_collector_fills_the_queue_and_what_does_not_fit_is_counted)
{
	struct tls_keeper *server = keeper(folder, "collector", folder);
	struct tls_keeper *client = keeper(folder, "box1", folder);
	struct tap_listener *listener = listen_with(server, "");
	struct tap_sender *sender = send_with(client, "");
	struct tap_sender_stats stats;

	world.waits = true;
	for (unsigned i = 0; i < 1000; i++) {
		send_n(sender, 1, BODY);
		usleep(500);
	}
	tap_sender_stats_get(sender, &stats);
	cr_expect(stats.lost_full > 0);
	world.waits = false;
	tap_sender_close(sender, PATIENCE, &stats);
	cr_expect_eq(await(&world.frames, stats.sent), stats.sent);
	tap_listener_close(listener, 1000);
	cr_expect_eq(stats.sent + stats.lost_full, 1000);
	cr_expect_eq(stats.lost_stop, 0);
	cr_expect_eq(world.bad, 0);
	tls_keeper_close(client);
	tls_keeper_close(server);
}

Test(tap_tls, a_certificate_of_another_ca_is_refused_by_the_collector)
{
	struct talk talk = talk_begin(other, folder, "", "");

	send_n(talk.sender, 10, 100);
	cr_expect(await_refused(talk.listener, TLS_OTHER_CA, 2) >= 2);
	cr_expect(await_tries(talk.sender, 2) >= 2,
		"the sender sees that it is refused, and tries again");
	talk_end_empty(&talk);
}

Test(tap_tls, certificates_that_are_out_of_date_are_refused_on_both_sides)
{
	struct talk talk;

	make(folder, "late", TLS_USE_CLIENT, 0);
	make(folder, "late_server", TLS_USE_SERVER, 0);
	sleep(2);
	talk = talk_between("collector", "late");
	send_n(talk.sender, 10, 100);
	cr_expect(await_refused(talk.listener, TLS_EXPIRED, 1) >= 1);
	cr_expect(await_tries(talk.sender, 1) >= 1);
	talk_end_empty(&talk);
	talk = talk_between("late_server", "box1");
	send_n(talk.sender, 10, 100);
	cr_expect(await_tries(talk.sender, 1) >= 1);
	talk_end_empty(&talk);
}

Test(tap_tls, files_that_are_none_are_named)
{
	static const struct {
		const char *certificate, *key, *ca, *error;
	} rows[] = {
		{"gone.crt", "box1.key", "ca.crt",
			"gone.crt: cannot be read: No such file or directory"},
		{"box1.crt", "gone.key", "ca.crt",
			"gone.key: cannot be read: No such file or directory"},
		{"box1.crt", "collector.key", "ca.crt",
			"box1.crt: expected a certificate, and its key in "},
		{"box1.key", "box1.key", "ca.crt",
			"box1.key: expected a certificate, and its key in "},
		{"box1.crt", "box1.key", "box1.key", "box1.key: expected certificates in PEM"},
		{"box1.crt", "box1.key", "gone.crt",
			"gone.crt: cannot be read: No such file or directory"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char paths[3][256], error[TLS_ERROR_SIZE] = "";
		const struct tls_files files = {paths[0], paths[1], paths[2]};
		struct tls_keeper *none = NULL;

		snprintf(paths[0], sizeof(paths[0]), "%s/%s", folder, rows[i].certificate);
		snprintf(paths[1], sizeof(paths[1]), "%s/%s", folder, rows[i].key);
		snprintf(paths[2], sizeof(paths[2]), "%s/%s", folder, rows[i].ca);
		cr_expect(tls_keeper_open(&files, &none, error) < 0);
		cr_expect(strstr(error, rows[i].error) == error + strlen(folder) + 1, "%zu: %s", i,
			error);
	}
}

Test(tap_tls, a_collector_of_another_ca_gets_nothing)
{
	struct talk talk = talk_begin(folder, other, "", "");

	send_n(talk.sender, 10, 100);
	cr_expect(await_tries(talk.sender, 2) >= 2);
	cr_expect(await_refused(talk.listener, TLS_BROKEN, 1) >= 1);
	talk_end_empty(&talk);
}

Test(tap_tls, a_name_that_is_not_the_collectors_is_refused_and_one_that_is_goes)
{
	struct talk talk = talk_begin(folder, folder, "", "another.example");

	send_n(talk.sender, 10, 100);
	cr_expect(await_tries(talk.sender, 1) >= 1);
	tap_sender_close(talk.sender, 0, NULL);
	cr_expect_eq(world.frames, 0);
	talk.sender = send_with(talk.client, "collector.example");
	send_n(talk.sender, 10, 100);
	cr_expect_eq(await(&world.frames, 10), 10);
	talk_end(&talk, PATIENCE);
}

Test(tap_tls, a_sender_that_is_not_in_the_list_is_refused)
{
	struct talk talk = talk_begin(folder, folder, "box, box11 ox1", "");

	send_n(talk.sender, 10, 100);
	cr_expect(await_refused(talk.listener, TLS_OTHER_NAME, 1) >= 1);
	talk_end_empty(&talk);
}

Test(tap_tls, certificates_of_the_wrong_side_are_refused)
{
	struct talk talk = talk_between("collector", "collector");

	send_n(talk.sender, 10, 100);
	cr_expect(await_refused(talk.listener, TLS_OTHER_PURPOSE, 1) >= 1);
	talk_end_empty(&talk);
	// Who has a box's certificate is no collector.
	talk = talk_between("box1", "box1");
	send_n(talk.sender, 10, 100);
	cr_expect(await_tries(talk.sender, 1) >= 1);
	talk_end_empty(&talk);
}

Test(tap_tls, frames_wait_for_a_collector_that_comes_back_and_files_are_read_anew)
{
	struct tls_keeper *server = keeper(folder, "collector", folder);
	struct tls_keeper *client = keeper(other, "box1", folder);
	struct tap_listener *listener = listen_with(server, "");
	struct tap_sender *sender = send_with(client, "");
	struct tap_sender_stats stats;
	char command[512];

	send_n(sender, 100, 1000);
	cr_expect(await_refused(listener, TLS_OTHER_CA, 1) >= 1);
	tap_listener_close(listener, 0);
	snprintf(command, sizeof(command), "cp %s/box1.crt %s/box1.key %s/", folder, folder, other);
	cr_assert_eq(system(command), 0);
	listener = listen_with(server, "");
	cr_expect_eq(await(&world.frames, 100), 100, "what waited comes with the new certificate");
	tap_listener_close(listener, 0);
	send_n(sender, 50, 1000);
	listener = listen_with(server, "");
	send_n(sender, 50, 1000);
	// The last ones of them were sent when the connection was gone already.
	cr_expect(await(&world.opened, 2) == 2);
	tap_sender_close(sender, PATIENCE, &stats);
	tap_listener_close(listener, 1000);
	cr_expect_eq(stats.frames, 200);
	cr_expect_eq(stats.lost_full + stats.lost_stop, 0);
	// What was in the socket when the collector went is gone, and its numbers are missing.
	cr_expect(world.frames > 100 && world.frames <= 200, "%lu", (unsigned long)world.frames);
	cr_expect_eq(world.bad, 0);
	tls_keeper_close(client);
	tls_keeper_close(server);
}

Test(tap_tls, who_speaks_no_tls_or_nothing_is_refused_and_others_are_taken_meanwhile)
{
	struct tls_keeper *server = keeper(folder, "collector", folder);
	struct tls_keeper *client = keeper(folder, "box1", folder);
	struct tap_listener *listener = listen_with(server, "");
	struct sockaddr_storage address;
	struct tap_sender *sender;
	int silent[12], plain;

	endpoint_address(&here.at[0], &address);
	for (unsigned i = 0; i < 12; i++) {
		silent[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_expect_eq(
			connect(silent[i], (struct sockaddr *)&address, sizeof(struct sockaddr_in)),
			0);
		// Half of a record of a handshake.
		cr_expect_eq(send(silent[i], "\x16\x03\x01\x02\x00\x01", i % 2 ? 6 : 0, 0),
			i % 2 ? 6 : 0);
	}
	plain = socket(AF_INET, SOCK_STREAM, 0);
	cr_expect_eq(connect(plain, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
	cr_expect_eq(send(plain, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	cr_expect(await_refused(listener, TLS_BROKEN, 1) >= 1);
	sender = send_with(client, "");
	send_n(sender, 10, 100);
	cr_expect_eq(await(&world.frames, 10), 10);
	tap_sender_close(sender, PATIENCE, NULL);
	for (unsigned i = 0; i < 12; i++)
		close(silent[i]);
	close(plain);
	tap_listener_close(listener, 0);
	tls_keeper_close(client);
	tls_keeper_close(server);
}

Test(tap_tls, an_address_has_few_connections_that_have_sent_nothing)
{
	struct tls_keeper *server = keeper(folder, "collector", folder);
	struct tap_listener *listener = listen_with(server, "");
	struct tap_listener_stats stats;
	struct sockaddr_storage address;
	int fds[TAP_STRANGERS_MAX + 8];

	endpoint_address(&here.at[0], &address);
	for (unsigned i = 0; i < TAP_STRANGERS_MAX + 8; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_expect_eq(
			connect(fds[i], (struct sockaddr *)&address, sizeof(struct sockaddr_in)),
			0);
	}
	for (unsigned i = 0; i < PATIENCE; i++) {
		tap_listener_stats_get(listener, &stats);
		if (stats.refused == 8)
			break;
		usleep(1000);
	}
	cr_expect_eq(stats.refused, 8);
	cr_expect_eq(stats.open, TAP_STRANGERS_MAX);
	for (unsigned i = 0; i < TAP_STRANGERS_MAX + 8; i++)
		close(fds[i]);
	tap_listener_close(listener, 0);
	tls_keeper_close(server);
}
