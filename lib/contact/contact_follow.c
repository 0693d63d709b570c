/* SPDX-License-Identifier: BSD-3-Clause */
#include "contact_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/log.h"

#define CHUNKS_MAX 64 // of a file in a tick
#define REST       2  // seconds between tries to put

struct contact_follow {
	const struct contact_sink *sink;
	char *positions;
	char *text; // CONTACT_CHUNK_MAX
	unsigned n;
	struct contact_file *files;
	int failing;   // -errno of putting, which was logged
	int64_t tried; // monotonic seconds of that
	pthread_mutex_t lock;
	struct contact_counts counts; // under lock
};

static int64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void file_failing(struct contact_file *file, int err)
{
	if (err && err != file->failing)
		log_line(LOG_WARN, "%s: %s; tried again", file->path, strerror(-err));
	file->failing = err;
}

static void count(struct contact_follow *f, const struct contact_counts *more)
{
	pthread_mutex_lock(&f->lock);
	f->counts.lines += more->lines;
	f->counts.bad += more->bad;
	f->counts.bad_time += more->bad_time;
	f->counts.opted_out += more->opted_out;
	f->counts.stored += more->stored;
	f->counts.left_out += more->left_out;
	f->counts.gaps += more->gaps;
	pthread_mutex_unlock(&f->lock);
}

/* ---- which file ------------------------------------------------------------------------------ */

static int file_use(struct contact_file *file, int fd)
{
	struct stat info;

	if (fd < 0)
		return fd;
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	file->dev = info.st_dev;
	file->ino = info.st_ino;
	file->moved = 0;
	return 0;
}

static void file_begin(struct contact_file *file)
{
	file->at = (struct contact_position){.chunk = file->at.chunk};
}

static int file_open(struct contact_follow *f, struct contact_file *file)
{
	int fd;

	if (file->at.offset > 0) {
		fd = contact_file_find(file);
		if (fd != -ENOENT)
			return file_use(file, fd);
		log_line(LOG_WARN, "%s: what was behind octet %lld when it was read last is gone",
			file->path, (long long)file->at.offset);
		count(f, &(struct contact_counts){.gaps = 1});
		file_begin(file);
	}
	fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return file_use(file, fd < 0 ? -errno : fd);
}

// A file that was cut is begun anew, once its copy has been read to the end.
static int file_check(struct contact_follow *f, struct contact_file *file)
{
	struct stat info;

	if (fstat(file->fd, &info) != 0)
		return -errno;
	if (info.st_size >= file->at.offset && contact_head_is(file->fd, &file->at))
		return 0;
	close(file->fd);
	file->fd = -1;
	return file_open(f, file);
}

// At the end of a file: whether there is another one to go on with.
static bool file_next(struct contact_follow *f, struct contact_file *file)
{
	struct stat info;
	bool cut;

	if (stat(file->path, &info) != 0 ||
		(info.st_ino == file->ino && info.st_dev == file->dev)) {
		file->moved = 0;
		return false;
	}
	if (!file->moved)
		file->moved = monotonic();
	if (monotonic() - file->moved < f->sink->patience)
		return false;
	cut = fstat(file->fd, &info) == 0 && info.st_size > file->at.offset;
	if (file_use(file, contact_file_next(file)) != 0)
		return false;
	count(f, &(struct contact_counts){.lines = cut, .bad = cut});
	file_begin(file);
	return true;
}

/* ---- what is in it --------------------------------------------------------------------------- */

// Of a chunk what can be used: whole lines. @return octets to go on by; size: those to put, from `from` on
static size_t lines_find(
	struct contact_file *file, const char *text, size_t n, size_t *from, size_t *size)
{
	const char *end = memrchr(text, '\n', n);
	const char *first = file->at.in_line ? memchr(text, '\n', n) : NULL;

	*from = *size = 0;
	if (!end)
		return file->at.in_line || n == CONTACT_CHUNK_MAX ? n : 0;
	*from = first ? (size_t)(first - text) + 1 : 0;
	*size = (size_t)(end - text) + 1 - *from;
	return (size_t)(end - text) + 1;
}

