/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions: what is found, in which order, and by whom meanwhile.
 */
#include "store_bed.h"

#include <pthread.h>
#include <stdatomic.h>

#include "support/random.h"

static void set_up(void)
{
	bed_up("UTC");
	bed_open(STORE_WRITE);
}

TestSuite(store_ask, .init = set_up, .fini = bed_down);

static const char noon[] = "2026-11-22 12:00:00";

Test(store_ask, records_come_in_the_order_of_time_in_an_hour_and_over_hours_and_days)
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
Test(store_ask, order_by_time_needs_no_more_memory_than_is_given)
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

Test(store_ask, by_name_goes_from_the_root_down)
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

Test(store_ask, questions_are_answered_by_time_client_id_code_and_type)
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
	uint64_t *counts = ctx;

	cr_expect_leq(progress->hours_done, progress->hours);
	counts[1]++;
	return 0;
}

static int count(void *ctx, const struct store_record *record)
{
	++*(uint64_t *)ctx;
	return 0;
}

Test(store_ask, a_visitor_can_stop_and_is_told_how_far_it_is)
{
	struct store_question q = bed_question();
	uint64_t counts[2] = {0};

	for (unsigned h = 0; h < 5; h++)
		bed_put(bed_record("a.example", bed_ms(noon) + h * STORE_HOUR_MS));
	bed.stop_at = 3;
	cr_expect_eq(bed_ask_of(bed.store, q), 7);
	cr_expect_eq(bed.n_found, 3);
	cr_expect_eq(store_query(bed.store, &q,
			     &(struct store_visitor){
				     .ctx = counts, .visit = count, .progress = progress_count}),
		0);
	cr_expect_eq(counts[0], 5);
	cr_expect_eq(counts[1], 5);
}

static int infected_take(void *ctx, const struct store_seen *row)
{
	char text[ADDR_TEXT_SIZE], *out = ctx;

	sprintf(out + strlen(out), "%s %s %d %d %d\n", row->id, addr_format(&row->addr, text),
		(int)(row->first_ms - bed_ms(noon)), (int)(row->last_ms - bed_ms(noon)),
		(int)row->n);
	return 0;
}

Test(store_ask, infected_clients_are_listed_by_id_and_client_with_first_and_last)
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

Test(store_ask, servers_of_malware_are_what_the_original_answers_had)
{
	const struct addr servers[] = {
		bed_prefix("198.51.100.7").addr, bed_prefix("198.51.100.8").addr};
	struct store_record r = bed_filtered("c2.example", bed_ms(noon), "203.0.113.9", "X-1");
	char rows[1024] = "";

	r.n_addresses = 2;
	r.addresses = servers;
	bed_put(r);
	r.n_addresses = 1;
	r.time_ms += 5;
	bed_put(r);
	cr_assert_eq(store_addresses(bed.store, 0, 0, infected_take, rows), 0);
	cr_expect_str_eq(rows, "X-1 198.51.100.7 0 5 2\nX-1 198.51.100.8 0 0 1\n");
}

static atomic_bool done;
static atomic_uint_fast64_t committed;

// Asks without end; what was committed is always found, and commits are whole.
static void *ask_on(void *ctx)
{
	struct store_question q = bed_question();
	uint64_t *rounds = ctx;

	q.order = STORE_BY_NAME;
	while (!atomic_load(&done)) {
		struct store_sender *senders;
		uint64_t n = 0, before = atomic_load(&committed);

		if (store_query(bed.store, &q, &(struct store_visitor){.ctx = &n, .visit = count}))
			return (void *)"it cannot be asked";
		if (n < before)
			return (void *)"what was committed is missing";
		if (n % 10 != 0)
			return (void *)"half of a batch";
		if (store_senders(bed.store, &senders) < 0)
			return (void *)"no senders";
		free(senders);
		++*rounds;
	}
	return NULL;
}

Test(store_ask, other_threads_ask_while_it_is_written)
{
	uint64_t rounds = 0;
	pthread_t asking;
	void *result;

	cr_assert_eq(pthread_create(&asking, NULL, ask_on, &rounds), 0);
	// More days than are open at once, so that tables are closed while they are asked.
	for (unsigned i = 0; i < 60; i++) {
		struct store_record r[10];

		for (unsigned n = 0; n < 10; n++)
			r[n] = bed_record("a.example", bed_ms(noon) + i % 6 * 86400000ll + i);
		cr_assert_eq(bed_append(r, 10, 1, (i + 1) * 10), 0);
		cr_assert_eq(store_commit(bed.store), 0);
		atomic_fetch_add(&committed, 10);
	}
	atomic_store(&done, true);
	pthread_join(asking, &result);
	cr_expect_null(result, "%s", (char *)result);
	cr_expect_gt(rounds, 0);
	cr_expect_eq(bed_ask(bed_question()), 600);
}

static int visit_write(void *ctx, const struct store_record *record)
{
	unsigned *day = ctx;

	// While the first day is asked, so many others are written that it is closed, and then it again.
	for (; *day < 7; ++*day)
		bed_put(bed_record("a.example", bed_ms(noon) + *day % 6 * 86400000ll));
	return 0;
}

Test(store_ask, a_day_is_written_again_while_a_question_still_has_it)
{
	struct store_question q = bed_question();
	unsigned day = 1;

	bed_put(bed_record("a.example", bed_ms(noon)));
	q.order = STORE_BY_NAME;
	cr_assert_eq(store_query(bed.store, &q,
			     &(struct store_visitor){.ctx = &day, .visit = visit_write}),
		0);
	cr_assert_eq(day, 7);
	cr_expect_eq(bed_ask(bed_question()), 7);
}
