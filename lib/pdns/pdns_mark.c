/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What waited when a process ended without closing. A small file beside the database says, once a second at least, that the
 * process is alive and since when something waits; it is removed when all is written. Nobody waits for it to reach
 * the disk: the page cache outlives a process that is killed. For a machine that lost its power, row T of the
 * database says up to when all was written.
 */
#include "pdns_private.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/log.h"

#define MARK_SIZE 24   // alive 8, since 8, hash of these 8
#define MARK_SEED 2    // of the hash: times were seconds with another one
#define MARK_MS   1000 // from one to the next, at most
#define GAP_SIZE  32   // ends 8, seconds 8, from 8, to 8

/** Milliseconds since 1970. */
struct mark {
	int64_t alive; // 0: not known
	int64_t since; // 0: nothing waits
};

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void mark_path(const struct pdns *pdns, char path[PDNS_PATH_MAX])
{
	snprintf(path, PDNS_PATH_MAX, "%s/mark", pdns->folder);
}

// Returns whether one was there.
static bool mark_read(int fd, struct mark *mark)
{
	uint8_t octets[MARK_SIZE];
	ssize_t n = pread(fd, octets, sizeof(octets), 0);

	*mark = (struct mark){0};
	if (n == MARK_SIZE &&
		load_be64(octets + 16) == XXH3_64bits_withSeed(octets, 16, MARK_SEED)) {
		mark->alive = (int64_t)load_be64(octets);
		mark->since = (int64_t)load_be64(octets + 8);
	}
	return n != 0;
}

static int mark_write(int fd, const struct mark *mark)
{
	uint8_t octets[MARK_SIZE];

	store_be64(octets, (uint64_t)mark->alive);
	store_be64(octets + 8, (uint64_t)mark->since);
	store_be64(octets + 16, XXH3_64bits_withSeed(octets, 16, MARK_SEED));
	return pwrite(fd, octets, sizeof(octets), 0) == MARK_SIZE ? 0 : -EIO;
}

static int row_read(struct pdns *pdns, const char *key, uint8_t *to, size_t size)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	char *error = NULL, *value;
	size_t value_size = 0;
	int err;

	value = rocksdb_get(pdns->db, read, key, PDNS_ROW_SIZE, &value_size, &error);
	err = rocks_error(error);
	if (value && value_size == size)
		memcpy(to, value, size);
	rocksdb_free(value);
	rocksdb_readoptions_destroy(read);
	return err;
}

static int row_write(struct pdns *pdns, const char *key, const uint8_t *value, size_t size)
{
	char *error = NULL;

	rocksdb_put(pdns->db, pdns->write_options, key, PDNS_ROW_SIZE, (const char *)value, size,
		&error);
	return rocks_error(error);
}

int pdns_mark_load(struct pdns *pdns)
{
	uint8_t row[GAP_SIZE] = {0};
	int err = row_read(pdns, PDNS_ROW_GAPS, row, sizeof(row));

	pdns->stats.gaps = load_be64(row);
	pdns->stats.gap_seconds = load_be64(row + 8);
	pdns->stats.gap_from_s = (int64_t)load_be64(row + 16);
	pdns->stats.gap_to_s = (int64_t)load_be64(row + 24);
	return err;
}

static void utc_format(int64_t time_ms, char text[40])
{
	time_t at = (time_t)(time_ms / 1000);
	struct tm when;
	size_t n;

	gmtime_r(&at, &when);
	n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &when);
	snprintf(text + n, 40 - n, ".%03uZ", (unsigned)(time_ms % 1000));
}

// From when to when something may be lost.
static int gap_find(struct pdns *pdns, const struct mark *mark, int64_t *from, int64_t *to)
{
	uint8_t row[8] = {0};
	int err = row_read(pdns, PDNS_ROW_WRITTEN, row, sizeof(row));

	*from = (int64_t)load_be64(row) * 1000;
	// A mark that is older than what was written did not reach the disk.
	if (mark->alive >= *from)
		*from = mark->since > *from ? mark->since : mark->since ? *from : mark->alive;
	*to = mark->alive >= *from ? mark->alive : *from + (int64_t)pdns->window_s * 1000;
	// The next mark would have come then.
	*to += MARK_MS;
	return err;
}

static int gap_note(struct pdns *pdns, const struct mark *mark)
{
	struct pdns_stats *s = &pdns->stats;
	int64_t from_ms, to_ms, tenths;
	uint8_t row[GAP_SIZE];
	char from[40], to[40];
	int err = gap_find(pdns, mark, &from_ms, &to_ms);

	if (err)
		return err;
	tenths = (to_ms - from_ms + 99) / 100;
	s->gaps++;
	s->gap_seconds += (uint64_t)(tenths + 9) / 10;
	s->gap_from_s = from_ms / 1000;
	s->gap_to_s = (to_ms + 999) / 1000;
	store_be64(row, s->gaps);
	store_be64(row + 8, s->gap_seconds);
	store_be64(row + 16, (uint64_t)s->gap_from_s);
	store_be64(row + 24, (uint64_t)s->gap_to_s);
	utc_format(from_ms, from);
	utc_format(to_ms, to);
	log_line(LOG_WARN,
		"%s: was not closed: what came from %s to %s, %lld.%lld seconds, may be lost",
		pdns->folder, from, to, (long long)tenths / 10, (long long)tenths % 10);
	return row_write(pdns, PDNS_ROW_GAPS, row, sizeof(row));
}

int pdns_mark_open(struct pdns *pdns)
{
	char path[PDNS_PATH_MAX];
	struct mark mark;
	int err = 0;

	mark_path(pdns, path);
	pdns->mark_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (pdns->mark_fd < 0)
		return -errno;
	if (mark_read(pdns->mark_fd, &mark))
		err = gap_note(pdns, &mark);
	mark = (struct mark){.alive = clock_ms()};
	if (err == 0)
		err = mark_write(pdns->mark_fd, &mark);
	// What is left of this one after a loss of power has to be a file with octets.
	if (err == 0 && fsync(pdns->mark_fd) < 0)
		err = -errno;
	return err;
}

void pdns_alive(struct pdns *pdns)
{
	struct mark mark = {.alive = clock_ms()};
	int64_t since_us;

	pthread_mutex_lock(&pdns->lock);
	since_us = pdns->emptying->since_us ? pdns->emptying->since_us : pdns->filling->since_us;
	pthread_mutex_unlock(&pdns->lock);
	if (since_us)
		mark.since = mark.alive - (pdns->now_us() - since_us) / 1000;
	// Nothing depends on it but what is said of a kill.
	(void)mark_write(pdns->mark_fd, &mark);
}

void pdns_mark_close(struct pdns *pdns, bool all_written)
{
	char path[PDNS_PATH_MAX];

	if (pdns->mark_fd < 0)
		return;
	close(pdns->mark_fd);
	mark_path(pdns, path);
	if (all_written)
		unlink(path);
}
