/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"

void list_bad(struct list_reader *reader, unsigned line, const char *expected, const char *text,
	size_t size)
{
	char quoted[TEXT_QUOTE_SIZE];
	char what[TEXT_QUOTE_SIZE + 256];

	snprintf(what, sizeof(what), "%s, got %s", expected, text_quote(text, size, quoted));
	reader->counts->bad++;
	reader->sink->bad_line(reader->sink->ctx, line, what);
}

int list_good(struct list_reader *reader, const struct list_entry *entry)
{
	reader->counts->good++;
	return reader->sink->entry(reader->sink->ctx, entry);
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

static bool ends_in_csv(const char *path)
{
	size_t size = strlen(path);

	return size >= 4 && strcasecmp(path + size - 4, ".csv") == 0;
}

static int lines_read(struct list_reader *reader, struct text_file *file, const char *path)
{
	enum list_format format = reader->options->format;
	struct text_line line = {.text = "", .size = 0, .number = 1};
	bool any = text_line_next(file, &line);
	bool header = any && format != LIST_NAMES && list_catalogue_is_header(&line);
	int err = 0;

	if (format == LIST_AUTO)
		format = header || ends_in_csv(path) ? LIST_CATALOGUE : LIST_NAMES;
	reader->counts->format = format;
	if (format == LIST_CATALOGUE) {
		if (!header) {
			list_bad(reader, line.number,
				"expected the header \"" LIST_CATALOGUE_HEADER "\"", line.text,
				line.size);
			return -EBADMSG;
		}
		any = text_line_next(file, &line);
	}
	for (; any && err >= 0; any = text_line_next(file, &line)) {
		if (line.size > TEXT_LINE_MAX)
			list_bad(reader, line.number, "expected at most 4096 octets in a line",
				line.text, line.size);
		else if (format == LIST_CATALOGUE)
			err = list_catalogue_line(reader, &line);
		else
			err = list_names_line(reader, &line);
	}
	return err < 0 ? err : 0;
}

int list_read(const char *path, const struct list_options *options, const struct list_sink *sink,
	struct list_counts *counts)
{
	struct list_reader reader = {.options = options, .sink = sink, .counts = counts};
	struct text_file file;
	int err;

	memset(counts, 0, sizeof(*counts));
	counts->format = options->format;
	err = text_file_read(path, &file);
	if (err < 0)
		return err;
	err = lines_read(&reader, &file, path);
	counts->lines = file.n_lines;
	text_file_free(&file);
	return err;
}
