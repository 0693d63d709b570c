/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define ROW_SENDER \
	"\xff"     \
	"S"
#define KEY_SIZE   10 // and the start id
#define VALUE_SIZE 16

int store_sender_find(struct store *store, uint64_t start)
{
	struct store_sender *more;
	bool *dirty;

	// The latest are the ones that send.
	for (size_t i = store->n_senders; i-- > 0;)
		if (store->senders[i].start == start)
			return (int)i;
	more = realloc(store->senders, (store->n_senders + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	store->senders = more;
	dirty = realloc(store->dirty, store->n_senders + 1);
	if (!dirty)
		return -ENOMEM;
	store->dirty = dirty;
	dirty[store->n_senders] = false;
	more[store->n_senders] = (struct store_sender){.start = start};
	return (int)store->n_senders++;
}

void store_batch_sender(rocksdb_writebatch_t *batch, const struct store_sender *sender, uint64_t n)
{
	uint8_t key[KEY_SIZE] = ROW_SENDER, value[VALUE_SIZE];

	store_be64(key + 2, sender->start);
	store_be64(value, sender->last_seq);
	store_be64(value + 8, sender->stored + n);
	rocksdb_writebatch_put(batch, (char *)key, sizeof(key), (char *)value, sizeof(value));
}

static int row_take(struct store *store, const uint8_t *key, const uint8_t *value)
{
	uint64_t last_seq = load_be64(value), stored = load_be64(value + 8);
	struct store_sender *sender;
	int i;

	pthread_mutex_lock(&store->lock);
	i = store_sender_find(store, load_be64(key + 2));
	if (i >= 0) {
		sender = &store->senders[i];
		sender->last_seq = last_seq > sender->last_seq ? last_seq : sender->last_seq;
		sender->stored = stored > sender->stored ? stored : sender->stored;
	}
	pthread_mutex_unlock(&store->lock);
	return i < 0 ? i : 0;
}

static int rows_read(struct store *store, rocksdb_t *db)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_iterator_t *it = rocksdb_create_iterator(db, read);
	const char *key, *value;
	size_t key_size, size;
	char *error = NULL;
	int err = 0;

	for (rocksdb_iter_seek(it, ROW_SENDER, 2); err == 0 && rocksdb_iter_valid(it);
		rocksdb_iter_next(it)) {
		key = rocksdb_iter_key(it, &key_size);
		value = rocksdb_iter_value(it, &size);
		if (key_size != KEY_SIZE || memcmp(key, ROW_SENDER, 2) != 0)
			break;
		if (size == VALUE_SIZE)
			err = row_take(store, (const uint8_t *)key, (const uint8_t *)value);
	}
	rocksdb_iter_get_error(it, &error);
	if (err == 0)
		err = rocks_error(error);
	rocksdb_iter_destroy(it);
	rocksdb_readoptions_destroy(read);
	return err;
}

int store_senders_load(struct store *store)
{
	struct store_shelf *shelf;
	uint16_t *days = NULL;
	int n = store_folders(store, STORE_RECORDS, &days);
	int err = n < 0 ? n : 0;

	for (int i = 0; i < n && err == 0; i++) {
		err = store_shelf_get(store, days[i], STORE_RECORDS, &shelf);
		if (err)
			break;
		for (unsigned k = 0; k < STORE_KINDS && err == 0; k++)
			if (shelf->db[k])
				err = rows_read(store, shelf->db[k]);
		store_shelf_put(store, shelf);
	}
	free(days);
	return err;
}

int store_senders(struct store *store, struct store_sender **senders)
{
	struct store_sender *copy;
	int err = 0, n;

	// A reader knows what is on disk now; it has nothing else to go by.
	if (store->mode != STORE_WRITE)
		err = store_senders_load(store);
	if (err)
		return err;
	pthread_mutex_lock(&store->lock);
	n = (int)store->n_senders;
	copy = malloc(((size_t)n + 1) * sizeof(*copy));
	if (copy && n > 0)
		memcpy(copy, store->senders, (size_t)n * sizeof(*copy));
	pthread_mutex_unlock(&store->lock);
	if (!copy)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		uint64_t kept = copy[i].stored + copy[i].pending;

		copy[i].lost = copy[i].last_seq > kept ? copy[i].last_seq - kept : 0;
	}
	*senders = copy;
	return n;
}
