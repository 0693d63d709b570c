/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "list/list.h"

// A day is renamed at once, and then removed file by file.
#define GONE_MARK ".gone-"

static void gone_path(const struct store *store, enum store_kind kind, const char *name,
	char path[STORE_PATH_MAX])
{
	char folder[STORE_PATH_MAX];

	if (snprintf(path, STORE_PATH_MAX, "%s/%s", store_path(store, kind, -1, folder), name) >=
		STORE_PATH_MAX)
		path[0] = '\0';
}

/* ---- pieces of work -------------------------------------------------------------------------- */

#define PIECE_US 20000 // that who wants to append waits, about

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void store_work_begin(
	struct store_work *work, const struct store_actor *actor, struct store_dropped *dropped)
{
	*dropped = (struct store_dropped){0};
	*work = (struct store_work){actor, dropped, now_us()};
}

void store_work_let(struct store_work *work)
{
	unsigned held_ms = (unsigned)((now_us() - work->since_us) / 1000);

	if (held_ms > work->dropped->longest_ms)
		work->dropped->longest_ms = held_ms;
	if (work->actor && work->actor->lock)
		pthread_mutex_unlock(work->actor->lock);
}

void store_work_take(struct store_work *work)
{
	if (work->actor && work->actor->lock)
		pthread_mutex_lock(work->actor->lock);
	work->since_us = now_us();
}

bool store_work_is_long(const struct store_work *work)
{
	return work->actor && work->actor->lock && now_us() - work->since_us >= PIECE_US;
}

int store_work_breathe(struct store_work *work)
{
	int64_t held = now_us() - work->since_us;

	if (work->actor && work->actor->lock) {
		store_work_let(work);
		// Who waits for a mutex does not get it from one that takes it again at once.
		usleep((useconds_t)(held < PIECE_US ? held : PIECE_US));
		store_work_take(work);
	}
	return work->actor && work->actor->stop && work->actor->stop(work->actor->ctx) ? -EINTR : 0;
}

/* ---- days ------------------------------------------------------------------------------------ */

// Remove a folder of files. @return octets they had on the disk, or -errno
static int64_t folder_remove(const char *path)
{
	struct dirent *entry;
	struct stat info;
	int64_t sum = 0, err = 0;
	DIR *dir = opendir(path);

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
			sum += info.st_blocks * 512;
		if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
			err = -errno;
	}
	closedir(dir);
	if (rmdir(path) != 0 && !err)
		err = -errno;
	return err ? err : sum;
}

static int leftovers_remove_kind(struct store *store, enum store_kind kind)
{
	char path[STORE_PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(store_path(store, kind, -1, path));
	int64_t bytes = 0;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, GONE_MARK, strlen(GONE_MARK)) != 0)
			continue;
		gone_path(store, kind, entry->d_name, path);
		bytes = folder_remove(path);
		if (bytes < 0) {
			log_line(LOG_ERROR, "%s: cannot be removed: %s", path,
				strerror((int)-bytes));
			break;
		}
		store_audit(store, &(struct store_actor){"retention"},
			"\"action\":\"purge\",\"kind\":\"%s\",\"day\":\"%.10s\",\"rest_bytes\":"
			"%" PRId64,
			store_kind_name(kind), entry->d_name + strlen(GONE_MARK), bytes);
	}
	if (dir)
		closedir(dir);
	return bytes < 0 ? (int)bytes : 0;
}

int store_leftovers_remove(struct store *store)
{
	int err = 0;

	for (unsigned k = 0; k < STORE_KINDS && err == 0; k++)
		err = leftovers_remove_kind(store, k);
	return err;
}

// Whether a process, another one, has a table open for writing: RocksDB holds a record lock then.
static int table_busy(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char file[STORE_PATH_MAX];
	int fd, busy;

	if (snprintf(file, sizeof(file), "%s/LOCK", path) >= (int)sizeof(file))
		return -ENAMETOOLONG;
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	busy = fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
	close(fd);
	return busy ? -EBUSY : 0;
}

static int table_rename(
	struct store *store, uint16_t day, enum store_kind kind, char gone[STORE_PATH_MAX])
{
	char path[STORE_PATH_MAX], name[32] = GONE_MARK;

	store_path(store, kind, day, path);
	list_day_format(day, name + strlen(GONE_MARK));
	gone_path(store, kind, name, gone);
	return rename(path, gone) == 0 ? 0 : -errno;
}

