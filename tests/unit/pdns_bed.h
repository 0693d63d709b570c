/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file What tests of the dataset share: a folder of their own, messages, tuples, and what a
 * question finds.
 */
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "dns/dns_name.h"
#include "pdns/pdns_private.h"

#define BED_FOUND_MAX 65536

/** A row as text: "OWNER TYPE BAILIWICK CLASSES FIRST LAST COUNT RDATA[|RDATA...]". */
struct bed {
	char folder[64], path[80];
	struct pdns *pdns;
	char **found;
	unsigned n_found;
	unsigned stop_at; /**< visit returns 7 then; 0: never */
	uint8_t cursor[PDNS_CURSOR_MAX];
	size_t cursor_size; /**< of the last row */
	struct pdns_result result;
	uint8_t msg[DNS_MSG_SIZE_MAX];
	size_t size; /**< of msg */
	uint8_t names[4][DNS_NAME_SIZE_MAX];
	unsigned n_names;
};

static struct bed bed;

static inline int bed_remove(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void bed_open(enum pdns_mode mode)
{
	const struct pdns_options options = {.mode = mode};

	cr_assert_eq(pdns_open(bed.path, &options, &bed.pdns), 0);
}

static inline void bed_close(void)
{
	cr_assert_eq(pdns_close(bed.pdns), 0);
	bed.pdns = NULL;
}

static inline void bed_up(void)
{
	log_threshold(LOG_ERROR);
	strcpy(bed.folder, "/tmp/test_pdns_XXXXXX");
	cr_assert(mkdtemp(bed.folder));
	snprintf(bed.path, sizeof(bed.path), "%s/pdns", bed.folder);
	bed.found = calloc(BED_FOUND_MAX, sizeof(*bed.found));
	bed_open(PDNS_WRITE);
}

static inline void bed_forget(void)
{
	while (bed.n_found > 0)
		free(bed.found[--bed.n_found]);
}

static inline void bed_down(void)
{
	bed_forget();
	free(bed.found);
	pdns_close(bed.pdns);
	bed.pdns = NULL;
	nftw(bed.folder, bed_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/** Wire form of a name, good for four calls. */
static inline const uint8_t *bed_name(const char *text, size_t *size)
{
	uint8_t *name = bed.names[bed.n_names++ % 4];
	int n = dns_name_parse(text, strlen(text), name);

	cr_assert(n > 0, "%s", text);
	*size = (size_t)n;
	return name;
}

/* ---- messages -------------------------------------------------------------------------------- */

static inline void bed_octets(const void *octets, size_t size)
{
	memcpy(bed.msg + bed.size, octets, size);
	bed.size += size;
}

static inline void bed_be16(uint16_t n)
{
	store_be16(bed.msg + bed.size, n);
	bed.size += 2;
}

/** Begin a response to a question for type A. */
static inline void bed_msg(const char *question)
{
	size_t size;
	const uint8_t *name = bed_name(question, &size);

	memset(bed.msg, 0, DNS_HEADER_SIZE);
	store_be16(bed.msg + 2, DNS_FLAG_QR);
	store_be16(bed.msg + 4, 1);
	bed.size = DNS_HEADER_SIZE;
	bed_octets(name, size);
	bed_be16(1);
	bed_be16(1);
}

enum bed_section {
	BED_ANSWER = 6,
	BED_AUTHORITY = 8,
	BED_ADDITIONAL = 10,
};

/** Add a record with RDATA as it is. Sections come in their order. */
static inline void bed_raw(enum bed_section section, const char *owner, uint16_t type,
	const void *rdata, size_t rdata_size)
{
	size_t size;
	const uint8_t *name = bed_name(owner, &size);

	store_be16(bed.msg + section, load_be16(bed.msg + section) + 1);
	bed_octets(name, size);
	bed_be16(type);
	bed_be16(1);
	bed_be16(0);
	bed_be16(300);
	bed_be16((uint16_t)rdata_size);
	bed_octets(rdata, rdata_size);
}

/** The same with its text. */
static inline void bed_rr(
	enum bed_section section, const char *owner, const char *type, const char *text)
{
	static uint8_t rdata[PDNS_RDATA_MAX];
	int number = pdns_type_parse(type);
	int size = pdns_rdata_parse((uint16_t)number, text, rdata);

	cr_assert(number > 0 && size >= 0, "%s %s", type, text);
	bed_raw(section, owner, (uint16_t)number, rdata, (size_t)size);
}

/** Observe the message, and flush. @return what pdns_observe does */
static inline int bed_observe(enum pdns_class class, int64_t time_s, const char *zone)
{
	struct pdns_answer answer = {
		.class = class, .time_s = time_s, .msg = bed.msg, .size = bed.size};
	int n;

	if (zone)
		answer.zone = bed_name(zone, &answer.zone_size);
	n = pdns_observe(bed.pdns, &answer);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	return n;
}

/* ---- questions ------------------------------------------------------------------------------- */

static inline size_t bed_row_name(const uint8_t *name, char *text)
{
	size_t n = dns_name_format(name, text);

	text[n] = ' ';
	return n + 1;
}

static inline int bed_visit(void *ctx, const struct pdns_row *row)
{
	static char text[PDNS_TEXT_SIZE], line[2 * PDNS_TEXT_SIZE];
	size_t n = bed_row_name(row->owner, line);

	if (pdns_type_name(row->type))
		n += (size_t)sprintf(line + n, "%s ", pdns_type_name(row->type));
	else
		n += (size_t)sprintf(line + n, "TYPE%u ", row->type);
	n += bed_row_name(row->bailiwick, line + n);
	n += (size_t)sprintf(line + n, "%u %lld %lld %llu ", row->classes, (long long)row->first_s,
		(long long)row->last_s, (unsigned long long)row->count);
	for (unsigned i = 0; i < row->n_rdata; i++) {
		cr_assert_geq(pdns_rdata_text(row->type, row->rdata[i].data, row->rdata[i].size,
				      false, text),
			0);
		n += (size_t)sprintf(line + n, "%s%.60000s", i ? "|" : "", text);
	}
	cr_assert_lt(bed.n_found, BED_FOUND_MAX);
	bed.found[bed.n_found++] = strdup(line);
	memcpy(bed.cursor, row->cursor, row->cursor_size);
	bed.cursor_size = row->cursor_size;
	return bed.stop_at && bed.n_found == bed.stop_at ? 7 : 0;
}

/** Ask. @return how many rows were found */
static inline unsigned bed_ask(struct pdns_question question)
{
	const struct pdns_visitor visitor = {.visit = bed_visit};

	bed_forget();
	cr_assert_eq(pdns_query(bed.pdns, &question, &visitor, &bed.result), 0);
	cr_assert_eq(bed.result.rows, bed.n_found);
	return bed.n_found;
}

static inline struct pdns_question bed_by(enum pdns_by by, enum pdns_scope scope, const char *name)
{
	struct pdns_question question = {.by = by, .scope = scope, .types = PDNS_ANY_AT_ALL};

	question.name = bed_name(name, &question.name_size);
	return question;
}

static inline unsigned bed_owner(const char *name)
{
	return bed_ask(bed_by(PDNS_BY_OWNER, PDNS_EXACT, name));
}

static inline unsigned bed_everything(void)
{
	return bed_ask((struct pdns_question){.types = PDNS_ANY_AT_ALL});
}

static inline bool bed_has(const char *line)
{
	for (unsigned i = 0; i < bed.n_found; i++)
		if (strcmp(bed.found[i], line) == 0)
			return true;
	return false;
}
