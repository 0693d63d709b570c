/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The labels that most names have ("com", "www"), which take one byte in a record.
 */
#include "fqdn/fqdn_build_private.h"

#define FQDN_WORDS_INDEX 1024

struct fqdn_words {
	unsigned n;
	uint8_t word[FQDN_WORDS_MAX][FQDN_WORD_SIZE]; /**< wire form, zero behind */
	uint8_t index[FQDN_WORDS_INDEX];              /**< by hash: number + 1; 0: free */
};

/** Choose the words that save most, by a sample of the builder's names. @return 0 or -ENOMEM */
int fqdn_words_choose(struct fqdn_words *words, const struct fqdn_builder *b);

/**
 * Number of the word that a label is, or -1.
 *
 * @param readable octets from the label on that may be read
 */
int fqdn_words_find(const struct fqdn_words *words, const uint8_t *label, size_t readable);
