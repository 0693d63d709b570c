/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

#define WINDOW_SIZE    ((size_t)64 << 20)
#define WINDOW_MIN     ((size_t)16 << 20) // half of it has room for whatever a message may hold
#define WINDOW_MAX     ((size_t)8 << 30)  // places of entries have 32 bits
#define WINDOW_SECONDS 10
#define CACHE_SIZE     ((size_t)256 << 20)
#define MEMORY_TABLE   ((size_t)64 << 20)
#define FIRST_FILES    8
#define MEMORY_FILTER  0.03               // of the size of a table in memory
#define BLOCK_SIZE     ((size_t)24 << 10) // a row that is not in the cache costs reading one
#define RESTART        128 // keys a run that share beginnings: seeking in less costs more room
#define INDEX_RESTART  16
#define DICTIONARY     (128 << 10)
#define FILE_SIZE      (24 << 20) // each has a dictionary for its own part of the keys
#define FILES_OTHER    512
#define FILTER_BITS    10        // a key
#define SYNC_EACH      (1 << 20) // octets: nothing waits for much to be written at once
#define ZSTD_LEVEL     9
#define COMPACT_NICE   5 // nearly as those who write: neither gets far ahead of the other

const char *pdns_class_name(enum pdns_class class)
{
	return class == PDNS_CLIENT ? "client" : "resolver";
}

/* ---- RocksDB --------------------------------------------------------------------------------- */

static void blocks_set(const struct pdns *pdns, rocksdb_options_t *options)
{
	rocksdb_block_based_table_options_t *blocks = rocksdb_block_based_options_create();

	rocksdb_block_based_options_set_block_size(blocks, BLOCK_SIZE);
	rocksdb_block_based_options_set_block_restart_interval(blocks, RESTART);
	rocksdb_block_based_options_set_index_block_restart_interval(blocks, INDEX_RESTART);
	rocksdb_block_based_options_set_block_cache(blocks, pdns->cache);
	rocksdb_block_based_options_set_format_version(blocks, 5);
	// Memory has its bound however large the dataset is.
	rocksdb_block_based_options_set_cache_index_and_filter_blocks(blocks, 1);
	rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(blocks, 1);
	rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(blocks, 1);
	rocksdb_block_based_options_set_filter_policy(
		blocks, rocksdb_filterpolicy_create_bloom(FILTER_BITS));
	rocksdb_options_set_block_based_table_factory(options, blocks);
	rocksdb_block_based_options_destroy(blocks);
}

// Files are put in order when nobody else wants the disk.
static void background_set(rocksdb_options_t *options)
{
	rocksdb_env_t *env = rocksdb_create_default_env();

	rocksdb_env_lower_thread_pool_io_priority(env);
	rocksdb_env_destroy(env);
	rocksdb_options_set_bytes_per_sync(options, SYNC_EACH);
}

// Files that may be open at once: sockets and other datasets need some, too.
static int files_most(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
		return -1;
	return limit.rlim_cur > 2 * FILES_OTHER ? (int)limit.rlim_cur - FILES_OTHER : FILES_OTHER;
}

rocksdb_options_t *pdns_options_make(const struct pdns *pdns, enum pdns_mode mode)
{
	rocksdb_options_t *options = rocks_options_create(pdns_merge_create());

	rocksdb_options_set_max_open_files(options, files_most());
	blocks_set(pdns, options);
	if (mode == PDNS_READ)
		return options;
	rocks_options_write(options);
	// Each time that files of the first level are merged nearly all of the last one is written anew.
	rocksdb_options_set_write_buffer_size(options, MEMORY_TABLE);
	rocksdb_options_set_level0_file_num_compaction_trigger(options, FIRST_FILES);
	rocksdb_options_set_target_file_size_base(options, FILE_SIZE);
	background_set(options);
	// A row that is looked for by its key is in none of the tables in memory nearly always.
	rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, MEMORY_FILTER);
	rocksdb_options_set_memtable_whole_key_filtering(options, 1);
	// What is looked for by its key is there nearly always, so the last level does without
	// filters.
	rocksdb_options_set_optimize_filters_for_hits(options, 1);
	rocks_options_dictionary(options, ZSTD_LEVEL, DICTIONARY);
	return options;
}

