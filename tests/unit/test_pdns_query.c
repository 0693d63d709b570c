/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What questions find.
 */
#include "pdns_bed.h"

#include <errno.h>

static void put(
	const char *owner, const char *type, const char *text, int64_t first_s, int64_t last_s)
{
	uint8_t rdata[1024];
	struct pdns_tuple t = {.rdata = rdata, .first_s = first_s, .last_s = last_s, .count = 1};
	int number = pdns_type_parse(type), size;

	t.type = (uint16_t)number;
	size = pdns_rdata_parse(t.type, text, rdata);
	cr_assert(number > 0 && size >= 0, "%s %s", type, text);
	t.rdata_size = (size_t)size;
	t.owner = bed_name(owner, &t.owner_size);
	cr_assert_eq(pdns_put(bed.pdns, &t), 0);
}

static void set_up(void)
{
	bed_up();
	put("example.com", "NS", "ns1.example.net", 10, 100);
	put("example.com", "NS", "ns2.example.net", 10, 100);
	put("example.com", "MX", "10 mx.example.com", 20, 90);
	put("example.com", "SOA", "ns1.example.net host.example.com 1 2 3 4 5", 10, 50);
	put("example.com", "SOA", "ns1.example.net host.example.com 2 2 3 4 5", 51, 100);
	put("example.com", "DS", "1 8 2 00", 10, 100);
	put("www.example.com", "A", "192.0.2.1", 10, 20);
	put("www.example.com", "A", "192.0.2.2", 30, 40);
	put("www.example.com", "AAAA", "2001:db8::1", 30, 40);
	put("www.example.org", "A", "192.0.3.1", 50, 60);
	put("www.example.co.jp", "CNAME", "www.example.com", 50, 60);
	put("wwwx.example.com", "A", "192.0.2.1", 10, 20);
	put("notexample.com", "TXT", "\"x\"", 1, 1);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
}

TestSuite(pdns_query, .init = set_up, .fini = bed_down);

