/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "list/list.h"

#define ROW_DAY \
	"\xff"  \
	"D"
#define ROW_COUNTS \
	"\xff"     \
	"N"
#define ROW_SIZE 2
#define DAY_SIZE 9 // version, begin of the day; the zone's name behind it

// A writer beside us replaces files while we open them.
#define OPEN_TRIES   20
#define OPEN_WAIT_US 50000

int64_t store_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int store_error(char *error)
{
	static const struct {
		const char *text;
		int err;
	} known[] = {
		// A lock that is taken is an "IO error", by another process or by our own.
		{"While lock file", -EBUSY},
		{"lock hold", -EBUSY},
		{"No space left", -ENOSPC},
		{"Disk quota", -EDQUOT},
		{"Permission denied", -EACCES},
		{"Read-only file system", -EROFS},
		{"Too many open files", -EMFILE},
		{"No such file", -ENOENT},
		{"does not exist", -ENOENT},
		{"Corruption", -EBADMSG},
	};
	int err = error ? -EIO : 0;

	for (size_t i = 0; error && i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(error, known[i].text)) {
			err = known[i].err;
			break;
		}
	rocksdb_free(error);
	return err;
}

static int row_day_read(rocksdb_t *db, rocksdb_readoptions_t *read, int64_t *start_ms)
{
	char *error = NULL, *value;
	size_t size = 0;
	int err;

	value = rocksdb_get(db, read, ROW_DAY, ROW_SIZE, &size, &error);
	err = store_error(error);
	if (err == 0 && !value)
		err = -ENOENT;
	else if (err == 0 && (size < DAY_SIZE || (uint8_t)value[0] != STORE_VERSION))
		err = -EPROTO;
	else if (err == 0)
		*start_ms = (int64_t)load_be64((uint8_t *)value + 1);
	rocksdb_free(value);
	return err;
}

static int row_counts_read(
	rocksdb_t *db, rocksdb_readoptions_t *read, uint64_t *records, uint64_t *commits)
{
	char *error = NULL, *value;
	size_t size = 0;
	int err;

	value = rocksdb_get(db, read, ROW_COUNTS, ROW_SIZE, &size, &error);
	err = store_error(error);
	*records = *commits = 0;
	if (err == 0 && value && size == 16) {
		*records = load_be64((uint8_t *)value);
		*commits = load_be64((uint8_t *)value + 8);
	}
	rocksdb_free(value);
	return err;
}

void store_batch_counts(rocksdb_writebatch_t *batch, uint64_t records, uint64_t commits)
{
	uint8_t value[16];

	store_be64(value, records);
	store_be64(value + 8, commits);
	rocksdb_writebatch_put(batch, ROW_COUNTS, ROW_SIZE, (char *)value, sizeof(value));
}

static int row_day_write(struct store *store, rocksdb_t *db, int64_t start_ms)
{
	const char *zone = getenv("TZ");
	char value[DAY_SIZE + 64], *error = NULL;
	int size = snprintf(value + DAY_SIZE, sizeof(value) - DAY_SIZE, "%s", zone ? zone : "");

	if (size > (int)sizeof(value) - DAY_SIZE - 1)
		size = (int)sizeof(value) - DAY_SIZE - 1;
	value[0] = STORE_VERSION;
	store_be64((uint8_t *)value + 1, (uint64_t)start_ms);
	rocksdb_put(db, store->write_options, ROW_DAY, ROW_SIZE, value, DAY_SIZE + (size_t)size,
		&error);
	return store_error(error);
}

static int table_open(
	struct store *store, uint16_t day, enum store_kind kind, bool write, rocksdb_t **db)
{
	char path[STORE_PATH_MAX], *error = NULL;
	int err = 0;

	store_path(store, kind, day, path);
	if (write) {
		err = store_folder_make(path, kind == STORE_LOG ? 0750 : 0700);
		if (err)
			return err;
		*db = rocksdb_open(store->options, path, &error);
		return store_error(error);
	}
	if (access(path, R_OK | X_OK) != 0)
		return -errno;
	for (unsigned i = 0; i < OPEN_TRIES; i++) {
		if (i > 0)
			usleep(OPEN_WAIT_US);
		error = NULL;
		*db = rocksdb_open_for_read_only(store->options, path, 0, &error);
		err = store_error(error);
		if (err == 0)
			break;
		*db = NULL;
	}
	return err;
}

