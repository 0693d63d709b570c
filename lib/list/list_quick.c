/* SPDX-License-Identifier: BSD-3-Clause */
// Lines that hold one name in ASCII and nothing else, 64 octets at once. All others, the bad ones
// among them, are left to list_names_line.
#include "list/list_private.h"

#include <assert.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define QUICK_MAX 64 // octets looked at

// What 64 octets of text are, one bit each.
struct quick_masks {
	uint64_t plain; // letters, digits, "-", "_"
	uint64_t dots;
};

#ifdef __SSE2__
static __m128i range_find(__m128i v, char first, unsigned n)
{
	// The range becomes the n lowest signed octets.
	return _mm_cmplt_epi8(_mm_sub_epi8(v, _mm_set1_epi8((char)(first - 128))),
		_mm_set1_epi8((char)((int)n - 128)));
}

// Sixteen octets in lower case to `to`. @return the masks' bits of them
static inline struct quick_masks piece_fold(const char *from, uint8_t *to)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)from), plain;

	v = _mm_add_epi8(v, _mm_and_si128(range_find(v, 'A', 26), _mm_set1_epi8(32)));
	_mm_storeu_si128((__m128i *)(void *)to, v);
	plain = _mm_or_si128(range_find(v, 'a', 26), range_find(v, '0', 10));
	plain = _mm_or_si128(plain, _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
	plain = _mm_or_si128(plain, _mm_cmpeq_epi8(v, _mm_set1_epi8('_')));
	return (struct quick_masks){(unsigned)_mm_movemask_epi8(plain),
		(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')))};
}
#else
static struct quick_masks piece_fold(const char *from, uint8_t *to)
{
	struct quick_masks masks = {0};

	for (unsigned i = 0; i < 16; i++) {
		uint8_t c = dns_fold((uint8_t)from[i]);
		bool plain =
			(uint8_t)(c - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '-' || c == '_';

		to[i] = c;
		masks.plain |= (uint64_t)plain << i;
		masks.dots |= (uint64_t)(c == '.') << i;
	}
	return masks;
}
#endif

// Most names end within the first 32 octets; the rest is looked at where one does not.
static inline struct quick_masks text_fold(const char *from, uint8_t *to)
{
	struct quick_masks masks = piece_fold(from, to), more = piece_fold(from + 16, to + 16);

	masks.plain |= more.plain << 16;
	masks.dots |= more.dots << 16;
	if ((uint32_t)(masks.plain | masks.dots) != UINT32_MAX)
		return masks;
	for (unsigned at = 32; at < QUICK_MAX; at += 16) {
		more = piece_fold(from + at, to + at);
		masks.plain |= more.plain << at;
		masks.dots |= more.dots << at;
	}
	return masks;
}

// Octets of a line end at text, 0: none.
static inline unsigned end_size(const char *text)
{
	return text[0] == '\n' ? 1 : text[0] == '\r' && text[1] == '\n' ? 2 : 0;
}

/*
 * The name at text, to wire form. Text and wire form are of one shape: each length octet stands where
 * the dot before the label was, and the first one before the text.
 *
 * @param n_labels [out]
 * @return octets of text up to the line's end, 0: to be read with care
 */
static inline unsigned name_quick(
	const char *text, uint8_t *wire, unsigned *wire_size, unsigned *n_labels)
{
	struct quick_masks masks = text_fold(text, wire + 1);
	uint64_t name = masks.plain | masks.dots, dots;
	unsigned size, start = 0, text_size;

	if (name == UINT64_MAX || !(name & 1))
		return 0;
	size = text_size = (unsigned)__builtin_ctzll(~name);
	dots = masks.dots & ((1ull << size) - 1);
	if (dots >> (size - 1)) {
		size--;
		dots &= ~(1ull << size);
	}
	// An empty label, or nothing but a dot.
	if (size == 0 || (dots & (dots << 1 | 1 | 1ull << (size - 1))))
		return 0;
	*n_labels = (unsigned)__builtin_popcountll(dots) + 1;
	for (; dots; dots &= dots - 1) {
		unsigned dot = (unsigned)__builtin_ctzll(dots);

		wire[start] = (uint8_t)(dot - start);
		start = dot + 1;
	}
	// It may be an IPv4 address.
	if ((uint8_t)(wire[start + 1] - '0') < 10)
		return 0;
	wire[start] = (uint8_t)(size - start);
	wire[size + 1] = 0;
	*wire_size = size + 2;
	return text_size;
}

int list_names_quick(struct list_reader *reader, struct text_file *lines)
{
	struct list_entry entry = {
		.name = reader->name,
		.first_day = LIST_DAY_FIRST,
		.last_day = LIST_DAY_LAST,
		.id = "",
		.behaviour = "",
	};

	static_assert(QUICK_MAX + 1 <= sizeof(reader->name), "room for all that is folded");
	static_assert(QUICK_MAX + 4 <= TEXT_BLOCK_AHEAD, "readable behind the last line");
	while (lines->at < lines->size) {
		const char *text = lines->data + lines->at;
		unsigned front = 0, size, end, n_labels, wire_size;
		int err;

		entry.scope = LIST_EXACT;
		if (text[0] == '.') {
			entry.scope = LIST_SUBTREE;
			front = 1;
		} else if (text[0] == '*' && text[1] == '.') {
			entry.scope = LIST_BELOW;
			front = 2;
		}
		size = name_quick(text + front, reader->name, &wire_size, &n_labels);
		if (size == 0 ||
			(entry.scope != LIST_EXACT && n_labels < reader->options->min_labels))
			return 0;
		end = end_size(text + front + size);
		if (end == 0)
			return 0;
		lines->at += front + size + end;
		entry.line = ++lines->n_lines;
		entry.name_size = (uint8_t)wire_size;
		err = list_good(reader, &entry);
		if (err < 0)
			return err;
	}
	return 0;
}
