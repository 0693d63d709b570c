/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log of rows: what readers get of it, over ends of all kinds.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "feed/feed_private.h"

static char folder[64], path[80];
static struct feed *feed;
static uint64_t number; // of the last write of the database

static void up(void)
{
	log_threshold(LOG_ERROR);
	strcpy(folder, "/tmp/test_feed_XXXXXX");
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/feed", folder);
}

static int file_remove(const char *file, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(file);
}

static void down(void)
{
	feed_close(feed);
	nftw(folder, file_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void log_open_with(uint64_t size, uint64_t keep_s)
{
	const struct feed_options options = {size, keep_s};

	cr_assert_eq(feed_open(path, &options, number, &feed), 0);
}

static void log_open(void)
{
	log_open_with(1 << 30, 86400);
}

static void log_close(void)
{
	feed_close(feed);
	feed = NULL;
}

// Rows say their number. Longer ones do not get smaller.
static size_t row_make(uint64_t row, size_t size, uint8_t octets[FEED_ROW_MAX])
{
	size_t n = (size_t)sprintf((char *)octets, "row %llu", (unsigned long long)row);
	uint64_t state = row * 0x9e3779b97f4a7c15;

	for (; n < size; n++) {
		state = state * 6364136223846793005 + 1442695040888963407;
		octets[n] = (uint8_t)(state >> 56);
	}
	return n;
}

// A batch that is on the disk.
static void batch(uint64_t first, uint64_t n, size_t size)
{
	static uint8_t octets[FEED_ROW_MAX];

	feed_begin(feed, number + 1);
	for (uint64_t i = 0; i < n; i++)
		feed_add(feed, octets, row_make(first + i, size, octets));
	cr_assert_eq(feed_end(feed), 0);
}

static void batch_settled(uint64_t first, uint64_t n, size_t size)
{
	batch(first, n, size);
	feed_settle(feed, ++number);
}

static void row_check(const struct feed_row *row, uint64_t wanted, size_t size)
{
	static uint8_t octets[FEED_ROW_MAX];
	size_t n = row_make(wanted, size, octets);

	cr_assert_eq(row->number, wanted);
	cr_assert(row->size == n && memcmp(row->data, octets, n) == 0, "row %llu",
		(unsigned long long)wanted);
}

// Rows from one on up to another are there, and no more.
static void rows_check(uint64_t from, uint64_t to, size_t size)
{
	struct feed_reader *reader;
	struct feed_row row;

	cr_assert_eq(feed_reader_open(feed, from, &reader), 0);
	for (; from < to; from++) {
		cr_assert_eq(feed_read(reader, 0, &row), 1, "%llu", (unsigned long long)from);
		row_check(&row, from, size);
	}
	cr_assert_eq(feed_read(reader, 0, &row), 0);
	cr_assert_eq(feed_reader_next(reader), to);
	feed_reader_close(reader);
}

TestSuite(feed, .init = up, .fini = down);

Test(feed, rows_are_read_in_their_order_from_any_one_on)
{
	log_open();
	rows_check(0, 0, 0);
	for (uint64_t i = 0; i < 5; i++)
		batch_settled(i * 3000, 3000, 200);
	rows_check(0, 15000, 200);
	rows_check(1, 15000, 200);
	rows_check(2999, 15000, 200);
	rows_check(3000, 15000, 200);
	rows_check(14999, 15000, 200);
	rows_check(15000, 15000, 200);
}

Test(feed, a_row_to_come_cannot_be_asked_for)
{
	struct feed_reader *reader;

	log_open();
	batch_settled(0, 3, 10);
	cr_expect_eq(feed_reader_open(feed, 4, &reader), -ENOENT);
}

Test(feed, rows_of_any_size_fit)
{
	struct feed_state state;

	log_open();
	batch_settled(0, 40, FEED_ROW_MAX);
	rows_check(0, 40, FEED_ROW_MAX);
	feed_begin(feed, number + 1);
	feed_add(feed, "", 0);
	cr_expect_eq(feed_end(feed), 0);
	feed_settle(feed, ++number);
	feed_state_get(feed, &state);
	cr_expect(state.next == 41 && state.oldest == 0);
}

Test(feed, what_is_not_settled_is_not_shown)
{
	log_open();
	batch_settled(0, 10, 20);
	batch(10, 5000, 100);
	rows_check(0, 10, 20);
	feed_settle(feed, ++number);
	rows_check(10, 5010, 100);
}

Test(feed, what_the_database_has_not_is_cut_off)
{
	log_open();
	batch_settled(0, 10, 20);
	batch(10, 5000, 100);
	feed_settle(feed, number);
	rows_check(0, 10, 20);
	batch_settled(10, 7, 20);
	rows_check(0, 17, 20);
}

Test(feed, a_log_goes_on_where_it_ended)
{
	struct feed_state before, after;

	log_open();
	feed_state_get(feed, &before);
	for (uint64_t i = 0; i < 10; i++) {
		batch_settled(i * 100, 100, 50);
		log_close();
		log_open();
	}
	feed_state_get(feed, &after);
	cr_expect_eq(before.id, after.id);
	rows_check(0, 1000, 50);
}

// What a process leaves that was killed between the two writes, or behind the second.
Test(feed, after_a_kill_the_log_has_what_the_database_has)
{
	log_open();
	batch_settled(0, 10, 20);
	batch(10, 5000, 20);
	log_close();
	log_open();
	rows_check(0, 10, 20);
	batch(10, 5000, 20);
	log_close();
	number++;
	log_open();
	rows_check(0, 5010, 20);
}

Test(feed, a_process_without_a_log_settles_what_is_there)
{
	const struct feed_options none = {0};

	cr_assert_eq(feed_open(path, &none, 0, &feed), 0);
	cr_expect(!feed && access(path, F_OK) < 0);
	log_open();
	batch_settled(0, 10, 20);
	batch(10, 10, 20);
	log_close();
	cr_assert_eq(feed_open(path, &none, number, &feed), 0);
	cr_expect_null(feed);
	number += 5;
	log_open();
	rows_check(0, 10, 20);
	batch_settled(10, 5, 20);
	rows_check(0, 15, 20);
}

static void last_path(char file[FEED_PATH_MAX])
{
	feed_segment_path(feed, feed->segments[feed->n - 1].first, file);
}

Test(feed, what_was_half_written_is_cut_off)
{
	char file[FEED_PATH_MAX];
	struct stat whole;
	off_t settled;

	log_open();
	batch_settled(0, 10, 20);
	settled = (off_t)feed->at;
	batch(10, 5000, 100);
	last_path(file);
	log_close();
	cr_assert_eq(stat(file, &whole), 0);
	for (unsigned i = 0; i < 20; i++) {
		off_t size = settled + (whole.st_size - settled) * i / 20;

		cr_assert_eq(truncate(file, size), 0);
		// What was never written of a file is zeroes.
		if (i % 2)
			cr_assert_eq(truncate(file, size + 100), 0);
		log_open();
		rows_check(0, 10, 20);
		batch(10, 5000, 100);
		log_close();
	}
}

Test(feed, a_log_of_another_database_begins_anew)
{
	struct feed_state before, after;

	log_open();
	for (unsigned i = 0; i < 5; i++)
		batch_settled(i * 10, 10, 20);
	feed_state_get(feed, &before);
	log_close();
	number = 2;
	log_open();
	feed_state_get(feed, &after);
	cr_expect(after.id != before.id && after.next == 0);
	batch_settled(0, 10, 20);
	rows_check(0, 10, 20);
}

Test(feed, damage_of_what_was_settled_begins_a_new_log)
{
	char file[FEED_PATH_MAX];
	struct feed_state before, after;
	int fd;

	log_open();
	batch_settled(0, 1000, 200);
	feed_state_get(feed, &before);
	last_path(file);
	log_close();
	fd = open(file, O_WRONLY);
	cr_assert(pwrite(fd, "x", 1, FEED_HEAD_SIZE + FEED_BLOCK_HEAD + 1000) == 1);
	close(fd);
	log_open();
	feed_state_get(feed, &after);
	cr_expect(after.id != before.id && after.next == 0);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static uint64_t folder_bytes(void)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint64_t bytes = 0;
	struct stat info;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &info, 0) == 0)
			bytes += (uint64_t)info.st_size;
	closedir(dir);
	return bytes;
}

