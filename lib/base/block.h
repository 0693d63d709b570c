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
#include <stddef.h>

/**
 * Zeroed memory of at least @p size bytes, aligned to 64 bytes or more.
 *
 * @param node NUMA node, or -1 for any
 * @return the block (taken by the caller, free with block_free), or NULL: errno says why
 */
void *block_alloc(size_t size, int node);

/** Give back a block; @p size as given to block_alloc. NULL is allowed. */
void block_free(void *block, size_t size);
