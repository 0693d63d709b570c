/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Incremental update of an Internet checksum when some of the bytes under it change.
 *
 * A checksum that was right stays right, and one that was wrong stays wrong by as much: nothing that
 * happened to the packet elsewhere is covered up.
 *
 * Source: RFC 1624 eqn. 3; RFC 768 (0 means none, a computed 0 is sent as 0xffff).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/** What edits add to the sum: start with 0, give to csum_apply. */
struct csum_delta {
	uint64_t sum;
};

/**
 * Note that @p size bytes change from @p before to @p after.
 *
 * @param odd whether the first byte stands at an odd offset from where the checksummed data starts
 */
static inline void csum_change(struct csum_delta *delta, const uint8_t *before, const uint8_t *after,
	size_t size, unsigned odd)
{
	for (size_t i = 0; i < size; i++) {
		unsigned shift = ((i + odd) & 1) ? 0 : 8;

		// ~m + m' of eqn. 3, one byte at a time: the complement of a byte within its word.
		delta->sum += (uint64_t)(0xff ^ before[i]) << shift;
		delta->sum += (uint64_t)after[i] << shift;
		delta->sum += (uint64_t)0xff << (8 - shift);
	}
}

/**
 * Update a UDP checksum in place.
 *
 * 0 is left as it is: over IPv4 it means that there is none (RFC 768), and over IPv6 it is a choice
 * of the sender (RFC 6935) that is not ours to change.
 */
static inline void csum_apply_udp(uint8_t *csum, const struct csum_delta *delta)
{
	uint64_t sum;

	if (load_be16(csum) == 0)
		return;
	sum = (uint16_t)~load_be16(csum) + delta->sum;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = (uint16_t)~sum;
	store_be16(csum, sum ? (uint16_t)sum : 0xffff);
}
