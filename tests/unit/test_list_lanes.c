/* SPDX-License-Identifier: BSD-3-Clause */
// One list, read by one thread and by several: the same entries, and the same words about bad lines.
#include "list/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns/dns_const.h"
#include "support/random.h"
#include "support/test.h"

#define LINES_MAX 200000
#define LANES     8

// An entry, by its line.
struct entry {
	uint8_t name_size, scope;
	uint16_t first_day;
	uint8_t name[DNS_NAME_SIZE_MAX];
};

struct taken {
	struct entry *entries; // by line, LINES_MAX of them
	char *bad;
	size_t bad_size, bad_room;
	unsigned last_line[LANES];
	uint64_t last_done;
	bool disorder;
	unsigned fail_at; // line
	struct list_counts counts;
};

static char *text;
static size_t text_size;

static void line_put(const char *line, size_t size)
{
	memcpy(text + text_size, line, size);
	text_size += size;
}

static int entry_take(void *ctx, unsigned lane, const struct list_entry *entry)
{
	struct taken *t = ctx;
	struct entry *to = &t->entries[entry->line];

	// Lines of a lane ascend, and no line is handed over twice.
	if (lane >= LANES || entry->line <= t->last_line[lane] || to->name_size)
		t->disorder = true;
	else
		t->last_line[lane] = entry->line;
	to->name_size = entry->name_size;
	to->scope = entry->scope;
	to->first_day = entry->first_day;
	memcpy(to->name, entry->name, entry->name_size);
	return entry->line == t->fail_at ? -ECANCELED : 0;
}

static void bad_take(void *ctx, unsigned line, const char *what)
{
	struct taken *t = ctx;

	if (t->bad_room - t->bad_size < 1024) {
		t->bad_room = 2 * t->bad_room + (1 << 20);
		t->bad = realloc(t->bad, t->bad_room);
		cr_assert_not_null(t->bad);
	}
	t->bad_size += (size_t)snprintf(t->bad + t->bad_size, 1024, "%u: %s\n", line, what);
}

static void progress_take(void *ctx, uint64_t good, uint64_t done, uint64_t size)
{
	struct taken *t = ctx;

	if (done < t->last_done || done > size || good > LINES_MAX)
		t->disorder = true;
	t->last_done = done;
}

static int read_by(unsigned lanes, struct taken *t)
{
	const struct list_options options = {.format = LIST_AUTO, .min_labels = 2, .lanes = lanes};
	const struct list_sink sink = {t, entry_take, bad_take, progress_take};
	char path[] = "/tmp/test_list_lanes.XXXXXX";
	int fd = mkstemp(path), err;

	cr_assert(fd >= 0 && write(fd, text, text_size) == (ssize_t)text_size);
	close(fd);
	t->entries = calloc(LINES_MAX, sizeof(*t->entries));
	cr_assert_not_null(t->entries);
	err = list_read(path, &options, &sink, &t->counts);
	unlink(path);
	return err;
}

static void taken_free(struct taken *t)
{
	free(t->entries);
	free(t->bad);
}

static void lanes_compare(void)
{
	struct taken one = {0}, many = {0};

	cr_assert(read_by(1, &one) == 0);
	cr_assert(read_by(LANES, &many) == 0);
	cr_assert(!one.disorder && !many.disorder);
	cr_assert(one.counts.lines == many.counts.lines && one.counts.good == many.counts.good &&
		  one.counts.bad == many.counts.bad);
	cr_assert(memcmp(one.entries, many.entries, LINES_MAX * sizeof(*one.entries)) == 0);
	cr_assert(one.bad_size == many.bad_size && one.bad_size > 0 &&
		  memcmp(one.bad, many.bad, one.bad_size) == 0);
	cr_assert(one.last_done == text_size && many.last_done == text_size);
	taken_free(&one);
	taken_free(&many);
}

static void text_begin(const char *first)
{
	text = malloc(64 << 20);
	cr_assert_not_null(text);
	text_size = 0;
	line_put(first, strlen(first));
}

