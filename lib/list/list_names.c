/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list_private.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int list_names_line(struct list_reader *reader, const struct text_line *line)
{
	struct list_entry entry = {
		.first_day = LIST_DAY_FIRST,
		.last_day = LIST_DAY_LAST,
		.id = "",
		.behaviour = "",
		.line = line->number,
	};
	const char *text = line->text;
	size_t size = line->size, word = 0, end = 0;

	text_trim(&text, &size);
	while (word < size && !is_blank(text[word]))
		word++;
	// A comment starts the line or follows a blank: "#" inside a word is no comment.
	for (end = word; end < size; end++)
		if (text[end] == '#' && is_blank(text[end - 1]))
			break;
	if (text[0] == '#')
		return 0;
	size = end;
	text_trim(&text, &size);
	if (word < size) {
		list_bad(reader, line->number, "expected one name", text, size);
		return 0;
	}
	if (!list_entry_name(reader, text, size, &entry))
		return 0;
	return list_good(reader, &entry);
}
