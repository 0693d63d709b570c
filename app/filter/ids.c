/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <stdlib.h>
#include <string.h>

#define IDS_SHOWN 20
#define IDS_MAX   1024 // rows of one reply

// A row: an identifier of a list, and what was done.
struct id_row {
	const char *list, *id; // kept by the tally
	enum policy_action action;
	uint64_t n;
};

struct id_rows {
	struct id_row *rows;
	size_t n, room;
};

static void row_take(void *ctx, const struct tally_row *row)
{
	struct id_rows *rows = ctx;

	for (enum policy_action action = 0; action < POLICY_ACTIONS; action++) {
		if (row->filtered[action] == 0)
			continue;
		if (rows->n == rows->room) {
			size_t room = rows->room ? 2 * rows->room : 256;
			struct id_row *more = reallocarray(rows->rows, room, sizeof(*more));

			if (!more)
				return;
			rows->rows = more;
			rows->room = room;
		}
		rows->rows[rows->n++] =
			(struct id_row){row->list, row->id, action, row->filtered[action]};
	}
}

// Free what it has.
static struct id_rows rows_get(void)
{
	struct id_rows rows = {0};

	tally_each(app.tally, row_take, &rows);
	return rows;
}

// The most first; among equals by list, identifier and action.
static int row_compare(const void *a, const void *b)
{
	const struct id_row *x = a, *y = b;
	int order = strcmp(x->list, y->list);

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	if (order == 0)
		order = strcmp(x->id, y->id);
	return order ? order : (int)x->action - (int)y->action;
}

static struct id_rows rows_most(void)
{
	struct id_rows rows = rows_get();

	if (rows.n > 0)
		qsort(rows.rows, rows.n, sizeof(*rows.rows), row_compare);
	return rows;
}

static json_t *row_json(const struct id_row *row)
{
	return json_pack("{s:s, s:s, s:s, s:I}", "list", row->list, "id", row->id, "action",
		policy_action_name(row->action), "responses", (json_int_t)row->n);
}

static json_t *rows_json(const struct id_rows *rows, size_t from, size_t n)
{
	json_t *array = json_array();

	for (size_t i = from; i < rows->n && i - from < n; i++)
		json_array_append_new(array, row_json(&rows->rows[i]));
	return json_pack("{s:o}", "ids", array);
}

json_t *ids_show(const char *args)
{
	unsigned long n = IDS_SHOWN;
	struct id_rows rows;
	json_t *object;
	char *end;

	if (*args) {
		n = strtoul(args, &end, 10);
		if (*end || n < 1 || n > IDS_MAX)
			return ctl_error(
				"expected a number of rows, 1 to %d, got \"%s\"", IDS_MAX, args);
	}
	rows = rows_most();
	object = rows_json(&rows, 0, n);
	free(rows.rows);
	return object;
}

json_t *ids_page(unsigned from, unsigned n)
{
	struct id_rows rows = rows_get();
	json_t *object = rows_json(&rows, from, n);

	free(rows.rows);
	return object;
}

json_t *ids_stats(void)
{
	struct id_rows rows = rows_most();
	json_t *object = json_object();

	for (size_t i = 0; i < rows.n && i < IDS_MAX; i++) {
		const struct id_row *row = &rows.rows[i];

		json_object_set_new(
			stats_object_under(stats_object_under(object, row->list), row->id),
			policy_action_name(row->action), json_integer((json_int_t)row->n));
	}
	free(rows.rows);
	return object;
}
