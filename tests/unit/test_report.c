/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "list/list.h"
#include "support/folder.h"

#define HEADER "id,fqdn,behaviour,start,end\n"

static char folder[64], path[96];
static char error[REPORT_ERROR_SIZE];
static struct report_catalogue *catalogue;
static struct totals *totals;

static void begin(void)
{
	cr_assert(totals_zone_set("Asia/Tokyo") == 0);
	strcpy(folder, "/tmp/test_report.XXXXXX");
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/totals.db", folder);
	cr_assert(totals_open(path, TOTALS_CREATE, "box", &totals, error) == 0, "%s", error);
	catalogue = report_catalogue_create();
}

static void end(void)
{
	report_catalogue_destroy(catalogue);
	totals_close(totals);
	folder_remove(folder);
}

TestSuite(report, .init = begin, .fini = end);

static void file_write(const char *name, const char *text)
{
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void catalogue_read(const char *text, bool watched)
{
	file_write("catalogue.csv", text);
	cr_assert(report_catalogue_read(catalogue, path, watched, error) == 0, "%s", error);
}

static uint16_t day(const char *text)
{
	int n = list_day_parse(text, strlen(text));

	cr_assert(n > 0);
	return (uint16_t)n;
}

static struct report_figures *build(const char *from, const char *to, uint64_t hide_below)
{
	const struct report_input input = {
		.catalogue = catalogue,
		.totals = totals,
		.period = {day(from), day(to)},
		.hide_below = hide_below,
	};

	*error = '\0';
	return report_figures_build(&input, error);
}

static struct report_figures *figures(const char *from, const char *to)
{
	struct report_figures *f = build(from, to, 0);

	cr_assert(f, "%s", error);
	return f;
}

// Counters of one hour.
static void count(int64_t hour, uint64_t responses, const char *id, uint64_t filtered,
	enum policy_action action)
{
	const struct totals_response response = {0, 1, responses};
	const struct totals_filtered row = {"c2", id, action, filtered};
	const struct totals_batch batch = {
		.hour = hour,
		.responses = &response,
		.n_responses = 1,
		.filtered = &row,
		.n_filtered = 1,
	};

	cr_assert(totals_add(totals, &batch) == 0);
}

static void percent_is(uint64_t part, uint64_t whole, const char *expected)
{
	char text[REPORT_PERCENT_SIZE];

	cr_assert_str_eq(report_percent(part, whole, text), expected);
}

Test(report, percentages_have_fifteen_decimals_and_the_rest_is_cut_off)
{
	percent_is(0, 1, "0.000000000000000%");
	percent_is(1, 1, "100.000000000000000%");
	percent_is(1, 3, "33.333333333333333%");
	percent_is(2, 3, "66.666666666666666%");
	percent_is(1, 7, "14.285714285714285%");
	percent_is(999999999999999999, 1000000000000000000, "99.999999999999999%");
	percent_is(1, 100000000000000000, "0.000000000000001%");
	percent_is(1, 100000000000000001, "0.000000000000000%");
	percent_is(UINT64_MAX, UINT64_MAX, "100.000000000000000%");
	percent_is(UINT64_MAX - 1, UINT64_MAX, "99.999999999999999%");
	percent_is(1, UINT64_MAX, "0.000000000000000%");
	// No double tells these two apart.
	percent_is(9007199254740993, 9007199254740995, "99.999999999999977%");
	percent_is(9007199254740992, 9007199254740995, "99.999999999999966%");
}

Test(report, percentages_of_a_published_report_come_out_digit_for_digit)
{
	percent_is(100017, 24544289188, "0.000407496013569%");
	percent_is(100042, 19266323022, "0.000519258396559%");
	percent_is(100021, 26685873940, "0.000374808785445%");
}

Test(report, a_period_is_cut_into_months_at_midnight_of_the_zone)
{
	int64_t july = totals_day_begin(2020, 7, 1), august = totals_day_begin(2020, 8, 1);
	struct report_figures *f;

	catalogue_read(HEADER "M-1,a.example,x,2020-01-01,\n", false);
	// The last hour of June in Tokyo, the first and last of July, the first of August.
	count(july - 3600, 1, "M-1", 1, POLICY_SINKHOLE);
	count(july, 10, "M-1", 10, POLICY_SINKHOLE);
	count(august - 3600, 100, "M-1", 100, POLICY_SINKHOLE);
	count(august, 1000, "M-1", 1000, POLICY_SINKHOLE);
	f = figures("2020-07-01", "2020-07-31");
	cr_assert(f->n_months == 1 && f->months[0].responses.n == 110);
	cr_assert(f->months[0].filtered.n == 110 && f->counts[0].total.n == 110);
	report_figures_free(f);
	f = figures("2020-06-30", "2020-08-01");
	cr_assert(f->n_months == 3);
	cr_assert(f->months[0].responses.n == 1 && f->months[1].responses.n == 110 &&
		  f->months[2].responses.n == 1000);
	cr_assert(f->months[0].from == f->months[0].to && f->months[2].from == f->months[2].to);
	cr_assert(f->months[0].month == 6 && f->months[2].month == 8);
	cr_assert(f->counts[0].total.n == 1111);
	report_figures_free(f);
}

Test(report, only_actions_that_change_an_answer_count_as_filtered)
{
	int64_t hour = totals_day_begin(2020, 7, 1);
	struct report_figures *f;

	for (unsigned action = 0; action < POLICY_ACTIONS; action++)
		count(hour, 100, "M-1", 1u << action, (enum policy_action)action);
	f = figures("2020-07-01", "2020-07-31");
	cr_assert(f->months[0].filtered.n ==
		  (1u << POLICY_SINKHOLE | 1u << POLICY_NXDOMAIN | 1u << POLICY_NODATA |
			  1u << POLICY_DROP | 1u << POLICY_TCP_ONLY));
	cr_assert(f->months[0].responses.n == 100 * POLICY_ACTIONS);
	report_figures_free(f);
}

// What a report says of malware and changes, as text.
static const char *said(const struct report_figures *f)
{
	static const char *const kinds[] = {
		"added", "reopened", "ended", "watched", "names+", "names-"};
	static char text[2048];
	char first[11], last[11];

	text[0] = '\0';
	for (size_t i = 0; i < f->n_malware; i++) {
		const struct report_malware *m = &f->malware[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %u %s %s..%s;",
			m->id, m->n_fqdns, m->behaviour, list_day_format(m->start, first),
			list_day_format(m->end, last));
	}
	strcat(text, " | ");
	for (size_t i = 0; i < f->n_changes; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %s %s %u;",
			list_day_format(f->changes[i].day, first), f->changes[i].id,
			kinds[f->changes[i].kind], f->changes[i].n_fqdns);
	return text;
}

static void says(const char *from, const char *to, const char *expected)
{
	struct report_figures *f = figures(from, to);

	cr_assert_str_eq(said(f), expected);
	report_figures_free(f);
}

Test(report, malware_is_in_the_report_if_it_was_filtered_on_some_day)
{
	catalogue_read(HEADER "A,a.example,x,2020-01-01,2020-06-30\n"
			      "B,b.example,x,2020-01-01,2020-07-01\n"
			      "C,c.example,x,2020-09-30,\n"
			      "D,d.example,x,2020-10-01,\n",
		false);
	says("2020-07-01", "2020-09-30",
		"B 1 x 2020-01-01..2020-07-01;C 1 x 2020-09-30..; | "
		"2020-07-01 B ended 1;2020-09-30 C added 1;");
}

Test(report, an_end_behind_the_period_is_not_known_yet)
{
	catalogue_read(HEADER "A,a.example,x,2020-08-01,2020-10-01\n", false);
	says("2020-07-01", "2020-09-30", "A 1 x 2020-08-01..; | 2020-08-01 A added 1;");
	says("2020-10-01", "2020-12-31", "A 1 x 2020-08-01..2020-10-01; | 2020-10-01 A ended 1;");
}

Test(report, malware_with_an_end_and_a_later_start_was_filtered_again)
{
	catalogue_read(HEADER "A,a.example,x,2019-01-01,2020-07-10\n"
			      "A,a.example,y,2020-08-20,\n",
		false);
	says("2020-07-01", "2020-09-30",
		"A 1 x 2019-01-01..2020-07-10;A 1 y 2020-08-20..; | "
		"2020-07-10 A ended 1;2020-08-20 A reopened 1;");
	says("2020-07-11", "2020-08-19", " | ");
}

Test(report, a_start_on_the_day_behind_an_end_goes_on)
{
	catalogue_read(HEADER "A,a.example,x,2019-01-01,2020-07-10\n"
			      "A,a.example,x,2020-07-11,\n",
		false);
	says("2020-07-01", "2020-09-30", "A 1 x 2019-01-01..; | ");
}

Test(report, names_that_come_and_go_within_a_malware_are_changes_of_their_own)
{
	catalogue_read(HEADER "A,a.example,x,2019-01-01,\n"
			      "A,b.example,x,2019-01-01,2020-07-10\n"
			      "A,c.example,x,2020-08-01,\n"
			      "A,d.example,x,2020-08-01,\n"
			      "A,old.example,x,2019-01-01,2019-12-31\n"
			      "A,*.a.example,x,2019-01-01,\n"
			      "A,A.example.,x,2020-08-03,\n",
		false);
	// a, b, c, d, *.a: the second a is the same name, old was over before.
	says("2020-07-01", "2020-09-30",
		"A 5 x 2019-01-01..; | 2020-07-10 A names- 1;2020-08-01 A names+ 2;");
}

Test(report, malware_that_is_only_logged_after_an_end_is_watched_again)
{
	catalogue_read(HEADER "A,a.example,x,2019-01-01,2020-07-10\n"
			      "B,b.example,x,2019-01-01,\n",
		false);
	catalogue_read(HEADER "A,a.example,x,2020-08-01,\n"
			      "B,b.example,x,2020-08-01,\n"
			      "C,c.example,x,2020-08-01,\n",
		true);
	says("2020-07-01", "2020-09-30",
		"A 1 x 2019-01-01..2020-07-10;B 1 x 2019-01-01..; | "
		"2020-07-10 A ended 1;2020-08-01 A watched 1;");
}

Test(report, two_catalogues_with_the_same_name_have_it_once)
{
	catalogue_read(HEADER "A,a.example,x,2020-01-01,\n", false);
	catalogue_read(HEADER "A,a.example,x,2020-01-01,\nA,b.example,x,2020-01-01,\n", false);
	says("2020-07-01", "2020-09-30", "A 2 x 2020-01-01..; | ");
}

Test(report, a_bad_line_of_a_catalogue_is_an_error_that_names_it)
{
	file_write("bad.csv", HEADER "A,a.example,x,2020-01-01,\nB,b.example,x,2020-13-01,\n");
	cr_assert(report_catalogue_read(catalogue, path, false, error) == -EBADMSG);
	cr_assert(strstr(error, "bad.csv:3: expected a start date"), "%s", error);
	cr_assert(report_catalogue_read(catalogue, "/nowhere.csv", false, error) == -ENOENT);
	cr_assert(strstr(error, "/nowhere.csv: No such file"), "%s", error);
}

static void enter(const char *id, int64_t filtered, int64_t responses)
{
	const struct totals_entered entered = {
		.begin = totals_day_begin(2020, 7, 1),
		.end = totals_day_begin(2020, 8, 1),
		.at = totals_day_begin(2020, 10, 1),
		.who = "sato",
		.id = id,
		.filtered = filtered,
		.responses = responses,
		.note = "why",
	};

	cr_assert(totals_enter(totals, &entered) == 0);
}

Test(report, figures_entered_by_hand_are_added_and_shown)
{
	struct report_figures *f;

	catalogue_read(HEADER "A,a.example,x,2020-01-01,\n", false);
	count(totals_day_begin(2020, 7, 5), 1000, "A", 10, POLICY_SINKHOLE);
	enter("", 5, 500);
	enter("A", -3, 0);
	f = figures("2020-07-01", "2020-07-31");
	cr_assert(f->months[0].responses.n == 1500 && f->months[0].filtered.n == 12);
	cr_assert_str_eq(f->months[0].percent, "0.800000000000000%");
	cr_assert(f->n_counts == 2 && f->counts[0].months[0].n == 7);
	cr_assert(f->counts[1].id[0] == '\0' && f->counts[1].months[0].n == 5);
	cr_assert(f->n_corrections == 2 && f->corrections[1].filtered == -3);
	cr_assert_str_eq(f->corrections[1].id, "A");
	cr_assert(f->corrections[0].from == day("2020-07-01") &&
		  f->corrections[0].to == day("2020-07-31") &&
		  f->corrections[0].entered == day("2020-10-01"));
	report_figures_free(f);
}

Test(report, numbers_that_contradict_each_other_are_no_report)
{
	enter("A", -1, 100);
	cr_assert(build("2020-07-01", "2020-07-31", 0) == NULL);
	cr_assert(
		strstr(error, "2020-07: expected no count below 0") && strstr(error, "\"A\" is -1"),
		"%s", error);
	enter("A", 102, 0);
	cr_assert(build("2020-07-01", "2020-07-31", 0) == NULL);
	cr_assert(
		strstr(error, "2020-07: expected at most as many") && strstr(error, "101 and 100"),
		"%s", error);
	enter("A", INT64_MAX, 0);
	cr_assert(build("2020-07-01", "2020-07-31", 0) == NULL);
	cr_assert(strstr(error, "2^63"), "%s", error);
}

Test(report, figures_of_a_month_need_the_whole_month)
{
	enter("A", 1, 100);
	cr_assert(build("2020-07-02", "2020-07-31", 0) == NULL);
	cr_assert(strstr(error, "expected a period of whole months") &&
			  strstr(error, "2020-07-01 to 2020-07-31"),
		"%s", error);
	report_figures_free(figures("2020-08-01", "2020-08-15"));
}

Test(report, a_month_without_responses_has_no_share)
{
	struct report_figures *f = figures("2020-07-01", "2020-07-31");

	cr_assert_str_eq(f->months[0].percent, "");
	cr_assert(f->months[0].share < 0);
	report_figures_free(f);
	cr_assert(build("2010-01-01", "2020-12-31", 0) == NULL);
	cr_assert(strstr(error, "at most 120 months"), "%s", error);
}

Test(report, numbers_of_addresses_come_from_a_file)
{
	struct report_address_file *file;
	uint64_t n;

	file_write("addresses.csv", "id,addresses\nA,12\n\"B,1\",0\n");
	cr_assert(report_addresses_open(path, &file, error) == 0, "%s", error);
	cr_assert(report_addresses_of_file(file, "A", 0, 0, &n) == 0 && n == 12);
	cr_assert(report_addresses_of_file(file, "B,1", 0, 0, &n) == 0 && n == 0);
	cr_assert(report_addresses_of_file(file, "C", 0, 0, &n) == -ENOENT);
	report_addresses_close(file);
	file_write("addresses.csv", "id,addresses\nA,12\nA,13\n");
	cr_assert(report_addresses_open(path, &file, error) == -EBADMSG);
	cr_assert(strstr(error, "addresses.csv:3: expected each id once"), "%s", error);
	file_write("addresses.csv", "id,addresses\nA,-1\n");
	cr_assert(report_addresses_open(path, &file, error) == -EBADMSG);
	cr_assert(strstr(error, ":2: expected a number of addresses"), "%s", error);
	file_write("addresses.csv", "");
	cr_assert(report_addresses_open(path, &file, error) == -EBADMSG);
	cr_assert(strstr(error, ":1: expected the header line"), "%s", error);
}
