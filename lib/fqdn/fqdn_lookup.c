/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "fqdn/fqdn_equal.h"
#include "fqdn/fqdn_judge.h"
#include "fqdn/fqdn_labels.h"
#include "fqdn/fqdn_scan.h"

// Work, as dns_known counts it: a node looked for and found, and a label compared with a record's that
// has many.
#define FQDN_WORK_NODE  600
#define FQDN_WORK_LABEL 29

// A name whose bucket has its tag, or may have it further on; on its way down the tree.
struct hit {
	uint64_t hash;
	const uint8_t *record; // of the first slot that matches
	uint32_t bucket, match, parent;
	uint32_t set; // of the node that was found; ...
	bool more;    // ... whether the search goes on below it
	bool known;   // where the labels of the name stand
	uint8_t size; // of the record
	uint8_t name, part;
	uint8_t depth;  // labels of the name that are those of nodes found
	uint8_t hashed; // labels in the hash
};

struct bulk {
	const struct fqdn_table *table;
	const struct fqdn_name *names;
	uint16_t today;
	unsigned start;             // labels that a search starts with
	uint32_t itself;            // set of the node of a whole name, for tools that ask for one
	struct fqdn_effort *effort; // NULL: nobody asks
	// Names that have a rule, and those that have several: they have a best.
	uint64_t found, several;
	const struct fqdn_rule *rule[FQDN_BULK];
	struct fqdn_best best[FQDN_BULK];
	struct hit hits[FQDN_BULK];
	struct dns_labels labels[FQDN_BULK];
};

// Where the labels of a name stand.
// @return false: the name cannot be read; the caller has read it, so this does not happen
static __attribute__((noinline)) bool labels_find(struct bulk *bulk, struct hit *hit)
{
	const struct fqdn_name *name = &bulk->names[hit->name];
	struct dns_labels *labels = &bulk->labels[hit->name];

	if (bulk->effort && bulk->effort->msg == name->msg) {
		hit->known = dns_known_labels(
			bulk->effort->known, name->msg, name->msg_size, name->at, labels);
	} else {
		hit->known = dns_msg_labels_read(name->msg, name->msg_size, name->at, labels) >= 0;
	}
	hit->known &= labels->n == name->n;
	return hit->known;
}

// The label that has @p behind labels behind it, NULL: there is none.
static inline const uint8_t *name_label(
	struct bulk *bulk, struct hit *hit, const struct fqdn_name *name, unsigned behind)
{
	if (behind >= name->n)
		return NULL;
	if (behind < 3)
		return name->msg + name->last[2 - behind];
	if (!hit->known && !labels_find(bulk, hit))
		return NULL;
	return name->msg + bulk->labels[hit->name].at[name->n - 1u - behind];
}

// Names of other messages are not this one's work.
static inline bool is_counted(const struct bulk *bulk, const struct fqdn_name *name)
{
	return bulk->effort && bulk->effort->msg == name->msg;
}

// Labels of a record from the fourth on. @return how many it has, 0: they are not those of the name
static __attribute__((noinline)) unsigned labels_follow(struct bulk *bulk, struct hit *hit,
	const uint8_t *listed, const uint8_t *end, unsigned depth)
{
	const struct fqdn_name *name = &bulk->names[hit->name];
	struct fqdn_labels labels;

	if (depth >= name->n || (!hit->known && !labels_find(bulk, hit)))
		return 0;
	labels = (struct fqdn_labels){listed, end, &bulk->labels[hit->name], name->n - depth};
	fqdn_labels_pass(bulk->table, &labels);
	if (is_counted(bulk, name))
		bulk->effort->known->work += FQDN_WORK_LABEL * (name->n - depth - labels.left);
	return labels.listed < end ? 0 : name->n - labels.left;
}

// Whether a record is the node that is looked for. Takes what it says if so. Twice in the code, so that
// the first record, which nearly always is, costs no call.
static inline __attribute__((always_inline)) bool record_take(
	struct bulk *bulk, struct hit *hit, const uint8_t *bytes, unsigned size)
{
	const struct fqdn_name *name = &bulk->names[hit->name];
	struct fqdn_record record = fqdn_record_read(bulk->table, bytes, size);
	const uint8_t *end = name->msg + name->msg_size;
	unsigned depth = hit->depth;

	if (record.parent != hit->parent)
		return false;
	for (const uint8_t *listed = record.labels; listed < record.end;
		listed = fqdn_label_next(listed), depth++) {
		const uint8_t *label;

		if (__builtin_expect(depth >= 3, 0)) {
			depth = labels_follow(bulk, hit, listed, record.end, depth);
			if (depth == 0)
				return false;
			break;
		}
		label = depth < name->n ? name->msg + name->last[2 - depth] : NULL;
		if (!label ||
			!fqdn_label_equal(bulk->table, listed, label, (unsigned)(end - label)))
			return false;
	}
	// A name of one label is no root, and no root is a name of one label.
	if (hit->depth == 0 && (bulk->start == 1 ? depth != 1 : depth < 2))
		return false;
	hit->depth = (uint8_t)depth;
	hit->set = record.set;
	hit->more = record.inner && depth < name->n;
	return true;
}

