/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_query_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "list/list.h"

#define READAHEAD      ((size_t)1 << 20)
#define PROGRESS_EVERY 65536 // records
#define ZONE_DAYS      1     // days that a change of zone can put records off

static unsigned kinds_of(const struct store_question *q)
{
	if (q->kinds == STORE_FILTERED)
		return 1u << STORE_CHANGED;
	return q->kinds == STORE_UNFILTERED ? 1u << STORE_LOG : STORE_RECORDS;
}

static bool is_met(const struct store_question *q, const struct store_record *r)
{
	if (q->rcode >= 0 && r->rcode != q->rcode)
		return false;
	if (q->type >= 0 && r->type != q->type)
		return false;
	if ((q->from_ms && r->time_ms < q->from_ms) || (q->to_ms && r->time_ms >= q->to_ms))
		return false;
	if (q->client.addr.family && (r->client.length < q->client.length ||
					     !prefix_contains(&q->client, &r->client.addr)))
		return false;
	return !q->id || strcmp(q->id, r->id) == 0;
}

static int progress_tell(struct store_walk *walk)
{
	return walk->visitor->progress
		       ? walk->visitor->progress(walk->visitor->ctx, &walk->progress)
		       : 0;
}

static int damaged(const struct store_walk *walk, enum store_kind kind)
{
	char path[STORE_PATH_MAX];

	log_line(LOG_ERROR, "%s: a record is damaged",
		store_path(walk->store, kind, walk->shelf->day, path));
	return -EBADMSG;
}

static int value_walk(
	struct store_walk *walk, enum store_kind kind, const uint8_t *value, size_t size)
{
	struct store_record record;
	int err = 0;

	if (walk->hits)
		walk->hits->has_name = false;
	for (size_t at = 0; at < size && err == 0;) {
		size_t taken =
			store_record_decode(kind, value + at, size - at, &record, &walk->room);
		uint32_t ms = (uint32_t)record.time_ms;

		if (taken == 0)
			return damaged(walk, kind);
		record.time_ms += walk->hour_ms;
		record.name = walk->name;
		record.name_size = (uint8_t)walk->name_size;
		if (is_met(walk->question, &record)) {
			if (walk->hits) {
				err = store_hits_add(walk->hits, walk, kind, ms, value + at, taken);
			} else {
				walk->progress.found++;
				err = walk->visitor->visit(walk->visitor->ctx, &record);
			}
		}
		walk->progress.seen++;
		if (err == 0 && walk->progress.seen % PROGRESS_EVERY == 0)
			err = progress_tell(walk);
		at += taken;
	}
	return err;
}

// Keys that a question has to do with in an hour: from, and the first one behind.
static void range_make(const struct store_walk *walk, uint8_t from[STORE_KEY_MAX],
	size_t *from_size, uint8_t after[STORE_KEY_MAX], size_t *after_size)
{
	const struct store_question *q = walk->question;

	from[0] = walk->hour;
	*from_size = 1;
	if (q->scope != STORE_ANY_NAME)
		// store_query has looked whether it is a name.
		*from_size = store_key_make(walk->hour, q->name, q->name_size, from);
	// Without the root label, what is below the name begins the same.
	if (q->scope == STORE_SUBTREE)
		*from_size -= 1;
	memcpy(after, from, *from_size);
	*after_size = store_key_after(after, *from_size);
}

static int table_walk(struct store_walk *walk, enum store_kind kind)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	uint8_t from[STORE_KEY_MAX], after[STORE_KEY_MAX];
	size_t from_size, after_size, key_size, size;
	rocksdb_iterator_t *it;
	const uint8_t *key, *value;
	char *error = NULL;
	int err = 0;

	range_make(walk, from, &from_size, after, &after_size);
	rocksdb_readoptions_set_iterate_upper_bound(read, (char *)after, after_size);
	if (walk->question->scope == STORE_ANY_NAME) {
		rocksdb_readoptions_set_readahead_size(read, READAHEAD);
		rocksdb_readoptions_set_fill_cache(read, 0);
	}
	it = rocksdb_create_iterator(walk->shelf->db[kind], read);
	for (rocksdb_iter_seek(it, (char *)from, from_size); err == 0 && rocksdb_iter_valid(it);
		rocksdb_iter_next(it)) {
		key = (const uint8_t *)rocksdb_iter_key(it, &key_size);
		value = (const uint8_t *)rocksdb_iter_value(it, &size);
		walk->name_size = store_key_name(key, key_size, walk->name);
		err = walk->name_size ? value_walk(walk, kind, value, size) : damaged(walk, kind);
	}
	rocksdb_iter_get_error(it, &error);
	if (error) {
		log_line(LOG_ERROR, "%s: %s", walk->store->folder, error);
		err = err ? err : rocks_error(error);
	}
	rocksdb_iter_destroy(it);
	rocksdb_readoptions_destroy(read);
	return err;
}

