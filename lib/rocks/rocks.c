/* SPDX-License-Identifier: BSD-3-Clause */
#include "rocks/rocks.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// A writer beside us replaces files while we open them.
#define OPEN_TRIES   20
#define OPEN_WAIT_US 50000
// A minute.
#define SETTLE_TRIES   30000
#define SETTLE_WAIT_US 2000
#define PATH_SIZE      (4096 + 80) // a folder's path, and a file in it

#define LOG_LEVEL_NONE 5
#define MEMORY_TABLE   ((size_t)32 << 20) // who asks beside a writer reads as much from its log
#define MEMORY_TABLES  3
#define TRAINING       64 // octets that are looked at for one of a dictionary

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

rocksdb_options_t *rocks_options_create(rocksdb_mergeoperator_t *merge)
{
	rocksdb_options_t *options = rocksdb_options_create();

	rocksdb_options_set_merge_operator(options, merge);
	rocksdb_options_set_max_open_files(options, -1);
	// Nothing: on a full disk a second line of RocksDB's own log ends the process, where the library
	// was built with assertions, as Debian's is. Errors come back from its functions anyway.
	rocksdb_options_set_info_log_level(options, LOG_LEVEL_NONE);
	rocksdb_options_set_keep_log_file_num(options, 2);
	rocksdb_options_set_stats_dump_period_sec(options, 0);
	rocksdb_options_set_stats_persist_period_sec(options, 0);
	return options;
}

void rocks_options_write(rocksdb_options_t *options)
{
	rocksdb_options_set_create_if_missing(options, 1);
	rocksdb_options_set_write_buffer_size(options, MEMORY_TABLE);
	rocksdb_options_set_max_write_buffer_number(options, MEMORY_TABLES);
	rocksdb_options_set_max_background_jobs(options, 2);
	// One thread writes, in the order of the keys, and each key's place is then beside the last one's.
	rocksdb_options_set_allow_concurrent_memtable_write(options, 0);
	// Nine tenths are in the last level, so there pays what compresses best.
	rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
	rocksdb_options_set_compression(options, rocksdb_lz4_compression);
	rocksdb_options_set_bottommost_compression(options, rocksdb_zstd_compression);
}

void rocks_options_dictionary(rocksdb_options_t *options, int level, int dictionary)
{
	rocksdb_options_set_bottommost_compression_options(options, -14, level, 0, dictionary, 1);
	rocksdb_options_set_bottommost_compression_options_zstd_max_train_bytes(
		options, TRAINING * dictionary, 1);
}

int rocks_settle(rocksdb_t *db)
{
	uint64_t compactions = 1, flushes = 1;

	for (unsigned i = 0; i < SETTLE_TRIES; i++) {
		if (rocksdb_property_int(db, "rocksdb.num-running-compactions", &compactions) ||
			rocksdb_property_int(db, "rocksdb.num-running-flushes", &flushes))
			return -EIO;
		if (compactions + flushes == 0)
			return 0;
		usleep(SETTLE_WAIT_US);
	}
	return -EBUSY;
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

/* ---- its threads ----------------------------------------------------------------------------- */

static bool is_compacting(const char *task)
{
	static const char prefix[] = "rocksdb:low";
	char path[64], name[sizeof(prefix)] = "";
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", task);
	comm = fopen(path, "re");
	if (!comm)
		return false;
	(void)fgets(name, sizeof(name), comm);
	fclose(comm);
	return strcmp(name, prefix) == 0;
}

void rocks_compaction_nice(int nice)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;

	// Without it they are as nice as who opened the first database.
	if (!tasks)
		return;
	while ((task = readdir(tasks)))
		if (is_compacting(task->d_name))
			(void)setpriority(
				PRIO_PROCESS, (id_t)strtoul(task->d_name, NULL, 10), nice);
	closedir(tasks);
}
