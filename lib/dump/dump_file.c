/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of dumps: their names, writing them whole, and how long they stay.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "dump/dump_private.h"
#include "list/list.h"

#define GZ_BUFFER (64 << 10)
#define LOCK_FILE ".lock"

static const char *const names[DUMP_FILES] = {
	"tuples", "address_ipv4", "address_ipv6", "cname", "mx", "nameserver", "new_domain"};

// ".." for a file that is being written, as in ".cname_20261122.csv.gz".
static void name_make(enum dump_file file, uint16_t day, const char *dot, char name[DUMP_NAME_SIZE])
{
	char text[11];

	list_day_format(day, text);
	snprintf(name, DUMP_NAME_SIZE, "%s%s_%.4s%.2s%.2s.%s.gz", dot, names[file], text, text + 5,
		text + 8, file == DUMP_TUPLES ? "ndjson" : "csv");
}

static void path_make(const char *dataset, enum dump_file file, uint16_t day, const char *dot,
	char path[DUMP_PATH_MAX])
{
	char name[DUMP_NAME_SIZE];

	name_make(file, day, dot, name);
	snprintf(path, DUMP_PATH_MAX, "%s/" DUMP_FOLDER "/%s", dataset, name);
}

// Day of a file of that name, or of one that is being written, or -1.
static int day_of(const char *name, bool *is_whole)
{
	char day[11], again[DUMP_NAME_SIZE];
	const char *plain = name + (*name == '.');
	const char *digits = strpbrk(plain, "0123456789");
	int number;

	// "ipv4" and "ipv6" have digits, too.
	if (digits && strncmp(plain, "address_", 8) == 0)
		digits = strchr(digits, '_') ? strchr(digits, '_') + 1 : NULL;
	if (!digits || strlen(digits) < 8)
		return -1;
	snprintf(day, sizeof(day), "%.4s-%.2s-%.2s", digits, digits + 4, digits + 6);
	number = list_day_parse(day, strlen(day));
	for (unsigned file = 0; number >= 0 && file < DUMP_FILES; file++) {
		name_make(file, (uint16_t)number, *name == '.' ? "." : "", again);
		if (strcmp(name, again) == 0) {
			*is_whole = *name != '.';
			return number;
		}
	}
	return -1;
}

/* ---- writing --------------------------------------------------------------------------------- */

// Root may have been asked for what the collector's user has to read and to remove.
static int owner_set(int fd, const struct stat *owner)
{
	if (geteuid() == 0 && fchown(fd, owner->st_uid, owner->st_gid) < 0)
		return -errno;
	return 0;
}

static int lock_take(const char *dataset, const struct stat *owner)
{
	char path[DUMP_PATH_MAX];
	int fd, err;

	snprintf(path, sizeof(path), "%s/" DUMP_FOLDER, dataset);
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = owner_set(fd, owner);
	close(fd);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/" DUMP_FOLDER "/" LOCK_FILE, dataset);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	err = owner_set(fd, owner);
	if (err == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

static int out_open(const char *path, const struct stat *owner, struct dump_out *out)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640), other,
	    err;

	*out = (struct dump_out){.fd = fd};
	if (fd < 0)
		return -errno;
	err = owner_set(fd, owner);
	if (err)
		return err;
	other = dup(fd);
	if (other < 0)
		return -errno;
	out->gz = gzdopen(other, "wb");
	if (!out->gz) {
		close(other);
		return -ENOMEM;
	}
	gzbuffer(out->gz, GZ_BUFFER);
	return 0;
}

int dump_outs_open(const char *dataset, uint16_t day, struct dump_out *outs, int *lock)
{
	char path[DUMP_PATH_MAX];
	struct stat owner;
	int err = stat(dataset, &owner) < 0 ? -errno : 0;

	for (unsigned file = 0; file < DUMP_FILES; file++)
		outs[file] = (struct dump_out){.fd = -1};
	*lock = -1;
	if (err == 0) {
		*lock = lock_take(dataset, &owner);
		err = *lock < 0 ? *lock : 0;
	}
	for (unsigned file = 0; file < DUMP_FILES && err == 0; file++) {
		path_make(dataset, file, day, ".", path);
		err = out_open(path, &owner, &outs[file]);
	}
	if (err == 0)
		return 0;
	log_line(LOG_ERROR, "%s/" DUMP_FOLDER ": %s", dataset,
		err == -EBUSY ? "another dump is being written" : strerror(-err));
	if (*lock >= 0)
		dump_outs_close(dataset, day, outs, *lock, err);
	return err;
}

int dump_out_write(struct dump_out *out, const char *octets, size_t size)
{
	errno = 0;
	if (size == 0 || gzwrite(out->gz, octets, (unsigned)size) == (int)size)
		return 0;
	return errno ? -errno : -EIO;
}

