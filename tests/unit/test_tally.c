/* SPDX-License-Identifier: BSD-3-Clause */
#include "tally/tally.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/block.h"
#include "base/counter.h"
#include "support/folder.h"
#include "support/test.h"

#define WORKERS 3
#define HOUR    3600
#define FIRST   (1000000 * (int64_t)HOUR)

static const int nodes[WORKERS] = {-1, -1, -1};

// Two lists; an identifier has another number in each table, and lists share some.
struct bed {
	struct tally *tally;
	struct policy policy;
	struct stats_worker *sum;
};

static void bed_init(struct bed *bed)
{
	memset(&bed->policy, 0, sizeof(bed->policy));
	bed->policy.n_lists = 2;
	strcpy(bed->policy.lists[0].name, "c2");
	strcpy(bed->policy.lists[1].name, "ads");
	bed->tally = tally_create();
	bed->sum = aligned_alloc(64, sizeof(*bed->sum));
	cr_assert(bed->tally && bed->sum);
	memset(bed->sum, 0, sizeof(*bed->sum));
}

static void bed_end(struct bed *bed)
{
	tally_destroy(bed->tally);
	free(bed->sum);
}

struct known {
	uint32_t list;
	const char *id;
};

// A table with these identifiers, in this order.
static struct fqdn_table *names_make(const struct known *known, unsigned n)
{
	struct fqdn_builder *builder = fqdn_builder_create();
	struct fqdn_table *names;

	for (unsigned i = 0; i < n; i++)
		cr_assert(fqdn_builder_id(builder, known[i].list, known[i].id) == i + 1);
	names = fqdn_builder_finish(builder);
	cr_assert(names);
	fqdn_builder_destroy(builder);
	return names;
}

static void names_free(struct fqdn_table *names)
{
	block_free(names, fqdn_table_size(names));
}

struct seen {
	char text[2048];
};

static void row_note(void *ctx, const struct tally_row *row)
{
	struct seen *seen = ctx;

	for (enum policy_action action = 0; action < POLICY_ACTIONS; action++) {
		size_t at = strlen(seen->text);

		if (row->filtered[action])
			snprintf(seen->text + at, sizeof(seen->text) - at, "%s/%s/%s %llu;",
				row->list, row->id, policy_action_name(action),
				(unsigned long long)row->filtered[action]);
	}
}

static const char *rows(struct bed *bed)
{
	static struct seen seen;

	seen.text[0] = '\0';
	cr_assert(tally_each(bed->tally, row_note, &seen) == 0);
	return seen.text;
}

static void rows_are(struct bed *bed, const char *expected)
{
	const char *got = rows(bed);

	cr_assert(strcmp(got, expected) == 0, "expected %s, got %s", expected, got);
}

static void count(const struct tally_generation *generation, unsigned worker, uint32_t id,
	enum policy_action action, uint64_t n)
{
	counter_add(&tally_workers(generation)[worker][id].filtered[action], n);
}

Test(tally, an_identifier_is_known_from_its_first_hit_on_by_list_and_by_what_was_done)
{
	static const struct known known[] = {{0, "M-1"}, {1, "M-1"}, {1, ""}, {0, "M-2"}};
	struct fqdn_table *names = names_make(known, 4);
	struct tally_generation *generation;
	struct bed bed;

	bed_init(&bed);
	generation = tally_begin(bed.tally, names, &bed.policy, WORKERS, nodes);
	cr_assert(generation);
	rows_are(&bed, "");
	count(generation, 0, 1, POLICY_NXDOMAIN, 5);
	count(generation, 2, 1, POLICY_NXDOMAIN, 2);
	count(generation, 1, 1, POLICY_SINKHOLE, 1);
	count(generation, 0, 2, POLICY_LOG, 4);
	count(generation, 0, 3, POLICY_LOG, 8);
	rows_are(&bed, "ads//log 8;ads/M-1/log 4;c2/M-1/sinkhole 1;c2/M-1/nxdomain 7;");
	cr_assert(tally_end(bed.tally, generation) == 0);
	names_free(names);
	bed_end(&bed);
}

