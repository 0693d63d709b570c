/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Internet checksums from scratch (RFC 1071): every byte is summed anew, so that what is updated
 * incrementally has something to be compared with.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Ones' complement sum of @p size bytes added to @p sum, folded to 16 bits. */
uint16_t csum_full_sum(uint32_t sum, const uint8_t *bytes, size_t size);

/** Ones' complement difference a - b, 0 and 0xffff being the same number (returned as 0). */
uint16_t csum_full_minus(uint16_t a, uint16_t b);

/** What a UDP datagram is checksummed with: addresses (both), and the datagram. */
struct csum_udp {
	const uint8_t *addresses; /**< source and destination, as they stand in the IP header */
	size_t addresses_size;    /**< 8 or 32 */
	const uint8_t *udp;       /**< UDP header */
	size_t size;              /**< UDP length */
};

/** The right value of the checksum field; a computed 0 is 0xffff (RFC 768). */
uint16_t csum_full_udp(const struct csum_udp *u);

/** Whether the field is the right one, or 0: none. */
bool csum_full_udp_good(const struct csum_udp *u);
