/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_words.h"

#include <errno.h>
#include <stdlib.h>

#define SAMPLE 32768 // nodes looked at, about

struct run {
	const uint8_t *word;
	size_t gain; // octets saved in the sample
};

static int word_compare(const void *a, const void *b)
{
	return memcmp(a, b, FQDN_WORD_SIZE);
}

static int run_compare(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	if (x->gain != y->gain)
		return x->gain < y->gain ? 1 : -1;
	return memcmp(x->word, y->word, FQDN_WORD_SIZE);
}

// Labels of the sample, each as a word. @return their number
static size_t sample_take(
	const struct fqdn_builder *b, size_t every, uint8_t (*sample)[FQDN_WORD_SIZE])
{
	size_t n = 0;

	for (unsigned s = 0; s < FQDN_SHARDS; s++) {
		const struct builder_shard *shard = &b->shard[s];

		for (size_t i = 0; i < shard->nodes.n; i += every) {
			const struct builder_node *node =
				ARRAY_AT(shard->nodes, struct builder_node, i);
			const uint8_t *label = shard->text.items + node->text;

			for (unsigned l = fqdn_node_labels(node); l > 0; l--, label += *label + 1)
				if (*label < FQDN_WORD_SIZE) {
					memset(sample[n], 0, FQDN_WORD_SIZE);
					memcpy(sample[n++], label, *label + 1u);
				}
		}
	}
	return n;
}

static size_t word_slot(uint64_t low, uint64_t high)
{
	return fqdn_fold(low ^ 0x9e3779b97f4a7c15u, high ^ 0xbf58476d1ce4e5b9u) % FQDN_WORDS_INDEX;
}

static void word_add(struct fqdn_words *words, const uint8_t *word)
{
	uint64_t half[2];
	size_t slot;

	memcpy(half, word, sizeof(half));
	slot = word_slot(half[0], half[1]);
	while (words->index[slot])
		slot = (slot + 1) % FQDN_WORDS_INDEX;
	memcpy(words->word[words->n++], word, FQDN_WORD_SIZE);
	words->index[slot] = (uint8_t)words->n;
}

// Labels that occur more than once, best first.
static size_t runs_make(uint8_t (*sample)[FQDN_WORD_SIZE], size_t n, struct run *runs)
{
	size_t n_runs = 0;

	qsort(sample, n, FQDN_WORD_SIZE, word_compare);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && word_compare(sample[i], sample[end]) == 0;)
			end++;
		if (end - i > 1)
			runs[n_runs++] =
				(struct run){.word = sample[i], .gain = (end - i) * sample[i][0]};
	}
	qsort(runs, n_runs, sizeof(*runs), run_compare);
	return n_runs;
}

int fqdn_words_choose(struct fqdn_words *words, const struct fqdn_builder *b)
{
	uint8_t(*sample)[FQDN_WORD_SIZE];
	size_t n_nodes = 0, every, n;
	struct run *runs;

	*words = (struct fqdn_words){0};
	for (unsigned s = 0; s < FQDN_SHARDS; s++)
		n_nodes += b->shard[s].nodes.n;
	every = n_nodes / SAMPLE + 1;
	// A node has two labels at most, and each shard's first one is looked at.
	n = 2 * (n_nodes / every + FQDN_SHARDS);
	sample = malloc(n * sizeof(*sample));
	runs = malloc(n * sizeof(*runs));
	if (sample && runs) {
		n = runs_make(sample, sample_take(b, every, sample), runs);
		for (size_t i = 0; i < n && i < FQDN_WORDS_MAX; i++)
			word_add(words, runs[i].word);
	}
	free(runs);
	free(sample);
	return sample && runs ? 0 : -ENOMEM;
}

// The first n octets in memory, 1..8.
static uint64_t octets_mask(unsigned n)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ~0ull >> (64 - 8 * n)
							 : ~0ull << (64 - 8 * n);
}

int fqdn_words_find(const struct fqdn_words *words, const uint8_t *label, size_t readable)
{
	unsigned size = *label + 1u;
	uint64_t half[2] = {0};

	if (size > FQDN_WORD_SIZE)
		return -1;
	if (readable >= FQDN_WORD_SIZE) {
		memcpy(half, label, sizeof(half));
		if (size <= 8)
			half[1] = 0;
		half[size > 8] &= octets_mask((size - 1) % 8 + 1);
	} else {
		memcpy(half, label, size);
	}
	for (size_t slot = word_slot(half[0], half[1]); words->index[slot];
		slot = (slot + 1) % FQDN_WORDS_INDEX)
		if (memcmp(words->word[words->index[slot] - 1], half, sizeof(half)) == 0)
			return words->index[slot] - 1;
	return -1;
}
