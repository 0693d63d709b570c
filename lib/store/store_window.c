/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/bytes.h"

#define ITEM_HEADER 6

// Keys and items are longer than this on average, so entries do not run out first.
#define ENTRY_OCTETS 32

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1024;

	while (p < n)
		p *= 2;
	return p;
}

// All is virtual until it is used: malloc maps what is as large as this.
struct store_window *store_window_create(size_t size)
{
	struct store_window *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->size = size;
	w->used = STORE_WINDOW_EMPTY;
	w->max_entries = (uint32_t)(size / ENTRY_OCTETS);
	w->mask = power_of_two(2 * w->max_entries) - 1;
	w->arena = malloc(size);
	w->entries = malloc(w->max_entries * sizeof(*w->entries));
	w->slots = calloc((size_t)w->mask + 1, sizeof(*w->slots));
	if (w->arena && w->entries && w->slots)
		return w;
	store_window_destroy(w);
	return NULL;
}

void store_window_destroy(struct store_window *w)
{
	if (!w)
		return;
	free(w->arena);
	free(w->entries);
	free(w->slots);
	free(w->tallies);
	free(w);
}

static int tally(struct store_window *w, int sender)
{
	struct store_tally *more;

	for (size_t i = 0; i < w->n_tallies; i++)
		if (w->tallies[i].sender == sender) {
			w->tallies[i].n++;
			return 0;
		}
	more = realloc(w->tallies, (w->n_tallies + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->tallies = more;
	more[w->n_tallies++] = (struct store_tally){.sender = sender, .n = 1};
	return 0;
}

// The entry of a key, or the free slot where it belongs.
static struct store_entry *entry_find(
	struct store_window *w, const uint8_t *key, size_t size, uint32_t *slot)
{
	uint32_t at = (uint32_t)XXH3_64bits(key, size) & w->mask;

	while (w->slots[at]) {
		struct store_entry *e = &w->entries[w->slots[at] - 1];

		if (e->key_size == size && memcmp(w->arena + e->key, key, size) == 0)
			return e;
		at = (at + 1) & w->mask;
	}
	*slot = at;
	return NULL;
}

int store_window_add(struct store_window *w, const uint8_t *key, size_t key_size,
	const uint8_t *value, size_t size, int sender)
{
	struct store_entry *e;
	uint32_t slot = 0, item;
	int err;

	if (w->size - w->used < key_size + ITEM_HEADER + size)
		return -ENOBUFS;
	e = entry_find(w, key, key_size, &slot);
	if (!e && w->n_entries == w->max_entries)
		return -ENOBUFS;
	err = tally(w, sender);
	if (err)
		return err;
	if (!e) {
		e = &w->entries[w->n_entries++];
		*e = (struct store_entry){
			.key = (uint32_t)w->used, .key_size = (uint16_t)key_size, .slot = slot};
		memcpy(w->arena + w->used, key, key_size);
		w->used += key_size;
		w->slots[slot] = w->n_entries;
	}
	item = (uint32_t)w->used;
	store_be32(w->arena + item, 0);
	store_be16(w->arena + item + 4, (uint16_t)size);
	memcpy(w->arena + item + ITEM_HEADER, value, size);
	w->used += ITEM_HEADER + size;
	if (e->first)
		store_be32(w->arena + e->last, item);
	else
		e->first = item;
	e->last = item;
	e->size += (uint32_t)size;
	w->records++;
	return 0;
}

static int entry_compare(const void *a, const void *b, void *arena)
{
	const struct store_entry *x = *(struct store_entry *const *)a;
	const struct store_entry *y = *(struct store_entry *const *)b;
	size_t size = x->key_size < y->key_size ? x->key_size : y->key_size;
	int order = memcmp((uint8_t *)arena + x->key, (uint8_t *)arena + y->key, size);

	return order ? order : (int)x->key_size - (int)y->key_size;
}

static void entry_write(const struct store_window *w, const struct store_entry *e, uint64_t commit,
	uint8_t *room, rocksdb_writebatch_t *batch)
{
	uint8_t key[STORE_KEY_MAX];
	size_t used = 0, size;

	for (uint32_t item = e->first; item; item = load_be32(w->arena + item)) {
		size = load_be16(w->arena + item + 4);
		memcpy(room + used, w->arena + item + ITEM_HEADER, size);
		used += size;
	}
	memcpy(key, w->arena + e->key, e->key_size);
	if (used < STORE_LARGE) {
		rocksdb_writebatch_merge(batch, (char *)key, e->key_size, (char *)room, used);
		return;
	}
	store_be64(key + e->key_size, commit);
	rocksdb_writebatch_put(batch, (char *)key, e->key_size + 8u, (char *)room, used);
}

// In the order of the keys: the table of what is in memory takes these in half the time.
int store_window_batch(const struct store_window *w, uint64_t commit, rocksdb_writebatch_t *batch)
{
	struct store_entry **order =
		malloc(((size_t)w->n_entries + 1) * sizeof(struct store_entry *));
	uint32_t largest = 0;
	uint8_t *room = NULL;
	int err = -ENOMEM;

	if (!order)
		return err;
	for (uint32_t i = 0; i < w->n_entries; i++) {
		order[i] = &w->entries[i];
		largest = order[i]->size > largest ? order[i]->size : largest;
	}
	room = malloc((size_t)largest + 1);
	if (!room)
		goto out;
	qsort_r(order, w->n_entries, sizeof(struct store_entry *), entry_compare, w->arena);
	for (uint32_t i = 0; i < w->n_entries; i++)
		entry_write(w, order[i], commit, room, batch);
	err = 0;
out:
	free(room);
	free(order);
	return err;
}

void store_window_clear(struct store_window *w)
{
	for (uint32_t i = 0; i < w->n_entries; i++)
		w->slots[w->entries[i].slot] = 0;
	w->n_entries = 0;
	w->n_tallies = 0;
	w->records = 0;
	w->used = STORE_WINDOW_EMPTY;
	w->doubt = 0;
}
