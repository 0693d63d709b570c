/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A connection of the listener, and its thread.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tap/tap_listener.h"

enum tap_connection_state {
	TAP_CONNECTION_FREE,
	TAP_CONNECTION_OPEN,
	TAP_CONNECTION_ENDED, /**< its thread wants to be joined */
};

struct tap_connection {
	struct tap_listener *listener;
	_Atomic unsigned state; /**< enum tap_connection_state */
	pthread_t thread;
	int fd;
	char peer[TAP_PEER_SIZE];

	/* thread alone */
	void *ctx; /**< of the hooks; NULL: not begun */
	uint8_t *buffer;
	size_t have; /**< octets in the buffer */
	size_t skip; /**< octets to come that nobody wants */
	bool begun;  /**< data frames may come */
	bool ended;  /**< the sender has said that this was all */
};

struct tap_listener {
	struct tap_listener_hooks hooks;
	pthread_t thread; /**< accepts and joins */
	int wake;         /**< eventfd: a thread has ended, or all shall */
	unsigned n;
	int sockets[ENDPOINTS_MAX];
	struct endpoint at[ENDPOINTS_MAX];
	struct stat made[ENDPOINTS_MAX]; /**< of unix sockets */
	_Atomic int64_t end_ms;  /**< by the monotonic clock: read until then, and end. 0: go on */
	_Atomic uint64_t connections, refused;
	struct tap_connection slots[TAP_CONNECTIONS_MAX];
};

/** Body of a connection's thread. @param arg the connection, its fd and peer filled in */
void *tap_connection_main(void *arg);
