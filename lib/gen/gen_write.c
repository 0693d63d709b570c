/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gen/gen_private.h"
#include "text/text.h"

// Texts of a file can be shown on a terminal: what cannot becomes "?".
static void text_clean(char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t code;
		unsigned n = text_utf8_char(text, left, &code);

		if (n == 0 || !text_utf8_clean(text, n)) {
			*text = '?';
			n = 1;
		}
		text += n;
		left -= n;
	}
}

// The lists as they stand in the file, with the zeros behind them. @return taken by the caller
static struct gen_list *lists_make(const struct gen *gen)
{
	struct gen_list *lists = calloc(1, gen_names_at(gen->n_lists));

	for (unsigned i = 0; lists && i < gen->n_lists; i++) {
		const struct gen_list *from = &gen->lists[i];

		lists[i] = (struct gen_list){.good = from->good,
			.bad = from->bad,
			.mtime = from->mtime,
			.action = from->action};
		strcpy(lists[i].name, from->name);
		strcpy(lists[i].source, from->source);
		strcpy(lists[i].first_bad, from->first_bad);
		text_clean(lists[i].source);
		text_clean(lists[i].first_bad);
	}
	return lists;
}

static int header_make(
	const struct gen *gen, const struct gen_list *lists, struct gen_header *header)
{
	size_t n = gen_n_pieces(gen->names_size);
	uint8_t(*pieces)[GEN_HASH_SIZE] = calloc(n + 1, sizeof(*pieces));

	if (!pieces)
		return -ENOMEM;
	*header = (struct gen_header){
		.magic = GEN_MAGIC,
		.version = GEN_VERSION,
		.order = GEN_ORDER,
		.names_at = gen_names_at(gen->n_lists),
		.names_size = gen->names_size,
		.patterns_size = gen->patterns_size,
		.file_size = gen_names_at(gen->n_lists) + gen->names_size + gen->patterns_size,
		.created = gen->created,
		.header_size = sizeof(*header),
		.list_size = sizeof(struct gen_list),
		.n_lists = gen->n_lists,
	};
	for (size_t i = 0; i < n; i++) {
		size_t left = gen->names_size - i * GEN_PIECE;

		gen_piece_hash((const uint8_t *)gen->names + i * GEN_PIECE,
			left < GEN_PIECE ? left : GEN_PIECE, pieces[i]);
	}
	if (gen->patterns_size > 0)
		gen_piece_hash(gen->patterns, gen->patterns_size, pieces[n++]);
	gen_hash(header, lists, pieces, n, header->hash);
	free(pieces);
	return 0;
}

static int write_all(int fd, const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

// After a rename, so that the new name outlives a power cut. Some file systems cannot; no matter.
static void folder_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int fd;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash + 1 - path) : 1,
		slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static int file_write(const char *path, const struct gen_header *header,
	const struct gen_list *lists, const struct gen *gen)
{
	char beside[PATH_MAX];
	int fd, err;

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_all(fd, header, sizeof(*header));
	if (err == 0)
		err = write_all(fd, lists, header->names_at - sizeof(*header));
	if (err == 0)
		err = write_all(fd, gen->names, header->names_size);
	if (err == 0)
		err = write_all(fd, gen->patterns, header->patterns_size);
	if (err == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		err = -errno;
	if (close(fd) < 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(beside, path) < 0)
		err = -errno;
	if (err < 0)
		unlink(beside);
	else
		folder_sync(path);
	return err;
}

int64_t gen_write(const char *path, const struct gen *gen, char *error)
{
	struct gen_list *lists = lists_make(gen);
	struct gen_header header;
	int err = lists ? header_make(gen, lists, &header) : -ENOMEM;

	if (err == 0)
		err = file_write(path, &header, lists, gen);
	free(lists);
	if (err < 0) {
		snprintf(error, GEN_ERROR_SIZE, "%s: cannot write: %s", path, strerror(-err));
		return err;
	}
	return (int64_t)header.file_size;
}
