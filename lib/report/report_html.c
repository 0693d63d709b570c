/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A report as one HTML file that needs nothing else: style and charts are in it. Headings,
 * captions, scopes of table heads and descriptions of charts serve those who have it read to them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/report_doc.h"
#include "report/report_file.h"
#include "report/report_html.h"

static const char style[] =
	":root{--ink:#1b2733;--accent:#1f4e79;--line:#c5ced8;--soft:#eef3f8}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;padding:2.5rem 1.5rem 4rem;max-width:56rem;color:var(--ink);"
	"background:#fff;font:1rem/1.75 'Noto Sans CJK JP','Noto Sans JP','Hiragino Sans','Yu "
	"Gothic',Meiryo,system-ui,sans-serif}\n"
	"header{border-bottom:4px solid var(--accent);padding-bottom:1.25rem}\n"
	"header p{margin:.15rem 0}\nh1{font-size:1.9rem;line-height:1.35;margin:.25rem 0 .75rem}\n"
	".operator{color:var(--accent);font-weight:700}\n"
	"nav{background:var(--soft);margin:1.75rem 0;padding:1rem 1.5rem}\n"
	"nav h2{border:0;font-size:1rem;margin:0;padding:0}\n"
	"nav ul{list-style:none;margin:.25rem 0 0;padding:0}\na{color:var(--accent)}\n"
	"h2{border-left:.4rem solid var(--accent);font-size:1.3rem;line-height:1.4;"
	"margin:2.75rem 0 1rem;padding-left:.75rem}\n"
	"h3{color:var(--accent);font-size:1.05rem;margin:1.75rem 0 .5rem}\n"
	"p{margin:.5rem 0}\n.strong{font-size:1.1rem;font-weight:700;margin:1rem 0}\n"
	"ul{margin:.5rem 0;padding-left:1.5rem}\n"
	".scroll{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:.9rem;line-height:1.5;margin:1rem 0;width:100%}\n"
	"caption{font-weight:700;padding:.4rem 0;text-align:left}\n"
	"th,td{border-bottom:1px solid var(--line);padding:.4rem .6rem;text-align:left;"
	"vertical-align:top}\n"
	"thead th{background:var(--soft);border-top:2px solid var(--accent);"
	"border-bottom:1px solid var(--accent)}\n"
	"tbody th{font-weight:400;white-space:nowrap}\n"
	".n{font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap}\n"
	"figure{margin:1.5rem 0}\nfigcaption{font-size:.9rem;font-weight:700}\n"
	"svg{display:block;height:auto;max-width:100%}\n"
	"footer{border-top:1px solid var(--line);color:#51606f;font-size:.85rem;margin-top:3rem;"
	"padding-top:.75rem}\n"
	"@media print{body{font-size:10pt;max-width:none;padding:0}h2,h3,caption{break-after:avoid}"
	"tr,figure{break-inside:avoid}thead{display:table-header-group}@page{margin:18mm}}\n";

void report_html_text(FILE *stream, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", stream);
		else if (*text == '<')
			fputs("&lt;", stream);
		else if (*text == '>')
			fputs("&gt;", stream);
		else if (*text == '"')
			fputs("&quot;", stream);
		else
			putc(*text, stream);
	}
}

// An element without attributes that needs any care, around a text.
static void element(FILE *stream, const char *open, const char *text, const char *close)
{
	fputs(open, stream);
	report_html_text(stream, text);
	fputs(close, stream);
}

static void cell_write(
	FILE *stream, const struct report_table *table, size_t column, const char *text)
{
	const bool heads = column == 0 && !table->is_plain;

	fputs(heads ? "<th scope=\"row\"" : "<td", stream);
	fputs(table->columns[column].numeric ? " class=\"n\">" : ">", stream);
	report_html_text(stream, text);
	fputs(heads ? "</th>" : "</td>", stream);
}

static void table_write(FILE *stream, const struct report_block *block)
{
	const struct report_table *table = block->table;

	element(stream, "<div class=\"scroll\"><table>\n<caption>", block->text, "</caption>\n");
	fputs("<thead><tr>", stream);
	for (size_t c = 0; c < table->n_columns; c++) {
		fputs(table->columns[c].numeric ? "<th scope=\"col\" class=\"n\">"
						: "<th scope=\"col\">",
			stream);
		element(stream, "", table->columns[c].head, "</th>");
	}
	fputs("</tr></thead>\n<tbody>\n", stream);
	for (size_t r = 0; r < table->n_rows; r++) {
		fputs("<tr>", stream);
		for (size_t c = 0; c < table->n_columns; c++)
			cell_write(stream, table, c, table->cells[r * table->n_columns + c]);
		fputs("</tr>\n", stream);
	}
	fputs("</tbody>\n</table></div>\n", stream);
}

