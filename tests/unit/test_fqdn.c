/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/block.h"
#include "dns/dns_name.h"
#include "fqdn/fqdn_hash.h"
#include "support/random.h"

#define EVER .last_day = UINT16_MAX
#define DAY  5000

static uint8_t name_wire(const char *text, uint8_t name[DNS_NAME_SIZE_MAX])
{
	int size = dns_name_parse(text, strlen(text), name);

	cr_assert(size > 0, "%s", text);
	return (uint8_t)size;
}

static int add(struct fqdn_builder *b, const char *text, struct fqdn_rule rule)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	uint8_t size = name_wire(text, name);

	return fqdn_builder_add(b, name, size, &rule);
}

static bool lookup(
	const struct fqdn_table *t, const char *text, uint16_t today, struct fqdn_match *match)
{
	uint8_t msg[DNS_HEADER_SIZE + DNS_NAME_SIZE_MAX];
	uint8_t size = name_wire(text, msg + DNS_HEADER_SIZE);
	struct dns_labels name;

	cr_assert(dns_msg_labels_read(
			  msg, DNS_HEADER_SIZE + (uint32_t)size, DNS_HEADER_SIZE, &name) > 0);
	memset(match, 0xa5, sizeof(*match));
	if (fqdn_lookup(t, &name, today, match))
		return true;
	return false;
}

// One rule: list, scope, verdict; for "www.evil.example" unless the scope says below.
struct rule_row {
	const char *name;
	uint16_t list;
	uint8_t scope, verdict;
};

struct precedence_row {
	const char *about;
	struct rule_row rules[3];
	int block, log, allow; // list that is expected, -1: none
	bool suppressed;
};

#define B FQDN_BLOCK
#define L FQDN_LOG
#define A FQDN_ALLOW
#define W "www.evil.example"
#define E "evil.example"

static const struct precedence_row precedence[] = {
	{"nothing", {{"other.example", 0, FQDN_EXACT, B}}, -1, -1, -1, false},
	{"exact", {{W, 0, FQDN_EXACT, B}}, 0, -1, -1, false},
	{"exact of the parent", {{E, 0, FQDN_EXACT, B}}, -1, -1, -1, false},
	{"below of the parent", {{E, 0, FQDN_BELOW, B}}, 0, -1, -1, false},
	{"below of itself", {{W, 0, FQDN_BELOW, B}}, -1, -1, -1, false},
	{"subtree of itself", {{W, 0, FQDN_SUBTREE, B}}, 0, -1, -1, false},
	{"subtree of the parent", {{E, 0, FQDN_SUBTREE, B}}, 0, -1, -1, false},
	{"first list", {{W, 1, FQDN_EXACT, B}, {W, 0, FQDN_EXACT, B}}, 0, -1, -1, false},
	{"first list, less specific", {{W, 1, FQDN_EXACT, B}, {E, 0, FQDN_SUBTREE, B}}, 0, -1, -1,
		false},
	{"block and log", {{W, 1, FQDN_EXACT, B}, {E, 0, FQDN_SUBTREE, L}}, 1, 0, -1, false},
	{"allow alone", {{W, 0, FQDN_EXACT, A}}, -1, -1, 0, false},
	{"exact allow, exact", {{W, 0, FQDN_EXACT, B}, {W, 1, FQDN_EXACT, A}}, -1, -1, 1, true},
	{"exact allow, subtree", {{E, 0, FQDN_SUBTREE, B}, {W, 1, FQDN_EXACT, A}}, -1, -1, 1, true},
	{"subtree allow, subtree", {{W, 0, FQDN_SUBTREE, B}, {E, 1, FQDN_SUBTREE, A}}, -1, -1, 1,
		true},
	{"subtree allow, longer", {{E, 0, FQDN_SUBTREE, B}, {W, 1, FQDN_SUBTREE, A}}, -1, -1, 1,
		true},
	{"subtree allow, exact", {{W, 0, FQDN_EXACT, B}, {E, 1, FQDN_SUBTREE, A}}, 0, -1, 1, false},
	{"subtree allow, both",
		{{W, 1, FQDN_EXACT, B}, {E, 0, FQDN_BELOW, B}, {E, 2, FQDN_BELOW, A}}, 1, -1, 2,
		true},
	{"exact allow, both", {{W, 1, FQDN_EXACT, B}, {E, 0, FQDN_BELOW, B}, {W, 2, FQDN_EXACT, A}},
		-1, -1, 2, true},
	{"allow, log", {{E, 0, FQDN_BELOW, L}, {E, 1, FQDN_SUBTREE, A}}, -1, -1, 1, true},
	{"exact allow goes first", {{E, 0, FQDN_BELOW, A}, {W, 1, FQDN_EXACT, A}}, -1, -1, 1,
		false},
	{"allow of the name above", {{W, 0, FQDN_EXACT, B}, {E, 1, FQDN_EXACT, A}}, 0, -1, -1,
		false},
};

