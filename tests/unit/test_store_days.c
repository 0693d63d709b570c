/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static void tokyo(void)
{
	bed_up("Asia/Tokyo");
	bed_open(STORE_WRITE);
}

TestSuite(store_days, .init = tokyo, .fini = bed_down);

static void zone_set(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static uint16_t day(const char *text)
{
	int day = list_day_parse(text, strlen(text));

	cr_assert_geq(day, 0);
	return (uint16_t)day;
}

static unsigned mode_of(const char *path)
{
	char whole[256];
	struct stat info;

	snprintf(whole, sizeof(whole), "%s/%s", bed.path, path);
	return stat(whole, &info) == 0 ? info.st_mode & 07777 : 0;
}

// Whether any file below the folder holds these octets.
static const char *sought;
static size_t sought_size;
static unsigned sought_files;

static int file_search(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	char *data;
	int fd;

	if (type != FTW_F || info->st_size == 0)
		return 0;
	data = malloc((size_t)info->st_size);
	fd = open(path, O_RDONLY);
	if (read(fd, data, (size_t)info->st_size) == info->st_size &&
		memmem(data, (size_t)info->st_size, sought, sought_size))
		sought_files++;
	close(fd);
	free(data);
	return 0;
}

static unsigned files_with(const void *octets, size_t size)
{
	sought = octets;
	sought_size = size;
	sought_files = 0;
	nftw(bed.path, file_search, 16, FTW_PHYS);
	return sought_files;
}

static unsigned audit_count(const char *what)
{
	char path[128], line[1024];
	unsigned n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/audit.ndjson", bed.path);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, what) != NULL;
	if (file)
		fclose(file);
	return n;
}

Test(store_days, a_day_begins_at_midnight_of_the_zone)
{
	cr_expect_eq(store_day_start_ms(day("2026-11-22")), bed_ms("2026-11-21 15:00:00"));
	bed_put(bed_record("a.example", bed_ms("2026-11-21 15:00:00") - 1));
	bed_put(bed_record("b.example", bed_ms("2026-11-21 15:00:00")));
	cr_expect_eq(mode_of("log/2026-11-21"), 0750);
	cr_expect_eq(mode_of("log/2026-11-22"), 0750);
	cr_expect_eq(mode_of("filtered/2026-11-22"), 0700);
	cr_expect_eq(mode_of("filtered"), 0700);
	cr_expect_eq(mode_of("log/2026-11-22/CURRENT"), 0640);
	cr_expect_eq(mode_of("filtered/2026-11-22/CURRENT"), 0600);
	cr_expect_eq(bed_ask(bed_question()), 2);
	cr_expect_eq(bed.found[1].record.time_ms - bed.found[0].record.time_ms, 1);
}

Test(store_days, days_have_23_24_and_25_hours)
{
	static const struct {
		const char *zone, *day;
		int hours;
	} rows[] = {{"Europe/Berlin", "2026-03-29", 23}, {"Europe/Berlin", "2026-10-25", 25},
		{"Europe/Berlin", "2026-06-01", 24}, {"America/Sao_Paulo", "2018-11-04", 23},
		{"Asia/Kolkata", "2026-06-01", 24}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t from, to;

		zone_set(rows[i].zone);
		from = store_day_start_ms(day(rows[i].day));
		to = store_day_start_ms((uint16_t)(day(rows[i].day) + 1));
		cr_expect_eq(to - from, rows[i].hours * (int64_t)STORE_HOUR_MS, "%s %s",
			rows[i].zone, rows[i].day);
	}
}

// An hour that comes twice, and one that is left out.
Test(store_days, every_moment_around_a_change_of_clocks_is_kept_apart)
{
	const int64_t from[] = {bed_ms("2026-03-28 20:00:00"), bed_ms("2026-10-24 20:00:00")};

	zone_set("Europe/Berlin");
	for (unsigned c = 0; c < 2; c++)
		for (unsigned i = 0; i < 60; i++) {
			struct store_record r =
				bed_record("a.example", from[c] + i * (int64_t)STORE_HOUR_MS / 2);

			cr_assert_eq(bed_append(&r, 1, 0, 0), 0);
		}
	cr_assert_eq(store_commit(bed.store), 0);
	cr_assert_eq(bed_ask(bed_question()), 120);
	for (unsigned i = 0; i < 120; i++)
		cr_expect_eq(bed.found[i].record.time_ms,
			from[i / 60] + i % 60 * (int64_t)STORE_HOUR_MS / 2, "%u", i);
}

Test(store_days, a_zone_that_changes_does_not_move_what_is_stored)
{
	struct store_question q = bed_question();

	bed_put(bed_record("a.example", bed_ms("2026-11-22 01:23:45")));
	bed_close();
	zone_set("America/New_York");
	bed_open(STORE_WRITE);
	bed_put(bed_record("b.example", bed_ms("2026-11-22 05:00:00")));
	bed_put(bed_record("c.example", bed_ms("2026-11-23 04:59:59")));
	q.from_ms = bed_ms("2026-11-22 01:23:45");
	q.to_ms = q.from_ms + 1;
	cr_assert_eq(bed_ask(q), 1);
	cr_expect_str_eq(bed.found[0].text, "a.example");
	q.from_ms = bed_ms("2026-11-22 05:00:00");
	q.to_ms = bed_ms("2026-11-23 05:00:00");
	cr_assert_eq(bed_ask(q), 2);
	cr_expect_eq(bed.found[1].record.time_ms, bed_ms("2026-11-23 04:59:59"));
}

Test(store_days, more_days_at_once_than_are_kept_open)
{
	for (unsigned round = 0; round < 2; round++)
		for (unsigned d = 1; d <= 9; d++) {
			char when[32];
			struct store_record r;

			snprintf(when, sizeof(when), "2026-11-%02u 12:00:00", d);
			r = bed_record("a.example", bed_ms(when) + round);
			cr_assert_eq(bed_append(&r, 1, 3, round * 9 + d), 0);
		}
	cr_assert_eq(store_commit(bed.store), 0);
	cr_expect_eq(bed_ask(bed_question()), 18);
	cr_expect_eq(bed_sender(3).lost, 0);
	bed_close();
	bed_open(STORE_WRITE);
	cr_expect_eq(bed_sender(3).stored, 18);
}

Test(store_days, what_is_stored_is_shown_by_day)
{
	struct store_day *days;

	bed_put(bed_record("a.example", bed_ms("2026-11-20 03:10:00")));
	bed_put(bed_filtered("b.example", bed_ms("2026-11-20 02:10:00"), "203.0.113.1", "X"));
	bed_put(bed_record("a.example", bed_ms("2026-11-22 03:00:00")));
	cr_assert_eq(store_days(bed.store, &days), 2);
	cr_expect_eq(days[0].day, day("2026-11-20"));
	cr_expect_eq(days[0].start_ms, bed_ms("2026-11-19 15:00:00"));
	cr_expect_eq(days[0].first_ms, bed_ms("2026-11-20 02:00:00"));
	cr_expect(days[0].records[0] == 1 && days[0].records[1] == 1);
	cr_expect_gt(days[0].bytes[0], 0);
	cr_expect(days[1].records[0] == 1 && days[1].records[1] == 0);
	free(days);
	cr_expect_eq(store_oldest_ms(bed.store), bed_ms("2026-11-19 15:00:00"));
}

Test(store_days, old_days_are_removed_and_that_is_on_record)
{
	const struct store_actor actor = {"retention\"\n"};
	struct store_dropped dropped;

	bed_put(bed_record("first.example", bed_ms("2026-09-20 03:00:00")));
	bed_put(bed_filtered("c2.example", bed_ms("2026-09-20 03:00:00"), "203.0.113.1", "X"));
	bed_put(bed_record("second.example", bed_ms("2026-09-21 03:00:00")));
	bed_put(bed_record("third.example", bed_ms("2026-09-22 03:00:00")));
	cr_assert_eq(store_drop_before(bed.store, day("2026-09-22"), &actor, &dropped), 0);
	cr_expect(dropped.days == 2 && dropped.records == 3 && dropped.bytes > 0);
	cr_expect_eq(mode_of("log/2026-09-20"), 0);
	cr_expect_eq(mode_of("filtered/2026-09-21"), 0);
	cr_expect_eq(bed_ask(bed_question()), 1);
	cr_expect_str_eq(bed.found[0].text, "third.example");
	cr_expect_eq(store_oldest_ms(bed.store), bed_ms("2026-09-21 15:00:00"));
	cr_expect_eq(
		audit_count("\"who\":\"retention\",\"action\":\"purge\",\"day\":\"2026-09-20\","
			    "\"log\":1,\"filtered\":1,\"sinkhole\":0,\"bytes\":"),
		1);
	cr_expect_eq(audit_count("2026-09-21"), 1);
	cr_expect_eq(mode_of("audit.ndjson"), 0640);
	// It goes on as if nothing had been.
	bed_put(bed_record("second.example", bed_ms("2026-09-21 03:00:00")));
	cr_expect_eq(bed_ask(bed_question()), 2);
}

Test(store_days, lost_records_are_the_same_number_after_days_are_gone)
{
	const struct store_actor actor = {"test"};
	struct store_dropped dropped;
	struct store_record r = bed_record("a.example", bed_ms("2026-09-20 03:00:00"));

	cr_assert_eq(bed_append(&r, 1, 9, 4), 0);
	cr_assert_eq(store_commit(bed.store), 0);
	r.time_ms = bed_ms("2026-09-22 03:00:00");
	cr_assert_eq(bed_append(&r, 1, 9, 6), 0);
	cr_assert_eq(store_commit(bed.store), 0);
	cr_expect_eq(bed_sender(9).lost, 4);
	cr_assert_eq(store_drop_before(bed.store, day("2026-09-21"), &actor, &dropped), 0);
	cr_expect_eq(bed_sender(9).lost, 4);
	bed_close();
	bed_open(STORE_WRITE);
	cr_expect(bed_sender(9).lost == 4 && bed_sender(9).stored == 2);
}

Test(store_days, a_removal_that_was_cut_short_is_brought_to_its_end)
{
	char from[128], to[128];

	bed_put(bed_record("a.example", bed_ms("2026-09-20 03:00:00")));
	bed_put(bed_record("a.example", bed_ms("2026-09-21 03:00:00")));
	bed_close();
	snprintf(from, sizeof(from), "%s/log/2026-09-20", bed.path);
	snprintf(to, sizeof(to), "%s/log/.gone-2026-09-20", bed.path);
	cr_assert_eq(rename(from, to), 0);
	bed_open(STORE_WRITE);
	cr_expect_eq(access(to, F_OK), -1);
	cr_expect_eq(audit_count("\"kind\":\"log\",\"day\":\"2026-09-20\",\"rest_bytes\":"), 1);
	cr_expect_eq(bed_ask(bed_question()), 1);
}

Test(store_days, a_purge_beside_the_writer_leaves_what_it_has_open)
{
	const struct store_actor actor = {"test"};
	struct store_dropped dropped;
	int status;
	pid_t child;

	bed_put(bed_record("a.example", bed_ms("2026-09-20 03:00:00")));
	bed_close();
	bed_open(STORE_WRITE);
	bed_put(bed_record("a.example", bed_ms("2026-09-21 03:00:00")));
	child = fork();
	if (child == 0) {
		struct store *mender;
		int err =
			store_open(bed.path, &(struct store_options){.mode = STORE_MEND}, &mender);

		if (err == 0)
			err = store_drop_before(mender, day("2026-09-30"), &actor, &dropped);
		_exit(err == -EBUSY && dropped.days == 1 && dropped.busy == 1 ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	cr_expect_eq(mode_of("log/2026-09-20"), 0);
	cr_expect_eq(bed_ask(bed_question()), 1);
	// The writer's lock is as it was.
	bed_put(bed_record("a.example", bed_ms("2026-09-21 03:00:01")));
	cr_expect_eq(bed_ask(bed_question()), 2);
}

Test(store_days, what_is_forgotten_is_in_no_file_any_more)
{
	static const uint8_t whole[] = {203, 0, 113, 77};
	const struct store_actor actor = {"test"};
	struct prefix prefix = bed_prefix("203.0.113.77");
	struct store_dropped dropped;

	for (unsigned i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.example", i);
		bed_put(bed_filtered(name, bed_ms("2026-09-20 03:00:00") + i,
			i % 3 ? "203.0.113.77" : "203.0.113.78", "X"));
	}
	bed_put(bed_filtered("v6.example", bed_ms("2026-09-21 03:00:00"), "2001:db8::77", "X"));
	bed_put(bed_record("a.example", bed_ms("2026-09-20 03:00:00")));
	cr_assert_gt(files_with(whole, sizeof(whole)), 0);
	cr_assert_eq(store_forget(bed.store, &prefix, &actor, &dropped), 0);
	cr_expect_eq(dropped.records, 200);
	cr_expect_eq(dropped.days, 1);
	cr_expect_eq(dropped.similar, 1, "203.0.112.0/22 may be anyone of a thousand");
	cr_expect_eq(files_with(whole, sizeof(whole)), 0);
	cr_expect_eq(files_with("203.0.113.77", 12), 0);
	cr_expect_eq(bed_ask(bed_question()), 102);
	cr_expect_eq(audit_count("\"action\":\"forget\",\"family\":\"IPv4\",\"bits\":32,"
				 "\"records\":200,\"days\":1,\"complete\":true"),
		1);
	bed_close();
	bed_open(STORE_WRITE);
	cr_expect_eq(bed_ask(bed_question()), 102);
	prefix = bed_prefix("203.0.112.0/20");
	cr_assert_eq(store_forget(bed.store, &prefix, &actor, &dropped), 0);
	cr_expect_eq(dropped.records, 101, "those of the log, too");
	cr_expect_eq(bed_ask(bed_question()), 1);
}
