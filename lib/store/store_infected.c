/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

struct row {
	struct store_infected of;
	char *id;
};

// Rows, and where each stands by the hash of id and client.
struct rows {
	struct row *row;
	size_t n, room;
	uint32_t *slots; // index + 1
	size_t n_slots;  // power of two, more than twice the rows
};

static uint64_t row_hash(const char *id, const struct addr *client)
{
	return XXH3_64bits_withSeed(
		       client->bytes, sizeof(client->bytes), XXH3_64bits(id, strlen(id))) +
	       client->family;
}

static bool row_is(const struct row *row, const char *id, const struct addr *client)
{
	return row->of.client.family == client->family &&
	       memcmp(row->of.client.bytes, client->bytes, sizeof(client->bytes)) == 0 &&
	       strcmp(row->id, id) == 0;
}

static int rows_grow(struct rows *rows)
{
	size_t room = rows->room ? rows->room * 2 : 1024;
	struct row *more = realloc(rows->row, room * sizeof(*more));
	uint32_t *slots;

	if (!more)
		return -ENOMEM;
	rows->row = more;
	slots = calloc(room * 4, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(rows->slots);
	rows->slots = slots;
	rows->n_slots = room * 4;
	rows->room = room;
	for (size_t i = 0; i < rows->n; i++) {
		size_t at = row_hash(more[i].id, &more[i].of.client) & (rows->n_slots - 1);

		while (slots[at])
			at = (at + 1) & (rows->n_slots - 1);
		slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

static struct row *row_find(struct rows *rows, const char *id, const struct addr *client)
{
	struct row *row;
	size_t at;

	if (rows->n == rows->room && rows_grow(rows) != 0)
		return NULL;
	for (at = row_hash(id, client) & (rows->n_slots - 1); rows->slots[at];
		at = (at + 1) & (rows->n_slots - 1)) {
		row = &rows->row[rows->slots[at] - 1];
		if (row_is(row, id, client))
			return row;
	}
	row = &rows->row[rows->n];
	*row = (struct row){.id = strdup(id), .of = {.client = *client, .first_ms = INT64_MAX}};
	if (!row->id)
		return NULL;
	rows->slots[at] = (uint32_t)++rows->n;
	return row;
}

static int record_take(void *ctx, const struct store_record *record)
{
	struct row *row;

	// Without an id there is nothing to tell a customer.
	if (!*record->id || !record->client.addr.family)
		return 0;
	row = row_find(ctx, record->id, &record->client.addr);
	if (!row)
		return -ENOMEM;
	row->of.n++;
	if (record->time_ms < row->of.first_ms)
		row->of.first_ms = record->time_ms;
	if (record->time_ms > row->of.last_ms)
		row->of.last_ms = record->time_ms;
	return 0;
}

static int row_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	if (order == 0)
		order = x->of.client.family - y->of.client.family;
	return order ? order
		     : memcmp(x->of.client.bytes, y->of.client.bytes, sizeof(x->of.client.bytes));
}

int store_infected(
	struct store *store, int64_t from_ms, int64_t to_ms, store_infected_visit visit, void *ctx)
{
	const struct store_question question = {.from_ms = from_ms,
		.to_ms = to_ms,
		.rcode = -1,
		.type = -1,
		.kinds = STORE_FILTERED,
		.order = STORE_BY_NAME};
	struct rows rows = {0};
	const struct store_visitor visitor = {.ctx = &rows, .visit = record_take};
	int err = store_query(store, &question, &visitor);

	if (rows.n > 0)
		qsort(rows.row, rows.n, sizeof(*rows.row), row_compare);
	for (size_t i = 0; i < rows.n; i++) {
		rows.row[i].of.id = rows.row[i].id;
		if (err == 0)
			err = visit(ctx, &rows.row[i].of);
		free(rows.row[i].id);
	}
	free(rows.row);
	free(rows.slots);
	return err;
}
