/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of patterns, the sets made of them, and their books. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/patterns.h"
#include "support/random.h"

struct reading {
	unsigned good;
	unsigned lines[8];
	char ids[8][300], expressions[8][64];
	uint32_t flags[8];
	unsigned bad;
	char what[PATTERN_ERROR_SIZE + 400];
};

static int good_take(void *ctx, const struct pattern *pattern)
{
	struct reading *reading = ctx;
	unsigned i = reading->good++;

	cr_assert_lt(i, 8);
	reading->lines[i] = pattern->line;
	reading->flags[i] = pattern->flags;
	strcpy(reading->ids[i], pattern->id);
	strcpy(reading->expressions[i], pattern->expression);
	return 0;
}

static void bad_take(void *ctx, unsigned line, const char *what)
{
	struct reading *reading = ctx;

	reading->bad++;
	snprintf(reading->what, sizeof(reading->what), "%u: %s", line, what);
}

static void text_read(const char *text, size_t size, struct reading *reading)
{
	const struct pattern_sink sink = {reading, good_take, bad_take};
	char path[] = "/tmp/test_pattern_XXXXXX";
	int fd = mkstemp(path);

	memset(reading, 0, sizeof(*reading));
	cr_assert(fd >= 0 && write(fd, text, size) == (ssize_t)size);
	close(fd);
	cr_assert_eq(pattern_read(path, &sink), 0);
	unlink(path);
}

Test(pattern_list, a_file_has_an_id_an_expression_and_flags_in_a_line)
{
	static const char text[] = "# a comment\n\n \t# another\r\n"
				   "101:/^login[0-9]+\\.example$/\r\n"
				   "  EX-2026:1 : /a/b:/c/imsHL8W  \n"
				   "\xe3\x83\x9c\xe3\x83\x83\xe3\x83\x88:/x#y/i";
	struct reading r;

	text_read(text, sizeof(text) - 1, &r);
	cr_expect_eq(r.bad, 0, "%s", r.what);
	cr_assert_eq(r.good, 3);
	cr_expect_eq(r.lines[0], 4);
	cr_expect_str_eq(r.ids[0], "101");
	cr_expect_str_eq(r.expressions[0], "^login[0-9]+\\.example$");
	cr_expect_eq(r.flags[0], 0);
	cr_expect_str_eq(r.ids[1], "EX-2026:1");
	cr_expect_str_eq(r.expressions[1], "a/b:/c");
	cr_expect_eq(r.flags[1], PATTERN_UTF8 | PATTERN_UCP);
	cr_expect_eq(r.lines[1], 5);
	cr_expect_str_eq(r.ids[2], "\xe3\x83\x9c\xe3\x83\x83\xe3\x83\x88");
	cr_expect_str_eq(r.expressions[2], "x#y");
}

