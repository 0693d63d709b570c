/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

void list_bad(struct list_reader *reader, unsigned line, const char *expected, const char *text,
	size_t size)
{
	struct list_messages *messages = &reader->messages;
	char quoted[TEXT_QUOTE_SIZE];
	char *place;
	int n;

	text_quote(text, size, quoted);
	reader->counts.bad++;
	if (messages->room - messages->size < LIST_MESSAGE_SIZE) {
		place = realloc(messages->bytes, 2 * messages->room + LIST_MESSAGE_SIZE);
		if (!place) {
			reader->err = -ENOMEM;
			return;
		}
		messages->bytes = place;
		messages->room = 2 * messages->room + LIST_MESSAGE_SIZE;
	}
	place = messages->bytes + messages->size;
	memcpy(place, &line, sizeof(line));
	n = snprintf(place + sizeof(line), LIST_MESSAGE_SIZE - sizeof(line), "%s, got %s", expected,
		quoted);
	messages->size += sizeof(line) + (size_t)n + 1;
}

int list_good(struct list_reader *reader, const struct list_entry *entry)
{
	reader->counts.good++;
	return reader->sink->entry(reader->sink->ctx, reader->lane, entry);
}

// Labels of a name in wire form, the root not counted; *last is the rightmost.
static unsigned labels_count(const uint8_t *name, const uint8_t **last)
{
	unsigned n = 0;

	for (*last = name; *name; name += *name + 1, n++)
		*last = name;
	return n;
}

static bool is_number(const uint8_t *label)
{
	for (unsigned i = 1; i <= *label; i++)
		if ((uint8_t)(label[i] - '0') > 9)
			return false;
	return true;
}

// An address, or a prefix: the usual content of other kinds of lists.
static bool is_address(const char *text, size_t size)
{
	char copy[PREFIX_TEXT_SIZE];
	struct prefix prefix;

	if (size >= sizeof(copy))
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return strlen(copy) == size && prefix_parse(copy, &prefix) == 0;
}

bool list_entry_name(
	struct list_reader *reader, const char *text, size_t size, struct list_entry *entry)
{
	const uint8_t *last;
	enum list_scope scope;
	const char *error;
	char expected[80];
	unsigned n;
	int name_size = list_name_parse(text, size, reader->name, &scope, &error);

	if (name_size < 0) {
		if (is_address(text, size))
			error = "expected a name, not an address";
		list_bad(reader, entry->line, error, text, size);
		return false;
	}
	n = labels_count(reader->name, &last);
	// Of all addresses only IPv4 ones can be read as names; no top-level domain is a number.
	if (is_number(last) && is_address(text, size)) {
		list_bad(reader, entry->line, "expected a name, not an address", text, size);
		return false;
	}
	if (scope != LIST_EXACT && n < reader->options->min_labels) {
		snprintf(expected, sizeof(expected),
			"expected at least %u labels for a whole subtree",
			reader->options->min_labels);
		list_bad(reader, entry->line, expected, text, size);
		return false;
	}
	entry->name = reader->name;
	entry->name_size = (uint8_t)name_size;
	entry->scope = (uint8_t)scope;
	return true;
}
