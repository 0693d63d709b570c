/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "report/report_file.h"
#include "report/report_pdf.h"

#define INDENT 14.0

static const struct {
	double size; // points
	bool bold;
} fonts[PDF_FONTS] = {
	[PDF_FONT_TITLE] = {21, true},
	[PDF_FONT_HEADING] = {14, true},
	[PDF_FONT_SUBHEADING] = {10.5, true},
	[PDF_FONT_STRONG] = {11.5, true},
	[PDF_FONT_BODY] = {9.5, false},
	[PDF_FONT_CAPTION] = {9, true},
	[PDF_FONT_HEAD] = {8.2, true},
	[PDF_FONT_CELL] = {8.4, false},
	[PDF_FONT_SMALL] = {7.2, false},
};

// Draw the lines of a layout; it goes on over the next page. @p mark stands in front of the first.
static void lines_draw(struct pdf *pdf, PangoLayout *layout, double x, const char *mark)
{
	PangoLayoutIter *iter = pango_layout_get_iter(layout);
	const int n = pango_layout_get_line_count(layout);
	double above = 0; // where the page's part of the layout begins

	// A few lines are not torn apart.
	pdf_need(pdf, n <= 3 ? pdf_layout_height(layout) : pdf_layout_height(layout) * 2 / n);
	do {
		int top, bottom;
		double height;

		pango_layout_iter_get_line_yrange(iter, &top, &bottom);
		height = (double)(bottom - top) / PANGO_SCALE;
		if (pdf->y + height > PDF_BOTTOM)
			pdf_page_next(pdf);
		above = (double)(pango_layout_iter_get_baseline(iter) - top) / PANGO_SCALE;
		cairo_move_to(pdf->cairo, x, pdf->y + above);
		pango_cairo_show_layout_line(pdf->cairo, pango_layout_iter_get_line_readonly(iter));
		if (mark) {
			static const struct pdf_box box = {PDF_FONT_BODY, 0, PANGO_ALIGN_LEFT};
			PangoLayout *dot = pdf_layout(pdf, mark, &box);

			cairo_move_to(pdf->cairo, x - INDENT + 3, pdf->y + above);
			pango_cairo_show_layout_line(
				pdf->cairo, pango_layout_get_line_readonly(dot, 0));
			g_object_unref(dot);
			mark = NULL;
		}
		pdf->y += height;
	} while (pango_layout_iter_next_line(iter));
	pango_layout_iter_free(iter);
}

static void text_draw(
	struct pdf *pdf, const char *text, enum pdf_font font, double indent, const char *mark)
{
	const struct pdf_box box = {font, PDF_ROOM - indent, PANGO_ALIGN_LEFT};
	PangoLayout *layout = pdf_layout(pdf, text, &box);

	lines_draw(pdf, layout, PDF_LEFT + indent, mark);
	g_object_unref(layout);
}

static void outline_add(struct pdf *pdf, const char *text, bool is_section)
{
	char *place = g_strdup_printf("page=%u pos=[%d %d]", pdf->page, (int)PDF_LEFT, (int)pdf->y);
	int id = cairo_pdf_surface_add_outline(pdf->surface,
		is_section ? CAIRO_PDF_OUTLINE_ROOT : pdf->outline, text, place,
		is_section ? CAIRO_PDF_OUTLINE_FLAG_OPEN : 0);

	if (is_section)
		pdf->outline = id;
	g_free(place);
}

static double text_height(struct pdf *pdf, const char *text, enum pdf_font font)
{
	const struct pdf_box box = {font, PDF_ROOM, PANGO_ALIGN_LEFT};
	PangoLayout *layout = pdf_layout(pdf, text, &box);
	double height = pdf_layout_height(layout);

	g_object_unref(layout);
	return height;
}