Test(feed, the_oldest_go_when_there_are_too_many_octets)
{
	struct feed_reader *early, *late;
	struct feed_state state;
	struct feed_row row;
	uint64_t behind, n = 1;

	log_open_with(4 << 20, 86400);
	batch_settled(0, 100, 1000);
	cr_assert_eq(feed_reader_open(feed, 0, &early), 0);
	cr_assert_eq(feed_read(early, 0, &row), 1);
	for (uint64_t i = 1; i < 100; i++)
		batch_settled(i * 100, 100, 1000);
	feed_state_get(feed, &state);
	cr_expect(state.bytes == folder_bytes() && state.bytes <= 4 << 20 && state.bytes > 3 << 20,
		"%llu", (unsigned long long)state.bytes);
	cr_expect(state.next == 10000 && state.oldest > 5000 && state.oldest_s > 0);
	rows_check(state.oldest, 10000, 1000);
	// Who was reading has the file, and is told behind it.
	while (feed_read(early, 0, &row) == 1)
		row_check(&row, n++, 1000);
	behind = row.number;
	cr_expect_eq(behind, state.oldest);
	cr_expect_eq(feed_read(early, 0, &row), -ENOENT);
	cr_assert_eq(feed_reader_open(feed, 0, &late), 0);
	cr_expect(feed_read(late, 0, &row) == -ENOENT && row.number == state.oldest);
	feed_reader_close(early);
	feed_reader_close(late);
}

