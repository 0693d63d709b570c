/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A report as a document: headings, paragraphs, tables and charts in their order, in one language.
 * HTML and PDF are two ways to show it.
 */
#include "report/report.h"
#include "report/report_memory.h"
#include "report/report_template.h"
#include "report/report_words.h"

#define REPORT_BARS_MAX 36 /**< bars of a chart; as many as a page has room for */

enum report_block_kind {
	BLOCK_HEADING,    /**< numbered section */
	BLOCK_SUBHEADING,
	BLOCK_TEXT,
	BLOCK_STRONG,     /**< a paragraph that stands out */
	BLOCK_BULLET,
	BLOCK_SUBBULLET,
	BLOCK_TABLE,
	BLOCK_CHART,
};

struct report_column {
	const char *head;
	bool numeric;    /**< digits, to the right */
	unsigned weight; /**< share of the width */
};

struct report_table {
	struct report_column *columns;
	const char **cells; /**< row by row */
	size_t n_columns, n_rows;
	bool is_plain;      /**< the first column does not head its row */
};

struct report_bar {
	const char *label;
	const char *text; /**< the value in words */
	double value;     /**< not negative */
};

/** Horizontal bars, from top to bottom. */
struct report_chart {
	struct report_bar bars[REPORT_BARS_MAX];
	size_t n;
	const char *description; /**< for who cannot see it */
};

struct report_block {
	enum report_block_kind kind;
	const char *text; /**< of a table or chart its caption, with its number */
	struct report_table *table;
	struct report_chart *chart;
};

struct report_doc {
	struct report_memory memory;
	enum report_language language;
	const char *title, *operator, *period, *made;
	const char *font; /**< family for PDF */
	struct report_block *blocks;
	size_t n_blocks;
	unsigned n_headings, n_tables, n_charts;
};

/** Write the whole report up. @return it; or NULL with @p error: the template has no word for it */
struct report_doc *report_doc_build(
	const struct report_output *output, char error[REPORT_ERROR_SIZE]);
void report_doc_free(struct report_doc *doc);

/** Add a block of text. */
void report_doc_add(struct report_doc *doc, enum report_block_kind kind, const char *text);

/** Add a table without rows. @return it; its columns are to be filled in */
struct report_table *report_doc_table(
	struct report_doc *doc, const char *caption, size_t n_columns);

/** Add a row. @return its cells, to be filled in */
const char **report_table_row(struct report_doc *doc, struct report_table *table);

/** Add a chart without bars. */
struct report_chart *report_doc_chart(struct report_doc *doc, const char *caption);

/** Add the sections; the parts of report_doc_build(). */
struct report_writing {
	struct report_doc *doc;
	const struct report_output *output;
};

void report_sections_write(struct report_writing *writing);
void report_section_status(struct report_writing *writing);
void report_section_operation(struct report_writing *writing);

/** Add a heading: the template's, or our own with its number. */
void report_heading_write(
	struct report_writing *writing, const char *section, enum report_word word);

/** Add the paragraphs of a section of the template; "- " and "-- " begin bullets. */
void report_texts_write(struct report_writing *writing, const struct report_section *section);

/** Our own words in the document's language. */
const char *report_say(const struct report_writing *writing, enum report_word word);
