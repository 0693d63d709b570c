/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files that write HTML share.
 */
#include <stdio.h>

#include "report/report_doc.h"

/** Write a text; what means something in HTML is escaped. */
void report_html_text(FILE *stream, const char *text);

/** Write a chart as an SVG element. @param n which chart of the document, 1.. */
void report_svg_write(FILE *stream, const struct report_block *block, unsigned n);
