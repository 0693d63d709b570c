/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What reading lists of names, lists of patterns and the consent file share.
 */
#include "load/load.h"

/** Bad lines of one file so far. */
struct load_bad {
	const char *path;
	char *first; /**< [out] the first of them, LOAD_BAD_SIZE bytes */
	unsigned first_line;
	uint64_t n;
};

/** Where the lines of one list go. */
struct load_source {
	const struct load_options *options;
	const struct conf *conf;
	unsigned number; /**< of the list */
	struct fqdn_builder *builder;
	struct pattern_builder *patterns;
	struct fqdn_rule rule; /**< list and verdict; the rest is per entry */
	struct load_bad bad;
	struct load_list *state;
};

/** Count and log a line that is skipped; @p ctx is a struct load_bad, or a struct load_source. */
void load_bad_line(void *ctx, unsigned line, const char *what);
void load_source_bad_line(void *ctx, unsigned line, const char *what);

/** Take the canary names. @return 0 or -ENOMEM */
int load_canary(struct load_source *source);

/** Read a list of patterns. @return as pattern_read, with the good lines in source->state->names */
int load_patterns_read(struct load_source *source);

/**
 * Compile the patterns of all lists, if there are any; tables->names is there. An expression that
 * turns out to be too much for Hyperscan becomes a bad line.
 *
 * @return 0, or -errno with @p error
 */
int load_patterns_compile(const struct conf *conf, const struct load_options *options,
	struct pattern_builder *patterns, struct load_tables *tables, char *error);
