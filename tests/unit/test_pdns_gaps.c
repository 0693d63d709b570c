/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What waits, when it is written, and what is said where it was not.
 */
#include "pdns_bed.h"

#include <sys/wait.h>
#include <time.h>

TestSuite(pdns_gaps, .init = bed_up, .fini = bed_down);

// A child that observes for as long as @p observe says, then is killed.
static void child_kill(void (*observe)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		bed_open(PDNS_WRITE);
		observe();
		kill(getpid(), SIGKILL);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status));
}

static void put_one(const char *owner)
{
	const uint8_t address[] = {192, 0, 2, 1};
	struct pdns_tuple t = {.type = 1, .rdata = address, .rdata_size = 4, .count = 1};

	t.owner = bed_name(owner, &t.owner_size);
	cr_assert_eq(pdns_put(bed.pdns, &t), 0);
}

static void observe_and_tick(void)
{
	put_one("a.example");
	pdns_flush(bed.pdns);
	put_one("b.example");
	pdns_tick(bed.pdns);
}

Test(pdns_gaps, the_time_that_a_kill_may_have_lost_is_told)
{
	struct pdns_stats stats;
	int64_t began;

	bed_close();
	began = time(NULL);
	child_kill(observe_and_tick);
	log_threshold(LOG_ERROR);
	bed_open(PDNS_WRITE);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_eq(stats.gaps, 1);
	cr_expect(stats.gap_from_s >= began && stats.gap_from_s <= time(NULL));
	cr_expect(stats.gap_to_s > stats.gap_from_s && stats.gap_to_s <= time(NULL) + 2);
	// The mark's second, and what a flush and an open take.
	cr_expect(stats.gap_seconds >= 1 && stats.gap_seconds <= 4);
	cr_expect_eq(bed_everything(), 1);
	bed_close();
	// It is remembered, and what is closed makes no more.
	bed_open(PDNS_WRITE);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_eq(stats.gaps, 1);
}

// As a mark that did not get to the disk before the power went.
static void observe_and_lose_the_mark(void)
{
	char path[96];

	put_one("a.example");
	pdns_flush(bed.pdns);
	snprintf(path, sizeof(path), "%s/mark", bed.path);
	cr_assert_eq(truncate(path, 3), 0);
}

Test(pdns_gaps, without_a_mark_the_last_write_and_the_window_tell)
{
	struct pdns_stats stats;
	int64_t began;

	bed_close();
	began = time(NULL);
	child_kill(observe_and_lose_the_mark);
	bed_open(PDNS_WRITE);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_eq(stats.gaps, 1);
	cr_expect(stats.gap_from_s >= began && stats.gap_from_s <= time(NULL));
	cr_expect_eq(stats.gap_seconds, 11);
}

Test(pdns_gaps, a_backup_of_what_is_open_is_closed)
{
	struct pdns_stats stats;
	char path[96];

	put_one("a.example");
	snprintf(path, sizeof(path), "%s/copy", bed.folder);
	cr_assert_eq(pdns_backup(bed.pdns, path), 0);
	bed_close();
	strcpy(bed.path, path);
	bed_open(PDNS_WRITE);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_eq(stats.gaps, 0);
	cr_expect_eq(bed_everything(), 1);
}

static void open_gently(unsigned window_s)
{
	const struct pdns_options options = {
		.mode = PDNS_WRITE, .window_s = window_s, .window_size = 1, .gentle = true};

	bed_close();
	cr_assert_eq(pdns_open(bed.path, &options, &bed.pdns), 0);
}

static void *flush_run(void *arg)
{
	atomic_bool *end = arg;

	while (!atomic_load(end))
		pdns_flush(bed.pdns);
	return NULL;
}

Test(pdns_gaps, streams_that_make_room_are_counted_once)
{
	struct pdns_stats stats;
	atomic_bool end = false;
	pthread_t flusher;

	cr_assert_eq(pthread_create(&flusher, NULL, flush_run, &end), 0);
	for (uint64_t start = 1; start <= 12000; start++)
		pdns_skip(bed.pdns, start, 1);
	atomic_store(&end, true);
	pthread_join(flusher, NULL);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect(stats.numbered == 12000 && stats.lost == 0);
	bed_close();
	bed_open(PDNS_WRITE);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect(stats.numbered == 12000 && stats.lost == 0, "%llu",
		(unsigned long long)stats.numbered);
}

Test(pdns_gaps, a_gentle_tick_writes_before_the_window_is_over)
{
	struct pdns_stats stats = {0};
	unsigned tenths = 0;

	open_gently(3);
	put_one("a.example");
	for (; stats.flushed == 0 && tenths < 30; tenths++) {
		cr_assert_eq(pdns_tick(bed.pdns), 0);
		pdns_stats_get(bed.pdns, &stats);
		usleep(100000);
	}
	cr_expect(stats.flushed == 1 && stats.waiting == 0);
	cr_expect_eq(bed_everything(), 1);
}

static int64_t clock_us;

static int64_t clock_fake(void)
{
	return clock_us;
}

