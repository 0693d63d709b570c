/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one write is made of: rows in the order of their keys. In that order the table in memory, a skip list, is
 * entered next to where it was entered last; in any other order most of the time goes to finding the place.
 */
#include "pdns_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define HEAD 8 // octets of a key that are compared as a number

static uint64_t head_of(const uint8_t *key, size_t size)
{
	uint8_t head[HEAD] = {0};

	memcpy(head, key, size < HEAD ? size : HEAD);
	return load_be64(head);
}

static int octets_room(struct pdns_chunk *chunk, size_t size)
{
	uint8_t *grown;

	if (chunk->size - chunk->used >= size)
		return 0;
	grown = realloc(chunk->octets, 2 * chunk->size + size);
	if (!grown)
		return -ENOMEM;
	chunk->octets = grown;
	chunk->size = 2 * chunk->size + size;
	return 0;
}

static int rows_room(struct pdns_chunk *chunk)
{
	struct pdns_chunk_row *grown;

	if (chunk->n < chunk->room)
		return 0;
	grown = realloc(chunk->rows, (2 * chunk->room + 1024) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	chunk->rows = grown;
	chunk->room = 2 * chunk->room + 1024;
	return 0;
}

void pdns_chunk_add(struct pdns_chunk *chunk, const struct pdns_chunk_part *parts, unsigned n,
	const uint8_t *value, size_t value_size)
{
	struct pdns_chunk_row row = {
		.at = (uint32_t)chunk->used, .value_size = (uint32_t)value_size};

	for (unsigned i = 0; i < n; i++)
		row.key_size += (uint32_t)parts[i].size;
	if (chunk->err == 0)
		chunk->err = octets_room(chunk, row.key_size + value_size);
	if (chunk->err == 0)
		chunk->err = rows_room(chunk);
	if (chunk->err)
		return;
	for (unsigned i = 0; i < n; i++) {
		memcpy(chunk->octets + chunk->used, parts[i].data, parts[i].size);
		chunk->used += parts[i].size;
	}
	memcpy(chunk->octets + chunk->used, value, value_size);
	chunk->used += value_size;
	row.head = head_of(chunk->octets + row.at, row.key_size);
	chunk->rows[chunk->n++] = row;
}

void pdns_chunk_index(void *ctx, const uint8_t *key, size_t size)
{
	const struct pdns_chunk_part part = {key, size};

	pdns_chunk_add(ctx, &part, 1, (const uint8_t *)"", 0);
}

static int keys_compare(
	const uint8_t *octets, const struct pdns_chunk_row *a, const struct pdns_chunk_row *b)
{
	size_t size = a->key_size < b->key_size ? a->key_size : b->key_size;
	int order;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	order = memcmp(octets + a->at, octets + b->at, size);
	return order ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

static int by_key(const void *a, const void *b, void *octets)
{
	return keys_compare(octets, a, b);
}

int pdns_chunk_take(struct pdns_chunk *chunk, rocksdb_writebatch_t *batch)
{
	const struct pdns_chunk_row *row = chunk->rows;

	if (chunk->err)
		return chunk->err;
	// No rows may be no array.
	if (chunk->n > 0)
		qsort_r(chunk->rows, chunk->n, sizeof(*chunk->rows), by_key, chunk->octets);
	for (size_t i = 0; i < chunk->n; i++, row++) {
		const char *key = (const char *)chunk->octets + row->at;

		if (row->value_size > 0)
			rocksdb_writebatch_merge(
				batch, key, row->key_size, key + row->key_size, row->value_size);
		// A name's entry comes with each of its tuples.
		else if (i == 0 || keys_compare(chunk->octets, row - 1, row) != 0)
			rocksdb_writebatch_put(batch, key, row->key_size, "", 0);
	}
	chunk->n = chunk->used = 0;
	return 0;
}

void pdns_chunk_free(struct pdns_chunk *chunk)
{
	free(chunk->octets);
	free(chunk->rows);
}
