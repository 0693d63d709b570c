/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/block.h"
#include "base/crew.h"
#include "gen/gen_private.h"
#include "text/text.h"

struct reader {
	const char *path;
	char *error;
	int fd;
	uint64_t size; // of the file
};

// The block of names on its way, piece by piece.
struct pieces {
	const struct reader *reader;
	uint8_t *names;
	uint64_t from, size; // of the block in the file
	uint8_t (*hashes)[GEN_HASH_SIZE];
	size_t n;
	atomic_size_t next;
	atomic_int err; // the first error; 1: the file is shorter
};

static __attribute__((format(printf, 3, 4))) int fail(
	const struct reader *reader, int err, const char *format, ...)
{
	int n = snprintf(reader->error, GEN_ERROR_SIZE, "%s: ", reader->path);
	va_list args;

	va_start(args, format);
	if (n >= 0 && n < GEN_ERROR_SIZE)
		vsnprintf(reader->error + n, GEN_ERROR_SIZE - (size_t)n, format, args);
	va_end(args);
	return err;
}

// Bytes of the file. @return 0, -errno, or 1: it became shorter
static int bytes_read(const struct reader *reader, uint64_t from, void *to, size_t size)
{
	uint8_t *at = to;

	while (size > 0) {
		ssize_t n = pread(reader->fd, at, size, (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 1;
		at += n;
		from += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_failed(const struct reader *reader, int err)
{
	if (err < 0)
		return fail(reader, err, "cannot read: %s", strerror(-err));
	return fail(reader, -EBADMSG, "expected %llu bytes, the file became shorter",
		(unsigned long long)reader->size);
}

static void pieces_read(void *ctx, unsigned member)
{
	struct pieces *pieces = ctx;
	size_t i;

	while (atomic_load(&pieces->err) == 0 &&
		(i = atomic_fetch_add(&pieces->next, 1)) < pieces->n) {
		uint64_t at = (uint64_t)i * GEN_PIECE, left = pieces->size - at;
		size_t size = left < GEN_PIECE ? (size_t)left : GEN_PIECE;
		int err = bytes_read(pieces->reader, pieces->from + at, pieces->names + at, size);
		int none = 0;

		if (err != 0)
			atomic_compare_exchange_strong(&pieces->err, &none, err);
		else
			gen_piece_hash(pieces->names + at, size, pieces->hashes[i]);
	}
}

static int header_check(const struct reader *reader, const struct gen_header *header)
{
	if (memcmp(header->magic, GEN_MAGIC, sizeof(header->magic)) != 0)
		return fail(reader, -EBADMSG, "expected a file written by dnsweir-list compile");
	if (header->order != GEN_ORDER)
		return fail(reader, -EBADMSG,
			"expected the byte order of this computer; compile the lists on one like "
			"it");
	if (header->version != GEN_VERSION || header->header_size != sizeof(*header) ||
		header->list_size != sizeof(struct gen_list))
		return fail(reader, -EBADMSG,
			"expected version %u, got version %u; compile the lists again", GEN_VERSION,
			header->version);
	if (header->file_size != reader->size)
		return fail(reader, -EBADMSG, "expected %llu bytes, got %llu",
			(unsigned long long)header->file_size, (unsigned long long)reader->size);
	if (header->n_lists > POLICY_LISTS_MAX ||
		header->names_at != gen_names_at(header->n_lists) ||
		header->names_at > header->file_size ||
		header->patterns_size > header->file_size - header->names_at ||
		header->names_size != header->file_size - header->names_at - header->patterns_size)
		return fail(reader, -EBADMSG, "expected sizes that add up to those of the file");
	return 0;
}

static bool text_good(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	return size < room && text_utf8_clean(text, size);
}

static int lists_check(const struct reader *reader, const struct gen *gen)
{
	for (unsigned i = 0; i < gen->n_lists; i++) {
		const struct gen_list *list = &gen->lists[i];

		if (!text_good(list->name, sizeof(list->name)) || list->action >= POLICY_ACTIONS ||
			!text_good(list->source, sizeof(list->source)) ||
			!text_good(list->first_bad, sizeof(list->first_bad)))
			return fail(reader, -EBADMSG, "expected a name and an action for list %u",
				i + 1);
	}
	return 0;
}

#define SAMPLE 64 // names looked up

struct sample {
	const struct fqdn_table *table;
	unsigned n;
	bool found;
};

static int sample_take(
	void *ctx, const uint8_t *name, const struct fqdn_rule *const *rules, unsigned n_rules)
{
	struct sample *sample = ctx;
	const struct fqdn_rule *there[FQDN_RULES_MAX];

	sample->found = fqdn_table_rules(sample->table, name, there) == n_rules;
	return ++sample->n == SAMPLE || !sample->found;
}

static int names_find(const struct reader *reader, const struct fqdn_table *table)
{
	struct sample sample = {.table = table, .found = true};

	fqdn_table_each(table, sample_take, &sample);
	return sample.found ? 0
			    : fail(reader, -EBADMSG,
				      "expected names that this program finds, got those of "
				      "another make; compile the lists again");
}

// Lists and names to their places, with the hash of what was read.
static int parts_read(const struct reader *reader, const struct gen_header *header, struct gen *gen,
	uint8_t hash[GEN_HASH_SIZE])
{
	struct pieces pieces = {.reader = reader,
		.names = (uint8_t *)gen->names,
		.from = header->names_at,
		.size = header->names_size,
		.n = gen_n_pieces(header->names_size)};
	size_t n_hashes = pieces.n;
	int err =
		bytes_read(reader, sizeof(*header), gen->lists, header->names_at - sizeof(*header));

	if (err != 0)
		return read_failed(reader, err);
	pieces.hashes = calloc(pieces.n + 1, sizeof(*pieces.hashes));
	if (!pieces.hashes)
		return fail(reader, -ENOMEM, "%s", strerror(ENOMEM));
	crew_run(pieces.n > 8 ? crew_size() : 1, pieces_read, &pieces);
	err = atomic_load(&pieces.err);
	if (err == 0 && gen->patterns_size > 0) {
		err = bytes_read(reader, header->names_at + header->names_size, gen->patterns,
			gen->patterns_size);
		gen_piece_hash(gen->patterns, gen->patterns_size, pieces.hashes[n_hashes++]);
	}
	gen_hash(header, gen->lists, pieces.hashes, n_hashes, hash);
	free(pieces.hashes);
	return err != 0 ? read_failed(reader, err) : 0;
}

static int body_read(const struct reader *reader, const struct gen_header *header, struct gen *gen)
{
	uint8_t hash[GEN_HASH_SIZE];
	const char *expected;
	int err;

	gen->created = header->created;
	gen->file_size = header->file_size;
	gen->n_lists = header->n_lists;
	gen->names_size = header->names_size;
	gen->lists = malloc(header->names_at - sizeof(*header) + 1);
	gen->names = block_alloc(header->names_size, -1);
	gen->patterns_size = header->patterns_size;
	if (gen->patterns_size > 0)
		gen->patterns = block_alloc(gen->patterns_size, -1);
	if (!gen->lists || !gen->names || (gen->patterns_size > 0 && !gen->patterns))
		return fail(reader, -ENOMEM, "%llu bytes: %s", (unsigned long long)reader->size,
			strerror(ENOMEM));
	err = parts_read(reader, header, gen, hash);
	if (err < 0)
		return err;
	if (memcmp(hash, header->hash, sizeof(header->hash)) != 0)
		return fail(reader, -EBADMSG, "expected another checksum; the file is damaged");
	err = lists_check(reader, gen);
	if (err < 0)
		return err;
	expected = fqdn_table_check(gen->names, gen->names_size, gen->n_lists);
	if (!expected && gen->patterns)
		expected = pattern_book_check(
			gen->patterns, gen->patterns_size, fqdn_table_n_rules(gen->names));
	return expected ? fail(reader, -EBADMSG, "expected %s", expected)
			: names_find(reader, gen->names);
}

static int file_read(struct reader *reader, struct gen *gen)
{
	struct gen_header header;
	struct stat st;
	int err;

	// Non-blocking, so that a pipe without a writer does not hold up the load.
	reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (reader->fd < 0 || fstat(reader->fd, &st) < 0)
		return fail(reader, -errno, "cannot read: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(reader, -EINVAL, "cannot read: expected a regular file");
	reader->size = (uint64_t)st.st_size;
	if (reader->size < sizeof(header))
		return fail(reader, -EBADMSG,
			"expected a file written by dnsweir-list compile, got one of %llu bytes",
			(unsigned long long)reader->size);
	err = bytes_read(reader, 0, &header, sizeof(header));
	if (err != 0)
		return read_failed(reader, err);
	err = header_check(reader, &header);
	return err < 0 ? err : body_read(reader, &header, gen);
}

int gen_open(const char *path, struct gen *gen, char *error)
{
	struct reader reader = {.path = path, .error = error, .fd = -1};
	int err;

	*gen = (struct gen){0};
	err = file_read(&reader, gen);
	if (reader.fd >= 0)
		close(reader.fd);
	if (err < 0)
		gen_close(gen);
	return err;
}

void gen_close(struct gen *gen)
{
	free(gen->lists);
	block_free(gen->names, gen->names_size);
	block_free(gen->patterns, gen->patterns_size);
	*gen = (struct gen){0};
}