// Height of what may not be torn apart: headings with what follows, a sentence with its table.
static double kept_height(struct pdf *pdf, const struct report_block *block)
{
	const struct report_block *end = pdf->doc->blocks + pdf->doc->n_blocks;
	double height = 0;

	for (; block < end && block->kind == BLOCK_HEADING; block++)
		height += text_height(pdf, block->text, PDF_FONT_HEADING) + 8;
	for (; block < end && block->kind == BLOCK_SUBHEADING; block++)
		height += text_height(pdf, block->text, PDF_FONT_SUBHEADING) + 11;
	if (block == end)
		return height;
	if (block->kind == BLOCK_TABLE)
		return height + 6 + pdf_table_begin_height(pdf, block);
	if (block->kind == BLOCK_CHART)
		return height + 60;
	if (block->kind == BLOCK_TEXT && block + 1 < end && block[1].kind == BLOCK_TABLE)
		return height + text_height(pdf, block->text, PDF_FONT_BODY) + 11 +
		       pdf_table_begin_height(pdf, &block[1]);
	return height + 36;
}

static void heading_draw(struct pdf *pdf, const struct report_block *block)
{
	const struct pdf_box box = {PDF_FONT_HEADING, PDF_ROOM - INDENT, PANGO_ALIGN_LEFT};
	PangoLayout *layout = pdf_layout(pdf, block->text, &box);
	double height = pdf_layout_height(layout);
	char name[32];

	pdf->y += 20;
	pdf_need(pdf, kept_height(pdf, block));
	outline_add(pdf, block->text, true);
	snprintf(name, sizeof(name), "name='s%u'", pdf->n_headings);
	cairo_tag_begin(pdf->cairo, CAIRO_TAG_DEST, name);
	pdf_colour_set(pdf, PDF_ACCENT);
	pdf_rectangle(pdf, PDF_LEFT, pdf->y + 1, 4, height - 2);
	pdf_colour_set(pdf, PDF_INK);
	pdf_layout_draw(pdf, layout, PDF_LEFT + INDENT - 2, pdf->y);
	cairo_tag_end(pdf->cairo, CAIRO_TAG_DEST);
	pdf->y += height + 8;
	if (pdf->n_headings < PDF_HEADINGS)
		pdf->heading_pages[pdf->n_headings++] = pdf->page;
	g_object_unref(layout);
}

static void subheading_draw(struct pdf *pdf, const struct report_block *block)
{
	pdf->y += 8;
	pdf_need(pdf, kept_height(pdf, block));
	outline_add(pdf, block->text, false);
	pdf_colour_set(pdf, PDF_ACCENT);
	text_draw(pdf, block->text, PDF_FONT_SUBHEADING, 0, NULL);
	pdf_colour_set(pdf, PDF_INK);
	pdf->y += 3;
}

static bool is_bullet(const struct report_block *block)
{
	return block->kind == BLOCK_BULLET || block->kind == BLOCK_SUBBULLET;
}

static void block_draw(struct pdf *pdf, const struct report_block *block)
{
	pdf_colour_set(pdf, PDF_INK);
	switch (block->kind) {
	case BLOCK_HEADING:
		heading_draw(pdf, block);
		break;
	case BLOCK_SUBHEADING:
		subheading_draw(pdf, block);
		break;
	case BLOCK_TEXT:
		if (block > pdf->doc->blocks && is_bullet(block - 1))
			pdf->y += 4;
		pdf_need(pdf, kept_height(pdf, block));
		text_draw(pdf, block->text, PDF_FONT_BODY, 0, NULL);
		pdf->y += 5;
		break;
	case BLOCK_STRONG:
		pdf->y += 4;
		text_draw(pdf, block->text, PDF_FONT_STRONG, 0, NULL);
		pdf->y += 9;
		break;
	case BLOCK_BULLET:
		text_draw(pdf, block->text, PDF_FONT_BODY, INDENT, "•");
		pdf->y += 2.5;
		break;
	case BLOCK_SUBBULLET:
		text_draw(pdf, block->text, PDF_FONT_BODY, 2 * INDENT, "–");
		pdf->y += 2;
		break;
	case BLOCK_TABLE:
		pdf_table_draw(pdf, block);
		break;
	case BLOCK_CHART:
		pdf_chart_draw(pdf, block);
		break;
	}
}

