/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>

#include "base/crew.h"
#include "fqdn/fqdn_table_private.h"

// A checksum tells damage, but whoever writes a file can write a checksum too; so every number that a
// look-up follows is held against what is there. What is only compared with a name is left alone:
// labels, which end in the slack at the latest, and a node's parent. Tools that make names of them look
// where they step.
struct check {
	const struct fqdn_table *table;
	uint64_t n_members, n_ids;
	// Parts of the table are gone through by several threads, each taking the next one.
	atomic_uint next;
	atomic_bool bad;
	struct {
		uint64_t first, end; // of its records
		uint64_t n_nodes;
	} seen[FQDN_PARTS];
};

// Each part of the block begins where the one before it ends, and the last one ends with the block.
static bool layout_good(struct check *check, size_t size)
{
	const struct fqdn_table *t = check->table;
	uint64_t rules_end;

	if (t->n_buckets == 0 || t->n_buckets >= FQDN_NODE_NONE / FQDN_NODE_STEP ||
		t->n_names > t->n_nodes || t->n_singles > t->n_names ||
		t->n_words > FQDN_WORDS_MAX || t->record_mean > FQDN_RECORD_MAX ||
		t->n_rules >= FQDN_SET_MANY)
		return false;
	if (t->buckets != sizeof(*t) ||
		t->records != t->buckets + (uint64_t)t->n_buckets * sizeof(struct fqdn_bucket))
		return false;
	if (t->records_size >= FQDN_BASE_MORE || t->records > size || t->members > size ||
		t->members != ((t->records + t->records_size + FQDN_SLACK + 3) & ~3ull))
		return false;
	if (t->rules > size || t->rules < t->members || t->rules % sizeof(uint32_t) != 0)
		return false;
	check->n_members = (t->rules - t->members) / sizeof(uint32_t);
	rules_end = t->rules + (uint64_t)t->n_rules * sizeof(struct fqdn_rule);
	if (t->ids != ((rules_end + 63) & ~63ull) || t->worker_size != t->ids)
		return false;
	if (t->text >= size || t->text <= t->ids ||
		(t->text - t->ids) % sizeof(struct fqdn_id) != 0)
		return false;
	check->n_ids = (t->text - t->ids) / sizeof(struct fqdn_id);
	return ((const uint8_t *)t)[size - 1] == '\0';
}

static bool words_good(const struct fqdn_table *t)
{
	for (uint32_t i = 0; i < FQDN_WORDS_MAX; i++)
		if (t->word[i][0] >= FQDN_WORD_SIZE)
			return false;
	return true;
}

static bool set_good(const struct check *check, uint32_t set)
{
	const struct fqdn_table *t = check->table;
	const uint32_t *members = (const uint32_t *)fqdn_at(t, t->members);
	uint32_t at = set & ~FQDN_SET_MANY;

	if (!(set & FQDN_SET_MANY))
		return set <= t->n_rules;
	if (at >= check->n_members || members[at] > FQDN_RULES_MAX ||
		members[at] >= check->n_members - at)
		return false;
	for (uint32_t i = 1; i <= members[at]; i++)
		if (members[at + i] >= t->n_rules)
			return false;
	return true;
}

static bool sets_good(const struct check *check)
{
	for (unsigned i = 0; i < FQDN_CODE_OTHER; i++)
		if (!set_good(check, check->table->common[i]))
			return false;
	return true;
}

// Whether a record has a label, and a set that is there.
static inline bool record_good(const struct check *check, const uint8_t *at, unsigned size)
{
	unsigned head = *at;
	bool other = (head & FQDN_HEAD_CODE) == FQDN_CODE_OTHER;
	uint32_t set;

	if (size <=
		1 + (other ? sizeof(set) : 0) + (head & FQDN_HEAD_PARENT ? sizeof(uint32_t) : 0))
		return false;
	if (!other)
		return true;
	memcpy(&set, at + 1, sizeof(set));
	return set_good(check, set);
}

