/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What everybody who keeps things in RocksDB needs beside its C interface: errors as numbers, and
 * opening what another process writes.
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
 * Open a database for reading, beside a process that may write to it meanwhile. What that one
 * commits afterwards is not seen.
 *
 * @param options borrowed
 * @param db      [out] NULL on error
 * @return 0 or -errno
 */
int rocks_open_beside(const rocksdb_options_t *options, const char *path, rocksdb_t **db);
