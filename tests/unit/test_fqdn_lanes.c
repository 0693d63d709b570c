/* SPDX-License-Identifier: BSD-3-Clause */
// Names added by several threads at once make the table that one thread makes.
#include "fqdn/fqdn_table.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "base/crew.h"
#include "dns/dns_name.h"
#include "support/random.h"
#include "support/test.h"

#define LINES 60000 // of each list
#define LISTS 3
#define BLOCK 97 // lines that a thread takes at once

struct line {
	uint8_t name[DNS_NAME_SIZE_MAX + FQDN_NAME_AHEAD], size;
	struct fqdn_rule rule;
	char id[16];
};

static struct line *lines; // LISTS * LINES

// Many names under few second-level domains, so that shards have much and little to do, names meet
// again with other rules, and some have more rules than there may be.
static void lines_make(void)
{
	uint64_t state = RANDOM_SEED;

	lines = calloc((size_t)LISTS * LINES, sizeof(*lines));
	cr_assert_not_null(lines);
	for (unsigned i = 0; i < LISTS * LINES; i++) {
		struct line *line = &lines[i];
		unsigned kind = random_below(&state, 16);
		char text[128];
		int n;

		line->rule = (struct fqdn_rule){.list = (uint16_t)(i / LINES),
			.first_day = (uint16_t)random_below(&state, 3),
			.last_day = (uint16_t)(5 + random_below(&state, kind ? 3 : 300)),
			.scope = (uint8_t)random_below(&state, 3),
			.verdict = (uint8_t)(i / LINES % FQDN_VERDICTS)};
		if (kind == 0)
			n = snprintf(
				text, sizeof(text), "crowd%u.example", random_below(&state, 8));
		else if (kind < 8)
			n = snprintf(text, sizeof(text), "a%u.b%u.co%u.uk",
				random_below(&state, 50), random_below(&state, 500),
				random_below(&state, 2));
		else if (kind == 8)
			n = snprintf(text, sizeof(text), "top%u", random_below(&state, 300));
		else
			n = snprintf(text, sizeof(text), "%sname%u.example%u",
				kind < 12 ? "www.a.b." : "", random_below(&state, 20000),
				random_below(&state, 4));
		line->size = (uint8_t)dns_name_parse(text, (size_t)n, line->name);
		if (kind % 2)
			snprintf(line->id, sizeof(line->id), "EX-%u", random_below(&state, 40));
	}
}

/* ---- what a table holds, in words ----------------------------------------------------------- */

struct words {
	const struct fqdn_table *table;
	char **names;
	size_t n;
};

static int name_word(
	void *ctx, const uint8_t *name, const struct fqdn_rule *const *rules, unsigned n)
{
	struct words *words = ctx;
	size_t room = DNS_NAME_TEXT_SIZE + n * 64;
	char *text = malloc(room);
	size_t at = text ? dns_name_format(name, text) : 0;

	cr_assert_not_null(text);
	// In the order in which they were added: of a list's rules for a name the first one decides.
	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, room - at, " %u:%u-%u/%u/%u/%s", rules[i]->list,
			rules[i]->first_day, rules[i]->last_day, rules[i]->scope, rules[i]->verdict,
			fqdn_table_id(words->table, rules[i]));
	words->names[words->n++] = realloc(text, at + 1);
	return 0;
}

static int word_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct words words_of(const struct fqdn_table *table)
{
	struct words words = {.table = table};

	words.names = calloc(fqdn_table_names(table) + 1, sizeof(char *));
	cr_assert_not_null(words.names);
	cr_assert(fqdn_table_each(table, name_word, &words) == 0);
	cr_assert(words.n == fqdn_table_names(table));
	qsort(words.names, words.n, sizeof(char *), word_compare);
	return words;
}

static void words_free(struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->names[i]);
	free(words->names);
}

/* ---- the two ways --------------------------------------------------------------------------- */

struct refused {
	struct fqdn_refused *refused;
	size_t n;
};

static struct fqdn_table *one_by_one(struct refused *refused)
{
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_table *table;

	refused->refused = calloc((size_t)LISTS * LINES, sizeof(*refused->refused));
	refused->n = 0;
	for (unsigned i = 0; i < LISTS * LINES; i++) {
		struct fqdn_rule rule = lines[i].rule;
		int added;

		rule.id = (uint32_t)fqdn_builder_id(b, rule.list, lines[i].id);
		added = fqdn_builder_add(b, lines[i].name, lines[i].size, &rule);
		if (added == -E2BIG)
			refused->refused[refused->n++] =
				(struct fqdn_refused){rule.list, i % LINES + 1};
		else
			cr_assert(added >= 0);
	}
	table = fqdn_builder_finish(b);
	cr_assert_not_null(table);
	fqdn_builder_destroy(b);
	return table;
}

struct adding {
	struct fqdn_builder *builder;
	atomic_uint next;
	unsigned list;
	atomic_int err;
};

