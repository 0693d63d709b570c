/* SPDX-License-Identifier: BSD-3-Clause */
#include "text/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_MAX  ((size_t)4 << 30) // keeps line numbers within 32 bits
#define FILE_ROOM_STEP ((size_t)64 << 10)

int text_file_open(const char *path, uint64_t *size)
{
	// A FIFO without a writer must not hold up the reload.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if ((uint64_t)st.st_size > FILE_SIZE_MAX)
		err = -EFBIG;
	if (err < 0) {
		close(fd);
		return err;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

static int file_fill(int fd, struct text_file *file, size_t room)
{
	for (;;) {
		ssize_t n = read(fd, file->data + file->size, room - file->size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		file->size += (size_t)n;
		if (file->size > FILE_SIZE_MAX)
			return -EFBIG;
		// Somebody is still writing to it.
		if (file->size == room) {
			char *data = realloc(file->data, room + room / 2 + FILE_ROOM_STEP);

			if (!data)
				return -ENOMEM;
			file->data = data;
			room += room / 2 + FILE_ROOM_STEP;
		}
	}
}

int text_file_read(const char *path, struct text_file *file)
{
	uint64_t size = 0;
	int fd = text_file_open(path, &size), err;

	memset(file, 0, sizeof(*file));
	if (fd < 0)
		return fd;
	// One octet more than the file has, so that its end is seen without growing.
	file->data = malloc(size + 1);
	err = file->data ? file_fill(fd, file, size + 1) : -ENOMEM;
	close(fd);
	if (err < 0)
		text_file_free(file);
	else if (file->size >= 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0)
		file->at = 3;
	return err;
}

void text_file_free(struct text_file *file)
{
	free(file->data);
	memset(file, 0, sizeof(*file));
}

static bool line_says_nothing(const char *text, size_t size)
{
	if (size > 0 && text[0] == '#')
		return true;
	while (size > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		size--;
	}
	return size == 0;
}

bool text_line_next(struct text_file *file, struct text_line *line)
{
	while (file->at < file->size) {
		const char *text = file->data + file->at;
		size_t left = file->size - file->at;
		const char *end = memchr(text, '\n', left);
		size_t size = end ? (size_t)(end - text) : left;

		file->at += size + (end ? 1 : 0);
		file->n_lines++;
		if (size > 0 && text[size - 1] == '\r')
			size--;
		if (line_says_nothing(text, size))
			continue;
		*line = (struct text_line){.text = text, .size = size, .number = file->n_lines};
		return true;
	}
	return false;
}

void text_trim(const char **text, size_t *size)
{
	while (*size > 0 && (**text == ' ' || **text == '\t')) {
		*text += 1;
		*size -= 1;
	}
	while (*size > 0 && ((*text)[*size - 1] == ' ' || (*text)[*size - 1] == '\t'))
		*size -= 1;
}