int store_walk_hour(struct store_walk *walk)
{
	int err = 0;

	for (unsigned k = 0; k < STORE_KINDS && err == 0; k++)
		if (walk->shelf->db[k] && kinds_of(walk->question) & 1u << k)
			err = table_walk(walk, k);
	return err;
}

// Hours of a table that have rows.
static void hours_find(rocksdb_t *db, bool hours[256])
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_iterator_t *it = rocksdb_create_iterator(db, read);
	const char *key;
	uint8_t next;
	size_t size;

	rocksdb_iter_seek_to_first(it);
	while (rocksdb_iter_valid(it)) {
		key = rocksdb_iter_key(it, &size);
		next = (uint8_t)key[0];
		if (next > STORE_HOUR_LAST)
			break;
		hours[next++] = true;
		rocksdb_iter_seek(it, (char *)&next, 1);
	}
	rocksdb_iter_destroy(it);
	rocksdb_readoptions_destroy(read);
}

static int64_t hour_begin(const struct store_shelf *shelf, unsigned hour)
{
	return shelf->start_ms + ((int)hour - STORE_HOUR_BIAS) * (int64_t)STORE_HOUR_MS;
}

static int shelf_walk(struct store_walk *walk)
{
	const struct store_question *q = walk->question;
	bool hours[256] = {false};
	int err = 0;

	for (unsigned k = 0; k < STORE_KINDS; k++)
		if (walk->shelf->db[k] && kinds_of(q) & 1u << k)
			hours_find(walk->shelf->db[k], hours);
	for (unsigned h = 0; h <= STORE_HOUR_LAST && err == 0; h++) {
		walk->hour_ms = hour_begin(walk->shelf, h);
		if (!hours[h] || (q->to_ms && walk->hour_ms >= q->to_ms) ||
			(q->from_ms && walk->hour_ms + STORE_HOUR_MS <= q->from_ms))
			continue;
		walk->hour = (uint8_t)h;
		err = walk->hits ? store_hour_by_time(walk) : store_walk_hour(walk);
		walk->progress.hours_done++;
		if (walk->progress.hours < walk->progress.hours_done)
			walk->progress.hours = walk->progress.hours_done;
		if (err == 0)
			err = progress_tell(walk);
	}
	return err;
}

// Days that can have records of the time asked for. Leaves out what is before and behind.
static int days_choose(const struct store_question *q, uint16_t *days, int n)
{
	int from = q->from_ms ? list_day_of(q->from_ms / 1000) - ZONE_DAYS : -1;
	int to = q->to_ms ? list_day_of((q->to_ms - 1) / 1000) + ZONE_DAYS : LIST_DAY_LAST;
	int kept = 0;

	for (int i = 0; i < n; i++)
		if (days[i] >= from && days[i] <= to)
			days[kept++] = days[i];
	return kept;
}

// An estimate for the progress: the hours asked for, in days of 24.
static unsigned hours_count(const struct store_question *q, const uint16_t *days, int n)
{
	int64_t from = n > 0 ? store_day_start_ms(days[0]) : 0;
	int64_t to = n > 0 ? store_day_start_ms((uint16_t)(days[n - 1] + 1)) : 0;

	from = q->from_ms > from ? q->from_ms : from;
	to = q->to_ms && q->to_ms < to ? q->to_ms : to;
	if (n == 0 || to <= from)
		return 0;
	to = (to - from + STORE_HOUR_MS - 1) / STORE_HOUR_MS;
	return to < (int64_t)n * 24 ? (unsigned)to : (unsigned)n * 24;
}

int store_query(struct store *store, const struct store_question *question,
	const struct store_visitor *visitor)
{
	struct store_walk *walk = calloc(1, sizeof(*walk));
	uint16_t *days = NULL;
	uint8_t key[STORE_KEY_MAX];
	int n = 0, err = walk ? 0 : -ENOMEM;

	if (err == 0 && question->scope != STORE_ANY_NAME &&
		store_key_make(0, question->name, question->name_size, key) == 0)
		err = -EINVAL;
	if (err)
		goto out;
	*walk = (struct store_walk){.store = store, .question = question, .visitor = visitor};
	if (question->order == STORE_BY_TIME) {
		walk->hits = store_hits_create(store->sort_max);
		err = walk->hits ? 0 : -ENOMEM;
	}
	if (err == 0)
		n = store_folders(store, kinds_of(question), &days);
	if (n < 0)
		err = n;
	n = n > 0 ? days_choose(question, days, n) : 0;
	if (err == 0)
		walk->progress.hours = hours_count(question, days, n);
	for (int i = 0; i < n && err == 0; i++) {
		err = store_shelf_get(store, days[i], kinds_of(question), &walk->shelf);
		if (err)
			break;
		err = shelf_walk(walk);
		store_shelf_put(store, walk->shelf);
	}
out:
	if (walk)
		store_hits_destroy(walk->hits);
	free(days);
	free(walk);
	return err;
}
