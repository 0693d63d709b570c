/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Frames to one or several collectors, over Frame Streams.
 *
 * Each destination gets every frame, over one or several connections (lanes) that take turns. A lane is a
 * stream of its own: it has a random start id and numbers its frames; a thread connects, writes, and
 * connects again when the other side was gone. Meanwhile frames wait in the lane's queue. One for which
 * there is no room is lost and counted, and its number is missing, so the collector sees the gap.
 *
 * To a destination with TLS each side shows a certificate. One of the other side that is not good is as if nobody
 * were there: it is tried again, with what the files hold then. All of TLS is in the lanes' threads.
 *
 * Layer:   lib/tap; no EAL; a thread a lane.
 * Threads: one producer (tap_sender_send, tap_sender_flush), which never waits; statistics any thread.
 */
#include "base/endpoint.h"
#include "tap/tap.h"
#include "tap/tap_extra.h"
#include "tls/tls.h"

struct tap_sender_config {
	const struct endpoint *to; /**< destinations; borrowed */
	unsigned n;
	unsigned connections; /**< to each destination */
	size_t queue_size;    /**< octets of each queue; a power of two, at least 1 MiB */
	struct tls_keeper *tls;  /**< for those with TLS, else NULL; kept */
	const char *tls_name;    /**< in their certificates; "": the address; borrowed */
	void (*thread_start)(void); /**< called by each thread first, to choose its CPUs; or NULL */
};

/** Sums over all lanes, since the start. */
struct tap_sender_stats {
	uint64_t frames;    /**< that got a number */
	uint64_t sent;      /**< given to a socket */
	uint64_t lost_full; /**< there was no room in the queue */
	uint64_t lost_stop; /**< still waiting when the sender was closed */
	uint64_t waiting;   /**< octets in queues now */
	uint64_t connects;  /**< connections made */
	uint64_t refused;   /**< tries that ended since one side refused the other's certificate, or no TLS came */
	unsigned connected; /**< lanes that have a connection now */
	unsigned lanes;
};

struct tap_sender;

/** @return taken, close with tap_sender_close; NULL with errno set */
struct tap_sender *tap_sender_open(const struct tap_sender_config *config);

/**
 * Wait until queues are empty, but not longer than @p patience_ms, end the streams, and free. Nobody may
 * send any more. NULL is allowed.
 *
 * @param stats [out] final ones; may be NULL
 */
void tap_sender_close(
	struct tap_sender *sender, unsigned patience_ms, struct tap_sender_stats *stats);

/**
 * Put a frame into the queue of one lane of each destination.
 *
 * @param message borrowed; its extra is set here
 * @param extra   borrowed; its start and seq are set here. Its lost is told by the first lane of a
 *                destination alone, so that it is not counted several times
 */
void tap_sender_send(
	struct tap_sender *sender, struct tap_message *message, struct tap_extra *extra);

/** Wake threads that sleep although there are frames for them; to be called when no more come for a while. */
void tap_sender_flush(struct tap_sender *sender);

void tap_sender_stats_get(const struct tap_sender *sender, struct tap_sender_stats *stats);
