/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/ctl_private.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MS 10000 // Longer than anything here takes; then the test fails.

static char folder[] = "/tmp/test_ctl_XXXXXX";
static char path[64];
static char error[256];
static struct ctl_server *server;
static unsigned deferred, asked;

/** Echoes; keeps "reload" for later. */
static json_t *handle(void *ctx, const struct ctl_command *command, const char *args,
	const struct ctl_peer *peer, unsigned request_id)
{
	asked++;
	cr_assert_eq(peer->pid, getpid());
	cr_assert_eq(peer->uid, getuid());
	if (strcmp(command->path, "reload") == 0) {
		deferred = request_id;
		return NULL;
	}
	if (strcmp(command->path, "show stats") == 0) {
		// A reply far larger than a socket's buffer.
		json_t *reply = json_object();
		char *text = malloc(4000001);

		memset(text, 'x', 4000000);
		text[4000000] = '\0';
		json_object_set_new(reply, "text", json_string(text));
		free(text);
		return reply;
	}
	return json_pack("{s:s, s:s}", "path", command->path, "args", args);
}

static void set_up(void)
{
	cr_assert(mkdtemp(folder));
	// The folder below it is made by the server.
	snprintf(path, sizeof(path), "%s/run/control.sock", folder);
	server = ctl_server_open(path, "", handle, NULL, error, sizeof(error));
	cr_assert(server, "%s", error);
}

static void tear_down(void)
{
	char run[64];

	ctl_server_close(server);
	snprintf(run, sizeof(run), "%s/run", folder);
	unlink(path);
	rmdir(run);
	rmdir(folder);
}

TestSuite(ctl, .init = set_up, .fini = tear_down);

static int open_client(void)
{
	int sock = ctl_connect(path);

	cr_assert_geq(sock, 0, "%s", strerror(-sock));
	return sock;
}

