/* SPDX-License-Identifier: BSD-3-Clause */
#include "totals/totals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sqlite3.h>

#include "support/folder.h"

#define HOUR    3600
#define FOREVER INT64_MAX

static char folder[64], path[96], other_path[96];
static char error[TOTALS_ERROR_SIZE];

static void zone_set(const char *zone)
{
	cr_assert(totals_zone_set(zone) == 0, "%s", zone);
}

static void begin(void)
{
	zone_set("Asia/Tokyo");
	strcpy(folder, "/tmp/test_totals.XXXXXX");
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/totals.db", folder);
	snprintf(other_path, sizeof(other_path), "%s/other.db", folder);
}

static void end(void)
{
	folder_remove(folder);
}

TestSuite(totals, .init = begin, .fini = end);

static struct totals *open_as(const char *at, enum totals_mode mode, const char *box)
{
	struct totals *totals;
	int err = totals_open(at, mode, box, &totals, error);

	cr_assert(err == 0, "%s", error);
	return totals;
}

// What is in a file between two moments, as text.
struct seen {
	char text[2048];
};

static void note(struct seen *seen, const char *line)
{
	cr_assert(strlen(seen->text) + strlen(line) < sizeof(seen->text));
	strcat(seen->text, line);
}

static int response_note(void *ctx, const struct totals_response *sum)
{
	char line[64];

	snprintf(line, sizeof(line), "%u/%u %lu;", sum->rcode, sum->type, sum->n);
	note(ctx, line);
	return 0;
}

static int filtered_note(void *ctx, const struct totals_filtered *sum)
{
	char line[600];

	snprintf(line, sizeof(line), "%s/%s/%s %lu;", sum->list, sum->id,
		policy_action_name(sum->action), sum->n);
	note(ctx, line);
	return 0;
}

static int lost_note(void *ctx, const struct totals_lost *sum)
{
	char line[300];

	snprintf(line, sizeof(line), "%s %lu;", sum->what, sum->n);
	note(ctx, line);
	return 0;
}

static int entered_note(void *ctx, const struct totals_entered *e)
{
	char line[1500];

	snprintf(line, sizeof(line), "%ld..%ld at %ld by %s: %s %ld/%ld %s;", e->begin, e->end,
		e->at, e->who, e->id, e->filtered, e->responses, e->note);
	note(ctx, line);
	return 0;
}

static const char *all(struct totals *totals, int64_t from, int64_t to)
{
	static struct seen seen;

	seen.text[0] = '\0';
	cr_assert(totals_each_response(totals, from, to, response_note, &seen) == 0);
	note(&seen, " | ");
	cr_assert(totals_each_filtered(totals, from, to, filtered_note, &seen) == 0);
	note(&seen, " | ");
	cr_assert(totals_each_lost(totals, from, to, lost_note, &seen) == 0);
	return seen.text;
}

static void add(struct totals *totals, int64_t hour, uint64_t n)
{
	const struct totals_response responses[] = {{0, 1, 10 * n}, {3, 28, n}, {2, 1, 0}};
	const struct totals_filtered filtered[] = {
		{"c2", "M-1", POLICY_SINKHOLE, n}, {"c2", "M-2", POLICY_LOG, 2 * n}};
	const struct totals_lost lost[] = {{"ring", n}};
	const struct totals_batch batch = {
		.hour = hour,
		.responses = responses,
		.n_responses = 3,
		.filtered = filtered,
		.n_filtered = 2,
		.lost = lost,
		.n_lost = 1,
	};

	cr_assert(totals_add(totals, &batch) == 0, "%s", totals_error(totals));
}

