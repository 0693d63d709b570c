/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "fqdn/fqdn_table_private.h"

// What is known of a block while it is gone through. A checksum tells damage, but whoever writes a
// file can write a checksum too; so every number that a look-up follows is held against what is there.
struct check {
	const struct fqdn_table *table;
	uint64_t units;     // of the records
	uint64_t n_members, n_ids;
	uint64_t *starts;   // one bit for each unit: a record starts there
};

static bool starts_at(const struct check *check, uint64_t unit)
{
	return check->starts[unit / 64] >> unit % 64 & 1;
}

// Each part begins where the one before it ends, and the last one ends with the block.
static bool layout_good(struct check *check, size_t size)
{
	const struct fqdn_table *t = check->table;
	uint64_t n_lines = t->n_buckets + 1ull, rules_end;

	if (t->depth < 1 || t->depth > 2 || t->n_buckets == 0 || t->n_sets == 0 || t->n_names > t->n_nodes)
		return false;
	if (t->buckets != sizeof(*t) || t->refs != t->buckets + n_lines * sizeof(struct fqdn_bucket) ||
		t->records != t->refs + n_lines * FQDN_BUCKET * sizeof(uint32_t))
		return false;
	if (t->records > size || t->sets > size || t->sets <= t->records || t->sets % FQDN_UNIT != 0)
		return false;
	check->units = (t->sets - t->records) / FQDN_UNIT;
	if (check->units > UINT32_MAX || t->members != t->sets + (t->n_sets + 1ull) * sizeof(uint32_t))
		return false;
	if (t->rules > size || t->rules < t->members || t->rules % sizeof(uint32_t) != 0)
		return false;
	check->n_members = (t->rules - t->members) / sizeof(uint32_t);
	rules_end = t->rules + (uint64_t)t->n_rules * sizeof(struct fqdn_rule);
	if (t->ids != ((rules_end + 63) & ~63ull) || t->worker_size != t->ids)
		return false;
	if (t->text >= size || t->text <= t->ids || t->text % sizeof(uint32_t) != 0)
		return false;
	check->n_ids = (t->text - t->ids) / sizeof(uint32_t);
	return ((const uint8_t *)t)[size - 1] == '\0';
}

// Octets of a record's labels when at most `limit` are there, 0: they go on.
static unsigned labels_size(const struct fqdn_record *record, unsigned depth, uint64_t limit)
{
	unsigned size = 0;

	for (unsigned n = record->parent ? 1 : depth; n > 0; n--) {
		if (size >= limit || record->labels[size] == 0 ||
			record->labels[size] > DNS_LABEL_SIZE_MAX)
			return 0;
		size += record->labels[size] + 1u;
	}
	return size <= limit ? size : 0;
}

static const struct fqdn_record *record_at(const struct check *check, uint64_t unit)
{
	return fqdn_at(check->table, check->table->records + unit * FQDN_UNIT);
}

// Records stand one behind the other to the end. Notes where each starts.
static bool records_good(struct check *check)
{
	const uint64_t head = sizeof(struct fqdn_record) / FQDN_UNIT;
	const struct fqdn_table *t = check->table;
	bool parents_behind = false;
	uint64_t unit = 1;

	for (uint32_t n = 0; n < t->n_nodes; n++) {
		const struct fqdn_record *record = record_at(check, unit);
		unsigned size;

		if (check->units <= unit + head)
			return false;
		size = labels_size(record, t->depth, (check->units - unit - head) * FQDN_UNIT);
		if (size == 0 || record->set >= t->n_sets || record->parent >= check->units)
			return false;
		if (record->parent >= unit)
			parents_behind = true;
		else if (record->parent && !starts_at(check, record->parent))
			return false;
		check->starts[unit / 64] |= 1ull << unit % 64;
		unit += fqdn_record_size(size) / FQDN_UNIT;
	}
	if (unit != check->units)
		return false;
	// Names of one label are put in last, below names that were there.
	for (unit = 1; parents_behind && unit < check->units;) {
		const struct fqdn_record *record = record_at(check, unit);

		if (record->parent && !starts_at(check, record->parent))
			return false;
		unit += fqdn_record_size(fqdn_labels_size(record, t->depth)) / FQDN_UNIT;
	}
	return true;
}

// Each tag leads to a record. A look-up goes on over full buckets, so the last one must have room.
static bool refs_good(const struct check *check)
{
	const struct fqdn_table *t = check->table;
	const struct fqdn_bucket *buckets = fqdn_at(t, t->buckets);
	const uint32_t *refs = (const uint32_t *)fqdn_at(t, t->refs);
	bool bad = false;

	for (uint64_t at = 0; at <= t->n_buckets && !bad; at++)
		for (unsigned i = 0; i < FQDN_BUCKET; i++) {
			uint32_t ref = refs[at * FQDN_BUCKET + i];

			// Without branches: the places in the bit field are as good as random.
			bad |= ref >= check->units;
			bad |= (buckets[at].tag[i] != 0) & !starts_at(check, bad ? 0 : ref);
		}
	return !bad && buckets[t->n_buckets].tag[FQDN_BUCKET - 1] == 0;
}

static bool sets_good(const struct check *check)
{
	const uint32_t *sets = (const uint32_t *)fqdn_at(check->table, check->table->sets);
	const uint32_t *members = (const uint32_t *)fqdn_at(check->table, check->table->members);
	uint32_t n_sets = check->table->n_sets;

	if (sets[0] != 0 || sets[n_sets] != check->n_members)
		return false;
	for (uint32_t i = 0; i < n_sets; i++)
		if (sets[i + 1] < sets[i] || sets[i + 1] - sets[i] > FQDN_RULES_MAX)
			return false;
	for (uint64_t i = 0; i < check->n_members; i++)
		if (members[i] >= check->table->n_rules)
			return false;
	return true;
}

static bool rules_good(const struct check *check, unsigned n_lists)
{
	const struct fqdn_table *t = check->table;
	const struct fqdn_rule *rules = (const struct fqdn_rule *)fqdn_at(t, t->rules);
	const uint32_t *ids = (const uint32_t *)fqdn_at(t, t->ids);

	for (uint32_t i = 0; i < t->n_rules; i++)
		if (rules[i].list >= n_lists || rules[i].scope > FQDN_SUBTREE ||
			rules[i].verdict >= FQDN_VERDICTS || rules[i].id >= check->n_ids)
			return false;
	for (uint64_t i = 0; i < check->n_ids; i++)
		if (ids[i] >= t->size - t->text)
			return false;
	return true;
}

const char *fqdn_table_check(const void *block, size_t size, unsigned n_lists)
{
	struct check check = {.table = block};
	const char *wrong = NULL;

	if (size < sizeof(struct fqdn_table) || check.table->magic != FQDN_MAGIC)
		return "a table of names of this version";
	if (check.table->size != size || !layout_good(&check, size))
		return "a table of names whose parts fit its size";
	check.starts = calloc(check.units / 64 + 1, sizeof(uint64_t));
	if (!check.starts)
		return "memory to check the table of names";
	if (!records_good(&check))
		wrong = "whole records of names";
	else if (!refs_good(&check))
		wrong = "buckets that lead to records";
	else if (!sets_good(&check))
		wrong = "sets of rules that are there";
	else if (!rules_good(&check, n_lists))
		wrong = "rules of lists that are there";
	free(check.starts);
	return wrong;
}
