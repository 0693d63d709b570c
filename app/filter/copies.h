/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Copies of small frames that are held: a buffer of a port has room for 2 KiB, a TCP segment of a few
 * octets needs a sixteenth of that. A copy becomes an mbuf again when a port can take it.
 *
 * What waits or is held is an mbuf or a copy; a handle tells which.
 *
 * Threads: created and destroyed by the main lcore while the worker does not run; otherwise the
 * worker's own. Hot path.
 */
#include <stdint.h>
#include <rte_mbuf.h>

/** Octets of a frame: TCP over IPv6 with two tags and all options, and four octets of payload. */
#define COPIES_OCTETS 126

struct copy {
	uint16_t size;
	uint8_t octets[COPIES_OCTETS];
};

struct copies;

/** Room for @p n. Memory is taken as it is needed. @return NULL with errno */
struct copies *copies_create(uint32_t n, int node);

/** Give it back, and all that are in it. NULL is allowed. */
void copies_destroy(struct copies *copies);

/** @return a handle of a copy, and @p mbuf is freed; or @p mbuf: it is too long, or there is no room */
void *copies_take(struct copies *copies, struct rte_mbuf *mbuf);

/** Give @p copy back. */
void copies_free(struct copies *copies, struct copy *copy);

/** @return an mbuf of @p pool, and @p copy is given back; or NULL: there is no mbuf */
struct rte_mbuf *copies_expand(struct copies *copies, struct copy *copy, struct rte_mempool *pool);

/** What the handle @p packet is. @return NULL: an mbuf */
static inline struct copy *copies_of(void *packet)
{
	uintptr_t at = (uintptr_t)packet;

	return at & 1 ? (struct copy *)(at - 1) : NULL;
}