// The records of a bucket, which stand behind those of the one before.
// @param at [in,out] of the records; where those of this bucket end
static bool bucket_good(const struct check *check, const struct fqdn_bucket *bucket, uint64_t *at)
{
	const struct fqdn_table *t = check->table;
	uint32_t used = ~fqdn_bucket_match(bucket, 0) & FQDN_SLOTS;
	uint64_t base = bucket->base & ~FQDN_BASE_MORE, end = base;
	const uint8_t *records = fqdn_bucket_records(t, bucket);
	unsigned n = (unsigned)__builtin_popcount(used);

	// Slots are used from the first one on, and only a full bucket goes on in the next.
	if ((used & (used + 1)) != 0 || base != *at + n || base > t->records_size ||
		(bucket->base & FQDN_BASE_MORE && n < FQDN_BUCKET))
		return false;
	for (unsigned slot = 0; slot < n; slot++) {
		unsigned size = *(records - 1 - slot);

		if (size == 0 || size > t->records_size - end ||
			!record_good(check, records + (end - base), size))
			return false;
		end += size;
	}
	*at = end;
	return true;
}

static bool part_good(struct check *check, unsigned p)
{
	const struct fqdn_table *t = check->table;
	const struct fqdn_bucket *bucket = fqdn_bucket_at(t, t->part[p].first);
	uint64_t base = bucket->base & ~FQDN_BASE_MORE, used = fqdn_bucket_used(bucket), at;
	bool ends = false;

	if (base < used)
		return false;
	at = check->seen[p].first = base - used;
	for (uint32_t i = 0; i < t->part[p].n; i++, bucket++) {
		if (!bucket_good(check, bucket, &at))
			return false;
		check->seen[p].n_nodes += fqdn_bucket_used(bucket);
		ends |= !(bucket->base & FQDN_BASE_MORE);
	}
	check->seen[p].end = at;
	// A look-up goes round in its part as long as there is more.
	return ends;
}

static void parts_check(void *ctx, unsigned member)
{
	struct check *check = ctx;
	unsigned p;

	while (!atomic_load(&check->bad) && (p = atomic_fetch_add(&check->next, 1)) < FQDN_PARTS)
		if (!part_good(check, p))
			atomic_store(&check->bad, true);
}

#define CREW_FROM 20000 // nodes; fewer are checked before a thread has been started

static bool parts_good(struct check *check)
{
	const struct fqdn_table *t = check->table;
	uint64_t bucket = 0, at = 0, n_nodes = 0;

	for (unsigned p = 0; p < FQDN_PARTS; p++) {
		if (t->part[p].first != bucket || t->part[p].n == 0 ||
			t->part[p].n > t->n_buckets - bucket)
			return false;
		bucket += t->part[p].n;
	}
	if (bucket != t->n_buckets)
		return false;
	crew_run(t->n_nodes > CREW_FROM ? crew_size() : 1, parts_check, check);
	if (atomic_load(&check->bad))
		return false;
	for (unsigned p = 0; p < FQDN_PARTS; p++) {
		if (check->seen[p].first != at)
			return false;
		at = check->seen[p].end;
		n_nodes += check->seen[p].n_nodes;
	}
	return at == t->records_size && n_nodes == t->n_nodes;
}

static bool rules_good(const struct check *check, unsigned n_lists)
{
	const struct fqdn_table *t = check->table;
	const struct fqdn_rule *rules = (const struct fqdn_rule *)fqdn_at(t, t->rules);
	const struct fqdn_id *ids = (const struct fqdn_id *)fqdn_at(t, t->ids);

	for (uint32_t i = 0; i < t->n_rules; i++)
		if (rules[i].list >= n_lists || rules[i].scope > FQDN_PATTERN ||
			rules[i].verdict >= FQDN_VERDICTS || rules[i].id >= check->n_ids ||
			ids[rules[i].id].list != rules[i].list)
			return false;
	for (uint64_t i = 0; i < check->n_ids; i++)
		if (ids[i].text >= t->size - t->text)
			return false;
	return true;
}

const char *fqdn_table_check(const void *block, size_t size, unsigned n_lists)
{
	struct check check = {.table = block};

	if (size < sizeof(struct fqdn_table) || check.table->magic != FQDN_MAGIC)
		return "a table of names of this version";
	if (check.table->size != size || !layout_good(&check, size))
		return "a table of names whose parts fit its size";
	if (!words_good(check.table))
		return "labels that are words";
	if (!sets_good(&check))
		return "sets of rules that are there";
	if (!rules_good(&check, n_lists))
		return "rules of lists that are there";
	return parts_good(&check) ? NULL : "buckets of whole records";
}
