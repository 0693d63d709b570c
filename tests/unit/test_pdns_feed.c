/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The feed of a dataset: it has what the dataset has.
 */
#include "pdns_bed.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "pdns/pdns_feed.h"

static void feed_open_again(void)
{
	const struct pdns_options options = {
		.mode = PDNS_WRITE, .feed_size = 64 << 20, .feed_keep_s = 3600};

	pdns_close(bed.pdns);
	cr_assert_eq(pdns_open(bed.path, &options, &bed.pdns), 0);
	cr_assert(pdns_has_feed(bed.pdns));
}

static void up(void)
{
	bed_up();
	feed_open_again();
}

TestSuite(pdns_feed, .init = up, .fini = bed_down);

static void answer_put(const char *name, const char *type, const char *data, int64_t time_s)
{
	bed_msg(name);
	bed_rr(BED_ANSWER, name, type, data);
	cr_assert_eq(bed_observe(PDNS_CLIENT, time_s, NULL), 1);
}

// Rows from one on, as bed_visit writes them. Those that are new only, if so asked.
static unsigned rows_read(uint64_t from, const struct pdns_question *q, bool only_new)
{
	struct pdns_feed_reader *reader;
	struct pdns_feed_row row;
	uint64_t next = from;
	int err;

	bed_forget();
	cr_assert_eq(pdns_feed_reader_open(bed.pdns, from, &reader), 0);
	while ((err = pdns_feed_read(reader, 0, &row)) == 1) {
		cr_assert_eq(row.number, next++);
		if (!pdns_feed_wanted(q, &row) ||
			(only_new && pdns_feed_is_new(bed.pdns, &row) != 1))
			continue;
		row.tuple.cursor = (const uint8_t *)"";
		bed_visit(NULL, &row.tuple);
	}
	cr_assert_eq(err, 0);
	pdns_feed_reader_close(reader);
	return bed.n_found;
}

static const struct pdns_question all = {.types = PDNS_ANY_AT_ALL};

Test(pdns_feed, rows_are_what_each_flush_wrote)
{
	answer_put("a.example", "A", "192.0.2.1", 1000);
	answer_put("a.example", "A", "192.0.2.1", 2000);
	answer_put("b.example", "MX", "10 Mail.example.net.", 3000);
	cr_assert_eq(rows_read(0, &all, false), 3);
	cr_expect_str_eq(bed.found[0], "a.example A a.example 1 1000 1000 1 192.0.2.1");
	cr_expect_str_eq(bed.found[1], "a.example A a.example 1 2000 2000 1 192.0.2.1");
	cr_expect_str_eq(bed.found[2], "b.example MX b.example 1 3000 3000 1 10 mail.example.net");
	cr_expect_eq(rows_read(2, &all, false), 1);
}

Test(pdns_feed, what_is_new_is_what_nothing_older_is_known_of)
{
	answer_put("a.example", "A", "192.0.2.1", 1000);
	answer_put("a.example", "A", "192.0.2.1", 1000);
	feed_open_again();
	answer_put("a.example", "A", "192.0.2.1", 1000);
	answer_put("a.example", "A", "192.0.2.2", 2000);
	cr_assert_eq(rows_read(0, &all, true), 2);
	cr_expect_str_eq(bed.found[0], "a.example A a.example 1 1000 1000 1 192.0.2.1");
	cr_expect_str_eq(bed.found[1], "a.example A a.example 1 2000 2000 1 192.0.2.2");
	// What comes late makes the other one known before.
	answer_put("a.example", "A", "192.0.2.2", 500);
	cr_assert_eq(rows_read(0, &all, true), 1);
}

