/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What reading lists of names and lists of patterns share.
 */
#include "load/load.h"

/** Where the lines of one file go. */
struct load_reading {
	const char *path;
	struct fqdn_builder *builder;
	struct pattern_builder *patterns;
	struct fqdn_rule rule; /**< list and verdict of the file; the rest is per entry */
	const struct load_options *options;
	const char *list;
	uint64_t good, bad;
	char *first_bad;
	size_t first_bad_size;
};

/** Count and log a line that is skipped; @p ctx is a struct load_reading. */
void load_bad_line(void *ctx, unsigned line, const char *what);

/** Read a list of patterns. @return as pattern_read */
int load_patterns_read(struct load_reading *reading);

/**
 * Compile the patterns of all lists, if there are any; tables->names is there. An expression that
 * turns out to be too much for Hyperscan becomes a bad line.
 *
 * @return 0, or -errno with @p error
 */
int load_patterns_compile(const struct conf *conf, const struct load_options *options,
	struct pattern_builder *patterns, struct load_tables *tables, char *error);
