/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files that draw PDF pages share. Lengths are points, y grows downwards.
 *
 * A document is drawn twice: the first time into nowhere, to learn how many pages there are and
 * which of them has which heading.
 */
#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "report/report_doc.h"

#define PDF_WIDTH    595.28 /**< A4 */
#define PDF_HEIGHT   841.89
#define PDF_LEFT     62.0
#define PDF_TOP      60.0
#define PDF_BOTTOM   (PDF_HEIGHT - 68.0) /**< the footer is below */
#define PDF_ROOM     (PDF_WIDTH - 2 * PDF_LEFT)
#define PDF_HEADINGS 16 /**< sections of a report are fewer */

enum pdf_font {
	PDF_FONT_TITLE,
	PDF_FONT_HEADING,
	PDF_FONT_SUBHEADING,
	PDF_FONT_STRONG,
	PDF_FONT_BODY,
	PDF_FONT_CAPTION,
	PDF_FONT_HEAD,  /**< of a table's column */
	PDF_FONT_CELL,
	PDF_FONT_SMALL,
	PDF_FONTS,
};

enum pdf_colour {
	PDF_INK,
	PDF_ACCENT,
	PDF_GREY,
	PDF_LINE,
	PDF_SOFT,
	PDF_BAR,
};

struct pdf {
	const struct report_doc *doc;
	cairo_surface_t *surface;
	cairo_t *cairo;
	PangoContext *context;
	PangoFontDescription *fonts[PDF_FONTS];
	double y;         /**< where the next thing goes */
	unsigned page;    /**< 1.. */
	unsigned n_pages; /**< 0 the first time */
	unsigned n_headings;
	unsigned heading_pages[PDF_HEADINGS]; /**< from the first time */
	int outline;      /**< id of the section's entry */
	int unknown;      /**< characters that no font has */
};

/** Width and alignment of a text. */
struct pdf_box {
	enum pdf_font font;
	double width;        /**< lines are broken there; 0: a single line */
	PangoAlignment align;
};

/** Lay out a text. Free with g_object_unref. */
PangoLayout *pdf_layout(struct pdf *pdf, const char *text, const struct pdf_box *box);

double pdf_layout_height(PangoLayout *layout);
double pdf_layout_width(PangoLayout *layout);

/** Draw a layout with its top left corner at (@p x, @p y). */
void pdf_layout_draw(struct pdf *pdf, PangoLayout *layout, double x, double y);

void pdf_colour_set(struct pdf *pdf, enum pdf_colour colour);
void pdf_rectangle(struct pdf *pdf, double x, double y, double width, double height);

/** Go to the next page unless @p height is left on this one. */
void pdf_need(struct pdf *pdf, double height);
void pdf_page_next(struct pdf *pdf);

/** Name, title and number of the page. */
void pdf_footer_draw(struct pdf *pdf);

/** Draw a table at pdf->y; it goes on over as many pages as it takes. */
void pdf_table_draw(struct pdf *pdf, const struct report_block *block);

/** Height of what of a table has to be on one page. */
double pdf_table_begin_height(struct pdf *pdf, const struct report_block *block);

void pdf_chart_draw(struct pdf *pdf, const struct report_block *block);