Test(pdns_query, names_are_asked_for_whole_and_by_both_ends)
{
	static const struct {
		enum pdns_by by;
		enum pdns_scope scope;
		const char *name;
		unsigned n;
	} rows[] = {
		{PDNS_BY_OWNER, PDNS_EXACT, "www.example.com", 3},
		{PDNS_BY_OWNER, PDNS_EXACT, "WWW.EXAMPLE.COM", 3},
		{PDNS_BY_OWNER, PDNS_EXACT, "com", 0},
		{PDNS_BY_OWNER, PDNS_SUBTREE, "example.com", 10},
		{PDNS_BY_OWNER, PDNS_BELOW, "example.com", 4},
		{PDNS_BY_OWNER, PDNS_SUBTREE, "com", 11},
		{PDNS_BY_OWNER, PDNS_SUBTREE, ".", 13},
		{PDNS_BY_OWNER, PDNS_START, "www.example", 5},
		{PDNS_BY_OWNER, PDNS_START, "www", 5},
		{PDNS_BY_OWNER, PDNS_START, "www.example.com", 3},
		{PDNS_BY_OWNER, PDNS_START, "example", 6},
		{PDNS_BY_OWNER, PDNS_START, "example.com", 6},
		{PDNS_BY_OWNER, PDNS_START, "notexample", 1},
		{PDNS_BY_OWNER, PDNS_START, ".", 13},
		{PDNS_BY_TARGET, PDNS_EXACT, "ns1.example.net", 3},
		{PDNS_BY_TARGET, PDNS_SUBTREE, "example.net", 4},
		{PDNS_BY_TARGET, PDNS_SUBTREE, "com", 4},
		{PDNS_BY_TARGET, PDNS_BELOW, "example.com", 4},
		{PDNS_BY_TARGET, PDNS_SUBTREE, ".", 6},
		{PDNS_BY_TARGET, PDNS_START, "www.example", 1},
		{PDNS_BY_TARGET, PDNS_START, "host", 2},
		{PDNS_BY_TARGET, PDNS_EXACT, "example.net", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(bed_ask(bed_by(rows[i].by, rows[i].scope, rows[i].name)), rows[i].n,
			"row %zu: %u", i, bed.n_found);
}

static void index_put(const char *key, size_t size)
{
	char *error = NULL;

	rocksdb_put(bed.pdns->db, bed.pdns->write_options, key, size, "", 0, &error);
	cr_assert_null(error);
}

Test(pdns_query, an_owner_that_became_a_base_domain_is_found_once)
{
	static const char start[] = "\6\7example\3com";

	index_put(start, sizeof(start));
	cr_expect_eq(bed_owner("example.com"), 6);
	cr_expect_eq(bed_ask(bed_by(PDNS_BY_OWNER, PDNS_START, "example")), 6);
	cr_expect_eq(bed_ask(bed_by(PDNS_BY_OWNER, PDNS_START, "example.com")), 6);
}

// Labels that look like others, with a digit, and not in ASCII: what they look like is no longer them.
Test(pdns_query, base_domains_that_look_like_others_are_found_as_they_are)
{
	static const char *const names[] = {
		"exarnple.com", "0nce.com", "xn--exmple-cua.com", "xn--80ak6aa92e.com", "vv.com"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		put(names[i], "A", "192.0.2.9", 1, 1);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char label[64];

		snprintf(label, sizeof(label), "%.*s", (int)strcspn(names[i], "."), names[i]);
		cr_expect_eq(bed_ask(bed_by(PDNS_BY_OWNER, PDNS_START, label)), 1, "%s", label);
		cr_expect_eq(bed_ask(bed_by(PDNS_BY_OWNER, PDNS_START, names[i])), 1);
	}
	cr_expect_eq(bed_ask(bed_by(PDNS_BY_OWNER, PDNS_START, "example")), 6);
	cr_expect_eq(bed_ask(bed_by(PDNS_BY_OWNER, PDNS_START, ".")), 18);
}

Test(pdns_query, pages_of_names_that_begin_alike_repeat_and_lose_nothing)
{
	static uint8_t cursor[PDNS_CURSOR_MAX];
	struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_START, "example");
	unsigned pages = 0;
	char *seen[16];

	put("example.net", "A", "192.0.2.3", 1, 1);
	put("example.sub.example.com", "A", "192.0.2.3", 1, 1);
	put("example.co.jp", "A", "192.0.2.3", 1, 1);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	for (q.limit = 1; bed_ask(q) == 1; pages++) {
		cr_assert_lt(pages, 16);
		seen[pages] = strdup(bed.found[0]);
		for (unsigned i = 0; i < pages; i++)
			cr_expect_str_neq(seen[i], seen[pages]);
		memcpy(cursor, bed.cursor, bed.cursor_size);
		q.cursor = cursor;
		q.cursor_size = bed.cursor_size;
	}
	cr_expect_eq(pages, 9);
	while (pages > 0)
		free(seen[--pages]);
}

static unsigned by_address(const char *from, const char *to)
{
	struct pdns_question q = {.by = PDNS_BY_ADDRESS, .types = PDNS_ANY_AT_ALL};

	cr_assert(addr_parse(from, &q.from) == 0 && addr_parse(to, &q.to) == 0);
	return bed_ask(q);
}

Test(pdns_query, addresses_are_asked_for_by_range)
{
	cr_expect_eq(by_address("192.0.2.1", "192.0.2.1"), 2);
	cr_expect_eq(by_address("192.0.2.0", "192.0.2.255"), 3);
	cr_expect_eq(by_address("192.0.2.2", "192.0.3.1"), 2);
	cr_expect_eq(by_address("0.0.0.0", "255.255.255.255"), 4);
	cr_expect_eq(by_address("2001:db8::", "2001:db8::ffff"), 1);
	cr_expect_eq(by_address("192.0.4.0", "192.0.4.255"), 0);
}

Test(pdns_query, octets_are_asked_for_whatever_type_they_are_of)
{
	static const uint8_t mx[] = "\0\12\2mx\7example\3com";
	struct pdns_question q = {
		.by = PDNS_BY_RAW, .types = PDNS_ANY_AT_ALL, .raw = mx, .raw_size = sizeof(mx)};

	cr_expect_eq(bed_ask(q), 1);
	q.types = PDNS_ONE;
	q.type = 15;
	cr_expect_eq(bed_ask(q), 1);
	q.type = 18;
	cr_expect_eq(bed_ask(q), 0);
	q = (struct pdns_question){.by = PDNS_BY_RAW,
		.types = PDNS_ANY_AT_ALL,
		.raw = (const uint8_t *)"\xc0\0\2\1",
		.raw_size = 4};
	cr_expect_eq(bed_ask(q), 2);
	q.raw = (const uint8_t *)"\1x";
	q.raw_size = 2;
	cr_expect_eq(bed_ask(q), 1);
}

Test(pdns_query, any_is_all_but_dnssec)
{
	struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_EXACT, "example.com");

	q.types = PDNS_ANY;
	cr_expect_eq(bed_ask(q), 5);
	q.types = PDNS_ANY_DNSSEC;
	cr_expect_eq(bed_ask(q), 1);
	q.types = PDNS_ONE;
	q.type = 2;
	cr_expect_eq(bed_ask(q), 2);
}

