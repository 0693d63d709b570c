/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records stand by name in an hour, and are wanted by time. An hour's are put in order in memory;
 * if there are too many for that, the hour is gone through again for each part of it that has few
 * enough.
 */
#include "store_query_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define SECONDS       (STORE_HOUR_MS / 1000)
#define OCTETS_RECORD 64 // of memory for each record that may be sorted; long ones take more
#define RADIX_BITS    11 // twice that holds the milliseconds of an hour
#define RADIX_MASK    ((1u << RADIX_BITS) - 1)
#define BYTES_MAX     ((size_t)UINT32_MAX)

static_assert(STORE_HOUR_MS <= 1u << 2 * RADIX_BITS, "two passes sort an hour");

struct store_hits *store_hits_create(size_t max)
{
	struct store_hits *hits = calloc(1, sizeof(*hits));

	if (!hits)
		return NULL;
	hits->max = max;
	hits->bytes_max = max * OCTETS_RECORD + STORE_VALUE_MAX + DNS_NAME_SIZE_MAX;
	if (hits->bytes_max > BYTES_MAX)
		hits->bytes_max = BYTES_MAX;
	return hits;
}

void store_hits_destroy(struct store_hits *hits)
{
	if (!hits)
		return;
	free(hits->hits);
	free(hits->spare);
	free(hits->bytes);
	free(hits);
}

static int grow(struct store_hits *hits)
{
	size_t n = hits->room ? hits->room * 2 : 1024;
	size_t bytes = hits->bytes_room ? hits->bytes_room * 2 : 65536;
	void *more;

	if (hits->n == hits->room) {
		more = realloc(hits->hits, n * sizeof(*hits->hits));
		if (!more)
			return -ENOMEM;
		hits->hits = more;
		hits->room = n;
	}
	if (hits->bytes_room - hits->used < STORE_VALUE_MAX + DNS_NAME_SIZE_MAX + 3) {
		more = realloc(hits->bytes, bytes);
		if (!more)
			return -ENOMEM;
		hits->bytes = more;
		hits->bytes_room = bytes;
	}
	return 0;
}

int store_hits_add(struct store_hits *hits, const struct store_walk *walk, enum store_kind kind,
	uint32_t ms, const uint8_t *value, size_t size)
{
	struct store_hit *hit;

	if (ms < hits->from_ms || ms >= hits->to_ms)
		return 0;
	hits->seconds[ms / 1000]++;
	// One second is taken whole, whatever it has: there is no smaller part.
	if (!hits->full && hits->to_ms - hits->from_ms > 1000 &&
		(hits->n == hits->max ||
			hits->bytes_max - hits->used < size + DNS_NAME_SIZE_MAX + 3))
		hits->full = true;
	if (hits->full)
		return 0;
	if (grow(hits) != 0)
		return -ENOMEM;
	hit = &hits->hits[hits->n];
	*hit = (struct store_hit){.ms = ms, .kind = kind};
	// Records of one name share it.
	if (!hits->has_name) {
		hits->has_name = true;
		hits->name = (uint32_t)hits->used;
		hits->bytes[hits->used++] = (uint8_t)walk->name_size;
		memcpy(hits->bytes + hits->used, walk->name, walk->name_size);
		hits->used += walk->name_size;
	}
	hit->name = hits->name;
	hit->record = (uint32_t)hits->used;
	store_be16(hits->bytes + hits->used, (uint16_t)size);
	memcpy(hits->bytes + hits->used + 2, value, size);
	hits->used += size + 2;
	hits->n++;
	return 0;
}

// By time in two passes, lower half of its bits first; each pass leaves equals in their order. Hours
// of a popular name have millions of records, which is much for a sort that compares.
static int hits_sort(struct store_hits *hits)
{
	struct store_hit *from = hits->hits, *to;
	uint32_t at[1u << RADIX_BITS];

	if (hits->n == 0)
		return 0;
	if (!hits->spare || hits->spare_room < hits->room) {
		free(hits->spare);
		hits->spare_room = hits->room;
		hits->spare = malloc(hits->room * sizeof(*to));
		if (!hits->spare)
			return -ENOMEM;
	}
	to = hits->spare;
	for (unsigned shift = 0; shift < 2 * RADIX_BITS; shift += RADIX_BITS) {
		uint32_t sum = 0;

		memset(at, 0, sizeof(at));
		for (size_t i = 0; i < hits->n; i++)
			at[from[i].ms >> shift & RADIX_MASK]++;
		for (unsigned r = 0; r <= RADIX_MASK; r++) {
			uint32_t n = at[r];

			at[r] = sum;
			sum += n;
		}
		for (size_t i = 0; i < hits->n; i++)
			to[at[from[i].ms >> shift & RADIX_MASK]++] = from[i];
		from = to;
		to = hits->hits;
	}
	return 0;
}

static int hits_visit(struct store_walk *walk)
{
	struct store_hits *hits = walk->hits;
	struct store_record record;
	int err = hits_sort(hits);

	for (size_t i = 0; i < hits->n && err == 0; i++) {
		const struct store_hit *hit = &hits->hits[i];
		const uint8_t *value = hits->bytes + hit->record;

		// It was decoded once before, so it is whole.
		if (store_record_decode(
			    hit->kind, value + 2, load_be16(value), &record, &walk->room) == 0)
			return -EBADMSG;
		record.time_ms += walk->hour_ms;
		record.name = hits->bytes + hit->name + 1;
		record.name_size = hits->bytes[hit->name];
		walk->progress.found++;
		err = walk->visitor->visit(walk->visitor->ctx, &record);
	}
	return err;
}

static int part_walk(struct store_walk *walk, uint32_t from_ms, uint32_t to_ms)
{
	struct store_hits *hits = walk->hits;

	hits->n = hits->used = 0;
	hits->from_ms = from_ms;
	hits->to_ms = to_ms;
	hits->full = false;
	return store_walk_hour(walk);
}

// Goes on second by second as long as there is room. Returns the first second that does not fit.
static uint32_t part_end(const struct store_hits *hits, const uint32_t *seconds, uint32_t from)
{
	size_t sum = seconds[from];
	uint32_t to = from + 1;

	while (to < SECONDS && sum + seconds[to] <= hits->max)
		sum += seconds[to++];
	return to;
}

// Parts that turn out too large, since their records are long, are halved.
static int part_visit(struct store_walk *walk, uint32_t from, uint32_t to)
{
	int err = part_walk(walk, from * 1000, to * 1000);

	if (err)
		return err;
	if (!walk->hits->full)
		return hits_visit(walk);
	err = part_visit(walk, from, from + (to - from) / 2);
	return err ? err : part_visit(walk, from + (to - from) / 2, to);
}

int store_hour_by_time(struct store_walk *walk)
{
	struct store_hits *hits = walk->hits;
	uint32_t *seconds;
	int err;

	memset(hits->seconds, 0, sizeof(hits->seconds));
	err = part_walk(walk, 0, STORE_HOUR_MS);
	if (err)
		return err;
	if (!hits->full)
		return hits_visit(walk);
	seconds = malloc(sizeof(hits->seconds));
	if (!seconds)
		return -ENOMEM;
	memcpy(seconds, hits->seconds, sizeof(hits->seconds));
	for (uint32_t from = 0, to; from < SECONDS && err == 0; from = to) {
		to = part_end(hits, seconds, from);
		err = part_visit(walk, from, to);
	}
	free(seconds);
	return err;
}
