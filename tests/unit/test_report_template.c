/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report_template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "list/list.h"
#include "report/report_words.h"

static char error[REPORT_ERROR_SIZE];

static struct report_template *read_text(const char *text)
{
	char path[] = "/tmp/test_template.XXXXXX";
	struct report_template *words;
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	*error = '\0';
	words = report_template_read(path, error);
	unlink(path);
	return words;
}

Test(report_template, texts_come_by_section_key_and_language)
{
	struct report_template *words =
		read_text("# words\n[operator]\nname.ja = 例示\nname.en=Example\n\n"
			  "[services home]\ntitle = both\n[services work]\ntitle.en = second\n");
	const struct report_section *operator, * home;

	cr_assert(words, "%s", error);
	operator= report_section_find(words, "operator", NULL);
	cr_assert_str_eq(report_text_first(operator, "name", REPORT_JA), "例示");
	cr_assert_str_eq(report_text_first(operator, "name", REPORT_EN), "Example");
	home = report_section_find(words, "services", NULL);
	cr_assert_str_eq(home->argument, "home");
	cr_assert_str_eq(report_text_first(home, "title", REPORT_JA), "both");
	home = report_section_find(words, "services", "work");
	cr_assert(report_text_first(home, "title", REPORT_JA) == NULL);
	cr_assert_str_eq(report_text_first(home, "title", REPORT_EN), "second");
	cr_assert(report_section_find(words, "contact", NULL) == NULL);
	cr_assert(report_text_first(NULL, "title", REPORT_EN) == NULL);
	report_template_destroy(words);
}

Test(report_template, lines_that_go_on_have_a_blank_where_the_script_has_one)
{
	struct report_template *words = read_text("[contact]\ntext.ja = これは\n  続きです\n"
						  "text.en = This\n\tgoes on\ntext.en = Another\n");
	const struct report_section *contact = report_section_find(words, "contact", NULL);
	size_t at = 0;

	cr_assert(words, "%s", error);
	cr_assert_str_eq(report_text_first(contact, "text", REPORT_JA), "これは続きです");
	cr_assert_str_eq(report_text_next(contact, "text", REPORT_EN, &at), "This goes on");
	cr_assert_str_eq(report_text_next(contact, "text", REPORT_EN, &at), "Another");
	cr_assert(report_text_next(contact, "text", REPORT_EN, &at) == NULL);
	report_template_destroy(words);
}

Test(report_template, behaviours_have_names_in_both_languages)
{
	struct report_template *words = read_text(
		"[behaviour door]\nmatch = Backdoor\nname.ja = 裏口\nname.en = Opens a door\n");

	cr_assert(words, "%s", error);
	cr_assert_str_eq(report_behaviour_name(words, "Backdoor", REPORT_JA), "裏口");
	cr_assert_str_eq(report_behaviour_name(words, "裏口", REPORT_EN), "Opens a door");
	cr_assert_str_eq(report_behaviour_name(words, "other", REPORT_EN), "other");
	cr_assert_str_eq(report_behaviour_name(NULL, "other", REPORT_EN), "other");
	report_template_destroy(words);
}

static void is_refused(const char *text, unsigned line, const char *what)
{
	char place[32];

	snprintf(place, sizeof(place), ":%u: ", line);
	cr_assert(read_text(text) == NULL, "%s", text);
	cr_assert(strstr(error, place) && strstr(error, what), "%s", error);
	cr_assert(!strchr(error, '\n'), "%s", error);
}

