/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_pool.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#define MBUFS      5000 // of 4 KiB, in 64 MiB
#define CACHE      64
#define FRAME_SIZE 2048

static void eal_up(void)
{
	char prefix[64], lcores[16];
	char *argv[] = {(char[]){"test_port_pool"}, (char[]){"--lcores"}, lcores,
		(char[]){"--no-huge"}, (char[]){"-m"}, (char[]){"64"}, (char[]){"--no-pci"},
		(char[]){"--no-shconf"}, (char[]){"--no-telemetry"}, (char[]){"--log-level=error"},
		prefix};

	snprintf(lcores, sizeof(lcores), "0@%d", sched_getcpu());
	snprintf(prefix, sizeof(prefix), "--file-prefix=test%d", (int)getpid());
	cr_assert(rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) >= 0, "%s",
		rte_strerror(rte_errno));
}

// What net_af_xdp gives to the kernel.
struct umem {
	uintptr_t begin, end;
	uint32_t chunk_size, n_outside, n_across;
};

static void object_look(struct rte_mempool *pool, void *ctx, void *object, unsigned i)
{
	struct umem *umem = ctx;
	uintptr_t begin = (uintptr_t)object - pool->header_size, end = begin + umem->chunk_size;
	uintptr_t page = (uintptr_t)getpagesize();

	(void)i;
	umem->n_outside += begin < umem->begin || end > umem->end;
	umem->n_across += begin / page != (end - 1) / page;
}

static struct umem umem_of(struct rte_mempool *pool)
{
	uintptr_t begin = (uintptr_t)STAILQ_FIRST(&pool->mem_list)->addr;
	uintptr_t page = begin & ~((uintptr_t)getpagesize() - 1);
	struct umem umem = {
		.chunk_size = rte_mempool_calc_obj_size(pool->elt_size, pool->flags, NULL)};

	umem.begin = page;
	umem.end = begin + (uintptr_t)pool->populated_size * umem.chunk_size;
	rte_mempool_obj_iter(pool, object_look, &umem);
	return umem;
}

Test(port_pool, each_mbuf_is_inside_the_umem_that_the_driver_reckons)
{
	struct rte_mempool *pool;
	struct umem umem;

	eal_up();
	pool = port_pool_create("packets", MBUFS, CACHE, FRAME_SIZE, true);
	cr_assert(pool, "%s", rte_strerror(rte_errno));
	umem = umem_of(pool);
	cr_expect(pool->populated_size == MBUFS);
	cr_expect(rte_mempool_avail_count(pool) == MBUFS);
	cr_expect(umem.n_outside == 0, "%u of %u", umem.n_outside, MBUFS);
	cr_expect(umem.n_across == 0, "%u cross a page", umem.n_across);
	cr_expect(umem.chunk_size == port_pool_object_size(FRAME_SIZE, true));
	rte_mempool_free(pool);
}

Test(port_pool, a_frame_fits_into_an_mbuf)
{
	for (int umem = 0; umem <= 1; umem++) {
		struct rte_mempool *pool;
		struct rte_mbuf *mbuf;

		if (umem == 0)
			eal_up();
		pool = port_pool_create("packets", MBUFS, CACHE, FRAME_SIZE, umem);
		cr_assert(pool, "%s", rte_strerror(rte_errno));
		mbuf = rte_pktmbuf_alloc(pool);
		cr_assert(mbuf && rte_mbuf_check(mbuf, 1, &(const char *){NULL}) == 0);
		cr_expect(rte_pktmbuf_headroom(mbuf) == RTE_PKTMBUF_HEADROOM);
		cr_expect(rte_pktmbuf_tailroom(mbuf) >= FRAME_SIZE);
		cr_expect((uintptr_t)mbuf->buf_addr + mbuf->buf_len <=
			  (uintptr_t)mbuf + pool->elt_size);
		rte_pktmbuf_free(mbuf);
		rte_mempool_free(pool);
	}
}

Test(port_pool, a_chunk_is_a_page_at_most)
{
	uint32_t page = (uint32_t)getpagesize();
	uint16_t most = FRAME_SIZE;

	// How much the mempool keeps to itself is its affair.
	while (most < page && port_pool_object_size((uint16_t)(most + 1), true) > 0)
		most++;
	cr_expect(port_pool_object_size(most, true) == page);
	cr_expect(most > page - 512 && most < page);
	cr_expect(port_pool_object_size((uint16_t)(most + 1), true) == 0);
	cr_expect(port_pool_object_size((uint16_t)(most + 1), false) > 0);
	rte_errno = 0;
	cr_expect(!port_pool_create("packets", MBUFS, CACHE, (uint16_t)(most + 1), true));
	cr_expect(rte_errno == EINVAL);
}

Test(port_pool, memory_comes_back_also_from_a_pool_that_could_not_be_made)
{
	struct rte_mempool *pool;

	eal_up();
	for (unsigned i = 0; i < 8; i++) {
		rte_errno = 0;
		pool = port_pool_create("packets", 8 * MBUFS, CACHE, FRAME_SIZE, true);
		cr_expect(!pool && rte_errno == ENOMEM, "%s", rte_strerror(rte_errno));
		pool = port_pool_create("packets", MBUFS, CACHE, FRAME_SIZE, true);
		cr_assert(pool, "%s", rte_strerror(rte_errno));
		rte_mempool_free(pool);
	}
}
