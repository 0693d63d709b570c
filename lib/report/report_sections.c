/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The sections of a report but those with counts: background, outline, this report, malware,
 * contact.
 */
#include <string.h>

#include "list/list.h"
#include "report/report_doc.h"

#define SERVICES_MAX 8  // columns of services
#define IDS_SHOWN    40 // of one behaviour

static void outline_write(struct report_writing *w)
{
	const struct report_template *words = w->output->words;
	struct report_doc *doc = w->doc;
	const struct report_section *columns[SERVICES_MAX];
	struct report_table *table;
	size_t n = 0, rows = 0;

	report_heading_write(w, "outline", WORD_OUTLINE);
	report_texts_write(w, report_section_find(words, "outline", NULL));
	for (size_t i = 0; i < words->n_sections && n < SERVICES_MAX; i++)
		if (strcmp(words->sections[i].name, "services") == 0)
			columns[n++] = &words->sections[i];
	if (n == 0)
		return;
	report_doc_add(doc, BLOCK_TEXT,
		report_format(&doc->memory, report_say(w, WORD_SERVICES_SEE), doc->n_tables + 1));
	table = report_doc_table(
		doc, report_format(&doc->memory, report_say(w, WORD_SERVICES), doc->period), n);
	table->is_plain = true;
	for (size_t c = 0; c < n; c++) {
		const char *title = report_text_first(columns[c], "title", doc->language), *item;
		size_t at = 0, row = 0;

		table->columns[c].head = title ? title : columns[c]->argument;
		table->columns[c].weight = 1;
		for (; (item = report_text_next(columns[c], "item", doc->language, &at)); row++) {
			if (row == rows) {
				report_table_row(doc, table);
				rows++;
			}
			table->cells[row * n + c] = item;
		}
	}
}

static void about_write(struct report_writing *w)
{
	struct report_doc *doc = w->doc;

	report_heading_write(w, "", WORD_ABOUT);
	report_doc_add(doc, BLOCK_TEXT, report_say(w, WORD_PERIOD_IS));
	report_doc_add(doc, BLOCK_STRONG, doc->period);
	report_doc_add(doc, BLOCK_TEXT,
		report_format(&doc->memory, report_say(w, WORD_ABOUT_MADE),
			report_day_words(&doc->memory, list_day_of(w->output->made), doc->language),
			DNSWEIR_VERSION));
}

static void malware_table_write(struct report_writing *w)
{
	static const enum report_word heads[] = {
		WORD_ID, WORD_FQDNS, WORD_BEHAVIOUR, WORD_START, WORD_END};
	static const unsigned weights[] = {23, 10, 29, 22, 22};
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;
	struct report_table *table = report_doc_table(doc, report_say(w, WORD_MALWARE_TABLE), 5);

	for (unsigned c = 0; c < 5; c++)
		table->columns[c] = (struct report_column){
			report_say(w, heads[c]), heads[c] == WORD_FQDNS, weights[c]};
	for (size_t i = 0; i < f->n_malware; i++) {
		const struct report_malware *m = &f->malware[i];
		const char **row = report_table_row(doc, table);

		row[0] = m->id;
		row[1] = report_grouped(&doc->memory, m->n_fqdns);
		row[2] = report_behaviour_name(w->output->words, m->behaviour, doc->language);
		row[3] = report_day_text(&doc->memory, m->start, doc->language);
		row[4] = report_day_text(&doc->memory, m->end, doc->language);
	}
}

// Characteristics and risk of one behaviour or malware, from its section of the template.
static void nature_write(struct report_writing *w, const struct report_section *section)
{
	static const struct {
		const char *key;
		enum report_word word;
	} parts[] = {{"characteristics", WORD_CHARACTERISTICS}, {"risk", WORD_RISK}};
	struct report_doc *doc = w->doc;

	for (unsigned i = 0; i < 2; i++) {
		const char *text;
		size_t at = 0;

		while ((text = report_text_next(section, parts[i].key, doc->language, &at)))
			report_doc_add(doc, BLOCK_SUBBULLET,
				report_format(&doc->memory, report_say(w, parts[i].word), text));
	}
}

// Ids of the malware of the period whose behaviour has a name, each once; of many the first ones.
static const char *ids_of_behaviour(struct report_writing *w, const char *name)
{
	const struct report_figures *f = w->output->figures;
	const bool ja = w->doc->language == REPORT_JA;
	struct report_memory *memory = &w->doc->memory;
	const char *ids = "", *before = "";
	unsigned n = 0;

	for (size_t i = 0; i < f->n_malware; i++) {
		const struct report_malware *m = &f->malware[i];

		if (strcmp(report_behaviour_name(w->output->words, m->behaviour, w->doc->language),
			    name) != 0 ||
			strcmp(m->id, before) == 0)
			continue;
		if (n < IDS_SHOWN)
			ids = report_format(memory, "%s%s%s", ids,
				n == 0 ? ""
				: ja   ? "、"
				       : ", ",
				m->id);
		before = m->id;
		n++;
	}
	if (n > IDS_SHOWN)
		ids = report_format(memory, report_say(w, WORD_NATURE_MORE), ids, n - IDS_SHOWN);
	return ids;
}

