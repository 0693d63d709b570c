/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers: each has a file of its own open, which stays while it is read, also when it was removed.
 */
#include "feed/feed_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

struct feed_reader {
	struct feed *feed;
	uint64_t next;      // row that is read next
	int fd;             // of the segment; -1: to be found
	uint64_t first, at; // of the segment: its first row, octets where the next block begins
	uint64_t row;       // number of the row at `used`
	uint32_t left;      // rows of the block that are not read yet
	int64_t time_s;
	size_t used, size; // octets of raw
	uint8_t *raw;      // FEED_RAW_MAX octets
	uint8_t *packed;   // FEED_BLOCK_HEAD + FEED_PACKED_MAX octets
	ZSTD_DCtx *zstd;
};

// Under lock. The last segment that begins at @p row or before; -1: none does.
static long segment_of(const struct feed *feed, uint64_t row)
{
	long i = (long)feed->n - 1;

	while (i >= 0 && feed->segments[i].first > row)
		i--;
	return i;
}

int feed_reader_open(struct feed *feed, uint64_t from, struct feed_reader **out)
{
	struct feed_reader *reader;
	bool there;

	pthread_mutex_lock(&feed->lock);
	there = from <= feed->next;
	pthread_mutex_unlock(&feed->lock);
	if (!there)
		return -ENOENT;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	*reader = (struct feed_reader){.feed = feed, .next = from, .fd = -1};
	reader->raw = malloc(FEED_RAW_MAX);
	reader->packed = malloc(FEED_BLOCK_HEAD + FEED_PACKED_MAX);
	reader->zstd = ZSTD_createDCtx();
	if (reader->raw && reader->packed && reader->zstd) {
		*out = reader;
		return 0;
	}
	feed_reader_close(reader);
	return -ENOMEM;
}

void feed_reader_close(struct feed_reader *reader)
{
	if (!reader)
		return;
	if (reader->fd >= 0)
		close(reader->fd);
	ZSTD_freeDCtx(reader->zstd);
	free(reader->raw);
	free(reader->packed);
	free(reader);
}

uint64_t feed_reader_next(const struct feed_reader *reader)
{
	return reader->next;
}

/* ---- from segment to segment ----------------------------------------------------------------- */

// Rows up to @p row are not there.
static int gap(uint64_t row, uint64_t *behind)
{
	*behind = row;
	return -ENOENT;
}

// The row that the segment behind ours begins with, or the next one to come.
static uint64_t segment_behind(struct feed *feed, uint64_t first)
{
	uint64_t row;

	pthread_mutex_lock(&feed->lock);
	row = feed->next;
	for (size_t i = feed->n; i-- > 0 && feed->segments[i].first > first;)
		row = feed->segments[i].first;
	pthread_mutex_unlock(&feed->lock);
	return row;
}

// Find the segment of the next row. Returns 0, -ENOENT as feed_read, or -errno.
static int segment_find(struct feed_reader *reader, uint64_t *behind)
{
	struct feed *feed = reader->feed;
	struct feed_segment segment;
	uint64_t id;
	long i;

	// Under lock it is not removed between here and there.
	pthread_mutex_lock(&feed->lock);
	i = segment_of(feed, reader->next);
	if (i >= 0)
		reader->fd = feed_segment_open(feed, feed->segments[i].first, &id, &segment);
	reader->first = feed->segments[i < 0 ? 0 : i].first;
	pthread_mutex_unlock(&feed->lock);
	reader->at = FEED_HEAD_SIZE;
	if (i < 0)
		return gap(reader->first, behind);
	if (reader->fd >= 0)
		return 0;
	return reader->fd == -ENOENT || reader->fd == -EBADMSG
		       ? gap(segment_behind(feed, reader->first), behind)
		       : reader->fd;
}

// Under lock. Wait until there is more than up to @p next.
static void settled_wait(struct feed *feed, uint64_t next, unsigned wait_ms)
{
	struct timespec until;

	if (wait_ms == 0)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (feed->next <= next)
		if (pthread_cond_timedwait(&feed->settled, &feed->lock, &until) != 0)
			break;
}

// How far the segment may be read. Returns 1, 0: there is no more yet, -EAGAIN: no more ever, or -errno.
static int segment_end(struct feed_reader *reader, unsigned wait_ms, uint64_t *end)
{
	struct feed *feed = reader->feed;
	struct stat info;
	bool is_last;

	pthread_mutex_lock(&feed->lock);
	settled_wait(feed, reader->next, wait_ms);
	is_last = feed->segments[feed->n - 1].first == reader->first;
	*end = feed->segments[feed->n - 1].size;
	pthread_mutex_unlock(&feed->lock);
	if (is_last)
		return reader->at < *end;
	if (fstat(reader->fd, &info) < 0)
		return -errno;
	*end = (uint64_t)info.st_size;
	return reader->at < *end ? 1 : -EAGAIN;
}

