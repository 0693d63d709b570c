/* SPDX-License-Identifier: BSD-3-Clause */
#include "shell.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/** A cell: text that a terminal can be given, and what it takes there. */
struct cell {
	char *text;
	int width; /* columns */
	bool number;
};

/** A growing grid, row by row; missing cells have no text. */
struct grid {
	char **names; /* of columns */
	size_t n_names;
	struct cell *cells; /* n_rows * n_names, once all names are known */
	size_t n_rows;
};

/** Write a string without anything that would steer a terminal. @return taken by the caller */
static char *printable(const char *text, int *width)
{
	size_t left = strlen(text), size = 0;
	char *copy = malloc(left * 4 + 1);
	mbstate_t state = {0};

	*width = 0;
	while (copy && left > 0) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, left, &state);

		if (n == (size_t)-1 || n == (size_t)-2 || n == 0 || iswcntrl((wint_t)c)) {
			// DNS names and identifiers of lists come from outside.
			size += (size_t)sprintf(copy + size, "\\x%02x", (unsigned char)*text);
			*width += 4;
			state = (mbstate_t){0};
			n = 1;
		} else {
			memcpy(copy + size, text, n);
			size += n;
			*width += wcwidth(c) > 0 ? wcwidth(c) : 0;
		}
		text += n;
		left -= n;
	}
	if (copy)
		copy[size] = '\0';
	return copy;
}

/** Whether @p value is shown as a table of its own. */
static bool is_table(const json_t *value)
{
	return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

/** Text of a scalar or of an array of scalars, not yet made printable. @return taken */
static char *value_text(const json_t *value)
{
	char *text = NULL, *list = NULL;
	const json_t *item;
	size_t i, size = 0;
	FILE *out;

	if (json_is_string(value))
		return strdup(*json_string_value(value) ? json_string_value(value) : "-");
	if (json_is_integer(value))
		return asprintf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < 0
			       ? NULL
			       : text;
	if (json_is_real(value))
		return asprintf(&text, "%.6g", json_real_value(value)) < 0 ? NULL : text;
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (!json_is_array(value) || json_array_size(value) == 0)
		return strdup("-");
	out = open_memstream(&list, &size);
	if (!out)
		return NULL;
	json_array_foreach(value, i, item)
	{
		text = json_is_object(item) ? json_dumps(item, JSON_COMPACT) : value_text(item);
		fprintf(out, "%s%s", i ? ", " : "", text ? text : "-");
		free(text);
	}
	fclose(out);
	return list;
}

static struct cell cell_of(const json_t *value)
{
	char *raw = value_text(value);
	struct cell cell = {.number = json_is_number(value)};

	cell.text = printable(raw ? raw : "-", &cell.width);
	free(raw);
	return cell;
}

typedef void (*member_visitor)(void *ctx, const char *name, const json_t *value);

/** Visit what an object holds, the members of objects in it as "outer.inner". */
static void visit_members(
	const json_t *object, const char *prefix, member_visitor visitor, void *ctx)
{
	const char *key;
	json_t *value;

	// The macro wants an object that it could change; it does not.
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		char *name = NULL;

		if (asprintf(&name, "%s%s%s", prefix, *prefix ? "." : "", key) < 0)
			return;
		if (json_is_object(value) && json_object_size(value) > 0)
			visit_members(value, name, visitor, ctx);
		else
			visitor(ctx, name, value);
		free(name);
	}
}

