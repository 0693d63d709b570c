/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_listener_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/ctl_socket.h"
#include "tap/tap_private.h"

#define ACCEPT_MS 1000 // no file descriptor left: try again after this

static void listener_wake(struct tap_listener *listener)
{
	const uint64_t one = 1;

	// It fails only when the counter is full, and then the thread is awake.
	if (write(listener->wake, &one, sizeof(one)) < 0)
		return;
}

/* ---- accepting ------------------------------------------------------------------------------ */

static void peer_name(int fd, const struct sockaddr_storage *address, char peer[TAP_PEER_SIZE])
{
	struct ucred ucred = {0};
	socklen_t size = sizeof(ucred);

	if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, peer,
			TAP_PEER_SIZE);
	else if (address->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, peer,
			TAP_PEER_SIZE);
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) == 0)
		snprintf(peer, TAP_PEER_SIZE, "uid %u", ucred.uid);
	else
		strcpy(peer, "unix");
}

static struct tap_connection *slot_free(struct tap_listener *listener)
{
	for (unsigned i = 0; i < TAP_CONNECTIONS_MAX; i++)
		if (atomic_load(&listener->slots[i].state) == TAP_CONNECTION_FREE)
			return &listener->slots[i];
	return NULL;
}

// Who only connects shall not keep others out. Programs of this machine are told apart by their sockets.
static bool too_many(const struct tap_listener *listener, const char *address, int family)
{
	unsigned n = 0;

	for (unsigned i = 0; i < TAP_CONNECTIONS_MAX && family != AF_UNIX; i++) {
		const struct tap_connection *slot = &listener->slots[i];

		n += atomic_load(&slot->state) == TAP_CONNECTION_OPEN &&
		     atomic_load(&slot->stranger) && strcmp(slot->address, address) == 0;
	}
	return n >= TAP_STRANGERS_MAX;
}

