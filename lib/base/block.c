/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/block.h"

#include <numa.h>
#include <stdint.h>
#include <sys/mman.h>

#define BLOCK_HUGE_SIZE ((size_t)2 << 20) /* x86-64 large page */

static size_t block_round(size_t size)
{
	// Below half a large page a table gains nothing from one and would waste most of it.
	size_t unit = size < BLOCK_HUGE_SIZE / 2 ? 4096 : BLOCK_HUGE_SIZE;

	return (size + unit - 1) & ~(unit - 1);
}

void *block_alloc(size_t size, int node)
{
	size_t rounded = block_round(size ? size : 1);
	void *block = MAP_FAILED;

	if (rounded >= BLOCK_HUGE_SIZE)
		block = mmap(NULL, rounded, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (block == MAP_FAILED) {
		block = mmap(
			NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (block == MAP_FAILED)
			return NULL;
		if (rounded >= BLOCK_HUGE_SIZE)
			madvise(block, rounded, MADV_HUGEPAGE);
	}
	if (node >= 0 && numa_available() >= 0 && numa_max_node() > 0)
		numa_tonode_memory(block, rounded, node);
	return block;
}

void block_free(void *block, size_t size)
{
	if (block)
		munmap(block, block_round(size ? size : 1));
}
