/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What everybody who keeps things in RocksDB needs beside its C interface: errors as numbers, options,
 * opening what another process writes, and how nice its threads are.
 *
 * Layer:   lib/rocks; no EAL.
 * Threads: any; a database's own rules apply to it.
 */
#include <rocksdb/c.h>

/**
 * What a text of RocksDB means.
 *
 * @param error taken; NULL: no error
 * @return 0 or -errno; -EIO for what RocksDB has no errno for
 */
int rocks_error(char *error);

/**
 * Options for reading. Each file is open as long as the database is, unless the caller sets a bound: a writer beside us
 * may unlink it. RocksDB keeps no log of its own.
 *
 * @param merge taken
 * @return taken by the caller
 */
rocksdb_options_t *rocks_options_create(rocksdb_mergeoperator_t *merge);

/**
 * Have them be for writing, too, by one thread at a time. What is not in the last level yet is compressed quickly,
 * that level by zstd.
 */
void rocks_options_write(rocksdb_options_t *options);

/** How well zstd compresses the last level. @param level zstd's  @param dictionary octets of each file's */
void rocks_options_dictionary(rocksdb_options_t *options, int level, int dictionary);

/**
 * Wait until nothing writes files of a database anew any more, and those that nothing needs are gone: a compaction
 * that was waited for may have ended a moment before they are removed.
 *
 * @return 0, -EBUSY when it took more than a minute, -EIO
 */
int rocks_settle(rocksdb_t *db);

/**
 * Open a database for reading, beside a process that may write to it meanwhile. What that one
 * commits afterwards is not seen.
 *
 * @param options borrowed
 * @param db      [out] NULL on error
 * @return 0 or -errno
 */
int rocks_open_beside(const rocksdb_options_t *options, const char *path, rocksdb_t **db);

/**
 * Set how nice the threads are that put files in order, of all databases of the process. RocksDB itself knows only 19:
 * beside others who want the CPU files heap up then, which makes each question dearer, and in the end stops writes.
 *
 * @param nice as setpriority(2) has it; not less than now, without privileges
 */
void rocks_compaction_nice(int nice);
