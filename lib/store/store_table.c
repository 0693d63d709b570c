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

int64_t store_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int row_day_read(rocksdb_t *db, rocksdb_readoptions_t *read, int64_t *start_ms)
{
	char *error = NULL, *value;
	size_t size = 0;
	int err;

	value = rocksdb_get(db, read, ROW_DAY, ROW_SIZE, &size, &error);
	err = rocks_error(error);
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
	err = rocks_error(error);
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
	return rocks_error(error);
}

int store_table_open(
	struct store *store, uint16_t day, enum store_kind kind, bool write, rocksdb_t **db)
{
	char path[STORE_PATH_MAX], *error = NULL;
	int err;

	store_path(store, kind, day, path);
	if (!write)
		return access(path, R_OK | X_OK) == 0 ? rocks_open_beside(store->options, path, db)
						      : -errno;
	err = store_folder_make(path, kind == STORE_LOG ? 0750 : 0700);
	if (err)
		return err;
	*db = rocksdb_open(store->options, path, &error);
	return rocks_error(error);
}

// Begin of the day and counts. A table whose making was cut short has no row of the day yet: it
// takes the begin that the other kind has.
int store_rows_read(struct store *store, struct store_shelf *shelf, bool write)
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
