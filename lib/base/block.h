/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Large blocks of memory on a chosen NUMA node, in huge pages where there are any.
 *
 * Tables live in such blocks and hold offsets instead of pointers, so a copy for another worker is
 * one memcpy. The memory does not come from EAL: it works with --no-huge, and a table may be larger
 * than the memory given to EAL.
 *
 * Layer:   lib/base; no EAL.
 * Threads: any thread but a worker.
 */
#include <stdbool.h>
#include <stddef.h>

/**
 * Zeroed memory of at least @p size bytes, aligned to 64 bytes or more.
 *
 * @param node NUMA node, or -1 for any
 * @return the block (taken by the caller, free with block_free), or NULL: errno says why
 */
void *block_alloc(size_t size, int node);

/**
 * The same for memory of which much is never touched: pages of it are taken as they are first written
 * to, small ones. Little memory is there at once. Free with block_free.
 */
void *block_reserve(size_t size, int node);

/** Whether all memory is equally near to all CPUs: the node makes no difference. */
bool block_near_all(void);

/**
 * memcpy for much memory, @p to from block_alloc: past the caches, so that what workers have in the
 * cache that all CPUs share stays there.
 */
void block_copy(void *to, const void *from, size_t size);

/** Give back a block; @p size as given to block_alloc. NULL is allowed. */
void block_free(void *block, size_t size);
