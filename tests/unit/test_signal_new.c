/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is new in passive DNS.
 */
#include "pdns_bed.h"

#include <errno.h>
#include <time.h>

#include "signal/signal.h"

TestSuite(signal_new, .init = bed_up, .fini = bed_down);

static char told[4096];

static int new_note(void *ctx, const struct signal_new *found)
{
	static char text[PDNS_TEXT_SIZE];
	char name[DNS_NAME_TEXT_SIZE];
	size_t n = strlen(told);

	text[0] = '\0';
	if (found->news == SIGNAL_NEW_RDATA)
		pdns_rdata_text(found->type, found->rdata, found->rdata_size, false, text);
	dns_name_format(found->name, name);
	snprintf(told + n, sizeof(told) - n, "%s %s %lld %.99s\n", signal_news_name(found->news),
		name, (long long)found->time_s, text);
	return ctx ? *(int *)ctx : 0;
}

static void plant_at(const char *name, const char *type, const char *rdata, int64_t time_s)
{
	bed_msg(name);
	bed_rr(BED_ANSWER, name, type, rdata);
	bed_observe(PDNS_CLIENT, time_s, NULL);
}

Test(signal_new, what_is_new_is_told_as_domain_name_or_data)
{
	int stop = 7;

	plant_at("old.example.com", "A", "192.0.2.1", 1000);
	plant_at("old.example.com", "A", "192.0.2.2", 2000);
	plant_at("old.example.com", "TXT", "x", 2100);
	plant_at("old.example.com", "A", "192.0.2.1", 2500);
	plant_at("aaa.example.com", "A", "192.0.2.1", 2200);
	plant_at("www.fresh.co.jp", "A", "192.0.2.1", 2300);
	plant_at("fresh.co.jp", "A", "192.0.2.1", 2400);
	told[0] = '\0';
	cr_assert_eq(signal_new_find(bed.pdns, &(struct signal_new_question){.since_s = 2000},
			     new_note, NULL),
		0);
	cr_expect_str_eq(told,
		"name fresh.co.jp 2400 \nname www.fresh.co.jp 2300 \n"
		"domain fresh.co.jp 2300 \nname aaa.example.com 2200 \n"
		"rdata old.example.com 2000 192.0.2.2\nrdata old.example.com 2100 \"x\"\n");
	told[0] = '\0';
	cr_assert_eq(signal_new_find(bed.pdns, &(struct signal_new_question){.since_s = 2501},
			     new_note, NULL),
		0);
	cr_expect_str_eq(told, "");
	cr_expect_eq(signal_new_find(bed.pdns, &(struct signal_new_question){.since_s = 0},
			     new_note, &stop),
		7);
}

// The tuple that shows that a name was known comes behind those that are new.
Test(signal_new, data_that_waited_is_told_when_its_name_was_known)
{
	plant_at("a.example", "A", "192.0.2.1", 2000);
	plant_at("a.example", "A", "192.0.2.2", 2001);
	plant_at("a.example", "TXT", "x", 1000);
	told[0] = '\0';
	cr_assert_eq(signal_new_find(bed.pdns, &(struct signal_new_question){.since_s = 2000},
			     new_note, NULL),
		0);
	cr_expect_str_eq(told, "rdata a.example 2000 192.0.2.1\nrdata a.example 2001 192.0.2.2\n");
}

static int64_t now_less(int64_t seconds)
{
	static int64_t now;

	now = now ? now : (int64_t)time(NULL);
	return now - seconds;
}

static int new_count(void *ctx, const struct pdns_row *row)
{
	(*(unsigned *)ctx)++;
	return 0;
}

// Tuples that are looked at for what is new; -ENODATA: only all of them would tell.
static int recent_look(int64_t since_s, unsigned *rows)
{
	const struct pdns_question q = {
		.by = PDNS_BY_RECENT, .types = PDNS_ANY_AT_ALL, .recent_s = since_s};
	const struct pdns_visitor visitor = {rows, new_count, NULL};
	struct pdns_result result;

	*rows = 0;
	return pdns_query(bed.pdns, &q, &visitor, &result);
}

