/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "dns/dns_name.h"
#include "pattern/pattern_write.h"
#include "support/patterns.h"
#include "support/random.h"

// All expressions alone against all names at once: the bits of names that match.
static uint64_t matches(const char *expression, const char *const *texts)
{
	struct fqdn_match found[PATTERN_NAMES_MAX];
	struct names names = {0};
	struct patterns p;
	uint64_t hits;

	patterns_begin(&p);
	patterns_add(&p, 0, FQDN_BLOCK, expression);
	patterns_finish(&p);
	for (; *texts; texts++)
		names_add(&names, *texts);
	hits = patterns_match(&p, &names, found);
	for (unsigned i = 0; i < names.n; i++) {
		struct fqdn_match alone;

		// Neighbours make no difference.
		cr_expect(pattern_match(p.scan, p.table, &names.each[i], 1, &alone, 0, NULL) ==
				  (hits >> i & 1),
			"/%s/, name %u alone", expression, i);
		cr_expect(!(hits >> i & 1) || found[i].block == fqdn_table_rule(p.table, 0));
	}
	names_free(&names);
	patterns_end(&p);
	return hits;
}

Test(pattern, a_match_stays_within_the_borders_of_a_name)
{
	static const char *const names[] = {"a.first.example", "b.example", "first.example.net",
		"xfirst.example", "c", "first.example", NULL};
	static const struct {
		const char *expression;
		uint64_t hits;
	} rows[] = {
		{"^first\\.example$", 0x20},
		{"^first", 0x24},
		{"example$", 0x2b},
		{"^.$", 0x10},
		{"(?m)^c$", 0x10},
		{"(?i)^C$", 0x10},
		{"\\bc\\b", 0x10},
		{"\\Bfirst", 0x08},
		{"^b.*first", 0},
		{"^b.*net", 0},
		{"(?s)^b.*net", 0},
		{"(?s)example.first", 0},
		{"(?s:a.*xfirst)", 0},
		{"b[^z]*net", 0},
		{"^b[^z]+c$", 0},
		{"example\\nb", 0},
		{"example\\n", 0},
		{"\\nfirst", 0},
		{"c\\s", 0},
		{"c\\s*first", 0},
		{"^c\\W", 0},
		{"c\\x0afirst", 0},
		{"net$|^b", 0x06},
		{"(^|\\.)first\\.example(\\.|$)", 0x25},
		{"^[^.]+$", 0x10},
		{".{13,}", 0x0d | 0x20},
		{"^.{13}$", 0x20},
		{"^(.*\\.)?example$", 0x2b},
		{"EXAMPLE\\.NET", 0x04},
		{"[A-Z]irst", 0x2d},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(matches(rows[i].expression, names), rows[i].hits, "/%s/ is 0x%llx",
			rows[i].expression, (unsigned long long)matches(rows[i].expression, names));
}

Test(pattern, names_are_matched_in_presentation_form_and_lower_case)
{
	static const char *const names[] = {"A.Mixed.CASE", "a\\.b.example", "a.b.example",
		"tab\\009.example", "star\\*.example", "new\\010line.example", "high\\255.example",
		"_srv-1.example", "at\\@\\064.example", "back\\\\slash", NULL};
	static const struct {
		const char *expression;
		uint64_t hits;
	} rows[] = {
		{"^a\\.mixed\\.case$", 0x001},
		{"^a\\\\\\.b\\.", 0x002},
		{"^a\\.b\\.", 0x004},
		{"^tab\\\\009\\.", 0x008},
		{"^star\\\\\\*\\.", 0x010},
		{"^new\\\\010line\\.example$", 0x020},
		{"^line\\.example$", 0},
		{"^high\\\\255", 0x040},
		{"^_srv-[0-9]\\.example$", 0x080},
		{"^at\\\\@\\\\@\\.", 0x100},
		{"^back\\\\\\\\slash$", 0x200},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(matches(rows[i].expression, names), rows[i].hits, "/%s/ is 0x%llx",
			rows[i].expression, (unsigned long long)matches(rows[i].expression, names));
}

Test(pattern, labels_of_all_sizes_and_every_octet_are_written_as_dns_name_format_has_them)
{
	for (unsigned octet = 0; octet < 256; octet++)
		for (unsigned size = 1; size <= DNS_LABEL_SIZE_MAX; size += octet % 7 + 1) {
			uint8_t wire[2 * (DNS_LABEL_SIZE_MAX + 1) + 1], folded[sizeof(wire)];
			char text[DNS_NAME_TEXT_SIZE], expression[2 * DNS_NAME_TEXT_SIZE];
			struct fqdn_match found[1];
			struct names names = {0};
			struct patterns p;
			size_t n = 0;

			if (octet % 16 && size != 17)
				continue;
			memset(wire, 'B', sizeof(wire));
			wire[0] = (uint8_t)size;
			wire[size] = (uint8_t)octet;
			wire[size + 1] = 3;
			wire[size + 5] = 0;
			for (unsigned i = 0; i < size + 6; i++)
				folded[i] = dns_fold(wire[i]);
			folded[0] = wire[0];
			dns_name_format(folded, text);
			expression[n++] = '^';
			for (const char *c = text; *c; c++)
				n += (size_t)snprintf(expression + n, sizeof(expression) - n,
					"\\x%02x", (unsigned)(unsigned char)*c);
			strcpy(expression + n, "$");
			patterns_begin(&p);
			patterns_add(&p, 0, FQDN_BLOCK, expression);
			patterns_finish(&p);
			names_add_wire(&names, wire, size + 6);
			cr_assert_eq(patterns_match(&p, &names, found), 1, "octet %u, label of %u",
				octet, size);
			names_free(&names);
			patterns_end(&p);
		}
}

// What dns_name_format makes of a name in lower case.
static size_t text_expected(const uint8_t *wire, unsigned size, char text[DNS_NAME_TEXT_SIZE])
{
	uint8_t folded[DNS_NAME_SIZE_MAX];

	for (unsigned i = 0; i < size; i++)
		folded[i] = dns_fold(wire[i]);
	return dns_name_format(folded, text);
}

Test(pattern, names_of_all_sizes_are_written_alike_in_both_ways)
{
	static const char octets[] = "abcXYZ019-_abcXYZ019-_abcXYZ019-_.*\n\\\300";
	uint64_t state = RANDOM_SEED;

	for (unsigned round = 0; round < 60000; round++) {
		char want[DNS_NAME_TEXT_SIZE], room[DNS_NAME_TEXT_SIZE + PATTERN_WRITE_ROOM];
		unsigned n_octets = round % 2 ? 30 : sizeof(octets) - 1, size = 0;
		// Two labels of 64 octets with their dot, and more behind, are among these.
		unsigned most = round % 4 ? 40 : 12, n = 1 + random_below(&state, 6);
		uint8_t wire[DNS_NAME_SIZE_MAX];
		struct names names = {0};
		size_t want_size;

		for (; n > 0 && size + most + 2 < sizeof(wire); n--) {
			unsigned label = 1 + random_below(&state, most);

			wire[size++] = (uint8_t)label;
			while (label-- > 0)
				wire[size++] = (uint8_t)octets[random_below(&state, n_octets)];
		}
		wire[size++] = 0;
		names_add_wire(&names, wire, size);
		want_size = text_expected(wire, size, want);
		cr_assert(pattern_write_plain(names.each, room) == room + want_size &&
				  memcmp(room, want, want_size) == 0,
			"%s", want);
		if (cpu_is_wide())
			cr_assert(pattern_write_wide(names.each, room) == room + want_size &&
					  memcmp(room, want, want_size) == 0,
				"%s", want);
		names_free(&names);
	}
}

Test(pattern, the_longest_names_fit_one_scan)
{
	uint8_t wire[DNS_NAME_SIZE_MAX] = {0};
	struct fqdn_match found[PATTERN_NAMES_MAX];
	struct names names = {0};
	struct patterns p;

	// 254 octets of labels, nearly all of which take four characters.
	for (unsigned at = 0; at < 192; at += 64) {
		memset(wire + at, 0xff, 64);
		wire[at] = 63;
	}
	memset(wire + 192, 0xff, 62);
	wire[192] = 61;
	patterns_begin(&p);
	patterns_add(&p, 0, FQDN_BLOCK, "^(\\\\255){63}\\..*\\.(\\\\255){61}$");
	patterns_finish(&p);
	for (unsigned i = 0; i < PATTERN_NAMES_MAX; i++)
		names_add_wire(&names, wire, sizeof(wire));
	cr_assert_eq(patterns_match(&p, &names, found), UINT64_MAX);
	names_free(&names);
	patterns_end(&p);
}

Test(pattern, compressed_names_and_the_root_are_read_from_the_message)
{
	// A header, "www.evil.example", "Mail" and a pointer to "evil.example", the root.
	static const uint8_t msg[] =
		"\0\0\0\0\0\0\0\0\0\0\0\0\3www\4EviL\7example\0\4Mail\xc0\x10\0";
	struct fqdn_match found[3];
	struct dns_labels labels[3];
	struct fqdn_name each[3];
	uint8_t *copy = malloc(sizeof(msg) - 1);
	struct patterns p;

	memcpy(copy, msg, sizeof(msg) - 1);
	for (unsigned i = 0, off = 12; i < 3; i++)
		off += (unsigned)dns_msg_labels_read(copy, sizeof(msg) - 1, off, &labels[i]);
	cr_assert_eq(labels[2].n, 0);
	for (unsigned i = 0; i < 3; i++)
		each[i] = (struct fqdn_name){.msg = copy,
			.msg_size = sizeof(msg) - 1,
			.at = (uint16_t)(i == 0   ? 12
					 : i == 1 ? 30
						  : 37),
			.n = labels[i].n};
	patterns_begin(&p);
	patterns_add(&p, 0, FQDN_BLOCK, "^mail\\.evil\\.example$");
	patterns_add(&p, 1, FQDN_BLOCK, "^[^w]");
	patterns_finish(&p);
	cr_assert_eq(pattern_match(p.scan, p.table, each, 3, found, 0, NULL), 2);
	cr_assert_eq(found[1].block->list, 0);
	patterns_end(&p);
	free(copy);
}

static void name_of(
	struct patterns *p, unsigned list, uint8_t verdict, uint8_t scope, const char *text)
{
	const struct fqdn_rule rule = {
		.list = (uint16_t)list, .last_day = UINT16_MAX, .scope = scope, .verdict = verdict};

	patterns_add_name(p, &rule, text);
}

Test(pattern, precedence_is_that_of_a_least_specific_kind)
{
	static const struct {
		const char *name;
		int block, log, allow; // lists, -1: none
		bool suppressed;
	} rows[] = {
		{"block4.example", 4, -1, -1, false},
		{"both46.example", 4, -1, -1, false},
		{"exact2.block4.example", 2, -1, -1, false},
		{"exact6.block4.example", 4, -1, -1, false}, // of two lists the first
		{"logged5.example", -1, 5, -1, false},
		{"logged5.block4.example", 4, 5, -1, false}, // log hides nothing
		{"namelog1.block4.example", 4, 1, -1, false},
		{"subtree3.block4.example", -1, -1, 3, true}, // a subtree exempts from patterns
		{"allow7.block4.example", -1, -1, 7, true},   // as does a pattern of any list
		{"allow7.example", -1, -1, 7, false},
		{"exact2.allow7.block4.example", 2, -1, 7, true}, // a name stands over patterns
		{"nothing.example", -1, -1, -1, false},
	};
	struct patterns p;

	patterns_begin(&p);
	name_of(&p, 1, FQDN_LOG, FQDN_EXACT, "namelog1.block4.example");
	name_of(&p, 2, FQDN_BLOCK, FQDN_EXACT, "exact2.block4.example");
	name_of(&p, 2, FQDN_BLOCK, FQDN_SUBTREE, "exact2.allow7.block4.example");
	name_of(&p, 3, FQDN_ALLOW, FQDN_SUBTREE, "subtree3.block4.example");
	patterns_add(&p, 4, FQDN_BLOCK, "block4|both4");
	patterns_add(&p, 5, FQDN_LOG, "logged5");
	name_of(&p, 6, FQDN_BLOCK, FQDN_EXACT, "exact6.block4.example");
	patterns_add(&p, 6, FQDN_BLOCK, "both46");
	patterns_add(&p, 7, FQDN_ALLOW, "allow7");
	patterns_finish(&p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fqdn_match found = {0};
		struct names names = {0};
		bool hit;

		names_add(&names, rows[i].name);
		hit = fqdn_lookup(p.table, &names.labels[0], 100, &found);
		hit = pattern_match(p.scan, p.table, names.each, 1, &found, hit, NULL);
		if (!hit)
			found = (struct fqdn_match){0};
		cr_expect(hit == (rows[i].block >= 0 || rows[i].log >= 0 || rows[i].allow >= 0),
			"%s", rows[i].name);
		cr_expect_eq(found.block ? found.block->list : -1, rows[i].block, "%s: block by %d",
			rows[i].name, found.block ? found.block->list : -1);
		cr_expect_eq(found.log ? found.log->list : -1, rows[i].log, "%s", rows[i].name);
		cr_expect_eq(
			found.allow ? found.allow->list : -1, rows[i].allow, "%s", rows[i].name);
		cr_expect_eq(found.suppressed, rows[i].suppressed, "%s", rows[i].name);
		names_free(&names);
	}
	patterns_end(&p);
}
