/* SPDX-License-Identifier: BSD-3-Clause */
#include "text/text.h"

#include <string.h>
#include <strings.h>

// Where the fields of a line are read from and copied to.
struct csv_scan {
	const char *text;
	size_t size, at;
	char *out;
};

static void blanks_skip(struct csv_scan *s)
{
	while (s->at < s->size && (s->text[s->at] == ' ' || s->text[s->at] == '\t'))
		s->at++;
}

// The field behind a quotation mark; @p keep false passes over it.
static const char *quoted_take(struct csv_scan *s, bool keep)
{
	for (s->at++; s->at < s->size; s->at++) {
		if (s->text[s->at] == '"') {
			if (s->at + 1 == s->size || s->text[s->at + 1] != '"')
				break;
			s->at++;
		}
		if (keep)
			*s->out++ = s->text[s->at];
	}
	if (s->at == s->size)
		return "expected a quotation mark that ends the field";
	s->at++;
	blanks_skip(s);
	if (s->at < s->size && s->text[s->at] != ',')
		return "expected a comma behind a quoted field";
	return NULL;
}

static const char *plain_take(struct csv_scan *s, bool keep)
{
	const char *text = s->text + s->at;
	const char *comma = memchr(text, ',', s->size - s->at);
	size_t size = comma ? (size_t)(comma - text) : s->size - s->at;

	s->at += size;
	// RFC 4180 s2 rule 5: a field with a quotation mark in it must be quoted.
	if (memchr(text, '"', size))
		return "expected quotation marks only around a whole field";
	text_trim(&text, &size);
	if (keep) {
		memcpy(s->out, text, size);
		s->out += size;
	}
	return NULL;
}

const char *text_csv_split(const struct text_line *line, struct text_csv *csv)
{
	struct csv_scan s = {.text = line->text, .size = line->size, .out = csv->room};

	csv->n = 0;
	if (line->size > TEXT_LINE_MAX)
		return "expected at most 4096 octets in a line";
	for (;;) {
		const bool keep = csv->n < TEXT_FIELDS_MAX;
		char *start = s.out;
		const char *error;

		blanks_skip(&s);
		if (s.at < s.size && s.text[s.at] == '"')
			error = quoted_take(&s, keep);
		else
			error = plain_take(&s, keep);
		if (error)
			return error;
		if (keep) {
			csv->field[csv->n] = start;
			csv->size[csv->n] = (uint16_t)(s.out - start);
			*s.out++ = '\0';
		}
		csv->n++;
		if (s.at == s.size)
			return NULL;
		s.at++;
	}
}

bool text_csv_is_header(const struct text_line *line, const char *const *names, unsigned n)
{
	struct text_csv csv;

	if (text_csv_split(line, &csv) || csv.n != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (csv.size[i] != strlen(names[i]) || strcasecmp(csv.field[i], names[i]) != 0)
			return false;
	return true;
}
