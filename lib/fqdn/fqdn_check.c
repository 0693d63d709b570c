/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/block.h"
#include "fqdn/fqdn_table_private.h"

// What is known of a block while it is gone through. A checksum tells damage, but whoever writes a
// file can write a checksum too; so every number that a look-up follows is held against what is there.
struct check {
	const struct fqdn_table *table;
	uint64_t units; // of the records
	uint64_t n_members, n_ids;
	uint64_t *starts; // one bit for each unit: a record starts there
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

	if (t->n_buckets == 0 || t->n_sets == 0 || t->n_names > t->n_nodes ||
		t->n_singles > t->n_names)
		return false;
	if (t->buckets != sizeof(*t) ||
		t->refs != t->buckets + n_lines * sizeof(struct fqdn_bucket) ||
		t->records != t->refs + n_lines * FQDN_BUCKET * sizeof(uint32_t))
		return false;
	if (t->records > size || t->sets > size || t->sets <= t->records ||
		t->sets % FQDN_UNIT != 0)
		return false;
	check->units = (t->sets - t->records) / FQDN_UNIT;
	if (check->units > UINT32_MAX ||
		t->members != t->sets + (t->n_sets + 1ull) * sizeof(uint32_t))
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

static const struct fqdn_record *record_at(const struct check *check, uint64_t unit)
{
	return fqdn_at(check->table, check->table->records + unit * FQDN_UNIT);
}

// Units of the record there, 0: it is none.
static uint64_t record_check(const struct check *check, uint64_t unit)
{
	const struct fqdn_record *record = record_at(check, unit);
	const uint64_t head = sizeof(struct fqdn_record) / FQDN_UNIT;
	uint64_t limit, units;
	unsigned first, second = 0;
	bool good;

	if (check->units <= unit + head)
		return 0;
	limit = (check->units - unit - head) * FQDN_UNIT;
	first = record->labels[0];
	if (record->parent == FQDN_PLACE_NONE) {
		if (first + 1u >= limit)
			return 0;
		second = record->labels[first + 1];
		good = second - 1u < DNS_LABEL_SIZE_MAX;
		second++;
	} else {
		good = true;
	}
	units = fqdn_record_size(first + 1u + second) / FQDN_UNIT;
	good &= first - 1u < DNS_LABEL_SIZE_MAX;
	good &= unit + units <= check->units;
	good &= record->set < check->table->n_sets;
	good &= record->parent < check->units;
	return good ? units : 0;
}

#define CHAINS  8    // walked side by side, so that one's memory is waited for while others go on
#define SAMPLED 4096 // buckets that are asked where records start

// Where chains start: what the buckets say lies there. It need not be true: the chain before has to
// come to the same place.
static void chains_split(const struct check *check, uint64_t starts[CHAINS + 1])
{
	const struct fqdn_table *t = check->table;
	const uint32_t *refs = (const uint32_t *)fqdn_at(t, t->refs);
	uint64_t n = (t->n_buckets < SAMPLED ? t->n_buckets : SAMPLED) * (uint64_t)FQDN_BUCKET;

	for (unsigned c = 0; c < CHAINS; c++)
		starts[c] = FQDN_PLACES;
	starts[CHAINS] = check->units;
	for (uint64_t i = 0; i < n; i++)
		if (refs[i] >= FQDN_PLACES && refs[i] < check->units) {
			uint64_t c = (uint64_t)refs[i] * CHAINS / check->units;

			// The last start of each part ends the chain of it; part 0 has no other start.
			if (c + 1 < CHAINS && refs[i] > starts[c + 1])
				starts[c + 1] = refs[i];
		}
	for (unsigned c = 1; c < CHAINS; c++)
		if (starts[c] < starts[c - 1])
			starts[c] = starts[c - 1];
}

// Records stand one behind the other to the end. Notes where each starts.
static bool records_good(struct check *check)
{
	uint64_t starts[CHAINS + 1], at[CHAINS], n = 0;
	bool going = true;

	chains_split(check, starts);
	memcpy(at, starts, sizeof(at));
	while (going) {
		going = false;
		for (unsigned c = 0; c < CHAINS; c++) {
			uint64_t units;

			if (at[c] >= starts[c + 1])
				continue;
			units = record_check(check, at[c]);
			if (units == 0)
				return false;
			check->starts[at[c] / 64] |= 1ull << at[c] % 64;
			at[c] += units;
			n++;
			going = true;
		}
	}
	for (unsigned c = 0; c < CHAINS; c++)
		if (at[c] != starts[c + 1])
			return false;
	return n == check->table->n_nodes;
}

// A name's parent is a record; only tools follow it.
static bool parents_good(const struct check *check)
{
	bool bad = false;

	for (uint64_t word = 0; word <= check->units / 64; word++)
		for (uint64_t bits = check->starts[word]; bits; bits &= bits - 1) {
			uint64_t unit = word * 64 + (unsigned)__builtin_ctzll(bits);
			uint32_t parent = record_at(check, unit)->parent;

			bad |= (parent >= FQDN_PLACES) & !starts_at(check, parent);
		}
	return !bad;
}

// Each tag leads to a record. A look-up goes on over full buckets, so the last one must have room.
static bool refs_good(const struct check *check)
{
	const struct fqdn_table *t = check->table;
	const struct fqdn_bucket *buckets = fqdn_at(t, t->buckets);
	const uint32_t *refs = (const uint32_t *)fqdn_at(t, t->refs);
	bool bad = false;

	for (uint64_t at = 0; at <= t->n_buckets && !bad; at++)
		for (uint32_t used = ~fqdn_bucket_match(&buckets[at], 0); used; used &= used - 1) {
			uint32_t ref = refs[at * FQDN_BUCKET + (unsigned)__builtin_ctz(used)];

			// Without waiting for the one before: the places in the bit field are as good as
			// random. No record starts at 0.
			bad |= !starts_at(check, ref < check->units ? ref : 0);
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
	size_t starts_size;

	if (size < sizeof(struct fqdn_table) || check.table->magic != FQDN_MAGIC)
		return "a table of names of this version";
	if (check.table->size != size || !layout_good(&check, size))
		return "a table of names whose parts fit its size";
	starts_size = (check.units / 64 + 1) * sizeof(uint64_t);
	check.starts = block_alloc(starts_size, -1);
	if (!check.starts)
		return "memory to check the table of names";
	if (!records_good(&check) || !parents_good(&check))
		wrong = "whole records of names";
	else if (!refs_good(&check))
		wrong = "buckets that lead to records";
	else if (!sets_good(&check))
		wrong = "sets of rules that are there";
	else if (!rules_good(&check, n_lists))
		wrong = "rules of lists that are there";
	block_free(check.starts, starts_size);
	return wrong;
}
