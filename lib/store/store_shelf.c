/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A day's tables: who has them, and when they are closed.
 */
#include "store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static void shelf_close(struct store_shelf *shelf)
{
	for (unsigned k = 0; k < STORE_KINDS; k++)
		if (shelf->db[k])
			rocksdb_close(shelf->db[k]);
	free(shelf);
}

int store_shelf_open(
	struct store *store, uint16_t day, unsigned kinds, bool write, struct store_shelf **out)
{
	struct store_shelf *shelf = calloc(1, sizeof(*shelf));
	int err = 0;

	if (!shelf)
		return -ENOMEM;
	shelf->day = day;
	shelf->group = kinds & STORE_RECORDS ? STORE_RECORDS : STORE_CONTACTS;
	shelf->begin_ms = store_day_start_ms(day);
	shelf->end_ms = store_day_start_ms((uint16_t)(day + 1));
	for (unsigned k = 0; k < STORE_KINDS && err == 0; k++) {
		if (!(kinds & 1u << k))
			continue;
		err = store_table_open(store, day, k, write, &shelf->db[k]);
		// A day may have one kind only, if its making was cut short.
		if (err == -ENOENT && !write)
			err = 0;
	}
	if (err == 0)
		err = store_rows_read(store, shelf, write);
	if (err) {
		shelf_close(shelf);
		return err;
	}
	*out = shelf;
	return 0;
}

// One that failed shows nothing that is wrong, but what is on the disk is nearer the truth.
static struct store_shelf *shelf_find(struct store *store, uint16_t day, unsigned kinds)
{
	struct store_shelf *shelf = store->shelves;

	while (shelf && (shelf->day != day || !(shelf->group & kinds) ||
				shelf->state == STORE_SHELF_FAILED))
		shelf = shelf->next;
	return shelf;
}

int store_shelf_get(struct store *store, uint16_t day, unsigned kinds, struct store_shelf **out)
{
	struct store_shelf *shelf;
	char path[STORE_PATH_MAX];
	int err, kind = __builtin_ctz(kinds);

	pthread_mutex_lock(&store->lock);
	shelf = shelf_find(store, day, kinds);
	if (shelf)
		shelf->refs++;
	pthread_mutex_unlock(&store->lock);
	*out = shelf;
	if (shelf)
		return 0;
	err = store_shelf_open(store, day, kinds, false, out);
	if (err == 0)
		(*out)->refs = 1;
	else
		log_line(LOG_ERROR, "%s: cannot be read: %s",
			store_path(store, (enum store_kind)kind, day, path), strerror(-err));
	return err;
}

static bool day_is_there(const struct store *store, uint16_t day)
{
	char path[STORE_PATH_MAX], file[STORE_PATH_MAX + 16];

	for (unsigned k = 0; k < STORE_KINDS; k++) {
		snprintf(file, sizeof(file), "%s/CURRENT", store_path(store, k, day, path));
		if (access(file, F_OK) == 0)
			return true;
	}
	return false;
}

int store_day_begin(struct store *store, uint16_t day, int64_t *start_ms)
{
	struct store_shelf *shelf;
	int err;

	*start_ms = store_day_start_ms(day);
	if (!day_is_there(store, day))
		return 0;
	err = store_shelf_open(store, day, 1u << STORE_LOG | 1u << STORE_CHANGED, false, &shelf);
	if (err)
		return err;
	*start_ms = shelf->start_ms;
	shelf_close(shelf);
	return 0;
}

static void shelf_unlist(struct store *store, struct store_shelf *shelf)
{
	struct store_shelf **at = &store->shelves;

	while (*at != shelf)
		at = &(*at)->next;
	*at = shelf->next;
}

void store_shelf_put(struct store *store, struct store_shelf *shelf)
{
	bool last;

	pthread_mutex_lock(&store->lock);
	last = --shelf->refs == 0 && shelf->state != STORE_SHELF_OPEN;
	if (last && shelf->state != STORE_SHELF_READ)
		shelf_unlist(store, shelf);
	pthread_mutex_unlock(&store->lock);
	if (last)
		shelf_close(shelf);
}

// The shelf of a day in the list: open, or retired and to be closed by the last one who asks it,
// which can be had back.
static struct store_shelf *shelf_have(struct store *store, uint16_t day, unsigned group)
{
	struct store_shelf *shelf;

	pthread_mutex_lock(&store->lock);
	shelf = shelf_find(store, day, group);
	if (shelf && shelf->state == STORE_SHELF_RETIRED)
		shelf->state = STORE_SHELF_OPEN;
	pthread_mutex_unlock(&store->lock);
	return shelf;
}

int store_shelf_write(struct store *store, uint16_t day, unsigned group, struct store_shelf **out)
{
	struct store_shelf *shelf = shelf_have(store, day, group);
	int err;

	if (!shelf) {
		// One that failed and is still asked holds RocksDB's lock: -EBUSY then.
		err = store_shelf_open(store, day, group, true, &shelf);
		if (err)
			return err;
		shelf->state = STORE_SHELF_OPEN;
		pthread_mutex_lock(&store->lock);
		shelf->next = store->shelves;
		store->shelves = shelf;
		pthread_mutex_unlock(&store->lock);
		store_shelf_modes(store, shelf);
	}
	shelf->used = store_now();
	*out = shelf;
	return 0;
}

bool store_shelf_retire(struct store *store, struct store_shelf *shelf, bool failed)
{
	bool last;

	store_shelf_modes(store, shelf);
	if (store->latest == shelf)
		store->latest = NULL;
	pthread_mutex_lock(&store->lock);
	shelf->state = failed ? STORE_SHELF_FAILED : STORE_SHELF_RETIRED;
	last = shelf->refs == 0;
	if (last)
		shelf_unlist(store, shelf);
	pthread_mutex_unlock(&store->lock);
	if (last)
		shelf_close(shelf);
	return last;
}

struct store_shelf *store_shelf_next(struct store *store, const struct store_shelf *before)
{
	struct store_shelf *shelf;

	pthread_mutex_lock(&store->lock);
	shelf = before ? before->next : store->shelves;
	while (shelf && shelf->state != STORE_SHELF_OPEN)
		shelf = shelf->next;
	pthread_mutex_unlock(&store->lock);
	return shelf;
}

int store_shelf_flush(struct store_shelf *shelf)
{
	rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
	char *error;
	int err = 0, each;

	for (unsigned k = 0; k < STORE_KINDS; k++) {
		if (!shelf->db[k])
			continue;
		error = NULL;
		rocksdb_flush(shelf->db[k], flush, &error);
		each = rocks_error(error);
		err = each ? each : err;
	}
	rocksdb_flushoptions_destroy(flush);
	return err;
}

// Files come with mode 0600 (the umask). Those of log/ may be read by the group.
void store_shelf_modes(const struct store *store, struct store_shelf *shelf)
{
	char path[STORE_PATH_MAX];
	struct dirent *entry;
	struct stat info;
	DIR *dir;

	store_path(store, STORE_LOG, shelf->day, path);
	if (!shelf->db[STORE_LOG] || stat(path, &info) != 0 ||
		(info.st_mtim.tv_sec == shelf->swept.tv_sec &&
			info.st_mtim.tv_nsec == shelf->swept.tv_nsec))
		return;
	shelf->swept = info.st_mtim;
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			fchmodat(dirfd(dir), entry->d_name, 0640, 0);
	if (dir)
		closedir(dir);
}
