/* SPDX-License-Identifier: BSD-3-Clause */
#include "gen/gen_private.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/block.h"
#include "fqdn/fqdn_table_private.h"
#include "pattern/pattern_private.h"
#include "support/random.h"
#include "support/folder.h"

static char folder[] = "/tmp/test_gen_XXXXXX";
static char path[64], error[GEN_ERROR_SIZE];

static void set_up(void)
{
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/g.gen", folder);
}

static void tear_down(void)
{
	folder_remove(folder);
}

TestSuite(gen, .init = set_up, .fini = tear_down);

static uint8_t name_wire(const char *text, uint8_t name[DNS_NAME_SIZE_MAX])
{
	int size = dns_name_parse(text, strlen(text), name);

	cr_assert(size > 0, "%s", text);
	return (uint8_t)size;
}

static void name_add(
	struct fqdn_builder *b, const char *text, struct fqdn_rule rule, const char *id)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	uint8_t size = name_wire(text, name);

	rule.id = (uint32_t)fqdn_builder_id(b, rule.list, id);
	cr_assert(fqdn_builder_add(b, name, size, &rule) >= 0);
}

// Names of every depth, with days and identifiers, some in two lists.
static struct fqdn_table *table_make(unsigned n, bool single)
{
	struct fqdn_builder *b = fqdn_builder_create();
	struct fqdn_table *t;
	uint64_t seed = 7;

	for (unsigned i = 0; i < n; i++) {
		uint64_t r = random_next(&seed);
		struct fqdn_rule rule = {.list = (uint16_t)(r % 3),
			.scope = (uint8_t)(r >> 8) % 3,
			.verdict = (uint8_t)(r % 3),
			.first_day = (uint16_t)(r >> 16 & 1 ? 0 : r >> 20),
			.last_day = UINT16_MAX};
		char text[128], id[32];

		snprintf(id, sizeof(id), "EX-%u", i % 1000);
		snprintf(text, sizeof(text),
			r >> 40 & 1 ? "n%u.example" : "w%u.a-longer-label-than-most.z%u.test", i,
			i % 100);
		name_add(b, text, rule, r >> 42 & 1 ? "" : id);
		if (r >> 41 & 1) {
			rule.list = 2;
			rule.verdict = 2;
			name_add(b, text, rule, "");
		}
	}
	if (single)
		name_add(b, "localhost", (struct fqdn_rule){.last_day = UINT16_MAX}, "");
	t = fqdn_builder_finish(b);
	cr_assert(t);
	fqdn_builder_destroy(b);
	return t;
}

static struct gen_list lists[3] = {
	{.name = "c2",
		.source = "/lists/c2.csv",
		.first_bad = "c2.csv:3: expected \xe6\x82\xaa",
		.good = 5,
		.bad = 1,
		.mtime = 1700000000,
		.action = POLICY_SINKHOLE},
	{.name = "watch", .source = "w\x1b[2J.txt", .good = 7, .action = POLICY_LOG},
	{.name = "ours", .source = "o.txt", .good = 9, .action = POLICY_ALLOW},
};

static struct pattern_book *book_make(void)
{
	struct pattern_builder *b = pattern_builder_create();
	const struct pattern first = {.expression = "^evil[0-9]", .line = 7};
	const struct pattern second = {.expression = "x", .flags = PATTERN_UCP, .line = 9};
	struct pattern_book *book;

	cr_assert(pattern_builder_add(b, &first) == 0 && pattern_builder_add(b, &second) == 0);
	book = pattern_book_make(b);
	pattern_builder_destroy(b);
	cr_assert(book);
	return book;
}

static void file_make(unsigned n, bool single)
{
	struct fqdn_table *t = table_make(n, single);
	struct pattern_book *book = book_make();
	struct gen gen = {.created = 1700000001,
		.n_lists = 3,
		.lists = lists,
		.names = t,
		.names_size = fqdn_table_size(t),
		.patterns = book,
		.patterns_size = book->size};

	cr_assert(gen_write(path, &gen, error) > 0, "%s", error);
	block_free(t, fqdn_table_size(t));
	free(book);
}

static uint8_t *file_bytes(size_t *size)
{
	FILE *file = fopen(path, "r");
	uint8_t *bytes = malloc(1 << 20);

	cr_assert(file && bytes);
	*size = fread(bytes, 1, 1 << 20, file);
	cr_assert(*size < 1 << 20);
	fclose(file);
	return bytes;
}

