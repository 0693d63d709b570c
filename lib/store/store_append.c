/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "list/list.h"

// Says once what does not work, and once that it does again.
static void failing_note(struct store *store, int err)
{
	if (err && err != store->failing)
		log_line(LOG_ERROR, "%s: cannot be written, what comes waits: %s", store->folder,
			strerror(-err));
	else if (!err && store->failing)
		log_line(LOG_INFO, "%s: can be written again", store->folder);
	store->failing = err;
}

static void written(struct store *store, struct store_window *w)
{
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < w->n_tallies; i++) {
		struct store_sender *sender = &store->senders[w->tallies[i].sender];

		sender->stored += w->tallies[i].n;
		sender->pending -= w->tallies[i].n;
	}
	store->stats.stored += w->records;
	store->stats.pending -= w->records;
	store->stats.window_used -= w->used - STORE_WINDOW_EMPTY;
	pthread_mutex_unlock(&store->lock);
	store_window_clear(w);
}

// Numbers of senders that have records in the window, and of those that had none since their last
// row.
static void batch_senders(
	struct store *store, const struct store_window *w, rocksdb_writebatch_t *batch)
{
	for (size_t i = 0; i < store->n_senders; i++) {
		uint64_t n = 0;
		bool has = store->dirty[i];

		for (size_t t = 0; t < w->n_tallies; t++)
			if (w->tallies[t].sender == (int)i) {
				n = w->tallies[t].n;
				has = true;
			}
		if (has)
			store_batch_sender(batch, &store->senders[i], n);
	}
}

static int window_write(struct store *store, struct store_shelf *shelf, struct store_window *w)
{
	rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
	uint64_t records = shelf->records[w->kind] + w->records;
	uint64_t commit = shelf->commits[w->kind] + 1;
	char *error = NULL;
	int err = store_window_batch(w, commit, batch);

	if (err == 0) {
		store_batch_counts(batch, records, commit);
		batch_senders(store, w, batch);
		rocksdb_write(shelf->db[w->kind], store->write_options, batch, &error);
		w->doubt = error ? commit : 0;
		err = rocks_error(error);
	}
	rocksdb_writebatch_destroy(batch);
	if (err == 0) {
		pthread_mutex_lock(&store->lock);
		shelf->records[w->kind] = records;
		shelf->commits[w->kind] = commit;
		memset(store->dirty, 0, store->n_senders);
		pthread_mutex_unlock(&store->lock);
	}
	return err;
}

// A write that failed may be in the table nevertheless. Once the table is closed, what it says when
// it is opened anew is the truth.
static void doubt_resolve(
	struct store *store, struct store_window *w, const struct store_shelf *shelf)
{
	if (shelf->commits[w->kind] == w->doubt)
		written(store, w);
	w->doubt = 0;
}

// Closes the tables of a day that failed; on a full disk they can still be read.
static void failed(struct store *store, struct store_window *w, struct store_shelf *shelf)
{
	struct store_shelf *again;

	if (store_shelf_retire(store, shelf, true) &&
		store_shelf_open(store, w->day, 1u << w->kind, false, &again) == 0) {
		again->refs = 1;
		doubt_resolve(store, w, again);
		store_shelf_put(store, again);
	}
}

static int window_commit(struct store *store, struct store_window *w)
{
	struct store_shelf *shelf;
	int err;

	if (w->n_entries == 0)
		return 0;
	err = store_shelf_write(store, w->day, STORE_RECORDS, &shelf);
	if (err)
		return err;
	if (w->doubt)
		doubt_resolve(store, w, shelf);
	if (w->n_entries == 0)
		return 0;
	err = window_write(store, shelf, w);
	if (err) {
		failed(store, w, shelf);
		return err;
	}
	written(store, w);
	store_shelf_modes(store, shelf);
	return 0;
}

