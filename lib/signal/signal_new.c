/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is new: one pass over tuples, which come by owner, all names of a base domain one after the
 * other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signal/signal_private.h"

/** A tuple that is new, as long as it is not known whether its name is. */
struct waiting {
	int64_t time_s;
	uint16_t type;
	size_t at, size; // RDATA in octets of the pass
};

/** A pass under way. */
struct pass {
	int64_t since_s;
	int (*visit)(void *ctx, const struct signal_new *found);
	void *ctx;
	uint8_t name[DNS_NAME_SIZE_MAX]; // the last owner; size 0: none yet
	size_t size, base;               // where the base domain is in it
	int64_t name_first, base_first;
	struct waiting *waiting;
	size_t n_waiting, waiting_room;
	uint8_t *octets;
	size_t n_octets, octets_room;
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

static int tell_rdata(
	struct pass *pass, int64_t time_s, uint16_t type, const uint8_t *rdata, size_t size)
{
	const struct signal_new found = {
		SIGNAL_NEW_RDATA, time_s, pass->name, pass->size, type, rdata, size};

	return pass->visit(pass->ctx, &found);
}

static int wait(struct pass *pass, int64_t time_s, uint16_t type, const struct pdns_rdata *rdata)
{
	if (pass->n_waiting == pass->waiting_room) {
		size_t room = pass->waiting_room ? 2 * pass->waiting_room : 64;
		struct waiting *waiting = reallocarray(pass->waiting, room, sizeof(*waiting));

		if (!waiting)
			return -ENOMEM;
		pass->waiting = waiting;
		pass->waiting_room = room;
	}
	if (pass->octets_room - pass->n_octets < rdata->size) {
		size_t room = 2 * pass->octets_room + PDNS_RDATA_MAX;
		uint8_t *octets = realloc(pass->octets, room);

		if (!octets)
			return -ENOMEM;
		pass->octets = octets;
		pass->octets_room = room;
	}
	if (rdata->size > 0)
		memcpy(pass->octets + pass->n_octets, rdata->data, rdata->size);
	pass->waiting[pass->n_waiting++] =
		(struct waiting){time_s, type, pass->n_octets, rdata->size};
	pass->n_octets += rdata->size;
	return 0;
}

// The name was known: what waits is new data of it.
static int waiting_tell(struct pass *pass)
{
	int err = 0;

	for (size_t i = 0; i < pass->n_waiting && err == 0; i++) {
		const struct waiting *w = &pass->waiting[i];

		err = tell_rdata(pass, w->time_s, w->type, pass->octets + w->at, w->size);
	}
	pass->n_waiting = pass->n_octets = 0;
	return err;
}

static int name_end(struct pass *pass)
{
	pass->n_waiting = pass->n_octets = 0;
	return pass->size > 0 && pass->name_first >= pass->since_s
		       ? tell(pass, SIGNAL_NEW_NAME, pass->name_first, 0)
		       : 0;
}

static int base_end(struct pass *pass)
{
	return pass->size > pass->base + 1 && pass->base_first >= pass->since_s
		       ? tell(pass, SIGNAL_NEW_DOMAIN, pass->base_first, pass->base)
		       : 0;
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
	memcpy(pass->name, row->owner, row->owner_size);
	pass->size = row->owner_size;
	pass->base = base;
	return err;
}

static int row_take(void *ctx, const struct pdns_row *row)
{
	struct pass *pass = ctx;
	bool was_known;
	int err = 0;

	if (pass->size != row->owner_size || memcmp(pass->name, row->owner, pass->size) != 0)
		err = name_begin(pass, row);
	if (err)
		return err;
	was_known = pass->name_first < pass->since_s;
	pass->name_first = row->first_s < pass->name_first ? row->first_s : pass->name_first;
	pass->base_first = row->first_s < pass->base_first ? row->first_s : pass->base_first;
	if (row->first_s < pass->since_s)
		return was_known ? 0 : waiting_tell(pass);
	return was_known ? tell_rdata(pass, row->first_s, row->type, row->rdata[0].data,
				   row->rdata[0].size)
			 : wait(pass, row->first_s, row->type, &row->rdata[0]);
}

int signal_new_find(struct pdns *pdns, int64_t since_s,
	int (*visit)(void *ctx, const struct signal_new *found), void *ctx)
{
	const struct pdns_question everything = {.types = PDNS_ANY_AT_ALL};
	struct pass *pass = calloc(1, sizeof(*pass));
	const struct pdns_visitor visitor = {.ctx = pass, .visit = row_take};
	struct pdns_result result;
	int err;

	if (!pass)
		return -ENOMEM;
	pass->since_s = since_s;
	pass->visit = visit;
	pass->ctx = ctx;
	err = pdns_query(pdns, &everything, &visitor, &result);
	if (err == 0)
		err = name_end(pass);
	if (err == 0)
		err = base_end(pass);
	free(pass->waiting);
	free(pass->octets);
	free(pass);
	return err;
}
