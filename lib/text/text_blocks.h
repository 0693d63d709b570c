/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A text file in blocks, for several threads at once: each block has the lines that start in it.
 *
 * No copy of the whole file is made: a thread reads a block into room of its own, which stays in its
 * cache, and goes through the lines there. A file that shrinks or changes meanwhile gives other
 * lines, not a fault.
 *
 * Layer:   lib/text; no EAL.
 * Threads: control only. Open and close in one thread; between them blocks are counted and read by
 *          any number of threads, each with room of its own.
 */
#include "text/text.h"

#define TEXT_BLOCK_SIZE ((size_t)256 << 10) /**< of the file; stays in a CPU's own cache */
#define TEXT_BLOCK_AHEAD 128 /**< octets behind a block's text that may be read; zeros at its end */

/** Octets of room for one block: the one before it, its last line's end, and the above. */
#define TEXT_BLOCK_ROOM (1 + TEXT_BLOCK_SIZE + TEXT_LINE_MAX + 2 + TEXT_BLOCK_AHEAD)

struct text_blocks {
	int fd;
	uint64_t size; /**< of the file when it was opened */
	unsigned n;    /**< blocks; at least 1 */
	unsigned *lines_before; /**< by block: line ends in the blocks before it, once known */
};

/**
 * Open a regular file.
 *
 * @return 0, or -errno as text_file_read has them
 */
int text_blocks_open(const char *path, struct text_blocks *blocks);

void text_blocks_close(struct text_blocks *blocks);

/**
 * Count the line ends of block @p i, which lines_before is to be made of: for now they stand in
 * lines_before[i]. text_blocks_sum comes when all are counted.
 *
 * @return 0 or -errno
 */
int text_block_count(struct text_blocks *blocks, unsigned i, char *room);
void text_blocks_sum(struct text_blocks *blocks);

/**
 * Read block @p i for text_line_next. Numbers of lines count from the file's first where
 * lines_before[i] is known.
 *
 * @param room TEXT_BLOCK_ROOM octets, borrowed by @p lines: there is nothing to free
 * @return 0 or -errno
 */
int text_block_read(
	const struct text_blocks *blocks, unsigned i, char *room, struct text_file *lines);
