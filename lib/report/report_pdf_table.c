/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report_pdf.h"

#define PAD_X 5.0
#define PAD_Y 3.2

#define ROWS_TOGETHER 3     // of a table's begin
#define WHOLE_HEIGHT  170.0 // a table up to this height is not torn apart

static double column_width(const struct report_table *table, size_t column)
{
	unsigned sum = 0;

	for (size_t c = 0; c < table->n_columns; c++)
		sum += table->columns[c].weight;
	return PDF_ROOM * table->columns[column].weight / sum;
}

// Lay out a row and draw it at pdf->y, or only tell its height.
static double row_draw(struct pdf *pdf, const struct report_table *table, const char *const *cells,
	bool is_head, bool draw)
{
	double height = 0, x = PDF_LEFT;

	for (size_t c = 0; c < table->n_columns; c++) {
		const struct pdf_box box = {
			.font = is_head ? PDF_FONT_HEAD : PDF_FONT_CELL,
			.width = column_width(table, c) - 2 * PAD_X,
			.align = table->columns[c].numeric ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT,
		};
		PangoLayout *layout =
			pdf_layout(pdf, cells ? cells[c] : table->columns[c].head, &box);

		height = MAX(height, pdf_layout_height(layout) + 2 * PAD_Y);
		if (draw)
			pdf_layout_draw(pdf, layout, x + PAD_X, pdf->y + PAD_Y);
		x += column_width(table, c);
		g_object_unref(layout);
	}
	return height;
}

static double row_height(
	struct pdf *pdf, const struct report_table *table, const char *const *cells)
{
	return row_draw(pdf, table, cells, !cells, false);
}

static PangoLayout *caption_layout(struct pdf *pdf, const struct report_block *block, bool goes_on)
{
	static const struct pdf_box box = {PDF_FONT_CAPTION, PDF_ROOM, PANGO_ALIGN_LEFT};
	char *text = g_strconcat(block->text,
		goes_on ? report_word(WORD_TABLE_GOES_ON, pdf->doc->language) : "", NULL);
	PangoLayout *layout = pdf_layout(pdf, text, &box);

	g_free(text);
	return layout;
}

static void head_draw(struct pdf *pdf, const struct report_block *block, bool goes_on)
{
	PangoLayout *caption = caption_layout(pdf, block, goes_on);
	double height = row_height(pdf, block->table, NULL);

	pdf_colour_set(pdf, PDF_INK);
	pdf_layout_draw(pdf, caption, PDF_LEFT, pdf->y);
	pdf->y += pdf_layout_height(caption) + 4;
	pdf_colour_set(pdf, PDF_SOFT);
	pdf_rectangle(pdf, PDF_LEFT, pdf->y, PDF_ROOM, height);
	pdf_colour_set(pdf, PDF_ACCENT);
	pdf_rectangle(pdf, PDF_LEFT, pdf->y, PDF_ROOM, 1.2);
	pdf_rectangle(pdf, PDF_LEFT, pdf->y + height - 0.6, PDF_ROOM, 0.6);
	pdf_colour_set(pdf, PDF_INK);
	row_draw(pdf, block->table, NULL, true, true);
	pdf->y += height;
	g_object_unref(caption);
}

double pdf_table_begin_height(struct pdf *pdf, const struct report_block *block)
{
	const struct report_table *table = block->table;
	PangoLayout *caption = caption_layout(pdf, block, false);
	double height = pdf_layout_height(caption) + 4 + row_height(pdf, table, NULL), whole;
	size_t r;

	for (r = 0; r < table->n_rows && r < ROWS_TOGETHER; r++)
		height += row_height(pdf, table, table->cells + r * table->n_columns);
	whole = height;
	for (; r < table->n_rows && whole <= WHOLE_HEIGHT; r++)
		whole += row_height(pdf, table, table->cells + r * table->n_columns);
	g_object_unref(caption);
	return whole <= WHOLE_HEIGHT ? whole : height;
}

void pdf_table_draw(struct pdf *pdf, const struct report_block *block)
{
	const struct report_table *table = block->table;

	pdf->y += 6;
	pdf_need(pdf, pdf_table_begin_height(pdf, block));
	head_draw(pdf, block, false);
	for (size_t r = 0; r < table->n_rows; r++) {
		const char *const *cells = table->cells + r * table->n_columns;
		double height = row_height(pdf, table, cells);

		if (pdf->y + height > PDF_BOTTOM && r > 0) {
			pdf_page_next(pdf);
			head_draw(pdf, block, true);
		}
		pdf_colour_set(pdf, PDF_INK);
		row_draw(pdf, table, cells, false, true);
		pdf->y += height;
		pdf_colour_set(pdf, PDF_LINE);
		pdf_rectangle(pdf, PDF_LEFT, pdf->y - 0.5, PDF_ROOM, 0.5);
	}
	pdf->y += 12;
}