// Where the record of a slot is; the sizes are looked at.
static inline void record_aim(const struct fqdn_table *table, struct hit *hit, unsigned slot)
{
	const uint8_t *records = fqdn_bucket_records(table, fqdn_bucket_at(table, hit->bucket));

	hit->size = *(records - 1 - slot);
	hit->record = records + fqdn_sizes_sum(records, slot);
}

static inline void next_bucket(const struct fqdn_table *table, struct hit *hit)
{
	const struct fqdn_part *part = &table->part[hit->part];

	if (++hit->bucket == part->first + part->n)
		hit->bucket = part->first;
}

// Find the node among the other slots that match, and in the buckets that theirs goes on in; rare.
static __attribute__((noinline)) bool node_find_on(struct bulk *bulk, struct hit *hit)
{
	const struct fqdn_table *table = bulk->table;

	hit->match &= ~(hit->match & -hit->match & FQDN_SLOTS);
	for (;;) {
		for (; hit->match & FQDN_SLOTS; hit->match &= hit->match - 1) {
			record_aim(table, hit, (unsigned)__builtin_ctz(hit->match));
			if (record_take(bulk, hit, hit->record, hit->size))
				return true;
		}
		if (!(hit->match & FQDN_BASE_MORE))
			return false;
		next_bucket(table, hit);
		hit->match = fqdn_bucket_match(
			fqdn_bucket_at(table, hit->bucket), fqdn_tag_of(hit->hash));
	}
}

// Find the node; nearly always the first slot that matches is it. @return whether there is one
static inline bool node_find(struct bulk *bulk, struct hit *hit)
{
	if (!record_take(bulk, hit, hit->record, hit->size) && !node_find_on(bulk, hit))
		return false;
	hit->parent = hit->bucket * FQDN_NODE_STEP + (unsigned)__builtin_ctz(hit->match);
	return true;
}

// Buckets are there: hits that go on, with the sizes of their records on the way, and the records
// too if they are where they are on average. A bucket that has nothing but more in the next one has to
// wait for that.
static unsigned hits_match(const struct fqdn_table *table, struct hit **hits, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		struct hit *hit = hits[i];
		const struct fqdn_bucket *bucket = fqdn_bucket_at(table, hit->bucket);
		const uint8_t *records = fqdn_bucket_records(table, bucket);

		hit->match = fqdn_bucket_match(bucket, fqdn_tag_of(hit->hash));
		if (hit->match == 0)
			continue;
		hits[kept++] = hit;
		if (hit->match & FQDN_SLOTS) {
			unsigned slot = (unsigned)__builtin_ctz(hit->match);

			__builtin_prefetch(records - 1);
			__builtin_prefetch(records - 1 - slot);
			__builtin_prefetch(records + slot * table->record_mean);
		} else {
			next_bucket(table, hit);
			__builtin_prefetch(fqdn_bucket_at(table, hit->bucket));
		}
	}
	return kept;
}

// Sizes are there: the records on the way.
static void hits_aim(const struct fqdn_table *table, struct hit **hits, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct hit *hit = hits[i];

		if (!(hit->match & FQDN_SLOTS))
			continue;
		record_aim(table, hit, (unsigned)__builtin_ctz(hit->match));
		__builtin_prefetch(hit->record);
		__builtin_prefetch(hit->record + hit->size - 1);
	}
}

// On to the next label: its bucket on the way. @return whether there is such a label
static bool hit_descend(struct bulk *bulk, struct hit *hit)
{
	const struct fqdn_table *table = bulk->table;
	const struct fqdn_name *name = &bulk->names[hit->name];

	// A record may have held labels more than it was found by.
	for (; hit->hashed <= hit->depth; hit->hashed++) {
		const uint8_t *label = name_label(bulk, hit, name, hit->hashed);

		if (!label)
			return false;
		hit->hash = fqdn_hash_labels(&table->key, hit->hash, label, *label + 1u,
			(unsigned)(name->msg + name->msg_size - label));
	}
	hit->bucket = fqdn_bucket_aim(table, hit->part, hit->hash);
	return true;
}

// Nearly every name that has a rule has one.
static inline void rule_take(struct bulk *bulk, unsigned name, const struct fqdn_rule *rule)
{
	uint64_t bit = 1ull << name;

	if (!(bulk->found & bit)) {
		bulk->found |= bit;
		bulk->rule[name] = rule;
		return;
	}
	if (!(bulk->several & bit)) {
		bulk->several |= bit;
		bulk->best[name] = (struct fqdn_best){0};
		fqdn_best_take(&bulk->best[name], bulk->rule[name]);
	}
	fqdn_best_take(&bulk->best[name], rule);
}

static inline void set_take(struct bulk *bulk, unsigned name, uint32_t set, bool itself)
{
	const struct fqdn_table *table = bulk->table;
	const struct fqdn_rule *rules = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	uint8_t not_for = itself ? FQDN_BELOW : FQDN_EXACT;
	uint32_t one;
	unsigned n;

	for (const uint32_t *numbers = fqdn_set_rules(table, set, &one, &n); n > 0; n--) {
		const struct fqdn_rule *rule = &rules[*numbers++];

		if (bulk->today >= rule->first_day && bulk->today <= rule->last_day &&
			rule->scope != not_for)
			rule_take(bulk, name, rule);
	}
}

