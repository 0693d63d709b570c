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

#include "base/log.h"
#include "list/list.h"

#define EPOCH_2000  INT64_C(946684800) // 2000-01-01 UTC, day 0 of list_day_parse
#define DAY_SECONDS 86400
#define ZONE_MOST   (16 * 3600) // no zone is further from UTC

// First second that is of the day or later. Where a day begins by a change of clocks, that moment.
int64_t store_day_start_ms(uint16_t day)
{
	int64_t noon = EPOCH_2000 + (int64_t)day * DAY_SECONDS;
	int64_t before = noon - ZONE_MOST, after = noon + ZONE_MOST;

	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;

		if (list_day_of(middle) >= day)
			after = middle;
		else
			before = middle;
	}
	return after * 1000;
}

static int day_compare(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static int days_add(const char *path, uint16_t **days, int *n)
{
	struct dirent *entry;
	uint16_t *more;
	DIR *dir = opendir(path);
	int day, err = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (err == 0 && (entry = readdir(dir))) {
		day = list_day_parse(entry->d_name, strlen(entry->d_name));
		if (day < 0)
			continue;
		more = realloc(*days, ((size_t)*n + 1) * sizeof(*more));
		if (!more) {
			err = -ENOMEM;
			break;
		}
		*days = more;
		more[(*n)++] = (uint16_t)day;
	}
	closedir(dir);
	return err;
}

int store_folders(const struct store *store, unsigned kinds, uint16_t **out)
{
	char path[STORE_PATH_MAX];
	uint16_t *days = NULL;
	int n = 0, unique = 0, err = 0;

	for (unsigned k = 0; k < STORE_KINDS && err == 0; k++) {
		if (!(kinds & 1u << k))
			continue;
		err = days_add(store_path(store, k, -1, path), &days, &n);
		if (err)
			log_line(LOG_ERROR, "%s: %s", path, strerror(-err));
	}
	if (err) {
		free(days);
		return err;
	}
	if (n > 0)
		qsort(days, (size_t)n, sizeof(*days), day_compare);
	for (int i = 0; i < n; i++)
		if (unique == 0 || days[unique - 1] != days[i])
			days[unique++] = days[i];
	*out = days;
	return unique;
}

int64_t store_oldest_ms(struct store *store)
{
	uint16_t *days = NULL;
	int n = store_folders(store, STORE_RECORDS | STORE_CONTACTS, &days);
	int64_t oldest = n > 0 ? store_day_start_ms(days[0]) : 0;

	free(days);
	return oldest;
}

// Octets of the files of a folder.
static uint64_t folder_size(const char *path)
{
	struct dirent *entry;
	struct stat info;
	uint64_t sum = 0;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir)))
		if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(info.st_mode))
			sum += (uint64_t)info.st_blocks * 512;
	if (dir)
		closedir(dir);
	return sum;
}

int store_sizes_get(struct store *store, struct store_sizes *sizes)
{
	char path[STORE_PATH_MAX];
	uint16_t *days = NULL;
	int n = store_folders(store, STORE_RECORDS | STORE_CONTACTS, &days);

	*sizes = (struct store_sizes){0};
	if (n < 0)
		return n;
	sizes->days = (unsigned)n;
	for (int i = 0; i < n; i++)
		for (unsigned k = 0; k < STORE_KINDS; k++)
			sizes->bytes[k] += folder_size(store_path(store, k, days[i], path));
	free(days);
	return 0;
}

// Begin of the first hour with records.
static int64_t first_ms(rocksdb_t *db, const struct store_shelf *shelf)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_iterator_t *it = rocksdb_create_iterator(db, read);
	int64_t first = INT64_MAX;
	const char *key;
	size_t size;

	rocksdb_iter_seek_to_first(it);
	if (rocksdb_iter_valid(it)) {
		key = rocksdb_iter_key(it, &size);
		if (size > 1 && (uint8_t)key[0] <= STORE_HOUR_LAST)
			first = shelf->start_ms +
				((uint8_t)key[0] - STORE_HOUR_BIAS) * (int64_t)STORE_HOUR_MS;
	}
	rocksdb_iter_destroy(it);
	rocksdb_readoptions_destroy(read);
	return first;
}

static int group_read(struct store *store, unsigned group, struct store_day *day)
{
	struct store_shelf *shelf;
	char path[STORE_PATH_MAX];
	int err = store_shelf_get(store, day->day, group, &shelf);

	if (err)
		return err;
	if (group == STORE_RECORDS)
		day->start_ms = shelf->start_ms;
	for (unsigned k = 0; k < STORE_KINDS; k++) {
		if (!shelf->db[k])
			continue;
		pthread_mutex_lock(&store->lock);
		day->records[k] = shelf->records[k];
		pthread_mutex_unlock(&store->lock);
		day->bytes[k] = folder_size(store_path(store, k, day->day, path));
		if (day->first_ms > first_ms(shelf->db[k], shelf))
			day->first_ms = first_ms(shelf->db[k], shelf);
	}
	store_shelf_put(store, shelf);
	return 0;
}

static int day_read(struct store *store, uint16_t number, struct store_day *day)
{
	int err;

	*day = (struct store_day){
		.day = number, .start_ms = store_day_start_ms(number), .first_ms = INT64_MAX};
	err = group_read(store, STORE_CONTACTS, day);
	if (err == 0)
		err = group_read(store, STORE_RECORDS, day);
	if (day->first_ms == INT64_MAX)
		day->first_ms = day->start_ms;
	return err;
}

int store_days(struct store *store, struct store_day **out)
{
	uint16_t *numbers = NULL;
	struct store_day *days;
	int n = store_folders(store, STORE_RECORDS | STORE_CONTACTS, &numbers), err = 0;

	if (n < 0)
		return n;
	days = calloc((size_t)n + 1, sizeof(*days));
	for (int i = 0; days && i < n && err == 0; i++)
		err = day_read(store, numbers[i], &days[i]);
	free(numbers);
	if (!days)
		return -ENOMEM;
	if (err) {
		free(days);
		return err;
	}
	*out = days;
	return n;
}