Test(feed, a_reader_goes_from_segment_to_segment)
{
	struct feed_reader *reader;
	struct feed_row row;
	uint64_t n = 0;

	log_open_with(32 << 20, 86400);
	cr_assert_eq(feed_reader_open(feed, 0, &reader), 0);
	for (uint64_t i = 0; i < 100; i++) {
		batch_settled(i * 100, 100, 1000);
		while (feed_read(reader, 0, &row) == 1)
			row_check(&row, n++, 1000);
		cr_assert_eq(n, (i + 1) * 100);
	}
	cr_expect_gt(feed->n, 4);
	feed_reader_close(reader);
	log_close();
	log_open_with(32 << 20, 86400);
	rows_check(0, 10000, 1000);
}

Test(feed, the_oldest_go_when_they_are_too_old)
{
	struct feed_state state;

	log_open_with(1 << 30, 160);
	for (uint64_t i = 0; i < 10; i++)
		batch_settled(i * 10, 10, 20);
	cr_assert_eq(feed->n, 1);
	// As if the first had been begun long ago.
	feed->segments[0].time_s -= 200;
	batch_settled(100, 10, 20);
	cr_assert_eq(feed->n, 2);
	feed->segments[1].time_s -= 161;
	feed_trim(feed);
	feed_state_get(feed, &state);
	cr_expect(state.segments == 1 && state.oldest == 100 && state.next == 110);
	rows_check(100, 110, 20);
}

Test(feed, a_time_leads_to_its_first_row)
{
	uint64_t row;
	int64_t now;

	log_open_with(4 << 20, 86400);
	now = feed->time_s;
	for (uint64_t i = 0; i < 30; i++) {
		feed->time_s = now + 100 * (int64_t)i;
		batch_settled(i * 100, 100, 1000);
	}
	cr_assert(feed->n > 4 && feed->segments[0].first == 0);
	cr_expect(feed_find(feed, now - 1000, &row) == 0 && row == 0);
	cr_expect(feed_find(feed, now + 100, &row) == 0 && row == 100);
	cr_expect(feed_find(feed, now + 1401, &row) == 0 && row == 1500);
	cr_expect(feed_find(feed, now + 2900, &row) == 0 && row == 2900);
	cr_expect(feed_find(feed, now + 2901, &row) == 0 && row == 3000);
	for (uint64_t i = 30; i < 60; i++) {
		feed->time_s = now + 100 * (int64_t)i;
		batch_settled(i * 100, 100, 1000);
	}
	cr_expect_eq(feed_find(feed, now + 100, &row), -ENOENT);
	cr_expect(feed_find(feed, now + 4500, &row) == 0 && row == 4500);
}

/* ---- together -------------------------------------------------------------------------------- */

struct following {
	uint64_t to;
	size_t size;
};

static void *follow(void *arg)
{
	const struct following *f = arg;
	struct feed_reader *reader;
	struct feed_row row;
	uint64_t n = 0;

	cr_assert_eq(feed_reader_open(feed, 0, &reader), 0);
	while (n < f->to) {
		int err = feed_read(reader, 10000, &row);

		cr_assert_eq(err, 1);
		row_check(&row, n++, f->size);
		if (n % 97 == 0) {
			feed_reader_close(reader);
			cr_assert_eq(feed_reader_open(feed, n, &reader), 0);
		}
	}
	feed_reader_close(reader);
	return NULL;
}

Test(feed, who_waits_is_woken)
{
	struct following f = {2000, 300};
	pthread_t thread;

	log_open_with(4 << 20, 86400);
	cr_assert_eq(pthread_create(&thread, NULL, follow, &f), 0);
	for (uint64_t i = 0; i < 200; i++) {
		batch(i * 10, 10, 300);
		if (i % 3 == 0) {
			feed_settle(feed, number);
			batch(i * 10, 10, 300);
		}
		feed_settle(feed, ++number);
	}
	pthread_join(thread, NULL);
}