Test(pdns_query, fences_include_their_ends)
{
	struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_SUBTREE, "example.com");

	q.first_after = 30;
	cr_expect_eq(bed_ask(q), 3);
	q.first_after = 31;
	cr_expect_eq(bed_ask(q), 1);
	q.first_after = 0;
	q.first_before = 10;
	cr_expect_eq(bed_ask(q), 6);
	q.first_before = 0;
	q.last_before = 20;
	cr_expect_eq(bed_ask(q), 2);
	q.last_before = 0;
	q.last_after = 100;
	cr_expect_eq(bed_ask(q), 4);
}

Test(pdns_query, rrsets_are_grouped)
{
	struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_EXACT, "www.example.com");

	q.grouped = true;
	cr_assert_eq(bed_ask(q), 2);
	cr_expect_str_eq(
		bed.found[0], "www.example.com A example.com 1 10 40 1 192.0.2.1|192.0.2.2");
	q.limit = 1;
	cr_assert_eq(bed_ask(q), 1);
	cr_expect(bed.result.limited);
	q.cursor = bed.cursor;
	q.cursor_size = bed.cursor_size;
	cr_assert_eq(bed_ask(q), 1);
	cr_expect(!bed.result.limited);
	cr_expect_str_eq(bed.found[0], "www.example.com AAAA example.com 1 30 40 1 2001:db8::1");
}

Test(pdns_query, a_bailiwick_can_be_asked_for)
{
	struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_SUBTREE, "com");

	q.bailiwick = bed_name("Example.COM", &q.bailiwick_size);
	cr_expect_eq(bed_ask(q), 10);
	q.bailiwick = bed_name("com", &q.bailiwick_size);
	cr_expect_eq(bed_ask(q), 0);
	q.name = bed_name("www.example.com", &q.name_size);
	q.scope = PDNS_EXACT;
	q.types = PDNS_ONE;
	q.type = 1;
	q.bailiwick = bed_name("example.com", &q.bailiwick_size);
	cr_expect_eq(bed_ask(q), 2);
}

Test(pdns_query, limit_offset_and_the_visitor_stop)
{
	struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_SUBTREE, "com");
	const struct pdns_visitor visitor = {.visit = bed_visit};

	q.limit = 11;
	cr_expect(bed_ask(q) == 11 && !bed.result.limited);
	q.limit = 10;
	cr_expect(bed_ask(q) == 10 && bed.result.limited);
	q.offset = 5;
	cr_expect(bed_ask(q) == 6 && !bed.result.limited);
	q.offset = 11;
	cr_expect_eq(bed_ask(q), 0);
	q.offset = q.limit = 0;
	bed.stop_at = 3;
	bed_forget();
	cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &bed.result), 7);
	cr_expect_eq(bed.n_found, 3);
}