Test(totals, batches_add_up_by_hour_and_key)
{
	struct totals *t = open_as(path, TOTALS_CREATE, "a");

	add(t, 0, 1);
	add(t, 0, 2);
	add(t, HOUR, 4);
	cr_assert_str_eq(
		all(t, 0, FOREVER), "0/1 70;3/28 7; | c2/M-1/sinkhole 7;c2/M-2/log 14; | ring 7;");
	cr_assert_str_eq(
		all(t, 0, HOUR), "0/1 30;3/28 3; | c2/M-1/sinkhole 3;c2/M-2/log 6; | ring 3;");
	cr_assert_str_eq(all(t, 1, HOUR), " |  | ");
	totals_close(t);
	t = open_as(path, TOTALS_READ, NULL);
	cr_assert_str_eq(totals_zone(t), "Asia/Tokyo");
	cr_assert_str_eq(all(t, HOUR, HOUR + 1),
		"0/1 40;3/28 4; | c2/M-1/sinkhole 4;c2/M-2/log 8; | ring 4;");
	totals_close(t);
}

Test(totals, a_snapshot_does_not_see_what_is_added_behind_it)
{
	struct totals *writer = open_as(path, TOTALS_CREATE, "a"), *reader;

	add(writer, 0, 1);
	reader = open_as(path, TOTALS_READ, NULL);
	cr_assert(totals_snapshot(reader) == 0);
	add(writer, 0, 1);
	cr_assert(strstr(all(reader, 0, FOREVER), "ring 1;"));
	cr_assert(totals_snapshot(reader) == 0);
	cr_assert(strstr(all(reader, 0, FOREVER), "ring 2;"));
	totals_close(reader);
	totals_close(writer);
}

Test(totals, what_was_entered_comes_back_with_who_when_and_why)
{
	struct totals *t = open_as(path, TOTALS_CREATE, "a");
	struct totals_entered e = {
		.begin = 100,
		.end = 200,
		.at = 12345,
		.who = "sato",
		.id = "M-1",
		.filtered = -5,
		.responses = 0,
		.note = "装置の前",
	};
	char note_text[TOTALS_NOTE_MAX + 2];
	struct seen seen = {""};

	cr_assert(totals_enter(t, &e) == 0);
	cr_assert(totals_each_entered(t, 200, 300, entered_note, &seen) == 0);
	cr_assert(totals_each_entered(t, 0, 100, entered_note, &seen) == 0);
	cr_assert_str_eq(seen.text, "");
	cr_assert(totals_each_entered(t, 199, 300, entered_note, &seen) == 0);
	cr_assert_str_eq(seen.text, "100..200 at 12345 by sato: M-1 -5/0 装置の前;");
	memset(note_text, 'x', sizeof(note_text));
	note_text[TOTALS_NOTE_MAX + 1] = '\0';
	e.note = note_text;
	cr_assert(totals_enter(t, &e) == -EINVAL);
	e.note = "two\nlines";
	cr_assert(totals_enter(t, &e) == -EINVAL);
	e.note = "no \xff UTF-8";
	cr_assert(totals_enter(t, &e) == -EINVAL);
	totals_close(t);
}

Test(totals, another_box_is_taken_again_when_it_has_grown_and_never_twice)
{
	struct totals *t = open_as(path, TOTALS_CREATE, "a"), *b;

	b = open_as(other_path, TOTALS_CREATE, "b");
	add(t, 0, 1);
	add(b, 0, 10);
	for (int i = 0; i < 2; i++)
		cr_assert(totals_import(t, other_path, error) == 0, "%s", error);
	cr_assert(strstr(all(t, 0, FOREVER), "ring 11;"));
	add(b, 0, 5);
	cr_assert(totals_import(t, other_path, error) == 0, "%s", error);
	cr_assert(strstr(all(t, 0, FOREVER), "ring 16;"));
	add(t, 0, 1);
	cr_assert(strstr(all(t, 0, FOREVER), "ring 17;"));
	totals_close(b);
	totals_close(t);
}

