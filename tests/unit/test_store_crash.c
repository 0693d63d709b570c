/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A writer that is killed at any moment, and a disk that is full.
 */
#include "store_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "support/random.h"

#define START 4711

static void set_up(void)
{
	bed_up("UTC");
}

TestSuite(store_crash, .init = set_up, .fini = bed_down);

// Appends without end from number *seq + 1 on, and tells of each batch after it is committed.
static void write_on(uint64_t seq, int tell)
{
	uint64_t seed = seq + 1;
	struct store_record r[100];
	char name[32];

	if (bed_open_with((struct store_options){.mode = STORE_WRITE, .window_size = 65536}) != 0)
		_exit(3);
	for (;;) {
		for (unsigned i = 0; i < 100; i++) {
			int64_t ms = bed_ms("2026-11-22 12:00:00") + (int64_t)(seq + i);

			// Both kinds, and two days.
			snprintf(name, sizeof(name), "n%u.example", random_below(&seed, 300));
			r[i] = i % 5 ? bed_record(name, ms)
				     : bed_filtered(name, ms - 86400000, "203.0.113.1", "X");
		}
		for (unsigned i = 0; i < 100; i += 50) {
			seq += 50;
			if (bed_append(r + i, 50, START, seq) != 0)
				_exit(4);
		}
		if (store_commit(bed.store) != 0 || write(tell, &seq, sizeof(seq)) != sizeof(seq))
			_exit(5);
	}
}

Test(store_crash, killed_at_any_moment_what_was_produced_is_stored_or_counted_as_lost,
	.timeout = 110)
{
	uint64_t seed = RANDOM_SEED, committed = 0, produced = 0, seq;
	struct store_sender sender;
	unsigned kills = 0;
	int pipes[2], status;
	pid_t child;

	for (; kills < 12; kills++) {
		cr_assert_eq(pipe(pipes), 0);
		child = fork();
		if (child == 0) {
			close(pipes[0]);
			write_on(produced, pipes[1]);
		}
		close(pipes[1]);
		// Some are killed while they open the store, others between or in commits.
		if (kills % 4 != 3)
			cr_assert_eq(
				read(pipes[0], &committed, sizeof(committed)), sizeof(committed));
		usleep(random_below(&seed, 100000));
		kill(child, SIGKILL);
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFSIGNALED(status), "%d", WEXITSTATUS(status));
		while (read(pipes[0], &seq, sizeof(seq)) == sizeof(seq))
			committed = seq;
		close(pipes[0]);

		bed_open(STORE_WRITE);
		sender = bed_sender(START);
		cr_assert_eq(sender.last_seq, sender.stored + sender.lost);
		cr_assert_geq(sender.last_seq, committed, "nothing that was committed is missing");
		cr_assert_leq(sender.stored, sender.last_seq);
		bed_close();
		produced = sender.last_seq + 13; // numbers that got lost on the way
	}
	bed_open(STORE_READ);
	{
		uint64_t n = 0;
		struct store_day *days;
		int n_days = store_days(bed.store, &days);

		for (int i = 0; i < n_days; i++)
			n += days[i].records[0] + days[i].records[1];
		free(days);
		cr_expect_eq(n, sender.stored, "what is counted is what is there");
	}
	cr_expect_gt(sender.stored, 0);
	cr_expect_gt(sender.lost, 0);
}

static int count(void *ctx, const struct store_record *record)
{
	++*(uint64_t *)ctx;
	return 0;
}

static uint64_t records_found(struct store *store)
{
	struct store_question q = bed_question();
	uint64_t n = 0;

	q.order = STORE_BY_NAME;
	cr_assert_eq(store_query(store, &q, &(struct store_visitor){.ctx = &n, .visit = count}), 0);
	return n;
}

// A small disk of our own; needs a mount namespace.
static bool disk_mount(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	mkdir(bed.path, 0750);
	return mount("tmpfs", bed.path, "tmpfs", 0, "size=6m,mode=0750") == 0;
}

static void disk_fill(void)
{
	static char zeros[65536];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/ballast", bed.path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	for (size_t size = sizeof(zeros); size >= 1; size /= 2)
		while (write(fd, zeros, size) == (ssize_t)size)
			;
	close(fd);
}

static void disk_free(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/ballast", bed.path);
	cr_assert_eq(unlink(path), 0);
}

