/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_bed.h"

#include <errno.h>

#include "support/random.h"

static void set_up(void)
{
	bed_up("UTC");
	bed_open(STORE_WRITE);
}

TestSuite(store, .init = set_up, .fini = bed_down);

static const char noon[] = "2026-11-22 12:00:00";

Test(store, what_is_appended_is_found_with_every_field)
{
	const struct addr addresses[] = {
		bed_prefix("198.51.100.7").addr, bed_prefix("2001:db8::7").addr};
	uint8_t match[DNS_NAME_SIZE_MAX];
	struct store_record r =
		bed_filtered("c2.example", bed_ms(noon) + 123, "203.0.113.9", "X-1");
	const struct store_record *got = &bed.found[0].record;
	char text[PREFIX_TEXT_SIZE];

	r.tcp = true;
	r.type = 65535;
	r.rcode = 4095;
	r.generation = 0xfedcba98;
	r.match = STORE_MATCH_ANSWER;
	r.match_name_size = (uint8_t)dns_name_parse("Target.Example", 14, match);
	r.match_name = match;
	r.client_port = 65535;
	r.n_addresses = 2;
	r.addresses = addresses;
	bed_put(r);
	cr_assert_eq(bed_ask(bed_question()), 1);
	cr_expect_eq(got->time_ms, r.time_ms);
	cr_expect_str_eq(bed.found[0].text, "c2.example");
	cr_expect(got->filtered && got->tcp);
	cr_expect_eq(got->type, 65535);
	cr_expect_eq(got->rcode, 4095);
	cr_expect_str_eq(prefix_format(&got->client, text), "203.0.113.9/32");
	cr_expect_str_eq(bed.found[0].id, "X-1");
	cr_expect_eq(got->generation, 0xfedcba98);
	cr_expect_eq(got->match, STORE_MATCH_ANSWER);
	cr_expect_eq(got->client_port, 65535);
	cr_expect_eq(got->n_addresses, 2);
}

Test(store, what_waits_is_not_found_before_the_commit)
{
	struct store_record r = bed_record("a.example", bed_ms(noon));
	struct store_stats stats;

	cr_assert_eq(bed_append(&r, 1, 0, 0), 0);
	store_stats_get(bed.store, &stats);
	cr_expect(stats.appended == 1 && stats.pending == 1 && stats.stored == 0);
	cr_expect_eq(bed_ask(bed_question()), 0);
	cr_assert_eq(store_commit(bed.store), 0);
	store_stats_get(bed.store, &stats);
	cr_expect(stats.pending == 0 && stats.stored == 1 && stats.window_used == 0);
	cr_expect_eq(bed_ask(bed_question()), 1);
}

Test(store, a_reader_beside_the_writer_sees_what_was_committed)
{
	struct store *reader;
	struct store_record r = bed_record("a.example", bed_ms(noon));

	cr_assert_eq(store_open(bed.path, &(struct store_options){.mode = STORE_READ}, &reader), 0);
	for (unsigned i = 1; i <= 3; i++) {
		bed_put(r);
		cr_expect_eq(bed_ask_of(reader, bed_question()), 0);
		cr_expect_eq(bed.n_found, i);
	}
	store_close(reader);
}

Test(store, a_second_writer_is_refused)
{
	struct store *second;

	cr_expect_eq(store_open(bed.path, &(struct store_options){.mode = STORE_WRITE}, &second),
		-EBUSY);
}

Test(store, nothing_is_read_from_a_folder_that_is_not_there)
{
	struct store *none;

	cr_expect_eq(
		store_open("/nonexistent/x", &(struct store_options){.mode = STORE_READ}, &none),
		-ENOENT);
}

Test(store, spelling_does_not_make_another_name)
{
	static const uint8_t mixed[] = "\x01"
				       "A"
				       "\x07"
				       "ExAmPlE";
	struct store_record r = bed_record("a.example", bed_ms(noon));

	bed_put(r);
	r.name = mixed;
	r.name_size = sizeof(mixed);
	bed_put(r);
	cr_expect_eq(bed_ask_name(STORE_EXACT, "a.example"), 2);
	cr_expect_str_eq(bed.found[1].text, "a.example");
	cr_expect_eq(bed_ask_name(STORE_EXACT, "A.EXAMPLE"), 2);
}

