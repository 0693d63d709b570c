/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Random numbers that are the same in every run (xorshift64).
 */
#include <stdint.h>

#define RANDOM_SEED 0x9e3779b97f4a7c15ull

static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/** 0 .. n - 1. */
static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((random_next(state) >> 32) * n >> 32);
}
