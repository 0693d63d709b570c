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
#include "tap/tap_wire.h"

enum tap_connection_state {
	TAP_CONNECTION_FREE,
	TAP_CONNECTION_OPEN,
	TAP_CONNECTION_ENDED, /**< its thread wants to be joined */
};

struct tap_connection {
	struct tap_listener *listener;
	_Atomic unsigned state; /**< enum tap_connection_state */
	_Atomic bool stranger;  /**< data frames may not come yet */
	pthread_t thread;
	struct tap_wire wire;
	bool tls;
	char peer[TAP_PEER_SIZE];    /**< who it is */
	char address[TAP_PEER_SIZE]; /**< where it comes from */

	/* thread alone */
	void *ctx; /**< of the hooks; NULL: not begun */
	uint8_t *buffer;
	size_t have; /**< octets in the buffer */
	size_t skip; /**< octets to come that nobody wants */
	bool begun;  /**< data frames may come; then it is no stranger */
	bool ended;  /**< the sender has said that this was all */
};

struct tap_listener {
	struct tap_listener_hooks hooks;
	struct tap_listener_tls tls; /**< keeper NULL: none */
	pthread_t thread; /**< accepts and joins */
	int wake;         /**< eventfd: a thread has ended, or all shall */
	unsigned n;
	int sockets[ENDPOINTS_MAX];
	struct endpoint at[ENDPOINTS_MAX];
	struct stat made[ENDPOINTS_MAX]; /**< of unix sockets */
	_Atomic int64_t end_ms;  /**< by the monotonic clock: read until then, and end. 0: go on */
	_Atomic uint64_t connections, refused, tls_refused[TLS_FAULTS];
	struct tap_connection slots[TAP_CONNECTIONS_MAX];
};

/** Body of a connection's thread. @param arg the connection, its wire, tls, peer and address filled in */
void *tap_connection_main(void *arg);