static int list_of(const struct fqdn_rule *rule)
{
	return rule ? rule->list : -1;
}

Test(fqdn, precedence)
{
	for (size_t i = 0; i < sizeof(precedence) / sizeof(precedence[0]); i++) {
		const struct precedence_row *row = &precedence[i];
		struct fqdn_builder *b = fqdn_builder_create();
		struct fqdn_match match;
		struct fqdn_table *t;
		bool met;

		for (unsigned r = 0; r < 3 && row->rules[r].name; r++)
			cr_assert(add(b, row->rules[r].name,
					  (struct fqdn_rule){.list = row->rules[r].list,
						  .scope = row->rules[r].scope,
						  .verdict = row->rules[r].verdict,
						  EVER}) == 1);
		t = fqdn_builder_finish(b);
		met = lookup(t, W, DAY, &match);
		cr_expect(met == (row->block >= 0 || row->log >= 0 || row->allow >= 0), "%s",
			row->about);
		if (met)
			cr_expect(list_of(match.block) == row->block &&
					  list_of(match.log) == row->log &&
					  list_of(match.allow) == row->allow &&
					  match.suppressed == row->suppressed,
				"%s: block %d log %d allow %d suppressed %d", row->about,
				list_of(match.block), list_of(match.log), list_of(match.allow),
				match.suppressed);
		block_free(t, fqdn_table_size(t));
		fqdn_builder_destroy(b);
	}
}

