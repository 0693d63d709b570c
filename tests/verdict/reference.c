/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// An entry that stands for the name, and how many labels of the name were cut off to meet it.
struct met {
	const struct reference_entry *entry;
	unsigned cut;
};

#define MET_MAX 4096

static int entry_compare(const void *a, const void *b)
{
	const struct reference_entry *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (int)x->list - (int)y->list;
}

void reference_sort(struct reference_entry *entries, size_t n)
{
	qsort(entries, n, sizeof(*entries), entry_compare);
}

// The first entry that is not before text.
static size_t entry_first(const struct reference_entry *entries, size_t n, const char *text)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(entries[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_active(const struct reference_entry *entry, uint16_t today)
{
	return today >= entry->first_day && today <= entry->last_day;
}

// Every active entry that stands for the name, longest first.
static unsigned entries_meet(const struct reference_entry *entries, size_t n,
	const struct name *name, uint16_t today, struct met *met)
{
	char text[NAME_TEXT_SIZE];
	uint16_t start[NAME_LABELS];
	unsigned n_met = 0;

	name_text(name, text, start);
	for (unsigned cut = 0; cut < name->n; cut++) {
		const char *suffix = text + start[cut];

		for (size_t i = entry_first(entries, n, suffix);
			i < n && strcmp(entries[i].text, suffix) == 0; i++) {
			const struct reference_entry *entry = &entries[i];
			bool stands =
				cut == 0 ? entry->scope != FQDN_BELOW : entry->scope != FQDN_EXACT;

			if (!stands || !is_active(entry, today))
				continue;
			if (n_met == MET_MAX)
				abort();
			met[n_met++] = (struct met){entry, cut};
		}
	}
	return n_met;
}

// Of those of a verdict and of the kinds that are left: the list that comes first, the longest name.
static void choose(const struct met *met, unsigned n, uint8_t verdict, bool exact, bool subtree,
	struct reference_choice *choice)
{
	unsigned cut = 0;

	*choice = (struct reference_choice){.exact = exact, .subtree = subtree};
	for (unsigned i = 0; i < n; i++) {
		const struct reference_entry *entry = met[i].entry;

		if (entry->verdict != verdict || !(entry->scope == FQDN_EXACT ? exact : subtree))
			continue;
		if (choice->text && (entry->list > choice->list ||
					    (entry->list == choice->list && met[i].cut >= cut)))
			continue;
		choice->text = entry->text;
		choice->list = entry->list;
		cut = met[i].cut;
	}
}

void reference_lookup(const struct reference_entry *entries, size_t n, const struct name *name,
	uint16_t today, struct reference_found *found)
{
	struct met met[MET_MAX];
	unsigned n_met = entries_meet(entries, n, name, today, met);
	bool allow_exact = false, allow_subtree = false;

	memset(found, 0, sizeof(*found));
	for (unsigned i = 0; i < n_met; i++) {
		allow_exact |=
			met[i].entry->verdict == FQDN_ALLOW && met[i].entry->scope == FQDN_EXACT;
		allow_subtree |=
			met[i].entry->verdict == FQDN_ALLOW && met[i].entry->scope != FQDN_EXACT;
	}
	// An exemption silences its own kind and the less specific one.
	for (unsigned i = 0; i < n_met; i++)
		found->suppressed |=
			met[i].entry->verdict != FQDN_ALLOW &&
			(allow_exact || (allow_subtree && met[i].entry->scope != FQDN_EXACT));
	for (uint8_t verdict = FQDN_BLOCK; verdict <= FQDN_LOG; verdict++)
		choose(met, n_met, verdict, !allow_exact, !allow_exact && !allow_subtree,
			&found->by[verdict]);
	choose(met, n_met, FQDN_ALLOW, allow_exact, !allow_exact, &found->by[FQDN_ALLOW]);
}

bool reference_agrees(const struct reference_entry *entries, size_t n,
	const struct reference_choice *choice, uint16_t today, const struct fqdn_rule *rule)
{
	if (!rule || !choice->text)
		return !rule && !choice->text;
	for (size_t i = entry_first(entries, n, choice->text);
		i < n && strcmp(entries[i].text, choice->text) == 0; i++) {
		const struct reference_entry *entry = &entries[i];

		if (entry->list == rule->list && entry->list == choice->list &&
			entry->scope == rule->scope && entry->verdict == rule->verdict &&
			entry->first_day == rule->first_day && entry->last_day == rule->last_day &&
			is_active(entry, today) &&
			(entry->scope == FQDN_EXACT ? choice->exact : choice->subtree))
			return true;
	}
	return false;
}
