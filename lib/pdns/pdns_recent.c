/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owners by the hour in which a tuple of theirs was first seen, of the last hours: so what is new needs no look at
 * all there is. Nothing is read where tuples are written, so an owner is noted whenever it is not known that its tuple
 * was written before; those who ask look at the tuples.
 */
#include "pdns_private.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"

#define HOUR_S    3600
#define HOUR_SIZE 5                              // octets of a key up to the owner
#define HOURS_MAX (PDNS_RECENT_S / HOUR_S + 100) // some of them of clocks that are ahead

/** Owners of the hours that are asked for. */
struct hours {
	struct hour {
		uint8_t prefix[HOUR_SIZE];
		rocksdb_iterator_t *at;
	} hour[HOURS_MAX];
	unsigned n;
};

static void hour_write(int64_t hour, uint8_t key[HOUR_SIZE])
{
	key[0] = PDNS_TAG_RECENT;
	store_be32(key + 1, hour < 0 ? 0 : (uint32_t)hour);
}

/* ---- what comes in --------------------------------------------------------------------------- */

void pdns_recent_put(
	const struct pdns_tuple_key *tuple, int64_t first_s, pdns_index_visit visit, void *ctx)
{
	uint8_t key[HOUR_SIZE + DNS_NAME_SIZE_MAX];

	if (first_s < (int64_t)time(NULL) - PDNS_RECENT_S)
		return;
	hour_write(first_s / HOUR_S, key);
	visit(ctx, key, HOUR_SIZE + pdns_name_reverse(tuple->owner, key + HOUR_SIZE));
}

void pdns_recent_trim(struct pdns *pdns, rocksdb_writebatch_t *batch)
{
	int64_t oldest = ((int64_t)time(NULL) - PDNS_RECENT_S) / HOUR_S;
	uint8_t from[HOUR_SIZE], to[HOUR_SIZE];

	if (oldest == pdns->recent_oldest)
		return;
	pdns->recent_oldest = oldest;
	hour_write(0, from);
	hour_write(oldest, to);
	rocksdb_writebatch_delete_range(batch, (char *)from, sizeof(from), (char *)to, sizeof(to));
}

/* ---- since when it is whole ------------------------------------------------------------------ */

// Row R. Returns 0, -ENODATA when there is none, or -errno.
static int since_read(const struct pdns *pdns, int64_t *since_s)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	char *error = NULL, *value;
	size_t size = 0;
	int err;

	value = rocksdb_get(pdns->db, read, PDNS_ROW_RECENT, PDNS_ROW_SIZE, &size, &error);
	err = rocks_error(error);
	if (err == 0 && (!value || size != 8))
		err = -ENODATA;
	*since_s = err ? 0 : (int64_t)load_be64((uint8_t *)value);
	rocksdb_free(value);
	rocksdb_readoptions_destroy(read);
	return err;
}

static bool has_tuples(const struct pdns *pdns)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_iterator_t *tuples = rocksdb_create_iterator(pdns->db, read);
	const uint8_t tag = PDNS_TAG_TUPLE;
	size_t size;
	bool has;

	rocksdb_iter_seek(tuples, (const char *)&tag, 1);
	has = pdns_scan_key(tuples, &tag, 1, &size) != NULL;
	rocksdb_iter_destroy(tuples);
	rocksdb_readoptions_destroy(read);
	return has;
}

int pdns_recent_open(struct pdns *pdns)
{
	char *error = NULL;
	uint8_t since[8];
	int64_t since_s;
	int err = since_read(pdns, &since_s);

	if (err != -ENODATA)
		return err;
	// Others wrote tuples before there was such a table.
	store_be64(since, has_tuples(pdns) ? (uint64_t)time(NULL) : 0);
	rocksdb_put(pdns->db, pdns->write_options, PDNS_ROW_RECENT, PDNS_ROW_SIZE, (char *)since,
		sizeof(since), &error);
	return rocks_error(error);
}

/* ---- questions ------------------------------------------------------------------------------- */

