/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is new: one pass over tuples, which come by owner, all names of a base domain one after the
 * other. If it is not long ago that is asked for, over those of owners that may be new alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signal/signal_private.h"

enum known {
	NOT_ASKED,
	IS_NEW,
	WAS_KNOWN,
};

/** A pass under way. */
struct pass {
	struct pdns *pdns;
	const struct signal_new_question *question;
	int (*visit)(void *ctx, const struct signal_new *found);
	void *ctx;
	uint8_t name[DNS_NAME_SIZE_MAX]; // the last owner; size 0: none yet
	size_t size, base;               // where the base domain is in it
	enum known known;                // the last owner
	int64_t name_first, base_first;
	bool is_part; // not all tuples are looked at
};

const char *signal_news_name(enum signal_news news)
{
	static const char *const names[SIGNAL_NEWS] = {"domain", "name", "rdata"};

	return names[news];
}

static int tell(struct pass *pass, enum signal_news news, int64_t time_s, size_t at)
{
	const struct signal_new found = {
		.news = news, .time_s = time_s, .name = pass->name + at, .size = pass->size - at};

	return pass->visit(pass->ctx, &found);
}

static int progress_tell(void *ctx, const struct pdns_result *result)
{
	struct pass *pass = ctx;

	return pass->question->progress ? pass->question->progress(pass->ctx) : 0;
}

static int one_visit(void *ctx, const struct pdns_row *row)
{
	((struct pass *)ctx)->known = WAS_KNOWN;
	return 0;
}

// Whether the last owner was known, or with PDNS_SUBTREE what it ends with at @p at: a tuple that shows it may
// come behind those that are new, or not at all.
static int known_ask(struct pass *pass, enum pdns_scope scope, size_t at)
{
	const struct pdns_question q = {.by = PDNS_BY_OWNER,
		.scope = scope,
		.types = PDNS_ANY_AT_ALL,
		.name = pass->name + at,
		.name_size = pass->size - at,
		.first_before = pass->question->since_s - 1,
		.limit = 1};
	const struct pdns_visitor visitor = {pass, one_visit, progress_tell};
	struct pdns_result result;

	pass->known = IS_NEW;
	// Nothing was seen before 1970, and 0 would be no fence.
	return q.first_before > 0 ? pdns_query(pass->pdns, &q, &visitor, &result) : 0;
}

static int name_end(struct pass *pass)
{
	return pass->size > 0 && pass->name_first >= pass->question->since_s
		       ? tell(pass, SIGNAL_NEW_NAME, pass->name_first, 0)
		       : 0;
}

static int base_end(struct pass *pass)
{
	int err;

	if (pass->size <= pass->base + 1 || pass->base_first < pass->question->since_s)
		return 0;
	err = pass->is_part ? known_ask(pass, PDNS_SUBTREE, pass->base) : 0;
	if (err || (pass->is_part && pass->known == WAS_KNOWN))
		return err;
	return tell(pass, SIGNAL_NEW_DOMAIN, pass->base_first, pass->base);
}

static int name_begin(struct pass *pass, const struct pdns_row *row)
{
	size_t base = signal_base_at(row->owner), size = row->owner_size - base;
	int err = name_end(pass);

	if (err)
		return err;
	if (pass->size == 0 || pass->size - pass->base != size ||
		memcmp(pass->name + pass->base, row->owner + base, size) != 0) {
		err = base_end(pass);
		pass->base_first = INT64_MAX;
	}
	pass->name_first = INT64_MAX;
	pass->known = NOT_ASKED;
	memcpy(pass->name, row->owner, row->owner_size);
	pass->size = row->owner_size;
	pass->base = base;
	return err;
}

static int row_take(void *ctx, const struct pdns_row *row)
{
	struct pass *pass = ctx;
	int err = 0;

	if (pass->size != row->owner_size || memcmp(pass->name, row->owner, pass->size) != 0)
		err = name_begin(pass, row);
	if (err)
		return err;
	pass->name_first = row->first_s < pass->name_first ? row->first_s : pass->name_first;
	pass->base_first = row->first_s < pass->base_first ? row->first_s : pass->base_first;
	if (row->first_s < pass->question->since_s) {
		pass->known = WAS_KNOWN;
		return 0;
	}
	if (pass->known == NOT_ASKED)
		err = known_ask(pass, PDNS_EXACT, 0);
	if (err || pass->known == IS_NEW)
		return err;
	return pass->visit(
		pass->ctx, &(struct signal_new){SIGNAL_NEW_RDATA, row->first_s, pass->name,
				   pass->size, row->type, row->rdata[0].data, row->rdata[0].size});
}

int signal_new_find(struct pdns *pdns, const struct signal_new_question *question,
	int (*visit)(void *ctx, const struct signal_new *found), void *ctx)
{
	struct pdns_question q = {
		.by = PDNS_BY_RECENT, .types = PDNS_ANY_AT_ALL, .recent_s = question->since_s};
	struct pass *pass = calloc(1, sizeof(*pass));
	const struct pdns_visitor visitor = {pass, row_take, progress_tell};
	struct pdns_result result;
	int err;

	if (!pass)
		return -ENOMEM;
	pass->pdns = pdns;
	pass->question = question;
	pass->visit = visit;
	pass->ctx = ctx;
	pass->is_part = true;
	err = pdns_query(pdns, &q, &visitor, &result);
	if (err == -ENODATA) {
		q.by = PDNS_BY_EVERYTHING;
		pass->is_part = false;
		err = pdns_query(pdns, &q, &visitor, &result);
	}
	if (err == 0)
		err = name_end(pass);
	if (err == 0)
		err = base_end(pass);
	free(pass);
	return err;
}
