/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that are followed while they are written, rotated and cut, and while nobody follows.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "contact/contact.h"
#include "support/folder.h"

#define PUT_MAX 65536

// What was put: the port of each contact is the number of its line. A chunk that comes again replaces
// what it was before.
static struct {
	char folder[64], path[96], positions[96];
	struct contact_follow *follow;
	uint64_t chunk[PUT_MAX];
	uint32_t n[PUT_MAX];
	uint64_t chunks, refused;
	int err; // that the next put ends with
	int err_behind;
} bed;

static bool refuses(void *ctx, const struct addr *client)
{
	return client->bytes[3] == 66;
}

static int put(void *ctx, uint64_t chunk, const struct store_contact *contacts, size_t n,
	struct store_contacts_done *done)
{
	bed.chunks++;
	if (bed.err)
		return bed.err;
	for (size_t i = 0; i < n; i++) {
		uint16_t port = contacts[i].port;

		if (bed.chunk[port] != chunk)
			bed.n[port] += contacts[i].n;
		else
			bed.n[port] = contacts[i].n;
		bed.chunk[port] = chunk;
	}
	done->stored = n;
	return bed.err_behind;
}

static const struct contact_sink sink = {.days = 60, .refuses = refuses, .put = put};

static void follow(void)
{
	const char *paths[] = {bed.path};

	bed.follow = contact_follow_open(paths, 1, bed.positions, &sink);
	cr_assert(bed.follow);
}

static void leave(void)
{
	contact_follow_close(bed.follow);
	bed.follow = NULL;
}

static void set_up(void)
{
	log_threshold(LOG_ERROR);
	strcpy(bed.folder, "/tmp/test_contact_XXXXXX");
	cr_assert(mkdtemp(bed.folder));
	snprintf(bed.path, sizeof(bed.path), "%s/flows.json", bed.folder);
	snprintf(bed.positions, sizeof(bed.positions), "%s/positions.json", bed.folder);
	follow();
}

static void tear_down(void)
{
	leave();
	folder_remove(bed.folder);
}

TestSuite(contact_follow, .init = set_up, .fini = tear_down);

static void text_append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

// Lines whose ports are from..to; each of a client of its own, so that none are gathered.
static void lines_append(const char *path, unsigned from, unsigned to)
{
	FILE *file = fopen(path, "a");

	cr_assert(file);
	for (unsigned i = from; i <= to; i++)
		fprintf(file,
			"{\"time\":%lld.%03u,\"client\":\"10.%u.%u.%u\",\"client_port\":1024,"
			"\"protocol\":\"tcp\",\"port\":%u}\n",
			(long long)time(NULL) - 1000, i % 1000, i / 60 / 200, i / 60 % 200, i % 60,
			i);
	fclose(file);
}

static void tick(void)
{
	cr_assert_eq(contact_follow_tick(bed.follow), 0);
}

// Every line of 1..n was put once.
static void all_once(unsigned n)
{
	for (unsigned i = 1; i <= n + 1; i++)
		cr_assert_eq(bed.n[i], i <= n, "line %u of %u was put %u times", i, n, bed.n[i]);
}

static struct contact_counts counts(void)
{
	struct contact_counts now;

	contact_follow_counts(bed.follow, &now);
	return now;
}

static char *beside(const char *end)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s%s", bed.path, end);
	return path;
}

