/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * How a log is stored, and what the files of lib/feed share. Numbers are big-endian.
 *
 *   FIRST.feed, FIRST the number of its first row in 16 hexadecimal digits:
 *     0   "DWFEED01"
 *     8   id of the log
 *     16  number of the first row
 *     24  when it was begun, seconds since 1970
 *     32  blocks, one behind the other
 *
 *   a block:
 *     0   "DWFB"
 *     4   rows, 4
 *     8   number of the first row
 *     16  number of the write
 *     24  when it was added
 *     32  octets of the rows, 4
 *     36  octets of them compressed (zstd), 4
 *     40  XXH3 of all in front of this and of all behind it
 *     48  rows, compressed: octets of a row, 4, and these
 *
 * A segment ends behind a batch, so what may have to be cut off is always in the last one.
 */
#include <pthread.h>
#include <stdbool.h>
#include <zstd.h>

#include "feed/feed.h"

#define FEED_HEAD_SIZE   32
#define FEED_BLOCK_HEAD  48
#define FEED_BLOCK       (256u << 10)                      /**< octets of rows that fill a block */
#define FEED_RAW_MAX     (FEED_BLOCK + 4 + FEED_ROW_MAX)   /**< of rows in a block */
#define FEED_PACKED_MAX  (FEED_RAW_MAX + FEED_RAW_MAX / 128 + 1024) /**< the same compressed: ZSTD_compressBound and more */
#define FEED_SEGMENT_MAX (64u << 20)                       /**< octets at which a segment ends at the latest */
#define FEED_SEGMENTS    16                                /**< parts that a log's bounds are divided into */
#define FEED_PATH_MAX    4096                              /**< POSIX PATH_MAX of Linux */

struct feed_segment {
	uint64_t first; /**< number of its first row */
	int64_t time_s; /**< when it was begun */
	uint64_t size;  /**< octets that are settled */
};

struct feed {
	char *folder;
	struct feed_options options;
	uint64_t id;

	pthread_mutex_t lock;       /**< of all up to the next comment */
	pthread_cond_t settled;     /**< a batch was */
	struct feed_segment *segments; /**< oldest first; one at least once it is open */
	size_t n, room;
	uint64_t next;              /**< row behind the last that is settled */

	/* Of whoever adds. */
	int fd;           /**< of the last segment */
	uint64_t number;  /**< write of the batch; 0: none waits for being settled */
	uint64_t row, at; /**< where the next block begins: its first row, octets of the segment */
	int64_t time_s;   /**< never goes back */
	int err;          /**< of the batch */
	uint8_t *raw;     /**< FEED_RAW_MAX octets: rows of a block to be */
	uint8_t *packed;  /**< FEED_BLOCK_HEAD + FEED_PACKED_MAX octets */
	size_t used;      /**< octets of raw */
	uint32_t n_rows;  /**< in raw */
	ZSTD_CCtx *zstd;
};

/** What the head of a block says. */
struct feed_block {
	uint32_t rows, raw, packed;
	uint64_t first, number;
	int64_t time_s;
};

/* ---- feed_segment.c -------------------------------------------------------------------------- */

/** Path of a segment. */
void feed_segment_path(const struct feed *feed, uint64_t first, char path[FEED_PATH_MAX]);

/** Write a segment's head. @return descriptor for reading and writing, or -errno */
int feed_segment_make(const struct feed *feed, const struct feed_segment *segment);

/** Read a segment's head. @param id [out] @param segment [out] its size is the file's @return descriptor as above, or -errno */
int feed_segment_open(const struct feed *feed, uint64_t first, uint64_t *id, struct feed_segment *segment);

/** Write a block's head and hash in front of @p packed. @param octets FEED_BLOCK_HEAD octets and block->packed behind them */
void feed_block_seal(const struct feed_block *block, uint8_t *octets);

/** Read the head of the block at @p at, in front of @p end. @return 0, -EBADMSG: there is none, or -errno */
int feed_block_head(int fd, uint64_t at, uint64_t end, struct feed_block *block);

/** Read a whole block. @param octets FEED_BLOCK_HEAD + FEED_PACKED_MAX @return 0, -EBADMSG, or -errno */
int feed_block_read(int fd, uint64_t at, const struct feed_block *block, uint8_t *octets);

/** Octets of a block in its segment. */
static inline uint64_t feed_block_size(const struct feed_block *block)
{
	return FEED_BLOCK_HEAD + (uint64_t)block->packed;
}

/* ---- feed_open.c ----------------------------------------------------------------------------- */

/** Begin a segment at feed->row. @return 0 or -errno */
int feed_segment_begin(struct feed *feed);