// Lists are as deep as the kind of the last block.
static unsigned depth_of(const struct report_block *block)
{
	return block->kind == BLOCK_BULLET ? 1 : block->kind == BLOCK_SUBBULLET ? 2 : 0;
}

static unsigned lists_set(FILE *stream, unsigned now, unsigned wanted)
{
	for (; now > wanted; now--)
		fputs("</li></ul>\n", stream);
	if (wanted > 0 && now == wanted)
		fputs("</li>\n", stream);
	for (; now < wanted; now++)
		fputs(now + 1 < wanted ? "<ul><li>" : "<ul>\n", stream);
	return wanted;
}

static void block_write(
	FILE *stream, const struct report_block *block, unsigned *n_headings, unsigned *n_charts)
{
	switch (block->kind) {
	case BLOCK_HEADING:
		fprintf(stream, "%s<section aria-labelledby=\"s%u\">\n<h2 id=\"s%u\">",
			*n_headings ? "</section>\n" : "", *n_headings + 1, *n_headings + 1);
		element(stream, "", block->text, "</h2>\n");
		(*n_headings)++;
		break;
	case BLOCK_SUBHEADING:
		element(stream, "<h3>", block->text, "</h3>\n");
		break;
	case BLOCK_TEXT:
		element(stream, "<p>", block->text, "</p>\n");
		break;
	case BLOCK_STRONG:
		element(stream, "<p class=\"strong\">", block->text, "</p>\n");
		break;
	case BLOCK_BULLET:
	case BLOCK_SUBBULLET:
		element(stream, "<li>", block->text, "");
		break;
	case BLOCK_TABLE:
		table_write(stream, block);
		break;
	case BLOCK_CHART:
		element(stream, "<figure>\n<figcaption>", block->text, "</figcaption>\n");
		report_svg_write(stream, block, ++*n_charts);
		fputs("</figure>\n", stream);
		break;
	}
}

static void contents_write(FILE *stream, const struct report_doc *doc)
{
	unsigned n = 0;

	element(stream, "<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">",
		report_word(WORD_CONTENTS, doc->language), "</h2>\n<ul>\n");
	for (size_t i = 0; i < doc->n_blocks; i++) {
		if (doc->blocks[i].kind != BLOCK_HEADING)
			continue;
		fprintf(stream, "<li><a href=\"#s%u\">", ++n);
		element(stream, "", doc->blocks[i].text, "</a></li>\n");
	}
	fputs("</ul>\n</nav>\n", stream);
}

static void doc_write(FILE *stream, const struct report_doc *doc)
{
	unsigned depth = 0, n_headings = 0, n_charts = 0;

	fprintf(stream, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
		report_language_tag(doc->language));
	fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"generator\" content=\"dnsweir-report " DNSWEIR_VERSION "\">\n",
		stream);
	element(stream, "<title>", doc->title, " – ");
	element(stream, "", doc->period, "</title>\n");
	fprintf(stream, "<style>\n%s</style>\n</head>\n<body>\n<header>\n", style);
	element(stream, "<p class=\"operator\">", doc->operator, "</p>\n");
	element(stream, "<h1>", doc->title, "</h1>\n");
	element(stream, "<p>", doc->period, "</p>\n");
	element(stream, "<p>", doc->made, "</p>\n</header>\n");
	contents_write(stream, doc);
	fputs("<main>\n", stream);
	for (size_t i = 0; i < doc->n_blocks; i++) {
		depth = lists_set(stream, depth, depth_of(&doc->blocks[i]));
		block_write(stream, &doc->blocks[i], &n_headings, &n_charts);
	}
	lists_set(stream, depth, 0);
	fputs(n_headings ? "</section>\n</main>\n" : "</main>\n", stream);
	element(stream, "<footer>", doc->operator, " · ");
	element(stream, "", doc->made, "</footer>\n</body>\n</html>\n");
}

int report_write_html(
	const struct report_output *output, const char *path, char error[REPORT_ERROR_SIZE])
{
	struct report_doc *doc = report_doc_build(output, error);
	struct report_file file;
	int err;

	if (!doc)
		return -EINVAL;
	err = report_file_open(&file, path, error);
	if (err == 0) {
		doc_write(file.stream, doc);
		err = report_file_close(&file, 0, error);
	}
	report_doc_free(doc);
	return err;
}
