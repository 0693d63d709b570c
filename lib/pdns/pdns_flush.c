/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/log.h"

#define CHUNK_SIZE ((size_t)1 << 20) // octets of a write

// Remember a tuple whose entries are written. Returns whether they were before, as far as it is
// remembered. Those with the same few slots make room for each other, the oldest first.
bool pdns_known_take(struct pdns *pdns, const struct pdns_tuple_key *tuple)
{
	uint64_t seed = pdns->windows[0].seed + ((uint64_t)tuple->type << 8 | tuple->bailiwick);
	uint64_t hash = XXH3_64bits_withSeed(tuple->rdata, tuple->rdata_size,
		XXH3_64bits_withSeed(tuple->owner, tuple->owner_size, seed));
	uint64_t *slots = &pdns->known[hash & (PDNS_KNOWN_SLOTS - PDNS_KNOWN_WAYS)];
	unsigned at = 0;
	bool known;

	while (at < PDNS_KNOWN_WAYS - 1 && slots[at] != hash)
		at++;
	known = slots[at] == hash;
	for (; at > 0; at--)
		slots[at] = slots[at - 1];
	slots[0] = hash;
	return known;
}

static void entry_tuple(const struct pdns_entry *entry, struct pdns_tuple_key *tuple)
{
	*tuple = (struct pdns_tuple_key){
		.owner = entry->octets,
		.owner_size = entry->owner_size,
		.type = entry->type,
		.bailiwick = entry->bailiwick,
		.rdata = entry->octets + entry->owner_size,
		.rdata_size = entry->rdata_size,
	};
	if (tuple->bailiwick == PDNS_BAILIWICK_NONE)
		tuple->bailiwick = (uint8_t)pdns_base_labels(tuple->owner);
}

static void entry_put(struct pdns *pdns, struct pdns_chunk *chunk, const struct pdns_entry *entry)
{
	struct pdns_sum sums[PDNS_CLASSES] = {0};
	uint8_t head[PDNS_INDEX_MAX], value[PDNS_VALUE_MAX];
	struct pdns_tuple_key tuple;
	size_t base;
	bool known;

	entry_tuple(entry, &tuple);
	sums[entry->class] = entry->sum;
	pdns_chunk_add(chunk,
		(const struct pdns_chunk_part[]){
			{head, pdns_key_rrset(&tuple, head)}, {tuple.rdata, tuple.rdata_size}},
		2, value, pdns_value_write(sums, value));
	known = pdns_known_take(pdns, &tuple);
	if (pdns->feed)
		pdns_feed_add(pdns, entry, tuple.bailiwick, known);
	if (known)
		return;
	base = pdns_name_tail(tuple.owner, pdns_base_labels(tuple.owner));
	// A base domain begins with its labels in the entry below.
	if (base > 0 || tuple.owner_size == 1) {
		head[0] = PDNS_TAG_OWNER_START;
		memcpy(head + 1, tuple.owner, tuple.owner_size);
		pdns_chunk_index(chunk, head, 1 + tuple.owner_size);
	}
	pdns_key_index(&tuple, pdns_chunk_index, chunk);
	pdns_bases_put(pdns, tuple.owner + base, pdns_chunk_index, chunk);
	pdns_recent_put(&tuple, entry->sum.first, pdns_chunk_index, chunk);
}

// What is known was perhaps not written.
static void known_forget(struct pdns *pdns)
{
	memset(pdns->known, 0, PDNS_KNOWN_SLOTS * sizeof(*pdns->known));
	memset(pdns->bases, 0, PDNS_BASES_SLOTS * sizeof(*pdns->bases));
}

// What is known of the whole when the last of it is written.
static void end_put(const struct pdns *pdns, rocksdb_writebatch_t *batch)
{
	uint8_t at[8];

	pdns_streams_write(pdns, batch);
	store_be64(at, (uint64_t)pdns->sealed_s);
	rocksdb_writebatch_put(batch, PDNS_ROW_WRITTEN, PDNS_ROW_SIZE, (char *)at, sizeof(at));
}

// How much may come before it is to be written. It is all that there is room for where nobody writes beside those who
// come, and while nothing can be written: then what does not wait is lost for sure. Under lock.
static void room_set(struct pdns *pdns, int64_t now_us)
{
	struct pdns_window *filling = pdns->filling;
	int64_t age_us = filling->since_us ? now_us - filling->since_us : 0;
	size_t left = pdns->emptying->used - pdns->flushed_to;

	filling->most = pdns->gentle && !pdns->failing ? pdns_pace_room(&pdns->pace, age_us, left)
						       : filling->size;
}