// @return whether there may be more
static bool accept_one(struct tap_listener *listener, unsigned at)
{
	int socket = listener->sockets[at];
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd = accept4(socket, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct tap_connection *slot = slot_free(listener);
	char peer[TAP_PEER_SIZE] = "";

	if (fd < 0) {
		if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
			return false;
		log_line(LOG_WARN, "tap: a sender cannot be taken: %s", strerror(errno));
		poll(NULL, 0, ACCEPT_MS);
		return false;
	}
	atomic_fetch_add(&listener->connections, 1);
	peer_name(fd, &address, peer);
	if (slot && !too_many(listener, peer, address.ss_family)) {
		memcpy(slot->peer, peer, sizeof(slot->peer));
		memcpy(slot->address, peer, sizeof(slot->address));
		atomic_store(&slot->stranger, true);
		slot->listener = listener;
		slot->wire = (struct tap_wire){fd, NULL};
		slot->tls = listener->at[at].tls;
		atomic_store(&slot->state, TAP_CONNECTION_OPEN);
		if (pthread_create(&slot->thread, NULL, tap_connection_main, slot) == 0)
			return true;
		atomic_store(&slot->state, TAP_CONNECTION_FREE);
	}
	log_line(LOG_WARN, "tap: sender %s is refused: there are %u%s", peer,
		slot ? TAP_STRANGERS_MAX : TAP_CONNECTIONS_MAX,
		slot ? " of it that have sent nothing" : "");
	atomic_fetch_add(&listener->refused, 1);
	close(fd);
	return true;
}

static unsigned connections_join(struct tap_listener *listener)
{
	unsigned open = 0;

	for (unsigned i = 0; i < TAP_CONNECTIONS_MAX; i++) {
		struct tap_connection *slot = &listener->slots[i];

		if (atomic_load(&slot->state) == TAP_CONNECTION_ENDED) {
			pthread_join(slot->thread, NULL);
			atomic_store(&slot->state, TAP_CONNECTION_FREE);
		}
		open += atomic_load(&slot->state) == TAP_CONNECTION_OPEN;
	}
	return open;
}

static void *listener_main(void *arg)
{
	struct tap_listener *listener = arg;
	struct pollfd polled[ENDPOINTS_MAX + 1];
	unsigned n = listener->n;
	uint64_t count;

	for (unsigned i = 0; i < n; i++)
		polled[i] = (struct pollfd){listener->sockets[i], POLLIN, 0};
	polled[n] = (struct pollfd){listener->wake, POLLIN, 0};
	while (atomic_load(&listener->end_ms) == 0) {
		if (poll(polled, n + 1, -1) < 0)
			continue;
		if (polled[n].revents && read(listener->wake, &count, sizeof(count)) < 0)
			continue;
		connections_join(listener);
		for (unsigned i = 0; i < n; i++)
			while (polled[i].revents && accept_one(listener, i))
				;
	}
	while (connections_join(listener) > 0)
		if (poll(&polled[n], 1, -1) > 0 && read(listener->wake, &count, sizeof(count)) < 0)
			continue;
	return NULL;
}

/* ---- opening and closing -------------------------------------------------------------------- */

static void sockets_close(struct tap_listener *listener)
{
	for (unsigned i = 0; i < listener->n; i++) {
		close(listener->sockets[i]);
		if (listener->at[i].path[0])
			ctl_socket_remove(listener->at[i].path, &listener->made[i]);
	}
	if (listener->wake >= 0)
		close(listener->wake);
	free(listener);
}

static int socket_open(struct tap_listener *listener, const struct endpoint *at, const char *group,
	char *error, size_t size)
{
	unsigned i = listener->n;
	char text[ENDPOINT_TEXT_SIZE];
	int fd;

	if (at->path[0]) {
		fd = ctl_socket_listen(at->path, group, &listener->made[i], error, size);
	} else {
		fd = endpoint_listen(at);
		if (fd < 0)
			snprintf(error, size, "%s: cannot listen: %s", endpoint_format(at, text),
				strerror(-fd));
	}
	if (fd < 0)
		return fd;
	listener->sockets[i] = fd;
	listener->at[i] = *at;
	listener->n++;
	return 0;
}

struct tap_listener *tap_listener_open(const struct endpoints *at, const char *group,
	const struct tap_listener_tls *tls, const struct tap_listener_hooks *hooks, char *error,
	size_t size)
{
	struct tap_listener *listener = calloc(1, sizeof(*listener));
	int err = 0;

	if (!listener) {
		snprintf(error, size, "listener: %s", strerror(ENOMEM));
		return NULL;
	}
	listener->hooks = *hooks;
	if (tls)
		listener->tls = *tls;
	listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (unsigned i = 0; i < at->n && err == 0; i++)
		err = socket_open(listener, &at->at[i], group, error, size);
	if (err == 0) {
		err = listener->wake < 0
			      ? -EMFILE
			      : -pthread_create(&listener->thread, NULL, listener_main, listener);
		if (err == 0)
			return listener;
		snprintf(error, size, "listener: %s", strerror(-err));
	}
	sockets_close(listener);
	return NULL;
}

void tap_listener_close(struct tap_listener *listener, unsigned patience_ms)
{
	if (!listener)
		return;
	atomic_store(&listener->end_ms, tap_now_ms() + patience_ms);
	listener_wake(listener);
	pthread_join(listener->thread, NULL);
	sockets_close(listener);
}

void tap_listener_stats_get(const struct tap_listener *listener, struct tap_listener_stats *stats)
{
	*stats = (struct tap_listener_stats){
		.connections = atomic_load(&listener->connections),
		.refused = atomic_load(&listener->refused),
		.expires_s = listener->tls.keeper ? tls_keeper_expires(listener->tls.keeper) : 0,
	};
	for (unsigned i = 0; i < TLS_FAULTS; i++)
		stats->tls_refused[i] = atomic_load(&listener->tls_refused[i]);
	for (unsigned i = 0; i < TAP_CONNECTIONS_MAX; i++)
		stats->open += atomic_load(&listener->slots[i].state) == TAP_CONNECTION_OPEN;
}