static void idle_close(struct store *store)
{
	struct store_shelf *next, *shelf = store_shelf_next(store, NULL);
	int64_t now = store_now();

	for (; shelf; shelf = next) {
		next = store_shelf_next(store, shelf);
		if (now - shelf->used < STORE_IDLE)
			continue;
		store_shelf_flush(shelf);
		store_shelf_retire(store, shelf, false);
	}
}

static int windows_commit(struct store *store)
{
	int err = 0, each;

	for (unsigned i = 0; i < STORE_WINDOWS_MAX; i++) {
		if (!store->windows[i])
			continue;
		each = window_commit(store, store->windows[i]);
		if (each)
			err = each;
	}
	if (err) {
		store->tried = store_now();
		pthread_mutex_lock(&store->lock);
		store->stats.failed_commits++;
		pthread_mutex_unlock(&store->lock);
	}
	failing_note(store, err);
	return err;
}

// Each try goes through the write-ahead log of a day, so there is not one every second.
static bool is_resting(const struct store *store)
{
	return store->failing && store_now() - store->tried < STORE_RETRY;
}

int store_commit(struct store *store)
{
	int err;

	if (is_resting(store))
		return store->failing;
	err = windows_commit(store);
	if (err == 0)
		idle_close(store);
	return err;
}

int store_commit_last(struct store *store)
{
	return windows_commit(store);
}

// Makes room for the tables of another day.
static int shelf_make_room(struct store *store)
{
	struct store_shelf *shelf = store_shelf_next(store, NULL), *least = NULL;
	unsigned n = 0;
	int err;

	for (; shelf; shelf = store_shelf_next(store, shelf)) {
		if (shelf->group != STORE_RECORDS)
			continue;
		least = !least || shelf->used < least->used ? shelf : least;
		n++;
	}
	if (n < STORE_SHELVES_MAX)
		return 0;
	err = windows_commit(store);
	if (err == 0)
		store_shelf_retire(store, least, false);
	return err;
}

// Tables of the day that a moment lies in.
static int shelf_at(struct store *store, int64_t time_ms, struct store_shelf **out)
{
	struct store_shelf *shelf = store->latest;
	int err;

	if (shelf && time_ms >= shelf->begin_ms && time_ms < shelf->end_ms) {
		*out = shelf;
		return 0;
	}
	for (shelf = store_shelf_next(store, NULL); shelf; shelf = store_shelf_next(store, shelf))
		if (shelf->group == STORE_RECORDS && time_ms >= shelf->begin_ms &&
			time_ms < shelf->end_ms) {
			*out = store->latest = shelf;
			return 0;
		}
	if (is_resting(store))
		return store->failing;
	err = shelf_make_room(store);
	if (err == 0)
		err = store_shelf_write(store, list_day_of(time_ms / 1000), STORE_RECORDS, out);
	store->latest = err ? NULL : *out;
	if (err) {
		store->tried = store_now();
		failing_note(store, err);
	}
	return err;
}

/** What the records of a day need to wait: its tables may be closed. */
struct place {
	uint16_t day;
	int64_t start_ms; // that the hours of the keys count from
};

static int place_closed(struct store *store, uint16_t day, struct place *place)
{
	place->day = day;
	for (unsigned i = 0; i < STORE_WINDOWS_MAX; i++)
		if (store->windows[i] && store->windows[i]->n_entries > 0 &&
			store->windows[i]->day == day) {
			place->start_ms = store->windows[i]->start_ms;
			return 0;
		}
	return store_day_begin(store, day, &place->start_ms);
}

// What comes while a day cannot be written waits for it.
static int place_at(struct store *store, int64_t time_ms, struct place *place)
{
	struct store_shelf *shelf;
	int err = shelf_at(store, time_ms, &shelf);

	if (err == 0)
		*place = (struct place){shelf->day, shelf->start_ms};
	else if (place_closed(store, list_day_of(time_ms / 1000), place) == 0)
		err = 0;
	return err;
}

// The window of a table: its own, or one that is empty. NULL: there is none.
static struct store_window *window_for(
	struct store *store, const struct place *place, enum store_kind kind)
{
	struct store_window *w, *empty = NULL;