Test(fqdn, within_a_list_the_longest_name_decides)
{
	struct fqdn_builder *b = fqdn_builder_create();
	uint32_t ids[3];
	struct fqdn_match match;
	struct fqdn_table *t;

	for (unsigned i = 0; i < 3; i++) {
		char id[8];

		snprintf(id, sizeof(id), "id%u", i);
		ids[i] = (uint32_t)fqdn_builder_id(b, 0, id);
	}
	// The longest in the middle: neither the first nor the last one added.
	add(b, "example", (struct fqdn_rule){.scope = FQDN_BELOW, .id = ids[0], EVER});
	add(b, W, (struct fqdn_rule){.scope = FQDN_SUBTREE, .id = ids[1], EVER});
	add(b, E, (struct fqdn_rule){.scope = FQDN_SUBTREE, .id = ids[2], EVER});
	t = fqdn_builder_finish(b);
	cr_assert(lookup(t, "a." W, DAY, &match));
	cr_assert_str_eq(fqdn_table_id(t, match.block), "id1");
	cr_assert(lookup(t, "a." E, DAY, &match));
	cr_assert_str_eq(fqdn_table_id(t, match.block), "id2");
	cr_assert(lookup(t, "a.example", DAY, &match));
	cr_assert_str_eq(fqdn_table_id(t, match.block), "id0");
	cr_assert(!lookup(t, "example", DAY, &match));
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, a_name_has_at_most_64_rules_and_the_same_rule_counts_once)
{
	struct fqdn_builder *b = fqdn_builder_create();
	const struct fqdn_rule *rules[FQDN_RULES_MAX];
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct fqdn_match match;
	struct fqdn_table *t;

	name_wire(E, name);
	for (uint16_t i = 0; i < FQDN_RULES_MAX; i++) {
		cr_assert(add(b, E, (struct fqdn_rule){.list = (uint16_t)(i + 1), EVER}) == 1);
		cr_assert(add(b, E, (struct fqdn_rule){.list = (uint16_t)(i + 1), EVER}) == 0);
	}
	cr_assert(add(b, E, (struct fqdn_rule){.list = 0, EVER}) == -E2BIG);
	cr_assert(add(b, E, (struct fqdn_rule){.list = 64, EVER}) == 0);
	cr_assert(add(b, W, (struct fqdn_rule){.list = 0, EVER}) == 1);
	t = fqdn_builder_finish(b);
	cr_assert(fqdn_table_rules(t, name, rules) == FQDN_RULES_MAX);
	for (unsigned i = 0; i < FQDN_RULES_MAX; i++)
		cr_assert(rules[i]->list == i + 1);
	name_wire("example", name);
	cr_assert(fqdn_table_rules(t, name, rules) == 0);
	cr_assert(lookup(t, E, DAY, &match) && match.block->list == 1);
	cr_assert(fqdn_table_names(t) == 2);
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, identifiers_are_kept_once_each)
{
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_match match;
	struct fqdn_table *t;

	cr_assert(fqdn_builder_id(b, FQDN_NO_LIST, "") == 0);
	for (unsigned i = 0; i < 1000; i++) {
		char text[32], name[32];
		int64_t id;

		snprintf(text, sizeof(text), "id-%u", i % 500);
		snprintf(name, sizeof(name), "n%u.example", i);
		id = fqdn_builder_id(b, 0, text);
		cr_assert(id == 1 + i % 500);
		cr_assert(add(b, name, (struct fqdn_rule){.id = (uint32_t)id, EVER}) == 1);
	}
	add(b, "none.example", (struct fqdn_rule){EVER});
	t = fqdn_builder_finish(b);
	cr_assert(lookup(t, "n777.example", DAY, &match));
	cr_assert_str_eq(fqdn_table_id(t, match.block), "id-277");
	cr_assert(lookup(t, "none.example", DAY, &match));
	cr_assert_str_eq(fqdn_table_id(t, match.block), "");
	cr_assert(fqdn_table_n_ids(t) == 501);
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, an_identifiers_number_tells_its_list)
{
	struct fqdn_builder *b = fqdn_builder_create();
	uint32_t numbers[3], list;
	struct fqdn_table *t;

	for (unsigned i = 0; i < 3; i++)
		numbers[i] = (uint32_t)fqdn_builder_id(b, i % 2, i < 2 ? "same" : "");
	cr_assert(numbers[0] != numbers[1]);
	cr_assert(fqdn_builder_id(b, 1, "same") == numbers[1]);
	cr_assert(fqdn_builder_id(b, 0, "") == numbers[2]);
	add(b, E, (struct fqdn_rule){.list = 1, .id = numbers[1], EVER});
	t = fqdn_builder_finish(b);
	cr_assert_str_eq(fqdn_table_id_of(t, numbers[0], &list), "same");
	cr_assert(list == 0);
	cr_assert_str_eq(fqdn_table_id_of(t, numbers[1], &list), "same");
	cr_assert(list == 1);
	cr_assert_str_eq(fqdn_table_id_of(t, numbers[2], &list), "");
	cr_assert(list == 0);
	cr_assert_str_eq(fqdn_table_id_of(t, 0, &list), "");
	cr_assert(list == FQDN_NO_LIST);
	cr_assert_null(fqdn_table_check(t, fqdn_table_size(t), 2));
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, a_table_whose_rule_has_the_identifier_of_another_list_is_refused)
{
	struct fqdn_builder *b = fqdn_builder_create();
	const uint32_t other = (uint32_t)fqdn_builder_id(b, 1, "other");
	struct fqdn_table *t;

	add(b, E, (struct fqdn_rule){.list = 0, .id = other, EVER});
	t = fqdn_builder_finish(b);
	cr_assert_not_null(fqdn_table_check(t, fqdn_table_size(t), 2));
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, rules_are_active_from_their_first_day_to_their_last)
{
	struct fqdn_builder *b = fqdn_builder_create();
	uint64_t counts[2] = {0};
	struct fqdn_match match;
	struct fqdn_table *t;

	add(b, E, (struct fqdn_rule){.list = 0, .first_day = 10, .last_day = 20});
	add(b, E, (struct fqdn_rule){.list = 1, .first_day = 20, .last_day = 30});
	add(b, W, (struct fqdn_rule){.list = 1, .first_day = 15, .last_day = 15});
	t = fqdn_builder_finish(b);
	cr_assert(!lookup(t, E, 9, &match));
	cr_assert(lookup(t, E, 10, &match) && match.block->list == 0);
	cr_assert(lookup(t, E, 20, &match) && match.block->list == 0);
	cr_assert(lookup(t, E, 21, &match) && match.block->list == 1);
	cr_assert(lookup(t, E, 30, &match) && match.block->list == 1);
	cr_assert(!lookup(t, E, 31, &match));
	cr_assert(!lookup(t, E, 0, &match) && !lookup(t, E, UINT16_MAX, &match));
	fqdn_table_count_active(t, 20, counts, 2);
	cr_assert(counts[0] == 1 && counts[1] == 1);
	fqdn_table_count_active(t, 15, counts, 2);
	cr_assert(counts[0] == 2 && counts[1] == 2, "added to what was there");
	counts[0] = counts[1] = 0;
	fqdn_table_count_active(t, 15, counts, 1);
	cr_assert(counts[0] == 1 && counts[1] == 0, "no list past the number given");
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, an_empty_table_has_no_name)
{
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_table *t = fqdn_builder_finish(b);
	uint64_t counts[1] = {0};
	struct fqdn_match match;

	cr_assert_not_null(t);
	cr_assert(fqdn_table_names(t) == 0);
	cr_assert(!lookup(t, E, DAY, &match) && !lookup(t, ".", DAY, &match));
	fqdn_table_count_active(t, DAY, counts, 1);
	cr_assert(counts[0] == 0 && !fqdn_table_rule(t, 0));
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, labels_of_every_length_and_names_of_every_depth_are_found)
{
	struct fqdn_builder *b = fqdn_builder_create();
	char text[DNS_NAME_TEXT_SIZE];
	struct fqdn_match match;
	struct fqdn_table *t;

	for (int length = 1; length <= 63; length++) {
		snprintf(text, sizeof(text), "%0*d.len", length, 1);
		cr_assert(add(b, text, (struct fqdn_rule){.list = 0, EVER}) == 1);
	}
	for (size_t depth = 1; depth <= DNS_LABELS_MAX; depth++) {
		memset(text, 0, sizeof(text));
		for (size_t i = 0; i < depth; i++)
			memcpy(text + 2 * i, "d.", 2);
		cr_assert(add(b, text, (struct fqdn_rule){.list = (uint16_t)depth, EVER}) == 1);
	}
	t = fqdn_builder_finish(b);
	for (int length = 1; length <= 63; length++) {
		snprintf(text, sizeof(text), "%0*d.len", length, 1);
		cr_assert(lookup(t, text, DAY, &match), "%s", text);
		text[0] = '2';
		cr_assert(!lookup(t, text, DAY, &match), "%s", text);
	}
	for (size_t depth = 1; depth <= DNS_LABELS_MAX; depth++) {
		memset(text, 0, sizeof(text));
		for (size_t i = 0; i < depth; i++)
			memcpy(text + 2 * i, "d.", 2);
		cr_assert(lookup(t, text, DAY, &match) && match.block->list == depth);
	}
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, pieces_are_the_same_with_and_without_vector_instructions)
{
	uint8_t bytes[2 * FQDN_PIECE];
	uint64_t state = 1;

	for (unsigned round = 0; round < 100000; round++) {
		unsigned n = 1 + round % FQDN_PIECE;
		uint64_t scalar[4], vector[4];

		for (unsigned i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)random_next(&state);
		fqdn_piece_scalar(bytes, n, scalar);
		fqdn_piece(bytes, n, vector);
		cr_assert(memcmp(scalar, vector, sizeof(scalar)) == 0, "%u octets", n);
	}
}

