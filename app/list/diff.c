/* SPDX-License-Identifier: BSD-3-Clause */
#include "list_app.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dns/dns_name.h"

// One way of the comparison: what `here` has and `there` has not.
struct side {
	const struct gen *here, *there;
	int list_there[POLICY_LISTS_MAX]; // the list of the same name, -1: none
	uint64_t missing[POLICY_LISTS_MAX];
	uint64_t changed[POLICY_LISTS_MAX]; // other days or another id
	uint64_t shown_max, shown;
	char mark;
};

static void lists_pair(struct side *side)
{
	for (unsigned i = 0; i < side->here->n_lists; i++) {
		side->list_there[i] = -1;
		for (unsigned j = 0; j < side->there->n_lists; j++)
			if (strcmp(side->here->lists[i].name, side->there->lists[j].name) == 0)
				side->list_there[i] = (int)j;
	}
}

static bool rule_same(const struct side *side, const struct fqdn_rule *a, const struct fqdn_rule *b)
{
	return a->first_day == b->first_day && a->last_day == b->last_day &&
	       strcmp(fqdn_table_id(side->here->names, a), fqdn_table_id(side->there->names, b)) ==
		       0;
}

// A name that is in a list twice, with other days, is one entry: the first of its rules.
static bool rule_first(const struct fqdn_rule *const *rules, unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (rules[j]->list == rules[i]->list && rules[j]->scope == rules[i]->scope)
			return false;
	return true;
}

static int name_compare(
	void *ctx, const uint8_t *name, const struct fqdn_rule *const *rules, unsigned n_rules)
{
	struct side *side = ctx;
	const struct fqdn_rule *others[FQDN_RULES_MAX];
	unsigned n_others = fqdn_table_rules(side->there->names, name, others);

	for (unsigned i = 0; i < n_rules; i++) {
		const struct fqdn_rule *rule = rules[i];
		bool found = false, same = false;
		char text[DNS_NAME_TEXT_SIZE];

		if (!rule_first(rules, i))
			continue;
		for (unsigned j = 0; j < n_others; j++)
			if (others[j]->scope == rule->scope &&
				(int)others[j]->list == side->list_there[rule->list]) {
				found = true;
				same |= rule_same(side, rule, others[j]);
			}
		side->missing[rule->list] += !found;
		side->changed[rule->list] += found && !same;
		if (found || side->shown >= side->shown_max)
			continue;
		side->shown++;
		dns_name_format(name, text);
		printf("%c %s %s%s\n", side->mark, side->here->lists[rule->list].name,
			scope_mark(rule->scope), text);
	}
	return 0;
}

// Whether the list of that number there has the expression, and with the same identifier.
static bool pattern_find(
	const struct side *side, const struct pattern *wanted, const char *id, bool *same)
{
	const struct gen *there = side->there;
	unsigned list = fqdn_table_rule(side->here->names, wanted->rule)->list;
	bool found = false;

	*same = false;
	for (uint32_t i = 0; there->patterns && i < pattern_book_count(there->patterns); i++) {
		const struct fqdn_rule *rule;
		struct pattern pattern;

		pattern_book_get(there->patterns, i, &pattern);
		rule = fqdn_table_rule(there->names, pattern.rule);
		if ((int)rule->list != side->list_there[list] || pattern.flags != wanted->flags ||
			strcmp(pattern.expression, wanted->expression) != 0)
			continue;
		found = true;
		*same |= strcmp(fqdn_table_id(there->names, rule), id) == 0;
	}
	return found;
}

static void patterns_compare(struct side *side)
{
	const struct gen *here = side->here;

	for (uint32_t i = 0; here->patterns && i < pattern_book_count(here->patterns); i++) {
		const struct fqdn_rule *rule;
		struct pattern pattern;
		bool found, same;

		pattern_book_get(here->patterns, i, &pattern);
		rule = fqdn_table_rule(here->names, pattern.rule);
		found = pattern_find(side, &pattern, fqdn_table_id(here->names, rule), &same);
		side->missing[rule->list] += !found;
		side->changed[rule->list] += found && !same;
		if (found || side->shown >= side->shown_max)
			continue;
		side->shown++;
		printf("%c %s /%s/\n", side->mark, here->lists[rule->list].name,
			pattern.expression);
	}
}

static void side_compare(struct side *side)
{
	uint64_t missing = 0;

	lists_pair(side);
	fqdn_table_each(side->here->names, name_compare, side);
	patterns_compare(side);
	for (unsigned i = 0; i < side->here->n_lists; i++)
		missing += side->missing[i];
	if (missing > side->shown)
		printf("%c ... %" PRIu64 " more\n", side->mark, missing - side->shown);
}

int diff_run(const struct list_args *args)
{
	static struct side removed, added;
	struct gen old, new;

	if (generation_open(args->words[0], &old) < 0)
		return LIST_USAGE;
	if (generation_open(args->words[1], &new) < 0) {
		gen_close(&old);
		return LIST_USAGE;
	}
	removed = (struct side){.here = &old, .there = &new, .shown_max = args->shown, .mark = '-'};
	added = (struct side){.here = &new, .there = &old, .shown_max = args->shown, .mark = '+'};
	side_compare(&removed);
	side_compare(&added);
	for (unsigned i = 0; i < new.n_lists; i++) {
		int was = added.list_there[i];

		printf("list %s: %" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " changed%s\n",
			new.lists[i].name, added.missing[i], was < 0 ? 0 : removed.missing[was],
			added.changed[i], was < 0 ? "; a new list" : "");
	}
	for (unsigned i = 0; i < old.n_lists; i++)
		if (removed.list_there[i] < 0)
			printf("list %s: 0 added, %" PRIu64
			       " removed, 0 changed; no list any more\n",
				old.lists[i].name, removed.missing[i]);
	gen_close(&old);
	gen_close(&new);
	return LIST_DONE;
}
