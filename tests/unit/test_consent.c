/* SPDX-License-Identifier: BSD-3-Clause */
#include "consent/consent.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/block.h"

#define NF CONSENT_NO_FILTER
#define NL CONSENT_NO_LOG

// A table from text: "PREFIX" and refused bits. Copied to another place: it must not know where
// it lies.
struct text_rule {
	const char *prefix;
	uint8_t refused;
};

static struct consent_table *table_of(const struct consent_rule *rules, size_t n, size_t *size)
{
	struct consent_table *table = consent_table_build(rules, n, size), *copy;

	cr_assert_not_null(table);
	cr_assert(consent_table_prefixes(table) == n);
	copy = block_alloc(*size, -1);
	memcpy(copy, table, *size);
	memset(table, 0xff, *size);
	block_free(table, *size);
	return copy;
}

static struct consent_table *table_of_text(const struct text_rule *text, size_t n, size_t *size)
{
	struct consent_rule rules[32];

	cr_assert(n <= 32);
	for (size_t i = 0; i < n; i++) {
		cr_assert(
			prefix_parse(text[i].prefix, &rules[i].prefix) == 0, "%s", text[i].prefix);
		rules[i].refused = text[i].refused;
	}
	return table_of(rules, n, size);
}

static uint8_t lookup(const struct consent_table *table, const struct addr *addr)
{
	return addr->family == ADDR_IPV4 ? consent_lookup_ipv4(table, addr->bytes)
					 : consent_lookup_ipv6(table, addr->bytes);
}

static void answers_check(
	const struct text_rule *rules, size_t n, const struct text_rule *answers, size_t n_answers)
{
	size_t size;
	struct consent_table *table = table_of_text(rules, n, &size);
	struct addr addr;

	for (size_t i = 0; i < n_answers; i++) {
		cr_assert(addr_parse(answers[i].prefix, &addr) == 0);
		cr_assert(lookup(table, &addr) == answers[i].refused, "%s", answers[i].prefix);
	}
	block_free(table, size);
}

#define N(array) (sizeof(array) / sizeof((array)[0]))

Test(consent_table, no_rules_no_refusals)
{
	static const struct text_rule answers[] = {{"0.0.0.0", 0}, {"255.255.255.255", 0},
		{"192.0.2.1", 0}, {"::", 0}, {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0},
		{"2001:db8::1", 0}};
	static const struct text_rule agreed[] = {{"0.0.0.0/0", 0}, {"::/0", 0}, {"10.0.0.0/8", 0}};
	struct consent_table *table;
	size_t size;

	answers_check(NULL, 0, answers, N(answers));
	answers_check(agreed, N(agreed), answers, N(answers));
	table = table_of(NULL, 0, &size);
	cr_assert(size == 128);
	block_free(table, size);
}

Test(consent_table, one_family_says_nothing_about_the_other)
{
	static const struct text_rule rules4[] = {{"0.0.0.0/0", NF}};
	static const struct text_rule answers4[] = {
		{"0.0.0.0", NF}, {"255.255.255.255", NF}, {"::", 0}, {"::ffff:10.0.0.1", 0}};
	static const struct text_rule rules6[] = {{"::/0", NF | NL}};
	static const struct text_rule answers6[] = {{"0.0.0.0", 0}, {"255.255.255.255", 0},
		{"::", NF | NL}, {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NF | NL}};

	answers_check(rules4, N(rules4), answers4, N(answers4));
	answers_check(rules6, N(rules6), answers6, N(answers6));
}

