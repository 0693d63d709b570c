/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files about following share.
 */
#include <sys/types.h>

#include "contact/contact.h"

#define CONTACT_HEAD_MAX 64 /**< octets that a file is known by: a line has a time in it */

/** How far a file was read, as it is kept. */
struct contact_position {
	off_t offset;     /**< of the first octet that was not */
	uint64_t chunk;   /**< chunks put before it, of all files that had this path */
	uint64_t head;    /**< hash of the first octets */
	size_t head_size; /**< of them, at most CONTACT_HEAD_MAX and the offset */
	bool in_line;     /**< it stands in a line that was too long */
};

/** One path. */
struct contact_file {
	char *path;
	int fd;            /**< of what is read: this path, or what was there once; -1: not open */
	dev_t dev;
	ino_t ino;
	int64_t moved;     /**< monotonic seconds since when another file has the path and nothing came;
				0: it has not */
	int failing;       /**< errno that was logged */
	struct contact_position at;
};

/** Read positions of files known by their paths. @return 0, also when there is no such file, or -errno, logged */
int contact_positions_read(const char *path, struct contact_file *files, unsigned n);

/** Replace what is kept. @return 0 or -errno, not logged */
int contact_positions_write(const char *path, const struct contact_file *files, unsigned n);

/** Whether an open file begins with what a position knows. */
bool contact_head_is(int fd, const struct contact_position *at);

/** Take the head of an open file into a position. */
void contact_head_take(int fd, struct contact_position *at);

/**
 * Open the file that a position is in: that path, or one beside it whose name begins with its own.
 *
 * @return a descriptor, -ENOENT: it is gone, or -errno
 */
int contact_file_find(const struct contact_file *file);

/** Open the file that comes behind the open one, which was moved. @return a descriptor, or -errno */
int contact_file_next(const struct contact_file *file);
