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
 * To an address with TLS a sender has to show a certificate; it is who this says. One that is not good is refused
 * and counted.
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
#include "tls/tls.h"

#define TAP_CONNECTIONS_MAX 64
#define TAP_PEER_SIZE       64 /**< text that names a peer */
#define TAP_PAUSE_MS        200
#define TAP_STRANGERS_MAX   16 /**< connections of an address of which no frame can come yet: a box has as many at most */

/** What becomes of what comes. */
struct tap_listener_hooks {
	void *ctx; /**< for open; kept */
	/** A sender has begun. @param peer its address, "uid N", or its certificate's name  @return its own context; NULL: refuse */
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

/** Who may send over TLS. */
struct tap_listener_tls {
	struct tls_keeper *keeper; /**< kept; with a CA */
	const char *senders;       /**< names of certificates, between blanks or commas; "": all of the CA. Kept */
};

struct tap_listener;

/**
 * Listen.
 *
 * @param group of unix sockets, mode 0660; "" for that of the process
 * @param tls   NULL where no address has it
 * @param error [out] one line on failure; @p size octets
 * @return taken, close with tap_listener_close; NULL on failure
 */
struct tap_listener *tap_listener_open(const struct endpoints *at, const char *group,
	const struct tap_listener_tls *tls, const struct tap_listener_hooks *hooks, char *error, size_t size);

/**
 * Take what has come in, but not longer than @p patience_ms, and end all connections. NULL is allowed.
 */
void tap_listener_close(struct tap_listener *listener, unsigned patience_ms);

struct tap_listener_stats {
	uint64_t connections; /**< begun */
	uint64_t refused;     /**< of them, ended before the first frame, or too many at once */
	unsigned open;        /**< now */
	uint64_t tls_refused[TLS_FAULTS]; /**< of the refused, those that TLS is the reason for; by enum tls_fault */
	int64_t expires_s;    /**< last second of our certificate, since 1970; 0: there is none */
};

void tap_listener_stats_get(const struct tap_listener *listener, struct tap_listener_stats *stats);
