/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Pages, texts and colours.
 */
#include "report/report_pdf.h"

PangoLayout *pdf_layout(struct pdf *pdf, const char *text, const struct pdf_box *box)
{
	PangoLayout *layout = pango_layout_new(pdf->context);
	const bool dense = box->font == PDF_FONT_HEAD || box->font == PDF_FONT_CELL ||
			   box->font == PDF_FONT_SMALL;

	pango_layout_set_font_description(layout, pdf->fonts[box->font]);
	// Between lines of CJK text fonts already leave much room.
	pango_layout_set_line_spacing(layout, dense ? 1.0F : 1.12F);
	if (box->width > 0) {
		pango_layout_set_width(layout, (int)(box->width * PANGO_SCALE));
		pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	}
	pango_layout_set_alignment(layout, box->align);
	pango_layout_set_text(layout, text, -1);
	pdf->unknown += pango_layout_get_unknown_glyphs_count(layout);
	return layout;
}

double pdf_layout_height(PangoLayout *layout)
{
	PangoRectangle logical;

	pango_layout_get_extents(layout, NULL, &logical);
	return (double)logical.height / PANGO_SCALE;
}

double pdf_layout_width(PangoLayout *layout)
{
	PangoRectangle logical;

	pango_layout_get_extents(layout, NULL, &logical);
	return (double)logical.width / PANGO_SCALE;
}

void pdf_layout_draw(struct pdf *pdf, PangoLayout *layout, double x, double y)
{
	cairo_move_to(pdf->cairo, x, y);
	pango_cairo_show_layout(pdf->cairo, layout);
}

void pdf_colour_set(struct pdf *pdf, enum pdf_colour colour)
{
	static const unsigned colours[] = {
		[PDF_INK] = 0x1b2733,
		[PDF_ACCENT] = 0x1f4e79,
		[PDF_GREY] = 0x51606f,
		[PDF_LINE] = 0xc5ced8,
		[PDF_SOFT] = 0xeef3f8,
		[PDF_BAR] = 0x2f6f9f,
	};
	const unsigned c = colours[colour];

	cairo_set_source_rgb(
		pdf->cairo, (c >> 16) / 255.0, (c >> 8 & 0xff) / 255.0, (c & 0xff) / 255.0);
}

void pdf_rectangle(struct pdf *pdf, double x, double y, double width, double height)
{
	cairo_rectangle(pdf->cairo, x, y, width, height);
	cairo_fill(pdf->cairo);
}

void pdf_footer_draw(struct pdf *pdf)
{
	static const struct pdf_box box = {PDF_FONT_SMALL, 0, PANGO_ALIGN_LEFT};
	char *number = g_strdup_printf(
		report_word(WORD_PAGE, pdf->doc->language), pdf->page, pdf->n_pages);
	char *name = g_strdup_printf(
		"%s  |  %s  |  %s", pdf->doc->operator, pdf->doc->title, pdf->doc->period);
	PangoLayout *left = pdf_layout(pdf, name, &box), *right = pdf_layout(pdf, number, &box);

	// A name that is too long for its place is cut there.
	pango_layout_set_width(left, (int)((PDF_ROOM - 60) * PANGO_SCALE));
	pango_layout_set_ellipsize(left, PANGO_ELLIPSIZE_END);
	pdf_colour_set(pdf, PDF_LINE);
	pdf_rectangle(pdf, PDF_LEFT, PDF_HEIGHT - 50, PDF_ROOM, 0.6);
	pdf_colour_set(pdf, PDF_GREY);
	pdf_layout_draw(pdf, left, PDF_LEFT, PDF_HEIGHT - 44);
	pdf_layout_draw(pdf, right, PDF_LEFT + PDF_ROOM - pdf_layout_width(right), PDF_HEIGHT - 44);
	g_object_unref(left);
	g_object_unref(right);
	g_free(number);
	g_free(name);
}

void pdf_page_next(struct pdf *pdf)
{
	// Whoever goes on has set a colour.
	cairo_save(pdf->cairo);
	pdf_footer_draw(pdf);
	cairo_restore(pdf->cairo);
	cairo_show_page(pdf->cairo);
	pdf->page++;
	pdf->y = PDF_TOP;
}

void pdf_need(struct pdf *pdf, double height)
{
	if (pdf->y + height > PDF_BOTTOM && pdf->y > PDF_TOP)
		pdf_page_next(pdf);
}
