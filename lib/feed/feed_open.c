/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening a log: which segments there are, and what of the last one is settled.
 */
#include "feed/feed_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* ---- segments -------------------------------------------------------------------------------- */

// Under lock, or while nobody else has it.
static int segment_add(struct feed *feed, const struct feed_segment *segment)
{
	struct feed_segment *more;

	if (feed->n == feed->room) {
		size_t room = feed->room ? 2 * feed->room : 2 * FEED_SEGMENTS;

		more = reallocarray(feed->segments, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		feed->segments = more;
		feed->room = room;
	}
	feed->segments[feed->n++] = *segment;
	return 0;
}

int feed_segment_begin(struct feed *feed)
{
	const struct feed_segment segment = {
		.first = feed->row, .time_s = feed->time_s, .size = FEED_HEAD_SIZE};
	int fd = feed_segment_make(feed, &segment), err;

	if (fd < 0)
		return fd;
	pthread_mutex_lock(&feed->lock);
	err = segment_add(feed, &segment);
	pthread_mutex_unlock(&feed->lock);
	if (err) {
		close(fd);
		return err;
	}
	if (feed->fd >= 0)
		close(feed->fd);
	feed->fd = fd;
	feed->at = FEED_HEAD_SIZE;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct feed_segment *one = a, *other = b;

	return (one->first > other->first) - (one->first < other->first);
}

// Only names; what the files say comes later.
static int segments_list(struct feed *feed)
{
	DIR *dir = opendir(feed->folder);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (err == 0 && (entry = readdir(dir))) {
		struct feed_segment segment = {0};
		char *end;

		segment.first = strtoull(entry->d_name, &end, 16);
		if (end == entry->d_name + 16 && strcmp(end, ".feed") == 0)
			err = segment_add(feed, &segment);
	}
	closedir(dir);
	if (feed->n > 0)
		qsort(feed->segments, feed->n, sizeof(*feed->segments), by_first);
	return err;
}

/* ---- what is in them ------------------------------------------------------------------------- */

// Read the heads; feed->fd is that of the last. Returns 0, -EBADMSG: they are no log, or -errno.
static int segments_read(struct feed *feed)
{
	for (size_t i = 0; i < feed->n; i++) {
		struct feed_segment *segment = &feed->segments[i];
		uint64_t id = 0;
		int fd = feed_segment_open(feed, segment->first, &id, segment);

		if (fd < 0)
			return fd;
		if (feed->fd >= 0)
			close(feed->fd);
		feed->fd = fd;
		if (i > 0 && id != feed->id)
			return -EBADMSG;
		feed->id = id;
		if (segment->time_s > feed->time_s)
			feed->time_s = segment->time_s;
	}
	return 0;
}

// Whether all blocks from feed->at on are of the write that the database may have been about to do.
static bool rest_is_next(const struct feed *feed, uint64_t end, uint64_t settled)
{
	struct feed_block block;

	for (uint64_t at = feed->at; feed_block_head(feed->fd, at, end, &block) == 0;
		at += feed_block_size(&block))
		if (block.number != settled + 1)
			return false;
	return true;
}

// Find the end of what is settled, and cut off what is behind it. Returns -EBADMSG where blocks of
// writes that the database has are damaged, or are of writes that it cannot have had yet.
static int last_settle(struct feed *feed, uint64_t settled)
{
	struct feed_segment *last = &feed->segments[feed->n - 1];
	struct feed_block block;
	uint64_t end = last->size;
	int err;

	feed->at = FEED_HEAD_SIZE;
	feed->row = last->first;
	while ((err = feed_block_head(feed->fd, feed->at, end, &block)) == 0) {
		if (block.first != feed->row || block.number > settled)
			break;
		err = feed_block_read(feed->fd, feed->at, &block, feed->packed);
		if (err)
			return err;
		feed->at += feed_block_size(&block);
		feed->row += block.rows;
		if (block.time_s > feed->time_s)
			feed->time_s = block.time_s;
	}
	if (err && err != -EBADMSG)
		return err;
	if (!rest_is_next(feed, end, settled))
		return -EBADMSG;
	last->size = feed->at;
	feed->next = feed->row;
	return feed->at < end && ftruncate(feed->fd, (off_t)feed->at) < 0 ? -errno : 0;
}

static void segments_remove(struct feed *feed)
{
	char path[FEED_PATH_MAX];

	for (size_t i = 0; i < feed->n; i++) {
		feed_segment_path(feed, feed->segments[i].first, path);
		unlink(path);
	}
	if (feed->fd >= 0)
		close(feed->fd);
	feed->fd = -1;
	feed->n = 0;
	feed->row = feed->next = 0;
}

static int begin_new(struct feed *feed)
{
	if (getrandom(&feed->id, sizeof(feed->id), 0) != sizeof(feed->id))
		return -EIO;
	return feed_segment_begin(feed);
}

// Returns 0 or -errno.
static int log_open(struct feed *feed, uint64_t settled)
{
	int err = segments_list(feed);

	if (err == 0 && feed->n > 0) {
		err = segments_read(feed);
		if (err == 0)
			err = last_settle(feed, settled);
		if (err == -EBADMSG) {
			log_line(LOG_WARN,
				"%s: damaged, or of another dataset: the feed begins anew",
				feed->folder);
			segments_remove(feed);
			err = 0;
		}
	}
	if (err == 0 && feed->options.size > 0 && feed->n == 0)
		err = begin_new(feed);
	return err;
}

int feed_open(
	const char *folder, const struct feed_options *options, uint64_t settled, struct feed **out)
{
	struct feed *feed;
	int err = -ENOMEM;

	*out = NULL;
	if (options->size == 0 && access(folder, F_OK) < 0)
		return 0;
	if (mkdir(folder, 0750) < 0 && errno != EEXIST)
		return -errno;
	feed = calloc(1, sizeof(*feed));
	if (!feed)
		return err;
	feed->fd = -1;
	feed->options = *options;
	feed->time_s = time(NULL);
	feed->folder = strdup(folder);
	feed->raw = malloc(FEED_RAW_MAX);
	feed->packed = malloc(FEED_BLOCK_HEAD + FEED_PACKED_MAX);
	feed->zstd = ZSTD_createCCtx();
	pthread_mutex_init(&feed->lock, NULL);
	pthread_cond_init(&feed->settled, NULL);
	if (feed->folder && feed->raw && feed->packed && feed->zstd)
		err = log_open(feed, settled);
	if (err || options->size == 0)
		feed_close(feed);
	else
		*out = feed;
	return err;
}

void feed_close(struct feed *feed)
{
	if (!feed)
		return;
	if (feed->fd >= 0)
		close(feed->fd);
	ZSTD_freeCCtx(feed->zstd);
	pthread_mutex_destroy(&feed->lock);
	pthread_cond_destroy(&feed->settled);
	free(feed->segments);
	free(feed->raw);
	free(feed->packed);
	free(feed->folder);
	free(feed);
}