Test(totals, an_older_copy_of_a_file_takes_nothing_away)
{
	struct totals *t = open_as(path, TOTALS_CREATE, "a"), *copy;

	copy = open_as(other_path, TOTALS_CREATE, "a");
	add(t, 0, 5);
	add(copy, 0, 3);
	cr_assert(totals_import(t, other_path, error) == 0, "%s", error);
	cr_assert(strstr(all(t, 0, FOREVER), "ring 5;"));
	totals_close(copy);
	totals_close(t);
}

static void zone_is_refused(enum totals_mode mode)
{
	struct totals *t;

	zone_set("Asia/Kolkata");
	cr_assert(totals_open(path, mode, "a", &t, error) == -EINVAL);
	cr_assert(t == NULL);
	cr_assert(
		strstr(error, path) && strstr(error, "Asia/Kolkata") && strstr(error, "Asia/Tokyo"),
		"%s", error);
}

Test(totals, writers_have_the_zone_of_the_file)
{
	struct totals *t = open_as(path, TOTALS_CREATE, "a"), *b;

	totals_close(t);
	zone_is_refused(TOTALS_WRITE);
	zone_is_refused(TOTALS_CREATE);
	b = open_as(other_path, TOTALS_CREATE, "b");
	cr_assert(totals_import(b, path, error) == -EINVAL);
	cr_assert(strstr(error, "Asia/Tokyo"), "%s", error);
	totals_close(b);
	totals_close(open_as(path, TOTALS_READ, NULL));
}

Test(totals, a_file_keeps_the_name_of_the_box_that_made_it)
{
	struct totals *t = open_as(path, TOTALS_CREATE, "first"), *again;
	sqlite3_stmt *boxes;
	sqlite3 *db;

	totals_close(t);
	again = open_as(path, TOTALS_WRITE, NULL);
	add(again, 0, 1);
	totals_close(again);
	cr_assert(sqlite3_open(path, &db) == SQLITE_OK);
	cr_assert(sqlite3_prepare_v2(db, "SELECT DISTINCT box FROM lost", -1, &boxes, NULL) ==
		  SQLITE_OK);
	cr_assert(sqlite3_step(boxes) == SQLITE_ROW);
	cr_assert_str_eq((const char *)sqlite3_column_text(boxes, 0), "first");
	cr_assert(sqlite3_step(boxes) == SQLITE_DONE);
	sqlite3_finalize(boxes);
	sqlite3_close(db);
}