// Microseconds that the next write may come later. Under lock.
static int64_t slack_find(const struct pdns *pdns, int64_t now_us)
{
	const struct pdns_window *filling = pdns->filling, *emptying = pdns->emptying;
	size_t left = emptying->used - pdns->flushed_to;
	int64_t slack, next;

	// Whoever comes is not to wait because of us.
	if (filling->used > filling->most / 2)
		return 0;
	slack = pdns_pace_slack(&pdns->pace, now_us - emptying->since_us, left);
	if (!filling->since_us)
		return slack;
	next = pdns_pace_slack(&pdns->pace, now_us - filling->since_us, left + filling->used);
	return slack < next ? slack : next;
}

// After a write of @p octets as long as it took, but no longer than leaves time for those to come.
static void pause_make(struct pdns *pdns, size_t octets, int64_t took_us)
{
	int64_t slack, pause;
	size_t left;

	pthread_mutex_lock(&pdns->lock);
	slack = slack_find(pdns, pdns->now_us());
	left = (pdns->emptying->used - pdns->flushed_to) / (octets + 1) + 1;
	pthread_mutex_unlock(&pdns->lock);
	pause = slack / (int64_t)left;
	pause = pause < took_us ? pause : took_us;
	if (pause > 0 && !atomic_load(&pdns->hurried))
		usleep((useconds_t)pause);
}

// What came of a write that took emptying up to @p at.
static void written_note(struct pdns *pdns, size_t at, uint64_t n, int64_t took_us, bool all)
{
	pthread_mutex_lock(&pdns->lock);
	pdns_pace_wrote(&pdns->pace, at - pdns->flushed_to, took_us, !all);
	pdns->flushed_to = at;
	pdns->emptying->since_us = pdns_window_since(pdns->emptying, at);
	pdns->stats.flushed += n;
	room_set(pdns, pdns->now_us());
	pthread_mutex_unlock(&pdns->lock);
}

// Write as much of emptying as makes a chunk, and if that is all of it the end.
static int chunk_write(struct pdns *pdns, struct pdns_chunk *chunk, bool *all)
{
	rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
	const struct pdns_entry *entry = NULL;
	int64_t began_us = pdns->now_us();
	size_t at = pdns->flushed_to;
	uint64_t n = 0;
	uint8_t number[8];
	char *error = NULL;
	int err;

	store_be64(number, pdns->writes + 1);
	rocksdb_writebatch_put(
		batch, PDNS_ROW_WRITES, PDNS_ROW_SIZE, (char *)number, sizeof(number));
	if (pdns->feed)
		feed_begin(pdns->feed, pdns->writes + 1);
	for (; chunk->used < CHUNK_SIZE && (entry = pdns_window_next(pdns->emptying, &at)); n++)
		entry_put(pdns, chunk, entry);
	*all = !entry;
	err = pdns_chunk_take(chunk, batch);
	// The feed has what the dataset has: its part is on the disk before, and shown after.
	if (err == 0 && pdns->feed)
		err = feed_end(pdns->feed);
	if (err == 0) {
		if (*all)
			end_put(pdns, batch);
		pdns_recent_trim(pdns, batch);
		rocksdb_write(pdns->db, pdns->write_options, batch, &error);
		err = rocks_error(error);
		pdns->tried_to = at;
	}
	rocksdb_writebatch_destroy(batch);
	if (err)
		return err;
	pdns->writes++;
	if (pdns->feed)
		feed_settle(pdns->feed, pdns->writes);
	written_note(pdns, at, n, pdns->now_us() - began_us, *all);
	return 0;
}

// Write from emptying what is not written yet, the streams' rows with the last of it. Under
// flush_lock.
static int sealed_write(struct pdns *pdns, bool pauses)
{
	struct pdns_chunk chunk = {0};
	bool all = false;
	int err = 0;

	while (!all && err == 0) {
		int64_t began_us = pdns->now_us();
		size_t from = pdns->flushed_to;

		err = chunk_write(pdns, &chunk, &all);
		pdns_alive(pdns);
		if (pauses && !all && err == 0)
			pause_make(pdns, pdns->flushed_to - from, pdns->now_us() - began_us);
	}
	pdns_chunk_free(&chunk);
	if (err) {
		known_forget(pdns);
		pdns->db_failed = true;
	}
	return err;
}

// A write that failed may be there all the same, if only its end went wrong. Under flush_lock.
static int db_mend(struct pdns *pdns)
{
	uint64_t writes;
	int err;

	if (!pdns->db_failed)
		return 0;
	err = pdns_db_reopen(pdns);
	if (err == 0)
		err = pdns_writes_read(pdns, &writes);
	if (err)
		return err;
	if (writes > pdns->writes)
		pdns->flushed_to = pdns->tried_to;
	pdns->writes = writes;
	if (pdns->feed)
		feed_settle(pdns->feed, writes);
	pdns->db_failed = false;
	return 0;
}