	for (unsigned i = 0; i < STORE_WINDOWS_MAX; i++) {
		w = store->windows[i];
		if (w && w->n_entries > 0 && w->day == place->day && w->kind == kind)
			return w;
		if (w && w->n_entries == 0)
			empty = w;
	}
	for (unsigned i = 0; i < STORE_WINDOWS_MAX && !empty; i++)
		if (!store->windows[i])
			empty = store->windows[i] = store_window_create(store->window_size);
	if (empty) {
		empty->day = place->day;
		empty->kind = kind;
		empty->start_ms = place->start_ms;
	}
	return empty;
}

static int window_put(struct store *store, struct store_window *w, const uint8_t *key,
	size_t key_size, const struct store_record *record, uint32_t ms, int sender)
{
	uint8_t value[STORE_VALUE_MAX];
	size_t before = w->used, size = store_record_encode(record, ms, value);
	int err;

	// Nothing may be added to what is perhaps written.
	if (w->doubt)
		return store->failing ? store->failing : -EIO;
	err = store_window_add(w, key, key_size, value, size, sender);
	if (err)
		return err;
	pthread_mutex_lock(&store->lock);
	store->senders[sender].pending++;
	store->stats.appended++;
	store->stats.pending++;
	store->stats.window_used += w->used - before;
	pthread_mutex_unlock(&store->lock);
	return 0;
}

// Tries once; -ENOBUFS: there is no room before a commit.
static int record_put(struct store *store, const struct store_record *record, int sender)
{
	enum store_kind kind = record->filtered ? STORE_CHANGED : STORE_LOG;
	uint8_t key[STORE_KEY_MAX];
	struct store_window *w;
	struct place place;
	size_t size;
	int64_t ms;
	int err;

	err = place_at(store, record->time_ms, &place);
	if (err)
		return err;
	w = window_for(store, &place, kind);
	if (!w)
		return -ENOBUFS;
	ms = record->time_ms - w->start_ms + (int64_t)STORE_HOUR_BIAS * STORE_HOUR_MS;
	if (ms < 0 || ms / STORE_HOUR_MS > STORE_HOUR_LAST)
		return -EINVAL;
	size = store_key_make((uint8_t)(ms / STORE_HOUR_MS), record->name, record->name_size, key);
	if (size == 0)
		return -EINVAL;
	return window_put(store, w, key, size, record, (uint32_t)(ms % STORE_HOUR_MS), sender);
}

static int record_take(struct store *store, const struct store_record *record, int sender)
{
	int err = record_put(store, record, sender);

	if (err != -ENOBUFS)
		return err;
	err = is_resting(store) ? store->failing : windows_commit(store);
	return err ? err : record_put(store, record, sender);
}

static int sender_note(struct store *store, uint64_t start, uint64_t last_seq, uint64_t refused)
{
	int i;

	pthread_mutex_lock(&store->lock);
	i = store_sender_find(store, start);
	if (i >= 0 && start != 0 && last_seq > store->senders[i].last_seq) {
		store->senders[i].last_seq = last_seq;
		store->dirty[i] = true;
	}
	if (i >= 0)
		store->senders[i].refused += refused;
	store->stats.refused += refused;
	pthread_mutex_unlock(&store->lock);
	return i;
}

int store_append(struct store *store, const struct store_batch *batch)
{
	int sender = sender_note(store, batch->start, batch->last_seq, 0);
	int err = sender < 0 ? sender : 0;
	uint64_t refused = 0;

	for (size_t i = 0; i < batch->n; i++) {
		int each = err ? err : record_take(store, &batch->records[i], sender);

		refused += each != 0;
		// A record that is none does not hold up those behind it.
		err = each == -EINVAL ? err : each;
	}
	if (refused)
		sender_note(store, batch->start, batch->last_seq, refused);
	return err;
}

void store_refuse(struct store *store, uint64_t start, uint64_t last_seq, uint64_t n)
{
	sender_note(store, start, last_seq, n);
}
