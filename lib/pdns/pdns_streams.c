/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"

#define KEY_SIZE   10
#define VALUE_SIZE 16

#define STREAMS_MAX \
	4096 // then the oldest one goes to the sum of those that went, which has start 0
#define RETIRED_MAX 16384

static int streams_room(struct pdns_stream **streams, size_t n)
{
	struct pdns_stream *grown = realloc(*streams, n * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*streams = grown;
	return 0;
}

// Under lock. The row of what goes is removed with what is sealed next; until then so many go at most.
static int stream_retire(struct pdns *pdns)
{
	struct pdns_stream *oldest = &pdns->streams[1];
	uint64_t *retired = pdns->retired;

	if (pdns->n_retired == RETIRED_MAX)
		return -ENOSPC;
	if (!retired)
		pdns->retired = retired = calloc(RETIRED_MAX, sizeof(*retired));
	if (!retired)
		return -ENOMEM;
	retired[pdns->n_retired++] = oldest->start;
	pdns->streams[0].last += oldest->last;
	pdns->streams[0].messages += oldest->messages;
	pdns->streams[0].dirty = true;
	memmove(oldest, oldest + 1, (--pdns->n_streams - 1) * sizeof(*oldest));
	return 0;
}

static struct pdns_stream *stream_find(struct pdns *pdns, uint64_t start)
{
	// Few, and the one that came last nearly always.
	for (size_t i = pdns->n_streams; i-- > 0;)
		if (pdns->streams[i].start == start)
			return &pdns->streams[i];
	if (pdns->n_streams == STREAMS_MAX && stream_retire(pdns) < 0)
		return NULL;
	if (streams_room(&pdns->streams, pdns->n_streams + 2) < 0)
		return NULL;
	if (pdns->n_streams == 0)
		pdns->streams[pdns->n_streams++] = (struct pdns_stream){0};
	if (start == 0)
		return &pdns->streams[0];
	pdns->streams[pdns->n_streams] = (struct pdns_stream){.start = start};
	return &pdns->streams[pdns->n_streams++];
}

void pdns_stream_note(struct pdns *pdns, uint64_t start, uint64_t seq)
{
	struct pdns_stream *stream = start ? stream_find(pdns, start) : NULL;

	if (!stream)
		return;
	if (seq > stream->last)
		stream->last = seq;
	stream->messages++;
	stream->dirty = true;
}

int pdns_streams_seal(struct pdns *pdns)
{
	size_t n = pdns->n_sealed;

	if (streams_room(&pdns->sealed, n + pdns->n_retired + pdns->n_streams + 1) < 0)
		return -ENOMEM;
	// One that has come back since has a row again, behind this.
	for (size_t i = 0; i < pdns->n_retired; i++)
		pdns->sealed[n++] = (struct pdns_stream){.start = pdns->retired[i]};
	pdns->n_retired = 0;
	for (size_t i = 0; i < pdns->n_streams; i++)
		if (pdns->streams[i].dirty) {
			pdns->sealed[n++] = pdns->streams[i];
			pdns->streams[i].dirty = false;
		}
	pdns->n_sealed = n;
	return 0;
}

void pdns_streams_write(const struct pdns *pdns, rocksdb_writebatch_t *batch)
{
	for (size_t i = 0; i < pdns->n_sealed; i++) {
		const struct pdns_stream *stream = &pdns->sealed[i];
		uint8_t key[KEY_SIZE] = {PDNS_TAG_OTHER, 'S'}, value[VALUE_SIZE];

		store_be64(key + 2, stream->start);
		store_be64(value, stream->last);
		store_be64(value + 8, stream->messages);
		if (stream->messages == 0)
			rocksdb_writebatch_delete(batch, (char *)key, sizeof(key));
		else
			rocksdb_writebatch_put(
				batch, (char *)key, sizeof(key), (char *)value, sizeof(value));
	}
}

int pdns_streams_load(struct pdns *pdns)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_iterator_t *rows = rocksdb_create_iterator(pdns->db, read);
	const uint8_t prefix[] = {PDNS_TAG_OTHER, 'S'};
	char *error = NULL;
	int err = 0;

	rocksdb_iter_seek(rows, (const char *)prefix, sizeof(prefix));
	for (; rocksdb_iter_valid(rows) && err == 0; rocksdb_iter_next(rows)) {
		size_t key_size, size;
		const uint8_t *key = (const uint8_t *)rocksdb_iter_key(rows, &key_size);
		const uint8_t *value = (const uint8_t *)rocksdb_iter_value(rows, &size);
		struct pdns_stream *stream;

		if (key_size != KEY_SIZE || memcmp(key, prefix, sizeof(prefix)) != 0)
			break;
		if (size != VALUE_SIZE)
			continue;
		stream = stream_find(pdns, load_be64(key + 2));
		if (!stream) {
			err = -ENOMEM;
			break;
		}
		stream->last = load_be64(value);
		stream->messages = load_be64(value + 8);
	}
	rocksdb_iter_get_error(rows, &error);
	err = err ? err : rocks_error(error);
	rocksdb_iter_destroy(rows);
	rocksdb_readoptions_destroy(read);
	return err;
}
