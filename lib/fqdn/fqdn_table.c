/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "fqdn/fqdn_table_private.h"

// The best rule of each kind met so far; exact ones and those of a subtree apart.
struct best {
	const struct fqdn_rule *rule[2][FQDN_VERDICTS];
};

// Names are met shortest first, so of two rules of one list the later is the more specific.
static void best_take(struct best *best, const struct fqdn_rule *rule)
{
	const struct fqdn_rule **place = &best->rule[rule->scope != FQDN_EXACT][rule->verdict];

	if (!*place || rule->list <= (*place)->list)
		*place = rule;
}

static void set_take(const struct fqdn_table *table, uint32_t set, bool itself, uint16_t today,
	struct best *best)
{
	const uint32_t *sets = (const uint32_t *)fqdn_at(table, table->sets);
	const uint32_t *members = (const uint32_t *)fqdn_at(table, table->members);
	const struct fqdn_rule *rules = (const struct fqdn_rule *)fqdn_at(table, table->rules);

	for (uint32_t i = sets[set]; i < sets[set + 1]; i++) {
		const struct fqdn_rule *rule = &rules[members[i]];

		if (today < rule->first_day || today > rule->last_day)
			continue;
		if (itself ? rule->scope != FQDN_BELOW : rule->scope != FQDN_EXACT)
			best_take(best, rule);
	}
}

static const struct fqdn_rule *earlier(
	const struct fqdn_rule *exact, const struct fqdn_rule *subtree)
{
	if (!exact || !subtree)
		return exact ? exact : subtree;
	return exact->list <= subtree->list ? exact : subtree;
}

static bool best_judge(const struct best *best, struct fqdn_match *match)
{
	const struct fqdn_rule *const *exact = best->rule[0], *const *subtree = best->rule[1];
	const struct fqdn_rule *allow = exact[FQDN_ALLOW] ? exact[FQDN_ALLOW] : subtree[FQDN_ALLOW];
	// An exact exemption beats everything, one for a subtree leaves exact rules standing.
	bool exact_stands = !exact[FQDN_ALLOW], subtree_stands = !allow;

	match->block = earlier(exact_stands ? exact[FQDN_BLOCK] : NULL,
		subtree_stands ? subtree[FQDN_BLOCK] : NULL);
	match->log = earlier(
		exact_stands ? exact[FQDN_LOG] : NULL, subtree_stands ? subtree[FQDN_LOG] : NULL);
	match->allow = allow;
	match->suppressed = (!exact_stands && (exact[FQDN_BLOCK] || exact[FQDN_LOG])) ||
			    (!subtree_stands && (subtree[FQDN_BLOCK] || subtree[FQDN_LOG]));
	return match->block || match->log || match->allow;
}

static const struct fqdn_record *record_at(const struct fqdn_table *table, uint32_t place)
{
	return fqdn_at(table, table->records + (uint64_t)place * FQDN_UNIT);
}

// Whether a record's labels are these of the name, from label `first` on.
static bool labels_equal(const struct fqdn_record *record, const struct dns_labels *labels,
	unsigned first, unsigned n)
{
	const uint8_t *text = record->labels;

	for (; n > 0; n--, first++) {
		const uint8_t *label = labels->msg + labels->at[first];
		unsigned size = label[0] + 1u;

		if (text[0] != label[0])
			return false;
		for (unsigned i = 1; i < size; i++)
			if (text[i] != dns_fold(label[i]))
				return false;
		text += size;
	}
	return true;
}

