/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Layout of the table's block.
 *
 *   +--------------------------------------------------------------+ 0
 *   | struct fqdn_table                                 4928 bytes |
 *   |   key, sizes, places of the parts below                      |
 *   |   common[32]  4 bytes each: sets that many names have        |
 *   |   part[256]   8 bytes each: first bucket, number of buckets  |
 *   |   word[128]   16 bytes each: labels that many names have     |
 *   |   passage[64] 8 bytes each: hashes of roots like "co.uk"     |
 *   +--------------------------------------------------------------+ buckets
 *   | bucket[n_buckets]                        64 bytes, one line  |
 *   |   base     4 bytes: where its records start; highest bit:    |
 *   |            more nodes of this bucket are in the next one     |
 *   |   tag[30]  16 bits of a node's hash, used ones first; 0 free |
 *   +--------------------------------------------------------------+ records
 *   | for each bucket, without gaps                                |
 *   |   size[n]  1 byte each, that of tag[0] last                  |
 *   |   record[n], that of tag[0] first, here points `base`        |
 *   |     head    1 byte: FQDN_HEAD_*, code of its set             |
 *   |     set     4 bytes, only if the code says so                |
 *   |     parent  4 bytes, only if the head says so: node above    |
 *   |     labels  to the record's end, from the right. Each is in  |
 *   |             wire form, or one byte 64 + number of a word, or |
 *   |             packed (fqdn_pack.h), whichever takes least      |
 *   | FQDN_SLACK bytes that a look-up may touch                    |
 *   +--------------------------------------------------------------+ members
 *   | for each set of several rules: 4 bytes, their number, then   |
 *   | 4 bytes each: a rule's number                                |
 *   +--------------------------------------------------------------+ rules
 *   | struct fqdn_rule[n_rules]                      12 bytes each |
 *   +--------------------------------------------------------------+ worker_size
 *   | struct fqdn_id[n_ids]  8 bytes each: place in text, list     |
 *   | text            identifiers, NUL-terminated                  |
 *   +--------------------------------------------------------------+ size
 *
 * The names are a tree, from the last two labels downwards. The node of a name's last two labels is
 * its root, and a node of one label stands by itself. A node that has no rules and only one node below
 * it is none: its labels are part of the one below. Most names are one node: a root with all labels.
 *
 * A node is found by the hash of the labels it starts with (two for a root, one for others), which
 * goes on from the hash of the node above. The highest bits of a root's hash choose a part of the
 * table, in which everything below this root is. Nearly every look-up ends at its first bucket, which
 * is one cache line that could be fetched ahead. A tag that fits by chance (1 in 3,000 probes) is
 * told apart by the record: its parent must be the node just left and its labels the same, so a name
 * that is found is found exactly. Below a passage, a root without rules that has many nodes below it
 * ("co.uk"), it is the bucket of the third label that is looked at first. Listed names of one label
 * are few, if any: where there are some, a look-up asks for the last label alone, too.
 *
 * Sets of rules are numbers: 0 is none, up to n_rules a rule and 1, FQDN_SET_MANY and a place in
 * members for several.
 *
 * Compiled files (lib/gen) hold such blocks: a change to the layout changes FQDN_MAGIC, and what the
 * layout allows is checked in fqdn_check.c.
 *
 * Buckets have 20 nodes on average. Then one in 70 has more than 30, and goes on in the next.
 */
#include <assert.h>

#include "fqdn/fqdn_hash.h"
#include "fqdn/fqdn_pack.h"
#include "fqdn/fqdn_table.h"

#define FQDN_MAGIC      0x6477667au /* "zfwd" in memory */
#define FQDN_BUCKET     30          /* tags in a bucket */
#define FQDN_FILL       20          /* nodes for a bucket */
#define FQDN_PARTS_BITS 8
#define FQDN_PARTS      (1u << FQDN_PARTS_BITS)
#define FQDN_SLACK      64          /* behind the last record, so that vectors may be read there */

#define FQDN_BASE_MORE 0x80000000u  /* in base and in a match: see the next bucket, too */
#define FQDN_SLOTS     0x3fffffffu  /* bits of a match */

#define FQDN_HEAD_CODE   0x1f /* of the set: place in common, or ... */
#define FQDN_CODE_OTHER  0x1f /* ... it stands behind the head */
#define FQDN_HEAD_PARENT 0x20 /* a node below another one */
#define FQDN_HEAD_INNER  0x40 /* there are nodes below */