Test(consent_table, the_most_specific_ipv4_prefix_wins)
{
	static const struct text_rule rules[] = {
		{"10.1.2.128/25", 0},
		{"10.0.0.0/8", NF},
		{"10.1.0.0/16", NL},
		{"10.1.2.0/24", NF | NL},
		{"10.1.2.3", 0},
		{"10.255.255.255", NL},
		{"255.255.255.255", NF},
		{"0.0.0.0", NL},
		{"192.0.2.0/25", NF},
		{"192.0.2.128/25", NF},
		{"198.51.100.0/24", NF},
		{"198.51.100.0/25", NF},
	};
	static const struct text_rule answers[] = {
		{"0.0.0.0", NL},
		{"0.0.0.1", 0},
		{"9.255.255.255", 0},
		{"10.0.0.0", NF},
		{"10.0.255.255", NF},
		{"10.1.0.0", NL},
		{"10.1.1.255", NL},
		{"10.1.2.0", NF | NL},
		{"10.1.2.2", NF | NL},
		{"10.1.2.3", 0},
		{"10.1.2.4", NF | NL},
		{"10.1.2.127", NF | NL},
		{"10.1.2.128", 0},
		{"10.1.2.255", 0},
		{"10.1.3.0", NL},
		{"10.1.255.255", NL},
		{"10.2.0.0", NF},
		{"10.255.255.254", NF},
		{"10.255.255.255", NL},
		{"11.0.0.0", 0},
		{"192.0.1.255", 0},
		{"192.0.2.0", NF},
		{"192.0.2.255", NF},
		{"192.0.3.0", 0},
		{"198.51.100.127", NF},
		{"198.51.100.255", NF},
		{"198.51.101.0", 0},
		{"255.255.255.254", 0},
		{"255.255.255.255", NF},
	};

	answers_check(rules, N(rules), answers, N(answers));
}

Test(consent_table, the_most_specific_ipv6_prefix_wins)
{
	static const struct text_rule rules[] = {
		{"2001:db8::/32", NF},
		{"2001:db8:1::/48", NL},
		{"2001:db8:1:2::/64", NF | NL},
		{"2001:db8:1:2::8/125", NL},
		{"2001:db8:1:2::a", 0},
		{"2001:db8:1:3:8000::/65", NF},
		{"::", NL},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NF},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", NL},
	};
	static const struct text_rule answers[] = {
		{"::", NL},
		{"::1", 0},
		{"0:0:0:1::", 0},
		{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", 0},
		{"2001:db8::", NF},
		{"2001:db8:0:ffff:ffff:ffff:ffff:ffff", NF},
		{"2001:db8:1::", NL},
		{"2001:db8:1:1:ffff:ffff:ffff:ffff", NL},
		{"2001:db8:1:2::", NF | NL},
		{"2001:db8:1:2::7", NF | NL},
		{"2001:db8:1:2::8", NL},
		{"2001:db8:1:2::a", 0},
		{"2001:db8:1:2::b", NL},
		{"2001:db8:1:2::f", NL},
		{"2001:db8:1:2::10", NF | NL},
		{"2001:db8:1:2:ffff:ffff:ffff:ffff", NF | NL},
		{"2001:db8:1:3::", NL},
		{"2001:db8:1:3:7fff:ffff:ffff:ffff", NL},
		{"2001:db8:1:3:8000::", NF},
		{"2001:db8:1:3:ffff:ffff:ffff:ffff", NF},
		{"2001:db8:1:4::", NL},
		{"2001:db8:2::", NF},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", NF},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", NL},
		{"2001:db9::", 0},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 0},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NF},
	};

	answers_check(rules, N(rules), answers, N(answers));
}

Test(consent_table, a_prefix_given_twice_refuses_both)
{
	static const struct text_rule rules[] = {{"10.0.0.0/8", NF}, {"10.0.0.0/9", 0},
		{"10.0.0.0/8", NL}, {"10.0.0.0/8", 0}, {"2001:db8::/32", NL},
		{"2001:db8::/32", NF}};
	static const struct text_rule answers[] = {
		{"10.0.0.0", 0}, {"10.128.0.0", NF | NL}, {"2001:db8::", NF | NL}, {"11.0.0.0", 0}};

	answers_check(rules, N(rules), answers, N(answers));
}

