/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "copies.h"

#include <rte_memcpy.h>

#include "base/block.h"

union place {
	union place *next; // of those that were given back
	struct copy copy;
};

_Static_assert(sizeof(union place) == 128, "two cache lines, and handles are even");

struct copies {
	union place *free;
	uint32_t fresh, n; // those that were never used come last
	union place place[] __attribute__((aligned(64)));
};

static size_t size_of(uint32_t n)
{
	return sizeof(struct copies) + n * sizeof(union place);
}

struct copies *copies_create(uint32_t n, int node)
{
	struct copies *copies = block_reserve(size_of(n), node);

	if (copies)
		copies->n = n;
	return copies;
}

void copies_destroy(struct copies *copies)
{
	if (copies)
		block_free(copies, size_of(copies->n));
}

static struct copy *copy_new(struct copies *copies)
{
	union place *place = copies->free;

	if (place)
		copies->free = place->next;
	else if (copies->fresh < copies->n)
		place = &copies->place[copies->fresh++];
	return place ? &place->copy : NULL;
}

void *copies_take(struct copies *copies, struct rte_mbuf *mbuf)
{
	uint32_t size = rte_pktmbuf_pkt_len(mbuf);
	struct copy *copy;

	if (size > COPIES_OCTETS || mbuf->nb_segs > 1)
		return mbuf;
	copy = copy_new(copies);
	if (!copy)
		return mbuf;
	copy->size = (uint16_t)size;
	rte_memcpy(copy->octets, rte_pktmbuf_mtod(mbuf, void *), size);
	rte_pktmbuf_free(mbuf);
	return (void *)((uintptr_t)copy | 1);
}

void copies_free(struct copies *copies, struct copy *copy)
{
	union place *place = (union place *)copy;

	place->next = copies->free;
	copies->free = place;
}

struct rte_mbuf *copies_expand(struct copies *copies, struct copy *copy, struct rte_mempool *pool)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	if (!mbuf)
		return NULL;
	rte_memcpy(rte_pktmbuf_append(mbuf, copy->size), copy->octets, copy->size);
	copies_free(copies, copy);
	return mbuf;
}
