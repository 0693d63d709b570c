/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The slow matcher that the filter is held against: entries as text, sorted, and every suffix of a
 * name looked up among them as text. It has nothing of lib/fqdn but the types of its answers, and
 * follows the words of doc/lists.md, "Which rule decides".
 */
#include <stddef.h>

#include "fqdn/fqdn_table.h"
#include "verdict/name.h"

/** An entry of a list. */
struct reference_entry {
	const char *text; /**< canonical, see name_text; kept */
	uint16_t list, first_day, last_day;
	uint8_t scope, verdict; /**< enum fqdn_scope, enum fqdn_verdict */
};

/** Sort them; once, before anything is looked up. */
void reference_sort(struct reference_entry *entries, size_t n);

/** The list and the entries' text that decide; more than one entry of a list may have that text. */
struct reference_choice {
	const char *text; /**< NULL: none */
	uint16_t list;
	bool exact, subtree; /**< kinds that were left to choose from */
};

struct reference_found {
	struct reference_choice by[FQDN_VERDICTS];
	bool suppressed;
};

void reference_lookup(const struct reference_entry *entries, size_t n, const struct name *name,
	uint16_t today, struct reference_found *found);

/** Whether a rule is an entry of that choice: NULL is none. */
bool reference_agrees(const struct reference_entry *entries, size_t n,
	const struct reference_choice *choice, uint16_t today, const struct fqdn_rule *rule);