#define FQDN_RECORD_MAX 255 /* bytes; a size is one byte */
#define FQDN_SET_MANY   0x80000000u

#define FQDN_PASSAGES   64
#define FQDN_WORD_FIRST 64 /* lengths of labels are less; packed ones are FQDN_PACK_FIRST or more */
#define FQDN_WORDS_MAX  128
#define FQDN_WORD_SIZE  16

/** No parent; nodes are numbered bucket * FQDN_NODE_STEP + slot. */
#define FQDN_NODE_NONE UINT32_MAX
#define FQDN_NODE_STEP 32u

struct fqdn_bucket {
	uint32_t base;
	uint16_t tag[FQDN_BUCKET];
} __attribute__((aligned(64)));

struct fqdn_part {
	uint32_t first, n;
};

/** A list's identifier: the same text in another list is another one. */
struct fqdn_id {
	uint32_t text;
	uint32_t list; /**< FQDN_NO_LIST: number 0, of rules that nobody gave one */
};

struct fqdn_table {
	uint32_t magic, n_singles; /**< singles: names of one label with rules */
	uint64_t size, worker_size;
	struct fqdn_key key;
	uint64_t n_names; /**< nodes with rules */
	uint32_t n_buckets, n_rules, n_nodes, n_words;
	uint64_t buckets, records, members, rules, ids, text; /**< bytes from the block's start */
	uint64_t records_size;                                /**< without the slack */
	uint32_t record_mean;                                 /**< bytes of a record on average */
	uint32_t reserved[13];
	uint32_t common[32]; /**< sets; the last one is not used */
	struct fqdn_part part[FQDN_PARTS];
	uint8_t word[FQDN_WORDS_MAX][FQDN_WORD_SIZE]; /**< labels, zero behind their end */
	uint64_t passage[FQDN_PASSAGES]; /**< by fqdn_passage_of; that of another place: none */
} __attribute__((aligned(64)));

static_assert(sizeof(struct fqdn_bucket) == 64, "a bucket is a cache line");
static_assert(sizeof(struct fqdn_table) == 4928, "layout above");
static_assert(sizeof(struct fqdn_rule) == 12, "layout above");
static_assert(sizeof(struct fqdn_id) == 8, "layout above");
static_assert(FQDN_WORD_FIRST == DNS_LABEL_SIZE_MAX + 1, "codes of words are no lengths");
static_assert(FQDN_WORD_FIRST + FQDN_WORDS_MAX == FQDN_PACK_FIRST, "codes of words end there");
static_assert(FQDN_PACK_FIRST + DNS_LABEL_SIZE_MAX == 255, "a code is one byte");
static_assert(FQDN_SLACK >= DNS_LABEL_SIZE_MAX + 1, "a label, or one vector, ends in the slack");

static inline const void *fqdn_at(const struct fqdn_table *table, uint64_t offset)
{
	return (const uint8_t *)table + offset;
}

static inline const struct fqdn_bucket *fqdn_bucket_at(
	const struct fqdn_table *table, uint32_t bucket)
{
	return (const struct fqdn_bucket *)fqdn_at(table, table->buckets) + bucket;
}

/** Part of the hash of a name's last two labels, or of its only one. */
static inline unsigned fqdn_part_of(uint64_t hash)
{
	return (unsigned)(hash >> (64 - FQDN_PARTS_BITS));
}

/** Where the hash of a passage would stand. */
static inline unsigned fqdn_passage_of(uint64_t hash)
{
	return hash % FQDN_PASSAGES;
}

/** Bucket in a part: the bits below those of the part, scaled. */
static inline uint32_t fqdn_bucket_of(uint32_t n_buckets, uint64_t hash)
{
	return (uint32_t)((uint64_t)(uint32_t)(hash >> (32 - FQDN_PARTS_BITS)) * n_buckets >> 32);
}

/** The lowest bits, which are not used for the bucket. */
static inline uint16_t fqdn_tag_of(uint64_t hash)
{
	uint16_t tag = (uint16_t)hash;

	return tag ? tag : 1;
}

/** Bits of the slots that hold @p tag, and FQDN_BASE_MORE: the plain way. */
static inline uint32_t fqdn_bucket_match_scalar(const struct fqdn_bucket *bucket, uint16_t tag)
{
	uint32_t match = 0;

	for (unsigned i = 0; i < FQDN_BUCKET; i++)
		match |= (uint32_t)(bucket->tag[i] == tag) << i;
	return match | (bucket->base & FQDN_BASE_MORE);
}