// Records are there: take the rules of hits that are one, and go on to the next label where there is
// one, or to another bucket. Rules are few, as lists have many names for each.
static unsigned hits_take(struct bulk *bulk, struct hit **hits, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		struct hit *hit = hits[i];
		bool itself;

		// Where only the bucket is another one, it is on its way already; see hits_match.
		if (!(hit->match & FQDN_SLOTS)) {
			hits[kept++] = hit;
			continue;
		}
		if (is_counted(bulk, &bulk->names[hit->name]))
			bulk->effort->known->work += FQDN_WORK_NODE;
		if (!node_find(bulk, hit))
			continue;
		itself = hit->depth == bulk->names[hit->name].n;
		set_take(bulk, hit->name, hit->set, itself);
		if (itself)
			bulk->itself = hit->set;
		if (hit->more && hit_descend(bulk, hit))
			hits[kept++] = hit;
	}
	return kept;
}

// Follow names that may be listed down the tree, all of them one step at a time, so that what one
// step needs from memory is on its way while the others take theirs.
static void names_follow(struct bulk *bulk, const struct fqdn_aim *aims, uint64_t may)
{
	struct hit *hits[FQDN_BULK];
	unsigned n = 0;

	for (; may; may &= may - 1) {
		unsigned i = (unsigned)__builtin_ctzll(may), part = fqdn_part_of(aims[i].hash);

		hits[n] = &bulk->hits[n];
		*hits[n++] = (struct hit){.hash = aims[i].hash,
			.bucket = fqdn_bucket_aim(bulk->table, part, aims[i].hash),
			.parent = FQDN_NODE_NONE,
			.name = (uint8_t)i,
			.hashed = (uint8_t)bulk->start,
			.part = (uint8_t)part};
	}
	while ((n = hits_match(bulk->table, hits, n)) > 0) {
		hits_aim(bulk->table, hits, n);
		n = hits_take(bulk, hits, n);
	}
}

// The rare part: some names may be listed.
static __attribute__((noinline)) uint64_t names_judge(const struct fqdn_table *table,
	const struct fqdn_name *names, unsigned n, uint16_t today, const struct fqdn_aim *aims,
	uint64_t may, struct fqdn_effort *effort, struct fqdn_match *match)
{
	struct bulk bulk;

	bulk.table = table;
	bulk.names = names;
	bulk.today = today;
	bulk.effort = effort;
	bulk.found = bulk.several = 0;
	// Names are taken shortest first.
	if (table->n_singles) {
		struct fqdn_aim last[FQDN_BULK];

		bulk.start = 1;
		fqdn_aim_single(table, names, n, last);
		names_follow(&bulk, last, fqdn_scan(table, n, last));
	}
	bulk.start = 2;
	names_follow(&bulk, aims, may);
	for (uint64_t found = bulk.found; found; found &= found - 1) {
		unsigned i = (unsigned)__builtin_ctzll(found);

		if (bulk.several >> i & 1)
			fqdn_best_judge(&bulk.best[i], &match[i]);
		else
			fqdn_one_judge(bulk.rule[i], &match[i]);
	}
	return bulk.found;
}

uint64_t fqdn_lookup_aimed(const struct fqdn_table *table, const struct fqdn_name *names,
	unsigned n, const struct fqdn_aim *aims, uint16_t today, struct fqdn_effort *effort,
	struct fqdn_match *match)
{
	uint64_t may = fqdn_scan(table, n, aims);

	if (__builtin_expect((may | table->n_singles) == 0, 1))
		return 0;
	return names_judge(table, names, n, today, aims, may, effort, match);
}

unsigned fqdn_table_rules(const struct fqdn_table *table, const uint8_t *name,
	const struct fqdn_rule *rules[FQDN_RULES_MAX])
{
	const struct fqdn_rule *all = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	struct dns_labels labels;
	struct fqdn_name whole;
	struct bulk bulk;
	struct fqdn_aim aim;
	const uint32_t *numbers;
	uint32_t one;
	unsigned n;

	dns_name_labels(name, &labels);
	whole = fqdn_name_of(&labels);
	bulk.table = table;
	bulk.names = &whole;
	bulk.found = bulk.several = bulk.today = 0;
	bulk.itself = 0;
	bulk.effort = NULL;
	bulk.start = labels.n == 1 ? 1 : 2;
	if (bulk.start == 1)
		fqdn_aim_single(table, &whole, 1, &aim);
	else
		fqdn_lookup_aim(table, &whole, 1, &aim);
	names_follow(&bulk, &aim, fqdn_scan(table, 1, &aim));
	numbers = fqdn_set_rules(table, bulk.itself, &one, &n);
	for (unsigned i = 0; i < n; i++)
		rules[i] = &all[numbers[i]];
	return n;
}