Test(pdns_query, summaries_add_up)
{
	struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_SUBTREE, "example.com");
	struct pdns_summary s;

	cr_assert_eq(pdns_summarise(bed.pdns, &q, 0, NULL, &s), 0);
	cr_expect(
		s.rows == 10 && s.count == 10 && s.first_s == 10 && s.last_s == 100 && !s.limited);
	cr_assert_eq(pdns_summarise(bed.pdns, &q, 4, NULL, &s), 0);
	cr_expect(s.rows == 4 && s.count == 4 && s.limited);
	q.limit = 2;
	cr_assert_eq(pdns_summarise(bed.pdns, &q, 0, NULL, &s), 0);
	cr_expect(s.rows == 2 && s.limited);
}

Test(pdns_query, questions_that_are_none_are_refused)
{
	static const uint8_t cursors[][8] = {
		{0}, {0, 9, 1}, {0, 0, 1, 3, 'c'}, {0, 1, 2, 1, 0, 0, 1, 0}};
	const struct pdns_visitor visitor = {.visit = bed_visit};
	struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_EXACT, "example.com");

	for (size_t i = 0; i < 4; i++) {
		q.cursor = cursors[i];
		q.cursor_size = i == 0 ? 1 : sizeof(cursors[i]);
		cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &bed.result), -EINVAL, "%zu", i);
	}
	q.cursor = NULL;
	q.name_size--;
	cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &bed.result), -EINVAL);
	q.name_size++;
	q.by = PDNS_BY_ADDRESS;
	cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &bed.result), -EINVAL);
	q.by = PDNS_BY_RAW;
	cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &bed.result), -EINVAL);
}

// A cursor by an index entry of @p tag whose address, if it has one, is @p octet all over.
static size_t cursor_make(uint8_t tag, uint8_t octet, uint8_t *cursor)
{
	size_t address = tag == PDNS_TAG_IPV4 ? 4 : tag == PDNS_TAG_IPV6 ? 16 : 0, entry;
	uint8_t *at = cursor + 2;

	*at++ = tag;
	memset(at, octet, address);
	at += address;
	if (tag == PDNS_TAG_TARGET)
		at += sprintf((char *)at, "\1x") + 3;
	if (tag == PDNS_TAG_HASH)
		at += PDNS_HASH_SIZE + 2;
	// An owner of 255 octets, each as large as a label cannot be.
	for (unsigned label = 0; label < 4; label++) {
		*at++ = label < 3 ? 63 : 61;
		memset(at, 0xc8, 63);
		at += label < 3 ? 63 : 61;
	}
	*at++ = 0;
	*at++ = 1;
	entry = (size_t)(at - cursor) - 2;
	store_be16(cursor, (uint16_t)entry);
	// The tuple behind it: the root, type A.
	memcpy(at, (const uint8_t[]){PDNS_TAG_TUPLE, 0, 0, 1, 0}, 5);
	return 2 + entry + 5;
}

Test(pdns_query, cursors_of_other_questions_are_refused)
{
	static const uint8_t tags[] = {
		PDNS_TAG_IPV4, PDNS_TAG_IPV6, PDNS_TAG_TARGET, PDNS_TAG_HASH};
	static uint8_t cursor[PDNS_CURSOR_MAX];
	const struct pdns_visitor visitor = {.visit = bed_visit};

	for (unsigned i = 0; i < 4; i++)
		for (unsigned scope = PDNS_EXACT; scope <= PDNS_START; scope++)
			for (unsigned by = PDNS_BY_OWNER; by <= PDNS_BY_ADDRESS; by++) {
				struct pdns_question q = bed_by(by, scope, "www.example");
				int wanted = by == PDNS_BY_TARGET && tags[i] == PDNS_TAG_TARGET
						     ? 0
						     : -EINVAL;

				cr_assert_eq(addr_parse("192.0.2.0", &q.from), 0);
				cr_assert_eq(addr_parse("192.0.2.255", &q.to), 0);
				q.cursor = memset(cursor, 0, sizeof(cursor));
				q.cursor_size = cursor_make(tags[i], 0xc8, cursor);
				cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &bed.result),
					wanted, "%u %u %u", i, scope, by);
			}
}

