/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Labels of names in messages against those of records.
 *
 * Hot path.
 */
#include "fqdn/fqdn_table_private.h"

/** Whether a label of a message, in any case, is a listed one in wire form: the plain way. */
static inline bool fqdn_wire_equal_scalar(const uint8_t *listed, const uint8_t *label)
{
	for (unsigned i = 0; i <= listed[0]; i++)
		if (listed[i] != dns_fold(label[i]))
			return false;
	return true;
}

/** The same where 16 octets from the listed label on may be read, and @p readable from the other. */
static inline bool fqdn_wire_equal(const uint8_t *listed, const uint8_t *label, unsigned readable)
{
#ifdef __SSE2__
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)listed), b, upper;
	unsigned equal;

	if (__builtin_expect(listed[0] < 16 && readable >= 16, 1)) {
		b = _mm_loadu_si128((const __m128i *)(const void *)label);
		// "A".."Z" become the 26 lowest signed octets. A length octet is below "A".
		upper = _mm_cmplt_epi8(_mm_sub_epi8(b, _mm_set1_epi8((char)('A' - 128))),
			_mm_set1_epi8((char)(26 - 128)));
		b = _mm_add_epi8(b, _mm_and_si128(upper, _mm_set1_epi8(32)));
		equal = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b));
		return (~equal & ((2u << listed[0]) - 1)) == 0;
	}
#endif
	return fqdn_wire_equal_scalar(listed, label);
}

/** Whether a label of a message is a record's, in whichever form that is. */
static inline bool fqdn_label_equal(const struct fqdn_table *table, const uint8_t *listed,
	const uint8_t *label, unsigned readable)
{
	if (*listed >= FQDN_PACK_FIRST)
		return fqdn_pack_equal(listed, label, readable);
	if (*listed >= FQDN_WORD_FIRST)
		listed = table->word[*listed - FQDN_WORD_FIRST];
	return fqdn_wire_equal(listed, label, readable);
}