static void file_put(const uint8_t *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	// Not cut first: file systems wait for the disk when a file is cut and written again.
	cr_assert(fd >= 0);
	cr_assert(write(fd, bytes, size) == (ssize_t)size);
	cr_assert_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

// As whoever changes a file on purpose would do it.
static void hash_mend(uint8_t *bytes, size_t size)
{
	struct gen_header *header = (struct gen_header *)(void *)bytes;
	const uint64_t names_at = gen_names_at(3);
	struct gen_header as_read = *header;
	uint8_t pieces[8][GEN_HASH_SIZE];
	// In a header that is damaged it may be anything.
	size_t patterns = header->patterns_size < size - names_at ? header->patterns_size : 0;
	size_t n = gen_n_pieces(size - patterns - names_at);

	as_read.names_at = names_at;
	cr_assert_lt(n, 7);
	for (size_t i = 0; i < n; i++) {
		size_t at = names_at + i * GEN_PIECE, left = size - patterns - at;

		gen_piece_hash(bytes + at, left < GEN_PIECE ? left : GEN_PIECE, pieces[i]);
	}
	if (patterns > 0)
		gen_piece_hash(bytes + size - patterns, patterns, pieces[n++]);
	gen_hash(&as_read, bytes + sizeof(*header), pieces, n, header->hash);
}

Test(gen, what_is_read_is_what_was_built)
{
	struct fqdn_table *t = table_make(100000, true);
	struct gen gen = {.created = 1700000001,
			   .n_lists = 3,
			   .lists = lists,
			   .names = t,
			   .names_size = fqdn_table_size(t)},
		   back;
	int64_t size = gen_write(path, &gen, error);
	struct stat st;

	cr_assert(size > 0, "%s", error);
	cr_assert(stat(path, &st) == 0 && st.st_size == size);
	cr_assert_eq(st.st_mode & 0777, 0644);
	cr_assert(gen_open(path, &back, error) == 0, "%s", error);
	cr_assert_eq(back.created, 1700000001);
	cr_assert_eq(back.file_size, (uint64_t)size);
	cr_assert_eq(back.n_lists, 3);
	cr_assert_eq(back.names_size, fqdn_table_size(t));
	cr_assert(memcmp(back.names, t, back.names_size) == 0);
	cr_assert(memcmp(&back.lists[0], &lists[0], sizeof(lists[0])) == 0);
	cr_assert_str_eq(
		back.lists[1].source, "w?[2J.txt", "what does not print is not in the file");
	cr_assert_eq(back.lists[2].action, POLICY_ALLOW);
	gen_close(&back);
	block_free(t, fqdn_table_size(t));
}

struct seen {
	const struct fqdn_table *table;
	uint64_t names, rules;
};

static int name_seen(
	void *ctx, const uint8_t *name, const struct fqdn_rule *const *rules, unsigned n)
{
	struct seen *seen = ctx;
	const struct fqdn_rule *found[FQDN_RULES_MAX];

	cr_assert_eq(fqdn_table_rules(seen->table, name, found), n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(found[i], rules[i]);
	seen->names++;
	seen->rules += n;
	return 0;
}

static int name_stop(
	void *ctx, const uint8_t *name, const struct fqdn_rule *const *rules, unsigned n)
{
	return ++*(int *)ctx == 3 ? 42 : 0;
}

Test(gen, patterns_are_kept_as_they_were_written)
{
	struct pattern pattern;
	struct gen gen;

	file_make(3, false);
	cr_assert_eq(gen_open(path, &gen, error), 0, "%s", error);
	cr_assert(gen.patterns);
	cr_assert_eq(pattern_book_count(gen.patterns), 2);
	pattern_book_get(gen.patterns, 0, &pattern);
	cr_expect_str_eq(pattern.expression, "^evil[0-9]");
	cr_expect(pattern.line == 7 && pattern.flags == 0 && pattern.rule == 0);
	pattern_book_get(gen.patterns, 1, &pattern);
	cr_expect_str_eq(pattern.expression, "x");
	cr_expect_eq(pattern.flags, PATTERN_UCP);
	gen_close(&gen);
}

Test(gen, every_name_is_walked_over_once_and_found)
{
	for (unsigned single = 0; single < 2; single++) {
		struct fqdn_table *t = table_make(20000, single);
		struct seen seen = {.table = t};
		uint64_t counts[3] = {0};
		int n = 0;

		cr_assert_eq(fqdn_table_each(t, name_seen, &seen), 0);
		cr_assert_eq(seen.names, fqdn_table_names(t));
		cr_assert_eq(seen.names, 20000 + single);
		cr_assert_gt(seen.rules, seen.names);
		fqdn_table_count_active(t, UINT16_MAX, counts, 3);
		cr_assert_eq(seen.rules, counts[0] + counts[1] + counts[2]);
		cr_assert_eq(fqdn_table_each(t, name_stop, &n), 42);
		cr_assert_eq(n, 3);
		block_free(t, fqdn_table_size(t));
	}
}

Test(gen, an_empty_table_and_no_list_are_a_generation)
{
	struct fqdn_table *t = table_make(0, false);
	struct gen gen = {.names = t, .names_size = fqdn_table_size(t)}, back;

	cr_assert(gen_write(path, &gen, error) > 0);
	cr_assert(gen_open(path, &back, error) == 0, "%s", error);
	cr_assert_eq(fqdn_table_names(back.names), 0);
	gen_close(&back);
	block_free(t, fqdn_table_size(t));
}

Test(gen, a_change_of_any_byte_is_refused)
{
	uint8_t *bytes;
	struct gen gen;
	size_t size;

	file_make(12, true);
	bytes = file_bytes(&size);
	for (size_t i = 0; i < size; i++) {
		uint8_t was = bytes[i];

		bytes[i] = (uint8_t)(was ^ (i % 2 ? 0x80 : 0x01));
		file_put(bytes, size);
		cr_assert(gen_open(path, &gen, error) == -EBADMSG, "byte %zu", i);
		cr_assert(strncmp(error, path, strlen(path)) == 0 && strstr(error, ": expected "),
			"%s", error);
		cr_assert_null(strchr(error, '\n'));
		bytes[i] = was;
	}
	file_put(bytes, size);
	cr_assert(gen_open(path, &gen, error) == 0, "%s", error);
	gen_close(&gen);
	free(bytes);
}

Test(gen, a_file_of_any_other_length_is_refused)
{
	uint8_t *bytes;
	struct gen gen;
	size_t size;

	file_make(12, false);
	bytes = file_bytes(&size);
	bytes[size] = 0;
	for (size_t n = 0; n <= size + 1; n++) {
		if (n == size)
			continue;
		file_put(bytes, n);
		cr_assert(gen_open(path, &gen, error) == -EBADMSG, "%zu bytes", n);
	}
	free(bytes);
}

// Every call that a worker or a tool makes, over whatever was let through.
static void table_use(const struct gen *gen)
{
	static const char *const names[] = {"localhost", "n1.example", "x.n2.example", "w3.a.test",
		"w5.a-longer-label-than-most.z5.test", "y.w6.a-longer-label-than-most.z6.test",
		"nope.invalid"};
	// Exactly what a worker's copy has, so that a read behind it is seen.
	size_t size = fqdn_table_worker_size(gen->names);
	struct fqdn_table *copy = aligned_alloc(64, size);
	uint64_t counts[3] = {0};
	int n = -1000000;

	memcpy(copy, gen->names, size);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint8_t name[DNS_NAME_SIZE_MAX + 32] = {0};
		const struct fqdn_rule *rules[FQDN_RULES_MAX];
		struct dns_labels labels;
		struct fqdn_match match;

		name_wire(names[i], name);
		dns_name_labels(name, &labels);
		if (fqdn_lookup(copy, &labels, 5000, &match) && match.block)
			cr_assert_lt(match.block->list, 3);
		for (unsigned r = fqdn_table_rules(gen->names, name, rules); r-- > 0;)
			cr_assert(strlen(fqdn_table_id(gen->names, rules[r])) <
				  size + gen->names_size);
	}
	fqdn_table_count_active(copy, 5000, counts, 3);
	fqdn_table_each(copy, name_stop, &n);
	free(copy);
	for (uint32_t i = 0; gen->patterns && i < pattern_book_count(gen->patterns); i++) {
		struct pattern pattern;

		pattern_book_get(gen->patterns, i, &pattern);
		cr_assert(strlen(pattern.expression) < gen->patterns_size);
		cr_assert(fqdn_table_rule(gen->names, pattern.rule));
	}
}

static bool in_words(size_t at)
{
	return at >= offsetof(struct fqdn_table, word) + 256 && at < sizeof(struct fqdn_table);
}

Test(gen, a_file_changed_on_purpose_is_refused_or_harmless)
{
	static const uint8_t masks[] = {0x01, 0x10, 0x80, 0xff};
	unsigned refused = 0, harmless = 0;

	for (unsigned single = 0; single < 2; single++) {
		uint8_t *bytes;
		size_t size;

		file_make(12, single);
		bytes = file_bytes(&size);
		for (size_t i = sizeof(struct gen_header); i < size; i++)
			for (unsigned m = 0; m < sizeof(masks); m++) {
				struct gen gen;

				// Sources and bad lines are but shown, and few words are in use: a
				// part of their bytes will do.
				if ((i < gen_names_at(3) || in_words(i - gen_names_at(3))) &&
					i % 16)
					continue;
				// So it is with the many zeros of a small table.
				if (bytes[i] == 0 && i % 16)
					continue;
				bytes[i] ^= masks[m];
				hash_mend(bytes, size);
				file_put(bytes, size);
				if (gen_open(path, &gen, error) == 0) {
					table_use(&gen);
					gen_close(&gen);
					harmless++;
				} else {
					refused++;
				}
				bytes[i] ^= masks[m];
			}
		free(bytes);
	}
	cr_assert_gt(refused, 1000);
	cr_assert_gt(harmless, 100);
}

Test(gen, another_version_order_or_hash_is_told_apart)
{
	static const struct {
		size_t offset;
		const char *words;
	} rows[] = {
		{offsetof(struct gen_header, magic),
			"expected a file written by dnsweir-list compile"},
		{offsetof(struct gen_header, version), "expected version 4, got version 5"},
		{offsetof(struct gen_header, order), "expected the byte order of this computer"},
		{offsetof(struct gen_header, list_size), "compile the lists again"},
		{offsetof(struct gen_header, hash),
			"expected another checksum; the file is damaged"},
		{offsetof(struct gen_header, file_size), "expected "},
		{offsetof(struct gen_header, names_at), "expected sizes that add up"},
		{offsetof(struct gen_header, names_size), "expected sizes that add up"},
		{offsetof(struct gen_header, n_lists), "expected sizes that add up"},
		{offsetof(struct gen_header, patterns_size), "expected sizes that add up"},
	};
	uint8_t *bytes;
	size_t size;

	file_make(3, false);
	bytes = file_bytes(&size);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gen gen;

		bytes[rows[i].offset] ^= 1;
		if (rows[i].offset >= GEN_HASHED_FROM)
			hash_mend(bytes, size);
		file_put(bytes, size);
		cr_expect_eq(gen_open(path, &gen, error), -EBADMSG);
		cr_expect(strstr(error, rows[i].words), "%s", error);
		bytes[rows[i].offset] ^= 1;
		hash_mend(bytes, size);
	}
	free(bytes);
}