Test(pattern_list, bad_lines_say_what_was_expected)
{
#define ROW(text, what)                      \
	{                                    \
		text, sizeof(text) - 1, what \
	}
	static const struct {
		const char *text;
		size_t size;
		const char *what;
	} rows[] = {
		ROW("evil.example", "1: expected ID:/EXPRESSION/FLAGS, got \"evil.example\""),
		ROW("1:evil", "1: expected ID:/EXPRESSION/FLAGS, got "),
		ROW("1:/evil", "1: expected ID:/EXPRESSION/FLAGS, got "),
		ROW("/evil/", "1: expected ID:/EXPRESSION/FLAGS, got "),
		ROW(":/evil/", "expected an identifier of 1 to 255 octets"),
		ROW("  :/evil/", "expected an identifier of 1 to 255 octets"),
		ROW("a\001b:/evil/", "expected an identifier in UTF-8"),
		ROW("\xff:/evil/", "expected an identifier in UTF-8"),
		ROW("1://", "expected an expression between the slashes"),
		ROW("1:/b\xc3\xbc"
		    "cher/",
			"expected an expression of printable ASCII"),
		ROW("1:/a\tb/", "expected an expression of printable ASCII"),
		ROW("1:/a\0b/", "expected an expression of printable ASCII"),
		ROW("1:/a/x", "expected flags out of i, m, s, H, L, 8 and W"),
		ROW("1:/a/i m", "expected flags out of"),
		ROW("1:/a/i\0", "expected flags out of"),
		ROW("1:/a/P", "expected flags out of"),
		ROW("1:/a/C", "expected flags out of"),
		ROW("1:/a/Q", "expected flags out of"),
		ROW("1:/a/{min_offset=3}", "expected flags out of"),
		ROW("1:/a/iV", "expected no flag V"),
		ROW("1:/\\Aevil/", "expected ^ and $ for the borders"),
		ROW("1:/evil\\z/", "expected ^ and $ for the borders"),
		ROW("1:/evil\\Z/", "expected ^ and $ for the borders"),
		ROW("1:/\\\\\\Z/", "expected ^ and $ for the borders"),
		ROW("1:/(?-m)^evil$/", "expected no (?-m)"),
		ROW("1:/(?is-xm:^evil$)/", "expected no (?-m)"),
		ROW("1:/(/", "expected an expression that Hyperscan takes (Missing close"),
		ROW("1:/(a)\\1/", "expected an expression that Hyperscan takes (Back-ref"),
		ROW("1:/a(?=b)/", "expected an expression that Hyperscan takes (Zero-width"),
		ROW("1:/.*/", "expected an expression that Hyperscan takes (it can match no text"),
		ROW("1:/^/", "expected an expression that Hyperscan takes (it can match no text"),
		ROW("1:/^$/", "expected an expression that Hyperscan takes (it can match no text"),
		ROW("1:/(evil)?$/", "expected an expression that Hyperscan takes (it can match"),
	};
	static const char good[] = "1:/\\\\A(?s-i:b)[\\\\z]/";
	struct reading r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_read(rows[i].text, rows[i].size, &r);
		cr_expect(r.good == 0 && r.bad == 1 && strstr(r.what, rows[i].what), "%s: %s",
			rows[i].text, r.what);
	}
	text_read(good, sizeof(good) - 1, &r);
	cr_expect_eq(r.good, 1, "a backslash before a letter is no border: %s", r.what);
}

Test(pattern_list, long_lines_and_ids_are_bad)
{
	static char text[6000];
	struct reading r;

	memset(text, 'a', sizeof(text));
	memcpy(text, "1:/", 3);
	text[sizeof(text) - 1] = '/';
	text_read(text, sizeof(text), &r);
	cr_expect(r.bad == 1 && strstr(r.what, "expected at most 4096 octets"), "%s", r.what);
	memset(text, 'a', 300);
	memcpy(text + 256, ":/b/", 4);
	text_read(text, 260, &r);
	cr_expect(r.bad == 1 && strstr(r.what, "expected an identifier of"), "%s", r.what);
	text_read(text + 1, 259, &r);
	cr_expect(r.good == 1 && strlen(r.ids[0]) == 255, "%s", r.what);
}

Test(pattern_list, a_dropped_expression_is_not_compiled)
{
	char error[PATTERN_ERROR_SIZE];
	struct fqdn_match found[2];
	struct names names = {0};
	struct pattern pattern;
	struct patterns p;
	int64_t at;

	patterns_begin(&p);
	patterns_add(&p, 0, FQDN_BLOCK, "first");
	patterns_add(&p, 1, FQDN_BLOCK, "(");
	patterns_add(&p, 2, FQDN_BLOCK, "second");
	cr_assert_null(pattern_builder_finish(p.builder, &at, error));
	cr_assert_eq(at, 1);
	cr_expect(strstr(error, "Missing close parenthesis"), "%s", error);
	pattern_builder_drop(p.builder, 1);
	cr_assert_eq(pattern_builder_count(p.builder), 2);
	pattern_builder_get(p.builder, 1, &pattern);
	cr_expect_str_eq(pattern.expression, "second");
	patterns_finish(&p);
	names_add(&names, "first.example");
	names_add(&names, "second.example");
	cr_assert_eq(patterns_match(&p, &names, found), 3);
	cr_expect(found[0].block->list == 0 && found[1].block->list == 2);
	names_free(&names);
	patterns_end(&p);
}

