/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Reports of a period: what was filtered and how much was affected, from catalogues, totals and the
 * operator's own words, as HTML, PDF, CSV or JSON, in English or Japanese.
 *
 * The way of a report: report_catalogue_read(), report_figures_build() (all figures, each hidden or
 * not), report_template_read() (words), report_write_...().
 *
 * Days are numbers as lib/list has them (2000-01-01 is 0), moments are seconds since 1970 UTC, both
 * in the process's zone. All texts are UTF-8.
 *
 * Layer:   lib/report; no EAL.
 * Threads: one. Where memory runs out the program ends: a report that is made of what happened to
 * fit
 *          would be worse than none, and there is nothing else to lose.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "totals/totals.h"

#define REPORT_ERROR_SIZE   1024
#define REPORT_MONTHS_MAX   120 /**< months of a period */
#define REPORT_HIDE_LEAST   3   /**< least limit below which numbers can be hidden */
#define REPORT_DECIMALS     15  /**< of a percentage */
#define REPORT_PERCENT_SIZE 48  /**< octets of a percentage with its NUL */

enum report_language {
	REPORT_JA,
	REPORT_EN,
	REPORT_LANGUAGES,
};

/** A number that is published, or not. A number that is not is 0 here, so that nothing can tell. */
enum report_shown {
	REPORT_SHOWN,
	REPORT_BELOW,    /**< it is below the limit: "<N" */
	REPORT_WITHHELD, /**< it would tell what another one is */
};

struct report_number {
	uint64_t n;
	enum report_shown shown;
};

/** First and last day. */
struct report_period {
	uint16_t from, to;
};

/** Malware that was filtered on some day of the period, without a break; one row of the table. */
struct report_malware {
	const char *id;
	const char *behaviour; /**< as the catalogue has it */
	unsigned n_fqdns;      /**< entries that were active on some day of the period */
	uint16_t start;
	uint16_t end;          /**< LIST_DAY_LAST: at the end of the period it was still filtered */
};

enum report_change_kind {
	REPORT_ADDED,         /**< filtered for the first time */
	REPORT_REOPENED,      /**< filtered again, after an end */
	REPORT_ENDED,         /**< not filtered from the next day on */
	REPORT_WATCHED,       /**< watched again, after an end, without being filtered */
	REPORT_FQDNS_ADDED,   /**< further FQDNs of malware that was being filtered */
	REPORT_FQDNS_ENDED,   /**< some FQDNs of malware that went on being filtered */
	REPORT_CHANGE_KINDS,
};

struct report_change {
	enum report_change_kind kind;
	const char *id;
	uint16_t day;
	unsigned n_fqdns;
};

/** A month, or the part of it that is in the period. */
struct report_month {
	uint16_t year;
	uint8_t month;
	uint16_t from, to;  /**< days, in the period */
	int64_t begin, end; /**< moments, end excluded */
	struct report_number filtered, responses;
	char percent[REPORT_PERCENT_SIZE]; /**< "0.000407496013569%"; "<..." with a filtered number
						that is below; "" where there is none */
	double share; /**< the same for charts, 0..1; negative where it is not shown */
};

/** Filtered responses of one malware, by month. */
struct report_count {
	const char *id; /**< "": of no known malware */
	struct report_number *months;
	struct report_number total;
};

/** C&C addresses of one malware. */
struct report_addresses {
	const char *id;
	uint64_t n;
};

/** A figure that was entered by hand; its numbers are not shown where small ones are hidden. */
struct report_correction {
	uint16_t from, to; /**< days it is for */
	uint16_t entered;  /**< day it was entered */
	const char *id, *note;
	int64_t filtered, responses;
	bool shown; /**< whether the two numbers are */
};

struct report_lost {
	const char *what;
	uint64_t n;
};

/** All figures of a report. */
struct report_figures {
	struct report_period period;
	const char *zone;
	uint64_t hide_below; /**< 0: all numbers are shown */
	struct report_malware *malware; /**< by id, then start */
	struct report_change *changes;  /**< by day, id, kind */
	struct report_month *months;
	struct report_count *counts;    /**< by id; that of no known malware last */
	struct report_addresses *addresses; /**< by id; of malware that something is known of */
	struct report_correction *corrections; /**< oldest first */
	struct report_lost *lost;
	size_t n_malware, n_changes, n_months, n_counts, n_addresses, n_corrections, n_lost;
};

