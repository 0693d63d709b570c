/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pattern/pattern_private.h"
#include "text/text.h"

#define ID_SIZE_MAX 255 // as in a catalogue

// Where a line's parts are.
struct parts {
	char id[ID_SIZE_MAX + 1];
	char expression[TEXT_LINE_MAX + 1];
	uint32_t flags;
};

static const char *flags_take(const char *text, size_t size, uint32_t *flags)
{
	*flags = 0;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '8')
			*flags |= PATTERN_UTF8;
		else if (text[i] == 'W')
			*flags |= PATTERN_UCP;
		else if (text[i] == 'V')
			return "expected no flag V: it would match every name";
		// A name has no second line, letters of either case are alike, and one match is enough.
		else if (!memchr("imsHL", text[i], 5))
			return "expected flags out of i, m, s, H, L, 8 and W";
	}
	return NULL;
}

// Names are scanned joined by newlines, so whatever means the start or end of all text would miss
// those in between.
static const char *borders_check(const char *text)
{
	for (; *text; text++) {
		if (text[0] == '\\' && text[1]) {
			if (strchr("AzZG", *++text))
				return "expected ^ and $ for the borders of a name, not \\A, \\z, "
				       "\\Z or \\G";
		} else if (text[0] == '(' && text[1] == '?') {
			size_t on = strspn(text + 2, "imsxnJU"), off;

			if (text[2 + on] != '-')
				continue;
			off = strcspn(text + 3 + on, ":)");
			if (memchr(text + 3 + on, 'm', off))
				return "expected no (?-m): ^ and $ are the borders of a name "
				       "anyway";
		}
	}
	return NULL;
}

// A name has only printable ASCII: its labels are A-labels, other octets are escaped.
static bool is_printable(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

// The first colon with a slash behind it, blanks between them do not count. @param slash [out]
static const char *colon_find(const char *text, size_t size, const char **slash)
{
	for (const char *at = text; (at = memchr(at, ':', (size_t)(text + size - at))); at++) {
		*slash = at + 1;
		while (*slash < text + size && (**slash == ' ' || **slash == '\t'))
			++*slash;
		if (*slash < text + size && **slash == '/')
			return at;
	}
	return NULL;
}

static const char *parts_take(const char *text, size_t size, struct parts *parts)
{
	const char *first, *colon = colon_find(text, size, &first);
	const char *end = memrchr(text, '/', size), *id = text, *expected;
	size_t id_size, expression_size;

	if (!colon || end == first)
		return "expected ID:/EXPRESSION/FLAGS";
	id_size = (size_t)(colon - text);
	text_trim(&id, &id_size);
	if (id_size < 1 || id_size > ID_SIZE_MAX)
		return "expected an identifier of 1 to 255 octets before the expression";
	if (!text_utf8_clean(id, id_size))
		return "expected an identifier in UTF-8 without control characters";
	expression_size = (size_t)(end - first) - 1;
	if (expression_size == 0)
		return "expected an expression between the slashes";
	if (!is_printable(first + 1, expression_size))
		return "expected an expression of printable ASCII; names are matched as A-labels";
	expected = flags_take(end + 1, (size_t)(text + size - end) - 1, &parts->flags);
	memcpy(parts->id, id, id_size);
	parts->id[id_size] = '\0';
	memcpy(parts->expression, first + 1, expression_size);
	parts->expression[expression_size] = '\0';
	return expected ? expected : borders_check(parts->expression);
}

static int line_take(
	const struct pattern_sink *sink, const struct text_line *line, struct parts *parts)
{
	char error[PATTERN_ERROR_SIZE], quoted[TEXT_QUOTE_SIZE];
	char what[PATTERN_ERROR_SIZE + sizeof(quoted) + 64];
	const char *text = line->text, *expected, *refusal = NULL;
	size_t size = line->size;

	text_trim(&text, &size);
	// A comment may be indented.
	if (text[0] == '#')
		return 0;
	expected = size > TEXT_LINE_MAX ? "expected at most 4096 octets in a line"
					: parts_take(text, size, parts);
	if (!expected) {
		refusal = pattern_refusal(parts->expression, parts->flags, error);
		if (!refusal) {
			const struct pattern pattern = {.id = parts->id,
				.expression = parts->expression,
				.flags = parts->flags,
				.line = line->number};

			return sink->pattern(sink->ctx, &pattern);
		}
		expected = "expected an expression that Hyperscan takes";
	}
	snprintf(what, sizeof(what), "%s%s%s%s, got %s", expected, refusal ? " (" : "",
		refusal ? refusal : "", refusal ? ")" : "", text_quote(text, size, quoted));
	sink->bad_line(sink->ctx, line->number, what);
	return 0;
}

int pattern_read(const char *path, const struct pattern_sink *sink)
{
	struct text_line line;
	struct text_file file;
	struct parts parts;
	int err = text_file_read(path, &file);

	if (err < 0)
		return err;
	while (err == 0 && text_line_next(&file, &line))
		err = line_take(sink, &line, &parts);
	text_file_free(&file);
	return err;
}
