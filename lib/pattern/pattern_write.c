/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pattern/pattern_write.h"

#include <assert.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "base/bytes.h"
#include "base/cpu.h"
#include "dns/dns_name.h"

#define PIECE 16 // octets of a label taken at once

// Octets that do not stand for themselves are escaped, as dns_name_format has it.
static __attribute__((noinline)) char *label_escape(const uint8_t *label, char *to)
{
	uint8_t name[DNS_LABEL_SIZE_MAX + 2];
	char text[DNS_NAME_TEXT_SIZE];
	size_t size;

	name[0] = label[0];
	for (unsigned i = 1; i <= label[0]; i++)
		name[i] = dns_fold(label[i]);
	name[label[0] + 1] = 0;
	size = dns_name_format(name, text);
	memcpy(to, text, size);
	return to + size;
}

#ifdef __SSE2__
static inline __m128i in_range(__m128i octets, char first, char last)
{
	__m128i offset = _mm_sub_epi8(octets, _mm_set1_epi8(first));

	return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8((char)(last - first))), offset);
}

// A piece in lower case. @return bits of the octets that do not stand for themselves
static inline unsigned piece_write(const uint8_t *from, char *to)
{
	__m128i octets = _mm_loadu_si128((const __m128i *)(const void *)from);
	__m128i bit = _mm_set1_epi8(0x20);
	__m128i letters = in_range(_mm_or_si128(octets, bit), 'a', 'z');
	__m128i plain = _mm_or_si128(letters, in_range(octets, '0', '9'));

	plain = _mm_or_si128(plain, _mm_cmpeq_epi8(octets, _mm_set1_epi8('-')));
	plain = _mm_or_si128(plain, _mm_cmpeq_epi8(octets, _mm_set1_epi8('_')));
	_mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(octets, _mm_and_si128(letters, bit)));
	return ~(unsigned)_mm_movemask_epi8(plain);
}
#else
static inline unsigned piece_write(const uint8_t *from, char *to)
{
	unsigned odd = 0;

	for (unsigned i = 0; i < PIECE; i++) {
		uint8_t c = dns_fold(from[i]);
		bool plain =
			(uint8_t)(c - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '-' || c == '_';

		to[i] = (char)c;
		odd |= (unsigned)!plain << i;
	}
	return odd;
}
#endif

// @param readable octets from the label's length on that may be read
static inline char *label_write(const uint8_t *label, unsigned readable, char *to)
{
	unsigned size = label[0];

	for (unsigned i = 0; i < size; i += PIECE) {
		unsigned left = size - i, odd;

		// Near the end of the message octets are taken one by one.
		if (readable < 1 + i + PIECE)
			return label_escape(label, to);
		odd = piece_write(label + 1 + i, to + i);
		if (odd & (left < PIECE ? (1u << left) - 1 : 0xffff))
			return label_escape(label, to);
	}
	return to + size;
}

#define RUN_MAX 64 // octets; longer names are rare

// Most names stand in one piece, which is taken as a whole: the length of a label is where its dot
// belongs. @return NULL: the name is not of that kind
static inline char *run_write(const struct fqdn_name *name, char *to)
{
	const uint8_t *from = name->msg + name->at + 1;
	unsigned size = from[-1], left = name->msg_size - name->at - 1u;
	uint64_t odd = 0, dots = 0;

	for (unsigned i = 1; i < name->n; i++) {
		if (size >= RUN_MAX)
			return NULL;
		dots |= 1ull << size;
		size += from[size] + 1u;
	}
	// A pointer is larger than any label, and makes too much of any run.
	if (size > RUN_MAX || (size + PIECE - 1) / PIECE * PIECE > left)
		return NULL;
	for (unsigned i = 0; i < size; i += PIECE)
		odd |= (uint64_t)(uint16_t)piece_write(from + i, to + i) << i;
	odd &= ~dots;
	for (; dots; dots &= dots - 1)
		to[__builtin_ctzll(dots)] = '.';
	return odd << (RUN_MAX - size) ? NULL : to + size;
}

// Label by label, whatever there is.
static __attribute__((noinline)) char *labels_write(const struct fqdn_name *name, char *to)
{
	uint32_t at = name->at;

	for (unsigned i = 0; i < name->n; i++) {
		while (name->msg[at] >= 0xc0)
			at = load_be16(name->msg + at) & 0x3fff;
		if (i > 0)
			*to++ = '.';
		to = label_write(name->msg + at, name->msg_size - at, to);
		at += name->msg[at] + 1u;
	}
	return to;
}

char *pattern_write_plain(const struct fqdn_name *name, char *to)
{
	char *end = name->n > 0 ? run_write(name, to) : to;

	return end ? end : labels_write(name, to);
}

#ifdef CPU_WIDE
CPU_WIDE static inline __mmask64 in_range_wide(__m512i octets, char first, char last)
{
	return _mm512_cmple_epu8_mask(_mm512_sub_epi8(octets, _mm512_set1_epi8(first)),
		_mm512_set1_epi8((char)(last - first)));
}

CPU_WIDE char *pattern_write_wide(const struct fqdn_name *name, char *to)
{
	const uint8_t *from = name->msg + name->at + 1;
	unsigned size = name->n > 0 ? from[-1] : 0;
	uint64_t dots = 0, all, letters, plain;
	__m512i octets;

	for (unsigned i = 1; i < name->n; i++) {
		if (size >= RUN_MAX)
			return labels_write(name, to);
		dots |= 1ull << size;
		size += from[size] + 1u;
	}
	// As in run_write.
	if (size > RUN_MAX)
		return labels_write(name, to);
	all = _bzhi_u64(~0ull, size);
	octets = _mm512_maskz_loadu_epi8(all, from);
	letters = in_range_wide(_mm512_or_si512(octets, _mm512_set1_epi8(0x20)), 'a', 'z');
	plain = letters | in_range_wide(octets, '0', '9') |
		_mm512_cmpeq_epi8_mask(octets, _mm512_set1_epi8('-')) |
		_mm512_cmpeq_epi8_mask(octets, _mm512_set1_epi8('_'));
	if (all & ~(plain | dots))
		return labels_write(name, to);
	octets = _mm512_or_si512(octets, _mm512_maskz_set1_epi8(letters, 0x20));
	_mm512_storeu_si512(to, _mm512_mask_mov_epi8(octets, dots, _mm512_set1_epi8('.')));
	return to + size;
}
#else
char *pattern_write_wide(const struct fqdn_name *name, char *to)
{
	return pattern_write_plain(name, to);
}
#endif