// Returns 0 or -errno.
static int out_close(struct dump_out *out)
{
	int err = 0;

	errno = 0;
	if (out->gz && gzclose(out->gz) != Z_OK)
		err = errno ? -errno : -EIO;
	if (out->fd >= 0 && err == 0 && fsync(out->fd) < 0)
		err = -errno;
	if (out->fd >= 0)
		close(out->fd);
	return err;
}

int dump_outs_close(const char *dataset, uint16_t day, struct dump_out *outs, int lock, int err)
{
	char from[DUMP_PATH_MAX], to[DUMP_PATH_MAX];
	int failed = 0;

	for (unsigned file = 0; file < DUMP_FILES; file++) {
		int closed = out_close(&outs[file]);

		failed = failed ? failed : closed;
	}
	for (unsigned file = 0; file < DUMP_FILES; file++) {
		path_make(dataset, file, day, ".", from);
		path_make(dataset, file, day, "", to);
		if (err || failed)
			unlink(from);
		else if (rename(from, to) < 0)
			failed = -errno;
	}
	if (failed && !err)
		log_line(LOG_ERROR, "%s/" DUMP_FOLDER ": cannot be written: %s", dataset,
			strerror(-failed));
	close(lock);
	return err ? err : failed;
}

/* ---- what there is --------------------------------------------------------------------------- */

bool dump_is_there(const char *dataset, uint16_t day)
{
	char path[DUMP_PATH_MAX];

	for (unsigned file = 0; file < DUMP_FILES; file++) {
		path_make(dataset, file, day, "", path);
		if (access(path, F_OK) < 0)
			return false;
	}
	return true;
}

static DIR *folder_open(const char *dataset)
{
	char path[DUMP_PATH_MAX];

	snprintf(path, sizeof(path), "%s/" DUMP_FOLDER, dataset);
	return opendir(path);
}

int dump_remove_before(const char *dataset, uint16_t day)
{
	struct stat owner;
	struct dirent *entry;
	bool is_whole;
	int lock, n = 0, of;
	DIR *dir = folder_open(dataset);

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	// Under the lock nobody writes what looks as if it had been left.
	lock = stat(dataset, &owner) < 0 ? -errno : lock_take(dataset, &owner);
	while (lock >= 0 && (entry = readdir(dir))) {
		of = day_of(entry->d_name, &is_whole);
		if (of >= 0 && (of < day || !is_whole) &&
			unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			n++;
	}
	closedir(dir);
	if (lock >= 0)
		close(lock);
	return lock < 0 ? lock : n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dump_entry *)a)->name, ((const struct dump_entry *)b)->name);
}

int dump_list(const char *dataset, struct dump_entry **entries)
{
	size_t n = 0, room = 0;
	struct dump_entry *there = NULL, *more;
	struct dirent *entry;
	struct stat info;
	bool is_whole;
	DIR *dir = folder_open(dataset);

	*entries = NULL;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		int day = day_of(entry->d_name, &is_whole);

		if (day < 0 || !is_whole || fstatat(dirfd(dir), entry->d_name, &info, 0) < 0)
			continue;
		if (n == room) {
			room = room ? 2 * room : 64;
			more = reallocarray(there, room, sizeof(*there));
			if (!more) {
				free(there);
				closedir(dir);
				return -ENOMEM;
			}
			there = more;
		}
		there[n] =
			(struct dump_entry){.day = (uint16_t)day, .size = (uint64_t)info.st_size};
		snprintf(
			there[n++].name, DUMP_NAME_SIZE, "%.*s", DUMP_NAME_SIZE - 1, entry->d_name);
	}
	closedir(dir);
	if (n > 0)
		qsort(there, n, sizeof(*there), by_name);
	*entries = there;
	return (int)n;
}

int dump_state_get(const char *dataset, struct dump_state *state)
{
	struct dump_entry *entries;
	int n = dump_list(dataset, &entries);

	*state = (struct dump_state){0};
	if (n < 0)
		return n;
	state->files = (unsigned)n;
	for (int i = 0; i < n; i++) {
		state->bytes += entries[i].size;
		if (entries[i].day > state->last_day) {
			state->last_day = entries[i].day;
			state->last_bytes = 0;
		}
		if (entries[i].day == state->last_day)
			state->last_bytes += entries[i].size;
	}
	free(entries);
	return 0;
}

int dump_open(const char *dataset, const char *name)
{
	char path[DUMP_PATH_MAX];
	bool is_whole;
	int fd;

	if (day_of(name, &is_whole) < 0 || !is_whole)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/" DUMP_FOLDER "/%s", dataset, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}
