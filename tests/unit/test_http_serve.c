/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A server under many that ask at once, over its unix socket: answers are whole or cut, and nothing is left.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http_private.h"
#include "support/folder.h"
#include "support/test.h"

#define LARGE   (3u << 20) // octets of an answer
#define ASKERS  12
#define EACH    40
#define READERS 6

static char folder[] = "/tmp/test_http_XXXXXX";
static struct http_server *server;
static _Atomic unsigned drained, running, most;

static void small(struct http_request *request, void *ctx)
{
	fputs("{\"small\":true}", http_out(request));
}

static void large(struct http_request *request, void *ctx)
{
	FILE *out = http_out(request);

	for (unsigned i = 0; i < LARGE / 16 && !ferror(out); i++)
		fprintf(out, "%015u\n", i);
}

static void failing(struct http_request *request, void *ctx)
{
	fputs("something", http_out(request));
	http_fail(request, 500, "it was %s", "bad");
}

// It fails when octets have left.
static void breaking(struct http_request *request, void *ctx)
{
	for (unsigned i = 0; i < 5000; i++)
		fprintf(http_out(request), "%015u\n", i);
	http_fail(request, 500, "too late");
}

static void slow(struct http_request *request, void *ctx)
{
	unsigned now = atomic_fetch_add(&running, 1) + 1, before = atomic_load(&most);

	while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
		;
	while (!http_is_gone(request))
		usleep(1000);
	atomic_fetch_sub(&running, 1);
}

static void drain(struct http_request *request, void *ctx)
{
	http_server_drain(server, request, 0);
	atomic_fetch_add(&drained, 1);
	fprintf(http_out(request), "%s", http_param(request, "word"));
}

static const struct http_route routes[] = {
	{"GET", "/small", HTTP_ADMIN, false, "", small},
	{"GET", "/large", HTTP_ADMIN, false, "", large},
	{"GET", "/failing", HTTP_ADMIN, false, "", failing},
	{"GET", "/breaking", HTTP_ADMIN, false, "", breaking},
	{"GET", "/slow", HTTP_ADMIN, false, "", slow},
	{"POST", "/drain", HTTP_ADMIN, false, "word!", drain},
	{NULL, NULL, HTTP_NOBODY, false, NULL, NULL},
};

static unsigned reader_s;

