/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deletions beside others who append and ask: nothing is lost but what is to go.
 */
#include "store_bed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define NAMES   60000
#define GONE    "203.0.113.9"
#define STAYING "203.0.113.77"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool over;
static unsigned appended, settled;

TestSuite(store_pieces, .fini = bed_down);

static void put(unsigned i, const char *client)
{
	struct store_record record;
	char name[32];

	snprintf(name, sizeof(name), "n%u.example", i % NAMES);
	bed.n_names = 0;
	record = bed_filtered(name, bed_ms("2026-11-22 03:00:00") + i % 1000, client, "EX-1");
	cr_assert_eq(bed_append(&record, 1, 0, 0), 0);
}

static int visit_count(void *ctx, const struct store_record *record)
{
	*(unsigned *)ctx += 1;
	return 0;
}

// Records of a client.
static unsigned count(const char *client)
{
	struct store_question question = bed_question();
	unsigned n = 0;

	question.order = STORE_BY_NAME;
	question.client = bed_prefix(client);
	cr_assert_eq(store_query(bed.store, &question,
			     &(struct store_visitor){.ctx = &n, .visit = visit_count}),
		0);
	return n;
}

// As the collector does: a batch now and then, written, under the lock.
static void *append(void *arg)
{
	while (!atomic_load(&over)) {
		pthread_mutex_lock(&lock);
		for (unsigned i = 0; i < 50; i++)
			put(appended++ * 7919, STAYING);
		cr_assert_eq(store_commit(bed.store), 0);
		pthread_mutex_unlock(&lock);
		usleep(500);
	}
	return NULL;
}

static void settle(void *ctx)
{
	// Nobody holds the lock meanwhile who waits for questions.
	cr_assert_eq(pthread_mutex_lock(&lock), 0);
	pthread_mutex_unlock(&lock);
	settled++;
}

static void fill(void)
{
	bed_up("UTC");
	bed_open(STORE_WRITE);
	for (unsigned i = 0; i < NAMES; i++) {
		put(i, GONE);
		put(i, STAYING);
	}
	cr_assert_eq(store_commit(bed.store), 0);
}

static bool stop_at_once(void *ctx)
{
	return true;
}

Test(store_pieces, what_others_append_to_the_same_rows_is_kept)
{
	const struct store_actor actor = {"test", &lock, NULL, settle, NULL};
	struct store_dropped dropped;
	struct store_day *days;
	struct prefix prefix = bed_prefix(GONE);
	pthread_t thread;
	int err;

	fill();
	pthread_create(&thread, NULL, append, NULL);
	pthread_mutex_lock(&lock);
	err = store_forget(bed.store, &prefix, &actor, &dropped);
	pthread_mutex_unlock(&lock);
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	cr_assert_eq(err, 0);
	cr_expect_eq(dropped.records, NAMES);
	cr_expect_eq(dropped.days, 1);
	cr_expect_eq(settled, 1);
	cr_expect_gt(appended, 0);
	cr_assert_eq(store_days(bed.store, &days), 1);
	cr_expect_eq(days[0].records[1], NAMES + appended);
	free(days);
	cr_log_info("%u appended, %u ms at most", appended, dropped.longest_ms);
	bed_close();
	// Counts are one thing, rows another.
	bed_open(STORE_READ);
	cr_expect_eq(count(GONE), 0);
	cr_expect_eq(count(STAYING), NAMES + appended);
}

Test(store_pieces, one_that_is_stopped_says_so_and_leaves_the_rest)
{
	const struct store_actor actor = {"test", &lock, NULL, NULL, stop_at_once};
	struct store_dropped dropped;
	struct prefix prefix = bed_prefix(GONE);

	fill();
	pthread_mutex_lock(&lock);
	cr_expect_eq(store_forget(bed.store, &prefix, &actor, &dropped), -EINTR);
	pthread_mutex_unlock(&lock);
	cr_expect_leq(dropped.records, NAMES);
	cr_expect_eq(count(STAYING), NAMES);
	cr_expect_eq(count(GONE), NAMES - dropped.records);
}

Test(store_pieces, days_go_while_others_append)
{
	const struct store_actor actor = {"test", &lock, NULL, settle, NULL};
	struct store_dropped dropped;
	struct store_sizes sizes;
	pthread_t thread;
	int err;

	fill();
	bed_put(bed_record("old.example", bed_ms("2026-11-20 03:00:00")));
	cr_assert_eq(store_commit(bed.store), 0);
	cr_assert_eq(store_sizes_get(bed.store, &sizes), 0);
	cr_expect_eq(sizes.days, 2);
	cr_expect_gt(sizes.bytes[1], 0);
	pthread_create(&thread, NULL, append, NULL);
	pthread_mutex_lock(&lock);
	err = store_drop_before(
		bed.store, (uint16_t)list_day_parse("2026-11-22", 10), &actor, &dropped);
	pthread_mutex_unlock(&lock);
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	cr_assert_eq(err, 0);
	cr_expect_eq(dropped.days, 1);
	cr_expect_eq(dropped.records, 1);
	cr_expect_eq(settled, 1);
	cr_assert_eq(store_sizes_get(bed.store, &sizes), 0);
	cr_expect_eq(sizes.days, 1);
}