Test(tally, generations_add_up_whatever_numbers_they_have_and_also_when_they_are_gone)
{
	static const struct known before[] = {{0, "M-1"}, {1, "M-1"}, {0, "M-2"}};
	static const struct known after[] = {{0, "M-2"}, {0, "M-3"}, {1, "M-1"}};
	struct fqdn_table *names[2] = {names_make(before, 3), names_make(after, 3)};
	struct tally_generation *g[2];
	struct bed bed;

	bed_init(&bed);
	g[0] = tally_begin(bed.tally, names[0], &bed.policy, WORKERS, nodes);
	count(g[0], 0, 1, POLICY_SINKHOLE, 1);
	count(g[0], 1, 3, POLICY_SINKHOLE, 10);
	// Both are in use for a while.
	g[1] = tally_begin(bed.tally, names[1], &bed.policy, WORKERS, nodes);
	count(g[1], 1, 1, POLICY_SINKHOLE, 100);
	count(g[0], 2, 3, POLICY_SINKHOLE, 20);
	count(g[1], 0, 2, POLICY_DROP, 7);
	rows_are(&bed, "c2/M-1/sinkhole 1;c2/M-2/sinkhole 130;c2/M-3/drop 7;");
	cr_assert(tally_end(bed.tally, g[0]) == 0);
	names_free(names[0]);
	rows_are(&bed, "c2/M-1/sinkhole 1;c2/M-2/sinkhole 130;c2/M-3/drop 7;");
	count(g[1], 0, 3, POLICY_ALLOW, 3);
	count(g[1], 0, 1, POLICY_SINKHOLE, 1000);
	cr_assert(tally_end(bed.tally, g[1]) == 0);
	names_free(names[1]);
	rows_are(&bed, "ads/M-1/allow 3;c2/M-1/sinkhole 1;c2/M-2/sinkhole 1130;c2/M-3/drop 7;");
	bed_end(&bed);
}

Test(tally, a_list_is_known_by_its_name_when_its_place_changes)
{
	static const struct known before[] = {{0, "M-1"}}, after[] = {{1, "M-1"}};
	struct fqdn_table *names[2] = {names_make(before, 1), names_make(after, 1)};
	struct tally_generation *g[2];
	struct policy turned;
	struct bed bed;

	bed_init(&bed);
	turned = bed.policy;
	strcpy(turned.lists[0].name, "ads");
	strcpy(turned.lists[1].name, "c2");
	g[0] = tally_begin(bed.tally, names[0], &bed.policy, WORKERS, nodes);
	g[1] = tally_begin(bed.tally, names[1], &turned, WORKERS, nodes);
	count(g[0], 0, 1, POLICY_SINKHOLE, 1);
	count(g[1], 0, 1, POLICY_SINKHOLE, 2);
	rows_are(&bed, "c2/M-1/sinkhole 3;");
	cr_assert(tally_end(bed.tally, g[0]) == 0 && tally_end(bed.tally, g[1]) == 0);
	cr_assert(tally_end(bed.tally, NULL) == 0);
	names_free(names[0]);
	names_free(names[1]);
	bed_end(&bed);
}

#define GENERATIONS 200

// Workers that count while generations come and go.
struct crowd {
	struct bed bed;
	struct tally_generation *_Atomic now;
	atomic_uint seen[WORKERS]; // how often a worker has looked at `now`
	atomic_bool stop;
	uint64_t counted[WORKERS];
};

struct member {
	struct crowd *crowd;
	unsigned worker;
};

static void *member_count(void *arg)
{
	const struct member *member = arg;
	struct crowd *crowd = member->crowd;

	while (!atomic_load(&crowd->stop)) {
		const struct tally_generation *now = atomic_load(&crowd->now);

		for (unsigned i = 0; i < 50; i++)
			count(now, member->worker, 1 + i % 2, POLICY_SINKHOLE, 1);
		crowd->counted[member->worker] += 50;
		atomic_fetch_add(&crowd->seen[member->worker], 1);
	}
	return NULL;
}

static void row_sum(void *ctx, const struct tally_row *row)
{
	*(uint64_t *)ctx += row->filtered[POLICY_SINKHOLE];
}

static uint64_t sum_all(struct bed *bed)
{
	uint64_t sum = 0;

	cr_assert(tally_each(bed->tally, row_sum, &sum) == 0);
	return sum;
}

// Each of them has looked at least once since the call.
static void members_wait(struct crowd *crowd)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		unsigned from = atomic_load(&crowd->seen[i]);

		while (atomic_load(&crowd->seen[i]) - from < 2)
			usleep(10);
	}
}

