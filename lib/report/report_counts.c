/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/list.h"
#include "report/report_private.h"

/* Sums while they are made: entered figures may take something away. */
struct counting {
	struct report_made *made;
	struct report_month *month; /* that is being read */
	int64_t *responses;         /* by month */
	struct tally {
		const char *id;
		int64_t *months;
	} * tallies;
	size_t n_tallies;
	size_t last; /* tally that was looked for last */
	char *error;
};

static int fail(struct counting *c, const char *what)
{
	snprintf(c->error, REPORT_ERROR_SIZE, "totals of %04u-%02u: %s", c->month->year,
		c->month->month, what);
	return -EOVERFLOW;
}

static int add(struct counting *c, int64_t *sum, int64_t n)
{
	return __builtin_add_overflow(*sum, n, sum) ? fail(c, "expected sums below 2^63") : 0;
}

static struct tally *tally_of(struct counting *c, const char *id)
{
	struct report_memory *memory = &c->made->memory;
	struct tally *tally;

	// Both come in the order of ids, so it is mostly the next one.
	for (size_t i = 0; i < c->n_tallies; i++) {
		size_t at = (c->last + i) % c->n_tallies;

		if (strcmp(c->tallies[at].id, id) != 0)
			continue;
		c->last = at;
		return &c->tallies[at];
	}
	c->tallies = report_grow(memory, c->tallies, c->n_tallies, sizeof(*c->tallies));
	tally = &c->tallies[c->n_tallies++];
	tally->id = report_copy(memory, id, strlen(id));
	tally->months = report_alloc(memory, c->made->figures.n_months * sizeof(int64_t));
	return tally;
}

static size_t month_index(const struct counting *c)
{
	return (size_t)(c->month - c->made->figures.months);
}

static int response_add(void *ctx, const struct totals_response *sum)
{
	struct counting *c = ctx;

	return add(c, &c->responses[month_index(c)], (int64_t)sum->n);
}

static int filtered_add(void *ctx, const struct totals_filtered *sum)
{
	struct counting *c = ctx;

	if (!policy_action_filters(sum->action))
		return 0;
	return add(c, &tally_of(c, sum->id)->months[month_index(c)], (int64_t)sum->n);
}

static int lost_add(void *ctx, const struct totals_lost *sum)
{
	struct counting *c = ctx;
	struct report_figures *f = &c->made->figures;
	struct report_memory *memory = &c->made->memory;

	f->lost = report_grow(memory, f->lost, f->n_lost, sizeof(*f->lost));
	f->lost[f->n_lost].what = report_copy(memory, sum->what, strlen(sum->what));
	f->lost[f->n_lost++].n = sum->n;
	return 0;
}

// A figure belongs to the month of the period that has the whole of its own period.
static int entered_add(void *ctx, const struct totals_entered *entered)
{
	struct counting *c = ctx;
	struct report_figures *f = &c->made->figures;
	struct report_memory *memory = &c->made->memory;
	uint16_t from = list_day_of(entered->begin), to = list_day_of(entered->end - 1);
	struct report_correction *correction;
	char first[11], last[11];
	int err;

	for (c->month = f->months; c->month < f->months + f->n_months; c->month++)
		if (entered->begin >= c->month->begin && entered->end <= c->month->end)
			break;
	if (c->month == f->months + f->n_months) {
		snprintf(c->error, REPORT_ERROR_SIZE,
			"expected a period of whole months, as figures were entered for %s to %s",
			list_day_format(from, first), list_day_format(to, last));
		return -EINVAL;
	}
	err = add(c, &c->responses[month_index(c)], entered->responses);
	if (err == 0 && (entered->filtered != 0 || *entered->id))
		err = add(c, &tally_of(c, entered->id)->months[month_index(c)], entered->filtered);
	f->corrections =
		report_grow(memory, f->corrections, f->n_corrections, sizeof(*f->corrections));
	correction = &f->corrections[f->n_corrections++];
	*correction = (struct report_correction){
		.from = from,
		.to = to,
		.entered = list_day_of(entered->at),
		.id = report_copy(memory, entered->id, strlen(entered->id)),
		.note = report_copy(memory, entered->note, strlen(entered->note)),
		.filtered = entered->filtered,
		.responses = entered->responses,
		.shown = true,
	};
	return err;
}

// By id; that of no known malware last.
static int tally_compare(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (!*x->id != !*y->id)
		return *x->id ? -1 : 1;
	return strcmp(x->id, y->id);
}

// From signed sums to what is published.
static int numbers_set(struct counting *c)
{
	struct report_figures *f = &c->made->figures;
	struct report_memory *memory = &c->made->memory;
	char what[REPORT_ERROR_SIZE / 2];

	if (c->n_tallies)
		qsort(c->tallies, c->n_tallies, sizeof(*c->tallies), tally_compare);
	f->counts = report_alloc(memory, c->n_tallies * sizeof(*f->counts));
	f->n_counts = c->n_tallies;
	for (size_t i = 0; i < c->n_tallies; i++) {
		f->counts[i].id = c->tallies[i].id;
		f->counts[i].months =
			report_alloc(memory, f->n_months * sizeof(*f->counts[i].months));
	}
	for (size_t m = 0; m < f->n_months; m++) {
		int64_t sum = 0;

		c->month = &f->months[m];
		for (size_t i = 0; i < c->n_tallies; i++) {
			int64_t n = c->tallies[i].months[m];

			snprintf(what, sizeof(what),
				"expected no count below 0, but that of \"%.100s\" is %" PRId64,
				c->tallies[i].id, n);
			if (n < 0 || add(c, &sum, n) < 0)
				return n < 0 ? fail(c, what) : -EOVERFLOW;
			f->counts[i].months[m].n = (uint64_t)n;
			f->counts[i].total.n += (uint64_t)n;
		}
		snprintf(what, sizeof(what),
			"expected at most as many filtered responses as responses, got %" PRId64
			" and %" PRId64,
			sum, c->responses[m]);
		if (sum > c->responses[m])
			return fail(c, what);
		f->months[m].filtered.n = (uint64_t)sum;
		f->months[m].responses.n = (uint64_t)c->responses[m];
	}
	return 0;
}

int report_counts_make(
	struct report_made *made, struct totals *totals, char error[REPORT_ERROR_SIZE])
{
	struct report_figures *f = &made->figures;
	int64_t begin = f->months[0].begin, end = f->months[f->n_months - 1].end;
	struct counting c = {.made = made, .month = f->months, .error = error};
	int err = totals_snapshot(totals);

	c.responses = report_alloc(&made->memory, f->n_months * sizeof(*c.responses));
	// Malware that was filtered has its row, also where no response was.
	for (size_t i = 0; i < f->n_malware; i++)
		tally_of(&c, f->malware[i].id);
	for (size_t m = 0; m < f->n_months && err == 0; m++) {
		c.month = &f->months[m];
		err = totals_each_response(totals, c.month->begin, c.month->end, response_add, &c);
		if (err == 0)
			err = totals_each_filtered(
				totals, c.month->begin, c.month->end, filtered_add, &c);
	}
	if (err == 0)
		err = totals_each_lost(totals, begin, end, lost_add, &c);
	if (err == 0)
		err = totals_each_entered(totals, begin, end, entered_add, &c);
	if (err == 0)
		return numbers_set(&c);
	if (err == -EIO)
		snprintf(error, REPORT_ERROR_SIZE, "totals: %s", totals_error(totals));
	else if (!*error)
		snprintf(error, REPORT_ERROR_SIZE, "totals: %s", strerror(-err));
	return err;
}
