/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Names that no expression can match, told without Hyperscan.
 *
 * Most expressions have a word: host name octets in a row that stand in every name they match, and,
 * as no dot is among them, in one label of it, as they stand in a message. Of each word four octets at
 * one place and the four at the next are noted in a set of bits. One of the two places is an even
 * number of octets from wherever a run of labels starts, so every other place of a name is looked at.
 *
 * A name in whose place nothing is noted has none of the words. That of others is not known.
 */
#include <string.h>

#include "pattern/pattern_private.h"

#define PATTERN_GRAM   4
#define PATTERN_FACTOR 0x9e3779b1u

/**
 * The words of an expression: what is required of all it matches, found by a look that gives up at
 * whatever is not plain.
 *
 * @param words [out] octets of words in lower case, others are blanks; as long as the expression,
 *              and NUL
 * @return whether there are any
 */
bool pattern_words(const char *expression, char *words);

struct pattern_filter {
	size_t size;    /**< bytes of all */
	uint32_t shift; /**< of a hash, to the number of its word in bits */
	uint32_t bits[];
};

/**
 * Make a filter, if every expression of a book has a word. Where one has none each name must be
 * scanned anyway, and a scan takes as long for all expressions.
 *
 * @param filter [out] taken, free with pattern_filter_free; NULL: there is none
 * @return 0 or -ENOMEM
 */
int pattern_filter_make(const struct pattern_book *book, struct pattern_filter **filter);

/** @param node NUMA node, or -1 for any @return a copy (taken), or NULL: no memory */
struct pattern_filter *pattern_filter_copy(const struct pattern_filter *filter, int node);

/** NULL is allowed. */
void pattern_filter_free(struct pattern_filter *filter);

/** Four octets of a name in a number, in lower case or something that stands for it. */
static inline uint32_t pattern_gram(const void *octets)
{
	uint32_t gram;

	memcpy(&gram, octets, sizeof(gram));
	return (gram | 0x20202020) * PATTERN_FACTOR;
}

/**
 * Names that may have a word.
 *
 * @param names as given to pattern_match
 * @return bits of them
 *
 * Hot path.
 */
uint64_t pattern_filter_names(
	const struct pattern_filter *filter, const struct fqdn_name *names, unsigned n);
