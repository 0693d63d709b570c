/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * CPUs with vectors of 64 octets. What is written for them has a plain twin that finds the same; which
 * one runs is asked of the CPU, not of the compiler.
 */
#include <stdbool.h>

#if defined(__x86_64__)
#include <immintrin.h>

/** What the compiler has to know of such a CPU. */
#define CPU_WIDE_TARGET "avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,lzcnt,popcnt"
#define CPU_WIDE        __attribute__((target(CPU_WIDE_TARGET)))

/** Intel's from Ice Lake on, AMD's from Zen 4 on. Costs a few instructions: once a burst. */
static inline bool cpu_is_wide(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2") &&
	       __builtin_cpu_supports("popcnt");
}
#else
static inline bool cpu_is_wide(void)
{
	return false;
}
#endif
