/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the makers of the figures share.
 */
#include "report/report.h"
#include "report/report_memory.h"

/** One line of a catalogue. */
struct report_entry {
	const char *id;
	const char *behaviour;
	uint16_t first, last; /**< days */
	bool watched;         /**< its list only logs */
	uint16_t order;       /**< of the catalogue it is from */
	unsigned line;
	uint8_t scope;
	uint8_t name_size;
	const uint8_t *name;  /**< wire form */
};

struct report_catalogue {
	struct report_memory memory;
	struct report_entry **entries; /**< in the order in which they were read */
	size_t n_entries;
	uint16_t n_files;
};

/** The figures, and the memory that they are in. */
struct report_made {
	struct report_figures figures; /**< the first member */
	struct report_memory memory;
};

/** Fill in malware and changes of the period. */
void report_malware_find(struct report_made *made, const struct report_catalogue *catalogue);

/** Fill in the months of the period, without numbers. @return 0, or -ERANGE: too many */
int report_months_make(struct report_made *made);

/** Fill in numbers of months and malware, lost records and corrections. @return 0 or -1 */
int report_counts_make(
	struct report_made *made, struct totals *totals, char error[REPORT_ERROR_SIZE]);

/** Hide what is below the limit, and what would tell it; then make the percentages. */
void report_hide(struct report_figures *figures);

/** Year, month and day of a day number. */
void report_day_split(uint16_t day, int *year, int *month, int *day_of_month);
