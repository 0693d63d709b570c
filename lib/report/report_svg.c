/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "report/report_html.h"
#include "text/text.h"

#define WIDTH     760
#define BAR_PITCH 30
#define BAR_SIZE  18
#define FONT_SIZE 13
#define GAP       10

// Width of a text, near enough to keep it off its neighbours: there is no font to ask.
static double width_guess(const char *text)
{
	double ems = 0;

	for (size_t size = strlen(text); size > 0;) {
		uint32_t code = 0;
		unsigned n = text_utf8_char(text, size, &code);

		if (n == 0)
			break;
		ems += code < 0x1100 ? 0.62 : 1.0;
		text += n;
		size -= n;
	}
	return ems * FONT_SIZE;
}

static void widths_find(const struct report_chart *chart, double *label, double *text, double *most)
{
	*label = *text = *most = 0;
	for (size_t i = 0; i < chart->n; i++) {
		double l = width_guess(chart->bars[i].label), t = width_guess(chart->bars[i].text);

		*label = l > *label ? l : *label;
		*text = t > *text ? t : *text;
		*most = chart->bars[i].value > *most ? chart->bars[i].value : *most;
	}
	// Long labels are not worth more than half of the chart.
	if (*label > WIDTH / 2.0)
		*label = WIDTH / 2.0;
}

void report_svg_write(FILE *stream, const struct report_block *block, unsigned n)
{
	const struct report_chart *chart = block->chart;
	double label, text, most, room;
	int height = (int)chart->n * BAR_PITCH + 2;

	widths_find(chart, &label, &text, &most);
	room = WIDTH - label - text - 2 * GAP;
	fprintf(stream,
		"<svg role=\"img\" aria-labelledby=\"c%u-title c%u-desc\" viewBox=\"0 0 %d %d\" "
		"width=\"%d\" height=\"%d\" font-size=\"%d\" font-family=\"inherit\" "
		"fill=\"#1b2733\">\n<title id=\"c%u-title\">",
		n, n, WIDTH, height, WIDTH, height, FONT_SIZE, n);
	report_html_text(stream, block->text);
	fprintf(stream, "</title>\n<desc id=\"c%u-desc\">", n);
	report_html_text(stream, chart->description);
	fputs("</desc>\n", stream);
	for (size_t i = 0; i < chart->n; i++) {
		const struct report_bar *bar = &chart->bars[i];
		const double size = most > 0 ? room * bar->value / most : 0;
		const int y = (int)i * BAR_PITCH, line = y + BAR_PITCH / 2 + FONT_SIZE / 3;

		fprintf(stream, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"end\">", label, line);
		report_html_text(stream, bar->label);
		fprintf(stream,
			"</text><rect x=\"%.1f\" y=\"%d\" width=\"%.2f\" height=\"%d\" rx=\"2\" "
			"fill=\"#2f6f9f\"/><text x=\"%.1f\" y=\"%d\">",
			label + GAP, y + (BAR_PITCH - BAR_SIZE) / 2, size, BAR_SIZE,
			label + GAP + size + 6, line);
		report_html_text(stream, bar->text);
		fputs("</text>\n", stream);
	}
	fprintf(stream,
		"<line x1=\"%.1f\" y1=\"0\" x2=\"%.1f\" y2=\"%d\" stroke=\"#8796a5\"/>\n</svg>\n",
		label + GAP, label + GAP, height);
}
