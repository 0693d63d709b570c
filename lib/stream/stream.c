/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_tcp_private.h"

#include "stream/stream_frag.h"

void stream_begin(struct stream *stream, const struct policy *policy, uint64_t now)
{
	stream->policy = policy;
	stream->now = now;
	stream->tcp->tick = (uint32_t)(now >> stream->tcp->shift);
}

void stream_packet(struct stream *stream, struct burst *burst, unsigned i, void *packet)
{
	if (burst->streams >> i & 1)
		stream_tcp_packet(stream->tcp, burst, i, packet);
	else if (burst->pieces >> i & 1)
		stream_frag_packet(stream->frag, burst, i, packet);
}

void stream_expire(struct stream *stream, const struct policy *policy, uint64_t now)
{
	stream_begin(stream, policy, now);
	stream_tcp_expire(stream->tcp);
	stream_frag_expire(stream->frag);
}

void stream_flush(struct stream *stream)
{
	stream_tcp_flush(stream->tcp);
	stream_frag_flush(stream->frag);
}