static void lines_add(void *ctx, unsigned lane)
{
	struct adding *adding = ctx;
	unsigned from;

	while ((from = atomic_fetch_add(&adding->next, BLOCK)) < LINES)
		for (unsigned i = from; i < from + BLOCK && i < LINES; i++) {
			const struct line *line = &lines[adding->list * LINES + i];
			int err = fqdn_lane_add(fqdn_builder_lane(adding->builder, lane),
				line->name, line->size, &line->rule, line->id, i + 1);

			if (err < 0)
				atomic_store(&adding->err, err);
		}
}

static struct fqdn_table *by_threads(unsigned n, struct refused *refused)
{
	struct adding adding = {.builder = fqdn_builder_create()};
	const struct fqdn_refused *found;
	struct fqdn_table *table;

	cr_assert(fqdn_builder_lanes(adding.builder, n) == 0);
	for (adding.list = 0; adding.list < LISTS; adding.list++) {
		atomic_store(&adding.next, 0);
		crew_run(n, lines_add, &adding);
	}
	cr_assert(atomic_load(&adding.err) == 0);
	cr_assert(fqdn_builder_gather(adding.builder, n, &found, &refused->n) == 0);
	refused->refused = calloc(refused->n + 1, sizeof(*found));
	memcpy(refused->refused, found, refused->n * sizeof(*found));
	table = fqdn_builder_finish(adding.builder);
	cr_assert_not_null(table);
	fqdn_builder_destroy(adding.builder);
	return table;
}

Test(fqdn_lanes, tables_are_the_same_however_many_threads_add)
{
	static const unsigned threads[] = {1, 2, 8};
	struct refused refused, refused_then;
	struct fqdn_table *table;
	struct words wanted, words;

	lines_make();
	table = one_by_one(&refused);
	wanted = words_of(table);
	cr_assert(refused.n > 100, "names with too many rules are part of the test");
	block_free(table, fqdn_table_size(table));
	for (unsigned i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		table = by_threads(threads[i], &refused_then);
		cr_assert(fqdn_table_check(table, fqdn_table_size(table), LISTS) == NULL);
		words = words_of(table);
		cr_assert(words.n == wanted.n, "%u threads", threads[i]);
		for (size_t j = 0; j < words.n; j++)
			cr_assert(strcmp(words.names[j], wanted.names[j]) == 0,
				"%u threads: %s, expected %s", threads[i], words.names[j],
				wanted.names[j]);
		cr_assert(refused_then.n == refused.n, "%u threads", threads[i]);
		for (size_t j = 0; j < refused.n; j++)
			cr_assert(refused_then.refused[j].list == refused.refused[j].list &&
				  refused_then.refused[j].line == refused.refused[j].line);
		free(refused_then.refused);
		words_free(&words);
		block_free(table, fqdn_table_size(table));
	}
	free(refused.refused);
	words_free(&wanted);
	free(lines);
}

Test(fqdn_lanes, a_builder_whose_lanes_took_nothing_makes_an_empty_table)
{
	struct fqdn_builder *b = fqdn_builder_create();
	const struct fqdn_refused *refused;
	struct fqdn_table *table;
	size_t n = 1;

	cr_assert(fqdn_builder_lanes(b, 4) == 0);
	cr_assert(fqdn_builder_gather(b, 4, &refused, &n) == 0 && n == 0);
	table = fqdn_builder_finish(b);
	cr_assert(table && fqdn_table_names(table) == 0);
	block_free(table, fqdn_table_size(table));
	fqdn_builder_destroy(b);
}

Test(fqdn_lanes, lanes_go_on_with_names_that_were_added_before)
{
	const struct fqdn_rule first = {.last_day = 9}, second = {.last_day = 8};
	const uint8_t name[17 + FQDN_NAME_AHEAD] = "\3www\7example\3com";
	const struct fqdn_rule *rules[FQDN_RULES_MAX];
	struct fqdn_builder *b = fqdn_builder_create();
	const struct fqdn_refused *refused;
	struct fqdn_table *table;
	size_t n;

	cr_assert(fqdn_builder_add(b, name, 17, &first) == 1);
	cr_assert(fqdn_builder_lanes(b, 1) == 0);
	cr_assert(fqdn_lane_add(fqdn_builder_lane(b, 0), name, 17, &second, "", 1) == 0);
	cr_assert(fqdn_lane_add(fqdn_builder_lane(b, 0), (const uint8_t[1 + FQDN_NAME_AHEAD]){0}, 1,
			  &second, "", 2) < 0);
	cr_assert(fqdn_builder_gather(b, 2, &refused, &n) == 0);
	table = fqdn_builder_finish(b);
	cr_assert(fqdn_table_names(table) == 1 && fqdn_table_rules(table, name, rules) == 2);
	cr_assert(rules[0]->last_day == 9 && rules[1]->last_day == 8);
	block_free(table, fqdn_table_size(table));
	fqdn_builder_destroy(b);
}
