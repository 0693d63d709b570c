/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

#include <stdio.h>
#include <string.h>

const struct conf_key *conf_key_next(const struct conf_key *key)
{
	if (!key)
		return conf_box.keys;
	if (++key == conf_box.keys + conf_box.n_keys)
		return conf_collect.keys;
	return key == conf_collect.keys + conf_collect.n_keys ? NULL : key;
}

/** The section behind @p section; with NULL the first, behind the last NULL. */
static const struct conf_section *section_next(const struct conf_section *section)
{
	if (!section)
		return conf_box.sections;
	if (++section == conf_box.sections + conf_box.n_sections)
		return conf_collect.sections;
	return section == conf_collect.sections + conf_collect.n_sections ? NULL : section;
}

const char *conf_section_help(const char *section)
{
	for (const struct conf_section *s = section_next(NULL); s; s = section_next(s))
		if (strcmp(s->name, section) == 0)
			return s->help;
	return NULL;
}

bool conf_section_is_of(const char *section, enum conf_program program)
{
	for (const struct conf_key *k = conf_key_next(NULL); k; k = conf_key_next(k))
		if (strcmp(k->section, section) == 0)
			return conf_key_is_of(k, program);
	return false;
}

const struct conf_key *conf_key_find(const char *section, const char *key)
{
	for (const struct conf_key *k = conf_key_next(NULL); k; k = conf_key_next(k))
		if (strcmp(k->section, section) == 0 && strcmp(k->key, key) == 0)
			return k;
	return NULL;
}

/** Levenshtein distance of two words; long ones are far from everything. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned row[65];
	size_t m = strlen(a), n = strlen(b);

	if (m >= 64 || n >= 64)
		return 64;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= m; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

#define GUESS_DISTANCE 2 /* slips of one or two letters; more is another word */

const char *conf_key_guess(const char *section, const char *key)
{
	unsigned best = GUESS_DISTANCE + 1;
	const char *guess = NULL;

	for (const struct conf_key *k = conf_key_next(NULL); k; k = conf_key_next(k)) {
		unsigned d = strcmp(k->section, section) == 0 ? edit_distance(k->key, key) : 64;

		if (d < best) {
			best = d;
			guess = k->key;
		}
	}
	return guess;
}

const char *conf_section_guess(const char *name, enum conf_program program)
{
	unsigned best = GUESS_DISTANCE + 1;
	const char *guess = NULL, *blank = strpbrk(name, " \t");
	char first[16];

	for (const struct conf_section *s = section_next(NULL); s; s = section_next(s)) {
		unsigned d = edit_distance(s->name, name);

		if (d < best && conf_section_is_of(s->name, program)) {
			best = d;
			guess = s->name;
		}
	}
	// "[lists c2]" is a slip of "[list c2]", whatever the list is called.
	snprintf(first, sizeof(first), "%.*s", blank ? (int)(blank - name) : 0, name);
	if (program == CONF_BOX && !guess && blank && blank - name < 8 &&
		edit_distance("list", first) <= GUESS_DISTANCE)
		guess = CONF_LIST_SECTION;
	return guess;
}

char *conf_actions(unsigned actions, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (enum policy_action action = 0; action < POLICY_ACTIONS && used < size; action++)
		if (actions & 1u << action)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
				policy_action_name(action));
	return text;
}

char *conf_names(const char *section, enum conf_program program, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (const struct conf_section *s = section_next(NULL); !section && s;
		s = section_next(s)) {
		if (!conf_section_is_of(s->name, program))
			continue;
		used += (size_t)snprintf(
			text + used, size - used, "%s[%s]", used ? ", " : "", s->name);
		if (used >= size)
			return text;
	}
	for (const struct conf_key *k = conf_key_next(NULL); section && k; k = conf_key_next(k)) {
		if (strcmp(k->section, section) != 0)
			continue;
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", used ? ", " : "", k->key);
		if (used >= size)
			return text;
	}
	return text;
}
