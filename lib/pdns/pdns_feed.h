/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The feed of a dataset: what each flush wrote, for readers that come back to where they were.
 *
 * A row is a tuple as it was in the window: its times and its count are of that window. Rows are as the
 * dataset has them, also when the process is killed: those that a flush could not write are in neither.
 * What another process put into the dataset (import) is not in the feed.
 *
 * Layer:   lib/pdns; lib/feed.
 * Threads: a reader is used by one thread at a time, and closed before the dataset.
 * Errors:  0 or -errno.
 */
#include "pdns/pdns.h"

/** Whether there is a feed: pdns_options.feed_size. */
bool pdns_has_feed(const struct pdns *pdns);

struct pdns_feed_state {
	uint64_t oldest;  /**< row; that which is to be the next if there is none */
	uint64_t next;    /**< row that is to be the next */
	uint64_t bytes;   /**< on the disk */
	size_t segments;  /**< files that it is in */
	int64_t oldest_s; /**< when the oldest was written, or before; seconds since 1970; 0: no row */
};

void pdns_feed_state_get(struct pdns *pdns, struct pdns_feed_state *state);

#define PDNS_FEED_CURSOR_SIZE 25 /**< 24 hexadecimal digits and a NUL */

/** Write the cursor of a reader whose next row is @p row. It is good for this feed alone. */
void pdns_feed_cursor(const struct pdns *pdns, uint64_t row, char text[PDNS_FEED_CURSOR_SIZE]);

/** Read it. @return 0, -EINVAL: it is none, or -ESTALE: it is of another feed, or of a row to come */
int pdns_feed_cursor_parse(struct pdns *pdns, const char *text, uint64_t *row);

/** The first row written at a time or later. @return 0, -ENOENT: rows of then may be gone, or -errno */
int pdns_feed_find(struct pdns *pdns, int64_t time_s, uint64_t *row);

struct pdns_feed_row {
	uint64_t number;
	int64_t time_s;  /**< when it was written, seconds since 1970 */
	enum pdns_class class;
	bool known;      /**< it was written before, that is sure; else see pdns_feed_is_new */
	struct pdns_row tuple; /**< without cursor; borrowed until the next one is read */
};

struct pdns_feed_reader;

/** Read from a row on. @param reader [out] @return 0 or -errno */
int pdns_feed_reader_open(struct pdns *pdns, uint64_t row, struct pdns_feed_reader **reader);

void pdns_feed_reader_close(struct pdns_feed_reader *reader);

/**
 * Read the next row.
 *
 * @param wait_ms how long to wait for one
 * @param row     [out] with -ENOENT its number is that of the first row there is behind those that are gone
 * @return 1, 0: there is none yet, -ENOENT: it is gone, or -errno
 */
int pdns_feed_read(struct pdns_feed_reader *reader, unsigned wait_ms, struct pdns_feed_row *row);

/** Whether a row meets a question's owner, scope, type, classes and bailiwick; the rest of it is not looked at. */
bool pdns_feed_wanted(const struct pdns_question *question, const struct pdns_feed_row *row);

/**
 * Whether the dataset has nothing of a row's tuple that is older than the row, of any class. Asks the dataset
 * if it is not known.
 *
 * @return 1, 0 or -errno
 */
int pdns_feed_is_new(struct pdns *pdns, const struct pdns_feed_row *row);