// Old ones, and four that came within three hours; what was seen again is no news.
static void lately_plant(void)
{
	char name[32];

	for (unsigned i = 0; i < 300; i++) {
		sprintf(name, "o%u.example.net", i);
		plant_at(name, "A", "192.0.2.1", 1000);
	}
	plant_at("old.example.com", "A", "192.0.2.1", 1000);
	bed_close();
	bed_open(PDNS_WRITE);
	plant_at("old.example.com", "A", "192.0.2.2", now_less(3000));
	plant_at("o7.example.net", "A", "192.0.2.1", now_less(4000));
	plant_at("fresh.example.com", "A", "192.0.2.1", now_less(5000));
	plant_at("www.brand.example", "A", "192.0.2.1", now_less(6000));
	plant_at("www.brand.example", "TXT", "x", now_less(1000));
	plant_at("late.example.net", "A", "192.0.2.1", now_less(86400));
}

static void lately_expect(const char *when)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted),
		"rdata old.example.com %lld 192.0.2.2\nname fresh.example.com %lld \n"
		"name www.brand.example %lld \ndomain brand.example %lld \n",
		(long long)now_less(3000), (long long)now_less(5000), (long long)now_less(6000),
		(long long)now_less(6000));
	told[0] = '\0';
	cr_assert_eq(
		signal_new_find(bed.pdns, &(struct signal_new_question){.since_s = now_less(6000)},
			new_note, NULL),
		0);
	cr_expect_str_eq(told, wanted, "%s", when);
}

Test(signal_new, what_is_new_lately_needs_no_look_at_all_there_is)
{
	unsigned rows;

	lately_plant();
	lately_expect("beside those who write");
	cr_expect_eq(recent_look(now_less(6000), &rows), 0);
	cr_expect(rows >= 5 && rows <= 7, "%u", rows);
	cr_expect_eq(recent_look(now_less(27 * 3600), &rows), -ENODATA);
	bed_close();
	bed_open(PDNS_READ);
	lately_expect("by another process");
	cr_expect_eq(recent_look(now_less(6000), &rows), 0);
}

Test(signal_new, what_is_new_lately_is_found_in_a_dataset_that_did_not_note_it)
{
	rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
	const char from = PDNS_TAG_RECENT, to = PDNS_TAG_RECENT + 1;
	rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
	char *error = NULL;
	unsigned rows;

	lately_plant();
	rocksdb_writebatch_delete(batch, PDNS_ROW_RECENT, PDNS_ROW_SIZE);
	rocksdb_writebatch_delete_range(batch, &from, 1, &to, 1);
	rocksdb_write(bed.pdns->db, how, batch, &error);
	cr_assert_null(error);
	rocksdb_writebatch_destroy(batch);
	rocksdb_writeoptions_destroy(how);
	lately_expect("without the table");
	bed_close();
	bed_open(PDNS_WRITE);
	cr_expect_eq(recent_look(now_less(6000), &rows), -ENODATA);
	lately_expect("before it is whole");
}

Test(signal_new, what_is_no_more_recent_is_removed)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
	const char key[] = {PDNS_TAG_RECENT, 0, 0, 0, 10, 1, 'a', 0};
	char *error = NULL, *value;
	size_t size;

	rocksdb_put(bed.pdns->db, how, key, sizeof(key), "", 0, &error);
	cr_assert_null(error);
	plant_at("a.example", "A", "192.0.2.1", now_less(0));
	value = rocksdb_get(bed.pdns->db, read, key, sizeof(key), &size, &error);
	cr_expect_null(error);
	cr_expect_null(value);
	rocksdb_writeoptions_destroy(how);
	rocksdb_readoptions_destroy(read);
	told[0] = '\0';
	signal_new_find(
		bed.pdns, &(struct signal_new_question){.since_s = now_less(0)}, new_note, NULL);
	cr_expect(strstr(told, "name a.example "));
}
