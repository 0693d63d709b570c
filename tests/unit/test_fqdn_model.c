/* SPDX-License-Identifier: BSD-3-Clause */
/* The table against a model that looks at every rule in turn, and with many names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/block.h"
#include "dns/dns_name.h"
#include "fqdn/fqdn_table.h"
#include "support/random.h"

#define RULES   600
#define LOOKUPS 100000
#define MANY    1000000

struct model_rule {
	char name[64];
	struct fqdn_rule rule;
};

// A name of one to four labels out of few, so that names, suffixes and siblings meet.
static void name_random(uint64_t *state, char text[64])
{
	static const char *const labels[] = {"a", "b", "ab", "www", "evil", "notevil", "example"};
	unsigned n = 1 + random_below(state, 4);

	text[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		strcat(text, i ? "." : "");
		strcat(text, labels[random_below(state, 7)]);
	}
}

static bool rule_covers(const struct model_rule *rule, const char *name, uint16_t today)
{
	size_t length = strlen(name), suffix = strlen(rule->name);
	bool itself = strcmp(name, rule->name) == 0;
	bool below = length > suffix + 1 && name[length - suffix - 1] == '.' &&
		     strcmp(name + length - suffix, rule->name) == 0;

	if (today < rule->rule.first_day || today > rule->rule.last_day)
		return false;
	switch (rule->rule.scope) {
	case FQDN_EXACT:
		return itself;
	case FQDN_BELOW:
		return below;
	default:
		return itself || below;
	}
}

// List of the first rule, by order of the lists, of a verdict; exact ones or those of subtrees.
static int first_list(const struct model_rule *rules, const char *name, uint16_t today,
	uint8_t verdict, bool exact)
{
	int list = -1;

	for (unsigned i = 0; i < RULES; i++)
		if (rules[i].rule.verdict == verdict &&
			(rules[i].rule.scope == FQDN_EXACT) == exact &&
			(list < 0 || rules[i].rule.list < list) &&
			rule_covers(&rules[i], name, today))
			list = rules[i].rule.list;
	return list;
}

static int earlier(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

struct model_match {
	int block, log, allow; // lists, -1: none
	bool suppressed;
};

static struct model_match model_lookup(
	const struct model_rule *rules, const char *name, uint16_t today)
{
	int list[FQDN_VERDICTS][2];
	struct model_match match;

	for (uint8_t verdict = 0; verdict < FQDN_VERDICTS; verdict++)
		for (int exact = 0; exact < 2; exact++)
			list[verdict][exact] = first_list(rules, name, today, verdict, exact);
	match.allow = list[FQDN_ALLOW][1] >= 0 ? list[FQDN_ALLOW][1] : list[FQDN_ALLOW][0];
	match.suppressed = false;
	for (int exact = 0; exact < 2; exact++) {
		bool silenced = exact ? list[FQDN_ALLOW][1] >= 0 : match.allow >= 0;

		for (uint8_t verdict = FQDN_BLOCK; verdict <= FQDN_LOG && silenced; verdict++) {
			match.suppressed = match.suppressed || list[verdict][exact] >= 0;
			list[verdict][exact] = -1;
		}
	}
	match.block = earlier(list[FQDN_BLOCK][0], list[FQDN_BLOCK][1]);
	match.log = earlier(list[FQDN_LOG][0], list[FQDN_LOG][1]);
	return match;
}

static int list_of(const struct fqdn_rule *rule)
{
	return rule ? rule->list : -1;
}

static bool lookup(
	const struct fqdn_table *t, const char *text, uint16_t today, struct fqdn_match *match)
{
	uint8_t msg[DNS_HEADER_SIZE + DNS_NAME_SIZE_MAX];
	int size = dns_name_parse(text, strlen(text), msg + DNS_HEADER_SIZE);
	struct dns_labels name;

	cr_assert(size > 0);
	cr_assert(dns_msg_labels_read(
			  msg, DNS_HEADER_SIZE + (uint32_t)size, DNS_HEADER_SIZE, &name) > 0);
	return fqdn_lookup(t, &name, today, match);
}

static void rules_make(uint64_t *state, struct model_rule *rules, struct fqdn_builder *b)
{
	for (unsigned i = 0; i < RULES; i++) {
		uint8_t name[DNS_NAME_SIZE_MAX];
		uint16_t first = (uint16_t)random_below(state, 12);
		int size;

		name_random(state, rules[i].name);
		rules[i].rule = (struct fqdn_rule){
			.first_day = first,
			.last_day = (uint16_t)(first + random_below(state, 8)),
			.scope = (uint8_t)random_below(state, 3),
		};
		// A list has one action, so the list gives the verdict.
		rules[i].rule.list = (uint16_t)random_below(state, 9);
		rules[i].rule.verdict = (uint8_t)(rules[i].rule.list % FQDN_VERDICTS);
		size = dns_name_parse(rules[i].name, strlen(rules[i].name), name);
		cr_assert(fqdn_builder_add(b, name, (uint8_t)size, &rules[i].rule) >= 0);
	}
}

// A worker's copy at another place; where the whole table was is made unusable.
static struct fqdn_table *worker_copy(struct fqdn_table *t)
{
	size_t whole = fqdn_table_size(t), size = fqdn_table_worker_size(t);
	struct fqdn_table *copy;

	cr_assert(size < whole);
	cr_assert(posix_memalign((void **)&copy, 64, size) == 0);
	memcpy(copy, t, size);
	memset(t, 0xff, whole);
	block_free(t, whole);
	return copy;
}

Test(fqdn_model, random_names_get_the_answers_of_a_naive_model)
{
	static struct model_rule rules[RULES];
	struct fqdn_builder *b = fqdn_builder_create();
	uint64_t state = RANDOM_SEED;
	struct fqdn_table *t;
	unsigned hits = 0, suppressed = 0;

	rules_make(&state, rules, b);
	t = worker_copy(fqdn_builder_finish(b));
	for (unsigned i = 0; i < LOOKUPS; i++) {
		uint16_t today = (uint16_t)random_below(&state, 20);
		struct fqdn_match match = {0};
		struct model_match want;
		char name[64];

		name_random(&state, name);
		want = model_lookup(rules, name, today);
		cr_assert(lookup(t, name, today, &match) ==
				  (want.block >= 0 || want.log >= 0 || want.allow >= 0),
			"%s on day %u", name, today);
		cr_assert(list_of(match.block) == want.block && list_of(match.log) == want.log &&
				  list_of(match.allow) == want.allow &&
				  match.suppressed == want.suppressed,
			"%s on day %u: block %d log %d allow %d", name, today, want.block, want.log,
			want.allow);
		hits += want.block >= 0 || want.log >= 0;
		suppressed += want.suppressed;
	}
	cr_assert(hits > LOOKUPS / 20 && suppressed > LOOKUPS / 50, "%u hits, %u exempted", hits,
		suppressed);
	free(t);
	fqdn_builder_destroy(b);
}

Test(fqdn_model, rule_numbers_are_the_same_in_every_copy)
{
	static struct model_rule rules[RULES];
	struct fqdn_builder *b = fqdn_builder_create();
	uint64_t state = RANDOM_SEED;
	struct fqdn_table *t, *copy;

	rules_make(&state, rules, b);
	t = fqdn_builder_finish(b);
	cr_assert(posix_memalign((void **)&copy, 64, fqdn_table_worker_size(t)) == 0);
	memcpy(copy, t, fqdn_table_worker_size(t));
	for (unsigned i = 0; i < LOOKUPS / 10; i++) {
		struct fqdn_match match = {0}, other = {0};
		char name[64];

		name_random(&state, name);
		if (!lookup(t, name, 5, &match) || !match.block)
			continue;
		cr_assert(lookup(copy, name, 5, &other));
		cr_assert(match.block != other.block);
		cr_assert(fqdn_table_rule_number(t, match.block) ==
			  fqdn_table_rule_number(copy, other.block));
		cr_assert(fqdn_table_rule(t, fqdn_table_rule_number(copy, other.block)) ==
			  match.block);
	}
	cr_assert_null(fqdn_table_rule(t, UINT32_MAX));
	free(copy);
	block_free(t, fqdn_table_size(t));
	fqdn_builder_destroy(b);
}

static int many_name(char text[64], unsigned i)
{
	// Neighbours differ in one place; half of them lie two labels deeper.
	return snprintf(text, 64, i % 2 ? "host-%u.example" : "a.b%u.zone.example", i);
}

Test(fqdn_model, a_million_names_are_built_and_found, .timeout = 300)
{
	const struct fqdn_rule rule = {.last_day = UINT16_MAX};
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_match match;
	struct fqdn_table *t;
	uint64_t counts[1] = {0};
	char text[64];

	for (unsigned i = 0; i < MANY; i++) {
		uint8_t name[DNS_NAME_SIZE_MAX];
		int size = dns_name_parse(text, (size_t)many_name(text, i), name);

		cr_assert(size > 0 && fqdn_builder_add(b, name, (uint8_t)size, &rule) == 1);
	}
	t = fqdn_builder_finish(b);
	fqdn_builder_destroy(b);
	cr_assert(fqdn_table_names(t) == MANY);
	fqdn_table_count_active(t, 0, counts, 1);
	cr_assert(counts[0] == MANY);
	// Names share one set of rules; every second one brings a node above it of its own.
	cr_assert(fqdn_table_worker_size(t) < (size_t)MANY * 48, "%zu bytes",
		fqdn_table_worker_size(t));
	for (unsigned i = 0; i < MANY; i++) {
		many_name(text, i);
		cr_assert(lookup(t, text, 0, &match), "%s", text);
		text[0] ^= 2;
		cr_assert(!lookup(t, text, 0, &match), "%s", text);
	}
	block_free(t, fqdn_table_size(t));
}