// Have what waits be what is written. Under flush_lock.
static int seal(struct pdns *pdns)
{
	struct pdns_window *filled;
	int err;

	pthread_mutex_lock(&pdns->lock);
	err = pdns_streams_seal(pdns);
	if (err == 0) {
		filled = pdns->filling;
		pdns->filling = pdns->emptying;
		pdns->emptying = filled;
		pdns->flushed_to = 0;
		pdns->sealed_s = (int64_t)time(NULL);
		pdns->sealed_waits = filled->n > 0 || pdns->n_sealed > 0;
		if (!pdns->sealed_waits)
			filled->since_us = filled->n_ages = 0;
		room_set(pdns, pdns->now_us());
	}
	pthread_mutex_unlock(&pdns->lock);
	return err;
}

static void sealed_end(struct pdns *pdns, int err)
{
	pthread_mutex_lock(&pdns->lock);
	if (err && !pdns->failing)
		log_line(LOG_ERROR, "%s: cannot be written: %s; it is tried again", pdns->folder,
			strerror(-err));
	if (!err && pdns->failing)
		log_line(LOG_INFO, "%s: is written again", pdns->folder);
	pdns->failing = err != 0;
	pdns->stats.flushes += err == 0;
	pdns->stats.failed_flushes += err != 0;
	if (err == 0) {
		pdns_window_clear(pdns->emptying);
		pdns->flushed_to = 0;
		pdns->n_sealed = 0;
		pdns->sealed_waits = false;
	}
	room_set(pdns, pdns->now_us());
	pthread_mutex_unlock(&pdns->lock);
}

// Under flush_lock.
static int sealed_flush(struct pdns *pdns, bool pauses)
{
	int err = db_mend(pdns);

	if (err == 0)
		err = sealed_write(pdns, pauses);
	sealed_end(pdns, err);
	return err;
}

// Under flush_lock.
static int all_flush(struct pdns *pdns)
{
	int err = 0;

	// What could not be written the last time comes first.
	if (pdns->sealed_waits)
		err = sealed_flush(pdns, false);
	if (err == 0)
		err = seal(pdns);
	if (err == 0 && pdns->sealed_waits)
		err = sealed_flush(pdns, false);
	return err;
}

// Whoever flushes gently makes no more pauses while we wait.
static void flush_lock_hurried(struct pdns *pdns)
{
	atomic_fetch_add(&pdns->hurried, 1);
	pthread_mutex_lock(&pdns->flush_lock);
	atomic_fetch_sub(&pdns->hurried, 1);
}

int pdns_flush(struct pdns *pdns)
{
	int err;

	flush_lock_hurried(pdns);
	err = all_flush(pdns);
	pthread_mutex_unlock(&pdns->flush_lock);
	return err;
}

int pdns_room_make(struct pdns *pdns, size_t n, size_t octets)
{
	int err = 0;
	bool made;

	flush_lock_hurried(pdns);
	// Somebody else may have made some by now.
	pthread_mutex_lock(&pdns->lock);
	made = pdns_window_has_room(pdns->filling, n, octets);
	pthread_mutex_unlock(&pdns->lock);
	// Where somebody writes beside us, what came since then goes on to be filled: it may be a single message.
	if (!made && pdns->gentle)
		err = pdns->sealed_waits ? sealed_flush(pdns, false) : seal(pdns);
	else if (!made)
		err = all_flush(pdns);
	pthread_mutex_unlock(&pdns->flush_lock);
	return err;
}

// Whether it is time to write, so that it is done before the window is over.
static bool is_due(struct pdns *pdns)
{
	const struct pdns_window *filling = pdns->filling;
	int64_t now_us = pdns->now_us();
	bool due;

	pthread_mutex_lock(&pdns->lock);
	room_set(pdns, now_us);
	due = pdns->failing ||
	      (filling->since_us &&
		      filling->used >= pdns_pace_room(&pdns->pace, now_us - filling->since_us, 0));
	pthread_mutex_unlock(&pdns->lock);
	return due;
}

int pdns_tick(struct pdns *pdns)
{
	int err = 0;

	pdns_alive(pdns);
	if (pdns->feed)
		feed_trim(pdns->feed);
	pthread_mutex_lock(&pdns->flush_lock);
	// Sealed by somebody who had no room.
	if (pdns->sealed_waits)
		err = sealed_flush(pdns, pdns->gentle);
	if (err == 0 && is_due(pdns)) {
		err = seal(pdns);
		if (err == 0 && pdns->sealed_waits)
			err = sealed_flush(pdns, pdns->gentle);
	}
	pthread_mutex_unlock(&pdns->flush_lock);
	return err;
}
