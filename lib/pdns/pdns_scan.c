/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define ROOM_FIRST  4096
#define CURSOR_HEAD 2 // octets of the entry's size

// Whether the index entry of a cursor is one that the question is answered by: ranges begin there.
static bool entry_fits(const struct pdns_question *q, const uint8_t *entry, size_t size)
{
	size_t octets = addr_size(q->from.family);
	uint8_t tag = q->from.family == ADDR_IPV4 ? PDNS_TAG_IPV4 : PDNS_TAG_IPV6;

	switch (q->by) {
	case PDNS_BY_TARGET:
		return size > 0 && entry[0] == PDNS_TAG_TARGET;
	case PDNS_BY_ADDRESS:
		return size > octets && entry[0] == tag &&
		       memcmp(entry + 1, q->from.bytes, octets) >= 0 &&
		       memcmp(entry + 1, q->to.bytes, octets) <= 0;
	case PDNS_BY_RAW:
		return size > 0 && entry[0] != PDNS_TAG_BASE;
	case PDNS_BY_OWNER:
		return size == 0 || (q->scope == PDNS_START && entry[0] == PDNS_TAG_BASE);
	default:
		return size == 0;
	}
}

// A cursor: size of the index entry's key, that key, the tuple's key.
static int cursor_read(struct pdns_scan *scan)
{
	const struct pdns_question *q = scan->question;
	uint8_t owner[DNS_NAME_SIZE_MAX];
	struct pdns_tuple_key tuple;
	const uint8_t *target;
	size_t size;

	if (!q->cursor)
		return 0;
	if (q->cursor_size < CURSOR_HEAD + 1 || q->cursor_size > PDNS_CURSOR_MAX)
		return -EINVAL;
	size = load_be16(q->cursor);
	if (size > PDNS_INDEX_MAX || size >= q->cursor_size - CURSOR_HEAD)
		return -EINVAL;
	scan->from_entry = q->cursor + CURSOR_HEAD;
	scan->from_entry_size = size;
	scan->from_tuple = scan->from_entry + size;
	scan->from_tuple_size = q->cursor_size - CURSOR_HEAD - size;
	if (!pdns_key_read(scan->from_tuple, scan->from_tuple_size, owner, &tuple))
		return -EINVAL;
	if (size > 0 && scan->from_entry[0] != PDNS_TAG_BASE &&
		!pdns_key_index_read(scan->from_entry, size, owner, &tuple, &target))
		return -EINVAL;
	return entry_fits(q, scan->from_entry, size) ? 0 : -EINVAL;
}

static int name_take(const uint8_t *from, size_t size, uint8_t *name, size_t *name_size)
{
	if (size == 0 || pdns_name_size(from, size) != size)
		return -EINVAL;
	*name_size = pdns_name_fold(from, name);
	return 0;
}

int pdns_scan_open(struct pdns_scan *scan)
{
	const struct pdns_question *q = scan->question;
	int err = cursor_read(scan);

	scan->classes = q->classes ? q->classes : PDNS_CLASS_BIT(PDNS_CLASSES) - 1;
	if (err == 0 && (q->by == PDNS_BY_OWNER || q->by == PDNS_BY_TARGET))
		err = name_take(q->name, q->name_size, scan->name, &scan->name_size);
	if (err == 0 && q->bailiwick)
		err = name_take(
			q->bailiwick, q->bailiwick_size, scan->bailiwick, &scan->bailiwick_size);
	if (err)
		return err;
	scan->bailiwick_labels = q->bailiwick ? pdns_name_labels(scan->bailiwick) : 0;
	scan->room = malloc(ROOM_FIRST);
	scan->room_size = ROOM_FIRST;
	scan->cursor = malloc(CURSOR_HEAD + PDNS_INDEX_MAX + PDNS_KEY_MAX);
	if (!scan->room || !scan->cursor)
		return -ENOMEM;
	// All iterators see the same.
	scan->snapshot = rocksdb_create_snapshot(scan->pdns->db);
	scan->read = rocksdb_readoptions_create();
	rocksdb_readoptions_set_snapshot(scan->read, scan->snapshot);
	// Whoever reads all, as a dump does, leaves the cache to those who ask for something.
	rocksdb_readoptions_set_fill_cache(scan->read, q->by != PDNS_BY_EVERYTHING || q->limit > 0);
	return 0;
}

void pdns_scan_close(struct pdns_scan *scan)
{
	rocksdb_iterator_t *iterators[] = {scan->tuples, scan->entries, scan->starts};

	for (unsigned i = 0; i < 3; i++)
		if (iterators[i])
			rocksdb_iter_destroy(iterators[i]);
	if (scan->read)
		rocksdb_readoptions_destroy(scan->read);
	if (scan->snapshot)
		rocksdb_release_snapshot(scan->pdns->db, scan->snapshot);
	free(scan->room);
	free(scan->cursor);
}

