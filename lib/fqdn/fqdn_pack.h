/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Labels of the octets that host names are made of, three in two bytes:
 *
 *   code   1 byte: FQDN_PACK_FIRST + octets of the label
 *   group  2 bytes each, little-endian, of three octets: (first * 40 + second) * 40 + third;
 *          what there is no octet for is 0
 *
 * Octets are digits from 1 on, see fqdn_pack_digit. So a group is no other three octets.
 */
#include <stdbool.h>
#include <stdint.h>
#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

#define FQDN_PACK_FIRST 192 /* 192 + 63 is the last code */
#define FQDN_PACK_BASE  40u

/** Digit of an octet, either case; 0: it has none. */
extern const uint8_t fqdn_pack_digit[256];

/** Bytes of a packed label with that many octets. */
static inline unsigned fqdn_pack_size(unsigned octets)
{
	return 1 + (octets + 2) / 3 * 2;
}

/** Pack a canonical label. @return bytes written, 0: one of its octets has no digit */
unsigned fqdn_pack(const uint8_t *label, uint8_t *to);

/** Room for a label that is unpacked. */
#define FQDN_UNPACK_ROOM 72

/** The label in wire form of what was packed; of anything else any label, or none. */
void fqdn_unpack(const uint8_t *from, uint8_t label[FQDN_UNPACK_ROOM]);

/** Whether groups are those of n octets of a message, in any case: the plain way. */
static inline bool fqdn_pack_equal_scalar(const uint8_t *groups, const uint8_t *octets, unsigned n)
{
	for (unsigned i = 0; i < n; i += 3, groups += 2) {
		unsigned group = 0;

		for (unsigned j = i; j < i + 3; j++)
			group = group * FQDN_PACK_BASE + (j < n ? fqdn_pack_digit[octets[j]] : 0);
		if (group != (groups[0] | (unsigned)groups[1] << 8))
			return false;
	}
	return true;
}

#ifdef __SSSE3__
#define FQDN_PACK_STEP 15 // octets at once

static inline __m128i fqdn_pack_in_range(__m128i octets, char first, char last)
{
	__m128i offset = _mm_sub_epi8(octets, _mm_set1_epi8(first));

	return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8((char)(last - first))), offset);
}

// Groups of n <= FQDN_PACK_STEP octets; 16 can be read.
static inline __m128i fqdn_pack_groups(const uint8_t *octets, unsigned n)
{
	static const uint8_t masks[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const __m128i firsts =
		_mm_setr_epi8(0, -1, 3, -1, 6, -1, 9, -1, 12, -1, -1, -1, -1, -1, -1, -1);
	const __m128i others =
		_mm_setr_epi8(1, 2, 4, 5, 7, 8, 10, 11, 13, 14, -1, -1, -1, -1, -1, -1);
	__m128i octet = _mm_loadu_si128((const __m128i *)(const void *)octets);
	__m128i lower = _mm_or_si128(octet, _mm_set1_epi8(0x20));
	__m128i digit = _mm_and_si128(
		fqdn_pack_in_range(lower, 'a', 'z'), _mm_sub_epi8(lower, _mm_set1_epi8('a' - 1)));

	digit = _mm_or_si128(digit, _mm_and_si128(fqdn_pack_in_range(octet, '0', '9'),
					    _mm_sub_epi8(octet, _mm_set1_epi8('0' - 27))));
	digit = _mm_or_si128(
		digit, _mm_and_si128(_mm_cmpeq_epi8(octet, _mm_set1_epi8('-')), _mm_set1_epi8(37)));
	digit = _mm_or_si128(
		digit, _mm_and_si128(_mm_cmpeq_epi8(octet, _mm_set1_epi8('_')), _mm_set1_epi8(38)));
	digit = _mm_and_si128(
		digit, _mm_loadu_si128((const __m128i *)(const void *)(masks + 16 - n)));
	return _mm_add_epi16(_mm_mullo_epi16(_mm_shuffle_epi8(digit, firsts),
				     _mm_set1_epi16(FQDN_PACK_BASE * FQDN_PACK_BASE)),
		_mm_maddubs_epi16(
			_mm_shuffle_epi8(digit, others), _mm_set1_epi16(1 << 8 | FQDN_PACK_BASE)));
}
#endif

/**
 * Whether a label of a message, in any case, is the packed one. 16 octets behind the packed label
 * can be read.
 *
 * @param readable octets from the label on that may be read
 *
 * Hot path.
 */
static inline bool fqdn_pack_equal(const uint8_t *packed, const uint8_t *label, unsigned readable)
{
	unsigned n = *label++;

	if (*packed++ != FQDN_PACK_FIRST + n)
		return false;
#ifdef __SSSE3__
	for (readable--; readable > FQDN_PACK_STEP; readable -= FQDN_PACK_STEP) {
		unsigned step = n < FQDN_PACK_STEP ? n : FQDN_PACK_STEP;
		__m128i groups = _mm_loadu_si128((const __m128i *)(const void *)packed);
		unsigned equal = (unsigned)_mm_movemask_epi8(
			_mm_cmpeq_epi16(groups, fqdn_pack_groups(label, step)));

		if (~equal & ((1u << (fqdn_pack_size(step) - 1)) - 1))
			return false;
		n -= step;
		if (n == 0)
			return true;
		label += FQDN_PACK_STEP;
		packed += FQDN_PACK_STEP / 3 * 2;
	}
#endif
	return fqdn_pack_equal_scalar(packed, label, n);
}
