/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The sections of a report with counts: what was affected, and what happened in the period.
 */
#include <stdlib.h>
#include <string.h>

#include "list/list.h"
#include "report/report_doc.h"
#include "report/report_private.h"

#define MONTHS_BESIDE   6 // columns of months in one table; a longer period has several tables
#define MONTHS_IN_WORDS 4 // with more of them their names are short
#define MALWARE_BARS    20

static const char *shares_describe(struct report_writing *w)
{
	const struct report_figures *f = w->output->figures;
	struct report_memory *memory = &w->doc->memory;
	const char *text = "";

	for (size_t i = 0; i < f->n_months; i++)
		if (f->months[i].share >= 0)
			text = report_format(memory, "%s%s%s: %s", text, *text ? "; " : "",
				report_month_words(memory, &f->months[i], w->doc->language),
				f->months[i].percent);
	return text;
}

static void shares_write(struct report_writing *w)
{
	static const enum report_word heads[] = {
		WORD_MONTH, WORD_FILTERED, WORD_RESPONSES, WORD_SHARE};
	static const unsigned weights[] = {28, 22, 22, 28};
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;
	struct report_memory *memory = &doc->memory;
	struct report_table *table = report_doc_table(doc, report_say(w, WORD_STATUS_TABLE), 4);
	struct report_chart *chart;
	size_t n_shares = 0;

	for (unsigned c = 0; c < 4; c++)
		table->columns[c] =
			(struct report_column){report_say(w, heads[c]), c > 0, weights[c]};
	for (size_t i = 0; i < f->n_months; i++) {
		const struct report_month *m = &f->months[i];
		const char **row = report_table_row(doc, table);

		row[0] = report_month_words(memory, m, doc->language);
		row[1] = report_number_words(memory, &m->filtered, f->hide_below, doc->language);
		row[2] = report_number_words(memory, &m->responses, f->hide_below, doc->language);
		row[3] = *m->percent ? m->percent : report_say(w, WORD_NUMBER_WITHHELD);
		n_shares += m->share >= 0;
	}
	if (n_shares == 0 || n_shares > REPORT_BARS_MAX)
		return;
	chart = report_doc_chart(doc, report_say(w, WORD_SHARE_CHART));
	chart->description = shares_describe(w);
	for (size_t i = 0; i < f->n_months; i++)
		if (f->months[i].share >= 0)
			chart->bars[chart->n++] = (struct report_bar){
				report_month_words(memory, &f->months[i], doc->language),
				f->months[i].percent, f->months[i].share};
}

