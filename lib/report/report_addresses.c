/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "report/report_memory.h"
#include "text/text.h"

struct report_address_file {
	struct report_memory memory;
	struct report_addresses *rows;
	size_t n;
};

static const char *const header[] = {"id", "addresses"};

static int number_parse(const char *text, uint64_t *n)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*n = strtoull(text, &end, 10);
	return errno || *end ? -1 : 0;
}

static const char *row_take(struct report_address_file *file, const struct text_line *line)
{
	struct report_addresses row;
	struct text_csv csv;
	const char *error = text_csv_split(line, &csv);

	if (error)
		return error;
	if (csv.n != 2)
		return "expected 2 fields (id,addresses)";
	if (csv.size[0] == 0 || !text_utf8_clean(csv.field[0], csv.size[0]))
		return "expected an id in UTF-8 without control characters";
	if (number_parse(csv.field[1], &row.n) < 0)
		return "expected a number of addresses";
	for (size_t i = 0; i < file->n; i++)
		if (strcmp(file->rows[i].id, csv.field[0]) == 0)
			return "expected each id once";
	row.id = report_copy(&file->memory, csv.field[0], csv.size[0]);
	file->rows = report_grow(&file->memory, file->rows, file->n, sizeof(row));
	file->rows[file->n++] = row;
	return NULL;
}

int report_addresses_open(
	const char *path, struct report_address_file **out, char error[REPORT_ERROR_SIZE])
{
	struct report_address_file *file = report_object(sizeof(*file));
	char quoted[TEXT_QUOTE_SIZE];
	const char *what = NULL;
	struct text_line line;
	struct text_file text;
	int err = text_file_read(path, &text);

	if (err < 0) {
		snprintf(error, REPORT_ERROR_SIZE, "%s: %s", path, strerror(-err));
		goto out;
	}
	if (!text_line_next(&text, &line))
		line = (struct text_line){.text = "", .number = 1};
	if (!text_csv_is_header(&line, header, 2))
		what = "expected the header line id,addresses";
	while (!what && text_line_next(&text, &line))
		what = row_take(file, &line);
	if (what) {
		err = -EBADMSG;
		snprintf(error, REPORT_ERROR_SIZE, "%s:%u: %s, got %s", path, line.number, what,
			text_quote(line.text, line.size, quoted));
	}
	text_file_free(&text);
out:
	if (err < 0)
		report_addresses_close(file);
	*out = err < 0 ? NULL : file;
	return err;
}

void report_addresses_close(struct report_address_file *file)
{
	if (!file)
		return;
	report_memory_free(&file->memory);
	free(file);
}

int report_addresses_of_file(void *file, const char *id, int64_t begin, int64_t end, uint64_t *n)
{
	const struct report_address_file *of = file;

	for (size_t i = 0; i < of->n; i++)
		if (strcmp(of->rows[i].id, id) == 0) {
			*n = of->rows[i].n;
			return 0;
		}
	return -ENOENT;
}