Test(tally, nothing_is_lost_or_counted_twice_while_generations_come_and_go, .timeout = 60)
{
	static const struct known known[2][2] = {
		{{0, "M-1"}, {0, "M-2"}}, {{0, "M-2"}, {1, "M-1"}}};
	struct fqdn_table *names[2] = {names_make(known[0], 2), names_make(known[1], 2)};
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	struct member members[WORKERS];
	pthread_t threads[WORKERS];
	uint64_t last = 0, counted = 0;

	cr_assert(crowd);
	bed_init(&crowd->bed);
	atomic_store(&crowd->now,
		tally_begin(crowd->bed.tally, names[0], &crowd->bed.policy, WORKERS, nodes));
	for (unsigned i = 0; i < WORKERS; i++) {
		members[i] = (struct member){crowd, i};
		cr_assert(pthread_create(&threads[i], NULL, member_count, &members[i]) == 0);
	}
	for (unsigned i = 1; i <= GENERATIONS; i++) {
		struct tally_generation *old = atomic_load(&crowd->now);
		uint64_t sum;

		atomic_store(&crowd->now, tally_begin(crowd->bed.tally, names[i % 2],
						  &crowd->bed.policy, WORKERS, nodes));
		sum = sum_all(&crowd->bed);
		cr_assert(sum >= last, "%llu is less than %llu", (unsigned long long)sum,
			(unsigned long long)last);
		members_wait(crowd);
		last = sum_all(&crowd->bed);
		cr_assert(last >= sum);
		cr_assert(tally_end(crowd->bed.tally, old) == 0);
	}
	atomic_store(&crowd->stop, true);
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		counted += crowd->counted[i];
	}
	cr_assert(sum_all(&crowd->bed) == counted);
	tally_end(crowd->bed.tally, atomic_load(&crowd->now));
	cr_assert(sum_all(&crowd->bed) == counted && counted > 0);
	bed_end(&crowd->bed);
	names_free(names[0]);
	names_free(names[1]);
	free(crowd);
}

/* ---- the file ------------------------------------------------------------------------------- */

struct file {
	char folder[64], path[96], error[TOTALS_ERROR_SIZE];
	struct totals *totals;
};

static void file_open(struct file *file)
{
	cr_assert(totals_zone_set("UTC") == 0);
	strcpy(file->folder, "/tmp/test_tally.XXXXXX");
	cr_assert(mkdtemp(file->folder));
	snprintf(file->path, sizeof(file->path), "%s/totals.db", file->folder);
	cr_assert(totals_open(file->path, TOTALS_CREATE, "box", &file->totals, file->error) == 0);
}

static void file_close(struct file *file)
{
	totals_close(file->totals);
	folder_remove(file->folder);
}

static int response_note(void *ctx, const struct totals_response *sum)
{
	struct seen *seen = ctx;
	size_t at = strlen(seen->text);

	snprintf(seen->text + at, sizeof(seen->text) - at, "%u/%u %llu;", sum->rcode, sum->type,
		(unsigned long long)sum->n);
	return 0;
}

static int filtered_note(void *ctx, const struct totals_filtered *sum)
{
	struct seen *seen = ctx;
	size_t at = strlen(seen->text);

	snprintf(seen->text + at, sizeof(seen->text) - at, "%s/%s/%s %llu;", sum->list, sum->id,
		policy_action_name(sum->action), (unsigned long long)sum->n);
	return 0;
}

static int lost_note(void *ctx, const struct totals_lost *sum)
{
	struct seen *seen = ctx;
	size_t at = strlen(seen->text);

	snprintf(seen->text + at, sizeof(seen->text) - at, "lost %s %llu;", sum->what,
		(unsigned long long)sum->n);
	return 0;
}

static void file_has(struct file *file, int64_t hour, unsigned hours, const char *expected)
{
	struct seen seen = {""};
	int64_t end = hour + (int64_t)hours * HOUR;

	cr_assert(totals_each_response(file->totals, hour, end, response_note, &seen) == 0);
	cr_assert(totals_each_filtered(file->totals, hour, end, filtered_note, &seen) == 0);
	cr_assert(totals_each_lost(file->totals, hour, end, lost_note, &seen) == 0);
	cr_assert(strcmp(seen.text, expected) == 0, "expected %s, got %s", expected, seen.text);
}

