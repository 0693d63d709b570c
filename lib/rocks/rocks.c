/* SPDX-License-Identifier: BSD-3-Clause */
#include "rocks/rocks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A writer beside us replaces files while we open them.
#define OPEN_TRIES   20
#define OPEN_WAIT_US 50000
#define PATH_SIZE    (4096 + 80) // a folder's path, and a file in it

int rocks_error(char *error)
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

// Which files make up a database: it is another one after each change of these.
struct manifest {
	char name[64];
	off_t size;
	ino_t inode;
};

static void manifest_look(const char *path, struct manifest *manifest)
{
	char file[PATH_SIZE];
	struct stat info;
	FILE *current;

	memset(manifest, 0, sizeof(*manifest));
	snprintf(file, sizeof(file), "%s/CURRENT", path);
	current = fopen(file, "re");
	if (!current)
		return;
	if (fscanf(current, "%63s", manifest->name) == 1) {
		snprintf(file, sizeof(file), "%s/%s", path, manifest->name);
		if (stat(file, &info) == 0) {
			manifest->size = info.st_size;
			manifest->inode = info.st_ino;
		}
	}
	fclose(current);
}

// A writer beside us may put a write-ahead log into a file and remove it between our look at what
// files there are and of what logs. RocksDB then opens it without these records and does not
// say so; only the list of files that has changed meanwhile tells.
int rocks_open_beside(const rocksdb_options_t *options, const char *path, rocksdb_t **db)
{
	struct manifest before, after;
	int err = -EAGAIN;
	char *error;

	for (unsigned i = 0; i < OPEN_TRIES; i++) {
		if (i > 0)
			usleep(OPEN_WAIT_US);
		manifest_look(path, &before);
		error = NULL;
		*db = rocksdb_open_for_read_only(options, path, 0, &error);
		err = rocks_error(error);
		if (err) {
			*db = NULL;
			continue;
		}
		manifest_look(path, &after);
		if (memcmp(&before, &after, sizeof(before)) == 0)
			return 0;
		rocksdb_close(*db);
		*db = NULL;
		err = -EAGAIN;
	}
	return err;
}
