/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_contact_private.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "list/list.h"

#define SHELVES_MAX 2 // days that are open at once: at midnight both get contacts

// What is being written to one day.
struct putting {
	struct store *store;
	uint64_t chunk;
	struct store_shelf *shelf; // NULL: none yet
	rocksdb_writebatch_t *batch;
	uint64_t rows; // in the batch
	struct store_contacts_done *done;
};

static void shelves_bound(struct store *store)
{
	struct store_shelf *shelf = store_shelf_next(store, NULL), *least = NULL;
	unsigned n = 0;

	for (; shelf; shelf = store_shelf_next(store, shelf)) {
		if (shelf->group != STORE_CONTACTS)
			continue;
		least = !least || shelf->used < least->used ? shelf : least;
		n++;
	}
	if (n < SHELVES_MAX)
		return;
	store_shelf_flush(least);
	store_shelf_retire(store, least, false);
}

static int day_open(struct putting *p, uint16_t day)
{
	char path[STORE_PATH_MAX];
	struct store_shelf *shelf = store_shelf_next(p->store, NULL);
	int err;

	while (shelf && (shelf->group != STORE_CONTACTS || shelf->day != day))
		shelf = store_shelf_next(p->store, shelf);
	if (!shelf)
		shelves_bound(p->store);
	err = store_folder_make(store_path(p->store, STORE_SINKHOLE, -1, path), 0700);
	return err ? err : store_shelf_write(p->store, day, STORE_CONTACTS, &p->shelf);
}

static int day_write(struct putting *p)
{
	struct store_shelf *shelf = p->shelf;
	uint64_t records, commits;
	char *error = NULL;
	int err;

	if (p->rows == 0)
		return 0;
	records = shelf->records[STORE_SINKHOLE] + p->rows;
	commits = shelf->commits[STORE_SINKHOLE] + 1;
	store_batch_counts(p->batch, records, commits);
	rocksdb_write(shelf->db[STORE_SINKHOLE], p->store->write_options, p->batch, &error);
	err = rocks_error(error);
	rocksdb_writebatch_clear(p->batch);
	if (err) {
		// RocksDB takes nothing more until it is opened anew.
		store_shelf_retire(p->store, shelf, true);
		return err;
	}
	pthread_mutex_lock(&p->store->lock);
	shelf->records[STORE_SINKHOLE] = records;
	shelf->commits[STORE_SINKHOLE] = commits;
	pthread_mutex_unlock(&p->store->lock);
	p->done->stored += p->rows;
	p->rows = 0;
	return 0;
}

static void contact_add(struct putting *p, const struct store_contact *contact)
{
	uint8_t key[STORE_CONTACT_KEY_MAX], value[STORE_CONTACT_VALUE_SIZE];
	int64_t ms =
		contact->first_ms - p->shelf->start_ms + (int64_t)STORE_HOUR_BIAS * STORE_HOUR_MS;
	size_t size;

	if (ms < 0 || ms / STORE_HOUR_MS > STORE_HOUR_LAST ||
		p->shelf->records[STORE_SINKHOLE] + p->rows >= STORE_CONTACTS_MAX) {
		p->done->left_out += contact->n;
		return;
	}
	size = store_contact_row_make(
		contact, (uint8_t)(ms / STORE_HOUR_MS), (uint32_t)(ms % STORE_HOUR_MS), key, value);
	store_be64(key + size, p->chunk);
	rocksdb_writebatch_put(p->batch, (char *)key, size + 8, (char *)value, sizeof(value));
	p->rows++;
}

int store_contacts_put(struct store *store, uint64_t chunk, const struct store_contact *contacts,
	size_t n, struct store_contacts_done *done)
{
	struct putting p = {.store = store, .chunk = chunk, .done = done};
	int err = 0, day = -1;

	*done = (struct store_contacts_done){0};
	if (store->mode == STORE_READ)
		return -EROFS;
	p.batch = rocksdb_writebatch_create();
	for (size_t i = 0; i < n && err == 0; i++) {
		int of = list_day_of(contacts[i].first_ms / 1000);

		if (of != day) {
			err = day_write(&p);
			if (err == 0)
				err = day_open(&p, (uint16_t)of);
			day = of;
		}
		if (err == 0)
			contact_add(&p, &contacts[i]);
	}
	if (err == 0)
		err = day_write(&p);
	rocksdb_writebatch_destroy(p.batch);
	return err;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int64_t hour_begin(const struct store_shelf *shelf, uint8_t hour)
{
	return shelf->start_ms + (hour - STORE_HOUR_BIAS) * (int64_t)STORE_HOUR_MS;
}

static bool is_met(const struct store_contact_question *q, const struct store_contact *c)
{
	if ((q->from_ms && c->last_ms < q->from_ms) || (q->to_ms && c->first_ms >= q->to_ms))
		return false;
	return !q->client.addr.family || prefix_contains(&q->client, &c->client);
}

static int row_walk(rocksdb_iterator_t *it, const struct store_shelf *shelf,
	const struct store_contact_question *question, store_contact_take take, void *ctx)
{
	char name[STORE_CONTACT_NAME_MAX + 1];
	struct store_contact contact;
	size_t key_size, size;
	const uint8_t *key = (const uint8_t *)rocksdb_iter_key(it, &key_size);
	const uint8_t *value = (const uint8_t *)rocksdb_iter_value(it, &size);

	if (!store_contact_key_read(key, key_size, &contact, name) ||
		!store_contact_value_read(value, size, hour_begin(shelf, key[0]), &contact))
		return -EBADMSG;
	return is_met(question, &contact) ? take(ctx, &contact) : 0;
}

int store_contact_walk(struct store *store, uint16_t day,
	const struct store_contact_question *question, store_contact_take take, void *ctx)
{
	rocksdb_readoptions_t *read;
	struct store_shelf *shelf;
	rocksdb_iterator_t *it;
	char *error = NULL, path[STORE_PATH_MAX];
	const char *key;
	size_t size;
	int err = store_shelf_get(store, day, STORE_CONTACTS, &shelf);

	if (err)
		return err;
	if (!shelf->db[STORE_SINKHOLE]) {
		store_shelf_put(store, shelf);
		return 0;
	}
	read = rocksdb_readoptions_create();
	rocksdb_readoptions_set_fill_cache(read, 0);
	it = rocksdb_create_iterator(shelf->db[STORE_SINKHOLE], read);
	for (rocksdb_iter_seek_to_first(it); err == 0 && rocksdb_iter_valid(it);
		rocksdb_iter_next(it)) {
		key = rocksdb_iter_key(it, &size);
		if ((uint8_t)key[0] > STORE_HOUR_LAST)
			break;
		err = row_walk(it, shelf, question, take, ctx);
	}
	rocksdb_iter_get_error(it, &error);
	err = err ? err : rocks_error(error);
	if (err < 0)
		log_line(LOG_ERROR, "%s: %s", store_path(store, STORE_SINKHOLE, day, path),
			strerror(-err));
	rocksdb_iter_destroy(it);
	rocksdb_readoptions_destroy(read);
	store_shelf_put(store, shelf);
	return err;
}
