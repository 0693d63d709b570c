/* SPDX-License-Identifier: BSD-3-Clause */
/* The corners of the table's layout, and names as they stand in messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/block.h"
#include "base/cpu.h"
#include "fqdn/fqdn_scan.h"
#include "support/random.h"

#define EVER .last_day = UINT16_MAX
#define DAY  5000

static void add(struct fqdn_builder *b, const char *text, struct fqdn_rule rule)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	int size = dns_name_parse(text, strlen(text), name);

	cr_assert(size > 0, "%s", text);
	rule.id = (uint32_t)fqdn_builder_id(b, rule.list, "");
	cr_assert(fqdn_builder_add(b, name, (uint8_t)size, &rule) >= 0, "%s", text);
}

static struct fqdn_table *finish(struct fqdn_builder *b)
{
	struct fqdn_table *t = fqdn_builder_finish(b);

	cr_assert(t);
	fqdn_builder_destroy(b);
	cr_assert_null(fqdn_table_check(t, fqdn_table_size(t), UINT16_MAX));
	return t;
}

// List of the rule that decides, -1: none.
static int lookup(const struct fqdn_table *t, const char *text)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct dns_labels labels;
	struct fqdn_match match;

	cr_assert(dns_name_parse(text, strlen(text), name) > 0, "%s", text);
	dns_name_labels(name, &labels);
	return fqdn_lookup(t, &labels, DAY, &match) ? match.block->list : -1;
}

Test(fqdn_layout, slots_are_the_same_with_and_without_vector_instructions)
{
	struct fqdn_bucket bucket;
	uint64_t state = RANDOM_SEED;

	for (unsigned round = 0; round < 100000; round++) {
		uint16_t tag = (uint16_t)(1 + random_below(&state, 3));

		bucket.base = (uint32_t)random_next(&state);
		for (unsigned i = 0; i < FQDN_BUCKET; i++)
			bucket.tag[i] = (uint16_t)random_below(&state, 5);
		// Halves of base that are equal to the tag are no slots.
		if (round % 4 == 0)
			bucket.base = tag | (uint32_t)tag << 16;
		cr_assert_eq(
			fqdn_bucket_match(&bucket, tag), fqdn_bucket_match_scalar(&bucket, tag));
	}
}

Test(fqdn_layout, sums_of_sizes_are_the_same_with_and_without_vector_instructions)
{
	uint8_t sizes[32];
	uint64_t state = RANDOM_SEED;

	for (unsigned round = 0; round < 10000; round++) {
		unsigned slot = round % FQDN_BUCKET;

		for (unsigned i = 0; i < sizeof(sizes); i++)
			sizes[i] = round < 100 ? 0xff : (uint8_t)random_next(&state);
		cr_assert_eq(
			fqdn_sizes_sum(sizes + 32, slot), fqdn_sizes_sum_scalar(sizes + 32, slot));
	}
}

// However much can be read behind a label, it is the same.
static bool pack_equal(const uint8_t packed[64], const uint8_t label[80])
{
	bool equal = fqdn_pack_equal(packed, label, 80);
	bool near_the_end = fqdn_pack_equal(packed, label, label[0] + 1u);

	cr_assert_eq(equal, near_the_end);
	return equal;
}

Test(fqdn_layout, packed_labels_are_what_they_were_and_no_other)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t state = RANDOM_SEED;

	for (unsigned octet = 0; octet < 256; octet++) {
		uint8_t label[] = {4, 'a', 'b', 'c', (uint8_t)octet}, packed[16];
		bool has_digit = octet && strchr(set, (int)octet);

		// Only canonical labels are packed; those of messages are in either case.
		if (octet >= 'A' && octet <= 'Z')
			continue;
		cr_assert_eq(
			fqdn_pack(label, packed), has_digit ? fqdn_pack_size(4) : 0, "%u", octet);
	}
	for (unsigned round = 0; round < 100000; round++) {
		uint8_t label[80] = {(uint8_t)(1 + round % 63)}, packed[64], back[FQDN_UNPACK_ROOM];
		unsigned at = 1 + random_below(&state, label[0]);

		for (unsigned i = 1; i <= label[0]; i++)
			label[i] = (uint8_t)set[random_below(&state, sizeof(set) - 1)];
		cr_assert_eq(fqdn_pack(label, packed), fqdn_pack_size(label[0]));
		fqdn_unpack(packed, back);
		cr_assert(memcmp(back, label, label[0] + 1u) == 0);
		cr_assert(pack_equal(packed, label));
		// Any other octet in one place, except for the other case of the same letter.
		label[at] = (uint8_t)random_next(&state);
		cr_assert_eq(pack_equal(packed, label), dns_fold(label[at]) == back[at]);
		label[at] = back[at];
		label[0] ^= (uint8_t)(1u << random_below(&state, 6));
		cr_assert(!pack_equal(packed, label));
	}
}

// Whether the last bucket of a part goes on in its first one.
static bool goes_round(const struct fqdn_table *t)
{
	for (unsigned p = 0; p < FQDN_PARTS; p++)
		if (fqdn_bucket_at(t, t->part[p].first + t->part[p].n - 1)->base & FQDN_BASE_MORE)
			return true;
	return false;
}

Test(fqdn_layout, names_of_buckets_that_overflow_are_found, .timeout = 120)
{
	const unsigned n = 65536;
	bool round = false;

	// Keys are random: one table in two has a part whose last bucket overflows.
	for (unsigned try = 0; try < 50 && !round; try++) {
		struct fqdn_builder *b = fqdn_builder_create();
		struct fqdn_table *t;
		unsigned over = 0;
		char text[64];

		for (unsigned i = 0; i < n; i++) {
			snprintf(text, sizeof(text), "n%08x.example", i * 0x9e3779b1u ^ i >> 3);
			add(b, text, (struct fqdn_rule){.list = (uint16_t)(i % 7), EVER});
		}
		t = finish(b);
		for (uint32_t i = 0; i < t->n_buckets; i++)
			over += fqdn_bucket_at(t, i)->base >> 31;
		cr_assert_gt(over, 0);
		for (unsigned i = 0; i < n; i++) {
			snprintf(text, sizeof(text), "n%08x.example", i * 0x9e3779b1u ^ i >> 3);
			cr_assert_eq(lookup(t, text), (int)(i % 7), "%s", text);
			snprintf(text, sizeof(text), "o%u.example", i);
			cr_assert_eq(lookup(t, text), -1, "%s", text);
		}
		round = goes_round(t);
		block_free(t, fqdn_table_size(t));
	}
	cr_assert(round);
}

Test(fqdn_layout, every_name_may_have_rules_of_its_own)
{
	struct fqdn_builder *b = fqdn_builder_create();
	const unsigned n = 5000;
	struct fqdn_table *t;
	char text[64];

	// More sets than there are codes: of one rule, and of one that is shared besides.
	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s%u.example", i % 3 ? "" : "deep.er.", i);
		add(b, text, (struct fqdn_rule){.list = (uint16_t)(i + 2), EVER});
		if (i % 2)
			add(b, text, (struct fqdn_rule){.list = 1, .verdict = FQDN_LOG, EVER});
	}
	t = finish(b);
	for (unsigned i = 0; i < n; i++) {
		const struct fqdn_rule *rules[FQDN_RULES_MAX];
		uint8_t name[DNS_NAME_SIZE_MAX];

		snprintf(text, sizeof(text), "%s%u.example", i % 3 ? "" : "deep.er.", i);
		cr_assert(dns_name_parse(text, strlen(text), name) > 0);
		cr_assert_eq(fqdn_table_rules(t, name, rules), 1 + i % 2, "%s", text);
		cr_assert_eq(rules[0]->list, i + 2);
		cr_assert(i % 2 == 0 || rules[1]->list == 1);
		cr_assert_eq(lookup(t, text), (int)i + 2, "%s", text);
	}
	block_free(t, fqdn_table_size(t));
}

// Names that lie below each other, where any may come first: chains of them become one node, which
// ends where a rule stands or the tree forks.
Test(fqdn_layout, a_name_is_found_whatever_is_listed_around_it)
{
	static const char *const names[] = {"www.abc.com", "abc.com", "ftp.abc.com",
		"a.b.c.www.abc.com", "x.b.c.www.abc.com", "com"};
	const unsigned n = sizeof(names) / sizeof(names[0]);

	for (unsigned which = 0; which < 1u << n; which++)
		for (unsigned first = 0; first < n; first++) {
			struct fqdn_builder *b = fqdn_builder_create();
			struct fqdn_table *t;

			for (unsigned i = 0; i < n; i++) {
				unsigned k = (first + i) % n;

				if (which >> k & 1)
					add(b, names[k],
						(struct fqdn_rule){.list = (uint16_t)k, EVER});
			}
			t = finish(b);
			for (unsigned i = 0; i < n; i++)
				cr_assert_eq(lookup(t, names[i]), which >> i & 1 ? (int)i : -1,
					"%s in %#x", names[i], which);
			cr_assert_eq(lookup(t, "b.c.www.abc.com"), -1);
			cr_assert_eq(lookup(t, "c.www.abc.com"), -1);
			cr_assert_eq(lookup(t, "y.b.c.www.abc.com"), -1);
			cr_assert_eq(lookup(t, "a.x.c.www.abc.com"), -1);
			cr_assert_eq(lookup(t, "abc.net"), -1);
			block_free(t, fqdn_table_size(t));
		}
}

Test(fqdn_layout, a_host_alone_below_its_domain_is_one_node)
{
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_table *t;

	add(b, "www.abc.com", (struct fqdn_rule){.scope = FQDN_SUBTREE, EVER});
	add(b, "a.b.c.d.e.net", (struct fqdn_rule){.scope = FQDN_BELOW, EVER});
	t = finish(b);
	cr_assert_eq(t->n_nodes, 2);
	cr_assert_eq(lookup(t, "www.abc.com"), 0);
	cr_assert_eq(lookup(t, "x.y.www.abc.com"), 0);
	cr_assert_eq(lookup(t, "a.b.c.d.e.net"), -1);
	cr_assert_eq(lookup(t, "x.a.b.c.d.e.net"), 0);
	cr_assert_eq(lookup(t, "b.c.d.e.net"), -1);
	cr_assert_eq(lookup(t, "e.net"), -1);
	block_free(t, fqdn_table_size(t));
}

Test(fqdn_layout, the_longest_names_are_found_with_sets_of_every_kind)
{
	static const uint8_t sizes[][4] = {{61, 63, 63, 63}, {63, 63, 63, 61}, {60, 63, 63, 63},
		{1, 63, 63, 63}, {50, 63, 63, 63}};
	struct fqdn_builder *b = fqdn_builder_create();
	char text[5][DNS_NAME_TEXT_SIZE];
	struct fqdn_table *t;

	for (unsigned i = 0; i < 5; i++) {
		char *to = text[i];

		for (unsigned l = 0; l < 4; l++)
			to += sprintf(to, "%0*u.", sizes[i][l], i);
		// Enough other sets, and more often, that none of these has a code.
		for (unsigned k = 0; k < 200; k++) {
			char other[32];

			snprintf(other, sizeof(other), "o%u.x%u.test", k, i);
			add(b, other, (struct fqdn_rule){.list = (uint16_t)(100 + k), EVER});
		}
		add(b, text[i], (struct fqdn_rule){.list = (uint16_t)i, EVER});
	}
	t = finish(b);
	for (unsigned i = 0; i < 5; i++) {
		cr_assert_eq(lookup(t, text[i]), (int)i);
		cr_assert_eq(lookup(t, strchr(text[i], '.') + 1), -1);
		text[i][0] = 'x';
		cr_assert_eq(lookup(t, text[i]), -1);
	}
	block_free(t, fqdn_table_size(t));
}

#define MSG_SIZE 600

// A name of labels out of few, in a message of its own that ends with it, pointers at random places.
// @return the message, exactly as large as it is
static uint8_t *message_make(uint64_t *state, char text[DNS_NAME_TEXT_SIZE], struct fqdn_name *name)
{
	static const char *const words[] = {"a", "B", "aB", "wWw", "evil", "notevil", "example",
		"a-label-that-is-longer-than-a-piece-of-32-octets"};
	unsigned n = (unsigned)random_below(state, 6), used = DNS_HEADER_SIZE;
	uint8_t bytes[MSG_SIZE] = {0}, *msg;
	const char *label[6];
	struct dns_labels labels;
	int pointer = -1;

	text[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		label[i] = words[random_below(state, 8)];
		strcat(strcat(text, i ? "." : ""), label[i]);
	}
	strcat(text, n ? "" : ".");
	// From the right; a run of labels ends with the root or a pointer to the run before.
	for (unsigned end = n; end > 0 || pointer < 0;) {
		unsigned from =
			random_below(state, 2) ? 0 : (unsigned)random_below(state, end + 1u);

		name->at = (uint16_t)used;
		for (unsigned i = from; i < end; i++) {
			bytes[used++] = (uint8_t)strlen(label[i]);
			memcpy(bytes + used, label[i], strlen(label[i]));
			used += (unsigned)strlen(label[i]);
		}
		if (pointer < 0) {
			bytes[used++] = 0;
		} else {
			bytes[used++] = (uint8_t)(0xc0 | pointer >> 8);
			bytes[used++] = (uint8_t)pointer;
		}
		pointer = name->at;
		end = from;
	}
	used += random_below(state, 2) ? (unsigned)random_below(state, 40) : 0;
	msg = malloc(used);
	memcpy(msg, bytes, used);
	cr_assert(dns_msg_labels_read(msg, used, name->at, &labels) > 0 && labels.n == n);
	name->msg = msg;
	name->msg_size = (uint16_t)used;
	name->n = labels.n;
	for (unsigned i = 0; i < 3; i++)
		name->last[2 - i] = i < n ? labels.at[n - 1 - i] : 0xffff;
	return msg;
}

static struct fqdn_table *bulk_table(bool singles)
{
	struct fqdn_builder *b = fqdn_builder_create();
	uint64_t state = RANDOM_SEED;

	for (unsigned i = 0; i < 300; i++) {
		struct fqdn_name name;
		char text[DNS_NAME_TEXT_SIZE];
		struct fqdn_rule rule = {.list = (uint16_t)(i % 9),
			.verdict = (uint8_t)(i % 9 % FQDN_VERDICTS),
			.scope = (uint8_t)random_below(&state, 3),
			EVER};

		free(message_make(&state, text, &name));
		if (name.n > 1 || (singles && name.n == 1))
			add(b, text, rule);
	}
	return finish(b);
}

static bool match_equal(const struct fqdn_match *a, const struct fqdn_match *b)
{
	return a->block == b->block && a->log == b->log && a->allow == b->allow &&
	       a->suppressed == b->suppressed;
}

// Whichever way this CPU takes, the other one says the same.
static void scans_compare(const struct fqdn_table *t, const struct fqdn_name *names, unsigned n)
{
	struct fqdn_aim plain[FQDN_BULK], wide[FQDN_BULK];

	if (!cpu_is_wide())
		return;
	fqdn_aim_plain(t, names, n, plain);
	fqdn_aim_wide(t, names, n, wide);
	for (unsigned i = 0; i < n; i++)
		cr_assert(plain[i].hash == wide[i].hash && plain[i].bucket == wide[i].bucket);
	cr_assert_eq(fqdn_scan_plain(t, n, plain), fqdn_scan_wide(t, n, wide));
}

// Names of messages, any number at once, get what each of them gets by itself from its canonical form.
Test(fqdn_layout, names_in_messages_are_looked_up_all_together, .timeout = 120)
{
	for (unsigned singles = 0; singles < 2; singles++) {
		struct fqdn_table *t = bulk_table(singles);
		uint64_t state = 77;
		unsigned hits = 0;

		for (unsigned round = 0; round < 2000; round++) {
			unsigned n = (unsigned)random_below(&state, FQDN_BULK + 1);
			char text[FQDN_BULK][DNS_NAME_TEXT_SIZE];
			struct fqdn_name names[FQDN_BULK];
			struct fqdn_match match[FQDN_BULK], alone;
			uint8_t *msgs[FQDN_BULK];
			uint64_t set;

			for (unsigned i = 0; i < n; i++)
				msgs[i] = message_make(&state, text[i], &names[i]);
			scans_compare(t, names, n);
			set = fqdn_lookup_bulk(t, names, n, DAY, match);
			cr_assert(n == FQDN_BULK || set >> n == 0);
			for (unsigned i = 0; i < n; i++) {
				uint8_t name[DNS_NAME_SIZE_MAX];
				struct dns_labels labels;
				bool hit;

				cr_assert(dns_name_parse(text[i], strlen(text[i]), name) > 0);
				dns_name_labels(name, &labels);
				hit = fqdn_lookup(t, &labels, DAY, &alone);
				cr_assert_eq(hit, set >> i & 1, "%s", text[i]);
				cr_assert(!hit || match_equal(&match[i], &alone), "%s", text[i]);
				hits += hit;
				free(msgs[i]);
			}
		}
		cr_assert_gt(hits, 2000);
		block_free(t, fqdn_table_size(t));
	}
}

static int name_count(
	void *ctx, const uint8_t *name, const struct fqdn_rule *const *rules, unsigned n_rules)
{
	++*(unsigned *)ctx;
	return 0;
}

// Every call that follows numbers of the table.
static void table_use(const struct fqdn_table *t, uint64_t *state)
{
	uint64_t counts[9] = {0};
	unsigned n = 0;

	for (unsigned i = 0; i < 20; i++) {
		struct fqdn_name name;
		struct fqdn_match match;
		char text[DNS_NAME_TEXT_SIZE];
		uint8_t *msg = message_make(state, text, &name);

		fqdn_lookup_bulk(t, &name, 1, DAY, &match);
		free(msg);
	}
	fqdn_table_count_active(t, DAY, counts, 9);
	fqdn_table_each(t, name_count, &n);
}

// What comes out is one of two things: refused, or safe to use.
Test(fqdn_layout, a_damaged_block_is_refused_or_harmless, .timeout = 120)
{
	struct fqdn_table *t = bulk_table(true);
	size_t size = fqdn_table_size(t);
	uint64_t state = 99;
	unsigned refused = 0, taken = 0;

	for (unsigned round = 0; round < 10000; round++) {
		uint8_t *copy = aligned_alloc(64, (size + 63) & ~63ull);
		unsigned n = 1 + (unsigned)random_below(&state, 3);

		memcpy(copy, t, size);
		// Where the words are is most of so small a table: it gets less of the damage.
		for (unsigned i = 0; i < n; i++) {
			size_t from = round % 8 ? t->buckets : 0;

			copy[from + random_below(&state, size - from)] ^=
				(uint8_t)(1u << random_below(&state, 8));
		}
		if (fqdn_table_check(copy, size, 9)) {
			refused++;
		} else {
			table_use((const void *)copy, &state);
			taken++;
		}
		free(copy);
	}
	cr_assert(refused > 1000 && taken > 500, "%u refused, %u taken", refused, taken);
	block_free(t, fqdn_table_size(t));
}
