/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of dnsweir-report share: a file for each kind of command.
 *
 * Threads: one.
 */
#include <stdint.h>

#include "report/report.h"

enum report_exit {
	REPORT_DONE = 0,
	REPORT_FAILED = 1,
	REPORT_USAGE = 2, /**< wrong usage, configuration or file */
};

#define REPORT_FILES_MAX 64 /**< catalogues */

enum report_format_kind {
	REPORT_FORMAT_NONE,
	REPORT_FORMAT_PDF,
	REPORT_FORMAT_HTML,
	REPORT_FORMAT_CSV,
	REPORT_FORMAT_JSON,
};

/** The command line. */
struct report_args {
	int from, to;             /**< days since 2000-01-01; -1: not given */
	enum report_language language;
	enum report_format_kind format;
	const char *output;
	const char *totals;
	const char *template_path;
	const char *addresses;
	const char *catalogues[REPORT_FILES_MAX];
	const char *watched[REPORT_FILES_MAX];
	unsigned n_catalogues, n_watched;
	uint64_t hide_below;
	int year, month;          /**< for enter; 0: not given */
	int64_t responses, filtered;
	const char *id;
	const char *note;
	const char *zone;
	char **words; /**< operands */
	int n_words;
};

/** Make a report. */
int make_run(const struct report_args *args);

/** Enter a figure by hand. */
int enter_run(const struct report_args *args);

/** Take the counters of other boxes' files. */
int import_run(const struct report_args *args);

/** Now, or the moment that SOURCE_DATE_EPOCH says, so that a run can be repeated. */
int64_t report_now(void);
