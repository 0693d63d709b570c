/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "pattern/pattern_filter.h"

// Two grams an expression: of names of 25 octets one in thirty then has one of them by chance. Half as
// many bits make matching slower, twice as many no faster.
#define BITS_FOR_EACH 512
#define BITS_LEAST    16 // powers of 2
#define BITS_MOST     22 // half of a megabyte

#define COUNTS_BITS 16

// Whether a gram at this place, and one at the next, are within a word.
static bool place_good(const char *words)
{
	for (unsigned i = 0; i <= PATTERN_GRAM; i++)
		if (words[i] == '\0' || words[i] == ' ')
			return false;
	return true;
}

static void grams_count(const char *words, uint32_t *counts)
{
	for (; *words; words++)
		if (place_good(words))
			counts[pattern_gram(words) >> (32 - COUNTS_BITS)]++;
}

// The place whose two grams are in the fewest expressions: "secure" stands in many.
static const char *place_choose(const char *words, const uint32_t *counts)
{
	const char *best = NULL;
	uint32_t least = 0;

	for (; *words; words++) {
		uint32_t count;

		if (!place_good(words))
			continue;
		count = counts[pattern_gram(words) >> (32 - COUNTS_BITS)] +
			counts[pattern_gram(words + 1) >> (32 - COUNTS_BITS)];
		if (!best || count < least) {
			best = words;
			least = count;
		}
	}
	return best;
}

static struct pattern_filter *filter_empty(uint32_t n)
{
	unsigned bits = BITS_LEAST;
	struct pattern_filter *filter;
	size_t size;

	while (bits < BITS_MOST && (1u << bits) / BITS_FOR_EACH < n)
		bits++;
	size = sizeof(*filter) + (size_t)(1u << bits) / 8;
	filter = block_alloc(size, -1);
	if (filter) {
		memset(filter, 0, size);
		filter->size = size;
		filter->shift = 32 - (bits - 5);
	}
	return filter;
}

static void gram_note(struct pattern_filter *filter, const char *octets)
{
	uint32_t hash = pattern_gram(octets);

	filter->bits[hash >> filter->shift] |= 1u << (hash & 31);
}

void pattern_filter_free(struct pattern_filter *filter)
{
	if (filter)
		block_free(filter, filter->size);
}

struct pattern_filter *pattern_filter_copy(const struct pattern_filter *filter, int node)
{
	struct pattern_filter *copy = block_alloc(filter->size, node);

	if (copy)
		memcpy(copy, filter, filter->size);
	return copy;
}

// @param words room for those of any expression
// @return whether each expression has one
static bool filter_fill(struct pattern_filter *filter, const struct pattern_book *book,
	uint32_t *counts, char *words)
{
	struct pattern pattern;

	for (uint32_t i = 0; i < book->n; i++) {
		pattern_book_get(book, i, &pattern);
		if (!pattern_words(pattern.expression, words))
			return false;
		grams_count(words, counts);
	}
	for (uint32_t i = 0; i < book->n; i++) {
		const char *place;

		pattern_book_get(book, i, &pattern);
		pattern_words(pattern.expression, words);
		place = place_choose(words, counts);
		if (!place)
			return false;
		gram_note(filter, place);
		gram_note(filter, place + 1);
	}
	return true;
}

int pattern_filter_make(const struct pattern_book *book, struct pattern_filter **filter)
{
	uint32_t *counts = calloc((size_t)1 << COUNTS_BITS, sizeof(*counts));
	char *words = malloc(book->size); // no expression is longer
	int err = -ENOMEM;

	*filter = filter_empty(book->n);
	if (counts && words && *filter) {
		err = 0;
		if (filter_fill(*filter, book, counts, words))
			goto out;
	}
	pattern_filter_free(*filter);
	*filter = NULL;
out:
	free(words);
	free(counts);
	return err;
}
