/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_contact_private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "list/list.h"

#define BATCH_SIZE  ((size_t)4 << 20)
#define MORE        1 // there are rows behind the piece
#define COMPACT_ALL 2 // BottommostLevelCompaction::kForce: files of the last level, too

static_assert(STORE_CONTACT_KEY_MAX >= STORE_KEY_MAX, "a place for keys of both kinds");

struct forgetting {
	struct store *store;
	struct store_work *work;
	uint16_t day;
	unsigned group;
	struct store_shelf *shelf;
	enum store_kind kind;
	const struct prefix *prefix;
	rocksdb_writebatch_t *batch;
	size_t batch_size;
	uint64_t gone; // records of the batch
	bool changed;  // something of the table
	uint8_t *room; // for a value without what is forgotten
	size_t room_size;
	struct store_room texts;
	uint8_t at[STORE_CONTACT_KEY_MAX + 1]; // where the next piece begins
	size_t at_size;
};

// Copies the records that stay to the room. Returns octets, or -errno.
static int64_t value_filter(struct forgetting *f, const uint8_t *value, size_t size, uint64_t *gone)
{
	struct store_record record;
	size_t kept = 0;

	if (size > f->room_size) {
		uint8_t *more = realloc(f->room, size);

		if (!more)
			return -ENOMEM;
		f->room = more;
		f->room_size = size;
	}
	for (size_t at = 0, taken; at < size; at += taken) {
		taken = store_record_decode(f->kind, value + at, size - at, &record, &f->texts);
		if (taken == 0)
			return -EBADMSG;
		if (record.client.addr.family && record.client.length >= f->prefix->length &&
			prefix_contains(f->prefix, &record.client.addr)) {
			*gone += 1;
			continue;
		}
		if (record.client.addr.family && record.client.length < f->prefix->length &&
			prefix_contains(&record.client, &f->prefix->addr))
			f->work->dropped->similar++;
		memcpy(f->room + kept, value + at, taken);
		kept += taken;
	}
	return (int64_t)kept;
}

static int batch_write(struct forgetting *f)
{
	uint64_t records = f->shelf->records[f->kind] - f->gone;
	char *error = NULL;
	int err;

	if (f->gone == 0)
		return 0;
	store_batch_counts(f->batch, records, f->shelf->commits[f->kind] + 1);
	rocksdb_write(f->shelf->db[f->kind], f->store->write_options, f->batch, &error);
	err = rocks_error(error);
	if (err)
		return err;
	pthread_mutex_lock(&f->store->lock);
	f->shelf->records[f->kind] = records;
	f->shelf->commits[f->kind]++;
	pthread_mutex_unlock(&f->store->lock);
	f->work->dropped->records += f->gone;
	f->changed = true;
	f->gone = 0;
	f->batch_size = 0;
	rocksdb_writebatch_clear(f->batch);
	return 0;
}

// A contact's client stands in the key, whole.
static int contact_forget(
	const struct forgetting *f, const char *key, size_t key_size, uint64_t *gone)
{
	struct store_contact contact;
	char name[STORE_CONTACT_NAME_MAX + 1];

	if (!store_contact_key_read((const uint8_t *)key, key_size, &contact, name))
		return -EBADMSG;
	*gone = prefix_contains(f->prefix, &contact.client);
	return 0;
}

static int row_forget(struct forgetting *f, rocksdb_iterator_t *it)
{
	size_t key_size, size;
	const char *key = rocksdb_iter_key(it, &key_size);
	const char *value = rocksdb_iter_value(it, &size);
	uint64_t gone = 0;
	int64_t kept = f->kind == STORE_SINKHOLE
			       ? contact_forget(f, key, key_size, &gone)
			       : value_filter(f, (const uint8_t *)value, size, &gone);

	if (kept < 0 || gone == 0)
		return (int)(kept < 0 ? kept : 0);
	if (kept > 0)
		rocksdb_writebatch_put(f->batch, key, key_size, (char *)f->room, (size_t)kept);
	else
		rocksdb_writebatch_delete(f->batch, key, key_size);
	f->gone += gone;
	f->batch_size += key_size + (size_t)kept;
	return f->batch_size >= BATCH_SIZE ? batch_write(f) : 0;
}

// Old values are in files, and in the write-ahead log, until all of it is written anew.
static int table_rewrite(rocksdb_t *db)
{
	rocksdb_compactoptions_t *all = rocksdb_compactoptions_create();
	rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
	char *error = NULL;
	int err;

	rocksdb_flush(db, flush, &error);
	err = rocks_error(error);
	rocksdb_compactoptions_set_bottommost_level_compaction(all, COMPACT_ALL);
	if (err == 0) {
		rocksdb_compact_range_opt(db, all, NULL, 0, NULL, 0);
		err = rocks_settle(db);
	}
	rocksdb_flushoptions_destroy(flush);
	rocksdb_compactoptions_destroy(all);
	return err;
}

// Rows from a key on. Returns MORE when the piece is long enough, with the next key; 0 at the end; -errno.
static int rows_forget(struct forgetting *f, rocksdb_iterator_t *it)
{
	const char *key;
	size_t size;
	int err;

	for (rocksdb_iter_seek(it, (char *)f->at, f->at_size); rocksdb_iter_valid(it);
		rocksdb_iter_next(it)) {
		key = rocksdb_iter_key(it, &size);
		if ((uint8_t)key[0] > STORE_HOUR_LAST)
			return 0;
		err = row_forget(f, it);
		if (err)
			return err;
		if (!store_work_is_long(f->work))
			continue;
		memcpy(f->at, key, size);
		f->at[size] = 0;
		f->at_size = size + 1;
		return MORE;
	}
	return 0;
}