// The node of a name whose last `depth` labels have this hash, below the node `parent`, or one without
// a parent.
static uint32_t node_find(const struct fqdn_table *table, const struct dns_labels *labels,
	const struct fqdn_probe *probe, uint32_t parent)
{
	const struct fqdn_bucket *buckets = (const void *)fqdn_at(table, table->buckets);
	uint16_t tag = fqdn_tag_of(probe->hash);
	unsigned n = parent == FQDN_PLACE_NONE ? 2 : 1;

	for (uint32_t at = probe->bucket;; at++) {
		uint32_t match = fqdn_bucket_match(&buckets[at], tag);

		for (; __builtin_expect(match, 0); match &= match - 1) {
			const uint32_t *refs = (const uint32_t *)fqdn_at(table, table->refs);
			uint32_t ref =
				refs[(size_t)at * FQDN_BUCKET + (unsigned)__builtin_ctz(match)];
			const struct fqdn_record *record = record_at(table, ref);

			if (record->parent == parent &&
				labels_equal(record, labels, labels->n - probe->depth, n))
				return ref;
		}
		// A bucket is filled from its start; the last one of the table never is full.
		if (buckets[at].tag[FQDN_BUCKET - 1] == 0)
			return 0;
	}
}

static void probe_aim(const struct fqdn_table *table, struct fqdn_probe *probe)
{
	probe->bucket = fqdn_bucket_of(table->n_buckets, probe->hash);
}

static void probe_extend(
	const struct fqdn_table *table, const struct dns_labels *labels, struct fqdn_probe *probe)
{
	unsigned at = labels->at[labels->n - ++probe->depth];

	probe->hash = fqdn_hash_labels(&table->key, probe->hash, labels->msg + at,
		labels->msg[at] + 1u, labels->msg_size - at);
	probe_aim(table, probe);
}

// The last two labels where a pointer stands between them.
static __attribute__((noinline)) uint64_t hash_apart(
	const struct fqdn_table *table, const struct dns_labels *labels)
{
	const uint8_t *first = labels->msg + labels->at[labels->n - 2];
	const uint8_t *last = labels->msg + labels->at[labels->n - 1];
	uint8_t both[2 * (DNS_LABEL_SIZE_MAX + 1) + FQDN_PIECE];

	memcpy(both, first, first[0] + 1u);
	memcpy(both + first[0] + 1, last, last[0] + 1u);
	return fqdn_hash_labels(
		&table->key, table->key.seed, both, first[0] + last[0] + 2u, sizeof(both));
}

void fqdn_lookup_begin(
	const struct fqdn_table *table, const struct dns_labels *labels, struct fqdn_probe *probe)
{
	unsigned at, end;

	probe->depth = 0;
	if (labels->n < 2)
		return;
	probe->depth = 2;
	at = labels->at[labels->n - 2];
	end = labels->at[labels->n - 1];
	end += labels->msg[end] + 1u;
	// Labels in a row, which a pointer interrupts at times.
	if (at + labels->msg[at] + 1u == labels->at[labels->n - 1])
		probe->hash = fqdn_hash_labels(&table->key, table->key.seed, labels->msg + at,
			end - at, labels->msg_size - at);
	else
		probe->hash = hash_apart(table, labels);
	probe_aim(table, probe);
	__builtin_prefetch((const uint8_t *)fqdn_at(table, table->buckets) +
			   (size_t)probe->bucket * sizeof(struct fqdn_bucket));
}

// The node of the last label alone.
static uint32_t single_find(
	const struct fqdn_table *table, const struct dns_labels *labels, struct fqdn_probe *probe)
{
	if (labels->n < 1)
		return 0;
	probe->hash = table->key.seed;
	probe->depth = 0;
	probe_extend(table, labels, probe);
	return node_find(table, labels, probe, FQDN_PLACE_SINGLE);
}

// What stands in the nodes of a name, from the first one found downwards; rare.
static __attribute__((noinline)) bool nodes_judge(const struct fqdn_table *table,
	const struct dns_labels *labels, struct fqdn_probe probe, uint32_t node, uint16_t today,
	struct fqdn_match *match)
{
	struct best best = {0};

	if (table->n_singles) {
		struct fqdn_probe last;
		uint32_t single = single_find(table, labels, &last);

		if (single)
			set_take(
				table, record_at(table, single)->set, labels->n == 1, today, &best);
	}
	while (node) {
		set_take(
			table, record_at(table, node)->set, probe.depth == labels->n, today, &best);
		if (probe.depth == labels->n)
			break;
		probe_extend(table, labels, &probe);
		node = node_find(table, labels, &probe, node);
	}
	return best_judge(&best, match);
}

