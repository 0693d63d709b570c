/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that were rotated. A file is known by its first octets, as numbers of inodes are used again and a
 * copy has another one.
 */
#include "contact_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

static uint64_t head_hash(int fd, size_t size, bool *whole)
{
	uint8_t head[CONTACT_HEAD_MAX];

	*whole = size == 0 || pread(fd, head, size, 0) == (ssize_t)size;
	return *whole && size > 0 ? XXH3_64bits(head, size) : 0;
}

bool contact_head_is(int fd, const struct contact_position *at)
{
	bool whole;

	return head_hash(fd, at->head_size, &whole) == at->head && whole;
}

void contact_head_take(int fd, struct contact_position *at)
{
	bool whole;

	if (at->head_size == CONTACT_HEAD_MAX)
		return;
	at->head_size = at->offset < CONTACT_HEAD_MAX ? (size_t)at->offset : CONTACT_HEAD_MAX;
	at->head = head_hash(fd, at->head_size, &whole);
}

// A file beside this one.
struct beside {
	char path[PATH_MAX];
	int fd;
	struct stat info;
};

// Goes to the next regular file whose name begins with that of the path. Its descriptor is the caller's.
static bool beside_next(DIR *dir, const char *path, struct beside *beside)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, base, strlen(base)) != 0)
			continue;
		beside->fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (beside->fd < 0)
			continue;
		if (fstat(beside->fd, &beside->info) == 0 && S_ISREG(beside->info.st_mode))
			return true;
		close(beside->fd);
	}
	return false;
}

static DIR *folder_open(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		slash ? path : ".");
	return opendir(folder);
}

int contact_file_find(const struct contact_file *file)
{
	struct beside beside;
	struct stat info;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), found = -ENOENT;
	DIR *dir;

	if (fd >= 0) {
		if (fstat(fd, &info) == 0 && info.st_size >= file->at.offset &&
			contact_head_is(fd, &file->at))
			return fd;
		close(fd);
	}
	dir = folder_open(file->path);
	while (dir && found < 0 && beside_next(dir, file->path, &beside)) {
		if (beside.info.st_size >= file->at.offset && contact_head_is(beside.fd, &file->at))
			found = beside.fd;
		else
			close(beside.fd);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int time_compare(const struct timespec *a, const struct timespec *b)
{
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec > b->tv_sec ? 1 : -1;
	return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

static bool begins_with(int fd, const void *magic, size_t size)
{
	uint8_t head[8];

	return pread(fd, head, size, 0) == (ssize_t)size && memcmp(head, magic, size) == 0;
}

static bool is_compressed(int fd)
{
	return begins_with(fd, "\x1f\x8b", 2) || begins_with(fd, "BZh", 3) ||
	       begins_with(fd, "\x28\xb5\x2f\xfd", 4) ||
	       begins_with(fd,
		       "\xfd"
		       "7zXZ",
		       5);
}

// Of those that were written to later than the open one, the one that was first left alone; else what
// has the path now. While nobody follows, files may be rotated more than once.
int contact_file_next(const struct contact_file *file)
{
	DIR *dir = folder_open(file->path);
	struct timespec least = {0};
	struct beside beside;
	struct stat info;
	int next = -1;

	if (!dir || fstat(file->fd, &info) != 0) {
		if (dir)
			closedir(dir);
		return -errno;
	}
	while (beside_next(dir, file->path, &beside)) {
		const struct timespec *at = &beside.info.st_mtim;

		if ((beside.info.st_ino == file->ino && beside.info.st_dev == file->dev) ||
			time_compare(at, &info.st_mtim) <= 0 ||
			(next >= 0 && time_compare(at, &least) >= 0) ||
			contact_head_is(beside.fd, &file->at) || is_compressed(beside.fd)) {
			close(beside.fd);
			continue;
		}
		if (next >= 0)
			close(next);
		next = beside.fd;
		least = *at;
	}
	closedir(dir);
	if (next < 0)
		next = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return next < 0 ? -errno : next;
}