Test(gen, a_table_whose_names_are_not_found_is_refused)
{
	struct fqdn_table *t = table_make(12, false);
	struct gen gen = {.n_lists = 3,
			   .lists = lists,
			   .names = t,
			   .names_size = fqdn_table_size(t)},
		   back;

	// Another key has the same effect as another way to hash: all names are somewhere else.
	t->key.seed ^= 0x5555;
	cr_assert(gen_write(path, &gen, error) > 0);
	cr_assert_eq(gen_open(path, &back, error), -EBADMSG);
	cr_assert(strstr(error, "expected names that this program finds"), "%s", error);
	block_free(t, fqdn_table_size(t));
}

Test(gen, no_file_a_folder_and_a_pipe_are_refused)
{
	struct gen gen;

	cr_assert_eq(gen_open(path, &gen, error), -ENOENT);
	cr_assert(strstr(error, "g.gen: cannot read: No such file"), "%s", error);
	cr_assert_eq(gen_open(folder, &gen, error), -EINVAL);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(gen_open(path, &gen, error), -EINVAL);
}

Test(gen, a_write_that_fails_leaves_what_was_there)
{
	struct fqdn_table *t = table_make(3, false);
	struct gen gen = {
		.n_lists = 3, .lists = lists, .names = t, .names_size = fqdn_table_size(t)};
	char nowhere[96];
	unsigned n = 0;
	DIR *dir;

	snprintf(nowhere, sizeof(nowhere), "%s/none/g.gen", folder);
	cr_assert_eq(gen_write(nowhere, &gen, error), -ENOENT);
	cr_assert(strstr(error, "none/g.gen: cannot write: No such file"), "%s", error);
	// A folder cannot be replaced by a file; the half-way file goes away again.
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert(gen_write(path, &gen, error) < 0);
	dir = opendir(folder);
	while (readdir(dir))
		n++;
	closedir(dir);
	cr_assert_eq(n, 3, "nothing but the folder, . and ..");
	rmdir(path);
	block_free(t, fqdn_table_size(t));
}
