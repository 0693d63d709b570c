/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What TCP (stream_tcp*) and fragments (stream_frag*) share.
 *
 * Threads: the worker's own.
 */
#include "stream/stream.h"

/** Headers of a frame and the longest message behind them. */
#define STREAM_SCRATCH_SIZE (2 * 65536u)

struct stream_tcp;

struct stream {
	struct stream_tcp *tcp;
	struct stream_hooks hooks;
	const struct policy *policy; /**< of the packets at hand; borrowed */
	uint64_t now;                /**< cycles */
	uint64_t cycles_per_ms;
	uint8_t *scratch;     /**< STREAM_SCRATCH_SIZE: where a message is judged */
	struct burst message; /**< one slot */
	struct stream_frag *frag;
};

/**
 * Judge the message that slot 0 of stream->message was filled with; its side is set here.
 * @return what its packets are counted by
 */
static inline enum reason stream_judge(struct stream *stream, enum stream_how how)
{
	stream->message.n = 1;
	stream->message.side = BURST_FROM_RESOLVERS;
	return stream->hooks.judge(stream->hooks.ctx, &stream->message, how);
}

/** A packet begins, or ends, to be held. */
static inline void stream_held(struct stream *stream, int n)
{
	counter_add(&stream->hooks.stats->held, (uint64_t)(int64_t)n);
}

/** Send a packet that was held, and count it. */
static inline void stream_send(struct stream *stream, void *packet, enum reason reason)
{
	counter_add(&stream->hooks.stats->verdicts[reason], 1);
	stream_held(stream, -1);
	stream->hooks.ops->send(stream->hooks.ctx, packet);
}

/** Drop a packet that was held, and count it. */
static inline void stream_drop(struct stream *stream, void *packet, enum reason reason)
{
	counter_add(&stream->hooks.stats->verdicts[reason], 1);
	stream_held(stream, -1);
	stream->hooks.ops->drop(stream->hooks.ctx, packet);
}