// Sections with their pages, as the first drawing has found them.
static void contents_draw(struct pdf *pdf, const unsigned *pages)
{
	static const struct pdf_box box = {PDF_FONT_BODY, 0, PANGO_ALIGN_LEFT};
	const struct report_doc *doc = pdf->doc;
	unsigned n = 0;

	pdf->y += 16;
	pdf_colour_set(pdf, PDF_ACCENT);
	text_draw(pdf, report_word(WORD_CONTENTS, doc->language), PDF_FONT_SUBHEADING, 0, NULL);
	pdf->y += 2;
	for (size_t i = 0; i < doc->n_blocks && n < PDF_HEADINGS; i++) {
		PangoLayout *name, *page;
		char text[32];

		if (doc->blocks[i].kind != BLOCK_HEADING)
			continue;
		snprintf(text, sizeof(text), "%u", pages ? pages[n] : 1);
		name = pdf_layout(pdf, doc->blocks[i].text, &box);
		page = pdf_layout(pdf, text, &box);
		pdf_colour_set(pdf, PDF_INK);
		snprintf(text, sizeof(text), "dest='s%u'", n++);
		cairo_tag_begin(pdf->cairo, CAIRO_TAG_LINK, text);
		pdf_layout_draw(pdf, name, PDF_LEFT, pdf->y);
		pdf_layout_draw(pdf, page, PDF_LEFT + PDF_ROOM - pdf_layout_width(page), pdf->y);
		cairo_tag_end(pdf->cairo, CAIRO_TAG_LINK);
		pdf->y += pdf_layout_height(name);
		pdf_colour_set(pdf, PDF_LINE);
		pdf_rectangle(pdf, PDF_LEFT, pdf->y, PDF_ROOM, 0.4);
		pdf->y += 3;
		g_object_unref(name);
		g_object_unref(page);
	}
	pdf->y += 10;
}

static void title_draw(struct pdf *pdf)
{
	const struct report_doc *doc = pdf->doc;

	pdf_colour_set(pdf, PDF_ACCENT);
	pdf_rectangle(pdf, PDF_LEFT, pdf->y, PDF_ROOM, 3);
	pdf->y += 16;
	text_draw(pdf, doc->operator, PDF_FONT_STRONG, 0, NULL);
	pdf->y += 2;
	pdf_colour_set(pdf, PDF_INK);
	text_draw(pdf, doc->title, PDF_FONT_TITLE, 0, NULL);
	pdf->y += 4;
	text_draw(pdf, doc->period, PDF_FONT_STRONG, 0, NULL);
	pdf_colour_set(pdf, PDF_GREY);
	text_draw(pdf, doc->made, PDF_FONT_BODY, 0, NULL);
	pdf->y += 10;
	pdf_colour_set(pdf, PDF_LINE);
	pdf_rectangle(pdf, PDF_LEFT, pdf->y, PDF_ROOM, 0.6);
}

static void fonts_make(struct pdf *pdf)
{
	for (unsigned i = 0; i < PDF_FONTS; i++) {
		PangoFontDescription *font = pango_font_description_new();

		pango_font_description_set_family(font, pdf->doc->font);
		pango_font_description_set_size(font, (int)(fonts[i].size * PANGO_SCALE));
		pango_font_description_set_weight(
			font, fonts[i].bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
		pdf->fonts[i] = font;
	}
}

static void metadata_set(struct pdf *pdf, int64_t made)
{
	const struct report_doc *doc = pdf->doc;
	char *title = g_strdup_printf("%s – %s", doc->title, doc->period);
	time_t time = (time_t)made;
	char moment[40] = "";
	struct tm utc;

	if (gmtime_r(&time, &utc))
		strftime(moment, sizeof(moment), "%FT%TZ", &utc);
	cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_TITLE, title);
	cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_AUTHOR, doc->operator);
	cairo_pdf_surface_set_metadata(
		pdf->surface, CAIRO_PDF_METADATA_CREATOR, "dnsweir-report " DNSWEIR_VERSION);
	cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_CREATE_DATE, moment);
	cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_MOD_DATE, moment);
	g_free(title);
}

