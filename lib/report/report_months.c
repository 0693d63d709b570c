/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "list/list.h"
#include "report/report_private.h"

void report_day_split(uint16_t day, int *year, int *month, int *day_of_month)
{
	char text[11];

	*year = 2000;
	*month = *day_of_month = 1;
	if (*list_day_format(day, text))
		sscanf(text, "%d-%d-%d", year, month, day_of_month);
}

static int64_t day_begin(uint16_t day)
{
	int year, month, day_of_month;

	report_day_split(day, &year, &month, &day_of_month);
	return totals_day_begin(year, month, day_of_month);
}

int report_months_make(struct report_made *made)
{
	struct report_figures *f = &made->figures;
	uint16_t day = f->period.from;

	while (day <= f->period.to) {
		struct report_month *m;
		int year, month, other, ignored;
		uint16_t next = day;

		if (f->n_months == REPORT_MONTHS_MAX)
			return -ERANGE;
		report_day_split(day, &year, &month, &ignored);
		do
			report_day_split(++next, &ignored, &other, &ignored);
		while (next <= f->period.to && other == month);
		f->months = report_grow(&made->memory, f->months, f->n_months, sizeof(*f->months));
		m = &f->months[f->n_months++];
		m->year = (uint16_t)year;
		m->month = (uint8_t)month;
		m->from = day;
		m->to = (uint16_t)(next - 1);
		m->begin = day_begin(m->from);
		m->end = day_begin(next);
		day = next;
	}
	return 0;
}