Test(store, names_of_any_octets_survive)
{
	static const char *const names[] = {"\\000.example", "a\\.b.example", "\\255\\001.example",
		"\\000\\000\\000.\\000", ".", "\\001", "b.example"};
	const size_t n = sizeof(names) / sizeof(names[0]);

	for (size_t i = 0; i < n; i++)
		bed_put(bed_record(names[i], bed_ms(noon) + (int64_t)i));
	cr_assert_eq(bed_ask(bed_question()), n);
	for (size_t i = 0; i < n; i++) {
		uint8_t wire[DNS_NAME_SIZE_MAX];
		int size = dns_name_parse(names[i], strlen(names[i]), wire);

		cr_expect_eq(bed.found[i].record.name_size, size);
		cr_expect_arr_eq(bed.found[i].name, wire, (size_t)size, "%s", names[i]);
	}
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(bed_ask_name(STORE_EXACT, names[i]), 1, "%s", names[i]);
}

Test(store, a_subtree_is_the_name_and_what_is_below_it)
{
	static const char *const names[] = {"example", "b.example", "ab.example", "a.b.example",
		"\\000.b.example", "x.y.b.example", "b.examples", "bb.example", "b.b.example", "b"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		bed_put(bed_record(names[i], bed_ms(noon)));
	cr_expect_eq(bed_ask_name(STORE_SUBTREE, "b.example"), 5);
	cr_expect_eq(bed_ask_name(STORE_EXACT, "b.example"), 1);
	cr_expect_eq(bed_ask_name(STORE_SUBTREE, "example"), 8);
	cr_expect_eq(bed_ask_name(STORE_SUBTREE, "."), 10);
	cr_expect_eq(bed_ask_name(STORE_EXACT, "."), 0);
	cr_expect_eq(bed_ask_name(STORE_SUBTREE, "examples"), 1);
}

Test(store, the_longest_names_fit_and_longer_ones_are_refused)
{
	uint8_t name[260];
	struct store_record r = {.time_ms = bed_ms(noon), .name = name};
	struct store_stats stats;

	for (unsigned i = 0; i < 254; i += 2) {
		name[i] = 1;
		name[i + 1] = (uint8_t)('a' + i % 26);
	}
	name[254] = 0;
	r.name_size = 255;
	bed_put(r);
	cr_expect_eq(bed_ask(bed_question()), 1);
	cr_expect_arr_eq(bed.found[0].name, name, 255);
	// Sizes that contradict the labels, a pointer, and nothing at all.
	r.name_size = 254;
	bed_put(r);
	r.name_size = 0;
	bed_put(r);
	memcpy(name, "\xc0\x0c", 2);
	r.name_size = 2;
	bed_put(r);
	store_stats_get(bed.store, &stats);
	cr_expect_eq(stats.refused, 3);
	cr_expect_eq(bed_ask(bed_question()), 1);
}

Test(store, records_come_in_the_order_of_time_in_an_hour_and_over_hours_and_days)
{
	uint64_t seed = RANDOM_SEED;
	int64_t last = 0, from = bed_ms("2026-11-20 22:00:00");
	char name[32];

	for (unsigned i = 0; i < 2000; i++) {
		struct store_record r;

		snprintf(name, sizeof(name), "n%u.example", random_below(&seed, 50));
		r = bed_record(name, from + random_below(&seed, 4 * STORE_HOUR_MS));
		if (i % 10 == 0)
			r = bed_filtered(name, r.time_ms, "203.0.113.1", "X");
		cr_assert_eq(bed_append(&r, 1, 0, 0), 0);
	}
	cr_assert_eq(store_commit(bed.store), 0);
	cr_assert_eq(bed_ask(bed_question()), 2000);
	for (unsigned i = 0; i < 2000; i++) {
		cr_assert_geq(bed.found[i].record.time_ms, last);
		last = bed.found[i].record.time_ms;
	}
}

// All of an hour's records do not fit: it is gone through in parts.
Test(store, order_by_time_needs_no_more_memory_than_is_given)
{
	struct store *small;
	uint64_t seed = RANDOM_SEED;
	int64_t last = 0;
	unsigned one_second = 0;

	for (unsigned i = 0; i < 3000; i++) {
		// A third in one second, which is more than the memory holds.
		uint32_t ms = i % 3 ? random_below(&seed, STORE_HOUR_MS)
				    : 5000 + random_below(&seed, 1000);
		struct store_record r =
			bed_record(i % 2 ? "a.example" : "b.example", bed_ms(noon) + ms);

		one_second += ms / 1000 == 5;
		cr_assert_eq(bed_append(&r, 1, 0, 0), 0);
	}
	cr_assert_eq(store_commit(bed.store), 0);
	cr_assert_gt(one_second, 999);
	cr_assert_eq(store_open(bed.path,
			     &(struct store_options){.mode = STORE_READ, .sort_max = 100}, &small),
		0);
	cr_assert_eq(bed_ask_of(small, bed_question()), 0);
	cr_expect_eq(bed.n_found, 3000);
	for (unsigned i = 0; i < bed.n_found; i++) {
		cr_assert_geq(bed.found[i].record.time_ms, last, "%u", i);
		last = bed.found[i].record.time_ms;
	}
	store_close(small);
}

Test(store, by_name_goes_from_the_root_down)
{
	struct store_question q = bed_question();

	bed_put(bed_record("b.example", bed_ms(noon)));
	bed_put(bed_record("a.b.example", bed_ms(noon) + 1));
	bed_put(bed_record("a.example", bed_ms(noon) + 2));
	q.order = STORE_BY_NAME;
	cr_assert_eq(bed_ask(q), 3);
	cr_expect_str_eq(bed.found[0].text, "a.example");
	cr_expect_str_eq(bed.found[1].text, "b.example");
	cr_expect_str_eq(bed.found[2].text, "a.b.example");
}

Test(store, many_records_of_a_name_are_all_kept)
{
	struct store_record r = bed_record("popular.example", 0);
	struct store_question q = bed_question();
	unsigned n = 0;

	// Some commits are large enough for rows of their own, most are not.
	for (unsigned commit = 0; commit < 60; commit++) {
		unsigned count = commit % 20 == 0 ? 1000 : 7;

		for (unsigned i = 0; i < count; i++) {
			r.time_ms = bed_ms(noon) + n++;
			cr_assert_eq(bed_append(&r, 1, 0, 0), 0);
		}
		cr_assert_eq(store_commit(bed.store), 0);
	}
	cr_expect_eq(bed_ask_name(STORE_EXACT, "popular.example"), n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(bed.found[i].record.time_ms, bed_ms(noon) + i);
	// As it is on disk, with files joined, too.
	bed_close();
	bed_open(STORE_WRITE);
	cr_expect_eq(bed_ask(q), n);
}

Test(store, questions_are_answered_by_time_client_id_code_and_type)
{
	struct store_question q = bed_question();
	struct store_record r = bed_record("a.example", bed_ms(noon));

	bed_put(r);
	r.rcode = 3;
	r.time_ms += 1000;
	bed_put(r);
	r.type = 28;
	r.client = bed_prefix("2001:db8:1200::/40");
	r.time_ms += STORE_HOUR_MS;
	bed_put(r);
	bed_put(bed_filtered("c2.example", bed_ms(noon) + 500, "203.0.113.9", "X-1"));
	bed_put(bed_filtered("c2.example", bed_ms(noon) + 600, "203.0.113.10", "X-12"));

	q.rcode = 3;
	cr_expect_eq(bed_ask(q), 2);
	q.type = 28;
	cr_expect_eq(bed_ask(q), 1);
	q = bed_question();
	q.from_ms = bed_ms(noon) + 500;
	q.to_ms = bed_ms(noon) + 1000;
	cr_expect_eq(bed_ask(q), 2);
	q = bed_question();
	q.id = "X-1";
	cr_expect_eq(bed_ask(q), 1);
	q = bed_question();
	q.client = bed_prefix("203.0.112.0/22");
	cr_expect_eq(bed_ask(q), 4);
	q.client = bed_prefix("203.0.113.8/30");
	cr_expect_eq(bed_ask(q), 2, "prefixes of other clients are wider");
	q.client = bed_prefix("2001:db8::/32");
	cr_expect_eq(bed_ask(q), 1);
	q = bed_question();
	q.kinds = STORE_FILTERED;
	cr_expect_eq(bed_ask(q), 2);
	q.kinds = STORE_UNFILTERED;
	cr_expect_eq(bed_ask(q), 3);
}

static int progress_count(void *ctx, const struct store_progress *progress)
{
	unsigned *calls = ctx;

	cr_expect_leq(progress->hours_done, progress->hours);
	++*calls;
	return 0;
}

static int visit_none(void *ctx, const struct store_record *record)
{
	return 0;
}

Test(store, a_visitor_can_stop_and_is_told_how_far_it_is)
{
	struct store_question q = bed_question();
	unsigned calls = 0;

	for (unsigned h = 0; h < 5; h++)
		bed_put(bed_record("a.example", bed_ms(noon) + h * STORE_HOUR_MS));
	bed.stop_at = 3;
	cr_expect_eq(bed_ask_of(bed.store, q), 7);
	cr_expect_eq(bed.n_found, 3);
	cr_expect_eq(
		store_query(bed.store, &q,
			&(struct store_visitor){
				.ctx = &calls, .visit = visit_none, .progress = progress_count}),
		0);
	cr_expect_eq(calls, 5);
}

Test(store, gaps_in_the_numbers_of_a_sender_are_lost)
{
	struct store_record r[3] = {bed_record("a.example", bed_ms(noon)),
		bed_record("b.example", bed_ms(noon)),
		bed_filtered("c.example", bed_ms(noon), "203.0.113.1", "X")};
	struct store_sender s;

	cr_assert_eq(bed_append(r, 3, 77, 5), 0);
	s = bed_sender(77);
	cr_expect(s.last_seq == 5 && s.pending == 3 && s.stored == 0 && s.lost == 2);
	bed_close();
	bed_open(STORE_WRITE);
	s = bed_sender(77);
	cr_expect(s.last_seq == 5 && s.pending == 0 && s.stored == 3 && s.lost == 2);
	// The collector was away for 6 .. 9; then another process of the sender starts.
	cr_assert_eq(bed_append(r, 1, 77, 10), 0);
	cr_assert_eq(bed_append(r, 3, 78, 3), 0);
	cr_assert_eq(bed_append(r, 2, 0, 0), 0);
	store_refuse(bed.store, 78, 4, 1);
	cr_assert_eq(store_commit(bed.store), 0);
	s = bed_sender(77);
	cr_expect(s.last_seq == 10 && s.stored == 4 && s.lost == 6);
	s = bed_sender(78);
	cr_expect(s.last_seq == 4 && s.stored == 3 && s.lost == 1 && s.refused == 1);
	s = bed_sender(0);
	cr_expect(s.stored == 2 && s.lost == 0);
	bed_close();
	bed_open(STORE_READ);
	s = bed_sender(77);
	cr_expect(s.last_seq == 10 && s.stored == 4 && s.lost == 6);
}

Test(store, a_window_that_is_full_is_committed_by_itself)
{
	struct store_record r = bed_record("a.example", bed_ms(noon));
	struct store_stats stats;
	char name[32];

	bed_close();
	cr_assert_eq(
		bed_open_with((struct store_options){.mode = STORE_WRITE, .window_size = 65536}),
		0);
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		r = bed_record(name, bed_ms(noon) + i);
		cr_assert_eq(bed_append(&r, 1, 5, i + 1), 0);
	}
	store_stats_get(bed.store, &stats);
	cr_expect_eq(stats.appended, 10000);
	cr_expect_gt(stats.stored, 5000);
	cr_expect_leq(stats.window_used, 65536);
	bed_close();
	bed_open(STORE_WRITE);
	cr_expect_eq(bed_sender(5).stored, 10000);
	cr_expect_eq(bed_sender(5).lost, 0);
}

static int infected_take(void *ctx, const struct store_infected *row)
{
	char text[ADDR_TEXT_SIZE], *out = ctx;

	sprintf(out + strlen(out), "%s %s %d %d %d\n", row->id, addr_format(&row->client, text),
		(int)(row->first_ms - bed_ms(noon)), (int)(row->last_ms - bed_ms(noon)),
		(int)row->n);
	return 0;
}

Test(store, infected_clients_are_listed_by_id_and_client_with_first_and_last)
{
	char rows[1024] = "";

	bed_put(bed_filtered("c2.example", bed_ms(noon), "203.0.113.9", "X-1"));
	bed_put(bed_filtered("d2.example", bed_ms(noon) + 7, "203.0.113.9", "X-1"));
	bed_put(bed_filtered("c2.example", bed_ms(noon) + 9, "203.0.113.9", "X-2"));
	bed_put(bed_filtered("c2.example", bed_ms(noon) + 9, "2001:db8::9", "X-1"));
	bed_put(bed_filtered("c2.example", bed_ms(noon) - 90000000, "203.0.113.9", "X-1"));
	bed_put(bed_filtered("list.example", bed_ms(noon), "203.0.113.9", ""));
	bed_put(bed_record("a.example", bed_ms(noon)));
	cr_assert_eq(store_infected(bed.store, bed_ms("2026-11-22 00:00:00"),
			     bed_ms("2026-11-23 00:00:00"), infected_take, rows),
		0);
	cr_expect_str_eq(
		rows, "X-1 203.0.113.9 0 7 2\nX-1 2001:db8::9 9 9 1\nX-2 203.0.113.9 9 9 1\n");
}
