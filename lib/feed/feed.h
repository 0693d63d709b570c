/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A log of rows that is kept for some time, for readers that come back to where they were.
 *
 * A row is any octets. Rows are numbered from 0 on, in the order they were added, and a number is never used
 * twice. They are added in batches, which belong to writes of a database: a batch is on the disk before that
 * write, and is shown once it is known that the write is there, or cut off once it is known that it is not.
 * So the log has what the database has, whenever the process is killed.
 *
 * Rows are in files (segments) of a folder. The oldest go when there are too many octets, or when they are too
 * old. Readers read the files at their own pace; who adds waits for none of them.
 *
 * Layer:   lib/feed; no EAL. zstd, XXH3.
 * Threads: one at a time adds and settles. Readers: any number, each used by one thread at a time; they are
 *          closed before the log.
 * Errors:  0 or -errno; what cannot be written is the caller's to log.
 */
#include <stddef.h>
#include <stdint.h>

#define FEED_ROW_MAX (1u << 17) /**< octets of a row */

struct feed_options {
	uint64_t size;   /**< octets on the disk, about; 0: no log, see feed_open */
	uint64_t keep_s; /**< seconds that rows are kept, about */
};

struct feed;

/**
 * Open the log of a folder, or begin one. A log that does not belong to the database is removed: then it is
 * another one (feed_id), and readers know.
 *
 * @param options size 0: what is there is settled, and no log is opened
 * @param settled number of the last write that the database has
 * @param feed    [out] NULL with size 0
 * @return 0 or -errno
 */
int feed_open(const char *folder, const struct feed_options *options, uint64_t settled, struct feed **feed);

/** NULL is fine. What is not settled is left as it is: the next open knows. */
void feed_close(struct feed *feed);

/* ---- what comes in --------------------------------------------------------------------------- */

/** Begin the batch of write @p number, 1 or more; the batch before is settled. */
void feed_begin(struct feed *feed, uint64_t number);

/** Add a row. @param size at most FEED_ROW_MAX */
void feed_add(struct feed *feed, const void *row, size_t size);

/** End the batch. @return 0: all of it is on the disk, or -errno: it has to be settled with a lesser number */
int feed_end(struct feed *feed);

/** The database has all writes up to @p number: show the batch, or cut it off. Removes what is too much. */
void feed_settle(struct feed *feed, uint64_t number);

/** Remove what is too old. Any thread. */
void feed_trim(struct feed *feed);

/* ---- what there is --------------------------------------------------------------------------- */

struct feed_state {
	uint64_t id;         /**< which log it is, at random */
	uint64_t oldest;     /**< row; that which is to be the next if there is none */
	uint64_t next;       /**< number of the row that is to be the next */
	uint64_t bytes;      /**< on the disk */
	size_t segments;     /**< files, one at least */
	int64_t oldest_s;    /**< seconds since 1970; 0: no row */
};

void feed_state_get(struct feed *feed, struct feed_state *state);

/**
 * The first row that was added at a time or later.
 *
 * @param row [out] as feed_state.next if there is none
 * @return 0, -ENOENT when rows of then may have been removed, or -errno
 */
int feed_find(struct feed *feed, int64_t time_s, uint64_t *row);

struct feed_reader;

struct feed_row {
	uint64_t number;
	int64_t time_s;      /**< when it was added, seconds since 1970 */
	const uint8_t *data; /**< borrowed until the next call */
	size_t size;
};

/**
 * Read from row @p from on.
 *
 * @param reader [out]
 * @return 0, -ENOENT: there is no such row yet, or -ENOMEM
 */
int feed_reader_open(struct feed *feed, uint64_t from, struct feed_reader **reader);

void feed_reader_close(struct feed_reader *reader);

/** Number of the row that is read next. */
uint64_t feed_reader_next(const struct feed_reader *reader);

/**
 * Read the next row.
 *
 * @param wait_ms how long to wait for one
 * @param row     [out] with -ENOENT its number is that of the first row that is there behind the gap
 * @return 1, 0: there is none yet, -ENOENT: it was removed or is damaged, or -errno
 */
int feed_read(struct feed_reader *reader, unsigned wait_ms, struct feed_row *row);
