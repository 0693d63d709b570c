/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "list/list.h"

#define WINDOW_SIZE ((size_t)64 << 20)
#define WINDOW_MIN  ((size_t)1 << 16)
#define WINDOW_MAX  ((size_t)1 << 30) // offsets have 32 bits
#define SORT_MAX    ((size_t)4 << 20)
#define CACHE_SIZE  ((size_t)32 << 20)
#define BLOCK_SIZE  ((size_t)32 << 10) // names of an hour compress better together
#define DICTIONARY  (16 << 10)
#define ZSTD_LEVEL  3

const char *store_kind_name(enum store_kind kind)
{
	static const char *const names[STORE_KINDS] = {"log", "filtered", "sinkhole"};

	return names[kind];
}

char *store_path(
	const struct store *store, enum store_kind kind, int day, char path[STORE_PATH_MAX])
{
	char text[11] = "";

	if (day >= 0)
		list_day_format((uint16_t)day, text);
	snprintf(path, STORE_PATH_MAX, "%s/%s%s%s", store->folder, store_kind_name(kind),
		*text ? "/" : "", text);
	return path;
}

// What is read of a table, by a question or for compaction, is names that stand beside each other.
static void blocks_set(rocksdb_options_t *options)
{
	rocksdb_block_based_table_options_t *blocks = rocksdb_block_based_options_create();
	rocksdb_cache_t *cache = rocksdb_cache_create_lru(CACHE_SIZE);

	rocksdb_block_based_options_set_block_size(blocks, BLOCK_SIZE);
	rocksdb_block_based_options_set_block_cache(blocks, cache);
	rocksdb_block_based_options_set_format_version(blocks, 5);
	rocksdb_options_set_block_based_table_factory(options, blocks);
	rocksdb_cache_destroy(cache);
	rocksdb_block_based_options_destroy(blocks);
}

static rocksdb_options_t *options_create(enum store_mode mode)
{
	rocksdb_options_t *options = rocks_options_create(store_merge_create());

	blocks_set(options);
	if (mode == STORE_READ)
		return options;
	rocks_options_write(options);
	rocks_options_dictionary(options, ZSTD_LEVEL, DICTIONARY);
	return options;
}

int store_folder_make(const char *path, mode_t mode)
{
	if (mkdir(path, mode) == 0)
		return chmod(path, mode) == 0 ? 0 : -errno;
	return errno == EEXIST ? 0 : -errno;
}

static int folders_make(const struct store *store)
{
	char path[STORE_PATH_MAX];
	int err = store_folder_make(store->folder, 0750);

	if (err == 0)
		err = store_folder_make(store_path(store, STORE_LOG, -1, path), 0750);
	if (err == 0)
		err = store_folder_make(store_path(store, STORE_CHANGED, -1, path), 0700);
	if (err == 0)
		err = store_folder_make(store_path(store, STORE_SINKHOLE, -1, path), 0700);
	if (err)
		log_line(LOG_ERROR, "%s: cannot be made: %s", store->folder, strerror(-err));
	return err;
}

static int lock_take(struct store *store)
{
	char path[STORE_PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/lock", store->folder);
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (store->lock_fd < 0) {
		err = -errno;
		log_line(LOG_ERROR, "%s: %s", path, strerror(errno));
		return err;
	}
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	log_line(LOG_ERROR, "%s: %s", store->folder,
		err == -EBUSY ? "another process writes to it" : strerror(-err));
	return err;
}

static int store_start(struct store *store)
{
	struct stat info;
	int err;

	if (store->mode != STORE_WRITE) {
		if (stat(store->folder, &info) == 0)
			return 0;
		err = -errno;
		log_line(LOG_ERROR, "%s: %s", store->folder, strerror(errno));
		return err;
	}
	err = folders_make(store);
	if (err == 0)
		err = lock_take(store);
	if (err == 0)
		err = store_leftovers_remove(store);
	if (err == 0)
		err = store_senders_load(store);
	return err;
}

static size_t between(size_t value, size_t least, size_t most)
{
	return value < least ? least : value > most ? most : value;
}

int store_open(const char *folder, const struct store_options *options, struct store **out)
{
	struct store *store = calloc(1, sizeof(*store));
	int err = -ENOMEM;

	if (!store)
		return err;
	pthread_mutex_init(&store->lock, NULL);
	store->lock_fd = -1;
	store->mode = options->mode;
	store->sort_max = options->sort_max ? options->sort_max : SORT_MAX;
	store->window_size = between(
		options->window_size ? options->window_size : WINDOW_SIZE, WINDOW_MIN, WINDOW_MAX);
	if (store->mode != STORE_READ)
		umask(077);
	store->options = options_create(store->mode);
	store->write_options = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(store->write_options, 1);
	store->folder = strdup(folder);
	if (store->folder)
		err = store_start(store);
	if (err == 0)
		*out = store;
	else
		store_close(store);
	return err;
}

int store_close(struct store *store)
{
	struct store_shelf *shelf;
	int err = 0;

	if (!store)
		return 0;
	if (store->mode == STORE_WRITE && store->folder)
		err = store_commit_last(store);
	while ((shelf = store_shelf_next(store, NULL))) {
		store_shelf_flush(shelf);
		store_shelf_retire(store, shelf, false);
	}
	for (unsigned i = 0; i < STORE_WINDOWS_MAX; i++)
		store_window_destroy(store->windows[i]);
	rocksdb_options_destroy(store->options);
	rocksdb_writeoptions_destroy(store->write_options);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	pthread_mutex_destroy(&store->lock);
	free(store->senders);
	free(store->dirty);
	free(store->folder);
	free(store);
	return err;
}

void store_stats_get(struct store *store, struct store_stats *stats)
{
	pthread_mutex_lock(&store->lock);
	*stats = store->stats;
	pthread_mutex_unlock(&store->lock);
}
