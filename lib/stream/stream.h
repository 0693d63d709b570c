/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * DNS messages that do not come in one packet: out of TCP streams, and out of IP fragments.
 *
 * Packets that have only a part of a message are held until all of it is there, for a bounded time.
 * The message is judged in a buffer of its own, behind a copy of its packet's headers, as a UDP
 * message is judged in its frame; what changed there is changed in the packets, and they go on in
 * the order in which they came.
 *
 * One context for each worker and port pair: both directions of a connection come to the same one.
 * All memory is taken at creation.
 *
 * Layer:   lib/stream; no EAL, no allocation after creation.
 * Threads: the worker's own.
 *
 * Usage:   for each burst with streams or pieces, after its single packets went through the stages:
 *            stream_begin(stream, policy, now)
 *            stream_packet(stream, burst, i, packet) for each of those slots, in order
 *          each poll round: stream_expire(stream, policy, now)
 *          at the end: stream_flush(stream)
 */
#include <stddef.h>
#include <stdint.h>

#include "base/burst.h"
#include "base/packet.h"
#include "policy/policy.h"
#include "stats/stats.h"

/** Of IP fragments. */
struct stream_frag_conf {
	unsigned trains;  /**< datagrams of which a part came, at once; 0: all fragments pass */
	unsigned packets; /**< fragments that may be held; 1 or more */
	unsigned hold_ms; /**< longest that they are held for the rest to come */
};

/** Copies of small packets (packet_ops.keep) that may be held beside each packet that may be. */
#define STREAM_COPIES 32

struct stream_conf {
	unsigned flows;   /**< TCP connections that are followed at once */
	size_t memory;    /**< bytes for TCP messages of which a part came, and for edits to repeat */
	unsigned hold_ms; /**< longest that a part of a TCP message is held for the rest to come */
	unsigned gap_ms;  /**< longest that TCP segments are held because one before them is missing */
	unsigned held;    /**< TCP segments that may be held as they came */
	struct stream_frag_conf frag;
};

enum stream_how {
	STREAM_WHOLE, /**< a message, for the first time: mirrored and counted */
	STREAM_PART,  /**< the records of a message that are there so far: neither */
};

struct stream_hooks {
	const struct packet_ops *ops;
	/**
	 * Judge slot 0 of @p message, a burst of that one slot whose frame, frame_size, frame_room,
	 * `pkt` group and side are set. What changes in the frame is what has to change on the wire;
	 * message->resized and dropped say so as in any burst.
	 *
	 * @return what the packets that carry it are counted by
	 */
	enum reason (*judge)(void *ctx, struct burst *message, enum stream_how how);
	void *ctx; /**< of judge, and of ops */
	struct stats_worker *stats;
};

struct stream;

/**
 * @param hooks         copied
 * @param cycles_per_ms of the clock that `now` is read from
 * @param node          NUMA node, -1 any
 * @return a context, or NULL with errno
 */
struct stream *stream_create(const struct stream_conf *conf, const struct stream_hooks *hooks,
	uint64_t cycles_per_ms, int node);

/** Give it back; packets that it holds are dropped uncounted, so stream_flush comes first. NULL is allowed. */
void stream_destroy(struct stream *stream);

/** What the following packets are judged at; @p policy is borrowed until the last of them. */
void stream_begin(struct stream *stream, const struct policy *policy, uint64_t now);

/**
 * One packet, with its bit in burst->streams or burst->pieces. Its reason is set here. If its bit in
 * burst->taken is set then, the packet is lib/stream's, which sends and counts it, now or later;
 * else it goes on behind what was sent meanwhile.
 *
 * Hot path. Work is bounded by the packet and what is held of its stream.
 */
void stream_packet(struct stream *stream, struct burst *burst, unsigned i, void *packet);

/** Send what was held long enough. Costs a comparison where that is nothing. */
void stream_expire(struct stream *stream, const struct policy *policy, uint64_t now);

/** Send all that is held, as it is. */
void stream_flush(struct stream *stream);