Test(pdns_feed, conditions_are_those_of_questions)
{
	struct pdns_question q;

	answer_put("www.example.com", "A", "192.0.2.1", 1000);
	answer_put("example.com", "AAAA", "2001:db8::1", 1000);
	answer_put("www.example.org", "A", "192.0.2.1", 1000);
	answer_put("badexample.com", "A", "192.0.2.1", 1000);
	q = bed_by(PDNS_BY_OWNER, PDNS_SUBTREE, "Example.com");
	cr_expect_eq(rows_read(0, &q, false), 2);
	q.scope = PDNS_BELOW;
	cr_expect_eq(rows_read(0, &q, false), 1);
	q.scope = PDNS_EXACT;
	cr_expect_eq(rows_read(0, &q, false), 1);
	q = bed_by(PDNS_BY_OWNER, PDNS_START, "www.example");
	cr_expect_eq(rows_read(0, &q, false), 2);
	q = (struct pdns_question){.types = PDNS_ONE, .type = 28};
	cr_expect_eq(rows_read(0, &q, false), 1);
	q = (struct pdns_question){.classes = PDNS_CLASS_BIT(PDNS_RESOLVER)};
	cr_expect_eq(rows_read(0, &q, false), 0);
	q = (struct pdns_question){0};
	q.bailiwick = bed_name("Example.com", &q.bailiwick_size);
	cr_expect_eq(rows_read(0, &q, false), 2);
}

Test(pdns_feed, cursors_are_good_for_their_feed)
{
	char cursor[PDNS_FEED_CURSOR_SIZE], other[PDNS_FEED_CURSOR_SIZE];
	uint64_t row;

	answer_put("a.example", "A", "192.0.2.1", 1000);
	pdns_feed_cursor(bed.pdns, 1, cursor);
	feed_open_again();
	cr_expect(pdns_feed_cursor_parse(bed.pdns, cursor, &row) == 0 && row == 1);
	pdns_feed_cursor(bed.pdns, 2, other);
	cr_expect_eq(pdns_feed_cursor_parse(bed.pdns, other, &row), -ESTALE);
	strcpy(other, cursor);
	other[0] = other[0] == '0' ? '1' : '0';
	cr_expect_eq(pdns_feed_cursor_parse(bed.pdns, other, &row), -ESTALE);
	cursor[3] = 'x';
	cr_expect_eq(pdns_feed_cursor_parse(bed.pdns, cursor, &row), -EINVAL);
	cr_expect_eq(pdns_feed_cursor_parse(bed.pdns, "now", &row), -EINVAL);
}

// What cannot be written now is written later, and is in the feed once.
Test(pdns_feed, a_full_disk_repeats_nothing)
{
	const struct rlimit plenty = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit short_of = {1 << 20, RLIM_INFINITY};
	struct pdns_tuple t = {.type = 16, .count = 1};
	uint8_t rdata[256] = {255};
	uint32_t state = 1;

	t.owner = bed_name("a.example", &t.owner_size);
	t.rdata = rdata;
	t.rdata_size = sizeof(rdata);
	signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned at = 5; at < sizeof(rdata); at++)
			rdata[at] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
		store_be32(rdata + 1, i);
		cr_assert_eq(pdns_put(bed.pdns, &t), 0);
	}
	for (unsigned i = 0; i < 4; i++, short_of.rlim_cur += 700000) {
		cr_assert_eq(setrlimit(RLIMIT_FSIZE, &short_of), 0);
		cr_expect_lt(pdns_flush(bed.pdns), 0);
		cr_assert_eq(rows_read(0, &all, false), bed_everything());
	}
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &plenty), 0);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	cr_assert_eq(bed_everything(), 20000);
	cr_assert_eq(rows_read(0, &all, false), 20000);
	cr_assert_eq(rows_read(0, &all, true), 20000);
	feed_open_again();
	cr_assert_eq(rows_read(0, &all, false), 20000);
}

Test(pdns_feed, what_another_process_imports_is_not_in_it)
{
	answer_put("a.example", "A", "192.0.2.1", 1000);
	bed_close();
	bed_open(PDNS_WRITE);
	cr_expect(!pdns_has_feed(bed.pdns));
	answer_put("b.example", "A", "192.0.2.1", 1000);
	feed_open_again();
	answer_put("c.example", "A", "192.0.2.1", 1000);
	cr_assert_eq(rows_read(0, &all, false), 2);
	cr_expect_str_eq(bed.found[1], "c.example A c.example 1 1000 1000 1 192.0.2.1");
}