Test(pdns_gaps, what_waits_is_written_when_three_quarters_of_the_window_are_over)
{
	struct pdns_stats stats;

	open_gently(10);
	clock_us = 1000000;
	bed.pdns->now_us = clock_fake;
	put_one("a.example");
	clock_us += 5000000;
	put_one("b.example");
	cr_assert_eq(pdns_tick(bed.pdns), 0);
	clock_us += 2400000;
	cr_assert_eq(pdns_tick(bed.pdns), 0);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_eq(stats.waiting, 2);
	clock_us += 100000;
	cr_assert_eq(pdns_tick(bed.pdns), 0);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_eq(stats.waiting, 0);
	// The next one has a window of its own.
	put_one("c.example");
	cr_expect_eq(bed.pdns->filling->since_us, clock_us);
}

Test(pdns_gaps, of_what_is_half_written_the_rest_is_as_old_as_it_is)
{
	struct pdns_window window;
	struct pdns_tuple_key tuple = {.owner_size = 6, .type = 16, .rdata_size = 60000};
	const struct pdns_sum sum = {.count = 1};
	uint8_t rdata[60000] = {0}, owner[] = {4, 'a', 'b', 'c', 'd', 0};

	cr_assert_eq(pdns_window_init(&window, (size_t)PDNS_AGES * 100000), 0);
	tuple.owner = owner;
	tuple.rdata = rdata;
	for (uint8_t i = 1; i <= 10; i++) {
		rdata[0] = i;
		cr_assert(pdns_window_add(&window, PDNS_CLIENT, &tuple, &sum));
		if (pdns_window_wants_age(&window))
			pdns_window_age(&window, i * 1000);
	}
	// 600,000 octets: an age each 100,000.
	cr_expect_eq(window.since_us, 1000);
	cr_expect_eq(pdns_window_since(&window, 0), 1000);
	cr_expect_eq(pdns_window_since(&window, 99999), 1000);
	cr_expect_eq(pdns_window_since(&window, 300000), 5000);
	cr_expect_eq(pdns_window_since(&window, window.used), 10000);
	pdns_window_clear(&window);
	cr_expect_eq(pdns_window_since(&window, 0), 0);
	pdns_window_free(&window);
}

static void put_numbered(uint32_t i)
{
	const uint8_t address[] = {192, 0, 2, 1};
	struct pdns_tuple t = {.type = 1, .rdata = address, .rdata_size = 4, .count = 1};
	uint8_t owner[] = "\4abcd\7example";

	for (unsigned k = 1; k <= 4; k++, i /= 26)
		owner[k] = (uint8_t)('a' + i % 26);
	t.owner = owner;
	t.owner_size = sizeof(owner);
	cr_assert_eq(pdns_put(bed.pdns, &t), 0);
}

Test(pdns_gaps, a_full_window_is_left_to_the_next_tick)
{
	struct pdns_stats stats = {0};

	open_gently(10);
	// Of a disk that is quick enough for windows to be full.
	bed.pdns->pace.speed = 1ull << 40;
	// Nobody has written what was full first, so it is written when the second one is, too.
	for (unsigned i = 0; stats.flushed == 0; i++) {
		uint64_t before = stats.waiting;

		put_numbered(i);
		pdns_stats_get(bed.pdns, &stats);
		if (stats.flushed == 0)
			cr_assert_eq(stats.waiting, before + 1);
	}
	cr_expect_gt(stats.flushed, 100000);
	cr_assert_eq(pdns_tick(bed.pdns), 0);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_gt(stats.flushed, 200000);
}

Test(pdns_gaps, a_message_at_the_end_of_a_window_is_taken_whole)
{
	struct pdns_answer answer = {.class = PDNS_CLIENT, .time_s = 1};
	struct pdns_stats stats;
	char text[16];

	bed_msg("www.example");
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i);
		bed_rr(BED_ANSWER, "www.example", "A", text);
	}
	put_one("a.example");
	// As where writing was found to be slow: the first of its tuples reach it.
	bed.pdns->windows[0].most = bed.pdns->windows[1].most = bed.pdns->filling->used + 1;
	answer.msg = bed.msg;
	answer.size = bed.size;
	cr_expect_eq(pdns_observe(bed.pdns, &answer), 20);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	cr_expect_eq(bed_everything(), 21);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_eq(stats.tuples, 21);
}

Test(pdns_gaps, numbers_of_what_is_refused_are_written_in_time_too)
{
	const uint8_t junk[DNS_HEADER_SIZE] = {0};
	const struct pdns_answer answer = {
		.time_s = 1, .msg = junk, .size = sizeof(junk), .start = 5, .seq = 9};
	struct pdns_stats stats = {0};

	open_gently(3);
	cr_assert_eq(pdns_observe(bed.pdns, &answer), PDNS_E_MESSAGE);
	for (unsigned tenths = 0; stats.flushes == 0 && tenths < 30; tenths++) {
		cr_assert_eq(pdns_tick(bed.pdns), 0);
		pdns_stats_get(bed.pdns, &stats);
		usleep(100000);
	}
	cr_expect_eq(stats.flushes, 1);
}

Test(pdns_gaps, where_senders_have_to_wait_windows_stay_as_large_as_they_may_be)
{
	struct pdns_stats stats;

	open_gently(10);
	for (unsigned i = 0; i < 200000; i++)
		put_numbered(i);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect(stats.flushed > 50000 && stats.flushes < 20, "%llu in %llu",
		(unsigned long long)stats.flushed, (unsigned long long)stats.flushes);
}
