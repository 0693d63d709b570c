/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Counters with one writer and any number of readers: a relaxed load and a relaxed store, which on
 * x86-64 are plain moves. Readers never write them; "since" values are the reader's own baseline.
 */
#include <stdint.h>

static inline void counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint64_t counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}
