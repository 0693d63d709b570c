/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

struct row {
	struct store_seen of;
	char *id;
};

// Rows, and where each stands by the hash of id and address.
struct rows {
	struct row *row;
	size_t n, room;
	uint32_t *slots; // index + 1
	size_t n_slots;  // power of two, more than twice the rows
};

static uint64_t row_hash(const char *id, const struct addr *addr)
{
	return XXH3_64bits_withSeed(addr->bytes, sizeof(addr->bytes), XXH3_64bits(id, strlen(id))) +
	       addr->family;
}

static bool row_is(const struct row *row, const char *id, const struct addr *addr)
{
	return row->of.addr.family == addr->family &&
	       memcmp(row->of.addr.bytes, addr->bytes, sizeof(addr->bytes)) == 0 &&
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
		size_t at = row_hash(more[i].id, &more[i].of.addr) & (rows->n_slots - 1);

		while (slots[at])
			at = (at + 1) & (rows->n_slots - 1);
		slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

static struct row *row_find(struct rows *rows, const char *id, const struct addr *addr)
{
	struct row *row;
	size_t at;

	if (rows->n == rows->room && rows_grow(rows) != 0)
		return NULL;
	for (at = row_hash(id, addr) & (rows->n_slots - 1); rows->slots[at];
		at = (at + 1) & (rows->n_slots - 1)) {
		row = &rows->row[rows->slots[at] - 1];
		if (row_is(row, id, addr))
			return row;
	}
	row = &rows->row[rows->n];
	*row = (struct row){.id = strdup(id), .of = {.addr = *addr, .first_ms = INT64_MAX}};
	if (!row->id)
		return NULL;
	rows->slots[at] = (uint32_t)++rows->n;
	return row;
}

static int seen_add(struct rows *rows, const struct store_record *record, const struct addr *addr)
{
	struct row *row = row_find(rows, record->id, addr);

	if (!row)
		return -ENOMEM;
	row->of.n++;
	if (record->time_ms < row->of.first_ms)
		row->of.first_ms = record->time_ms;
	if (record->time_ms > row->of.last_ms)
		row->of.last_ms = record->time_ms;
	return 0;
}

// Without an id there is nothing to tell a customer.
static int client_take(void *ctx, const struct store_record *record)
{
	return *record->id && record->client.addr.family
		       ? seen_add(ctx, record, &record->client.addr)
		       : 0;
}

static int addresses_take(void *ctx, const struct store_record *record)
{
	int err = 0;

	for (unsigned i = 0; *record->id && i < record->n_addresses && err == 0; i++)
		err = seen_add(ctx, record, &record->addresses[i]);
	return err;
}

static int row_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	if (order == 0)
		order = x->of.addr.family - y->of.addr.family;
	return order ? order : memcmp(x->of.addr.bytes, y->of.addr.bytes, sizeof(x->of.addr.bytes));
}

struct span {
	int64_t from_ms, to_ms;
};

static int seen_walk(struct store *store, struct span span,
	int (*take)(void *ctx, const struct store_record *record), store_seen_visit visit,
	void *ctx)
{
	const struct store_question question = {.from_ms = span.from_ms,
		.to_ms = span.to_ms,
		.rcode = -1,
		.type = -1,
		.kinds = STORE_FILTERED,
		.order = STORE_BY_NAME};
	struct rows rows = {0};
	const struct store_visitor visitor = {.ctx = &rows, .visit = take};
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

int store_infected(
	struct store *store, int64_t from_ms, int64_t to_ms, store_seen_visit visit, void *ctx)
{
	return seen_walk(store, (struct span){from_ms, to_ms}, client_take, visit, ctx);
}

int store_addresses(
	struct store *store, int64_t from_ms, int64_t to_ms, store_seen_visit visit, void *ctx)
{
	return seen_walk(store, (struct span){from_ms, to_ms}, addresses_take, visit, ctx);
}
