/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report_doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/list.h"

static struct report_block *block_add(struct report_doc *doc)
{
	doc->blocks = report_grow(&doc->memory, doc->blocks, doc->n_blocks, sizeof(*doc->blocks));
	return &doc->blocks[doc->n_blocks++];
}

void report_doc_add(struct report_doc *doc, enum report_block_kind kind, const char *text)
{
	*block_add(doc) = (struct report_block){.kind = kind, .text = text};
}

struct report_table *report_doc_table(struct report_doc *doc, const char *caption, size_t n_columns)
{
	struct report_table *table = report_alloc(&doc->memory, sizeof(*table));

	table->columns = report_alloc(&doc->memory, n_columns * sizeof(*table->columns));
	table->n_columns = n_columns;
	*block_add(doc) = (struct report_block){
		.kind = BLOCK_TABLE,
		.text = report_format(&doc->memory, report_word(WORD_TABLE, doc->language),
			++doc->n_tables, caption),
		.table = table,
	};
	return table;
}

const char **report_table_row(struct report_doc *doc, struct report_table *table)
{
	const size_t row_size = table->n_columns * sizeof(*table->cells);
	const char **row;

	table->cells = report_grow(&doc->memory, table->cells, table->n_rows, row_size);
	row = &table->cells[table->n_rows++ * table->n_columns];
	for (size_t i = 0; i < table->n_columns; i++)
		row[i] = "";
	return row;
}

struct report_chart *report_doc_chart(struct report_doc *doc, const char *caption)
{
	struct report_chart *chart = report_alloc(&doc->memory, sizeof(*chart));

	*block_add(doc) = (struct report_block){
		.kind = BLOCK_CHART,
		.text = report_format(&doc->memory, report_word(WORD_FIGURE, doc->language),
			++doc->n_charts, caption),
		.chart = chart,
	};
	return chart;
}

const char *report_say(const struct report_writing *writing, enum report_word word)
{
	return report_word(word, writing->doc->language);
}

void report_heading_write(
	struct report_writing *writing, const char *section, enum report_word word)
{
	struct report_doc *doc = writing->doc;
	const char *heading =
		report_text_first(report_section_find(writing->output->words, section, NULL),
			"heading", doc->language);

	report_doc_add(doc, BLOCK_HEADING,
		report_format(&doc->memory, "%u. %s", ++doc->n_headings,
			heading ? heading : report_say(writing, word)));
}

void report_texts_write(struct report_writing *writing, const struct report_section *section)
{
	struct report_doc *doc = writing->doc;
	const char *text;
	size_t at = 0;

	while ((text = report_text_next(section, "text", doc->language, &at))) {
		if (strncmp(text, "-- ", 3) == 0)
			report_doc_add(doc, BLOCK_SUBBULLET, text + 3);
		else if (strncmp(text, "- ", 2) == 0)
			report_doc_add(doc, BLOCK_BULLET, text + 2);
		else
			report_doc_add(doc, BLOCK_TEXT, text);
	}
}

struct report_doc *report_doc_build(
	const struct report_output *output, char error[REPORT_ERROR_SIZE])
{
	const enum report_language language = output->language;
	const struct report_section *document =
		report_section_find(output->words, "document", NULL);
	const char *operator= report_text_first(
		report_section_find(output->words, "operator", NULL), "name", language);
	const char *title = report_text_first(document, "title", language);
	const char *font = report_text_first(document, "font", language);
	struct report_writing writing = {.output = output};
	struct report_doc *doc;

	if (!operator) {
		snprintf(error, REPORT_ERROR_SIZE, "%s: expected name.%s in [operator]",
			output->words ? output->words->path : "template",
			report_language_tag(language));
		return NULL;
	}
	doc = report_object(sizeof(*doc));
	writing.doc = doc;
	doc->language = language;
	doc->title = title ? title : report_say(&writing, WORD_TITLE);
	doc->operator= operator;
	doc->font = font ? font : "Noto Sans CJK JP";
	doc->period = report_period_words(&doc->memory, &output->figures->period, language);
	doc->made = report_format(&doc->memory, report_say(&writing, WORD_MADE),
		report_day_words(&doc->memory, list_day_of(output->made), language));
	report_sections_write(&writing);
	return doc;
}

void report_doc_free(struct report_doc *doc)
{
	if (!doc)
		return;
	report_memory_free(&doc->memory);
	free(doc);
}
