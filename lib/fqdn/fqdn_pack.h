/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Labels of the octets that host names are made of, three in two bytes:
 *
 *   code   1 byte: FQDN_PACK_FIRST + octets of the label
 *   group  2 bytes each, little-endian, of three octets: (first * 40 + second) * 40 + third
 *   rest   two octets left: 2 bytes, as a group whose third is 0; one: 1 byte, the octet itself
 *
 * Octets are digits from 1 on, see fqdn_pack_digit. So a group is no other three octets.
 */
#include <stdbool.h>
#include <stdint.h>

#define FQDN_PACK_FIRST 192 /* 192 + 63 is the last code */
#define FQDN_PACK_BASE  40u

/** Digit of an octet, either case; 0: it has none. */
extern const uint8_t fqdn_pack_digit[256];

/** Bytes of a packed label with that many octets. */
static inline unsigned fqdn_pack_size(unsigned octets)
{
	return 1 + octets / 3 * 2 + octets % 3;
}

static inline unsigned fqdn_pack_group(uint8_t first, uint8_t second, unsigned third)
{
	return (fqdn_pack_digit[first] * FQDN_PACK_BASE + fqdn_pack_digit[second]) *
		       FQDN_PACK_BASE +
	       third;
}

/** Pack a canonical label. @return bytes written, 0: one of its octets has no digit */
unsigned fqdn_pack(const uint8_t *label, uint8_t *to);

/** Room for a label that is unpacked. */
#define FQDN_UNPACK_ROOM 72

/** The label in wire form of what was packed; of anything else any label, or none. */
void fqdn_unpack(const uint8_t *from, uint8_t label[FQDN_UNPACK_ROOM]);

/** Whether a label of a message, in any case, is the packed one. Hot path. */
static inline bool fqdn_pack_equal(const uint8_t *packed, const uint8_t *label)
{
	unsigned n = *label++;
	const uint8_t *end = label + n;

	if (*packed++ != FQDN_PACK_FIRST + n)
		return false;
	for (; end - label >= 3; label += 3, packed += 2)
		if (fqdn_pack_group(label[0], label[1], fqdn_pack_digit[label[2]]) !=
			(packed[0] | (unsigned)packed[1] << 8))
			return false;
	if (end - label == 2)
		return fqdn_pack_group(label[0], label[1], 0) ==
		       (packed[0] | (unsigned)packed[1] << 8);
	// The octet itself has a digit, but a letter's two cases have the same.
	return end == label || fqdn_pack_digit[*label] == fqdn_pack_digit[*packed];
}
