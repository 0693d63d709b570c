/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A file that takes the place of an old one when it is whole.
 */
#include <stdio.h>

#include "report/report.h"
#include "report/report_memory.h"

struct report_file {
	FILE *stream;
	struct report_memory memory;
	char *path, *beside; /**< beside is "" where the path is no regular file, but a pipe say */
};

/** Begin to write. @return 0, or -errno with @p error */
int report_file_open(
	struct report_file *file, const char *path, char error[REPORT_ERROR_SIZE]);

/**
 * End it: the file is in its place, or the old one still is.
 *
 * @param err what the writing came to; if it is not 0 the file is given up
 * @return 0, @p err, or -errno with @p error
 */
int report_file_close(struct report_file *file, int err, char error[REPORT_ERROR_SIZE]);