static void method_write(struct report_writing *w)
{
	static const enum report_word always[] = {
		WORD_METHOD_SHARE, WORD_METHOD_FILTERED, WORD_METHOD_RESPONSES};
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;
	const unsigned long long limit = f->hide_below;

	report_doc_add(doc, BLOCK_SUBHEADING, report_say(w, WORD_METHOD));
	for (unsigned i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		report_doc_add(doc, BLOCK_BULLET, report_say(w, always[i]));
	report_doc_add(doc, BLOCK_BULLET,
		report_format(&doc->memory, report_say(w, WORD_METHOD_MONTHS), f->zone));
	report_doc_add(doc, BLOCK_BULLET, report_say(w, WORD_METHOD_EXACT));
	if (f->hide_below > 0)
		report_doc_add(doc, BLOCK_BULLET,
			report_format(
				&doc->memory, report_say(w, WORD_METHOD_HIDDEN), limit, limit));
}

static const char *count_name(struct report_writing *w, const struct report_count *count)
{
	return *count->id ? count->id : report_say(w, WORD_OF_NONE);
}

// A month as the head of a column; in a table with many of them there is little room.
static const char *month_head(struct report_writing *w, const struct report_month *month, size_t n)
{
	if (n <= MONTHS_IN_WORDS || !report_month_is_whole(month))
		return report_month_words(&w->doc->memory, month, w->doc->language);
	return report_format(&w->doc->memory,
		w->doc->language == REPORT_JA ? "%04u/%02u" : "%04u-%02u", month->year,
		month->month);
}

// Months [first, first + n) of every malware; with the total behind the last month.
static void counts_table_write(struct report_writing *w, size_t first, size_t n)
{
	const struct report_figures *f = w->output->figures;
	const bool is_last = first + n == f->n_months && f->n_months > 1;
	struct report_doc *doc = w->doc;
	struct report_table *table =
		report_doc_table(doc, report_say(w, WORD_COUNTS_TABLE), 1 + n + is_last);

	table->columns[0] = (struct report_column){report_say(w, WORD_ID), false, 26};
	for (size_t m = 0; m < n; m++)
		table->columns[1 + m] =
			(struct report_column){month_head(w, &f->months[first + m], n), true, 16};
	if (is_last)
		table->columns[1 + n] = (struct report_column){report_say(w, WORD_TOTAL), true, 16};
	for (size_t i = 0; i < f->n_counts; i++) {
		const char **row = report_table_row(doc, table);

		row[0] = count_name(w, &f->counts[i]);
		for (size_t m = 0; m < n; m++)
			row[1 + m] = report_number_words(&doc->memory,
				&f->counts[i].months[first + m], f->hide_below, doc->language);
		if (is_last)
			row[1 + n] = report_number_words(
				&doc->memory, &f->counts[i].total, f->hide_below, doc->language);
	}
}

static int larger_first(const void *a, const void *b)
{
	const struct report_count *x = *(const struct report_count *const *)a;
	const struct report_count *y = *(const struct report_count *const *)b;

	if (x->total.n != y->total.n)
		return x->total.n < y->total.n ? 1 : -1;
	return strcmp(x->id, y->id);
}

// The malware with most; what is hidden is not drawn.
static void counts_chart_write(struct report_writing *w)
{
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;
	const struct report_count **order =
		report_alloc(&doc->memory, (f->n_counts + 1) * sizeof(struct report_count *));
	struct report_chart *chart;
	size_t n = 0;

	for (size_t i = 0; i < f->n_counts; i++)
		if (f->counts[i].total.shown == REPORT_SHOWN && f->counts[i].total.n > 0)
			order[n++] = &f->counts[i];
	if (n == 0)
		return;
	qsort(order, n, sizeof(struct report_count *), larger_first);
	chart = report_doc_chart(doc, report_say(w, WORD_COUNTS_CHART));
	chart->description = "";
	for (size_t i = 0; i < n && i < MALWARE_BARS; i++) {
		struct report_bar *bar = &chart->bars[chart->n++];

		bar->label = count_name(w, order[i]);
		bar->value = (double)order[i]->total.n;
		bar->text = report_number_words(
			&doc->memory, &order[i]->total, f->hide_below, doc->language);
		chart->description = report_format(&doc->memory, "%s%s%s: %s", chart->description,
			i ? "; " : "", bar->label, bar->text);
	}
}

static void counts_write(struct report_writing *w)
{
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;

	if (f->n_counts == 0)
		return;
	report_doc_add(doc, BLOCK_SUBHEADING, report_say(w, WORD_COUNTS));
	report_doc_add(doc, BLOCK_TEXT,
		report_format(&doc->memory, report_say(w, WORD_COUNTS_SEE), doc->n_tables + 1));
	for (size_t m = 0; m < f->n_months; m += MONTHS_BESIDE)
		counts_table_write(
			w, m, f->n_months - m < MONTHS_BESIDE ? f->n_months - m : MONTHS_BESIDE);
	counts_chart_write(w);
}

static void addresses_write(struct report_writing *w)
{
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;
	struct report_table *table;

	report_doc_add(doc, BLOCK_SUBHEADING, report_say(w, WORD_ADDRESSES));
	if (f->n_addresses == 0) {
		report_doc_add(doc, BLOCK_TEXT, report_say(w, WORD_ADDRESSES_NONE));
		return;
	}
	report_doc_add(doc, BLOCK_TEXT,
		report_format(&doc->memory, report_say(w, WORD_ADDRESSES_SEE), doc->n_tables + 1));
	table = report_doc_table(doc, report_say(w, WORD_ADDRESSES_TABLE), 2);
	table->columns[0] = (struct report_column){report_say(w, WORD_ID), false, 50};
	table->columns[1] = (struct report_column){report_say(w, WORD_ADDRESSES_N), true, 50};
	for (size_t i = 0; i < f->n_addresses; i++) {
		const char **row = report_table_row(doc, table);

		row[0] = f->addresses[i].id;
		row[1] = report_grouped(&doc->memory, (int64_t)f->addresses[i].n);
	}
}

void report_section_status(struct report_writing *w)
{
	struct report_doc *doc = w->doc;

	report_heading_write(w, "status", WORD_STATUS);
	report_texts_write(w, report_section_find(w->output->words, "status", NULL));
	report_doc_add(doc, BLOCK_TEXT,
		report_format(&doc->memory, report_say(w, WORD_STATUS_SEE), doc->n_tables + 1));
	shares_write(w);
	method_write(w);
	counts_write(w);
	addresses_write(w);
}

static void changes_write(struct report_writing *w)
{
	static const enum report_word heads[] = {WORD_DAY, WORD_ID, WORD_CHANGE, WORD_FQDNS};
	static const unsigned weights[] = {20, 30, 36, 14};
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;
	struct report_table *table;

	report_doc_add(doc, BLOCK_SUBHEADING, report_say(w, WORD_CHANGES));
	if (f->n_changes == 0) {
		report_doc_add(doc, BLOCK_TEXT, report_say(w, WORD_CHANGES_NONE));
		return;
	}
	report_doc_add(doc, BLOCK_TEXT,
		report_format(&doc->memory, report_say(w, WORD_CHANGES_SEE), doc->n_tables + 1));
	table = report_doc_table(doc, report_say(w, WORD_CHANGES_TABLE), 4);
	for (unsigned c = 0; c < 4; c++)
		table->columns[c] =
			(struct report_column){report_say(w, heads[c]), c == 3, weights[c]};
	for (size_t i = 0; i < f->n_changes; i++) {
		const struct report_change *change = &f->changes[i];
		const char **row = report_table_row(doc, table);

		row[0] = report_day_text(&doc->memory, change->day, doc->language);
		row[1] = change->id;
		row[2] = report_say(w, (enum report_word)(WORD_CHANGE_FIRST + change->kind));
		row[3] = report_grouped(&doc->memory, change->n_fqdns);
	}
}

static const char *signed_words(
	struct report_writing *w, const struct report_correction *correction, int64_t n)
{
	if (!correction->shown)
		return report_say(w, WORD_NUMBER_WITHHELD);
	return n == 0 ? "" : report_grouped(&w->doc->memory, n);
}

static void corrections_write(struct report_writing *w)
{
	static const enum report_word heads[] = {
		WORD_FOR, WORD_ID, WORD_FILTERED, WORD_RESPONSES, WORD_ENTERED, WORD_NOTE};
	static const unsigned weights[] = {15, 19, 13, 17, 13, 25};
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;
	struct report_table *table;

	report_doc_add(doc, BLOCK_SUBHEADING, report_say(w, WORD_CORRECTIONS));
	if (f->n_corrections == 0) {
		report_doc_add(doc, BLOCK_TEXT, report_say(w, WORD_CORRECTIONS_NONE));
		return;
	}
	report_doc_add(doc, BLOCK_TEXT,
		report_format(
			&doc->memory, report_say(w, WORD_CORRECTIONS_SEE), doc->n_tables + 1));
	table = report_doc_table(doc, report_say(w, WORD_CORRECTIONS_TABLE), 6);
	for (unsigned c = 0; c < 6; c++)
		table->columns[c] = (struct report_column){
			report_say(w, heads[c]), c == 2 || c == 3, weights[c]};
	for (size_t i = 0; i < f->n_corrections; i++) {
		const struct report_correction *correction = &f->corrections[i];
		const char **row = report_table_row(doc, table);
		struct report_month month = {.from = correction->from, .to = correction->to};
		int year, of, day;

		report_day_split(month.from, &year, &of, &day);
		month.year = (uint16_t)year;
		month.month = (uint8_t)of;
		row[0] = report_month_words(&doc->memory, &month, doc->language);
		row[1] = correction->id;
		row[2] = signed_words(w, correction, correction->filtered);
		row[3] = signed_words(w, correction, correction->responses);
		row[4] = report_day_text(&doc->memory, correction->entered, doc->language);
		row[5] = correction->note;
	}
}

// The operator's comments on periods that are in the report's.
static void comments_write(struct report_writing *w)
{
	const struct report_template *words = w->output->words;
	const struct report_period *period = &w->output->figures->period;

	for (size_t i = 0; i < words->n_sections; i++) {
		const struct report_section *section = &words->sections[i];

		if (strcmp(section->name, "period") == 0 &&
			list_day_parse(section->argument, 10) >= period->from &&
			list_day_parse(section->argument + 12, 10) <= period->to)
			report_texts_write(w, section);
	}
}

void report_section_operation(struct report_writing *w)
{
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;

	report_heading_write(w, "operation", WORD_OPERATION);
	report_texts_write(w, report_section_find(w->output->words, "operation", NULL));
	comments_write(w);
	changes_write(w);
	corrections_write(w);
	report_doc_add(doc, BLOCK_SUBHEADING, report_say(w, WORD_LOST));
	if (f->n_lost == 0)
		report_doc_add(doc, BLOCK_TEXT, report_say(w, WORD_LOST_NONE));
	for (size_t i = 0; i < f->n_lost; i++)
		report_doc_add(doc, BLOCK_TEXT,
			report_format(&doc->memory, report_say(w, WORD_LOST_ROW), f->lost[i].what,
				report_grouped(&doc->memory, (int64_t)f->lost[i].n)));
}