Test(fqdn, a_listed_top_level_domain_leaves_longer_names_found)
{
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_match match;
	struct fqdn_table *t;

	cr_assert(add(b, "a.evil.example", (struct fqdn_rule){.list = 1, EVER}) == 1);
	cr_assert(add(b, "evil.test", (struct fqdn_rule){.list = 2, EVER}) == 1);
	cr_assert(add(b, "zip", (struct fqdn_rule){.list = 3, .scope = FQDN_SUBTREE, EVER}) == 1);
	t = fqdn_builder_finish(b);
	cr_assert(lookup(t, "a.evil.example", DAY, &match) && match.block->list == 1);
	cr_assert(lookup(t, "evil.test", DAY, &match) && match.block->list == 2);
	cr_assert(lookup(t, "zip", DAY, &match) && match.block->list == 3);
	cr_assert(lookup(t, "x.y.zip", DAY, &match) && match.block->list == 3);
	cr_assert(!lookup(t, "example", DAY, &match));
	cr_assert(!lookup(t, "evil.example", DAY, &match));
	cr_assert(!lookup(t, "test", DAY, &match));
	cr_assert(fqdn_table_names(t) == 3);
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

// Where label boundaries are is part of the name: none of these is the other.
// A name of 33 labels of one to nine octets.
static void deep_write(char *text)
{
	for (unsigned i = 0; i < 33; i++)
		text += sprintf(text, "%s%.*s", i ? "." : "", (int)(1 + i * 4 % 9), "abcdefghi");
}

Test(fqdn, a_deep_name_is_told_from_those_that_differ_in_one_label)
{
	char listed[DNS_NAME_SIZE_MAX], text[DNS_NAME_TEXT_SIZE];
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_match match;
	struct fqdn_table *t;

	deep_write(listed);
	cr_assert(add(b, listed, (struct fqdn_rule){EVER}) == 1);
	t = fqdn_builder_finish(b);
	cr_assert(lookup(t, listed, DAY, &match));
	for (unsigned i = 0; listed[i]; i++) {
		strcpy(text, listed);
		text[i] = listed[i] == '.' ? '.' : listed[i] - 'a' + 'A';
		cr_assert(lookup(t, text, DAY, &match), "%s", text);
		// Another letter, or two labels in one.
		text[i] = 'x';
		cr_assert(!lookup(t, text, DAY, &match), "%s", text);
		// A letter more.
		sprintf(text, "%.*sx%s", (int)i, listed, listed + i);
		cr_assert(!lookup(t, text, DAY, &match), "%s", text);
		// What is above it.
		if (listed[i] == '.')
			cr_assert(!lookup(t, listed + i + 1, DAY, &match), "%s", listed + i + 1);
	}
	sprintf(text, "x.%s", listed);
	cr_assert(!lookup(t, text, DAY, &match));
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

Test(fqdn, label_boundaries_and_near_misses_tell_names_apart)
{
	static const char *const others[] = {"a.b.evil.example", "ab.evi1.example",
		"ab.evil.exampl", "ab.evil.examples", "abevil.example", "ab\\.evil.example",
		"ab.evilexample", "b.evil.example", "xab.evil.example", "evil.example", "example"};
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_match match;
	struct fqdn_table *t;

	cr_assert(add(b, "ab.evil.example", (struct fqdn_rule){EVER}) == 1);
	t = fqdn_builder_finish(b);
	cr_assert(lookup(t, "AB.eViL.EXAMPLE", DAY, &match));
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_assert(!lookup(t, others[i], DAY, &match), "%s", others[i]);
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}
