/* SPDX-License-Identifier: BSD-3-Clause */
#include "text/text_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int text_blocks_open(const char *path, struct text_blocks *blocks)
{
	uint64_t size = 0;
	int fd = text_file_open(path, &size);

	*blocks = (struct text_blocks){.fd = fd, .size = size};
	if (fd < 0)
		return fd;
	blocks->n = (unsigned)(size / TEXT_BLOCK_SIZE) + 1;
	blocks->lines_before = calloc(blocks->n, sizeof(*blocks->lines_before));
	if (blocks->lines_before)
		return 0;
	text_blocks_close(blocks);
	return -ENOMEM;
}

void text_blocks_close(struct text_blocks *blocks)
{
	if (blocks->fd >= 0)
		close(blocks->fd);
	free(blocks->lines_before);
	*blocks = (struct text_blocks){.fd = -1};
}

// What the file has there, as far as it had it when it was opened. @return octets or -errno
static ssize_t piece_read(const struct text_blocks *blocks, uint64_t from, size_t size, char *room)
{
	size_t had = 0;

	if (size > blocks->size - from)
		size = (size_t)(blocks->size - from);
	while (had < size) {
		ssize_t n = pread(blocks->fd, room + had, size - had, (off_t)(from + had));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		had += (size_t)n;
	}
	return (ssize_t)had;
}

int text_block_count(struct text_blocks *blocks, unsigned i, char *room)
{
	ssize_t size = piece_read(blocks, (uint64_t)i * TEXT_BLOCK_SIZE, TEXT_BLOCK_SIZE, room);
	unsigned n = 0;

	for (ssize_t at = 0; at < size; at++)
		n += room[at] == '\n';
	blocks->lines_before[i] = n;
	return size < 0 ? (int)size : 0;
}

void text_blocks_sum(struct text_blocks *blocks)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < blocks->n; i++) {
		unsigned n = blocks->lines_before[i];

		blocks->lines_before[i] = sum;
		sum += n;
	}
}

int text_block_read(
	const struct text_blocks *blocks, unsigned i, char *room, struct text_file *lines)
{
	// The octet before the block tells whether a line starts with it.
	size_t before = i > 0, start = before, end;
	ssize_t n = piece_read(blocks, (uint64_t)i * TEXT_BLOCK_SIZE - before,
		TEXT_BLOCK_ROOM - TEXT_BLOCK_AHEAD - (1 - before), room);
	char *at;

	*lines = (struct text_file){.data = room, .n_lines = blocks->lines_before[i]};
	if (n < 0)
		return (int)n;
	memset(room + n, 0, TEXT_BLOCK_AHEAD);
	end = (size_t)n < before + TEXT_BLOCK_SIZE ? (size_t)n : before + TEXT_BLOCK_SIZE;
	if (i == 0 && n >= 3 && memcmp(room, "\xef\xbb\xbf", 3) == 0)
		start = 3;
	if (before && end > 0 && room[0] != '\n') {
		at = memchr(room + 1, '\n', end - 1);
		if (!at)
			return 0;
		start = (size_t)(at + 1 - room);
		lines->n_lines++;
	}
	if (start >= end)
		return 0;
	// The last line that starts here goes on behind the block; what is longer than any line may
	// be is cut and refused for its length.
	if (room[end - 1] != '\n' && end < (size_t)n) {
		at = memchr(room + end, '\n', (size_t)n - end);
		end = at ? (size_t)(at + 1 - room) : (size_t)n;
	}
	lines->at = start;
	lines->size = end;
	return 0;
}