// The hours that there are rows of. Returns 0, -ENODATA when they are too many, or -errno.
static int hours_open(struct pdns_scan *scan, struct hours *hours)
{
	const uint8_t tag = PDNS_TAG_RECENT;
	uint8_t from[HOUR_SIZE];
	const uint8_t *key;
	size_t size;

	hour_write(scan->question->recent_s / HOUR_S, from);
	while (hours->n < HOURS_MAX) {
		struct hour *hour = &hours->hour[hours->n++];

		hour->at = rocksdb_create_iterator(scan->pdns->db, scan->read);
		rocksdb_iter_seek(hour->at, (char *)from, sizeof(from));
		key = pdns_scan_key(hour->at, &tag, 1, &size);
		if (!key || size < HOUR_SIZE || load_be32(key + 1) == UINT32_MAX)
			return 0;
		memcpy(hour->prefix, key, HOUR_SIZE);
		hour_write((int64_t)load_be32(key + 1) + 1, from);
	}
	return -ENODATA;
}

static int hours_close(struct hours *hours)
{
	int err = 0;

	for (unsigned i = 0; i < hours->n; i++) {
		char *error = NULL;
		int failed;

		rocksdb_iter_get_error(hours->hour[i].at, &error);
		failed = rocks_error(error);
		err = err ? err : failed;
		rocksdb_iter_destroy(hours->hour[i].at);
	}
	return err;
}

static const uint8_t *owner_of(const struct hour *hour, size_t *size)
{
	const uint8_t *key = pdns_scan_key(hour->at, hour->prefix, HOUR_SIZE, size);

	*size -= key ? HOUR_SIZE : 0;
	return key ? key + HOUR_SIZE : NULL;
}

static int compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	return order != 0 ? order : a_size < b_size ? -1 : a_size > b_size;
}

// The first owner of all hours, which is behind @p reversed then. Returns its octets, 0: there is none.
static size_t owner_next(struct hours *hours, uint8_t reversed[DNS_NAME_SIZE_MAX])
{
	const uint8_t *first = NULL, *owner;
	size_t first_size = 0, size = 0;

	for (unsigned i = 0; i < hours->n; i++) {
		owner = owner_of(&hours->hour[i], &size);
		if (owner && (!first || compare(owner, size, first, first_size) < 0)) {
			first = owner;
			first_size = size;
		}
	}
	if (!first || first_size > DNS_NAME_SIZE_MAX)
		return 0;
	memcpy(reversed, first, first_size);
	for (unsigned i = 0; i < hours->n; i++) {
		owner = owner_of(&hours->hour[i], &size);
		if (owner && compare(owner, size, reversed, first_size) == 0)
			rocksdb_iter_next(hours->hour[i].at);
	}
	return first_size;
}

static int owners_visit(struct pdns_scan *scan, struct hours *hours, pdns_owner_visit visit)
{
	uint8_t reversed[DNS_NAME_SIZE_MAX], owner[DNS_NAME_SIZE_MAX];
	size_t size;
	int err = 0;

	while (err == 0 && (size = owner_next(hours, reversed)) > 0) {
		err = pdns_scan_count(scan);
		if (err || pdns_name_size(reversed, size) != size)
			continue;
		pdns_name_reverse(reversed, owner);
		err = visit(scan, owner);
	}
	return err;
}

int pdns_recent(struct pdns_scan *scan, pdns_owner_visit visit)
{
	const struct pdns_question *q = scan->question;
	struct hours hours = {0};
	int64_t since_s;
	int err, failed;

	if (q->cursor)
		return -EINVAL;
	err = since_read(scan->pdns, &since_s);
	if (err)
		return err;
	if (q->recent_s < since_s || q->recent_s < (int64_t)time(NULL) - PDNS_RECENT_S)
		return -ENODATA;
	err = hours_open(scan, &hours);
	if (err == 0)
		err = owners_visit(scan, &hours, visit);
	failed = hours_close(&hours);
	return err ? err : failed;
}