static void say(int sock, const char *text)
{
	cr_assert_eq(send(sock, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/** Let the server work once it has something to do. @return false when it has nothing */
static bool turn(int wait_ms)
{
	struct pollfd fd = {.fd = ctl_server_fd(server), .events = POLLIN};

	if (poll(&fd, 1, wait_ms) <= 0)
		return false;
	ctl_server_poll(server);
	return true;
}

/** Let the server do all that it can do now. */
static void settle(void)
{
	for (int i = 0; i < 1000 && turn(0); i++)
		;
}

/** Next line that the client gets, "" at the end of the connection; the server works meanwhile. */
static const char *hear(int sock)
{
	static char line[1024];
	int64_t end = ctl_now_ms() + WAIT_MS;
	size_t size = 0;

	while (size < sizeof(line) - 1) {
		ssize_t n = recv(sock, line + size, 1, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		if (n > 0 && line[size] == '\n')
			break;
		if (n > 0)
			size++;
		else
			turn(10);
		cr_assert_lt(ctl_now_ms(), end, "no line, got '%.*s'", (int)size, line);
	}
	line[size] = '\0';
	return line;
}

#define LISTS "{\"path\":\"show lists\",\"args\":\"\"}"

Test(ctl, a_request_gets_one_line_of_json)
{
	int sock = open_client();

	say(sock, "show list  c2 \r\n");
	cr_assert_str_eq(hear(sock), "{\"path\":\"show list\",\"args\":\"c2\"}");
	say(sock, "sh lists\n");
	cr_assert_str_eq(hear(sock), LISTS);
	close(sock);
}

Test(ctl, the_server_is_idle_when_nothing_is_asked)
{
	int sock = open_client();

	ctl_server_set_timeout(server, 20);
	say(sock, "show lists\n");
	cr_assert_str_eq(hear(sock), LISTS);
	settle();
	// A client with nothing half done may stay, and costs no wake-up.
	cr_assert_not(turn(100));
	say(sock, "show lists\n");
	cr_assert_str_eq(hear(sock), LISTS);
	close(sock);
}

Test(ctl, words_may_be_shortened_while_they_are_unique)
{
	static const struct {
		const char *request, *path, *args, *error;
	} rows[] = {
		{"show stats", "show stats", "", NULL},
		{" sh  st ", "show stats", "", NULL},
		{"show list c2", "show list", "c2", NULL},
		{"show lists", "show lists", "", NULL},
		{"r", "reload", "", NULL},
		{"e www.example", "explain", "www.example", NULL},
		{"show hits", "show hits", "", NULL},
		{"show hits 5", "show hits", "5", NULL},
		{"", NULL, NULL,
			"incomplete command '', expected one of show, explain, consent, reload"},
		{"show lis", NULL, NULL,
			"ambiguous command 'show lis', expected one of lists, list"},
		{"shows", NULL, NULL,
			"unknown command 'shows', expected one of show, explain, consent, reload"},
		{"show", NULL, NULL,
			"incomplete command 'show', expected one of version, stats, "
			"verdicts, responses, lists, list, ports, workers, mirror, tap, consent, "
			"ids, totals, generation, loading, hits"},
		{"s v", NULL, NULL,
			"ambiguous command 'show v', expected one of version, verdicts"},
		{"show list", NULL, NULL, "show list needs NAME, got nothing"},
		{"show stats all", NULL, NULL, "show stats takes nothing, got 'all'"},
		{"explain a b", NULL, NULL, "explain takes one NAME, got 'b' behind it"},
		{"re\x1b[2J", NULL, NULL,
			"unknown command 're?[2J', expected one of show, explain, consent, reload"},
		{"0123456789012345678901234567890123456789012345", NULL, NULL,
			"unknown command '0123456789012345678901234567890123456789...', "
			"expected one of show, explain, consent, reload"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *args, *wrong;
		const struct ctl_command *command =
			ctl_command_find(rows[i].request, &args, &wrong);

		cr_expect_eq(command != NULL, rows[i].path != NULL, "'%s'", rows[i].request);
		if (command) {
			cr_expect_str_eq(command->path, rows[i].path);
			cr_expect_eq(strncmp(args, rows[i].args, strlen(rows[i].args)), 0);
		} else {
			cr_expect_str_eq(wrong, rows[i].error);
		}
	}
}

Test(ctl, every_command_is_found_by_its_own_words)
{
	for (const struct ctl_command *c = ctl_commands; c->path; c++) {
		const char *args, *wrong;
		char request[64];

		snprintf(request, sizeof(request), "%s%s", c->path, *c->args ? " x" : "");
		cr_expect_eq(ctl_command_find(request, &args, &wrong), c, "%s", c->path);
	}
}

Test(ctl, a_wrong_request_gets_an_error_and_does_not_reach_the_handler)
{
	int sock = open_client();

	say(sock, "shutdown\n");
	cr_assert_str_eq(hear(sock),
		"{\"error\":\"unknown command 'shutdown', expected one of show, "
		"explain, consent, reload\"}");
	cr_assert_eq(asked, 0);
	close(sock);
}

Test(ctl, pipelined_requests_are_answered_in_order)
{
	int sock = open_client();

	say(sock, "explain a\nreload\nexplain b\nexplain ");
	cr_assert_str_eq(hear(sock), "{\"path\":\"explain\",\"args\":\"a\"}");
	settle();
	// The one that takes its time keeps back the next.
	cr_assert_eq(asked, 2);
	ctl_reply(server, deferred, json_pack("{s:b}", "done", 1));
	cr_assert_str_eq(hear(sock), "{\"done\":true}");
	cr_assert_str_eq(hear(sock), "{\"path\":\"explain\",\"args\":\"b\"}");
	say(sock, "c\n");
	cr_assert_str_eq(hear(sock), "{\"path\":\"explain\",\"args\":\"c\"}");
	close(sock);
}

Test(ctl, what_a_client_sent_before_it_ended_is_answered)
{
	int sock = open_client();

	say(sock, "reload\nexplain b\nhalf");
	shutdown(sock, SHUT_WR);
	settle();
	ctl_reply(server, deferred, json_pack("{s:b}", "done", 1));
	cr_assert_str_eq(hear(sock), "{\"done\":true}");
	cr_assert_str_eq(hear(sock), "{\"path\":\"explain\",\"args\":\"b\"}");
	cr_assert_str_eq(hear(sock), "");
	close(sock);
}

Test(ctl, a_late_reply_reaches_only_the_connection_that_asked)
{
	int gone = open_client(), next;
	unsigned old;

	say(gone, "reload\n");
	settle();
	old = deferred;
	cr_assert_neq(old, 0);
	close(gone);
	settle();
	next = open_client();
	say(next, "reload\n");
	settle();
	cr_assert_neq(deferred, old);
	ctl_reply(server, old, json_pack("{s:s}", "to", "the first"));
	ctl_reply(server, deferred, json_pack("{s:s}", "to", "the second"));
	cr_assert_str_eq(hear(next), "{\"to\":\"the second\"}");
	// A second reply to the same request has nobody to go to.
	ctl_reply(server, deferred, json_pack("{s:s}", "to", "nobody"));
	say(next, "show lists\n");
	cr_assert_str_eq(hear(next), LISTS);
	close(next);
}

Test(ctl, a_request_that_is_too_long_ends_the_connection)
{
	char text[CTL_REQUEST_MAX + 1];
	int sock = open_client();

	memset(text, 'x', sizeof(text));
	memcpy(text, "explain ", 8);
	text[CTL_REQUEST_MAX - 1] = '\n';
	text[CTL_REQUEST_MAX] = '\0';
	say(sock, text);
	cr_assert_eq(strncmp(hear(sock), "{\"path\":\"explain\"", 17), 0);
	text[CTL_REQUEST_MAX - 1] = 'x';
	say(sock, text);
	cr_assert_str_eq(hear(sock), "{\"error\":\"a request has at most 512 bytes\"}");
	cr_assert_str_eq(hear(sock), "");
	close(sock);
}

Test(ctl, a_request_left_half_done_ends_the_connection)
{
	int sock = open_client(), other = open_client();

	ctl_server_set_timeout(server, 50);
	say(sock, "show li");
	cr_assert_str_eq(hear(sock), "");
	say(other, "show lists\n");
	cr_assert_str_eq(hear(other), LISTS);
	close(sock);
	close(other);
}

Test(ctl, dribbling_a_request_does_not_extend_its_time)
{
	int sock = open_client();
	int64_t begin = ctl_now_ms();
	char end = 'x';
	bool open = true;

	ctl_server_set_timeout(server, 200);
	while (open && ctl_now_ms() - begin < WAIT_MS) {
		open = send(sock, "x", 1, MSG_NOSIGNAL) == 1 &&
		       recv(sock, &end, 1, MSG_DONTWAIT) != 0;
		turn(50);
	}
	cr_assert_not(open);
	close(sock);
}

Test(ctl, a_reply_that_is_not_read_ends_the_connection)
{
	int sock = open_client(), other = open_client();
	struct pollfd fd = {.fd = sock, .events = POLLIN};
	int64_t end = ctl_now_ms() + WAIT_MS;

	ctl_server_set_timeout(server, 50);
	say(sock, "show stats\n");
	// Not reading, we see the end as a hang-up.
	while (!(fd.revents & POLLHUP) && ctl_now_ms() < end) {
		turn(10);
		poll(&fd, 1, 0);
	}
	cr_assert(fd.revents & POLLHUP);
	say(other, "show lists\n");
	cr_assert_str_eq(hear(other), LISTS);
	close(sock);
	close(other);
}

Test(ctl, a_client_that_hangs_up_over_its_reply_is_no_signal)
{
	int sock = open_client();

	say(sock, "show stats\n");
	settle();
	close(sock);
	settle();
	sock = open_client();
	say(sock, "show lists\n");
	cr_assert_str_eq(hear(sock), LISTS);
	close(sock);
}

static void *serve(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_ACQUIRE))
		turn(10);
	return NULL;
}

Test(ctl, a_call_gets_replies_of_any_size)
{
	bool stop = false;
	pthread_t thread;
	int sock = open_client();
	json_t *reply;

	cr_assert_eq(pthread_create(&thread, NULL, serve, &stop), 0);
	reply = ctl_call(sock, "show stats", 60, error, sizeof(error));
	cr_assert(reply, "%s", error);
	cr_assert_eq(json_string_length(json_object_get(reply, "text")), 4000000);
	json_decref(reply);
	reply = ctl_call(sock, "nonsense", 60, error, sizeof(error));
	cr_assert(json_object_get(reply, "error"));
	json_decref(reply);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	close(sock);
}

Test(ctl, a_call_says_why_there_is_no_reply)
{
	char text[CTL_REQUEST_MAX + 1];
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_null(ctl_call(pair[0], "reload", 0, error, sizeof(error)));
	cr_assert_str_eq(error, "no reply within 0 s");
	memset(text, 'x', CTL_REQUEST_MAX);
	text[CTL_REQUEST_MAX] = '\0';
	cr_assert_null(ctl_call(pair[0], text, 5, error, sizeof(error)));
	cr_assert_str_eq(error, "cannot talk to the box: Message too long");
	say(pair[1], "no json\n");
	cr_assert_null(ctl_call(pair[0], "reload", 5, error, sizeof(error)));
	cr_assert_eq(strncmp(error, "the reply is not JSON: ", 23), 0, "%s", error);
	say(pair[1], "[1]\n");
	cr_assert_null(ctl_call(pair[0], "reload", 5, error, sizeof(error)));
	cr_assert_str_eq(error, "the reply is not a JSON object");
	shutdown(pair[1], SHUT_RDWR);
	cr_assert_null(ctl_call(pair[0], "reload", 5, error, sizeof(error)));
	cr_assert_str_eq(error, "the connection was closed without a reply");
	cr_assert_eq(ctl_connect("/nonexistent/socket"), -ENOENT);
	memset(text, 'x', 200);
	text[200] = '\0';
	cr_assert_eq(ctl_connect(text), -ENAMETOOLONG);
	close(pair[0]);
	close(pair[1]);
}

Test(ctl, the_seventeenth_client_is_told_and_the_others_stay)
{
	int socks[CTL_CLIENTS_MAX], more;

	for (int i = 0; i < CTL_CLIENTS_MAX; i++) {
		socks[i] = open_client();
		settle();
	}
	more = open_client();
	cr_assert_str_eq(hear(more), "{\"error\":\"too many clients are connected\"}");
	cr_assert_str_eq(hear(more), "");
	close(more);
	for (int i = 0; i < CTL_CLIENTS_MAX; i++) {
		say(socks[i], "show lists\n");
		cr_assert_str_eq(hear(socks[i]), LISTS);
	}
	close(socks[7]);
	settle();
	more = open_client();
	say(more, "show lists\n");
	cr_assert_str_eq(hear(more), LISTS);
}

Test(ctl, the_socket_is_for_the_group_and_goes_with_the_server)
{
	struct stat st;
	const struct group *group;

	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0660);
	ctl_server_close(server);
	cr_assert_eq(stat(path, &st), -1);
	server = ctl_server_open(path, "no-such-group", handle, NULL, error, sizeof(error));
	cr_assert_null(server);
	cr_assert(strstr(error, "cannot set group 'no-such-group' and mode: no such group"), "%s",
		error);
	cr_assert_eq(stat(path, &st), -1, "nothing is left behind");
	group = getgrgid(getgid());
	cr_assert(group);
	server = ctl_server_open(path, group->gr_name, handle, NULL, error, sizeof(error));
	cr_assert(server, "%s", error);
}

Test(ctl, a_socket_in_use_is_left_alone)
{
	cr_assert_null(ctl_server_open(path, "", handle, NULL, error, sizeof(error)));
	cr_assert_str_eq(error + strlen(path), ": another process listens there");
	settle();
	int sock = open_client();
	say(sock, "show lists\n");
	cr_assert_str_eq(hear(sock), LISTS);
	close(sock);
}

Test(ctl, a_stale_socket_is_replaced_and_any_other_file_is_not)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	FILE *file;

	ctl_server_close(server);
	strcpy(address.sun_path, path);
	cr_assert_eq(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	close(sock);
	server = ctl_server_open(path, "", handle, NULL, error, sizeof(error));
	cr_assert(server, "%s", error);
	ctl_server_close(server);
	file = fopen(path, "w");
	cr_assert(file);
	fclose(file);
	server = ctl_server_open(path, "", handle, NULL, error, sizeof(error));
	cr_assert_null(server);
	cr_assert_str_eq(error + strlen(path), ": is there and is no socket");
	cr_assert_eq(access(path, F_OK), 0);
}

Test(ctl, a_socket_that_another_server_put_there_is_not_removed)
{
	struct ctl_server *first = server;

	unlink(path);
	server = ctl_server_open(path, "", handle, NULL, error, sizeof(error));
	cr_assert(server, "%s", error);
	ctl_server_close(first);
	int sock = open_client();
	say(sock, "show lists\n");
	cr_assert_str_eq(hear(sock), LISTS);
	close(sock);
}

Test(ctl, a_path_that_cannot_be_is_an_error)
{
	char text[200];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert_null(ctl_server_open(text, "", handle, NULL, error, sizeof(error)));
	cr_assert(strstr(error, ": cannot listen: File name too long"), "%s", error);
	snprintf(text, sizeof(text), "%s/a/b/sock", folder);
	cr_assert_null(ctl_server_open(text, "", handle, NULL, error, sizeof(error)));
	cr_assert_str_eq(error + strlen(text), ": cannot listen: No such file or directory");
}

Test(ctl, an_error_is_json_whatever_is_in_it)
{
	json_t *reply = ctl_error("bad %s", "\xff\x01\"");

	cr_assert_str_eq(json_string_value(json_object_get(reply, "error")), "bad ?\x01\"");
	json_decref(reply);
}

Test(ctl, questions_have_one_bound_of_time)
{
	static const char *const requests[] = {"show stats", "nonsense", "show stats"};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int silent = socket(AF_UNIX, SOCK_STREAM, 0), waiting[8];
	json_t *replies[3];
	bool stop = false;
	pthread_t thread;
	int64_t begin;

	cr_assert_eq(pthread_create(&thread, NULL, serve, &stop), 0);
	cr_assert_eq(ctl_ask(path, requests, 3, 60000, replies), 3);
	cr_expect(json_object_get(replies[1], "error") && json_object_get(replies[2], "text"));
	for (unsigned i = 0; i < 3; i++)
		json_decref(replies[i]);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	cr_expect(ctl_ask("/nonexistent/socket", requests, 3, 60000, replies) == 0 && !replies[0] &&
		  !replies[1] && !replies[2]);
	// One that never accepts: first a connection waits for its reply, then one for the connection.
	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s.silent", path);
	cr_assert_eq(bind(silent, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(silent, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		begin = ctl_now_ms();
		cr_expect_eq(ctl_ask(address.sun_path, requests, 3, 200, replies), 0);
		begin = ctl_now_ms() - begin;
		cr_expect(begin >= 199 && begin < 20000, "%lld ms", (long long)begin);
		for (unsigned n = 0; n < 8; n++) {
			waiting[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
			if (connect(waiting[n], (struct sockaddr *)&address, sizeof(address)) < 0)
				cr_assert_eq(errno, EAGAIN);
		}
		cr_expect_eq(ctl_connect_within(address.sun_path, 1), -ETIMEDOUT);
	}
	unlink(address.sun_path);
	close(silent);
}