// A piece sees the rows as they are when it begins, and has written those it changes when it ends: what
// others append between two pieces is kept. They may close the tables, too.
static int piece_forget(struct forgetting *f)
{
	rocksdb_readoptions_t *read;
	rocksdb_iterator_t *it;
	char *error = NULL;
	int more = store_shelf_write(f->store, f->day, f->group, &f->shelf), err;

	if (more)
		return more;
	read = rocksdb_readoptions_create();
	rocksdb_readoptions_set_fill_cache(read, 0);
	it = rocksdb_create_iterator(f->shelf->db[f->kind], read);
	more = rows_forget(f, it);
	rocksdb_iter_get_error(it, &error);
	err = rocks_error(error);
	// What the iterator sees is kept as long as it is there.
	rocksdb_iter_destroy(it);
	rocksdb_readoptions_destroy(read);
	if (err == 0 && more >= 0)
		err = batch_write(f);
	return err ? err : more;
}

// Files are written anew while others append. Who began to ask before still sees what was forgotten, and
// what is seen is kept.
static int table_clean(struct forgetting *f)
{
	struct store_shelf *shelf = f->shelf;
	const struct store_actor *actor = f->work->actor;
	int err;

	pthread_mutex_lock(&f->store->lock);
	shelf->refs++;
	pthread_mutex_unlock(&f->store->lock);
	store_work_let(f->work);
	if (actor && actor->settle)
		actor->settle(actor->ctx);
	err = table_rewrite(shelf->db[f->kind]);
	store_work_take(f->work);
	store_shelf_put(f->store, shelf);
	return err;
}

static int table_forget(struct forgetting *f)
{
	int more, err;

	f->at_size = 0;
	f->changed = false;
	while ((more = piece_forget(f)) == MORE) {
		err = store_work_breathe(f->work);
		if (err)
			return err;
	}
	return more == 0 && f->changed ? table_clean(f) : more;
}

static struct store_shelf *group_find(struct store *store, uint16_t day, unsigned group)
{
	struct store_shelf *shelf = store_shelf_next(store, NULL);

	while (shelf && (shelf->day != day || shelf->group != group))
		shelf = store_shelf_next(store, shelf);
	return shelf;
}

// Tables of a group that is there.
static int group_forget(struct forgetting *f, bool *changed)
{
	bool was_open = group_find(f->store, f->day, f->group);
	struct store_shelf *shelf;
	int err = 0;

	for (f->kind = 0; f->kind < STORE_KINDS && err == 0; f->kind++) {
		if (!(f->group & 1u << f->kind))
			continue;
		err = table_forget(f);
		*changed = *changed || f->changed;
	}
	shelf = was_open ? NULL : group_find(f->store, f->day, f->group);
	if (shelf)
		store_shelf_retire(f->store, shelf, false);
	return err;
}

static bool group_is_there(const struct store *store, uint16_t day, unsigned group)
{
	char path[STORE_PATH_MAX];
	bool there = false;

	for (unsigned k = 0; k < STORE_KINDS; k++)
		if (group & 1u << k)
			there = there || access(store_path(store, k, day, path), F_OK) == 0;
	return there;
}

static int day_forget(
	struct store *store, uint16_t day, const struct prefix *prefix, struct store_work *work)
{
	static const unsigned groups[] = {STORE_RECORDS, STORE_CONTACTS};
	struct forgetting f = {.store = store, .day = day, .prefix = prefix, .work = work};
	bool changed = false;
	char text[11];
	int err = 0;

	f.batch = rocksdb_writebatch_create();
	for (unsigned g = 0; g < 2 && err == 0; g++) {
		f.group = groups[g];
		if (group_is_there(store, day, f.group))
			err = group_forget(&f, &changed);
	}
	rocksdb_writebatch_destroy(f.batch);
	free(f.room);
	work->dropped->days += changed;
	if (err) {
		work->dropped->busy += err == -EBUSY;
		log_line(LOG_ERROR, "%s: %s is left as it was: %s", store->folder,
			list_day_format(day, text),
			err == -EBUSY ? "another process writes to it" : strerror(-err));
	}
	return err;
}

int store_forget(struct store *store, const struct prefix *prefix, const struct store_actor *actor,
	struct store_dropped *dropped)
{
	struct store_work work;
	uint16_t *days = NULL;
	int n, err = store->mode == STORE_READ ? -EROFS : 0, each;

	store_work_begin(&work, actor, dropped);
	if (err == 0 && store->mode == STORE_WRITE)
		err = store_commit_last(store);
	if (err)
		return err;
	n = store_folders(store, STORE_RECORDS | STORE_CONTACTS, &days);
	err = n < 0 ? n : 0;
	for (int i = 0; i < n && err != -EINTR; i++) {
		each = day_forget(store, days[i], prefix, &work);
		err = each ? each : err;
		each = store_work_breathe(&work);
		err = each ? each : err;
	}
	free(days);
	// The address itself is what shall be forgotten, so it is not in the line.
	each = store_audit(store, actor,
		"\"action\":\"forget\",\"family\":\"%s\",\"bits\":%u,\"records\":%" PRIu64
		",\"days\":%u,\"complete\":%s",
		prefix->addr.family == ADDR_IPV4 ? "IPv4" : "IPv6", prefix->length,
		dropped->records, dropped->days, err ? "false" : "true");
	return err ? err : each;
}
