/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What there is: counters, and what RocksDB says of itself.
 */
#include "pdns_private.h"

static uint64_t property(const struct pdns *pdns, const char *name)
{
	uint64_t value = 0;

	return rocksdb_property_int(pdns->db, name, &value) == 0 ? value : 0;
}

void pdns_stats_get(struct pdns *pdns, struct pdns_stats *stats)
{
	pthread_mutex_lock(&pdns->lock);
	*stats = pdns->stats;
	if (pdns->filling) {
		stats->waiting = (uint64_t)pdns->filling->n + pdns->emptying->n;
		stats->window_used = pdns->filling->used + pdns->emptying->used;
	}
	for (size_t i = 0; i < pdns->n_streams; i++) {
		const struct pdns_stream *stream = &pdns->streams[i];

		stats->numbered += stream->last;
		// A box may number anew what it sends again.
		if (stream->last > stream->messages)
			stats->lost += stream->last - stream->messages;
	}
	pthread_mutex_unlock(&pdns->lock);
	if (pdns_db_use(pdns) < 0)
		return;
	stats->rows = property(pdns, "rocksdb.estimate-num-keys");
	stats->bytes = property(pdns, "rocksdb.total-sst-files-size");
	pdns_db_unuse(pdns);
}

uint64_t pdns_table_bytes(struct pdns *pdns, enum pdns_table table)
{
	const char first = (char)table, last = (char)(table + 1);
	const char *const from = &first, *const to = &last;
	const size_t size = 1;
	char *error = NULL;
	uint64_t bytes = 0;

	if (pdns_db_use(pdns) < 0)
		return 0;
	rocksdb_approximate_sizes(pdns->db, 1, &from, &size, &to, &size, &bytes, &error);
	pdns_db_unuse(pdns);
	return rocks_error(error) == 0 ? bytes : 0;
}

void pdns_compact(struct pdns *pdns)
{
	if (pdns_db_use(pdns) < 0)
		return;
	rocksdb_compact_range(pdns->db, NULL, 0, NULL, 0);
	pdns_db_unuse(pdns);
}