Test(tally, what_came_in_an_hour_is_written_to_it_once)
{
	static const struct known known[] = {{0, "M-1"}, {1, "M-1"}};
	struct fqdn_table *names = names_make(known, 2);
	struct tally_generation *generation;
	struct file file;
	struct bed bed;

	file_open(&file);
	bed_init(&bed);
	generation = tally_begin(bed.tally, names, &bed.policy, WORKERS, nodes);
	bed.sum->responses[0][DNS_TYPE_ROW_A] = 10;
	bed.sum->responses[3][DNS_TYPE_ROW_AAAA] = 3;
	bed.sum->responses[0][DNS_TYPE_ROW_other] = 1;
	bed.sum->responses[0][DNS_TYPE_ROW_none] = 1;
	bed.sum->mirror_lost = 6;
	count(generation, 0, 1, POLICY_SINKHOLE, 4);
	cr_assert(tally_take(bed.tally, bed.sum, FIRST) == 0);
	cr_assert(tally_write(bed.tally, file.totals) == 0);
	cr_assert(tally_write(bed.tally, file.totals) == 0);
	file_has(&file, FIRST, 1, "0/0 2;0/1 10;3/28 3;c2/M-1/sinkhole 4;lost mirror 6;");
	// Twice in one hour before it is written, then the next.
	count(generation, 1, 1, POLICY_SINKHOLE, 1);
	cr_assert(tally_take(bed.tally, bed.sum, FIRST) == 0);
	count(generation, 1, 1, POLICY_SINKHOLE, 1);
	count(generation, 1, 2, POLICY_LOG, 5);
	bed.sum->responses[0][DNS_TYPE_ROW_A] = 15;
	cr_assert(tally_take(bed.tally, bed.sum, FIRST) == 0);
	count(generation, 2, 2, POLICY_LOG, 9);
	cr_assert(tally_end(bed.tally, generation) == 0);
	bed.sum->responses[0][DNS_TYPE_ROW_A] = 16;
	cr_assert(tally_take(bed.tally, bed.sum, FIRST + HOUR) == 0);
	cr_assert(tally_waiting(bed.tally).hours == 2 && tally_waiting(bed.tally).responses == 6);
	cr_assert(tally_write(bed.tally, file.totals) == 0);
	cr_assert(tally_waiting(bed.tally).hours == 0);
	file_has(&file, FIRST, 1,
		"0/0 2;0/1 15;3/28 3;ads/M-1/log 5;c2/M-1/sinkhole 6;lost mirror 6;");
	file_has(&file, FIRST + HOUR, 1, "0/1 1;ads/M-1/log 9;");
	names_free(names);
	bed_end(&bed);
	file_close(&file);
}

// A file of this process may have so many octets from now on.
static void file_size_limit(rlim_t size)
{
	struct rlimit limit;

	cr_assert(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = size;
	cr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

Test(tally, what_a_full_disk_does_not_take_waits_with_its_hour)
{
	static const struct known known[] = {{0, "M-1"}};
	struct fqdn_table *names = names_make(known, 1);
	struct tally_generation *generation;
	struct file file;
	struct bed bed;

	signal(SIGXFSZ, SIG_IGN);
	file_open(&file);
	bed_init(&bed);
	generation = tally_begin(bed.tally, names, &bed.policy, WORKERS, nodes);
	file_size_limit(0);
	for (unsigned hour = 0; hour < 3; hour++)
		for (unsigned turn = 0; turn < 4; turn++) {
			bed.sum->responses[0][DNS_TYPE_ROW_A] += 10 + hour;
			count(generation, 0, 1, POLICY_DROP, 1 + hour);
			cr_assert(tally_take(bed.tally, bed.sum, FIRST + hour * HOUR) == 0);
			cr_assert(tally_write(bed.tally, file.totals) == -EIO);
		}
	cr_assert(tally_waiting(bed.tally).hours == 3);
	cr_assert(tally_waiting(bed.tally).responses == 4 * (10 + 11 + 12));
	file_size_limit(RLIM_INFINITY);
	cr_assert(tally_write(bed.tally, file.totals) == 0);
	file_has(&file, FIRST, 1, "0/1 40;c2/M-1/drop 4;");
	file_has(&file, FIRST + HOUR, 1, "0/1 44;c2/M-1/drop 8;");
	file_has(&file, FIRST + 2 * HOUR, 1, "0/1 48;c2/M-1/drop 12;");
	cr_assert(tally_end(bed.tally, generation) == 0);
	names_free(names);
	bed_end(&bed);
	file_close(&file);
}

Test(tally, after_a_week_without_a_disk_what_comes_counts_to_the_last_hour)
{
	struct file file;
	struct bed bed;

	file_open(&file);
	bed_init(&bed);
	for (unsigned hour = 0; hour < TALLY_HOURS_MAX + 10; hour++) {
		bed.sum->responses[0][DNS_TYPE_ROW_A]++;
		cr_assert(tally_take(bed.tally, bed.sum, FIRST + hour * HOUR) == 0);
	}
	cr_assert(tally_waiting(bed.tally).hours == TALLY_HOURS_MAX);
	cr_assert(tally_write(bed.tally, file.totals) == 0);
	file_has(&file, FIRST, TALLY_HOURS_MAX - 1, "0/1 167;");
	file_has(&file, FIRST + (TALLY_HOURS_MAX - 1) * HOUR, 20, "0/1 11;");
	bed_end(&bed);
	file_close(&file);
}
