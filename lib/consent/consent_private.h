/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The consent table as it lies in its block, and the points it is made of.
 *
 * Prefixes nest; what the table holds does not. A sweep over the sorted prefixes gives the points
 * of the address space where the answer changes; the answer for an address is that of the last
 * point at or before it. The first point is always address 0.
 *
 *       0  struct consent_table                         128 bytes
 *          uint32_t ipv4_index[65537]       from 4097 points up, else left out
 *          uint32_t ipv4_start[n_ipv4]      ascending, host byte order
 *          uint8_t  ipv4_answer[n_ipv4]
 *          uint64_t level[0][..8]           root of the tree of high halves
 *          ...
 *          uint64_t level[n_levels - 1][n_high]  all of them, ascending
 *          uint8_t  high_answer[n_high]     CONSENT_SPLIT beside the bits
 *          struct consent_split split[n_split]           ascending
 *          uint8_t  split_answer[n_split]
 *
 * Each array starts on a cache line; its place is kept as a number of lines from the start.
 *
 * IPv4: points of the /16 that starts at t << 16 are ipv4_index[t] .. ipv4_index[t + 1].
 *
 * IPv6: customers' prefixes rarely reach past bit 64, so the tree holds only the high halves where
 * the answer changes, and the answer behind that half. Where it changes inside one half too, the
 * half is marked CONSENT_SPLIT and its points are in split[], the one at low half 0 among them.
 * A level holds every eighth key of the level below, and is filled up to whole cache lines with
 * UINT64_MAX: one line a level, as many levels for each address.
 *
 * Layer: lib/consent, private.
 */
#include <assert.h>

#include "consent/consent.h"

#define CONSENT_LINE       64
#define CONSENT_INDEX_SIZE 65537 /**< one entry per /16, and one past the end */
#define CONSENT_INDEX_MIN  4096  /**< points up to which twelve steps need no index of 256 KB */
#define CONSENT_FAN        8     /**< keys of a tree node: a cache line */
#define CONSENT_FAN_BITS   3
#define CONSENT_LEVELS_MAX 11   /**< 8^11 keys are more than 32 bits count */
#define CONSENT_SPLIT      0x80 /**< in high_answer: equal high halves are looked up in split[] */
#define CONSENT_REFUSED    (CONSENT_NO_FILTER | CONSENT_NO_LOG)

struct consent_table {
	uint64_t n_prefixes;
	uint32_t n_ipv4;   /**< points; 0: no IPv4 client refuses anything */
	uint32_t n_high;   /**< high halves; 0: no IPv6 client refuses anything */
	uint32_t n_split;  /**< points inside high halves */
	uint32_t n_levels; /**< of the tree of high halves */
	uint32_t ipv4_index, ipv4_start, ipv4_answer; /**< lines; ipv4_index 0: left out */
	uint32_t high_answer, split, split_answer;    /**< lines */
	uint32_t level[CONSENT_LEVELS_MAX];           /**< lines, the root first */
	uint8_t reserved[36];
};

struct consent_split {
	uint64_t high, low;
};

static_assert(sizeof(struct consent_table) == 2 * CONSENT_LINE, "the arrays start on a line");
static_assert(CONSENT_FAN * sizeof(uint64_t) == CONSENT_LINE, "a node is a line");
static_assert(sizeof(struct consent_split) == 16, "four to a line, none across two");
static_assert((CONSENT_SPLIT & CONSENT_REFUSED) == 0, "both are kept in one octet");

/** An array of the table. */
static inline const void *consent_at(const struct consent_table *table, uint32_t line)
{
	return (const uint8_t *)table + (uint64_t)line * CONSENT_LINE;
}

/** Where the answer changes, ascending; at[0] is 0. Addresses as numbers, IPv4 in the low 32 bits. */
struct consent_points {
	unsigned __int128 *at;
	uint8_t *answer;
	size_t n; /**< 0: nobody refuses anything */
};

/**
 * Sweep over the rules of one family.
 *
 * @param family ADDR_IPV4 or ADDR_IPV6; other rules are passed over
 * @param points [out] taken by the caller, free with consent_points_free
 * @return 0 or -ENOMEM
 */
int consent_sweep(
	const struct consent_rule *rules, size_t n, uint8_t family, struct consent_points *points);

void consent_points_free(struct consent_points *points);