// Go on to the segment behind ours. Returns 0, or -ENOENT as feed_read.
static int segment_leave(struct feed_reader *reader, uint64_t *behind)
{
	uint64_t row = segment_behind(reader->feed, reader->first);

	close(reader->fd);
	reader->fd = -1;
	return row > reader->next ? gap(row, behind) : 0;
}

/* ---- from block to block --------------------------------------------------------------------- */

static int block_unpack(struct feed_reader *reader, const struct feed_block *block)
{
	int err = feed_block_read(reader->fd, reader->at, block, reader->packed);
	size_t size;

	if (err)
		return err;
	size = ZSTD_decompressDCtx(reader->zstd, reader->raw, FEED_RAW_MAX,
		reader->packed + FEED_BLOCK_HEAD, block->packed);
	if (ZSTD_isError(size) || size != block->raw)
		return -EBADMSG;
	reader->size = size;
	reader->used = 0;
	reader->left = block->rows;
	reader->row = block->first;
	reader->time_s = block->time_s;
	return 0;
}

// Read the block that is next in the segment, unless all of it is in front of the next row.
static int block_take(struct feed_reader *reader, uint64_t end, uint64_t *behind)
{
	struct feed_block block;
	int err = feed_block_head(reader->fd, reader->at, end, &block);

	if (err == 0 && block.first > reader->next)
		return gap(block.first, behind);
	if (err == 0 && block.first + block.rows > reader->next)
		err = block_unpack(reader, &block);
	if (err == -EBADMSG) {
		log_line(LOG_WARN, "%s: %016llx.feed is damaged", reader->feed->folder,
			(unsigned long long)reader->first);
		return gap(segment_behind(reader->feed, reader->first), behind);
	}
	if (err == 0)
		reader->at += feed_block_size(&block);
	return err;
}

// Have a block with the next row in it. Returns 1, 0: there is none yet, or as feed_read.
static int block_next(struct feed_reader *reader, unsigned wait_ms, uint64_t *behind)
{
	uint64_t end;
	int err = 0;

	while (err == 0 && reader->left == 0) {
		if (reader->fd < 0)
			err = segment_find(reader, behind);
		if (err)
			return err;
		err = segment_end(reader, wait_ms, &end);
		if (err == 0)
			return 0;
		if (err == -EAGAIN)
			err = segment_leave(reader, behind);
		else if (err > 0)
			err = block_take(reader, end, behind);
	}
	return err ? err : 1;
}

int feed_read(struct feed_reader *reader, unsigned wait_ms, struct feed_row *row)
{
	int err;

	for (;;) {
		uint32_t size;

		if (reader->left == 0) {
			err = block_next(reader, wait_ms, &row->number);
			if (err <= 0)
				return err;
		}
		size = reader->size - reader->used >= 4 ? load_be32(reader->raw + reader->used) : 0;
		if (reader->size - reader->used < 4 || reader->size - reader->used - 4 < size)
			return -EBADMSG;
		row->number = reader->row++;
		row->time_s = reader->time_s;
		row->data = reader->raw + reader->used + 4;
		row->size = size;
		reader->used += 4 + (size_t)size;
		reader->left--;
		if (row->number < reader->next)
			continue;
		reader->next = row->number + 1;
		return 1;
	}
}

/* ---- by time --------------------------------------------------------------------------------- */

int feed_find(struct feed *feed, int64_t time_s, uint64_t *row)
{
	struct feed_segment segment, there;
	struct feed_block block;
	uint64_t id, at = FEED_HEAD_SIZE, behind;
	bool is_first;
	size_t i;
	int fd, err = 0;

	pthread_mutex_lock(&feed->lock);
	for (i = feed->n - 1; i > 0 && feed->segments[i].time_s >= time_s;)
		i--;
	segment = feed->segments[i];
	is_first = i == 0;
	behind = i + 1 < feed->n ? feed->segments[i + 1].first : feed->next;
	fd = feed_segment_open(feed, segment.first, &id, &there);
	pthread_mutex_unlock(&feed->lock);
	if (fd < 0)
		return fd;
	*row = behind;
	// Row 0 is the first there ever was.
	if (is_first && segment.first > 0 && segment.time_s > time_s)
		err = -ENOENT;
	while (err == 0 && at < segment.size) {
		err = feed_block_head(fd, at, segment.size, &block);
		if (err == 0 && block.time_s >= time_s) {
			*row = block.first;
			break;
		}
		at += feed_block_size(&block);
	}
	close(fd);
	return err;
}
