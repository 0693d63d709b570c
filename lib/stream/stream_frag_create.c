/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream/stream_frag_private.h"

#include <errno.h>
#include <sys/random.h>

#include "base/block.h"

// Where the parts stand in one block.
struct layout {
	size_t buckets, trains, pieces, size;
};

static size_t part(size_t *size, size_t bytes)
{
	size_t at = *size;

	*size += (bytes + 63) / 64 * 64;
	return at;
}

static uint32_t buckets_for(uint32_t trains)
{
	uint32_t n = 16;

	while (n < 2 * trains)
		n *= 2;
	return n;
}

static struct layout layout_make(uint32_t trains, uint32_t pieces)
{
	struct layout l = {0};

	part(&l.size, sizeof(struct stream_frag));
	l.buckets = part(&l.size, buckets_for(trains) * sizeof(uint32_t));
	// The first of each is none.
	l.trains = part(&l.size, (trains + 1u) * sizeof(struct frag_train));
	l.pieces = part(&l.size, (pieces + 1u) * sizeof(struct frag_piece));
	return l;
}

struct stream_frag *stream_frag_create(
	const struct stream_frag_conf *conf, struct stream *stream, int node)
{
	struct layout l = layout_make(conf->trains, conf->packets);
	uint8_t *block = block_alloc(l.size, node);
	struct stream_frag *f = (void *)block;

	if (!f)
		return NULL;
	if (getrandom(f->seed, sizeof(f->seed), 0) != (ssize_t)sizeof(f->seed)) {
		block_free(block, l.size);
		return NULL;
	}
	f->stream = stream;
	f->hold_cycles = conf->hold_ms * stream->cycles_per_ms;
	f->n_trains = conf->trains;
	f->n_pieces = conf->packets;
	f->bucket_mask = buckets_for(conf->trains) - 1;
	f->buckets = (void *)(block + l.buckets);
	f->trains = (void *)(block + l.trains);
	f->pieces = (void *)(block + l.pieces);
	for (uint32_t i = conf->trains; i > 0; i--) {
		f->trains[i].chain = f->free_train;
		f->free_train = i;
	}
	for (uint32_t i = conf->packets; i > 0; i--) {
		f->pieces[i].next = f->free_piece;
		f->free_piece = i;
	}
	return f;
}

void stream_frag_destroy(struct stream_frag *f)
{
	if (f)
		block_free(f, layout_make(f->n_trains, f->n_pieces).size);
}
