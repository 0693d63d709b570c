/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Layout of the table's block.
 *
 *   +--------------------------------------------------------------+ 0
 *   | struct fqdn_table                                  128 bytes |
 *   +--------------------------------------------------------------+ buckets
 *   | bucket[n_buckets + 1]                    64 bytes, one line  |
 *   |   tag[32]  16 bits of a node's hash; 0 = free                |
 *   +--------------------------------------------------------------+ refs
 *   | ref[n_buckets + 1][32]                   4 bytes each        |
 *   |   place of the node's record, in units of 4 bytes            |
 *   +--------------------------------------------------------------+ records
 *   | record     4-byte aligned; the first two units are unused    |
 *   |   set      4 bytes: number of its set of rules               |
 *   |   parent   4 bytes: record of the name without its first     |
 *   |            label; 0 for names of two labels, 1 of one        |
 *   |   labels   the first label; all of them where parent is 0    |
 *   +--------------------------------------------------------------+ sets
 *   | set[n_sets + 1] 4 bytes each: first member; the next is end  |
 *   +--------------------------------------------------------------+ members
 *   | member[]        4 bytes each: a rule's number                |
 *   +--------------------------------------------------------------+ rules
 *   | struct fqdn_rule[n_rules]                      12 bytes each |
 *   +--------------------------------------------------------------+ worker_size
 *   | id[n_ids]       4 bytes each: place in text                  |
 *   | text            identifiers, NUL-terminated                  |
 *   +--------------------------------------------------------------+ size
 *
 * The table is closed upwards: with each listed name it holds a node for every name above it that
 * has at least two labels. A look-up starts there and goes down as long as there is a node: nearly every name ends at its first probe, which is one
 * cache line that could be fetched ahead. A tag that fits by chance (1 in 3,000 probes of a table
 * filled as ours are) is told apart by the record: its parent must be the node just left and its
 * label the same, so a name that is found is found exactly. Listed names of one label are few, if
 * any: where there are some, a look-up asks for the last label alone, too.
 *
 * Compiled files (lib/gen) hold such blocks: a change to the layout changes FQDN_MAGIC, and what the
 * layout allows is checked in fqdn_check.c.
 *
 * Buckets are filled to 3/4 on average. A full one goes on in the next.
 */
#include <assert.h>

#include "fqdn/fqdn_hash.h"
#include "fqdn/fqdn_table.h"

#define FQDN_MAGIC  0x64776675u /* "ufwd" in memory */
#define FQDN_UNIT   4u
#define FQDN_BUCKET 32 /* tags in a cache line */
#define FQDN_FILL   24 /* nodes for a bucket */

/* Instead of a parent's record: */
#define FQDN_PLACE_NONE   0u /* a name of two labels */
#define FQDN_PLACE_SINGLE 1u /* a name of one label */
#define FQDN_PLACES       2u /* the first one where a record may stand */

struct fqdn_bucket {
	uint16_t tag[FQDN_BUCKET];
} __attribute__((aligned(64)));

struct fqdn_table {
	uint32_t magic, n_singles; /**< singles: names of one label with rules */
	uint64_t size, worker_size;
	struct fqdn_key key;
	uint64_t n_names; /**< nodes with rules */
	uint32_t n_buckets, n_sets, n_rules, n_nodes;
	uint64_t buckets, refs, records, sets, members, rules, ids; /**< bytes from the block's start */
	uint64_t text;
	uint32_t reserved[6];
} __attribute__((aligned(64)));

/** Head of a record; the labels follow. */
struct fqdn_record {
	uint32_t set, parent;
	uint8_t labels[];
};

static_assert(sizeof(struct fqdn_bucket) == 64, "a bucket is a cache line");
static_assert(sizeof(struct fqdn_rule) == 12, "layout above");

static inline const void *fqdn_at(const struct fqdn_table *table, uint64_t offset)
{
	return (const uint8_t *)table + offset;
}

/** Bucket of a hash: its upper half, scaled; and its tag: the lowest bits that are not used for that. */
static inline uint32_t fqdn_bucket_of(uint32_t n_buckets, uint64_t hash)
{
	return (uint32_t)((hash >> 32) * n_buckets >> 32);
}

static inline uint16_t fqdn_tag_of(uint64_t hash)
{
	uint16_t tag = (uint16_t)hash;

	return tag ? tag : 1;
}

/** Bits of the places of a bucket that hold @p tag. */
static inline uint32_t fqdn_bucket_match(const struct fqdn_bucket *bucket, uint16_t tag)
{
	uint32_t match = 0;
#ifdef __SSE2__
	const __m128i *line = (const __m128i *)(const void *)bucket;
	__m128i wanted = _mm_set1_epi16((short)tag);

	for (unsigned i = 0; i < 2; i++) {
		__m128i low = _mm_cmpeq_epi16(_mm_load_si128(line + 2 * i), wanted);
		__m128i high = _mm_cmpeq_epi16(_mm_load_si128(line + 2 * i + 1), wanted);

		match |= (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) << 16 * i;
	}
#else
	for (unsigned i = 0; i < FQDN_BUCKET; i++)
		match |= (uint32_t)(bucket->tag[i] == tag) << i;
#endif
	return match;
}

/** Octets of a record's labels. */
static inline unsigned fqdn_labels_size(const struct fqdn_record *record)
{
	unsigned size = record->labels[0] + 1u;

	return record->parent == FQDN_PLACE_NONE ? size + record->labels[size] + 1u : size;
}

/** Whether a record's parent is another record. */
static inline bool fqdn_has_parent(const struct fqdn_record *record)
{
	return record->parent >= FQDN_PLACES;
}

/** Bytes of a record with that many octets of labels. */
static inline unsigned fqdn_record_size(unsigned labels_size)
{
	return ((unsigned)sizeof(struct fqdn_record) + labels_size + FQDN_UNIT - 1) & ~(FQDN_UNIT - 1);
}