// Both at once, so that nobody appends to the one; removing them takes longer.
static int tables_drop(struct store *store, uint16_t day, struct store_work *work, uint64_t *bytes)
{
	char gone[STORE_KINDS][STORE_PATH_MAX];
	int renamed[STORE_KINDS], err = 0;
	int64_t size;

	for (unsigned k = 0; k < STORE_KINDS; k++) {
		renamed[k] = table_rename(store, day, k, gone[k]);
		if (renamed[k] && renamed[k] != -ENOENT)
			err = renamed[k];
	}
	store_work_let(work);
	for (unsigned k = 0; k < STORE_KINDS; k++) {
		if (renamed[k])
			continue;
		size = folder_remove(gone[k]);
		if (size < 0)
			err = (int)size;
		else
			*bytes += (uint64_t)size;
	}
	store_work_take(work);
	return err;
}

// Records of a day for the audit log; what cannot be read is removed nevertheless.
static void day_count(struct store *store, uint16_t day, uint64_t records[STORE_KINDS])
{
	static const unsigned groups[] = {STORE_RECORDS, STORE_CONTACTS};
	struct store_shelf *shelf;

	memset(records, 0, STORE_KINDS * sizeof(*records));
	for (unsigned g = 0; g < 2; g++) {
		if (store_shelf_get(store, day, groups[g], &shelf) != 0)
			continue;
		for (unsigned k = 0; k < STORE_KINDS; k++)
			records[k] += shelf->records[k];
		store_shelf_put(store, shelf);
	}
}

static void day_retire(struct store *store, uint16_t day)
{
	struct store_shelf *next, *shelf = store_shelf_next(store, NULL);

	for (; shelf; shelf = next) {
		next = store_shelf_next(store, shelf);
		if (shelf->day == day)
			store_shelf_retire(store, shelf, true);
	}
}

static int day_busy(struct store *store, uint16_t day)
{
	char path[STORE_PATH_MAX];
	int err = 0;

	for (unsigned k = 0; k < STORE_KINDS && err == 0; k++)
		err = table_busy(store_path(store, k, day, path));
	return err;
}

static int day_drop(struct store *store, uint16_t day, struct store_work *work)
{
	struct store_dropped *dropped = work->dropped;
	uint64_t records[STORE_KINDS], bytes = 0;
	char text[11];
	int err;

	day_retire(store, day);
	err = day_busy(store, day);
	if (err == 0) {
		day_count(store, day, records);
		err = tables_drop(store, day, work, &bytes);
	}
	list_day_format(day, text);
	if (err) {
		dropped->busy += err == -EBUSY;
		log_line(LOG_ERROR, "%s: %s cannot be removed: %s", store->folder, text,
			err == -EBUSY ? "another process writes to it" : strerror(-err));
		return err;
	}
	dropped->days++;
	dropped->records += records[STORE_LOG] + records[STORE_CHANGED] + records[STORE_SINKHOLE];
	dropped->bytes += bytes;
	return store_audit(store, work->actor,
		"\"action\":\"purge\",\"day\":\"%s\",\"log\":%" PRIu64 ",\"filtered\":%" PRIu64
		",\"sinkhole\":%" PRIu64 ",\"bytes\":%" PRIu64,
		text, records[STORE_LOG], records[STORE_CHANGED], records[STORE_SINKHOLE], bytes);
}

int store_drop_before(struct store *store, uint16_t day, const struct store_actor *actor,
	struct store_dropped *dropped)
{
	struct store_work work;
	uint16_t *days = NULL;
	int n = store_folders(store, STORE_RECORDS | STORE_CONTACTS, &days), err = 0, each;

	store_work_begin(&work, actor, dropped);
	if (n < 0)
		return n;
	if (store->mode == STORE_READ) {
		free(days);
		return -EROFS;
	}
	// What waits for a day that goes would make it anew.
	if (store->mode == STORE_WRITE)
		store_commit_last(store);
	for (int i = 0; i < n && days[i] < day && err != -EINTR; i++) {
		each = day_drop(store, days[i], &work);
		err = each ? each : err;
		each = store_work_breathe(&work);
		err = each ? each : err;
	}
	free(days);
	each = store_leftovers_remove(store);
	store_work_let(&work);
	if (dropped->days > 0 && actor && actor->settle)
		actor->settle(actor->ctx);
	store_work_take(&work);
	return err ? err : each;
}
