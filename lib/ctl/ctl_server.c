/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/ctl_private.h"

#include "base/log.h"
#include "ctl/ctl_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SLOT_BITS  4     /* of a request id: which client; the rest counts requests */
#define ACCEPT_MS  1000  /* no file descriptor left: try again after this */
#define TAG_LISTEN 0xfeu /* epoll tags; below CTL_CLIENTS_MAX: a client's slot */
#define TAG_TIMER  0xffu

static_assert(CTL_CLIENTS_MAX <= 1 << SLOT_BITS, "a slot fits its bits");

struct client {
	int fd; /* -1: free slot */
	struct ctl_peer peer;
	char in[CTL_REQUEST_MAX];
	size_t in_size;
	char *out; /* the reply on its way, newline included; NULL: none */
	size_t out_size, out_done;
	unsigned request_id; /* of the request being carried out, 0: none */
	int64_t deadline;    /* ms; closed then, INT64_MAX: nothing is half done */
	uint32_t events;     /* what epoll watches */
	bool eof;            /* sends no more */
	bool last;           /* close behind the reply */
	bool serving;        /* client_serve is on the stack */
};

struct ctl_server {
	int listener, epoll, timer;
	bool accepting;
	int64_t accept_again; /* ms, when not accepting */
	unsigned timeout_ms;
	unsigned requests; /* counts up; makes ids that do not come again soon */
	ctl_handler handler;
	void *ctx;
	struct stat made;
	struct client clients[CTL_CLIENTS_MAX];
	char path[108];
};

static unsigned slot_of(const struct ctl_server *server, const struct client *client)
{
	return (unsigned)(client - server->clients);
}

static void client_close(struct client *client)
{
	close(client->fd);
	free(client->out);
	*client = (struct client){.fd = -1, .deadline = INT64_MAX, .serving = client->serving};
}

/** Watch for what the client is expected to do next. */
static void client_watch(struct ctl_server *server, struct client *client)
{
	// One request at a time: the next is read when the reply to this one is gone.
	uint32_t events = client->out ? EPOLLOUT : client->request_id || client->eof ? 0 : EPOLLIN;
	struct epoll_event event = {.events = events, .data.u32 = slot_of(server, client)};

	if (events != client->events &&
		epoll_ctl(server->epoll, EPOLL_CTL_MOD, client->fd, &event) == 0)
		client->events = events;
}

/** Send what there is of a reply. */
static void client_send(struct client *client)
{
	ssize_t n;

	while (client->out_done < client->out_size) {
		n = send(client->fd, client->out + client->out_done,
			client->out_size - client->out_done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			client_close(client);
			return;
		}
		client->out_done += (size_t)n;
	}
	free(client->out);
	client->out = NULL;
	client->deadline = INT64_MAX;
	if (client->last)
		client_close(client);
}

/** Put a reply on its way. @param reply taken */
static void client_reply(struct ctl_server *server, struct client *client, json_t *reply)
{
	size_t size = reply ? json_dumpb(reply, NULL, 0, JSON_COMPACT) : 0;

	client->request_id = 0;
	client->out = size ? malloc(size + 1) : NULL;
	if (!client->out) {
		json_decref(reply);
		client_close(client);
		return;
	}
	json_dumpb(reply, client->out, size, JSON_COMPACT);
	client->out[size] = '\n';
	client->out_size = size + 1;
	client->out_done = 0;
	client->deadline = ctl_now_ms() + server->timeout_ms;
	json_decref(reply);
	client_send(client);
}

/** Carry out one request line. */
static void client_request(struct ctl_server *server, struct client *client, const char *line)
{
	const struct ctl_command *command;
	const char *args, *error;
	unsigned id = (++server->requests << SLOT_BITS) | slot_of(server, client);
	json_t *reply;

	// 0 says that a client has no request; skip the id that would be it.
	if (id == 0)
		id = (++server->requests << SLOT_BITS) | slot_of(server, client);
	client->request_id = id;
	client->deadline = INT64_MAX;
	command = ctl_command_find(line, &args, &error);
	if (!command) {
		client_reply(server, client, ctl_error("%s", error));
		return;
	}
	if (command->changes)
		log_line(LOG_INFO, "control: %s by uid %u, pid %d", command->path,
			(unsigned)client->peer.uid, (int)client->peer.pid);
	reply = server->handler(server->ctx, command, args, &client->peer, id);
	// The handler may have called ctl_reply itself; then the id is not there any more.
	if (reply)
		ctl_reply(server, id, reply);
}