// Where a drawing goes, and why it does not get there.
struct sink {
	FILE *stream; // NULL: nowhere
	int err;
};

static cairo_status_t octets_write(void *closure, const unsigned char *data, unsigned length)
{
	struct sink *sink = closure;

	if (!sink->stream || fwrite(data, 1, length, sink->stream) == length)
		return CAIRO_STATUS_SUCCESS;
	sink->err = -errno;
	return CAIRO_STATUS_WRITE_ERROR;
}

// Draw the document. @p before: what the drawing before has found, or NULL
static cairo_status_t doc_draw(
	struct pdf *pdf, struct sink *sink, const struct pdf *before, int64_t made)
{
	const struct report_doc *doc = pdf->doc;
	cairo_font_options_t *options = cairo_font_options_create();
	cairo_status_t status;

	pdf->surface =
		cairo_pdf_surface_create_for_stream(octets_write, sink, PDF_WIDTH, PDF_HEIGHT);
	metadata_set(pdf, made);
	pdf->cairo = cairo_create(pdf->surface);
	pdf->context = pango_cairo_create_context(pdf->cairo);
	// One point of a font is one of the page, there are no pixels to fit glyphs into, and CJK
	// characters are those of the language.
	pango_cairo_context_set_resolution(pdf->context, 72);
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	pango_cairo_context_set_font_options(pdf->context, options);
	cairo_font_options_destroy(options);
	pango_context_set_round_glyph_positions(pdf->context, FALSE);
	pango_context_set_language(
		pdf->context, pango_language_from_string(report_language_tag(doc->language)));
	fonts_make(pdf);
	pdf->page = 1;
	pdf->y = PDF_TOP;
	pdf->n_pages = before ? before->page : 0;
	title_draw(pdf);
	contents_draw(pdf, before ? before->heading_pages : NULL);
	for (size_t i = 0; i < doc->n_blocks; i++)
		block_draw(pdf, &doc->blocks[i]);
	pdf_footer_draw(pdf);
	cairo_show_page(pdf->cairo);
	status = cairo_status(pdf->cairo);
	g_object_unref(pdf->context);
	cairo_destroy(pdf->cairo);
	cairo_surface_finish(pdf->surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(pdf->surface);
	cairo_surface_destroy(pdf->surface);
	for (unsigned i = 0; i < PDF_FONTS; i++)
		pango_font_description_free(pdf->fonts[i]);
	return status;
}

int report_write_pdf(
	const struct report_output *output, const char *path, char error[REPORT_ERROR_SIZE])
{
	struct report_doc *doc = report_doc_build(output, error);
	struct pdf first = {.doc = doc}, second = {.doc = doc};
	struct sink nowhere = {0}, sink = {0};
	cairo_status_t status;
	struct report_file file;
	int err;

	if (!doc)
		return -EINVAL;
	err = report_file_open(&file, path, error);
	if (err < 0)
		goto out;
	sink.stream = file.stream;
	status = doc_draw(&first, &nowhere, NULL, output->made);
	if (status == CAIRO_STATUS_SUCCESS && first.unknown == 0)
		status = doc_draw(&second, &sink, &first, output->made);
	if (first.unknown > 0) {
		err = -ENOENT;
		snprintf(error, REPORT_ERROR_SIZE,
			"%s: expected fonts with all characters of the report (as the package "
			"fonts-noto-cjk has them), %d are missing",
			path, first.unknown);
	} else if (status != CAIRO_STATUS_SUCCESS) {
		err = sink.err ? sink.err : -EIO;
		snprintf(error, REPORT_ERROR_SIZE, "%s: %s", path,
			sink.err ? strerror(-sink.err) : cairo_status_to_string(status));
	}
	err = report_file_close(&file, err, error);
out:
	report_doc_free(doc);
	return err;
}