Test(list_lanes, names_are_the_same_by_one_thread_and_by_eight)
{
	static const char *const ends[] = {
		"\n", "\r\n", " \n", "\t# why\n", ".\n", ".\r\n", "..\n"};
	static const char *const odd[] = {"\n", "# a comment\n", "192.0.2.1\n", "a b\n", ".com\n",
		"\xc3\xbcml.example\n", "1.2.3\n", "\\065.example\n", "a..example\n", "*\n"};
	static const char *const fronts[] = {"", "", "", ".", "*.", "*", ".."};
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_";
	uint64_t state = 7;

	text_begin("\xef\xbb\xbf");
	for (unsigned i = 0; i < 150000; i++) {
		unsigned size = random_next(&state) % 16 ? random_next(&state) % 30 + 1
							 : random_next(&state) % 100 + 1;
		const char *end = ends[random_next(&state) % 64 % 8 ? 0 : random_next(&state) % 7];
		const char *front = fronts[random_next(&state) % 7];

		if (random_next(&state) % 32 == 0) {
			front = odd[random_next(&state) % 10];
			line_put(front, strlen(front));
			continue;
		}
		line_put(front, strlen(front));
		for (unsigned j = 0; j < size; j++)
			line_put(j && random_next(&state) % 6 == 0
					 ? "."
					 : &set[random_next(&state) % (sizeof(set) - 1)],
				1);
		line_put(end, strlen(end));
	}
	lanes_compare();
	free(text);
}

Test(list_lanes, every_entry_is_what_its_line_says_read_with_care)
{
	struct taken t = {0};
	unsigned n = 0, line = 0;
	char *end;

	text_begin("");
	// All lengths that the quick way takes and more, with the end of the file behind each.
	for (unsigned size = 1; size <= 300; size++)
		for (unsigned dots = 0; dots < 60; dots += 7) {
			for (unsigned i = 0; i < size; i++)
				line_put(dots && i % (dots + 2) == dots ? "." : &"Zk-9_qA"[i % 7],
					1);
			line_put("\n", 1);
		}
	text_size--;
	cr_assert(read_by(3, &t) == 0 && !t.disorder);
	for (char *at = text; at < text + text_size; at = end + 1) {
		uint8_t name[DNS_NAME_SIZE_MAX] = {0};
		enum list_scope scope;
		const char *error;
		int size;

		end = memchr(at, '\n', (size_t)(text + text_size - at));
		end = end ? end : text + text_size;
		size = list_name_parse(at, (size_t)(end - at), name, &scope, &error);
		line++;
		cr_assert(t.entries[line].name_size == (size < 0 ? 0 : size), "line %u", line);
		n += size > 0;
		if (size > 0)
			cr_assert(t.entries[line].scope == scope &&
					  memcmp(t.entries[line].name, name, (size_t)size) == 0,
				"line %u", line);
	}
	cr_assert(n > 1000 && t.counts.good == n && t.counts.lines == line);
	taken_free(&t);
	free(text);
}

Test(list_lanes, lines_of_any_length_cross_blocks)
{
	uint64_t state = 3;

	text_begin("first.example\n");
	while (text_size < 4u << 20) {
		size_t size = random_next(&state) % 4 ? random_next(&state) % 8000
						      : random_next(&state) % 700000;

		memset(text + text_size, 'x', size);
		text_size += size;
		line_put("\ngood.example\n", 14);
	}
	lanes_compare();
	free(text);
}

Test(list_lanes, catalogues_with_quotes_are_the_same)
{
	uint64_t state = 5;
	char line[256];

	text_begin("# exported\n\nid,fqdn,behaviour,start,end\n");
	for (unsigned i = 0; i < 40000; i++) {
		unsigned day = random_next(&state) % 33;
		int size = snprintf(line, sizeof(line),
			"%sEX-%u%s,%sn%u.example,\"a \"\"b\"\", %u\",2026-07-%02u,%s\n",
			i % 5 ? "" : "\"", i / 9, i % 5 ? "" : "\"", i % 3 ? "" : "*.", i, i, day,
			i % 7 ? "" : "2026-08-01");

		line_put(line, (size_t)size);
	}
	lanes_compare();
	free(text);
}

Test(list_lanes, the_header_may_stand_behind_many_blocks_of_comments)
{
	text_begin("");
	while (text_size < 1u << 20)
		line_put("# nothing but words\n\n", 21);
	line_put("id,fqdn,behaviour,start,end\n", 28);
	for (unsigned i = 0; i < 20000; i++)
		line_put(i % 100 ? "EX,c2.example,why,2026-07-01,\n"
				 : "EX,c2.example,why,2026-07-99,\n",
			30);
	lanes_compare();
	free(text);
}

Test(list_lanes, an_entry_that_fails_ends_the_reading_of_all)
{
	struct taken t = {.fail_at = 1000};

	text_begin("");
	for (unsigned i = 0; i < 190000; i++)
		line_put("example.com\n", 12);
	cr_assert(read_by(LANES, &t) == -ECANCELED);
	cr_assert(t.counts.good < 190000);
	taken_free(&t);
	free(text);
}
