/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report_pdf.h"

#define BAR_PITCH 17.0
#define BAR_SIZE  10.0
#define GAP       8.0

static const struct pdf_box cell = {PDF_FONT_CELL, 0, PANGO_ALIGN_LEFT};

static double text_width(struct pdf *pdf, const char *text)
{
	PangoLayout *layout = pdf_layout(pdf, text, &cell);
	double width = pdf_layout_width(layout);

	g_object_unref(layout);
	return width;
}

// @p x is the right end of the text, or its left one; @p room what it may take
static void text_draw(struct pdf *pdf, const char *text, double x, double room, bool right)
{
	PangoLayout *layout = pdf_layout(pdf, text, &cell);

	if (pdf_layout_width(layout) > room) {
		pango_layout_set_width(layout, (int)(room * PANGO_SCALE));
		pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
	}
	pdf_layout_draw(pdf, layout, right ? x - pdf_layout_width(layout) : x,
		pdf->y + (BAR_PITCH - pdf_layout_height(layout)) / 2);
	g_object_unref(layout);
}

void pdf_chart_draw(struct pdf *pdf, const struct report_block *block)
{
	static const struct pdf_box box = {PDF_FONT_CAPTION, PDF_ROOM, PANGO_ALIGN_LEFT};
	const struct report_chart *chart = block->chart;
	PangoLayout *caption = pdf_layout(pdf, block->text, &box);
	double label = 0, text = 0, most = 0, room, top;

	for (size_t i = 0; i < chart->n; i++) {
		label = MAX(label, text_width(pdf, chart->bars[i].label));
		text = MAX(text, text_width(pdf, chart->bars[i].text));
		most = MAX(most, chart->bars[i].value);
	}
	label = MIN(label, PDF_ROOM / 2);
	room = PDF_ROOM - label - text - 2 * GAP;
	pdf->y += 6;
	pdf_need(pdf, pdf_layout_height(caption) + 6 + BAR_PITCH * (double)chart->n);
	pdf_colour_set(pdf, PDF_INK);
	pdf_layout_draw(pdf, caption, PDF_LEFT, pdf->y);
	pdf->y += pdf_layout_height(caption) + 6;
	top = pdf->y;
	for (size_t i = 0; i < chart->n; i++, pdf->y += BAR_PITCH) {
		const struct report_bar *bar = &chart->bars[i];
		const double size = most > 0 ? room * bar->value / most : 0;

		pdf_colour_set(pdf, PDF_INK);
		text_draw(pdf, bar->label, PDF_LEFT + label, label, true);
		pdf_colour_set(pdf, PDF_BAR);
		pdf_rectangle(pdf, PDF_LEFT + label + GAP, pdf->y + (BAR_PITCH - BAR_SIZE) / 2,
			size, BAR_SIZE);
		pdf_colour_set(pdf, PDF_INK);
		text_draw(pdf, bar->text, PDF_LEFT + label + GAP + size + 5, text + 1, false);
	}
	pdf_colour_set(pdf, PDF_GREY);
	pdf_rectangle(pdf, PDF_LEFT + label + GAP - 0.6, top, 0.6, pdf->y - top);
	pdf->y += 12;
	g_object_unref(caption);
}
