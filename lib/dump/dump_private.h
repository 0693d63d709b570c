/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/dump share.
 */
#include <zlib.h>

#include "dump/dump.h"

#define DUMP_FOLDER   "dumps"
#define DUMP_PATH_MAX 4096 /**< POSIX PATH_MAX of Linux */

/** A file that is being written, as ".NAME". */
struct dump_out {
	gzFile gz;
	int fd; /**< of the file, beside zlib's */
};

/** Open all files of a day, under a lock. @param outs [out] DUMP_FILES  @return 0 or -errno, logged */
int dump_outs_open(const char *dataset, uint16_t day, struct dump_out *outs, int *lock);

/** @return 0 or -errno */
int dump_out_write(struct dump_out *out, const char *octets, size_t size);

/** Close them, and give them their names unless there was an error. @return @p err, or -errno, logged */
int dump_outs_close(const char *dataset, uint16_t day, struct dump_out *outs, int lock, int err);
