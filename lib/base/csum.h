/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Incremental update of an Internet checksum when some of the bytes under it change.
 *
 * A checksum that was right stays right, and one that was wrong stays wrong by as much: nothing that
 * happened to the packet elsewhere is covered up.
 *
 * Sums are taken over words as they lie in memory: the sum does not care for the order of bytes
 * (RFC 1071 s2 B), and 32 bits at a time come to the same as 16, since 2^16 is 1 in its arithmetic.
 *
 * Layer:   lib/base; no EAL, no allocation.
 * Threads: pure functions, any thread.
 * Source:  RFC 1624 eqn. 3; RFC 768 (0 means none, a computed 0 is sent as 0xffff).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/** What edits add to the sum: start with 0, give to csum_apply. */
struct csum_delta {
	uint64_t sum;
};

static inline uint32_t csum_load(const uint8_t *bytes, size_t size)
{
	uint32_t word = 0;

	memcpy(&word, bytes, size);
	return word;
}

/**
 * Note that @p size bytes change from @p before to @p after; at most 2^20 bytes in all.
 *
 * @param odd whether the first byte stands at an odd offset from where the checksummed data starts
 */
static inline void csum_change(struct csum_delta *delta, const uint8_t *before, const uint8_t *after,
	size_t size, unsigned odd)
{
	uint64_t sum = 0;
	size_t at = 0;

	// ~m + m' of eqn. 3.
	for (; size - at >= 4; at += 4)
		sum += (uint64_t)~csum_load(before + at, 4) + csum_load(after + at, 4);
	if (size - at > 0)
		sum += (uint64_t)~csum_load(before + at, size - at) +
		       csum_load(after + at, size - at);
	delta->sum += odd ? sum << 8 : sum;
}

/** Sum of @p size bytes at an even offset from where the checksummed data starts, at most 2^16. */
static inline uint64_t csum_sum(const uint8_t *bytes, size_t size)
{
	uint64_t sum = 0;
	size_t at = 0;

	for (; size - at >= 4; at += 4)
		sum += csum_load(bytes + at, 4);
	return size - at > 0 ? sum + csum_load(bytes + at, size - at) : sum;
}

static inline uint16_t csum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/** Note that bytes of the sum @p before became others of the sum @p after. */
static inline void csum_replace(struct csum_delta *delta, uint64_t before, uint64_t after)
{
	delta->sum += (uint16_t)~csum_fold(before);
	delta->sum += csum_fold(after);
}

/** Update an Internet checksum in place, one that has no value of its own for "none". */
static inline void csum_apply(uint8_t *csum, const struct csum_delta *delta)
{
	uint16_t field = (uint16_t)csum_load(csum, 2);

	field = (uint16_t)~csum_fold((uint16_t)~field + delta->sum);
	memcpy(csum, &field, sizeof(field));
}

/**
 * Update a UDP checksum in place.
 *
 * 0 is left as it is: over IPv4 it means that there is none (RFC 768), and over IPv6 it is a choice
 * of the sender (RFC 6935) that is not ours to change.
 */
static inline void csum_apply_udp(uint8_t *csum, const struct csum_delta *delta)
{
	if (csum_load(csum, 2) == 0)
		return;
	csum_apply(csum, delta);
	if (csum_load(csum, 2) == 0)
		memset(csum, 0xff, 2);
}