Test(consent_table, every_length_nested_in_the_one_before)
{
	static struct consent_rule rules[33 + 129];
	size_t size, n = 0;
	struct consent_table *table;
	struct addr addr;

	for (unsigned length = 0; length <= 32; length++) {
		char text[PREFIX_TEXT_SIZE];

		snprintf(text, sizeof(text), "255.255.255.255/%u", length);
		cr_assert(prefix_parse(text, &rules[n].prefix) == 0);
		rules[n++].refused = length & 3;
	}
	for (unsigned length = 0; length <= 128; length++) {
		char text[PREFIX_TEXT_SIZE];

		snprintf(text, sizeof(text), "::/%u", length);
		cr_assert(prefix_parse(text, &rules[n].prefix) == 0);
		rules[n++].refused = length & 3;
	}
	table = table_of(rules, n, &size);
	for (unsigned bits = 0; bits <= 128; bits++) {
		// The first bit that differs from the prefixes is bit number `bits`.
		if (bits <= 32) {
			addr_parse("255.255.255.255", &addr);
			if (bits < 32)
				addr.bytes[bits / 8] ^= (uint8_t)(0x80 >> bits % 8);
			cr_assert(lookup(table, &addr) == (bits & 3), "IPv4 %u", bits);
		}
		addr_parse("::", &addr);
		if (bits < 128)
			addr.bytes[bits / 8] ^= (uint8_t)(0x80 >> bits % 8);
		cr_assert(lookup(table, &addr) == (bits & 3), "IPv6 %u", bits);
	}
	block_free(table, size);
}

static uint64_t rng_state = 0x9e3779b97f4a7c15u;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

// A prefix in a small part of the space, so that many nest and touch.
static void rule_random(uint8_t family, unsigned spread, struct consent_rule *rule)
{
	uint8_t bits = (uint8_t)(addr_size(family) * 8);
	struct addr *addr = &rule->prefix.addr;

	memset(rule, 0, sizeof(*rule));
	addr->family = family;
	for (unsigned i = 0; i < bits / 8u; i++)
		addr->bytes[i] = (uint8_t)(rng() % spread * (rng() & 1 ? 1 : 0x55));
	rule->prefix.length = (uint8_t)(rng() % 8 ? rng() % (bits + 1u) : rng() % 17);
	for (unsigned i = rule->prefix.length; i < bits; i++)
		addr->bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	rule->refused = rng() & 3;
}

// The definition, word for word.
static uint8_t answer_slow(const struct consent_rule *rules, size_t n, const struct addr *addr)
{
	int length = -1;
	uint8_t refused = 0;

	for (size_t i = 0; i < n; i++) {
		if (!prefix_contains(&rules[i].prefix, addr) || rules[i].prefix.length < length)
			continue;
		refused = rules[i].refused | (rules[i].prefix.length == length ? refused : 0);
		length = rules[i].prefix.length;
	}
	return refused;
}

// An address in, just before, or just behind a random rule, or anywhere.
static void addr_random(const struct consent_rule *rules, size_t n, struct addr *addr)
{
	const struct prefix *near = &rules[rng() % n].prefix;
	unsigned size = addr_size(near->addr.family), kind = rng() % 5;

	*addr = near->addr;
	for (unsigned i = kind == 4 ? 0 : near->length; i < size * 8; i++)
		if (kind == 1 || (kind >= 3 && (rng() & 1)))
			addr->bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (kind == 1) // the one behind the last
		for (unsigned i = size; i-- > 0 && ++addr->bytes[i] == 0;)
			;
	else if (kind == 2) // the one before the first
		for (unsigned i = size; i-- > 0 && addr->bytes[i]-- == 0;)
			;
}

