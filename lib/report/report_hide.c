/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Small counts are hidden so that no sum tells them. The count of a malware in a month that is
 * below the limit N is shown as "<N". The sum of the month is known, and so is the sum S of what is
 * hidden in it. From S nothing must be learnt of a hidden small count but that it is one of 0..N-1:
 * each of these has to be possible. So further counts of the month are withheld, one at least. With
 * w of them, of which anybody sees that they are at least N, that is so if
 *   S >= (N - 1) + w * N
 * Where it never is, all counts of the month are withheld, and nothing is known of them but their
 * sum.
 *
 * Which counts are withheld must not tell either, to somebody who knows this rule. So they are
 * taken in the order of the table, and not by their size: the largest or smallest would have to
 * stay so when a small count is another one. How many are withheld tells that S was too small with
 * fewer of them; 0 and 1 stay possible then if N is 3 or more, which is why it has to be
 * (REPORT_HIDE_LEAST).
 *
 * The total of a malware is withheld when one of its counts is hidden, so months do not tell of
 * each other.
 */
#include <stdlib.h>
#include <string.h>

#include "report/report_private.h"

static void number_hide(struct report_number *number, enum report_shown how)
{
	number->n = 0;
	number->shown = how;
}

// Small counts and withheld ones of a month, and their sum.
struct hidden {
	uint64_t small, withheld, sum;
};

static bool is_enough(const struct hidden *h, uint64_t n)
{
	if (h->small == 0)
		return true;
	return h->withheld > 0 && h->sum >= n - 1 && (h->sum - (n - 1)) / n >= h->withheld;
}

static struct report_number *first_shown(struct report_figures *f, size_t month)
{
	for (size_t i = 0; i < f->n_counts; i++)
		if (f->counts[i].months[month].shown == REPORT_SHOWN)
			return &f->counts[i].months[month];
	return NULL;
}

// Numbers keep their values meanwhile; month_hide() takes them away.
static void month_mark(struct report_figures *f, size_t month)
{
	struct hidden h = {0};

	for (size_t i = 0; i < f->n_counts; i++) {
		struct report_number *n = &f->counts[i].months[month];

		if (n->n >= f->hide_below)
			continue;
		n->shown = REPORT_BELOW;
		h.small++;
		h.sum += n->n;
	}
	// With the sum itself below the limit nothing is known but that all are.
	while (f->months[month].filtered.n >= f->hide_below && !is_enough(&h, f->hide_below)) {
		struct report_number *next = first_shown(f, month);

		if (!next) {
			for (size_t i = 0; i < f->n_counts; i++)
				f->counts[i].months[month].shown = REPORT_WITHHELD;
			break;
		}
		next->shown = REPORT_WITHHELD;
		h.withheld++;
		h.sum += next->n;
	}
}

static void month_hide(struct report_figures *f, size_t month)
{
	struct report_month *m = &f->months[month];

	month_mark(f, month);
	for (size_t i = 0; i < f->n_counts; i++) {
		struct report_number *n = &f->counts[i].months[month];

		if (n->shown == REPORT_SHOWN)
			continue;
		number_hide(n, n->shown);
		number_hide(&f->counts[i].total, REPORT_WITHHELD);
	}
	if (m->filtered.n < f->hide_below)
		number_hide(&m->filtered, REPORT_BELOW);
	if (m->responses.n < f->hide_below)
		number_hide(&m->responses, REPORT_BELOW);
}

// What was counted without a figure is a count, too, and may be a small one.
static void corrections_hide(struct report_figures *f)
{
	for (size_t i = 0; i < f->n_corrections; i++) {
		f->corrections[i].shown = false;
		f->corrections[i].filtered = f->corrections[i].responses = 0;
	}
}

static void share_make(struct report_month *m, uint64_t hide_below)
{
	char limit[REPORT_PERCENT_SIZE];

	m->share = -1;
	if (m->responses.shown != REPORT_SHOWN || m->responses.n == 0)
		return;
	if (m->filtered.shown == REPORT_SHOWN) {
		m->share = (double)m->filtered.n / (double)m->responses.n;
		report_percent(m->filtered.n, m->responses.n, m->percent);
		return;
	}
	// A limit above all of the responses says nothing of the share.
	if (hide_below > m->responses.n)
		return;
	report_percent(hide_below, m->responses.n, limit);
	m->percent[0] = '<';
	strcpy(m->percent + 1, limit);
}

void report_hide(struct report_figures *figures)
{
	if (figures->hide_below > 0) {
		for (size_t m = 0; m < figures->n_months; m++)
			month_hide(figures, m);
		corrections_hide(figures);
	}
	for (size_t m = 0; m < figures->n_months; m++)
		share_make(&figures->months[m], figures->hide_below);
}