Test(pdns_query, a_cursor_in_front_of_a_range_gives_no_rows_of_there)
{
	struct pdns_question q = {.by = PDNS_BY_ADDRESS, .types = PDNS_ANY_AT_ALL};
	const struct pdns_visitor visitor = {.visit = bed_visit};

	cr_assert_eq(by_address("192.0.2.1", "192.0.2.1"), 2);
	cr_assert_eq(addr_parse("192.0.2.2", &q.from), 0);
	cr_assert_eq(addr_parse("192.0.3.1", &q.to), 0);
	q.cursor = bed.cursor;
	q.cursor_size = bed.cursor_size;
	cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &bed.result), -EINVAL);
}

static int count(void *ctx, const struct pdns_row *row)
{
	return 0;
}

Test(pdns_query, a_result_is_told_with_an_error_too)
{
	const struct pdns_question q = {.types = PDNS_ANY_AT_ALL};
	const struct pdns_visitor visitor = {.visit = count};
	struct pdns_result result = {.scanned = 1, .rows = 2, .limited = true};
	rocksdb_t *db = bed.pdns->db;
	struct pdns_summary s;

	// As while it could not be opened anew.
	bed.pdns->db = NULL;
	cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &result), -EIO);
	cr_expect(result.scanned == 0 && result.rows == 0 && !result.limited);
	cr_expect_eq(pdns_summarise(bed.pdns, &q, 0, NULL, &s), -EIO);
	cr_expect(!s.limited);
	bed.pdns->db = db;
}

static int stop(void *ctx, const struct pdns_result *result)
{
	++*(unsigned *)ctx;
	return result->scanned >= 2 * PDNS_PROGRESS_EACH ? 9 : 0;
}

Test(pdns_query, progress_is_told_and_can_stop)
{
	struct pdns_question q = {.types = PDNS_ANY_AT_ALL};
	unsigned told = 0;
	const struct pdns_visitor visitor = {.ctx = &told, .visit = count, .progress = stop};
	char name[32];

	for (unsigned i = 0; i < 3 * PDNS_PROGRESS_EACH; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		put(name, "A", "192.0.2.7", 1, 1);
	}
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	cr_expect_eq(pdns_query(bed.pdns, &q, &visitor, &bed.result), 9);
	cr_expect_eq(told, 2);
}

Test(pdns_query, pages_repeat_and_lose_nothing_while_more_comes_in)
{
	static bool seen[1000];
	char name[32];
	struct pdns_question q;
	unsigned pages = 0, total = 0;

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "h%u.paged.example", i);
		put(name, "A", "192.0.2.7", 1, 1);
	}
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	for (bool more = true; more; pages++) {
		q = bed_by(PDNS_BY_OWNER, PDNS_SUBTREE, "paged.example");
		q.limit = 37;
		q.cursor = pages ? bed.cursor : NULL;
		q.cursor_size = pages ? bed.cursor_size : 0;
		bed_ask(q);
		more = bed.result.limited;
		for (unsigned i = 0; i < bed.n_found; i++) {
			unsigned n;

			if (sscanf(bed.found[i], "h%u.paged.", &n) != 1)
				continue;
			cr_assert(!seen[n], "%u comes twice", n);
			seen[n] = true;
			total++;
		}
		// New names, and the old ones again.
		for (unsigned i = 0; i < 20; i++) {
			snprintf(name, sizeof(name), "x%u-%u.paged.example", pages, i);
			put(name, "A", "192.0.2.7", 1, 1);
			snprintf(name, sizeof(name), "h%u.paged.example", i * 50);
			put(name, "A", "192.0.2.7", 2, 2);
		}
		cr_assert_eq(pdns_flush(bed.pdns), 0);
	}
	cr_expect_eq(total, 1000);
}