// @return octets that were read and put, 0 at the end, or -errno
static int64_t chunk_put(struct contact_follow *f, struct contact_file *file)
{
	ssize_t n = pread(file->fd, f->text, CONTACT_CHUNK_MAX, file->at.offset);
	struct contact_counts counts = {0};
	size_t from, size, step;
	uint64_t chunk;
	int err;

	if (n <= 0)
		return n < 0 ? -errno : 0;
	step = lines_find(file, f->text, (size_t)n, &from, &size);
	if (step == 0)
		return 0;
	chunk = XXH3_64bits_withSeed(file->path, strlen(file->path), file->at.chunk);
	err = contact_chunk_put(f->sink, chunk, f->text + from, size, &counts);
	if (err)
		return err;
	// A line that is too long counts where it begins.
	if (size == 0 && !file->at.in_line && f->text[step - 1] != '\n') {
		counts.lines++;
		counts.bad++;
	}
	file->at.in_line = f->text[step - 1] != '\n';
	file->at.offset += (off_t)step;
	file->at.chunk++;
	file->moved = 0;
	contact_head_take(file->fd, &file->at);
	count(f, &counts);
	return (int64_t)step;
}

static void putting_failing(struct contact_follow *f, int err)
{
	if (err && err != f->failing)
		log_line(LOG_ERROR, "contacts of the sinkhole wait in their files: %s",
			err == -EBUSY ? "another process writes to the store" : strerror(-err));
	else if (!err && f->failing)
		log_line(LOG_INFO, "contacts of the sinkhole are stored again");
	f->failing = err;
	f->tried = err ? monotonic() : 0;
}

// @return 0, or -errno of putting
static int file_tick(struct contact_follow *f, struct contact_file *file)
{
	int64_t step = 1;
	int err = 0;

	for (unsigned i = 0; i < CHUNKS_MAX; i++) {
		int gone = file->fd < 0 ? file_open(f, file) : file_check(f, file);

		file_failing(file, gone);
		if (gone)
			return 0;
		step = chunk_put(f, file);
		if (step == 0 && !file_next(f, file))
			return 0;
		if (step < 0)
			return (int)step;
		err = contact_positions_write(f->positions, f->files, f->n);
		if (err)
			return err;
	}
	return 0;
}

int contact_follow_tick(struct contact_follow *f)
{
	int err = 0;

	if (f->failing && monotonic() - f->tried < REST)
		return f->failing;
	for (unsigned i = 0; i < f->n && err == 0; i++)
		err = file_tick(f, &f->files[i]);
	putting_failing(f, err);
	return err;
}

void contact_follow_counts(struct contact_follow *f, struct contact_counts *counts)
{
	pthread_mutex_lock(&f->lock);
	*counts = f->counts;
	pthread_mutex_unlock(&f->lock);
}

struct contact_follow *contact_follow_open(const char *const *paths, unsigned n,
	const char *positions, const struct contact_sink *sink)
{
	struct contact_follow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	pthread_mutex_init(&f->lock, NULL);
	f->sink = sink;
	f->positions = strdup(positions);
	f->text = malloc(CONTACT_CHUNK_MAX);
	f->files = calloc(n + 1, sizeof(*f->files));
	for (unsigned i = 0; f->files && i < n; i++) {
		f->files[i].fd = -1;
		f->files[i].path = strdup(paths[i]);
		if (!f->files[i].path)
			break;
		f->n++;
	}
	if (f->positions && f->text && f->n == n &&
		contact_positions_read(positions, f->files, n) == 0)
		return f;
	contact_follow_close(f);
	return NULL;
}

void contact_follow_close(struct contact_follow *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < f->n; i++) {
		if (f->files[i].fd >= 0)
			close(f->files[i].fd);
		free(f->files[i].path);
	}
	pthread_mutex_destroy(&f->lock);
	free(f->files);
	free(f->positions);
	free(f->text);
	free(f);
}
