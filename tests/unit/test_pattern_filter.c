/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "pattern/pattern_set.h"
#include "support/patterns.h"
#include "support/random.h"

Test(pattern_filter, words_are_what_every_match_has)
{
	static const struct {
		const char *expression, *words; // NULL: none
	} rows[] = {
		{"secure", "secure"},
		{"^(www\\.)?Secure[-.]login[a-z0-9-]*\\.", " secure login "},
		{"(^|\\.)c2-host[0-9]{1,4}\\.ddns\\.net$", " c2-host ddns net "},
		{"abc?de", "ab de"},
		{"abc*de", "ab de"},
		{"abc{0,2}de", "ab de"},
		{"abc{2}de", "ab de"},
		{"abc+de", "abc de"},
		{"abc+?de", "abc de"},
		{"a(bc)?de", "a de"},
		{"a(?:b(c)[)]d\\))e", "a e"},
		{"a[^b\\]c]d", "a d"},
		{"a\\dbc\\-d\\_e", "a bc-d_e"},
		{"ab\\.cd", "ab cd"},
		{"^12ab3.45.6c$", " ab3 c "},
		{"secure|login", NULL},
		{"^(secure|login)$", NULL},
		{"[a-z]{14,}", NULL},
		{"(?i)secure", NULL},
		{"x((?i)a)secure", NULL},
		{"secure\\x41", NULL},
		{"\\Qa.b\\Esecure", NULL},
		{"[[:alpha:]]secure", NULL},
		{"[]a]secure", NULL},
		{"12345", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *expression = rows[i].expression, *want = rows[i].words;
		char *words = malloc(strlen(expression) + 1), got[64] = "";
		bool any = pattern_words(expression, words);

		// Blanks in a row are one here.
		for (const char *c = words; *c; c++)
			if (*c != ' ' || (*got && got[strlen(got) - 1] != ' ') || c == words)
				strncat(got, c, 1);
		cr_expect_eq(any, want != NULL, "/%s/", expression);
		if (want)
			cr_expect_str_eq(got, want, "/%s/: \"%s\"", expression, got);
		free(words);
	}
}

static bool passes(const struct patterns *p, const struct names *names, unsigned i)
{
	return pattern_filter_names(p->set->filter, &names->each[i], 1);
}

// A name whose first label has a word at some place.
static void name_with(struct names *names, const char *word, unsigned before, unsigned after)
{
	uint8_t wire[128] = {0};

	memset(wire + 1, 'x', before);
	memcpy(wire + 1 + before, word, strlen(word));
	memset(wire + 1 + before + strlen(word), 'y', after);
	wire[0] = (uint8_t)(before + strlen(word) + after);
	memcpy(wire + 1 + wire[0], "\7example", 9);
	names_add_wire(names, wire, wire[0] + 10u);
}

Test(pattern_filter, a_word_is_seen_wherever_it_stands_and_in_any_case)
{
	static const char *const words[] = {"secure", "SeCuRe", "c2-ho", "C2-HO"};
	struct patterns p;

	patterns_begin(&p);
	patterns_add(&p, 0, FQDN_BLOCK, "secure");
	patterns_add(&p, 0, FQDN_BLOCK, "^x*c2-ho");
	patterns_finish(&p);
	cr_assert(p.set->filter);
	for (unsigned before = 0; before < 48; before++)
		for (unsigned after = 0; after < 8; after++) {
			struct names names = {0};

			for (unsigned i = 0; i < 4; i++) {
				name_with(&names, words[i], before, after);
				cr_expect(passes(&p, &names, i), "%s at %u", words[i], before);
			}
			name_with(&names, "secur-", before, after);
			cr_expect_not(passes(&p, &names, 4), "at %u", before);
			names_free(&names);
		}
	patterns_end(&p);
}

Test(pattern_filter, names_are_followed_through_pointers_and_read_no_further_than_they_go)
{
	// Behind a header "a.secure.example"; "b" and a pointer to that; "login-host" and one to
	// "example", at the end a pointer to the first name.
	static const uint8_t msg[] = "\0\0\0\0\0\0\0\0\0\0\0\0\1a\6secure\7example\0"
				     "\1b\xc0\x0c\xalogin-host\xc0\x15\1c\xc0\x15\xc0\x0c";
	static const struct {
		uint16_t at;
		uint8_t n;
		bool passes;
	} rows[] = {{12, 3, true}, {30, 4, true}, {34, 2, true}, {47, 2, false}, {51, 3, true}};
	uint8_t *copy = malloc(sizeof(msg) - 1);
	struct patterns p;

	memcpy(copy, msg, sizeof(msg) - 1);
	patterns_begin(&p);
	patterns_add(&p, 0, FQDN_BLOCK, "secure");
	patterns_add(&p, 0, FQDN_BLOCK, "login-host");
	patterns_finish(&p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fqdn_name name = {
			.msg = copy, .msg_size = sizeof(msg) - 1, .at = rows[i].at, .n = rows[i].n};

		cr_expect_eq(pattern_filter_names(p.set->filter, &name, 1), rows[i].passes,
			"name at %u", rows[i].at);
	}
	patterns_end(&p);
	free(copy);
}

Test(pattern_filter, there_is_none_where_an_expression_has_no_word)
{
	struct patterns p;

	patterns_begin(&p);
	patterns_add(&p, 0, FQDN_BLOCK, "secure");
	patterns_add(&p, 0, FQDN_BLOCK, "^[a-z]{14,}$");
	patterns_finish(&p);
	cr_expect_null(p.set->filter);
	patterns_end(&p);
}

Test(pattern_filter, few_names_pass_by_chance)
{
	uint64_t state = RANDOM_SEED;
	struct patterns p;
	unsigned passed = 0;

	patterns_begin(&p);
	for (unsigned i = 0; i < 1000; i++) {
		char text[16];

		for (unsigned c = 0; c < 8; c++)
			text[c] = (char)('a' + random_below(&state, 26));
		// What many expressions have in common does not count.
		strcpy(text + 8, "secure");
		patterns_add(&p, 0, FQDN_BLOCK, text);
	}
	patterns_finish(&p);
	for (unsigned i = 0; i < 1000; i++) {
		struct names names = {0};
		char text[40];

		for (unsigned c = 0; c < 20; c++)
			text[c] = (char)('a' + random_below(&state, 26));
		strcpy(text + 20, ".secure.example");
		names_add(&names, text);
		passed += passes(&p, &names, 0);
		names_free(&names);
	}
	cr_expect_lt(passed, 20, "%u of 1,000 names", passed);
	patterns_end(&p);
}