// The row that says what this is.
static int version_check(struct pdns *pdns)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	char *error = NULL, *version;
	size_t size = 0;
	int err;

	version = rocksdb_get(pdns->db, read, PDNS_ROW_VERSION, PDNS_ROW_SIZE, &size, &error);
	err = rocks_error(error);
	if (err == 0 && version && (size != 1 || version[0] != PDNS_VERSION))
		err = -EPROTO;
	rocksdb_free(version);
	rocksdb_readoptions_destroy(read);
	return err;
}

static int version_write(struct pdns *pdns)
{
	const char version = PDNS_VERSION;
	char *error = NULL;

	rocksdb_put(pdns->db, pdns->write_options, PDNS_ROW_VERSION, PDNS_ROW_SIZE, &version, 1,
		&error);
	return rocks_error(error);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int lock_take(struct pdns *pdns)
{
	char path[PDNS_PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", pdns->folder);
	pdns->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (pdns->lock_fd < 0)
		return -errno;
	if (flock(pdns->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int db_open(struct pdns *pdns, const struct pdns_options *options)
{
	char path[PDNS_PATH_MAX], *error = NULL;
	int err;

	snprintf(path, sizeof(path), "%s/db", pdns->folder);
	if (pdns->mode == PDNS_READ) {
		err = access(path, R_OK | X_OK) == 0
			      ? rocks_open_beside(pdns->options, path, &pdns->db)
			      : -errno;
		if (err == 0)
			err = version_check(pdns);
		if (err == 0)
			err = pdns_mark_load(pdns);
		return err ? err : pdns_streams_load(pdns);
	}
	if (mkdir(pdns->folder, 0750) < 0 && errno != EEXIST)
		return -errno;
	err = lock_take(pdns);
	if (err)
		return err;
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return -errno;
	pdns->db = rocksdb_open(pdns->options, path, &error);
	err = rocks_error(error);
	if (err) {
		pdns->db = NULL;
		return err;
	}
	rocks_compaction_nice(COMPACT_NICE);
	err = version_check(pdns);
	if (err == 0)
		err = version_write(pdns);
	if (err == 0)
		err = pdns_writes_read(pdns, &pdns->writes);
	if (err == 0)
		err = pdns_mark_load(pdns);
	if (err == 0)
		err = pdns_mark_open(pdns);
	if (err == 0)
		err = pdns_feed_up(pdns, options);
	if (err == 0)
		err = pdns_recent_open(pdns);
	return err ? err : pdns_streams_load(pdns);
}

int pdns_db_use(struct pdns *pdns)
{
	pthread_rwlock_rdlock(&pdns->db_lock);
	if (pdns->db)
		return 0;
	pthread_rwlock_unlock(&pdns->db_lock);
	return -EIO;
}

void pdns_db_unuse(struct pdns *pdns)
{
	pthread_rwlock_unlock(&pdns->db_lock);
}

int pdns_db_reopen(struct pdns *pdns)
{
	char path[PDNS_PATH_MAX], *error = NULL;
	int err;

	if (pthread_rwlock_trywrlock(&pdns->db_lock) != 0)
		return -EBUSY;
	snprintf(path, sizeof(path), "%s/db", pdns->folder);
	if (pdns->db)
		rocksdb_close(pdns->db);
	pdns->db = rocksdb_open(pdns->options, path, &error);
	err = rocks_error(error);
	if (err)
		pdns->db = NULL;
	pthread_rwlock_unlock(&pdns->db_lock);
	return err;
}

int pdns_writes_read(const struct pdns *pdns, uint64_t *writes)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	char *error = NULL, *value;
	size_t size = 0;
	int err;

	value = rocksdb_get(pdns->db, read, PDNS_ROW_WRITES, PDNS_ROW_SIZE, &size, &error);
	err = rocks_error(error);
	*writes = value && size == 8 ? load_be64((uint8_t *)value) : 0;
	rocksdb_free(value);
	rocksdb_readoptions_destroy(read);
	return err;
}

static int windows_open(struct pdns *pdns, size_t size)
{
	size = size ? size : WINDOW_SIZE;
	size = size < WINDOW_MIN ? WINDOW_MIN : size > WINDOW_MAX ? WINDOW_MAX : size;
	pdns->filling = &pdns->windows[0];
	pdns->emptying = &pdns->windows[1];
	pdns->known = calloc(PDNS_KNOWN_SLOTS, sizeof(*pdns->known));
	pdns->bases = calloc(PDNS_BASES_SLOTS, sizeof(*pdns->bases));
	pdns->feed_row = malloc(FEED_ROW_MAX);
	if (!pdns->known || !pdns->bases || !pdns->feed_row ||
		pdns_window_init(pdns->filling, size / 2) < 0 ||
		pdns_window_init(pdns->emptying, size / 2) < 0)
		return -ENOMEM;
	return 0;
}

int pdns_open(const char *folder, const struct pdns_options *options, struct pdns **out)
{
	struct pdns *pdns = calloc(1, sizeof(*pdns));
	int err = -ENOMEM;

	if (!pdns)
		return err;
	pthread_mutex_init(&pdns->lock, NULL);
	pthread_mutex_init(&pdns->flush_lock, NULL);
	pthread_rwlock_init(&pdns->db_lock, NULL);
	pdns->lock_fd = pdns->mark_fd = -1;
	pdns->mode = options->mode;
	pdns->window_s = options->window_s ? options->window_s : WINDOW_SECONDS;
	pdns->gentle = options->gentle;
	pdns->now_us = pdns_now_us;
	pdns_pace_init(&pdns->pace, pdns->window_s);
	pdns->folder = strdup(folder);
	pdns->cache =
		rocksdb_cache_create_lru(options->cache_size ? options->cache_size : CACHE_SIZE);
	pdns->options = pdns_options_make(pdns, pdns->mode);
	pdns->write_options = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(pdns->write_options, 1);
	if (pdns->folder)
		err = pdns->mode == PDNS_WRITE ? windows_open(pdns, options->window_size) : 0;
	if (err == 0)
		err = db_open(pdns, options);
	if (err == 0) {
		*out = pdns;
		return 0;
	}
	log_line(LOG_ERROR, "%s: %s", folder,
		err == -EBUSY ? "another process writes to it"
		: err == -EPROTO
			? "made by another version: it can be exported there and imported here"
			: strerror(-err));
	if (pdns->db)
		rocksdb_close(pdns->db);
	pdns->db = NULL;
	pdns_close(pdns);
	return err;
}

int pdns_close(struct pdns *pdns)
{
	int err = 0;

	if (!pdns)
		return 0;
	// What waits is lost with a database that could not be opened anew.
	if (!pdns->db && pdns->mode == PDNS_WRITE)
		err = -EIO;
	if (pdns->db && pdns->mode == PDNS_WRITE)
		err = pdns_flush(pdns);
	if (pdns->db)
		rocksdb_close(pdns->db);
	// What could not be written is told at the next open.
	pdns_mark_close(pdns, err == 0);
	rocksdb_options_destroy(pdns->options);
	rocksdb_writeoptions_destroy(pdns->write_options);
	rocksdb_cache_destroy(pdns->cache);
	for (unsigned i = 0; i < 2; i++)
		pdns_window_free(&pdns->windows[i]);
	if (pdns->lock_fd >= 0)
		close(pdns->lock_fd);
	pthread_mutex_destroy(&pdns->lock);
	pthread_mutex_destroy(&pdns->flush_lock);
	pthread_rwlock_destroy(&pdns->db_lock);
	free(pdns->streams);
	free(pdns->retired);
	free(pdns->sealed);
	free(pdns->known);
	free(pdns->bases);
	free(pdns->feed_row);
	feed_close(pdns->feed);
	free(pdns->folder);
	free(pdns);
	return err;
}
