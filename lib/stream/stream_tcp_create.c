/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream/stream_tcp_private.h"

#include <errno.h>
#include <sys/random.h>

#include "base/block.h"

// How long a connection is kept that nothing comes of: resolvers close idle ones after some seconds
// (RFC 7766 s6.2.3), a client that vanished is asked for 10 s or so.
static const uint32_t idle_ms[STREAM_AGES] = {
	[STREAM_YOUNG] = 20000, [STREAM_LIVE] = 120000, [STREAM_CLOSING] = 2000};

#define MESSAGE_SIZE (2u + 65535u) // with its length, RFC 1035 s4.2.2

// Where the parts of the block are, from its start; each on a cache line of its own.
struct layout {
	size_t buckets, flows, chunks, patches, held, text, sent, octets, size;
	uint32_t n_buckets, n_chunks, n_patches, n_held;
};

static size_t part(struct layout *l, size_t size)
{
	size_t at = l->size;

	l->size = (at + size + 63) & ~(size_t)63;
	return at;
}

static struct layout lay_out(const struct stream_conf *conf)
{
	struct layout l = {.size = 0, .n_buckets = 1};

	while (l.n_buckets < conf->flows)
		l.n_buckets *= 2;
	// A message is long, what changes in it is short.
	l.n_chunks = (uint32_t)(conf->memory * 3 / 4 / sizeof(struct stream_chunk));
	l.n_patches = (uint32_t)(conf->memory / 4 / sizeof(struct stream_patch));
	l.n_held = conf->held * (1 + STREAM_COPIES);
	part(&l, sizeof(struct stream_tcp));
	l.buckets = part(&l, l.n_buckets * sizeof(uint32_t));
	l.flows = part(&l, conf->flows * sizeof(struct stream_flow));
	l.chunks = part(&l, l.n_chunks * sizeof(struct stream_chunk));
	l.patches = part(&l, l.n_patches * sizeof(struct stream_patch));
	l.held = part(&l, l.n_held * sizeof(struct stream_held));
	l.text = part(&l, MESSAGE_SIZE);
	l.sent = part(&l, MESSAGE_SIZE);
	l.octets = part(&l, MESSAGE_SIZE);
	return l;
}

static void pools_fill(
	struct stream_tcp *tcp, const struct layout *l, const struct stream_conf *conf)
{
	for (uint32_t i = 0; i < l->n_buckets; i++)
		tcp->buckets[i] = STREAM_NONE;
	tcp->flow_pool = (struct stream_pool){STREAM_NONE, 0, conf->flows};
	tcp->chunk_pool = (struct stream_pool){STREAM_NONE, 0, l->n_chunks};
	tcp->gap_weight = conf->held / STREAM_GAP_SHARE * STREAM_WEIGHT;
	if (tcp->gap_weight > UINT16_MAX - STREAM_WEIGHT)
		tcp->gap_weight = UINT16_MAX - STREAM_WEIGHT;
	tcp->n_whole_max = conf->held;
	tcp->n_patches = l->n_patches;
	tcp->held_pool = (struct stream_pool){STREAM_NONE, 0, l->n_held};
	for (unsigned i = 0; i < STREAM_AGES; i++)
		tcp->ages[i] = (struct stream_list){STREAM_NONE, STREAM_NONE, 0, STREAM_LINK_AGE};
	for (unsigned i = 0; i < STREAM_TIMERS; i++)
		tcp->timers[i] =
			(struct stream_list){STREAM_NONE, STREAM_NONE, 0, STREAM_LINK_TIMER};
}

static void clock_set(
	struct stream_tcp *tcp, const struct stream_conf *conf, uint64_t cycles_per_ms)
{
	while (UINT64_C(4) << tcp->shift < cycles_per_ms)
		tcp->shift++;
	tcp->hold = (uint32_t)(conf->hold_ms * cycles_per_ms >> tcp->shift) + 1;
	tcp->gap = (uint32_t)(conf->gap_ms * cycles_per_ms >> tcp->shift) + 1;
	for (unsigned i = 0; i < STREAM_AGES; i++)
		tcp->idle[i] = (uint32_t)(idle_ms[i] * cycles_per_ms >> tcp->shift) + 1;
}

struct stream_tcp *stream_tcp_create(
	struct stream *stream, const struct stream_conf *conf, int node)
{
	struct layout l = lay_out(conf);
	uint8_t *block;
	struct stream_tcp *tcp;

	if (conf->flows == 0 || conf->flows > STREAM_OWNER_MASK + 1 || conf->held == 0 ||
		l.n_chunks == 0 || l.n_patches == 0) {
		errno = EINVAL;
		return NULL;
	}
	block = block_alloc(l.size, node);
	if (!block)
		return NULL;
	tcp = (struct stream_tcp *)(void *)block;
	if (getrandom(tcp->seed, sizeof(tcp->seed), 0) != sizeof(tcp->seed)) {
		block_free(block, l.size);
		return NULL;
	}
	tcp->stream = stream;
	tcp->size = l.size;
	tcp->bucket_mask = l.n_buckets - 1;
	tcp->buckets = (uint32_t *)(void *)(block + l.buckets);
	tcp->flows = (struct stream_flow *)(void *)(block + l.flows);
	tcp->chunks = (struct stream_chunk *)(void *)(block + l.chunks);
	tcp->patches = (struct stream_patch *)(void *)(block + l.patches);
	tcp->held = (struct stream_held *)(void *)(block + l.held);
	tcp->text = block + l.text;
	tcp->sent = block + l.sent;
	tcp->octets = block + l.octets;
	pools_fill(tcp, &l, conf);
	clock_set(tcp, conf, stream->cycles_per_ms);
	return tcp;
}

void stream_tcp_destroy(struct stream_tcp *tcp)
{
	if (tcp)
		block_free(tcp, tcp->size);
}