void pdns_scan_seek(
	struct pdns_scan *scan, rocksdb_iterator_t **iterator, const uint8_t *key, size_t size)
{
	if (!*iterator)
		*iterator = rocksdb_create_iterator(scan->pdns->db, scan->read);
	rocksdb_iter_seek(*iterator, (const char *)key, size);
}

const uint8_t *pdns_scan_key(
	rocksdb_iterator_t *iterator, const uint8_t *prefix, size_t prefix_size, size_t *size)
{
	const char *key;

	if (!rocksdb_iter_valid(iterator))
		return NULL;
	key = rocksdb_iter_key(iterator, size);
	return *size >= prefix_size && memcmp(key, prefix, prefix_size) == 0 ? (const uint8_t *)key
									     : NULL;
}

int pdns_scan_count(struct pdns_scan *scan)
{
	struct pdns_result *result = scan->result;

	if (++result->scanned % PDNS_PROGRESS_EACH != 0 || !scan->visitor->progress)
		return 0;
	return scan->visitor->progress(scan->visitor->ctx, result);
}

/* ---- rows ------------------------------------------------------------------------------------ */

int pdns_scan_row(struct pdns_scan *scan)
{
	struct pdns_row *row = &scan->row;
	int err;

	if (row->n_rdata == 0)
		return 0;
	for (unsigned i = 0; i < row->n_rdata; i++)
		scan->rdata[i].data = scan->room + scan->rdata_at[i];
	row->rdata = scan->rdata;
	row->cursor = scan->cursor;
	if (scan->left_out < scan->question->offset) {
		scan->left_out++;
		err = 0;
	} else {
		err = scan->visitor->visit(scan->visitor->ctx, row);
		scan->result->rows++;
	}
	row->n_rdata = 0;
	scan->room_used = 0;
	return err;
}

static bool row_goes_on(const struct pdns_scan *scan, const struct pdns_tuple_key *tuple)
{
	const struct pdns_row *row = &scan->row;

	return scan->question->grouped && row->n_rdata < PDNS_GROUP_MAX &&
	       row->type == tuple->type && scan->row_bailiwick == tuple->bailiwick &&
	       row->owner_size == tuple->owner_size &&
	       memcmp(scan->owner, tuple->owner, tuple->owner_size) == 0;
}

static void row_begin(struct pdns_scan *scan, const struct pdns_tuple_key *tuple)
{
	size_t at = pdns_name_tail(tuple->owner, tuple->bailiwick);

	memcpy(scan->owner, tuple->owner, tuple->owner_size);
	scan->row_bailiwick = tuple->bailiwick;
	scan->row = (struct pdns_row){
		.owner = scan->owner,
		.owner_size = tuple->owner_size,
		.type = tuple->type,
		.bailiwick = scan->owner + at,
		.bailiwick_size = tuple->owner_size - at,
		.first_s = INT64_MAX,
	};
}

static int rdata_add(struct pdns_scan *scan, const struct pdns_tuple_key *tuple)
{
	while (scan->room_size - scan->room_used < tuple->rdata_size) {
		uint8_t *grown = realloc(scan->room, 2 * scan->room_size);

		if (!grown)
			return -ENOMEM;
		scan->room = grown;
		scan->room_size *= 2;
	}
	scan->rdata_at[scan->row.n_rdata] = scan->room_used;
	scan->rdata[scan->row.n_rdata++].size = (uint16_t)tuple->rdata_size;
	memcpy(scan->room + scan->room_used, tuple->rdata, tuple->rdata_size);
	scan->room_used += tuple->rdata_size;
	return 0;
}

static void cursor_write(struct pdns_scan *scan, const uint8_t *key, size_t key_size)
{
	store_be16(scan->cursor, (uint16_t)scan->entry_size);
	memcpy(scan->cursor + CURSOR_HEAD, scan->entry, scan->entry_size);
	memcpy(scan->cursor + CURSOR_HEAD + scan->entry_size, key, key_size);
	scan->row.cursor_size = CURSOR_HEAD + scan->entry_size + key_size;
}

int pdns_scan_found(struct pdns_scan *scan, const struct pdns_tuple_key *tuple, const uint8_t *key,
	size_t key_size, const struct pdns_sum *sum, unsigned classes)
{
	struct pdns_row *row = &scan->row;
	int err;

	if (row->n_rdata > 0 && !row_goes_on(scan, tuple)) {
		err = pdns_scan_row(scan);
		if (err)
			return err;
	}
	if (row->n_rdata == 0) {
		if (scan->question->limit && scan->result->rows == scan->question->limit) {
			scan->result->limited = true;
			return PDNS_SCAN_END;
		}
		row_begin(scan, tuple);
	}
	row->classes |= classes;
	row->first_s = sum->first < row->first_s ? sum->first : row->first_s;
	row->last_s = sum->last > row->last_s ? sum->last : row->last_s;
	row->count = sum->count > row->count ? sum->count : row->count;
	err = rdata_add(scan, tuple);
	cursor_write(scan, key, key_size);
	return err;
}
