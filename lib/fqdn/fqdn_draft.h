/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A part of the table made of a shard of the builder. Parts are made apart from each other, in two
 * steps: when all have been joined, it is known where the buckets of each start.
 */
#include "fqdn/fqdn_words.h"

/** How sets are written in records, by the builder's numbers. */
struct draft_sets {
	uint32_t *set;           /**< as in struct fqdn_table */
	uint8_t *code;           /**< place in common, or FQDN_CODE_OTHER */
	uint32_t common[32];
};

/** A root without rules that has many nodes right below it. */
struct draft_passage {
	uint64_t hash;
	uint32_t below; /**< 0: none */
};

#define DRAFT_PASSAGES 4 /**< of a part, those with most below them */

struct draft {
	const struct builder_shard *shard;
	uint32_t n_nodes;  /**< of the table */
	struct fqdn_part part;
	/* By the shard's nodes: */
	uint8_t *state;    /**< DRAFT_* */
	uint32_t *node;    /**< number in the table */
	/* What goes to the table: */
	struct draft_passage passage[DRAFT_PASSAGES];
	struct fqdn_bucket *buckets; /**< base counts from the part's first record */
	uint8_t *records;
	uint64_t records_size;
	uint64_t record; /**< where they stand in the table's records, once known */
};

/** Find out which of the shard's nodes will be nodes of the table. @return 0 or -ENOMEM */
int fqdn_draft_join(struct draft *draft);

/** Fill buckets, make records. draft->part is set by now. @return 0 or -ENOMEM */
int fqdn_draft_fill(
	struct draft *draft, const struct fqdn_words *words, const struct draft_sets *sets);

void fqdn_draft_free(struct draft *draft);
