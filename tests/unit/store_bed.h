/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What tests of the store share: a folder of their own, records, and what a question finds.
 */
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "dns/dns_name.h"
#include "list/list.h"
#include "store/store_private.h"

#define BED_FOUND_MAX 4096

struct bed_found {
	struct store_record record; /**< name and texts are below */
	uint8_t name[DNS_NAME_SIZE_MAX];
	char text[DNS_NAME_TEXT_SIZE];
	char id[STORE_TEXT_MAX + 1];
};

struct bed {
	char folder[64], path[80];
	struct store *store;
	uint8_t names[64][DNS_NAME_SIZE_MAX]; /**< of records that bed_record made */
	unsigned n_names;
	struct bed_found *found;
	unsigned n_found;
	int stop_at; /**< visit returns 7 then; 0: never */
};

static struct bed bed;

static inline void bed_up(const char *zone)
{
	log_threshold(LOG_ERROR);
	setenv("TZ", zone, 1);
	tzset();
	strcpy(bed.folder, "/tmp/test_store_XXXXXX");
	cr_assert(mkdtemp(bed.folder));
	snprintf(bed.path, sizeof(bed.path), "%s/store", bed.folder);
	bed.found = calloc(BED_FOUND_MAX, sizeof(*bed.found));
}

static inline int bed_remove(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void bed_down(void)
{
	store_close(bed.store);
	bed.store = NULL;
	free(bed.found);
	nftw(bed.folder, bed_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int bed_open_with(struct store_options options)
{
	return store_open(bed.path, &options, &bed.store);
}

static inline void bed_open(enum store_mode mode)
{
	cr_assert_eq(bed_open_with((struct store_options){.mode = mode}), 0);
}

static inline void bed_close(void)
{
	cr_assert_eq(store_close(bed.store), 0);
	bed.store = NULL;
}

/** Milliseconds of "2026-11-22 10:00:00" in UTC. */
static inline int64_t bed_ms(const char *utc)
{
	struct tm tm = {0};

	cr_assert(strptime(utc, "%Y-%m-%d %H:%M:%S", &tm), "%s", utc);
	return (int64_t)timegm(&tm) * 1000;
}

static inline struct prefix bed_prefix(const char *text)
{
	struct prefix prefix;

	cr_assert_eq(prefix_parse(text, &prefix), 0, "%s", text);
	return prefix;
}

/** A usual record: A, NOERROR, client 203.0.112.0/22. */
static inline struct store_record bed_record(const char *name, int64_t time_ms)
{
	uint8_t *wire = bed.names[bed.n_names++ % 64];
	int size = dns_name_parse(name, strlen(name), wire);

	cr_assert(size > 0, "%s", name);
	return (struct store_record){.time_ms = time_ms,
		.name = wire,
		.name_size = (uint8_t)size,
		.type = 1,
		.client = bed_prefix("203.0.112.0/22")};
}

/** One that was changed, for a whole client address. */
static inline struct store_record bed_filtered(
	const char *name, int64_t time_ms, const char *client, const char *id)
{
	struct store_record record = bed_record(name, time_ms);

	record.filtered = true;
	record.client = bed_prefix(client);
	record.list = "c2";
	record.id = id;
	record.action = "sinkhole";
	record.verdict = "rewritten";
	return record;
}

static inline int bed_append(
	const struct store_record *records, size_t n, uint64_t start, uint64_t last)
{
	return store_append(
		bed.store, &(struct store_batch){
				   .start = start, .last_seq = last, .records = records, .n = n});
}

/** Append one record of a sender without numbers, and commit. */
static inline void bed_put(struct store_record record)
{
	cr_assert_eq(bed_append(&record, 1, 0, 0), 0);
	cr_assert_eq(store_commit(bed.store), 0);
}

static inline int bed_visit(void *ctx, const struct store_record *record)
{
	struct bed_found *found = &bed.found[bed.n_found];

	cr_assert_lt(bed.n_found, BED_FOUND_MAX);
	found->record = *record;
	memcpy(found->name, record->name, record->name_size);
	dns_name_format(record->name, found->text);
	strcpy(found->id, record->id);
	bed.n_found++;
	return bed.stop_at && bed.n_found == (unsigned)bed.stop_at ? 7 : 0;
}

/** A question for everything. */
static inline struct store_question bed_question(void)
{
	return (struct store_question){.rcode = -1, .type = -1};
}

static inline int bed_ask_of(struct store *store, struct store_question question)
{
	bed.n_found = 0;
	return store_query(store, &question, &(struct store_visitor){.visit = bed_visit});
}

/** Ask. @return how many were found */
static inline unsigned bed_ask(struct store_question question)
{
	cr_assert_eq(bed_ask_of(bed.store, question), 0);
	return bed.n_found;
}

static inline unsigned bed_ask_name(enum store_scope scope, const char *name)
{
	struct store_question question = bed_question();
	uint8_t wire[DNS_NAME_SIZE_MAX];
	int size = dns_name_parse(name, strlen(name), wire);

	cr_assert(size > 0, "%s", name);
	question.scope = scope;
	question.name = wire;
	question.name_size = (uint8_t)size;
	return bed_ask(question);
}

static inline struct store_sender bed_sender(uint64_t start)
{
	struct store_sender *senders, found = {0};
	int n = store_senders(bed.store, &senders);

	cr_assert_geq(n, 0);
	for (int i = 0; i < n; i++)
		if (senders[i].start == start)
			found = senders[i];
	free(senders);
	return found;
}