/** Take the next whole line out of what has come in. */
static bool next_line(struct client *client, char line[CTL_REQUEST_MAX])
{
	char *newline = memchr(client->in, '\n', client->in_size);
	size_t size = newline ? (size_t)(newline - client->in) : 0;

	if (!newline)
		return false;
	memcpy(line, client->in, size);
	// A NUL would hide the rest of the line; it is no request anyway.
	for (size_t i = 0; i < size; i++)
		if (line[i] == '\0')
			line[i] = '?';
	// A handler gets its arguments without what stands behind them.
	line[size] = '\0';
	for (size_t i = size; i > 0 && strchr(" \t\r", line[i - 1]); i--)
		line[i - 1] = '\0';
	client->in_size -= size + 1;
	memmove(client->in, newline + 1, client->in_size);
	return true;
}

/** Go on with the client's requests until it has to wait for something. */
static void client_serve(struct ctl_server *server, struct client *client)
{
	char line[CTL_REQUEST_MAX];

	client->serving = true;
	while (client->fd >= 0 && !client->out && !client->request_id) {
		if (!next_line(client, line))
			break;
		client_request(server, client, line);
	}
	client->serving = false;
	if (client->fd < 0)
		return;
	if (!client->out && !client->request_id) {
		if (client->in_size == sizeof(client->in)) {
			client->last = true;
			client_reply(server, client,
				ctl_error("a request has at most %d bytes", CTL_REQUEST_MAX));
			if (client->fd < 0)
				return;
		} else if (client->eof) {
			client_close(client);
			return;
		} else if (client->in_size == 0) {
			client->deadline = INT64_MAX;
		} else if (client->deadline == INT64_MAX) {
			client->deadline = ctl_now_ms() + server->timeout_ms;
		}
	}
	client_watch(server, client);
}

static void client_read(struct client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_size,
		sizeof(client->in) - client->in_size, MSG_DONTWAIT);

	if (n > 0)
		client->in_size += (size_t)n;
	else if (n == 0)
		client->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		client_close(client);
}

/** Wake up for the next client that is over its time. */
static void arm_timer(struct ctl_server *server)
{
	int64_t next = server->accepting ? INT64_MAX : server->accept_again;
	struct itimerspec when = {0};

	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		if (server->clients[i].deadline < next)
			next = server->clients[i].deadline;
	if (next != INT64_MAX)
		when.it_value = (struct timespec){next / 1000, next % 1000 * 1000000};
	timerfd_settime(server->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void watch_listener(struct ctl_server *server, bool accepting)
{
	struct epoll_event event = {.events = accepting ? EPOLLIN : 0, .data.u32 = TAG_LISTEN};

	epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->listener, &event);
	server->accepting = accepting;
	server->accept_again = ctl_now_ms() + ACCEPT_MS;
}

/** Give a new connection a slot, or tell it that there is none. */
static void client_open(struct ctl_server *server, int fd)
{
	static const char full[] = "{\"error\":\"too many clients are connected\"}\n";
	struct epoll_event event = {.events = EPOLLIN};
	struct client *client = server->clients;
	struct ucred cred = {.pid = -1, .uid = (uid_t)-1};
	socklen_t size = sizeof(cred);

	while (client < server->clients + CTL_CLIENTS_MAX && client->fd >= 0)
		client++;
	event.data.u32 = slot_of(server, client);
	if (client == server->clients + CTL_CLIENTS_MAX ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0 ||
		epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		// There is nobody to tell if even this cannot be sent.
		if (send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			errno = 0;
		close(fd);
		return;
	}
	*client = (struct client){
		.fd = fd, .peer = {cred.pid, cred.uid}, .events = EPOLLIN, .deadline = INT64_MAX};
}

static void accept_clients(struct ctl_server *server)
{
	// Bounded, so that a flood of connections does not keep the clients waiting.
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			client_open(server, fd);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			// Out of descriptors the listener stays readable; look away for a while.
			if (errno != EAGAIN)
				watch_listener(server, false);
			return;
		}
	}
}