static void file_write(const char *at, const char *data, size_t size)
{
	FILE *file = fopen(at, "w");

	cr_assert(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void is_refused(const char *at, enum totals_mode mode, int expected, const char *words)
{
	struct totals *t;
	int err = totals_open(at, mode, "a", &t, error);

	cr_assert(err == expected, "%d: %s", err, error);
	cr_assert(strstr(error, at) && strstr(error, words), "%s", error);
	cr_assert(!strchr(error, '\n'));
}

Test(totals, files_that_are_something_else_are_left_alone)
{
	static const char text[] = "id,fqdn,behaviour,start,end\nM-1,a.example,x,2020-01-01,\n";
	struct stat before, after;
	sqlite3 *db;

	is_refused(path, TOTALS_READ, -ENOENT, "No such file");
	is_refused(path, TOTALS_WRITE, -ENOENT, "No such file");
	is_refused(folder, TOTALS_CREATE, -EINVAL, "Invalid");
	for (int mode = TOTALS_READ; mode <= TOTALS_CREATE; mode++) {
		file_write(path, text, strlen(text));
		is_refused(path, (enum totals_mode)mode, -EBADMSG, "expected a file of totals");
		cr_assert(stat(path, &after) == 0 && after.st_size == (off_t)strlen(text));
	}
	// Another program's database.
	unlink(path);
	cr_assert(sqlite3_open(path, &db) == SQLITE_OK);
	cr_assert(sqlite3_exec(db, "CREATE TABLE meta(key, value)", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	cr_assert(stat(path, &before) == 0);
	for (int mode = TOTALS_READ; mode <= TOTALS_CREATE; mode++)
		is_refused(path, (enum totals_mode)mode, -EBADMSG, "expected a file of totals");
	cr_assert(stat(path, &after) == 0 && after.st_size == before.st_size);
}

Test(totals, another_version_is_refused)
{
	sqlite3 *db;

	totals_close(open_as(path, TOTALS_CREATE, "a"));
	cr_assert(sqlite3_open(path, &db) == SQLITE_OK);
	cr_assert(sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	is_refused(path, TOTALS_READ, -EBADMSG, "version 1, got 2");
	is_refused(path, TOTALS_CREATE, -EBADMSG, "version 1, got 2");
}

// A batch after the other until it is killed; each has 1 of everything, so that half a batch shows.
static void batches_write(int started)
{
	struct totals *t;

	if (totals_open(path, TOTALS_CREATE, "a", &t, error) < 0)
		_exit(1);
	for (;;) {
		const struct totals_response responses = {0, 1, 1};
		const struct totals_filtered filtered = {"c2", "M", POLICY_SINKHOLE, 1};
		const struct totals_lost lost = {"ring", 1};
		const struct totals_batch batch = {0, &responses, &filtered, &lost, 1, 1, 1};

		if (totals_add(t, &batch) < 0 || write(started, "", 1) != 1)
			_exit(1);
	}
}

Test(totals, a_writer_that_is_killed_leaves_whole_batches, .timeout = 60)
{
	uint64_t acknowledged = 0, n = 0;

	for (int round = 0; round < 20; round++) {
		int started[2], status;
		struct totals *t;
		char octet;
		pid_t pid;

		cr_assert(pipe(started) == 0);
		pid = fork();
		cr_assert(pid >= 0);
		if (pid == 0)
			batches_write(started[1]);
		close(started[1]);
		// Killed anywhere in the batches behind the first ones.
		for (int i = 0; i <= round; i++)
			cr_assert(read(started[0], &octet, 1) == 1);
		usleep((useconds_t)(round * 137));
		kill(pid, SIGKILL);
		acknowledged += (uint64_t)round + 1;
		while (read(started[0], &octet, 1) == 1)
			acknowledged++;
		close(started[0]);
		cr_assert(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
		t = open_as(path, TOTALS_READ, NULL);
		cr_assert(sscanf(all(t, 0, FOREVER), "0/1 %lu;", &n) == 1);
		snprintf(
			error, sizeof(error), "0/1 %lu; | c2/M/sinkhole %lu; | ring %lu;", n, n, n);
		cr_assert_str_eq(all(t, 0, FOREVER), error);
		totals_close(t);
	}
	// A batch is in the file before it is said to be; of each writer one more may be.
	cr_assert(n >= acknowledged && n <= acknowledged + 20, "%lu, %lu", n, acknowledged);
}

Test(totals, a_reader_needs_no_right_to_write, .signal = 0)
{
	char text[2048];
	int status;
	pid_t pid;

	struct totals *t = open_as(path, TOTALS_CREATE, "a");

	add(t, 0, 1);
	totals_close(t);
	cr_assert(chmod(folder, 0555) == 0 && chmod(path, 0444) == 0);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		// Rights mean nothing to root.
		if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(2);
		if (totals_open(path, TOTALS_READ, NULL, &t, error) < 0)
			_exit(3);
		snprintf(text, sizeof(text), "%s", all(t, 0, FOREVER));
		totals_close(t);
		_exit(strstr(text, "ring 1;") ? 0 : 4);
	}
	cr_assert(waitpid(pid, &status, 0) == pid);
	chmod(folder, 0755);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute};

	return timegm(&tm);
}

Test(totals, days_begin_at_midnight_of_the_zone)
{
	cr_assert(totals_day_begin(2020, 7, 1) == utc(2020, 6, 30, 15, 0));
	zone_set("Asia/Kolkata");
	cr_assert(totals_day_begin(2020, 7, 1) == utc(2020, 6, 30, 18, 30));
	zone_set("Pacific/Kiritimati");
	cr_assert(totals_day_begin(2020, 7, 1) == utc(2020, 6, 30, 10, 0));
	zone_set("America/New_York");
	cr_assert(totals_day_begin(2020, 3, 9) - totals_day_begin(2020, 3, 8) == 23 * HOUR);
	cr_assert(totals_day_begin(2020, 11, 2) - totals_day_begin(2020, 11, 1) == 25 * HOUR);
	// Clocks went from 23:59:59 to 1:00, and at midnight back to 23:00.
	zone_set("America/Sao_Paulo");
	cr_assert(totals_day_begin(2018, 11, 4) == utc(2018, 11, 4, 3, 0));
	cr_assert(totals_day_begin(2018, 2, 18) == utc(2018, 2, 18, 3, 0));
	cr_assert(totals_day_begin(2018, 2, 17) == utc(2018, 2, 17, 2, 0));
	// A day that was left out begins with the next one.
	zone_set("Pacific/Apia");
	cr_assert(totals_day_begin(2011, 12, 30) == totals_day_begin(2011, 12, 31));
}

Test(totals, hours_are_those_of_the_zone)
{
	cr_assert(totals_hour(utc(2020, 7, 1, 3, 59)) == utc(2020, 7, 1, 3, 0));
	cr_assert(totals_hour(utc(2020, 7, 1, 4, 0)) == utc(2020, 7, 1, 4, 0));
	zone_set("Asia/Kolkata");
	cr_assert(totals_hour(utc(2020, 7, 1, 3, 29)) == utc(2020, 7, 1, 2, 30));
	cr_assert(totals_hour(utc(2020, 7, 1, 3, 30)) == utc(2020, 7, 1, 3, 30));
	zone_set("Asia/Kathmandu");
	cr_assert(totals_hour(utc(2020, 7, 1, 3, 14)) == utc(2020, 7, 1, 2, 15));
	// The same hour on the clock twice is two hours.
	zone_set("America/New_York");
	cr_assert(totals_hour(utc(2020, 11, 1, 5, 30)) == utc(2020, 11, 1, 5, 0));
	cr_assert(totals_hour(utc(2020, 11, 1, 6, 30)) == utc(2020, 11, 1, 6, 0));
}

Test(totals, every_hour_of_a_year_is_in_one_day)
{
	static const char *const zones[] = {"Asia/Tokyo", "Asia/Kathmandu", "America/New_York",
		"Australia/Lord_Howe", "America/Sao_Paulo"};

	for (unsigned i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		int64_t day, next;

		zone_set(zones[i]);
		day = totals_day_begin(2018, 1, 1);
		for (int n = 2; n <= 365; n++, day = next) {
			struct tm tm = {.tm_year = 118, .tm_mday = n};

			timegm(&tm);
			next = totals_day_begin(2018, tm.tm_mon + 1, tm.tm_mday);
			cr_assert(totals_hour(day) == day && totals_hour(next - 1) >= day &&
					  totals_hour(next - 1) < next,
				"%s, day %d", zones[i], n);
		}
	}
}

Test(totals, the_name_of_the_zone_is_what_the_process_has)
{
	char name[TOTALS_TEXT_MAX + 1];

	setenv("TZ", ":Europe/Berlin", 1);
	cr_assert(totals_zone_name(name) == 0);
	cr_assert_str_eq(name, "Europe/Berlin");
	setenv("TZ", "/usr/share/zoneinfo/Asia/Tokyo", 1);
	cr_assert(totals_zone_name(name) == 0);
	cr_assert_str_eq(name, "Asia/Tokyo");
	setenv("TZ", "", 1);
	cr_assert(totals_zone_name(name) == 0);
	cr_assert_str_eq(name, "UTC");
	cr_assert(totals_zone_set("Asia/Nowhere") == -EINVAL);
	cr_assert(totals_zone_set("../../../etc/passwd") == -EINVAL);
	cr_assert(totals_zone_set("JST-9") == 0);
}