static void print_cell(FILE *out, const struct cell *cell, int width, bool right, bool last)
{
	const char *text = cell->text ? cell->text : "-";
	int pad = width - (cell->text ? cell->width : 1);

	// Nothing pads the end of a line, so that it does not wrap for blanks.
	fprintf(out, "%*s%s%*s", right ? pad : 0, "", text, right || last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", out);
}

/** A grid that is being filled, and the row that is. */
struct fill {
	struct grid *grid;
	size_t row;
};

static size_t column_of(const struct grid *grid, const char *name)
{
	size_t i = 0;

	while (i < grid->n_names && strcmp(grid->names[i], name) != 0)
		i++;
	return i;
}

static void add_column(void *ctx, const char *name, const json_t *value)
{
	struct grid *grid = ctx;
	char **names;

	if (column_of(grid, name) < grid->n_names)
		return;
	names = reallocarray(grid->names, grid->n_names + 1, sizeof(*names));
	if (!names)
		return;
	grid->names = names;
	names[grid->n_names] = strdup(name);
	grid->n_names += names[grid->n_names] != NULL;
}

static void add_cell(void *ctx, const char *name, const json_t *value)
{
	struct fill *fill = ctx;
	size_t column = column_of(fill->grid, name);

	if (column < fill->grid->n_names)
		fill->grid->cells[fill->row * fill->grid->n_names + column] = cell_of(value);
}

static void print_column_cell(FILE *out, const struct grid *grid, size_t row, size_t column)
{
	const struct cell *cell = &grid->cells[row * grid->n_names + column];
	bool right = true;
	int width = 1;

	// The first row is the header; a column of numbers has nothing else below it.
	for (size_t i = 0; i < grid->n_rows; i++) {
		const struct cell *c = &grid->cells[i * grid->n_names + column];

		width = c->text && c->width > width ? c->width : width;
		right = right && (i == 0 || !c->text || c->number || strcmp(c->text, "-") == 0);
	}
	print_cell(out, cell, width, right, column + 1 == grid->n_names);
}

static void render_table(FILE *out, const json_t *array)
{
	struct grid grid = {.n_rows = json_array_size(array) + 1};
	struct fill fill = {.grid = &grid};
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) visit_members(item, "", add_column, &grid);
	grid.cells = calloc(grid.n_rows, (grid.n_names ? grid.n_names : 1) * sizeof(*grid.cells));
	for (i = 0; grid.cells && i < grid.n_names; i++)
		grid.cells[i].text = printable(grid.names[i], &grid.cells[i].width);
	json_array_foreach(array, i, item)
	{
		fill.row = i + 1;
		if (grid.cells)
			visit_members(item, "", add_cell, &fill);
	}
	for (size_t row = 0; grid.cells && row < grid.n_rows; row++)
		for (size_t column = 0; column < grid.n_names; column++)
			print_column_cell(out, &grid, row, column);
	for (i = 0; grid.cells && i < grid.n_rows * grid.n_names; i++)
		free(grid.cells[i].text);
	for (i = 0; i < grid.n_names; i++)
		free(grid.names[i]);
	free(grid.names);
	free(grid.cells);
}

/** What render_rows and render_tables go through the members with. */
struct pass {
	FILE *out;
	int width;     /* of the longest key */
	unsigned rows; /* that are no table */
	unsigned tables;
};

static void measure(void *ctx, const char *name, const json_t *value)
{
	struct pass *pass = ctx;
	int width = 0;

	free(printable(name, &width));
	if (is_table(value)) {
		pass->tables++;
		return;
	}
	pass->rows++;
	pass->width = width > pass->width ? width : pass->width;
}

static void render_row(void *ctx, const char *name, const json_t *value)
{
	const struct pass *pass = ctx;
	struct cell key = {0}, cell;

	if (is_table(value))
		return;
	key.text = printable(name, &key.width);
	cell = cell_of(value);
	print_cell(pass->out, &key, pass->width, false, false);
	print_cell(pass->out, &cell, 0, false, true);
	free(key.text);
	free(cell.text);
}

static void render_member_table(void *ctx, const char *name, const json_t *value)
{
	struct pass *pass = ctx;
	char *text;
	int width;

	if (!is_table(value))
		return;
	// A table that is the whole reply needs no name.
	if (pass->rows > 0 || pass->tables > 1) {
		text = printable(name, &width);
		fprintf(pass->out, "%s%s:\n", pass->rows > 0 ? "\n" : "", text ? text : "-");
		free(text);
		pass->rows++;
	}
	render_table(pass->out, value);
}

void shell_render(FILE *out, const json_t *reply)
{
	struct pass pass = {.out = out};

	visit_members(reply, "", measure, &pass);
	visit_members(reply, "", render_row, &pass);
	visit_members(reply, "", render_member_table, &pass);
}
