/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/block.h"
#include "stream/stream_frag.h"
#include "stream/stream_tcp_private.h"

#define SIZE_ALL (sizeof(struct stream) + STREAM_SCRATCH_SIZE)

struct stream *stream_create(const struct stream_conf *conf, const struct stream_hooks *hooks,
	uint64_t cycles_per_ms, int node)
{
	struct stream *stream = block_alloc(SIZE_ALL, node);

	if (!stream)
		return NULL;
	stream->hooks = *hooks;
	stream->cycles_per_ms = cycles_per_ms;
	stream->scratch = (uint8_t *)(stream + 1);
	stream->tcp = stream_tcp_create(stream, conf, node);
	stream->frag = stream_frag_create(&conf->frag, stream, node);
	if (!stream->tcp || !stream->frag) {
		stream_destroy(stream);
		return NULL;
	}
	return stream;
}

void stream_destroy(struct stream *stream)
{
	if (!stream)
		return;
	stream_tcp_destroy(stream->tcp);
	stream_frag_destroy(stream->frag);
	block_free(stream, SIZE_ALL);
}
