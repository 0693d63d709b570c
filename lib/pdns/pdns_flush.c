/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/log.h"

#define CHUNK_SIZE ((size_t)4 << 20) // octets of a write

/** What a write is made of. */
struct chunk {
	struct pdns *pdns;
	rocksdb_writebatch_t *batch;
	size_t size; // octets in it
	uint64_t n;  // tuples
};

static void index_put(void *ctx, const uint8_t *key, size_t size)
{
	struct chunk *chunk = ctx;

	rocksdb_writebatch_put(chunk->batch, (const char *)key, size, "", 0);
	chunk->size += size;
}

// Whether the entries of a tuple were written since the start, as far as it is remembered.
static uint64_t *known_slot(struct pdns *pdns, const struct pdns_tuple_key *tuple, uint64_t *hash)
{
	uint64_t seed = pdns->windows[0].seed + ((uint64_t)tuple->type << 8 | tuple->bailiwick);

	*hash = XXH3_64bits_withSeed(tuple->rdata, tuple->rdata_size,
		XXH3_64bits_withSeed(tuple->owner, tuple->owner_size, seed));
	return &pdns->known[*hash & (PDNS_KNOWN_SLOTS - 1)];
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

static void entry_put(struct chunk *chunk, const struct pdns_entry *entry)
{
	struct pdns_sum sums[PDNS_CLASSES] = {0};
	uint8_t head[PDNS_INDEX_MAX], value[PDNS_VALUE_MAX];
	const char *keys[2], *values[1] = {(char *)value};
	size_t sizes[2], value_sizes[1];
	struct pdns_tuple_key tuple;
	uint64_t hash, *known;

	entry_tuple(entry, &tuple);
	sums[entry->class] = entry->sum;
	keys[0] = (char *)head;
	sizes[0] = pdns_key_rrset(&tuple, head);
	keys[1] = (const char *)tuple.rdata;
	sizes[1] = tuple.rdata_size;
	value_sizes[0] = pdns_value_write(sums, value);
	rocksdb_writebatch_mergev(chunk->batch, 2, keys, sizes, 1, values, value_sizes);
	chunk->size += sizes[0] + sizes[1] + value_sizes[0];
	chunk->n++;
	known = known_slot(chunk->pdns, &tuple, &hash);
	if (*known == hash)
		return;
	*known = hash;
	head[0] = PDNS_TAG_OWNER_START;
	memcpy(head + 1, tuple.owner, tuple.owner_size);
	index_put(chunk, head, 1 + tuple.owner_size);
	pdns_key_index(&tuple, index_put, chunk);
	pdns_bases_put(chunk->pdns, tuple.owner, index_put, chunk);
}

// What is known was perhaps not written.
static void known_forget(struct pdns *pdns)
{
	memset(pdns->known, 0, PDNS_KNOWN_SLOTS * sizeof(*pdns->known));
	memset(pdns->bases, 0, PDNS_BASES_SLOTS * sizeof(*pdns->bases));
}

// Write from emptying what is not written yet, the streams' rows with the last of it. Under
// flush_lock.
static int sealed_write(struct pdns *pdns)
{
	const struct pdns_entry *entry = NULL;
	int err = 0;

	do {
		struct chunk chunk = {.pdns = pdns, .batch = rocksdb_writebatch_create()};
		size_t at = pdns->flushed_to;
		uint8_t number[8];
		char *error = NULL;

		store_be64(number, pdns->writes + 1);
		rocksdb_writebatch_put(chunk.batch, PDNS_ROW_WRITES, PDNS_ROW_SIZE, (char *)number,
			sizeof(number));
		while (chunk.size < CHUNK_SIZE && (entry = pdns_window_next(pdns->emptying, &at)))
			entry_put(&chunk, entry);
		if (!entry)
			pdns_streams_write(pdns, chunk.batch);
		rocksdb_write(pdns->db, pdns->write_options, chunk.batch, &error);
		err = rocks_error(error);
		rocksdb_writebatch_destroy(chunk.batch);
		pdns->tried_to = at;
		if (err == 0) {
			pdns->flushed_to = at;
			pdns->writes++;
		}
		pthread_mutex_lock(&pdns->lock);
		pdns->stats.flushed += err ? 0 : chunk.n;
		pthread_mutex_unlock(&pdns->lock);
	} while (entry && err == 0);
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
		pdns->sealed_waits = filled->n > 0 || pdns->n_sealed > 0;
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
		pdns->n_sealed = 0;
		pdns->sealed_waits = false;
	}
	pthread_mutex_unlock(&pdns->lock);
}

// Under flush_lock.
static int sealed_flush(struct pdns *pdns)
{
	int err = db_mend(pdns);

	if (err == 0)
		err = sealed_write(pdns);
	sealed_end(pdns, err);
	return err;
}

int pdns_flush(struct pdns *pdns)
{
	int err = 0;

	pthread_mutex_lock(&pdns->flush_lock);
	// What could not be written the last time comes first.
	if (pdns->sealed_waits)
		err = sealed_flush(pdns);
	if (err == 0)
		err = seal(pdns);
	if (err == 0 && pdns->sealed_waits)
		err = sealed_flush(pdns);
	pthread_mutex_unlock(&pdns->flush_lock);
	return err;
}

int pdns_tick(struct pdns *pdns)
{
	bool due;

	pthread_mutex_lock(&pdns->lock);
	// A second early: the next call may be late.
	due = pdns->failing || (pdns->filling->since && pdns_now() - pdns->filling->since + 1 >=
								(int64_t)pdns->window_s);
	pthread_mutex_unlock(&pdns->lock);
	return due ? pdns_flush(pdns) : 0;
}