static void behaviours_write(struct report_writing *w)
{
	struct report_doc *doc = w->doc;
	size_t n;
	const struct report_behaviour *all = report_behaviours(&doc->memory, w->output, &n);

	for (size_t i = 0; i < n; i++) {
		report_doc_add(doc, BLOCK_BULLET, all[i].name);
		report_doc_add(doc, BLOCK_SUBBULLET,
			report_format(&doc->memory, report_say(w, WORD_NATURE_IDS),
				ids_of_behaviour(w, all[i].name)));
		nature_write(w, all[i].section);
	}
}

static void natures_write(struct report_writing *w)
{
	const struct report_figures *f = w->output->figures;
	struct report_doc *doc = w->doc;

	report_doc_add(doc, BLOCK_SUBHEADING, report_say(w, WORD_NATURE));
	behaviours_write(w);
	for (size_t i = 0; i < f->n_malware; i++) {
		const char *id = f->malware[i].id;
		const struct report_section *section =
			report_section_find(w->output->words, "malware", id);
		const char *name = report_text_first(section, "name", doc->language);

		if (!section || (i > 0 && strcmp(id, f->malware[i - 1].id) == 0))
			continue;
		if (name)
			id = report_format(&doc->memory,
				doc->language == REPORT_JA ? "%s（%s）" : "%s (%s)", id, name);
		report_doc_add(doc, BLOCK_BULLET, id);
		nature_write(w, section);
	}
}

static unsigned fqdns_sum(const struct report_figures *f)
{
	unsigned sum = 0;

	for (size_t i = 0; i < f->n_malware; i++)
		sum += f->malware[i].n_fqdns;
	return sum;
}

// Malware that was opened again has several rows.
static unsigned malware_sum(const struct report_figures *f)
{
	unsigned sum = 0;

	for (size_t i = 0; i < f->n_malware; i++)
		sum += i == 0 || strcmp(f->malware[i].id, f->malware[i - 1].id) != 0;
	return sum;
}

static void malware_write(struct report_writing *w)
{
	static const enum report_word legend[] = {
		WORD_LEGEND_ID, WORD_LEGEND_FQDNS, WORD_LEGEND_BEHAVIOUR, WORD_LEGEND_DATES};
	const struct report_figures *f = w->output->figures;
	const struct report_section *selection =
		report_section_find(w->output->words, "selection", NULL);
	const char *heading = report_text_first(selection, "heading", w->doc->language);
	struct report_doc *doc = w->doc;

	report_heading_write(w, "", WORD_MALWARE);
	if (f->n_malware == 0)
		report_doc_add(doc, BLOCK_TEXT, report_say(w, WORD_NATURE_NONE));
	else
		report_doc_add(doc, BLOCK_TEXT,
			report_format(&doc->memory, report_say(w, WORD_MALWARE_SEE),
				doc->n_tables + 1, malware_sum(f), fqdns_sum(f)));
	if (selection) {
		report_doc_add(
			doc, BLOCK_SUBHEADING, heading ? heading : report_say(w, WORD_SELECTION));
		report_texts_write(w, selection);
	}
	if (f->n_malware == 0)
		return;
	malware_table_write(w);
	report_doc_add(doc, BLOCK_SUBHEADING, report_say(w, WORD_LEGEND));
	for (unsigned i = 0; i < sizeof(legend) / sizeof(legend[0]); i++)
		report_doc_add(doc, BLOCK_BULLET, report_say(w, legend[i]));
	natures_write(w);
}

static void contact_write(struct report_writing *w)
{
	const struct report_section *out = report_section_find(w->output->words, "opt-out", NULL);
	const char *heading = report_text_first(out, "heading", w->doc->language);

	report_heading_write(w, "contact", WORD_CONTACT);
	report_texts_write(w, report_section_find(w->output->words, "contact", NULL));
	if (!out)
		return;
	report_doc_add(w->doc, BLOCK_SUBHEADING, heading ? heading : report_say(w, WORD_OPT_OUT));
	report_texts_write(w, out);
}

void report_sections_write(struct report_writing *w)
{
	report_heading_write(w, "background", WORD_BACKGROUND);
	report_texts_write(w, report_section_find(w->output->words, "background", NULL));
	outline_write(w);
	about_write(w);
	malware_write(w);
	report_section_status(w);
	report_section_operation(w);
	contact_write(w);
}
