/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report_private.h"

static int addresses_make(
	struct report_made *made, const struct report_input *input, char error[REPORT_ERROR_SIZE])
{
	struct report_figures *f = &made->figures;
	int64_t begin = f->months[0].begin, end = f->months[f->n_months - 1].end;

	for (size_t i = 0; i < f->n_malware && input->addresses; i++) {
		const char *id = f->malware[i].id;
		uint64_t n;
		int err;

		// Malware that was opened again has two rows.
		if (i > 0 && strcmp(id, f->malware[i - 1].id) == 0)
			continue;
		err = input->addresses(input->addresses_ctx, id, begin, end, &n);
		if (err == -ENOENT)
			continue;
		if (err < 0) {
			snprintf(error, REPORT_ERROR_SIZE, "addresses of %.200s: %s", id,
				strerror(-err));
			return err;
		}
		f->addresses = report_grow(
			&made->memory, f->addresses, f->n_addresses, sizeof(*f->addresses));
		f->addresses[f->n_addresses++] = (struct report_addresses){.id = id, .n = n};
	}
	return 0;
}

struct report_figures *report_figures_build(
	const struct report_input *input, char error[REPORT_ERROR_SIZE])
{
	struct report_made *made = report_object(sizeof(*made));
	struct report_figures *f = &made->figures;
	const char *zone = totals_zone(input->totals);
	int err;

	*error = '\0';
	f->period = input->period;
	f->hide_below = input->hide_below;
	f->zone = report_copy(&made->memory, zone, strlen(zone));
	err = report_months_make(made);
	if (err < 0)
		snprintf(error, REPORT_ERROR_SIZE, "expected a period of at most %d months",
			REPORT_MONTHS_MAX);
	if (err == 0) {
		report_malware_find(made, input->catalogue);
		err = addresses_make(made, input, error);
	}
	if (err == 0)
		err = report_counts_make(made, input->totals, error);
	if (err == 0) {
		report_hide(f);
		return f;
	}
	report_figures_free(f);
	return NULL;
}

void report_figures_free(struct report_figures *figures)
{
	struct report_made *made = (struct report_made *)figures;

	if (!made)
		return;
	report_memory_free(&made->memory);
	free(made);
}