bool fqdn_lookup_end(const struct fqdn_table *table, const struct dns_labels *labels,
	const struct fqdn_probe *probe, uint16_t today, struct fqdn_match *match)
{
	uint32_t node = 0;

	if (probe->depth > 0)
		node = node_find(table, labels, probe, FQDN_PLACE_NONE);
	return __builtin_expect((node | table->n_singles) != 0, 0) &&
	       nodes_judge(table, labels, *probe, node, today, match);
}

bool fqdn_lookup(const struct fqdn_table *table, const struct dns_labels *labels, uint16_t today,
	struct fqdn_match *match)
{
	struct fqdn_probe probe;

	fqdn_lookup_begin(table, labels, &probe);
	return fqdn_lookup_end(table, labels, &probe, today, match);
}

unsigned fqdn_table_rules(const struct fqdn_table *table, const uint8_t *name,
	const struct fqdn_rule *rules[FQDN_RULES_MAX])
{
	const uint32_t *sets = (const uint32_t *)fqdn_at(table, table->sets);
	const uint32_t *members = (const uint32_t *)fqdn_at(table, table->members);
	const struct fqdn_rule *all = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	const struct fqdn_record *record;
	struct dns_labels labels;
	struct fqdn_probe probe;
	uint32_t node = 0;
	unsigned n = 0;

	dns_name_labels(name, &labels);
	fqdn_lookup_begin(table, &labels, &probe);
	if (probe.depth == 0) {
		node = single_find(table, &labels, &probe);
	} else {
		while ((node = node_find(table, &labels, &probe, node)) && probe.depth < labels.n)
			probe_extend(table, &labels, &probe);
	}
	if (!node)
		return 0;
	record = record_at(table, node);
	for (uint32_t i = sets[record->set]; i < sets[record->set + 1] && n < FQDN_RULES_MAX; i++)
		rules[n++] = &all[members[i]];
	return n;
}

void fqdn_table_count_active(
	const struct fqdn_table *table, uint16_t today, uint64_t *counts, unsigned n_lists)
{
	const uint32_t *sets = (const uint32_t *)fqdn_at(table, table->sets);
	const uint32_t *members = (const uint32_t *)fqdn_at(table, table->members);
	const struct fqdn_rule *rules = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	const uint8_t *at =
		(const uint8_t *)fqdn_at(table, table->records) + FQDN_PLACES * FQDN_UNIT;

	for (uint32_t n = 0; n < table->n_nodes; n++) {
		const struct fqdn_record *record = (const void *)at;

		for (uint32_t i = sets[record->set]; i < sets[record->set + 1]; i++) {
			const struct fqdn_rule *rule = &rules[members[i]];

			if (rule->list < n_lists && today >= rule->first_day &&
				today <= rule->last_day)
				counts[rule->list]++;
		}
		at += fqdn_record_size(fqdn_labels_size(record));
	}
}

uint64_t fqdn_table_names(const struct fqdn_table *table)
{
	return table->n_names;
}

size_t fqdn_table_size(const struct fqdn_table *table)
{
	return table->size;
}

size_t fqdn_table_worker_size(const struct fqdn_table *table)
{
	return table->worker_size;
}

uint32_t fqdn_table_rule_number(const struct fqdn_table *table, const struct fqdn_rule *rule)
{
	return (uint32_t)(rule - (const struct fqdn_rule *)fqdn_at(table, table->rules));
}

const struct fqdn_rule *fqdn_table_rule(const struct fqdn_table *table, uint32_t number)
{
	return number < table->n_rules
		       ? (const struct fqdn_rule *)fqdn_at(table, table->rules) + number
		       : NULL;
}

const char *fqdn_table_id(const struct fqdn_table *table, const struct fqdn_rule *rule)
{
	const uint32_t *ids = (const uint32_t *)fqdn_at(table, table->ids);

	return (const char *)fqdn_at(table, table->text + ids[rule->id]);
}
