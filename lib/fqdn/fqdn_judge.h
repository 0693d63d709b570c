/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the rules met on the way down a name come to.
 *
 * Hot path. Names are met shortest first.
 */
#include "fqdn/fqdn_table_private.h"

/** The best rule of each kind met so far; exact ones and those of a subtree apart. */
struct fqdn_best {
	const struct fqdn_rule *rule[2][FQDN_VERDICTS];
};

static inline void fqdn_best_take(struct fqdn_best *best, const struct fqdn_rule *rule)
{
	const struct fqdn_rule **place = &best->rule[rule->scope != FQDN_EXACT][rule->verdict];

	// Of two rules of one list the later is that of the longer name.
	if (!*place || rule->list <= (*place)->list)
		*place = rule;
}

static inline const struct fqdn_rule *fqdn_earlier(
	const struct fqdn_rule *exact, const struct fqdn_rule *subtree)
{
	if (!exact || !subtree)
		return exact ? exact : subtree;
	return exact->list <= subtree->list ? exact : subtree;
}

/** Of one rule. */
static inline void fqdn_one_judge(const struct fqdn_rule *rule, struct fqdn_match *match)
{
	*match = (struct fqdn_match){.block = rule->verdict == FQDN_BLOCK ? rule : NULL,
		.log = rule->verdict == FQDN_LOG ? rule : NULL,
		.allow = rule->verdict == FQDN_ALLOW ? rule : NULL};
}

/** Of several rules: one of the three is set, as an exemption that suppresses others stands. */
static inline void fqdn_best_judge(const struct fqdn_best *best, struct fqdn_match *match)
{
	const struct fqdn_rule *const *exact = best->rule[0], *const *subtree = best->rule[1];
	const struct fqdn_rule *allow = exact[FQDN_ALLOW] ? exact[FQDN_ALLOW] : subtree[FQDN_ALLOW];
	// An exact exemption beats everything, one for a subtree leaves exact rules standing.
	bool exact_stands = !exact[FQDN_ALLOW], subtree_stands = !allow;

	match->block = fqdn_earlier(exact_stands ? exact[FQDN_BLOCK] : NULL,
		subtree_stands ? subtree[FQDN_BLOCK] : NULL);
	match->log = fqdn_earlier(
		exact_stands ? exact[FQDN_LOG] : NULL, subtree_stands ? subtree[FQDN_LOG] : NULL);
	match->allow = allow;
	match->suppressed = (!exact_stands && (exact[FQDN_BLOCK] || exact[FQDN_LOG])) ||
			    (!subtree_stands && (subtree[FQDN_BLOCK] || subtree[FQDN_LOG]));
}
