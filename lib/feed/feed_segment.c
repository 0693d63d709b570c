/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of a log, and blocks in them.
 */
#include "feed/feed_private.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bytes.h"

#define FILE_MAGIC  "DWFEED01"
#define BLOCK_MAGIC "DWFB"
#define HASH_AT     40

void feed_segment_path(const struct feed *feed, uint64_t first, char path[FEED_PATH_MAX])
{
	snprintf(path, FEED_PATH_MAX, "%s/%016" PRIx64 ".feed", feed->folder, first);
}

// Returns 0, -EBADMSG where the file ends before, or -errno.
static int all_read(int fd, void *to, size_t size, uint64_t at)
{
	uint8_t *octets = to;

	while (size > 0) {
		ssize_t n = pread(fd, octets, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		octets += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

// A file's name is there after a crash of the machine once its folder was written.
static int folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return err;
}

int feed_segment_make(const struct feed *feed, const struct feed_segment *segment)
{
	uint8_t head[FEED_HEAD_SIZE];
	char path[FEED_PATH_MAX];
	int fd, err = 0;

	memcpy(head, FILE_MAGIC, 8);
	store_be64(head + 8, feed->id);
	store_be64(head + 16, segment->first);
	store_be64(head + 24, (uint64_t)segment->time_s);
	feed_segment_path(feed, segment->first, path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	if (pwrite(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		err = errno ? -errno : -ENOSPC;
	else if (fsync(fd) < 0)
		err = -errno;
	else
		err = folder_sync(feed->folder);
	if (err == 0)
		return fd;
	close(fd);
	unlink(path);
	return err;
}

int feed_segment_open(
	const struct feed *feed, uint64_t first, uint64_t *id, struct feed_segment *segment)
{
	uint8_t head[FEED_HEAD_SIZE];
	char path[FEED_PATH_MAX];
	struct stat info;
	int fd, err;

	feed_segment_path(feed, first, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = all_read(fd, head, sizeof(head), 0);
	if (err == 0 && fstat(fd, &info) < 0)
		err = -errno;
	if (err == 0 && (memcmp(head, FILE_MAGIC, 8) != 0 || load_be64(head + 16) != first))
		err = -EBADMSG;
	if (err) {
		close(fd);
		return err;
	}
	*id = load_be64(head + 8);
	*segment = (struct feed_segment){.first = first,
		.time_s = (int64_t)load_be64(head + 24),
		.size = (uint64_t)info.st_size};
	return fd;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static uint64_t hash_of(const uint8_t *octets, size_t packed)
{
	uint64_t head = XXH3_64bits(octets, HASH_AT);

	return XXH3_64bits_withSeed(octets + FEED_BLOCK_HEAD, packed, head);
}

void feed_block_seal(const struct feed_block *block, uint8_t *octets)
{
	memcpy(octets, BLOCK_MAGIC, 4);
	store_be32(octets + 4, block->rows);
	store_be64(octets + 8, block->first);
	store_be64(octets + 16, block->number);
	store_be64(octets + 24, (uint64_t)block->time_s);
	store_be32(octets + 32, block->raw);
	store_be32(octets + 36, block->packed);
	store_be64(octets + HASH_AT, hash_of(octets, block->packed));
}

int feed_block_head(int fd, uint64_t at, uint64_t end, struct feed_block *block)
{
	uint8_t octets[FEED_BLOCK_HEAD];
	int err = end >= at && end - at >= FEED_BLOCK_HEAD
			  ? all_read(fd, octets, sizeof(octets), at)
			  : -EBADMSG;

	if (err)
		return err;
	*block = (struct feed_block){.rows = load_be32(octets + 4),
		.raw = load_be32(octets + 32),
		.packed = load_be32(octets + 36),
		.first = load_be64(octets + 8),
		.number = load_be64(octets + 16),
		.time_s = (int64_t)load_be64(octets + 24)};
	if (memcmp(octets, BLOCK_MAGIC, 4) != 0 || block->rows == 0 || block->raw > FEED_RAW_MAX ||
		block->packed > FEED_PACKED_MAX || end - at < feed_block_size(block))
		return -EBADMSG;
	return 0;
}

int feed_block_read(int fd, uint64_t at, const struct feed_block *block, uint8_t *octets)
{
	int err = all_read(fd, octets, feed_block_size(block), at);

	if (err)
		return err;
	return load_be64(octets + HASH_AT) == hash_of(octets, block->packed) ? 0 : -EBADMSG;
}
