/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The pool of mbufs that ports receive into.
 *
 * net_af_xdp of DPDK 22.11 gives the kernel the pool's memory as a UMEM of so many bytes as the
 * mbufs have, from the page in which the pool begins: as if there were nothing between them. But
 * a mempool lays no object across the end of a page, and leaves room there: with pages of 4 KiB
 * two fifths of the mbufs are behind the end of the UMEM, with huge pages about one in 1,400.
 * The kernel takes such an address from the fill ring, finds it invalid, and drops it without a
 * word; when the fill ring has lost all its buffers nothing is received any more. So objects of
 * a pool for such ports have a power of two as size, a page at most, and the first begins at a
 * page: there is no room to leave, and none crosses a page either, which zero-copy drivers might
 * not be able to map.
 *
 * Layer:   drivers; DPDK mempool.
 * Threads: control only.
 */
#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

/** Whether port @p id gives the pool's memory to the kernel as a UMEM. */
bool port_needs_umem(uint16_t id);

/**
 * Bytes of memory that one mbuf takes, with what the mempool keeps of it.
 *
 * @param frame_size  bytes of a frame that fit one mbuf
 * @return 0 if that is more than a chunk of a UMEM can have, which is a page
 */
uint32_t port_pool_object_size(uint16_t frame_size, bool umem);

/**
 * A pool on the caller's NUMA node.
 *
 * @param cache       mbufs that each lcore keeps for itself
 * @param frame_size  bytes of a frame that fit one mbuf, beside RTE_PKTMBUF_HEADROOM; in a UMEM
 *                    what is left of the chunk comes on top
 * @param umem        a port of it needs a UMEM
 * @return for rte_mempool_free, or NULL and rte_errno
 */
struct rte_mempool *port_pool_create(
	const char *name, uint32_t n, uint32_t cache, uint16_t frame_size, bool umem);