static inline uint32_t fqdn_bucket_match(const struct fqdn_bucket *bucket, uint16_t tag)
{
#ifdef __SSE2__
	const __m128i *line = (const __m128i *)(const void *)bucket;
	__m128i wanted = _mm_set1_epi16((short)tag);
	uint32_t match = 0;

	for (unsigned i = 0; i < 2; i++) {
		__m128i low = _mm_cmpeq_epi16(_mm_load_si128(line + 2 * i), wanted);
		__m128i high = _mm_cmpeq_epi16(_mm_load_si128(line + 2 * i + 1), wanted);

		match |= (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) << 16 * i;
	}
	// The two places in front are those of base.
	return match >> 2 | (bucket->base & FQDN_BASE_MORE);
#else
	return fqdn_bucket_match_scalar(bucket, tag);
#endif
}

/** Slots in use, counted. */
static inline unsigned fqdn_bucket_used(const struct fqdn_bucket *bucket)
{
	return (unsigned)__builtin_popcount(~fqdn_bucket_match(bucket, 0) & FQDN_SLOTS);
}

/** Where the records of a bucket start; the sizes stand before it. */
static inline const uint8_t *fqdn_bucket_records(
	const struct fqdn_table *table, const struct fqdn_bucket *bucket)
{
	return fqdn_at(table, table->records + (bucket->base & ~FQDN_BASE_MORE));
}

/** Bytes of the records of the slots before @p slot: the plain way. */
static inline unsigned fqdn_sizes_sum_scalar(const uint8_t *records, unsigned slot)
{
	unsigned sum = 0;

	for (unsigned i = 1; i <= slot; i++)
		sum += *(records - i);
	return sum;
}

/** The same; 32 bytes before @p records may be read. */
static inline unsigned fqdn_sizes_sum(const uint8_t *records, unsigned slot)
{
#ifdef __SSE2__
	static const uint8_t masks[64] = {[32] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const uint8_t *mask = masks + slot;
	__m128i sum = _mm_setzero_si128();

	for (unsigned i = 0; i < 2; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(records - 32 + 16 * i));
		__m128i m = _mm_loadu_si128((const __m128i *)(const void *)(mask + 16 * i));

		sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_and_si128(v, m), _mm_setzero_si128()));
	}
	return (unsigned)_mm_cvtsi128_si32(sum) +
	       (unsigned)_mm_cvtsi128_si32(_mm_unpackhi_epi64(sum, sum));
#else
	return fqdn_sizes_sum_scalar(records, slot);
#endif
}

/** A record, taken apart. */
struct fqdn_record {
	uint32_t set, parent;
	bool inner;
	const uint8_t *labels, *end;
};

static inline struct fqdn_record fqdn_record_read(
	const struct fqdn_table *table, const uint8_t *bytes, unsigned size)
{
	struct fqdn_record record = {.set = table->common[*bytes & FQDN_HEAD_CODE],
		.parent = FQDN_NODE_NONE,
		.inner = *bytes & FQDN_HEAD_INNER,
		.end = bytes + size};
	uint8_t head = *bytes++;

	if ((head & FQDN_HEAD_CODE) == FQDN_CODE_OTHER) {
		memcpy(&record.set, bytes, sizeof(record.set));
		bytes += sizeof(record.set);
	}
	if (head & FQDN_HEAD_PARENT) {
		memcpy(&record.parent, bytes, sizeof(record.parent));
		bytes += sizeof(record.parent);
	}
	record.labels = bytes;
	return record;
}

/** What stands behind a record's label. */
static inline const uint8_t *fqdn_label_next(const uint8_t *label)
{
	if (*label >= FQDN_PACK_FIRST)
		return label + fqdn_pack_size(*label - (unsigned)FQDN_PACK_FIRST);
	return label + (*label >= FQDN_WORD_FIRST ? 1 : *label + 1);
}

/** Rules of a set. @param one [out] room for the number of a single one */
static inline const uint32_t *fqdn_set_rules(
	const struct fqdn_table *table, uint32_t set, uint32_t *one, unsigned *n)
{
	const uint32_t *members;

	if (!(set & FQDN_SET_MANY)) {
		*n = set != 0;
		*one = set - 1;
		return one;
	}
	members = (const uint32_t *)fqdn_at(table, table->members) + (set & ~FQDN_SET_MANY);
	*n = *members;
	return members + 1;
}