// Returns how many of the clients looked up refuse something.
static unsigned random_compare(uint8_t family, size_t n, unsigned spread, unsigned lookups)
{
	struct consent_rule *rules = calloc(n, sizeof(*rules));
	struct consent_table *table;
	unsigned refused = 0;
	struct addr addr;
	size_t size;

	for (size_t i = 0; i < n; i++)
		rule_random(family, spread, &rules[i]);
	table = table_of(rules, n, &size);
	for (unsigned i = 0; i < lookups; i++) {
		char text[ADDR_TEXT_SIZE];
		uint8_t expected;

		addr_random(rules, n, &addr);
		expected = answer_slow(rules, n, &addr);
		cr_assert(lookup(table, &addr) == expected, "%s of %zu rules",
			addr_format(&addr, text), n);
		refused += expected != 0;
	}
	block_free(table, size);
	free(rules);
	return refused;
}

// The comparison means nothing if all answers are alike.
static bool is_mixed(unsigned refused)
{
	return refused > 2000 && refused < 18000;
}

Test(consent_table, ipv4_answers_like_a_scan_of_all_rules)
{
	for (size_t n = 8; n <= 64; n++)
		random_compare(ADDR_IPV4, n, 3, 200);
	cr_assert(is_mixed(random_compare(ADDR_IPV4, 2000, 6, 20000)));
	// Enough points for the index by /16.
	cr_assert(is_mixed(random_compare(ADDR_IPV4, 8000, 256, 20000)));
}

Test(consent_table, ipv6_answers_like_a_scan_of_all_rules)
{
	for (size_t n = 8; n <= 64; n++)
		random_compare(ADDR_IPV6, n, 2, 200);
	cr_assert(is_mixed(random_compare(ADDR_IPV6, 2000, 2, 20000)));
	cr_assert(is_mixed(random_compare(ADDR_IPV6, 8000, 256, 20000)));
}

Test(consent_table, memory_follows_the_number_of_rules)
{
	struct consent_rule rule = {.refused = NF};
	struct consent_table *table;
	size_t size;

	prefix_parse("192.0.2.0/24", &rule.prefix);
	table = table_of(&rule, 1, &size);
	cr_assert(size <= 512);
	block_free(table, size);
	prefix_parse("2001:db8::1", &rule.prefix);
	table = table_of(&rule, 1, &size);
	cr_assert(size <= 512);
	block_free(table, size);
}

Test(consent_table, a_million_prefixes_of_both_families)
{
	const size_t n = 1000000;
	struct consent_rule *rules = calloc(n, sizeof(*rules));
	struct consent_table *table;
	size_t size;

	// Every second /26 of 10.0.0.0/7 and up, every second /56 of 2001:db8::/32 and up.
	for (size_t i = 0; i < n; i++) {
		struct consent_rule *r = &rules[(i * 7919) % n];
		uint32_t at = (uint32_t)(i / 2) * 2;

		r->refused = NF;
		if (i % 2) {
			at = (10u << 24) + at * 64;
			r->prefix = (struct prefix){.addr.family = ADDR_IPV4, .length = 26};
		} else {
			r->prefix = (struct prefix){.addr.family = ADDR_IPV6, .length = 56};
			memcpy(r->prefix.addr.bytes, "\x20\x01\x0d", 3);
		}
		for (unsigned k = 0; k < 4; k++)
			r->prefix.addr.bytes[(i % 2 ? 0 : 3) + k] |= (uint8_t)(at >> (24 - 8 * k));
	}
	table = table_of(rules, n, &size);
	cr_assert(size <= 32u * n);
	for (size_t i = 0; i < n; i++) {
		struct addr addr = rules[i].prefix.addr;
		unsigned last = rules[i].prefix.length;

		cr_assert(lookup(table, &addr) == NF);
		// The neighbour has not refused.
		addr.bytes[(last - 1) / 8] ^= (uint8_t)(0x80 >> (last - 1) % 8);
		cr_assert(lookup(table, &addr) == 0);
	}
	block_free(table, size);
	free(rules);
}