void ctl_server_poll(struct ctl_server *server)
{
	struct epoll_event events[CTL_CLIENTS_MAX + 2];
	int n = epoll_wait(server->epoll, events, CTL_CLIENTS_MAX + 2, 0);
	bool accepting = false;
	int64_t now;

	for (int i = 0; i < n; i++) {
		uint32_t tag = events[i].data.u32;
		struct client *client;

		if (tag >= CTL_CLIENTS_MAX) {
			accepting = accepting || tag == TAG_LISTEN;
			continue;
		}
		client = &server->clients[tag];
		if (client->events & EPOLLIN)
			client_read(client);
		else if (client->out)
			client_send(client);
		else
			client_close(client); // Its request is being carried out, and it hung up.
		client_serve(server, client);
	}
	now = ctl_now_ms();
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		if (server->clients[i].deadline <= now)
			client_close(&server->clients[i]);
	if (!server->accepting && server->accept_again <= now) {
		watch_listener(server, true);
		accepting = true;
	}
	// Last, so that no event above is meant for an earlier client of the same slot.
	if (accepting)
		accept_clients(server);
	arm_timer(server);
}

void ctl_reply(struct ctl_server *server, unsigned request_id, json_t *reply)
{
	struct client *client = &server->clients[request_id & ((1u << SLOT_BITS) - 1)];

	if (request_id == 0 || client->request_id != request_id) {
		json_decref(reply);
		return;
	}
	client_reply(server, client, reply);
	if (!client->serving) {
		client_serve(server, client);
		arm_timer(server);
	}
}

static bool watch(struct ctl_server *server, int fd, uint32_t tag)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};

	return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct ctl_server *ctl_server_open(const char *path, const char *group, ctl_handler handler,
	void *ctx, char *error, size_t error_size)
{
	struct ctl_server *server = calloc(1, sizeof(*server));

	if (!server) {
		snprintf(error, error_size, "%s: %s", path, strerror(ENOMEM));
		return NULL;
	}
	*server = (struct ctl_server){.listener = -1,
		.accepting = true,
		.handler = handler,
		.ctx = ctx,
		.timeout_ms = CTL_TIMEOUT_MS};
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		server->clients[i] = (struct client){.fd = -1, .deadline = INT64_MAX};
	snprintf(server->path, sizeof(server->path), "%s", path);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (server->epoll < 0 || server->timer < 0) {
		snprintf(error, error_size, "%s: cannot listen: %s", path, strerror(errno));
		ctl_server_close(server);
		return NULL;
	}
	server->listener = ctl_socket_listen(path, group, &server->made, error, error_size);
	if (server->listener >= 0 && (!watch(server, server->listener, TAG_LISTEN) ||
					     !watch(server, server->timer, TAG_TIMER)))
		snprintf(error, error_size, "%s: cannot listen: %s", path, strerror(errno));
	else if (server->listener >= 0)
		return server;
	ctl_server_close(server);
	return NULL;
}

void ctl_server_close(struct ctl_server *server)
{
	if (!server)
		return;
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		if (server->clients[i].fd >= 0)
			client_close(&server->clients[i]);
	if (server->listener >= 0) {
		ctl_socket_remove(server->path, &server->made);
		close(server->listener);
	}
	if (server->timer >= 0)
		close(server->timer);
	if (server->epoll >= 0)
		close(server->epoll);
	free(server);
}

int ctl_server_fd(const struct ctl_server *server)
{
	return server->epoll;
}

void ctl_server_set_timeout(struct ctl_server *server, unsigned ms)
{
	server->timeout_ms = ms;
}
