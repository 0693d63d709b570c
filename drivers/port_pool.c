/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_pool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_memzone.h>

// Else objects are spread over memory channels by sizes that are no power of two.
#define UMEM_FLAGS RTE_MEMPOOL_F_NO_SPREAD

bool port_needs_umem(uint16_t id)
{
	struct rte_eth_dev_info info;

	return rte_eth_dev_info_get(id, &info) == 0 && strstr(info.driver_name, "af_xdp");
}

static uint32_t element_size(uint16_t frame_size)
{
	return (uint32_t)sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + frame_size;
}

uint32_t port_pool_object_size(uint16_t frame_size, bool umem)
{
	uint32_t size;

	if (!umem)
		return rte_mempool_calc_obj_size(element_size(frame_size), 0, NULL);
	size = rte_align32pow2(
		rte_mempool_calc_obj_size(element_size(frame_size), UMEM_FLAGS, NULL));
	return size <= (uint32_t)getpagesize() ? size : 0;
}

static void zone_free(struct rte_mempool_memhdr *memory, void *zone)
{
	(void)memory;
	rte_memzone_free(zone);
}

// One piece of memory, also where its pages are not together in physical memory.
static int pool_populate(struct rte_mempool *pool, uint32_t object_size)
{
	size_t size = (size_t)pool->size * object_size;
	const struct rte_memzone *zone;
	int n;

	zone = rte_memzone_reserve_aligned(
		pool->name, size, pool->socket_id, 0, (unsigned)getpagesize());
	if (!zone)
		return -rte_errno;
	n = rte_mempool_populate_virt(
		pool, zone->addr, size, (size_t)getpagesize(), zone_free, (void *)(uintptr_t)zone);
	if (n <= 0) {
		// Of which nothing is left to be freed if the mempool had begun to use it.
		rte_memzone_free(zone);
		return n < 0 ? n : -ENOBUFS;
	}
	// The zone is the pool's now.
	return (uint32_t)n == pool->size ? 0 : -ENOBUFS;
}

static struct rte_mempool *umem_pool_create(
	const char *name, uint32_t n, uint32_t cache, uint16_t frame_size)
{
	uint32_t object_size = port_pool_object_size(frame_size, true);
	struct rte_pktmbuf_pool_private private = {0};
	struct rte_mempool_objsz parts;
	struct rte_mempool *pool;
	uint32_t element;
	int err;

	if (object_size == 0) {
		rte_errno = EINVAL;
		return NULL;
	}
	// All that the mempool does not need for itself is the mbuf's.
	rte_mempool_calc_obj_size(element_size(frame_size), UMEM_FLAGS, &parts);
	element = object_size - parts.header_size - parts.trailer_size;
	private.mbuf_data_room_size = (uint16_t)(element - sizeof(struct rte_mbuf));
	pool = rte_mempool_create_empty(
		name, n, element, cache, sizeof(private), (int)rte_socket_id(), UMEM_FLAGS);
	if (!pool)
		return NULL;
	err = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
	if (err == 0) {
		rte_pktmbuf_pool_init(pool, &private);
		err = pool_populate(pool, object_size);
	}
	if (err < 0) {
		rte_mempool_free(pool);
		rte_errno = -err;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

struct rte_mempool *port_pool_create(
	const char *name, uint32_t n, uint32_t cache, uint16_t frame_size, bool umem)
{
	if (umem)
		return umem_pool_create(name, n, cache, frame_size);
	return rte_pktmbuf_pool_create(name, n, cache, 0,
		(uint16_t)(frame_size + RTE_PKTMBUF_HEADROOM), (int)rte_socket_id());
}
