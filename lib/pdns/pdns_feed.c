/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of the feed:
 *
 *   class 1  flags 1  bailiwick 1  type 2  first 4  last 4  count 8  owner's octets 1  owner  RDATA
 *
 * Times are in seconds since 1970, numbers big-endian, names in lower case; the bailiwick is so many labels.
 */
#include "pdns_feed.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "pdns_private.h"

#define HEAD_SIZE  22
#define FLAG_KNOWN 1
#define SEGMENTS   "/feed"
#define PRIMED     200000 // rows

static_assert(HEAD_SIZE + DNS_NAME_SIZE_MAX + PDNS_RDATA_MAX <= FEED_ROW_MAX, "a row fits");

void pdns_feed_add(struct pdns *pdns, const struct pdns_entry *entry, uint8_t bailiwick, bool known)
{
	size_t size = (size_t)entry->owner_size + entry->rdata_size;
	uint8_t *row = pdns->feed_row;

	row[0] = entry->class;
	row[1] = known ? FLAG_KNOWN : 0;
	row[2] = bailiwick;
	store_be16(row + 3, entry->type);
	store_be32(row + 5, entry->sum.first);
	store_be32(row + 9, entry->sum.last);
	store_be64(row + 13, entry->sum.count);
	row[21] = entry->owner_size;
	memcpy(row + HEAD_SIZE, entry->octets, size);
	feed_add(pdns->feed, row, HEAD_SIZE + size);
}

/* ---- where ----------------------------------------------------------------------------------- */

bool pdns_has_feed(const struct pdns *pdns)
{
	return pdns->feed != NULL;
}

void pdns_feed_state_get(struct pdns *pdns, struct pdns_feed_state *state)
{
	struct feed_state feed;

	feed_state_get(pdns->feed, &feed);
	*state = (struct pdns_feed_state){.oldest = feed.oldest,
		.next = feed.next,
		.bytes = feed.bytes,
		.segments = feed.segments,
		.oldest_s = feed.oldest_s};
}

// Half of what tells feeds apart is enough to tell one's own from those of before.
static uint32_t id_of(const struct pdns *pdns)
{
	struct feed_state feed;

	feed_state_get(pdns->feed, &feed);
	return (uint32_t)feed.id;
}

void pdns_feed_cursor(const struct pdns *pdns, uint64_t row, char text[PDNS_FEED_CURSOR_SIZE])
{
	snprintf(text, PDNS_FEED_CURSOR_SIZE, "%08" PRIx32 "%016" PRIx64, id_of(pdns), row);
}

int pdns_feed_cursor_parse(struct pdns *pdns, const char *text, uint64_t *row)
{
	struct feed_state feed;
	char id[9];

	if (strlen(text) != PDNS_FEED_CURSOR_SIZE - 1 ||
		strspn(text, "0123456789abcdef") != PDNS_FEED_CURSOR_SIZE - 1)
		return -EINVAL;
	snprintf(id, sizeof(id), "%.8s", text);
	*row = strtoull(text + 8, NULL, 16);
	feed_state_get(pdns->feed, &feed);
	return strtoul(id, NULL, 16) == (uint32_t)feed.id && *row <= feed.next ? 0 : -ESTALE;
}

