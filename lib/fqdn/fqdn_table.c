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

static void set_take(const struct fqdn_table *table, const uint8_t *record, bool itself,
	uint16_t today, struct best *best)
{
	const uint32_t *sets = (const uint32_t *)fqdn_at(table, table->sets);
	const uint32_t *members = (const uint32_t *)fqdn_at(table, table->members);
	const struct fqdn_rule *rules = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	uint32_t set;

	memcpy(&set, record, sizeof(set));
	for (uint32_t i = sets[set]; i < sets[set + 1]; i++) {
		const struct fqdn_rule *rule = &rules[members[i]];

		if (today < rule->first_day || today > rule->last_day)
			continue;
		if (itself ? rule->scope != FQDN_BELOW : rule->scope != FQDN_EXACT)
			best_take(best, rule);
	}
}

static const struct fqdn_rule *earlier(const struct fqdn_rule *exact, const struct fqdn_rule *subtree)
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
	match->log = earlier(exact_stands ? exact[FQDN_LOG] : NULL,
		subtree_stands ? subtree[FQDN_LOG] : NULL);
	match->allow = allow;
	match->suppressed = (!exact_stands && (exact[FQDN_BLOCK] || exact[FQDN_LOG])) ||
		(!subtree_stands && (subtree[FQDN_BLOCK] || subtree[FQDN_LOG]));
	return match->block || match->log || match->allow;
}

bool fqdn_lookup(const struct fqdn_table *table, const struct dns_name *name, uint16_t today,
	struct fqdn_match *match)
{
	uint64_t hash = fqdn_hash_root(&table->key);
	struct best best;
	bool met = false;

	for (unsigned depth = 1; depth <= name->n_labels; depth++) {
		unsigned at = name->label[name->n_labels - depth];
		const uint8_t *record;

		hash = fqdn_hash_label(&table->key, hash, name->bytes + at);
		if (!(table->depths[depth >> 6] >> (depth & 63) & 1))
			continue;
		record = fqdn_probe(table, hash, name->bytes + at, name->size - at);
		if (!record)
			continue;
		if (!met)
			memset(&best, 0, sizeof(best));
		met = true;
		set_take(table, record, depth == name->n_labels, today, &best);
	}
	return met && best_judge(&best, match);
}

unsigned fqdn_table_rules(const struct fqdn_table *table, const uint8_t *name, uint8_t size,
	const struct fqdn_rule *rules[FQDN_RULES_MAX])
{
	const uint32_t *sets = (const uint32_t *)fqdn_at(table, table->sets);
	const uint32_t *members = (const uint32_t *)fqdn_at(table, table->members);
	const struct fqdn_rule *all = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	uint64_t hash = fqdn_hash_root(&table->key);
	struct dns_name read;
	uint8_t msg[DNS_HEADER_SIZE + DNS_NAME_SIZE_MAX];
	const uint8_t *record;
	uint32_t set;
	unsigned n = 0;

	memcpy(msg + DNS_HEADER_SIZE, name, size);
	if (dns_msg_name_read(msg, DNS_HEADER_SIZE + (uint32_t)size, DNS_HEADER_SIZE, &read) < 0)
		return 0;
	for (unsigned i = read.n_labels; i-- > 0;)
		hash = fqdn_hash_label(&table->key, hash, read.bytes + read.label[i]);
	record = fqdn_probe(table, hash, read.bytes, read.size);
	if (!record)
		return 0;
	memcpy(&set, record, sizeof(set));
	for (uint32_t i = sets[set]; i < sets[set + 1] && n < FQDN_RULES_MAX; i++)
		rules[n++] = &all[members[i]];
	return n;
}

void fqdn_table_count_active(const struct fqdn_table *table, uint16_t today, uint64_t *counts,
	unsigned n_lists)
{
	const uint32_t *sets = (const uint32_t *)fqdn_at(table, table->sets);
	const uint32_t *members = (const uint32_t *)fqdn_at(table, table->members);
	const struct fqdn_rule *rules = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	const uint8_t *record = (const uint8_t *)fqdn_at(table, table->names) + FQDN_NAME_UNIT;

	for (uint64_t n = 0; n < table->n_names; n++) {
		uint32_t set;

		memcpy(&set, record, sizeof(set));
		for (uint32_t i = sets[set]; i < sets[set + 1]; i++) {
			const struct fqdn_rule *rule = &rules[members[i]];

			if (rule->list < n_lists && today >= rule->first_day && today <= rule->last_day)
				counts[rule->list]++;
		}
		record += (5u + record[4] + FQDN_NAME_UNIT - 1) & ~(FQDN_NAME_UNIT - 1);
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
	return number < table->n_rules ? (const struct fqdn_rule *)fqdn_at(table, table->rules) + number :
					 NULL;
}

const char *fqdn_table_id(const struct fqdn_table *table, const struct fqdn_rule *rule)
{
	const uint32_t *ids = (const uint32_t *)fqdn_at(table, table->ids);

	return (const char *)fqdn_at(table, table->text + ids[rule->id]);
}
