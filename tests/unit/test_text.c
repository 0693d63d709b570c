/* SPDX-License-Identifier: BSD-3-Clause */
#include "text/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

// A file that holds these octets and has no name any more once it is read.
static int file_read(const char *data, size_t size, struct text_file *file)
{
	char path[] = "/tmp/test_text.XXXXXX";
	int fd = mkstemp(path), err;

	cr_assert(fd >= 0);
	cr_assert(write(fd, data, size) == (ssize_t)size);
	close(fd);
	err = text_file_read(path, file);
	unlink(path);
	return err;
}

Test(text_file, lines_lose_their_ends_and_keep_their_numbers)
{
	static const char data[] = "\xef\xbb\xbf# c\r\n\n \t\r\none\r\n\ntwo\rx\n#\n three";
	struct text_line line = {.number = 0};
	struct text_file file;

	cr_assert(file_read(data, sizeof(data) - 1, &file) == 0);
	cr_assert(text_line_next(&file, &line));
	cr_assert(line.number == 4 && line.size == 3 && memcmp(line.text, "one", 3) == 0);
	cr_assert(text_line_next(&file, &line));
	cr_assert(line.number == 6 && line.size == 5 && memcmp(line.text, "two\rx", 5) == 0);
	cr_assert(text_line_next(&file, &line));
	cr_assert(line.number == 8 && line.size == 6);
	cr_assert(!text_line_next(&file, &line));
	cr_assert(line.number == 8);
	cr_assert(file.n_lines == 8);
	text_file_free(&file);
}

Test(text_file, an_empty_file_has_no_line)
{
	struct text_line line;
	struct text_file file;

	cr_assert(file_read("", 0, &file) == 0);
	cr_assert(!text_line_next(&file, &line));
	text_file_free(&file);
	cr_assert(file_read("\xef\xbb\xbf", 3, &file) == 0);
	cr_assert(!text_line_next(&file, &line));
	text_file_free(&file);
}

Test(text_file, only_regular_files_are_read)
{
	struct text_file file;

	cr_assert(text_file_read("/nonexistent/list", &file) == -ENOENT);
	cr_assert(text_file_read("/", &file) == -EISDIR);
	cr_assert(text_file_read("/dev/zero", &file) == -EINVAL);
	cr_assert(file.data == NULL);
}

static const char *split(const char *text, struct text_csv *csv)
{
	const struct text_line line = {.text = text, .size = strlen(text), .number = 1};

	return text_csv_split(&line, csv);
}

Test(text_csv, fields_are_unquoted_and_trimmed)
{
	static const char *const expected[] = {"a", "b c", "", "say \"x\", y", " kept ", ""};
	struct text_csv csv;

	cr_assert_null(split(" a ,\tb c,, \"say \"\"x\"\", y\" ,\" kept \",", &csv));
	cr_assert(csv.n == 6);
	for (unsigned i = 0; i < 6; i++) {
		cr_assert_str_eq(csv.field[i], expected[i]);
		cr_assert(csv.size[i] == strlen(expected[i]));
	}
	cr_assert_null(split("", &csv));
	cr_assert(csv.n == 1 && csv.size[0] == 0);
}

Test(text_csv, fields_past_the_last_kept_one_are_counted)
{
	struct text_csv csv;

	cr_assert_null(split("1,2,3,4,5,6,7,8,\"9\",10,", &csv));
	cr_assert(csv.n == 11);
	cr_assert_str_eq(csv.field[7], "8");
}

Test(text_csv, broken_quotes_are_refused)
{
	static const char *const bad[] = {
		"\"", "a,\"b", "\"a\"b,c", "a\"b", "\"a\"\"", "a \"b\",c"};
	struct text_csv csv;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not_null(split(bad[i], &csv), "%s", bad[i]);
}

Test(text_csv, the_longest_line_fits_and_one_octet_more_does_not)
{
	static char text[TEXT_LINE_MAX + 2];
	struct text_csv csv;

	memset(text, ',', TEXT_LINE_MAX);
	cr_assert_null(split(text, &csv));
	cr_assert(csv.n == TEXT_LINE_MAX + 1);
	memset(text, 'x', TEXT_LINE_MAX);
	cr_assert_null(split(text, &csv));
	cr_assert(csv.n == 1 && csv.size[0] == TEXT_LINE_MAX);
	text[TEXT_LINE_MAX] = 'x';
	cr_assert_not_null(split(text, &csv));
}

Test(text_utf8, only_the_shortest_form_of_a_character_counts)
{
	static const struct {
		const char *text;
		bool clean;
	} vectors[] = {
		{"plain", true},
		{"\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", true},
		{"\xc3\xa9", true},
		{"\xf0\x9f\x92\xa9", true},
		{"\xf4\x8f\xbf\xbf", true},
		{"", true},
		{"\xc0\xaf", false},
		{"\xe0\x80\xaf", false},
		{"\xed\xa0\x80", false},
		{"\xf4\x90\x80\x80", false},
		{"\xc3", false},
		{"\xe3\x83", false},
		{"\x80", false},
		{"\xff", false},
		{"a\tb", false},
		{"\x7f", false},
		{"\xc2\x85", false},
		{"\x8a\xb4\x90\xf5", false},
	};

	for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		cr_assert(text_utf8_clean(vectors[i].text, strlen(vectors[i].text)) ==
				  vectors[i].clean,
			"vector %u", i);
	cr_assert(!text_utf8_clean("a\0b", 3));
}

Test(text_quote, what_does_not_print_is_escaped)
{
	char out[TEXT_QUOTE_SIZE];

	cr_assert_str_eq(text_quote("a b", 3, out), "\"a b\"");
	cr_assert_str_eq(text_quote("", 0, out), "\"\"");
	cr_assert_str_eq(text_quote("a\x1b[2J\0", 6, out), "\"a\\x1b[2J\\x00\"");
	cr_assert_str_eq(text_quote("\xe3\x83\x86\xe3\x83", 5, out), "\"\xe3\x83\x86\\xe3\\x83\"");
	cr_assert_str_eq(text_quote("\xe2\x80\xae", 3, out), "\"\\xe2\\x80\\xae\"");
}

Test(text_quote, long_text_is_cut_between_characters)
{
	char text[200], out[TEXT_QUOTE_SIZE];

	memset(text, 'x', sizeof(text));
	cr_assert(strlen(text_quote(text, 80, out)) == 82);
	cr_assert(strlen(text_quote(text, 81, out)) == 85);
	cr_assert_str_eq(out + 81, "...\"");
	memcpy(text + 79, "\xc3\xa9", 2);
	cr_assert(strlen(text_quote(text, sizeof(text), out)) == 84);
	memset(text, 0xff, sizeof(text));
	cr_assert(strlen(text_quote(text, sizeof(text), out)) == 325);
	cr_assert(325 < TEXT_QUOTE_SIZE);
}