// Begin of the day and counts. A table whose making was cut short has no row of the day yet: it
// takes the begin that the other kind has.
static int rows_read(struct store *store, struct store_shelf *shelf, bool write)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	bool bare[STORE_KINDS] = {false};
	int64_t start_ms = store_day_start_ms(shelf->day);
	int err = 0;

	for (unsigned k = 0; k < STORE_KINDS && err == 0; k++) {
		if (!shelf->db[k])
			continue;
		err = row_day_read(shelf->db[k], read, &start_ms);
		bare[k] = err == -ENOENT;
		if (err == 0 || bare[k])
			err = row_counts_read(
				shelf->db[k], read, &shelf->records[k], &shelf->commits[k]);
	}
	for (unsigned k = 0; k < STORE_KINDS && err == 0; k++)
		if (bare[k] && write)
			err = row_day_write(store, shelf->db[k], start_ms);
	shelf->start_ms = start_ms;
	rocksdb_readoptions_destroy(read);
	return err;
}

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
	shelf->begin_ms = store_day_start_ms(day);
	shelf->end_ms = store_day_start_ms((uint16_t)(day + 1));
	for (unsigned k = 0; k < STORE_KINDS && err == 0; k++) {
		if (!(kinds & 1u << k))
			continue;
		err = table_open(store, day, k, write, &shelf->db[k]);
		// A day may have one kind only, if its making was cut short.
		if (err == -ENOENT && !write)
			err = 0;
	}
	if (err == 0)
		err = rows_read(store, shelf, write);
	if (err) {
		shelf_close(shelf);
		return err;
	}
	*out = shelf;
	return 0;
}

static struct store_shelf *shelf_find(struct store *store, uint16_t day)
{
	struct store_shelf *shelf = store->shelves;

	while (shelf && shelf->day != day)
		shelf = shelf->next;
	return shelf;
}

int store_shelf_get(struct store *store, uint16_t day, unsigned kinds, struct store_shelf **out)
{
	struct store_shelf *shelf;
	char path[STORE_PATH_MAX];
	int err;

	pthread_mutex_lock(&store->lock);
	shelf = shelf_find(store, day);
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
			store_path(store, kinds & 1 ? STORE_LOG : STORE_CHANGED, day, path),
			strerror(-err));
	return err;
}

void store_shelf_put(struct store *store, struct store_shelf *shelf)
{
	bool last;

	pthread_mutex_lock(&store->lock);
	last = --shelf->refs == 0 && !shelf->listed;
	pthread_mutex_unlock(&store->lock);
	if (last)
		shelf_close(shelf);
}

int store_shelf_write(struct store *store, uint16_t day, struct store_shelf **out)
{
	struct store_shelf *shelf = shelf_find(store, day);
	int err;

	// Only this thread changes the list, so it may look without the lock.
	if (!shelf) {
		err = store_shelf_open(
			store, day, 1u << STORE_LOG | 1u << STORE_CHANGED, true, &shelf);
		if (err)
			return err;
		shelf->listed = true;
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

bool store_shelf_retire(struct store *store, struct store_shelf *shelf)
{
	struct store_shelf **at = &store->shelves;
	bool last;

	store_shelf_modes(store, shelf);
	pthread_mutex_lock(&store->lock);
	while (*at != shelf)
		at = &(*at)->next;
	*at = shelf->next;
	shelf->listed = false;
	last = shelf->refs == 0;
	pthread_mutex_unlock(&store->lock);
	if (last)
		shelf_close(shelf);
	return last;
}

int store_shelf_flush(struct store_shelf *shelf)
{
	rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
	char *error;
	int err = 0, each;

	for (unsigned k = 0; k < STORE_KINDS; k++) {
		error = NULL;
		rocksdb_flush(shelf->db[k], flush, &error);
		each = store_error(error);
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
	if (stat(path, &info) != 0 || (info.st_mtim.tv_sec == shelf->swept.tv_sec &&
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
