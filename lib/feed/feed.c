/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes in, and what goes at the other end.
 */
#include "feed/feed_private.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

#define ZSTD_LEVEL \
	1 // quick: a third of the octets; better levels gain a tenth and take twice as long

/* ---- what comes in --------------------------------------------------------------------------- */

static int all_write(int fd, const uint8_t *octets, size_t size, uint64_t at)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, octets, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		octets += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int block_write(struct feed *feed)
{
	struct feed_block block = {.rows = feed->n_rows,
		.raw = (uint32_t)feed->used,
		.first = feed->row,
		.number = feed->number,
		.time_s = feed->time_s};
	size_t packed = ZSTD_compressCCtx(feed->zstd, feed->packed + FEED_BLOCK_HEAD,
		FEED_PACKED_MAX, feed->raw, feed->used, ZSTD_LEVEL);
	int err;

	feed->used = feed->n_rows = 0;
	if (ZSTD_isError(packed))
		return -ENOMEM;
	block.packed = (uint32_t)packed;
	feed_block_seal(&block, feed->packed);
	err = all_write(feed->fd, feed->packed, feed_block_size(&block), feed->at);
	if (err)
		return err;
	feed->at += feed_block_size(&block);
	feed->row += block.rows;
	return 0;
}

static bool segment_is_full(const struct feed *feed)
{
	const struct feed_segment *last = &feed->segments[feed->n - 1];
	uint64_t most = feed->options.size / FEED_SEGMENTS;

	if (feed->row == last->first)
		return false;
	return feed->at >= (most < FEED_SEGMENT_MAX ? most : FEED_SEGMENT_MAX) ||
	       (uint64_t)(feed->time_s - last->time_s) > feed->options.keep_s / FEED_SEGMENTS;
}

void feed_begin(struct feed *feed, uint64_t number)
{
	int64_t now = time(NULL);
	bool full;

	feed->number = number;
	feed->time_s = now > feed->time_s ? now : feed->time_s;
	feed->used = feed->n_rows = 0;
	feed->err = 0;
	// Only who adds changes the last one.
	pthread_mutex_lock(&feed->lock);
	full = segment_is_full(feed);
	pthread_mutex_unlock(&feed->lock);
	if (full)
		feed->err = feed_segment_begin(feed);
}

void feed_add(struct feed *feed, const void *row, size_t size)
{
	if (feed->err)
		return;
	if (size > FEED_ROW_MAX) {
		feed->err = -EMSGSIZE;
		return;
	}
	store_be32(feed->raw + feed->used, (uint32_t)size);
	memcpy(feed->raw + feed->used + 4, row, size);
	feed->used += 4 + size;
	feed->n_rows++;
	if (feed->used >= FEED_BLOCK)
		feed->err = block_write(feed);
}

int feed_end(struct feed *feed)
{
	if (feed->err == 0 && feed->n_rows > 0)
		feed->err = block_write(feed);
	if (feed->err == 0 && fdatasync(feed->fd) < 0)
		feed->err = -errno;
	return feed->err;
}

void feed_settle(struct feed *feed, uint64_t number)
{
	bool there = feed->number <= number && feed->err == 0;
	struct feed_segment *last;

	if (feed->number == 0)
		return;
	pthread_mutex_lock(&feed->lock);
	last = &feed->segments[feed->n - 1];
	if (there) {
		last->size = feed->at;
		feed->next = feed->row;
		pthread_cond_broadcast(&feed->settled);
	} else {
		feed->at = last->size;
		feed->row = feed->next;
	}
	pthread_mutex_unlock(&feed->lock);
	feed->number = 0;
	if (there)
		feed_trim(feed);
	else if (ftruncate(feed->fd, (off_t)feed->at) < 0)
		errno = 0; // What cannot be cut off is written over.
}

/* ---- what goes ------------------------------------------------------------------------------- */

// Under lock.
static uint64_t bytes_of(const struct feed *feed)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < feed->n; i++)
		bytes += feed->segments[i].size;
	return bytes;
}

void feed_trim(struct feed *feed)
{
	int64_t now = time(NULL);
	char path[FEED_PATH_MAX];

	pthread_mutex_lock(&feed->lock);
	// What is in a segment was added before the next one was begun.
	while (feed->n > 1 &&
		(bytes_of(feed) > feed->options.size ||
			feed->segments[1].time_s + (int64_t)feed->options.keep_s < now)) {
		feed_segment_path(feed, feed->segments[0].first, path);
		unlink(path);
		feed->n--;
		memmove(feed->segments, feed->segments + 1, feed->n * sizeof(*feed->segments));
	}
	pthread_mutex_unlock(&feed->lock);
}

void feed_state_get(struct feed *feed, struct feed_state *state)
{
	pthread_mutex_lock(&feed->lock);
	*state = (struct feed_state){.id = feed->id,
		.oldest = feed->segments[0].first,
		.next = feed->next,
		.bytes = bytes_of(feed),
		.segments = feed->n};
	if (state->oldest < state->next)
		state->oldest_s = feed->segments[0].time_s;
	pthread_mutex_unlock(&feed->lock);
}
