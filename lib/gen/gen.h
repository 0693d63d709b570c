/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Compiled generations: all lists of a configuration in one file, built once and ready for look-ups.
 *
 * A file is read into memory of the process's own, like every other file of the operator: one that
 * is cut or written over while it is in use can neither fault nor change a verdict.
 *
 * Layer:   lib/gen; no EAL.
 * Threads: control only; reads and writes files. Reading takes as many threads as there are CPUs for
 *          the calling one.
 */
#include <stddef.h>
#include <stdint.h>

#include "fqdn/fqdn_table.h"
#include "pattern/pattern.h"
#include "policy/policy.h"

#define GEN_VERSION     4
#define GEN_SOURCE_SIZE 1024 /**< bytes of a source's path, NUL included */
#define GEN_BAD_SIZE    256  /**< bytes of a first bad line, NUL included */
#define GEN_ERROR_SIZE  4096

/** One list as it was when it was compiled. */
struct gen_list {
	char name[POLICY_LIST_NAME_MAX + 1];
	char source[GEN_SOURCE_SIZE];
	char first_bad[GEN_BAD_SIZE]; /**< "" if none */
	uint64_t good, bad;           /**< lines */
	int64_t mtime;                /**< of the source, seconds since 1970 */
	uint32_t action;              /**< enum policy_action */
	uint32_t reserved;            /**< 0 */
};

/** A generation in memory. */
struct gen {
	int64_t created; /**< seconds since 1970 */
	uint64_t file_size;
	unsigned n_lists;
	struct gen_list *lists;   /**< in the order of the configuration */
	struct fqdn_table *names; /**< made with block_alloc */
	size_t names_size;
	void *patterns; /**< book of pattern_set_book, made with block_alloc; NULL: no patterns */
	size_t patterns_size;
};

/**
 * Write a generation: beside @p path first, and in its place when it is whole and on the disk.
 *
 * @param gen   borrowed; file_size is not looked at
 * @param error [out] one line naming the file, GEN_ERROR_SIZE bytes
 * @return bytes of the file, or -errno: what was at @p path before is there still
 */
int64_t gen_write(const char *path, const struct gen *gen, char *error);

/**
 * Read a generation. What it returns is safe to use whatever the file held.
 *
 * @param gen   [out] taken by the caller, free with gen_close
 * @param error [out] one line naming the file and what was expected, GEN_ERROR_SIZE bytes
 * @return 0, or -errno; -EBADMSG: no generation, of another version or computer, or damaged
 */
int gen_open(const char *path, struct gen *gen, char *error);

/** Free what gen_open gave. A caller that keeps the names sets them to NULL before. */
void gen_close(struct gen *gen);