static void set_up(void)
{
	static const struct endpoints none;
	const struct http_options options = {.routes = routes,
		.at = &none,
		.folder = folder,
		.socket = true,
		.certificate = "",
		.key = "",
		.client_ca = "",
		.connections = 64,
		.rate = 1000,
		.reader_s = reader_s};
	char error[HTTP_ERROR_SIZE];

	log_threshold(LOG_ERROR);
	strcpy(folder, "/tmp/test_http_XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	server = http_server_open(&options, error);
	cr_assert_not_null(server, "%s", error);
}

static void tear_down(void)
{
	http_server_close(server);
	folder_remove(folder);
}

static int get(const char *path, char **answer)
{
	return http_call(folder, path, NULL, answer);
}

// A connection that has asked and reads nothing.
static int ask_only(const char *path)
{
	struct sockaddr_un address;
	char text[128];
	int at = http_socket_address(folder, &address), fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	cr_expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	cr_expect(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	close(at);
	return fd;
}

Test(http_serve, a_body_can_be_read_as_it_comes)
{
	char text[64] = "";
	FILE *body;

	set_up();
	cr_assert(http_open(folder, "/small", &body) == 200);
	cr_expect(fread(text, 1, sizeof(text), body) == 14 && feof(body));
	cr_expect(strcmp(text, "{\"small\":true}") == 0, "%s", text);
	fclose(body);
	cr_assert(http_open(folder, "/none", &body) == 404);
	cr_expect(fread(text, 1, 10, body) == 10 && strncmp(text, "{\"error\":\"", 10) == 0);
	fclose(body);
	tear_down();
	cr_expect(http_open(folder, "/small", &body) == -ENOENT && !body);
}

Test(http_serve, answers_are_whole)
{
	char *answer;

	set_up();
	cr_expect(get("/small", &answer) == 200);
	cr_expect(strcmp(answer, "{\"small\":true}") == 0);
	free(answer);
	cr_expect(get("/failing", &answer) == 500);
	cr_expect(strcmp(answer, "{\"error\":\"it was bad\"}\n") == 0, "%s", answer);
	free(answer);
	cr_expect(get("/none", &answer) == 404);
	free(answer);
	cr_expect(http_call(folder, "/drain", "word=a%26b", &answer) == 200);
	cr_expect(strcmp(answer, "a&b") == 0, "%s", answer);
	free(answer);
	tear_down();
	cr_expect(get("/small", &answer) == -ENOENT);
}

Test(http_serve, an_answer_that_breaks_is_cut_and_not_ended)
{
	char buffer[4096], last[5] = "";
	ssize_t n;
	int fd;

	set_up();
	fd = ask_only("/breaking");
	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			memmove(last, last + 1, 3);
			last[3] = buffer[i];
		}
	close(fd);
	// The end of chunks is a chunk of no octets.
	cr_expect(strcmp(last, "\r\n\r\n") != 0);
	tear_down();
}

static void *asker(void *arg)
{
	unsigned number = (unsigned)(uintptr_t)arg;
	char *answer;
	int status;

	for (unsigned i = 0; i < EACH; i++) {
		if ((i + number) % 8 == 0) {
			close(ask_only("/large"));
			continue;
		}
		if ((i + number) % 8 == 1) {
			status = http_call(folder, "/drain", "word=x", &answer);
			cr_expect(status == 200, "%d", status);
		} else {
			// One that was cut off has no end, so no status.
			status = get((i + number) % 2 ? "/small" : "/failing", &answer);
			cr_expect(status == 200 || status == 500 || status < 0, "%d", status);
		}
		free(answer);
	}
	return NULL;
}

Test(http_serve, many_ask_hang_up_and_cut_others_off)
{
	pthread_t threads[ASKERS];
	struct http_stats stats;

	set_up();
	for (uintptr_t i = 0; i < ASKERS; i++)
		pthread_create(&threads[i], NULL, asker, (void *)i);
	for (unsigned i = 0; i < 50; i++) {
		http_server_tick(server);
		usleep(2000);
	}
	for (unsigned i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	http_stats_get(server, &stats);
	cr_expect(stats.requests >= ASKERS * EACH * 7 / 8);
	cr_expect(atomic_load(&drained) == ASKERS * EACH / 8);
	tear_down();
}

Test(http_serve, whoever_reads_nothing_holds_up_nobody_and_not_the_end)
{
	struct http_stats stats;
	int readers[2 * READERS];
	char *answer;

	set_up();
	for (unsigned i = 0; i < 2 * READERS; i++)
		readers[i] = ask_only(i % 2 ? "/large" : "/slow");
	do {
		usleep(1000);
		http_stats_get(server, &stats);
	} while (stats.requests < 2 * READERS || atomic_load(&running) < READERS);
	cr_expect(get("/small", &answer) == 200);
	free(answer);
	// All of them are waited for, and cut.
	cr_expect(http_call(folder, "/drain", "word=x", &answer) == 200);
	free(answer);
	cr_expect(atomic_load(&running) == 0);
	cr_expect(atomic_load(&most) == READERS);
	for (unsigned i = 0; i < READERS; i++)
		close(readers[i]);
	close(ask_only("/large"));
	readers[0] = ask_only("/slow");
	tear_down();
	for (unsigned i = READERS; i < 2 * READERS; i++)
		close(readers[i]);
	close(readers[0]);
}

Test(http_serve, a_reader_that_takes_an_octet_now_and_then_is_cut_off_and_a_steady_one_is_not)
{
	struct http_stats stats = {0};
	uint64_t whole = 0;
	char octets[4096];
	int slow, steady;
	ssize_t n;

	reader_s = 1;
	set_up();
	slow = ask_only("/large");
	steady = ask_only("/large");
	for (unsigned i = 0; i < 200 && stats.timeouts == 0; i++) {
		cr_expect(recv(slow, octets, 1, 0) == 1);
		// Ten times as much as it has to be, for machines that are slow.
		for (unsigned j = 0; j < 8; j++) {
			n = recv(steady, octets, sizeof(octets), MSG_DONTWAIT);
			whole += n > 0 ? (uint64_t)n : 0;
		}
		usleep(50000);
		http_stats_get(server, &stats);
	}
	cr_expect(stats.timeouts == 1, "%lu", (unsigned long)stats.timeouts);
	while ((n = recv(steady, octets, sizeof(octets), 0)) > 0 && whole < LARGE)
		whole += (uint64_t)n;
	cr_expect(whole >= LARGE, "%lu", (unsigned long)whole);
	http_stats_get(server, &stats);
	cr_expect(stats.timeouts == 1);
	close(slow);
	close(steady);
	tear_down();
	reader_s = 0;
}