Test(report_template, bad_lines_say_what_was_expected)
{
	is_refused("name = x\n", 1, "expected a section");
	is_refused("[operator]\n\n[nothing]\n", 3, "expected [document]");
	is_refused("[operator x]\n", 1, "expected nothing behind");
	is_refused("[services]\n", 1, "expected a name behind");
	is_refused("[period 2020-07-01]\n", 1, "expected a period");
	is_refused("[period 2020-07-01..2020-02-30]\n", 1, "expected a period");
	is_refused("[operator\n", 1, "ends with ]");
	is_refused("[operator]\ntext.ja = x\n", 2, "expected a key of [operator]: name");
	is_refused("[operator]\nname.fr = x\n", 2, "expected a key of [operator]: name");
	is_refused("[operator]\nname\n", 2, "expected KEY = TEXT");
	is_refused("[operator]\n goes on\n", 2, "expected KEY = TEXT before");
	is_refused("[operator]\nname = a\x01\n", 2, "expected UTF-8");
	cr_assert(report_template_read("/nowhere", error) == NULL);
	cr_assert(strstr(error, "/nowhere: No such file"), "%s", error);
}

Test(report_template, the_shipped_example_is_good_in_both_languages)
{
	static const char *const sections[] = {
		"background", "outline", "selection", "operation", "contact", "opt-out"};
	const char *source = getenv("DNSWEIR_SOURCE");
	struct report_template *words;
	char path[512];

	cr_assert(source);
	snprintf(path, sizeof(path), "%s/config/report.example.template", source);
	words = report_template_read(path, error);
	cr_assert(words, "%s", error);
	for (int language = 0; language < REPORT_LANGUAGES; language++)
		for (unsigned i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
			cr_assert(report_text_first(report_section_find(words, sections[i], NULL),
				"text", (enum report_language)language));
	report_template_destroy(words);
}

Test(report_words, every_word_is_there_in_both_languages_with_the_same_arguments)
{
	for (int word = 0; word < WORDS; word++) {
		const char *ja = report_word((enum report_word)word, REPORT_JA);
		const char *en = report_word((enum report_word)word, REPORT_EN);

		cr_assert(ja && *ja && en && *en, "%d", word);
		for (;; ja++, en++) {
			ja = strchr(ja, '%');
			en = strchr(en, '%');
			if (!ja || !en)
				break;
			cr_assert(ja[1] == en[1], "%d", word);
		}
		cr_assert(!ja && !en, "%d", word);
	}
}

Test(report_words, days_months_and_numbers_in_both_languages)
{
	struct report_memory memory = {0};
	struct report_month july = {.year = 2020, .month = 7};
	uint16_t first = (uint16_t)list_day_parse("2020-07-01", 10);

	july.from = first;
	july.to = (uint16_t)(first + 30);
	cr_assert_str_eq(report_month_words(&memory, &july, REPORT_JA), "2020 年 7 月");
	cr_assert_str_eq(report_month_words(&memory, &july, REPORT_EN), "July 2020");
	july.to--;
	cr_assert_str_eq(
		report_month_words(&memory, &july, REPORT_JA), "2020 年 7 月（1 ～ 30 日）");
	cr_assert_str_eq(report_month_words(&memory, &july, REPORT_EN), "July 2020 (1 to 30)");
	cr_assert_str_eq(report_day_text(&memory, first, REPORT_JA), "2020/07/01");
	cr_assert_str_eq(report_day_text(&memory, first, REPORT_EN), "2020-07-01");
	cr_assert_str_eq(report_day_text(&memory, LIST_DAY_LAST, REPORT_JA), "");
	cr_assert_str_eq(report_day_words(&memory, first, REPORT_JA), "2020 年 7 月 1 日");
	cr_assert_str_eq(report_day_words(&memory, first, REPORT_EN), "1 July 2020");
	cr_assert_str_eq(report_grouped(&memory, 0), "0");
	cr_assert_str_eq(report_grouped(&memory, 999), "999");
	cr_assert_str_eq(report_grouped(&memory, 1000), "1,000");
	cr_assert_str_eq(report_grouped(&memory, -100000), "-100,000");
	cr_assert_str_eq(report_grouped(&memory, INT64_MAX), "9,223,372,036,854,775,807");
	report_memory_free(&memory);
}
