/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/block.h"

#include <numa.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK_HUGE_SIZE ((size_t)2 << 20)   /* x86-64 large page */
#define BLOCK_AT_ONCE   ((size_t)256 << 10) /* so little costs nobody anything */

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
	if (node >= 0 && !block_near_all())
		numa_tonode_memory(block, rounded, node);
	return block;
}

void *block_reserve(size_t size, int node)
{
	size_t rounded = block_round(size ? size : 1);
	void *block = mmap(NULL, rounded, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (block == MAP_FAILED)
		return NULL;
	madvise(block, rounded, MADV_NOHUGEPAGE);
	if (node >= 0 && !block_near_all())
		numa_tonode_memory(block, rounded, node);
	// A worker that writes does not meet the kernel then.
	if (size <= BLOCK_AT_ONCE)
		memset(block, 0, size);
	return block;
}

bool block_near_all(void)
{
	return numa_available() < 0 || numa_max_node() == 0;
}

void block_copy(void *to, const void *from, size_t size)
{
	uint8_t *out = to;
	const uint8_t *in = from;
	size_t at = 0;

#ifdef __SSE2__
	for (; at + 64 <= size && (uintptr_t)out % 16 == 0; at += 64) {
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)(in + at));
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(in + at + 16));
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(in + at + 32));
		__m128i d = _mm_loadu_si128((const __m128i *)(const void *)(in + at + 48));

		_mm_stream_si128((__m128i *)(void *)(out + at), a);
		_mm_stream_si128((__m128i *)(void *)(out + at + 16), b);
		_mm_stream_si128((__m128i *)(void *)(out + at + 32), c);
		_mm_stream_si128((__m128i *)(void *)(out + at + 48), d);
	}
	// Such stores are not ordered by the release that publishes a table.
	_mm_sfence();
#endif
	memcpy(out + at, in + at, size - at);
}

void block_free(void *block, size_t size)
{
	if (block)
		munmap(block, block_round(size ? size : 1));
}