/** Entries of catalogues. */
struct report_catalogue;

struct report_catalogue *report_catalogue_create(void);

/** NULL is fine. */
void report_catalogue_destroy(struct report_catalogue *catalogue);

/**
 * Read a catalogue into @p catalogue.
 *
 * @param watched its list only logs: what it has is watched, not filtered
 * @param error   [out] the first line that is bad, or why the file cannot be read
 * @return 0; -EBADMSG: a line is bad, nothing can be said of a catalogue of which a part is not
 *         known; -errno of reading
 */
int report_catalogue_read(struct report_catalogue *catalogue, const char *path, bool watched,
	char error[REPORT_ERROR_SIZE]);

/**
 * How many addresses answers to questions for names of a malware had before they were changed.
 *
 * @param begin, end moments, end excluded
 * @param n          [out]
 * @return 0; -ENOENT: not known; or another -errno, and the report is not made
 */
typedef int (*report_addresses_fn)(
	void *ctx, const char *id, int64_t begin, int64_t end, uint64_t *n);

/** Numbers of addresses in a CSV file "id,addresses". */
struct report_address_file;

/** Read @p path. @return 0; -EBADMSG: a line is bad, or -errno of reading, with @p error */
int report_addresses_open(const char *path, struct report_address_file **file,
	char error[REPORT_ERROR_SIZE]);
void report_addresses_close(struct report_address_file *file);

/** A report_addresses_fn; @p file a struct report_address_file. */
int report_addresses_of_file(
	void *file, const char *id, int64_t begin, int64_t end, uint64_t *n);

struct report_input {
	const struct report_catalogue *catalogue;
	struct totals *totals;
	struct report_period period;
	uint64_t hide_below; /**< 0, or at least REPORT_HIDE_LEAST; see doc/reports.md */
	report_addresses_fn addresses; /**< NULL: nothing is known of any */
	void *addresses_ctx;
};

/**
 * Make all figures.
 *
 * @param error [out] one line
 * @return the figures; free with report_figures_free(). NULL: the totals cannot be read, a figure
 *         was entered for a period of which the report has only a part, or numbers contradict each
 *         other
 */
struct report_figures *report_figures_build(
	const struct report_input *input, char error[REPORT_ERROR_SIZE]);
void report_figures_free(struct report_figures *figures);

/**
 * Write 100 * @p part / @p whole with REPORT_DECIMALS decimals, the rest cut off, and "%".
 *
 * @param whole not 0
 * @return @p text
 */
char *report_percent(uint64_t part, uint64_t whole, char text[REPORT_PERCENT_SIZE]);

/** The operator's words. */
struct report_template;

/** Read a template. @return it, or NULL with @p error: the file, the line, what was expected */
struct report_template *report_template_read(const char *path, char error[REPORT_ERROR_SIZE]);
void report_template_destroy(struct report_template *words);

struct report_output {
	const struct report_figures *figures;
	const struct report_template *words; /**< HTML and PDF need it; else NULL is fine */
	enum report_language language;
	int64_t made; /**< when: it is in the report, so that two runs give the same */
};

/**
 * Write a report. Files are replaced when they are whole; an old one is never lost to a failure.
 *
 * @param path  a file; of report_write_csv() a folder, which is made, with a file for each table
 * @param error [out] one line
 * @return 0, -EINVAL: a word is missing in the template; or -errno of writing
 */
int report_write_html(const struct report_output *output, const char *path,
	char error[REPORT_ERROR_SIZE]);
int report_write_pdf(
	const struct report_output *output, const char *path, char error[REPORT_ERROR_SIZE]);
int report_write_csv(
	const struct report_output *output, const char *path, char error[REPORT_ERROR_SIZE]);
int report_write_json(
	const struct report_output *output, const char *path, char error[REPORT_ERROR_SIZE]);
