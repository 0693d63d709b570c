/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The receiving side of Frame Streams, for any number of senders: boxes, and other software that speaks
 * dnstap. A thread a connection reads, and hands over each data frame where it stands.
 *
 * What is read may hold whole client addresses: buffers and the stacks of these threads are left out of core
 * dumps.
 *
 * A frame over TAP_FRAME_MAX is passed over and counted; the connection goes on behind it. A sender that
 * does not speak Frame Streams, or another content type, is refused.
 *
 * Layer:   lib/tap; no EAL.
 * Threads: hooks are called by the thread of their connection, several at once; `open` too.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/endpoint.h"

#define TAP_CONNECTIONS_MAX 64
#define TAP_PEER_SIZE       64 /**< text that names a peer */
#define TAP_PAUSE_MS        200

/** What becomes of what comes. */
struct tap_listener_hooks {
	void *ctx; /**< for open; kept */
	/** A sender has begun. @param peer its address, or "uid N"  @return its own context; NULL: refuse */
	void *(*open)(void *ctx, const char *peer);
	/** A frame; borrowed for the call. */
	void (*frame)(void *connection, const uint8_t *frame, size_t size);
	/** A frame of @p size octets was passed over. */
	void (*oversized)(void *connection, size_t size);
	/** All that came was handed over; called after each piece read, and every TAP_PAUSE_MS at least. */
	void (*pause)(void *connection);
	/** The end; the context is the hooks' to free. @param why NULL: in good order; static */
	void (*close)(void *connection, const char *why);
};

struct tap_listener;

/**
 * Listen.
 *
 * @param group of unix sockets, mode 0660; "" for that of the process
 * @param error [out] one line on failure; @p size octets
 * @return taken, close with tap_listener_close; NULL on failure
 */
struct tap_listener *tap_listener_open(const struct endpoints *at, const char *group,
	const struct tap_listener_hooks *hooks, char *error, size_t size);

/**
 * Take what has come in, but not longer than @p patience_ms, and end all connections. NULL is allowed.
 */
void tap_listener_close(struct tap_listener *listener, unsigned patience_ms);

struct tap_listener_stats {
	uint64_t connections; /**< begun */
	uint64_t refused;     /**< of them, ended before the first frame, or too many at once */
	unsigned open;        /**< now */
};

void tap_listener_stats_get(const struct tap_listener *listener, struct tap_listener_stats *stats);