static void moved_at(const char *path, int seconds)
{
	const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void copy(const char *to)
{
	char command[300];

	snprintf(command, sizeof(command), "cp '%s' '%s'", bed.path, to);
	cr_assert_eq(system(command), 0);
}

Test(contact_follow, a_file_that_is_not_there_is_waited_for)
{
	tick();
	lines_append(bed.path, 1, 3);
	tick();
	all_once(3);
}

Test(contact_follow, half_a_line_waits_for_the_rest)
{
	lines_append(bed.path, 1, 1);
	text_append(bed.path, "{\"time\":");
	tick();
	all_once(1);
	tick();
	cr_expect_eq(counts().bad, 0);
	text_append(bed.path, "7}\n");
	lines_append(bed.path, 2, 2);
	tick();
	all_once(2);
	cr_expect_eq(counts().lines, 3);
	cr_expect_eq(counts().bad, 1);
}

Test(contact_follow, a_restart_goes_on_where_it_was)
{
	lines_append(bed.path, 1, 100);
	tick();
	leave();
	lines_append(bed.path, 101, 200);
	follow();
	tick();
	all_once(200);
}

Test(contact_follow, a_renamed_file_is_read_to_its_end)
{
	lines_append(bed.path, 1, 10);
	tick();
	cr_assert_eq(rename(bed.path, beside(".1")), 0);
	tick();
	lines_append(beside(".1"), 11, 20);
	lines_append(bed.path, 21, 30);
	tick();
	all_once(30);
	lines_append(bed.path, 31, 40);
	tick();
	all_once(40);
}

Test(contact_follow, a_file_that_was_copied_and_cut_is_read_to_its_end)
{
	lines_append(bed.path, 1, 10);
	tick();
	lines_append(bed.path, 11, 20);
	copy(beside(".1"));
	cr_assert_eq(truncate(bed.path, 0), 0);
	lines_append(bed.path, 21, 25);
	tick();
	all_once(25);
	cr_expect_eq(counts().gaps, 0);
}

Test(contact_follow, a_file_that_has_grown_again_since_it_was_cut_is_not_taken_for_the_old_one)
{
	lines_append(bed.path, 1, 10);
	tick();
	copy(beside(".1"));
	cr_assert_eq(truncate(bed.path, 0), 0);
	lines_append(bed.path, 11, 40);
	tick();
	all_once(40);
}

Test(contact_follow, rotations_while_nobody_follows_lose_nothing)
{
	lines_append(bed.path, 1, 10);
	tick();
	leave();
	lines_append(bed.path, 11, 20);
	rename(bed.path, beside(".3"));
	moved_at(beside(".3"), 1000);
	lines_append(beside(".2"), 21, 30);
	moved_at(beside(".2"), 2000);
	lines_append(beside(".1"), 31, 40);
	moved_at(beside(".1"), 3000);
	text_append(beside(".0.gz"), "\x1f\x8b not to be read");
	moved_at(beside(".0.gz"), 3500);
	lines_append(bed.path, 41, 50);
	follow();
	tick();
	all_once(50);
	cr_expect_eq(counts().bad, 0);
}

Test(contact_follow, what_is_gone_is_counted)
{
	lines_append(bed.path, 1, 10);
	tick();
	leave();
	unlink(bed.path);
	lines_append(bed.path, 11, 30);
	follow();
	tick();
	all_once(30);
	cr_expect_eq(counts().gaps, 1);
}

Test(contact_follow, what_cannot_be_put_waits)
{
	lines_append(bed.path, 1, 10);
	bed.err = -ENOSPC;
	cr_assert_eq(contact_follow_tick(bed.follow), -ENOSPC);
	cr_expect_eq(counts().lines, 0);
	lines_append(bed.path, 11, 20);
	// It rests before it tries again.
	cr_assert_eq(contact_follow_tick(bed.follow), -ENOSPC);
	cr_expect_eq(bed.chunks, 1);
	bed.err = 0;
	leave();
	follow();
	tick();
	all_once(20);
	cr_expect_eq(counts().lines, 20);
}

Test(contact_follow, a_crash_between_putting_and_keeping_the_position_repeats_nothing)
{
	lines_append(bed.path, 1, 10);
	bed.err_behind = -EIO;
	cr_assert_eq(contact_follow_tick(bed.follow), -EIO);
	bed.err_behind = 0;
	leave();
	lines_append(bed.path, 11, 20);
	follow();
	tick();
	all_once(20);
}

Test(contact_follow, a_line_without_end_is_passed_over)
{
	size_t size = CONTACT_CHUNK_MAX * 2 + 77;
	char *text = malloc(size + 1);

	memset(text, 'x', size);
	text[size] = '\0';
	lines_append(bed.path, 1, 5);
	text_append(bed.path, text);
	tick();
	leave();
	follow();
	text_append(bed.path, "xxx\n");
	lines_append(bed.path, 6, 10);
	tick();
	all_once(10);
	free(text);
}

Test(contact_follow, many_chunks_are_all_read)
{
	lines_append(bed.path, 1, 50000);
	tick();
	all_once(50000);
	cr_expect_gt(bed.chunks, 4);
}

Test(contact_follow, clients_that_refused_logging_and_wrong_times_are_left_out)
{
	char line[256];

	snprintf(line, sizeof(line),
		"{\"time\":%lld,\"client\":\"10.0.0.66\",\"protocol\":\"tcp\",\"port\":1}\n",
		(long long)time(NULL));
	text_append(bed.path, line);
	text_append(bed.path,
		"{\"time\":1000,\"client\":\"10.0.0.1\",\"protocol\":\"tcp\",\"port\":1}\n");
	snprintf(line, sizeof(line),
		"{\"time\":%lld,\"client\":\"10.0.0.1\",\"protocol\":\"tcp\",\"port\":1}\n",
		(long long)time(NULL) + 100000);
	text_append(bed.path, line);
	tick();
	all_once(0);
	cr_expect_eq(counts().opted_out, 1);
	cr_expect_eq(counts().bad_time, 2);
}

Test(contact_follow, positions_that_cannot_be_read_are_an_error)
{
	const char *paths[] = {bed.path};

	text_append(bed.positions, "{\"version\":2}");
	cr_expect_null(contact_follow_open(paths, 1, bed.positions, &sink));
}

Test(contact_follow, a_file_is_put_once)
{
	struct contact_counts once = {0};
	int fd;

	lines_append(bed.path, 1, 30000);
	text_append(bed.path, "no line");
	for (int i = 0; i < 2; i++) {
		fd = open(bed.path, O_RDONLY);
		cr_assert_eq(contact_file_put(&sink, fd, &once), 0);
		close(fd);
		all_once(30000);
	}
	cr_expect_eq(once.lines, 2 * 30001);
	cr_expect_eq(once.bad, 2);
}