static void number_take(void *ctx, uint32_t i)
{
	*(uint64_t *)ctx |= 1ull << i;
}

Test(pattern_list, copies_and_books_give_the_same_set)
{
	char error[PATTERN_ERROR_SIZE];
	struct pattern_set *copy, *again;
	struct fqdn_match found[3];
	struct names names = {0};
	struct pattern_scan *scan;
	struct pattern pattern;
	uint64_t matching = 0;
	const void *book;
	struct patterns p;
	int64_t at;
	size_t size;

	patterns_begin(&p);
	patterns_add(&p, 3, FQDN_BLOCK, "^evil[0-9]");
	patterns_add(&p, 4, FQDN_BLOCK, "1\\.example$");
	patterns_finish(&p);
	names_add(&names, "evil1.example");
	names_add(&names, "x.example");
	names_add(&names, "x1.example");
	copy = pattern_set_copy(p.set, 0);
	cr_assert(copy);
	cr_assert_eq(pattern_set_count(copy), 2);
	scan = pattern_scan_create(copy, 0);
	cr_assert_eq(pattern_match(scan, p.table, names.each, 3, found, 0, NULL), 5);
	cr_expect(found[0].block->list == 3 && found[2].block->list == 4);
	pattern_scan_free(scan);
	pattern_set_free(copy);

	book = pattern_set_book(p.set, &size);
	cr_assert_null(pattern_book_check(book, size, 2));
	cr_assert_eq(pattern_book_count(book), 2);
	again = pattern_set_open(book, &at, error);
	cr_assert(again, "%s", error);
	pattern_set_get(again, 1, &pattern);
	cr_expect_str_eq(pattern.expression, "1\\.example$");
	cr_expect_eq(fqdn_table_rule(p.table, pattern.rule)->list, 4);
	scan = pattern_scan_create(again, -1);
	cr_assert_eq(pattern_match_each(scan, &names.labels[0], number_take, &matching), 0);
	cr_assert_eq(matching, 3);
	pattern_scan_free(scan);
	pattern_set_free(again);
	cr_expect_eq(pattern_set_count(NULL), 0);
	cr_expect_eq(pattern_set_size(NULL), 0);
	names_free(&names);
	patterns_end(&p);
}

Test(pattern_list, a_damaged_book_is_told_or_safe)
{
	uint64_t state = RANDOM_SEED;
	uint8_t *damaged;
	const void *book;
	struct patterns p;
	size_t size;

	patterns_begin(&p);
	patterns_add(&p, 0, FQDN_BLOCK, "^evil[0-9]");
	patterns_add(&p, 1, FQDN_BLOCK, "1\\.example$");
	patterns_finish(&p);
	book = pattern_set_book(p.set, &size);
	cr_expect(pattern_book_check(book, size, 1), "a rule that is not there");
	for (size_t cut = 0; cut < size; cut++) {
		damaged = malloc(cut + 1);
		memcpy(damaged, book, cut);
		cr_expect(pattern_book_check(damaged, cut, 2), "%zu octets", cut);
		free(damaged);
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct pattern pattern;

		damaged = malloc(size);
		memcpy(damaged, book, size);
		damaged[random_below(&state, (uint32_t)size)] = (uint8_t)random_next(&state);
		if (!pattern_book_check(damaged, size, 2))
			for (uint32_t j = 0; j < pattern_book_count(damaged); j++) {
				pattern_book_get(damaged, j, &pattern);
				cr_assert_leq(strlen(pattern.expression), size);
			}
		free(damaged);
	}
	patterns_end(&p);
}