int pdns_feed_find(struct pdns *pdns, int64_t time_s, uint64_t *row)
{
	return feed_find(pdns->feed, time_s, row);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct pdns_feed_reader {
	struct feed_reader *rows;
	struct pdns_rdata rdata; // of the row
};

int pdns_feed_reader_open(struct pdns *pdns, uint64_t row, struct pdns_feed_reader **out)
{
	struct pdns_feed_reader *reader = calloc(1, sizeof(*reader));
	int err = reader ? feed_reader_open(pdns->feed, row, &reader->rows) : -ENOMEM;

	if (err)
		free(reader);
	else
		*out = reader;
	return err;
}

void pdns_feed_reader_close(struct pdns_feed_reader *reader)
{
	if (reader)
		feed_reader_close(reader->rows);
	free(reader);
}

// Returns whether it is one.
static bool row_read(
	struct pdns_feed_reader *reader, const struct feed_row *from, struct pdns_feed_row *row)
{
	const uint8_t *data = from->data;
	size_t owner_size = from->size > HEAD_SIZE ? data[21] : 0;
	size_t bailiwick;

	if (owner_size == 0 || from->size - HEAD_SIZE < owner_size || data[0] >= PDNS_CLASSES ||
		pdns_name_size(data + HEAD_SIZE, owner_size) != owner_size ||
		pdns_name_labels(data + HEAD_SIZE) < data[2])
		return false;
	bailiwick = pdns_name_tail(data + HEAD_SIZE, data[2]);
	reader->rdata = (struct pdns_rdata){
		data + HEAD_SIZE + owner_size, (uint16_t)(from->size - HEAD_SIZE - owner_size)};
	*row = (struct pdns_feed_row){
		.number = from->number,
		.time_s = from->time_s,
		.class = data[0],
		.known = data[1] & FLAG_KNOWN,
		.tuple = {.owner = data + HEAD_SIZE,
			.owner_size = owner_size,
			.type = load_be16(data + 3),
			.bailiwick = data + HEAD_SIZE + bailiwick,
			.bailiwick_size = owner_size - bailiwick,
			.classes = PDNS_CLASS_BIT(data[0]),
			.first_s = load_be32(data + 5),
			.last_s = load_be32(data + 9),
			.count = load_be64(data + 13),
			.n_rdata = 1,
			.rdata = &reader->rdata},
	};
	return true;
}

int pdns_feed_read(struct pdns_feed_reader *reader, unsigned wait_ms, struct pdns_feed_row *row)
{
	struct feed_row from;
	int err = feed_read(reader->rows, wait_ms, &from);

	if (err == -ENOENT)
		row->number = from.number;
	if (err <= 0)
		return err;
	return row_read(reader, &from, row) ? 1 : -EBADMSG;
}

// What was written last is known, as it was to the process before: who asks for what is new gets
// nothing twice that is seen again in the same second.
static int known_prime(struct pdns *pdns)
{
	struct pdns_feed_reader *reader;
	struct pdns_feed_state state;
	struct pdns_feed_row row;
	int err;

	pdns_feed_state_get(pdns, &state);
	err = pdns_feed_reader_open(pdns,
		state.next - state.oldest > PRIMED ? state.next - PRIMED : state.oldest, &reader);
	if (err)
		return err;
	while ((err = pdns_feed_read(reader, 0, &row)) == 1)
		pdns_known_take(
			pdns, &(struct pdns_tuple_key){.owner = row.tuple.owner,
				      .owner_size = row.tuple.owner_size,
				      .type = row.tuple.type,
				      .bailiwick = (uint8_t)pdns_name_labels(row.tuple.bailiwick),
				      .rdata = row.tuple.rdata->data,
				      .rdata_size = row.tuple.rdata->size});
	pdns_feed_reader_close(reader);
	// Readers are told of damage.
	return err == -ENOENT || err == -EBADMSG ? 0 : err;
}

int pdns_feed_up(struct pdns *pdns, const struct pdns_options *options)
{
	const struct feed_options how = {options->feed_size, options->feed_keep_s};
	char path[PDNS_PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s" SEGMENTS, pdns->folder);
	err = feed_open(path, &how, pdns->writes, &pdns->feed);
	return err == 0 && pdns->feed ? known_prime(pdns) : err;
}

bool pdns_feed_wanted(const struct pdns_question *q, const struct pdns_feed_row *row)
{
	const struct pdns_row *tuple = &row->tuple;
	uint8_t name[DNS_NAME_SIZE_MAX];

	if ((q->classes && !(q->classes & tuple->classes)) || !pdns_type_wanted(q, tuple->type))
		return false;
	if (q->name && (pdns_name_size(q->name, q->name_size) != q->name_size ||
			       pdns_name_fold(q->name, name) == 0 ||
			       !pdns_name_matches(tuple->owner, q->scope, name, q->name_size)))
		return false;
	if (!q->bailiwick)
		return true;
	return pdns_name_size(q->bailiwick, q->bailiwick_size) == tuple->bailiwick_size &&
	       pdns_name_fold(q->bailiwick, name) == tuple->bailiwick_size &&
	       memcmp(tuple->bailiwick, name, tuple->bailiwick_size) == 0;
}

/* ---- what is new ----------------------------------------------------------------------------- */

// Returns 1, 0 or -errno.
static int is_first(struct pdns *pdns, const uint8_t *key, size_t size, int64_t first_s)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	struct pdns_sum sums[PDNS_CLASSES] = {0};
	rocksdb_pinnableslice_t *slice;
	const char *value = NULL;
	size_t value_size = 0;
	char *error = NULL;
	int err;

	slice = rocksdb_get_pinned(pdns->db, read, (const char *)key, size, &error);
	err = rocks_error(error);
	if (slice)
		value = rocksdb_pinnableslice_value(slice, &value_size);
	// What is in the feed is in the dataset, unless that is damaged.
	if (err == 0 && value && pdns_value_add((const uint8_t *)value, value_size, sums)) {
		err = 1;
		for (unsigned c = 0; c < PDNS_CLASSES; c++)
			if (sums[c].count > 0 && sums[c].first < first_s)
				err = 0;
	}
	if (slice)
		rocksdb_pinnableslice_destroy(slice);
	rocksdb_readoptions_destroy(read);
	return err;
}

int pdns_feed_is_new(struct pdns *pdns, const struct pdns_feed_row *row)
{
	const struct pdns_row *tuple = &row->tuple;
	const struct pdns_tuple_key key = {.owner = tuple->owner,
		.owner_size = tuple->owner_size,
		.type = tuple->type,
		.bailiwick = (uint8_t)pdns_name_labels(tuple->bailiwick)};
	uint8_t *octets;
	size_t size;
	int err;

	if (row->known)
		return 0;
	octets = malloc(PDNS_KEY_MAX);
	if (!octets)
		return -ENOMEM;
	size = pdns_key_rrset(&key, octets);
	memcpy(octets + size, tuple->rdata->data, tuple->rdata->size);
	err = pdns_db_use(pdns);
	if (err == 0) {
		err = is_first(pdns, octets, size + tuple->rdata->size, tuple->first_s);
		pdns_db_unuse(pdns);
	}
	free(octets);
	return err;
}
