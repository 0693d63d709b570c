/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Layout of the table's block.
 *
 *   +--------------------------------------------------------------+ 0
 *   | struct fqdn_table                                  128 bytes |
 *   +--------------------------------------------------------------+ slots
 *   | slot[n_slots]   8 bytes each, open addressing, linear        |
 *   |   tag  32 bits  upper half of the suffix's hash              |
 *   |   at   32 bits  name record, in units of 4 bytes; 0 = empty  |
 *   +--------------------------------------------------------------+ names
 *   | name record     4-byte aligned; the first unit is unused     |
 *   |   set  32 bits  its set of rules                             |
 *   |   size  8 bits  octets of the name, then the name            |
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
 * Names of a plain list share one set, so a name costs its octets, 5 bytes, and 8 bytes of slot at a
 * load of 3/4 or less. `depths` has a bit for each number of labels that any listed name has: most
 * suffixes of most names need no probe at all.
 */
#include <assert.h>

#include "fqdn/fqdn_hash.h"
#include "fqdn/fqdn_table.h"

#define FQDN_MAGIC    0x64776672u /* "rfwd" in memory */
#define FQDN_NAME_UNIT 4u

struct fqdn_slot {
	uint32_t tag, at;
};

struct fqdn_table {
	uint32_t magic, slot_mask; /**< n_slots - 1; n_slots is a power of two */
	uint64_t size, worker_size;
	struct fqdn_key key;
	uint64_t depths[2]; /**< bit d: there is a name of d labels */
	uint64_t n_names;
	uint32_t n_sets, n_rules;
	uint64_t slots, names, sets, members, rules, ids, text; /**< bytes from the block's start */
};

static_assert(sizeof(struct fqdn_slot) == 8, "eight slots to a cache line");
static_assert(sizeof(struct fqdn_rule) == 12, "layout above");
static_assert(sizeof(struct fqdn_table) == 128, "layout above");

static inline const void *fqdn_at(const struct fqdn_table *table, uint64_t offset)
{
	return (const uint8_t *)table + offset;
}

/** Name record of a hash, or NULL. @param name its canonical octets */
static inline const uint8_t *fqdn_probe(const struct fqdn_table *table, uint64_t hash,
	const uint8_t *name, unsigned size)
{
	const struct fqdn_slot *slots = (const struct fqdn_slot *)fqdn_at(table, table->slots);
	const uint8_t *names = (const uint8_t *)fqdn_at(table, table->names);

	for (uint32_t i = (uint32_t)hash & table->slot_mask; slots[i].at;
		i = (i + 1) & table->slot_mask) {
		const uint8_t *record = names + (uint64_t)slots[i].at * FQDN_NAME_UNIT;

		if (slots[i].tag == (uint32_t)(hash >> 32) && record[4] == size &&
			memcmp(record + 5, name, size) == 0)
			return record;
	}
	return NULL;
}