static uint64_t names_append(uint64_t seq, unsigned n, int *err)
{
	char name[40];

	for (unsigned i = 0; i < n; i++) {
		struct store_record r;
		int each;

		seq++;
		snprintf(name, sizeof(name), "n%llu.example", (unsigned long long)seq);
		r = bed_record(name, bed_ms("2026-11-22 12:00:00") + (int64_t)seq);
		each = bed_append(&r, 1, START, seq);
		*err = each ? each : *err;
	}
	return seq;
}

Test(store_crash, a_full_disk_loses_only_what_is_counted_and_questions_are_still_answered,
	.timeout = 60)
{
	const struct store_options options = {.mode = STORE_WRITE, .window_size = 65536};
	struct store_sender sender;
	struct store_stats stats;
	struct store *reader;
	uint64_t seq = 0, before;
	int err = 0;

	if (!disk_mount())
		cr_skip_test("no mount namespace");
	cr_assert_eq(bed_open_with(options), 0);
	seq = names_append(seq, 500, &err);
	cr_assert_eq(err, 0);
	cr_assert_eq(store_commit(bed.store), 0);
	disk_fill();
	// More than what fits into what RocksDB had reserved, and into the window.
	for (unsigned i = 0; i < 400 && err == 0; i++) {
		seq = names_append(seq, 1000, &err);
		store_commit(bed.store);
	}
	cr_assert_eq(err, -ENOSPC, "%s", strerror(-err));
	store_stats_get(bed.store, &stats);
	cr_expect_gt(stats.failed_commits, 0);
	cr_expect_gt(stats.refused, 0);
	sender = bed_sender(START);
	cr_expect_eq(sender.last_seq, seq);
	cr_expect_eq(sender.lost + sender.stored + sender.pending, seq);

	cr_assert_eq(store_open(bed.path, &(struct store_options){.mode = STORE_READ}, &reader), 0);
	before = records_found(reader);
	store_close(reader);
	cr_expect_eq(before, sender.stored);

	disk_free();
	for (unsigned i = 0; i < 100 && store_commit(bed.store) != 0; i++)
		usleep(100000);
	err = 0;
	seq = names_append(seq, 100, &err);
	cr_expect_eq(err, 0);
	cr_expect_eq(store_commit(bed.store), 0);
	sender = bed_sender(START);
	cr_expect_eq(sender.pending, 0);
	cr_expect_eq(sender.stored + sender.lost, seq);
	cr_expect_geq(sender.stored, before + 100);
	cr_expect_eq(records_found(bed.store), sender.stored);
	bed_close();
	cr_assert_eq(bed_open_with(options), 0);
	cr_expect_eq(bed_sender(START).stored, sender.stored);
	cr_expect_eq(records_found(bed.store), sender.stored);
	bed_close();
	umount2(bed.path, MNT_DETACH);
}

// Until a commit fails, and then as many again.
static uint64_t full_append(uint64_t seq, int *err)
{
	int commit = 0;

	for (unsigned i = 0; i < 400 && commit == 0; i++) {
		seq = names_append(seq, 1000, err);
		commit = store_commit(bed.store);
	}
	cr_assert_eq(commit, -ENOSPC, "%s", strerror(-commit));
	return names_append(seq, 1000, err);
}

static void room_again(uint64_t seq)
{
	struct store_sender sender;

	disk_free();
	for (unsigned i = 0; i < 100 && store_commit(bed.store) != 0; i++)
		usleep(100000);
	sender = bed_sender(START);
	cr_expect_eq(sender.last_seq, seq);
	cr_expect_eq(sender.pending, 0);
	cr_expect_eq(sender.lost, 0, "%llu", (unsigned long long)sender.lost);
	cr_expect_eq(records_found(bed.store), seq);
}

Test(store_crash, what_comes_while_the_disk_is_full_waits_also_when_it_was_full_at_the_start)
{
	const struct store_options options = {.mode = STORE_WRITE};
	uint64_t seq = 0;
	int err = 0;

	if (!disk_mount())
		cr_skip_test("no mount namespace");
	cr_assert_eq(bed_open_with(options), 0);
	seq = names_append(seq, 500, &err);
	cr_assert_eq(store_commit(bed.store), 0);
	disk_fill();
	seq = full_append(seq, &err);
	cr_expect_eq(err, 0, "%s", strerror(-err));
	room_again(seq);
	bed_close();

	disk_fill();
	cr_assert_eq(bed_open_with(options), 0);
	seq = full_append(seq, &err);
	cr_expect_eq(err, 0, "%s", strerror(-err));
	room_again(seq);
	bed_close();
	umount2(bed.path, MNT_DETACH);
}
