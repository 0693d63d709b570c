/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "report/report_private.h"

#define ROWS     3
#define VALUES   13 /* counts 0..12 */
#define TABLES   (VALUES * VALUES * VALUES)
#define WITHHELD -2
#define BELOW    -1

/* One month of ROWS malware, and what is published of it: a count, BELOW or WITHHELD. */
struct view {
	int cells[ROWS];
	int sum;
};

static struct report_figures *hide(struct report_figures *f, uint64_t limit)
{
	f->hide_below = limit;
	for (size_t m = 0; m < f->n_months; m++) {
		f->months[m].filtered.n = 0;
		for (size_t i = 0; i < f->n_counts; i++)
			f->months[m].filtered.n += f->counts[i].months[m].n;
		f->months[m].responses.n = 1000000;
	}
	for (size_t i = 0; i < f->n_counts; i++)
		for (size_t m = 0; m < f->n_months; m++)
			f->counts[i].total.n += f->counts[i].months[m].n;
	report_hide(f);
	return f;
}

static int published(const struct report_number *number)
{
	// What is hidden is not even in the figures.
	cr_assert(number->shown == REPORT_SHOWN || number->n == 0);
	return number->shown == REPORT_SHOWN   ? (int)number->n
	       : number->shown == REPORT_BELOW ? BELOW
					       : WITHHELD;
}

static struct view view_of(unsigned table, uint64_t limit)
{
	struct report_number cells[ROWS] = {0};
	struct report_count counts[ROWS] = {0};
	struct report_month month = {0};
	struct report_figures f = {
		.months = &month, .n_months = 1, .counts = counts, .n_counts = ROWS};
	struct view view;

	for (unsigned i = 0; i < ROWS; i++, table /= VALUES) {
		cells[i].n = table % VALUES;
		counts[i].months = &cells[i];
	}
	hide(&f, limit);
	for (unsigned i = 0; i < ROWS; i++)
		view.cells[i] = published(&cells[i]);
	view.sum = published(&month.filtered);
	return view;
}

static int value(unsigned table, unsigned row)
{
	for (; row > 0; row--)
		table /= VALUES;
	return (int)(table % VALUES);
}

// Whether a table is possible as far as marks and sum tell.
static bool fits(unsigned table, const struct view *view, int limit)
{
	int sum = 0;

	for (unsigned i = 0; i < ROWS; i++) {
		int v = value(table, i), cell = view->cells[i];

		sum += v;
		if (cell >= 0 ? v != cell : cell == BELOW && v >= limit)
			return false;
	}
	return sum == view->sum;
}

Test(report_hide, a_hidden_count_can_be_any_that_is_below_the_limit)
{
	for (int limit = REPORT_HIDE_LEAST; limit <= 5; limit++)
		for (unsigned table = 0; table < TABLES; table++) {
			struct view view = view_of(table, (uint64_t)limit);
			unsigned possible[ROWS] = {0};

			// Only sums up to 12 have all of their tables here.
			if (view.sum < limit || view.sum >= VALUES)
				continue;
			for (unsigned other = 0; other < TABLES; other++)
				for (unsigned i = 0; fits(other, &view, limit) && i < ROWS; i++)
					possible[i] |= 1u << value(other, i);
			for (unsigned i = 0; i < ROWS; i++) {
				unsigned all = (1u << limit) - 1;

				cr_assert(view.cells[i] != BELOW || (possible[i] & all) == all,
					"limit %d, table %u, row %u", limit, table, i);
			}
		}
}

Test(report_hide, who_knows_how_it_is_done_cannot_tell_a_hidden_count_either)
{
	static struct view views[TABLES];

	for (int limit = REPORT_HIDE_LEAST; limit <= 5; limit++) {
		for (unsigned table = 0; table < TABLES; table++)
			views[table] = view_of(table, (uint64_t)limit);
		for (unsigned table = 0; table < TABLES; table++) {
			unsigned others = 0;

			if (views[table].sum < limit || views[table].sum >= VALUES)
				continue;
			for (unsigned other = 0; other < TABLES; other++)
				for (unsigned i = 0; i < ROWS; i++)
					if (views[table].cells[i] < 0 && value(table, i) < limit &&
						value(other, i) != value(table, i) &&
						memcmp(&views[other], &views[table],
							sizeof(struct view)) == 0)
						others |= 1u << i;
			for (unsigned i = 0; i < ROWS; i++)
				cr_assert(views[table].cells[i] >= 0 || value(table, i) >= limit ||
						  (others & 1u << i),
					"limit %d, table %u, row %u", limit, table, i);
		}
	}
}

Test(report_hide, no_count_below_the_limit_is_shown)
{
	for (int limit = REPORT_HIDE_LEAST; limit <= 5; limit++)
		for (unsigned table = 0; table < TABLES; table++) {
			struct view view = view_of(table, (uint64_t)limit);

			cr_assert(view.sum == BELOW || view.sum >= limit);
			for (unsigned i = 0; i < ROWS; i++)
				cr_assert(view.cells[i] < 0 || view.cells[i] >= limit);
		}
}

Test(report_hide, months_do_not_tell_of_each_other)
{
	struct report_number cells[2][2] = {{{.n = 100}, {.n = 2}}, {{.n = 50}, {.n = 60}}};
	struct report_count counts[2] = {{.months = cells[0]}, {.months = cells[1]}};
	struct report_month months[2] = {0};
	struct report_figures f = {
		.months = months, .n_months = 2, .counts = counts, .n_counts = 2};

	hide(&f, 5);
	// The month without a small count shows all; the total of no row that has a hidden one.
	cr_assert(published(&cells[0][0]) == 100 && published(&cells[1][0]) == 50);
	cr_assert(published(&cells[0][1]) == BELOW && published(&cells[1][1]) == WITHHELD);
	cr_assert(published(&counts[0].total) == WITHHELD);
	cr_assert(published(&counts[1].total) == WITHHELD);
	cr_assert(published(&months[0].filtered) == 150 && published(&months[1].filtered) == 62);
}

Test(report_hide, small_sums_have_a_bound_for_a_share)
{
	struct report_number cell = {.n = 3};
	struct report_count count = {.months = &cell};
	struct report_month month = {0};
	struct report_correction correction = {.filtered = 3, .responses = 7, .shown = true};
	struct report_figures f = {
		.months = &month,
		.n_months = 1,
		.counts = &count,
		.n_counts = 1,
		.corrections = &correction,
		.n_corrections = 1,
	};

	hide(&f, 5);
	cr_assert(published(&month.filtered) == BELOW && published(&cell) == BELOW);
	cr_assert_str_eq(month.percent, "<0.000500000000000%");
	cr_assert(month.share < 0);
	cr_assert(!correction.shown && correction.filtered == 0 && correction.responses == 0);
}

Test(report_hide, a_month_with_hardly_a_response_shows_nothing)
{
	struct report_month month = {.filtered = {.n = 2}, .responses = {.n = 4}};
	struct report_figures f = {.months = &month, .n_months = 1, .hide_below = 5};

	report_hide(&f);
	cr_assert(published(&month.responses) == BELOW && published(&month.filtered) == BELOW);
	cr_assert_str_eq(month.percent, "");
}

Test(report_hide, without_a_limit_all_is_shown)
{
	struct view view = view_of(1 + 2 * VALUES, 0);

	cr_assert(view.cells[0] == 1 && view.cells[1] == 2 && view.cells[2] == 0 && view.sum == 3);
}
