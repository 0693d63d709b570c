/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * From a configuration to tables: reads what its sections name. Bad lines go to the log.
 *
 * Lists are read, and tables built, by as many threads as there are CPUs for the calling one; see
 * base/crew.h.
 *
 * Layer:   lib/load; no EAL.
 * Threads: control only; reads files.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "consent/consent.h"
#include "fqdn/fqdn_table.h"
#include "pattern/pattern.h"

#define LOAD_ERROR_SIZE CONF_ERROR_SIZE
#define LOAD_BAD_SIZE   256

/** One list as a load found it. */
struct load_list {
	uint64_t names;      /**< good lines */
	uint64_t active;     /**< of these active on the day of loading or of the last midnight */
	uint64_t bad;        /**< lines skipped */
	char first_bad[LOAD_BAD_SIZE]; /**< the first of them, "" if none */
	int64_t mtime;       /**< of the source, seconds since 1970 */
};

/** How far a load is. */
struct load_progress {
	const char *phase; /**< "reading", "building", "checking"; static */
	const char *list;  /**< the one that is being read, "" for none; borrowed for the call */
	uint64_t names;    /**< its good lines so far */
	unsigned percent;  /**< of the phase, or of the list where there is one */
};

/** How lists are read. */
struct load_options {
	bool strict; /**< a list without a good line is an error, also one without any line */
	void *ctx;
	/** Now and then while a list is read, and with each phase; NULL: not wanted. One call at a time. */
	void (*progress)(void *ctx, const struct load_progress *progress);
	/** Before patterns are compiled, which may take long; NULL: not wanted. */
	void (*compiling)(void *ctx, uint32_t patterns);
};

/** What lists come to. */
struct load_tables {
	struct load_list *lists;      /**< by list; given and zeroed by the caller */
	struct fqdn_table *names;     /**< [out] fqdn_table_size() bytes, free with block_free */
	struct pattern_set *patterns; /**< [out] free with pattern_set_free; NULL: no patterns */
};

/**
 * Read the sources of all lists.
 *
 * @param tables [in,out] taken by the caller
 * @param error  [out] one line, LOAD_ERROR_SIZE bytes
 * @return 0 or -errno; there is nothing to free then
 */
int load_lists(const struct conf *conf, const struct load_options *options,
	struct load_tables *tables, char *error);

/**
 * Read the compiled generation that the configuration names. Its lists must be those of the
 * configuration: names, order, actions.
 *
 * As load_lists in all else.
 */
int load_compiled(const struct conf *conf, const struct load_options *options,
	struct load_tables *tables, char *error);

/**
 * Read the consent file, if the configuration has one.
 *
 * @param size [out] bytes of the block
 * @param bad  [out] lines skipped
 * @param error [out] as above
 * @return the table (taken, free with block_free), or NULL
 */
struct consent_table *load_consent(const struct conf *conf, size_t *size, uint64_t *bad, char *error);
