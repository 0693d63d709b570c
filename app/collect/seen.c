/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses by malware identifier: clients that asked for its names, servers that the answers had.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "collect_app.h"

#define STOPPED 1 // a visit has had enough

// Contacts of a client that came from names of an identifier.
struct tried {
	char id[STORE_TEXT_MAX + 1];
	struct addr client;
	uint64_t n;
};

struct listing {
	const struct collect_args *args;
	struct tried *tried; // in the order that rows come in
	size_t n, room;
};

static int tried_compare(const void *a, const void *b)
{
	const struct tried *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	order = order ? order : x->client.family - y->client.family;
	return order ? order : memcmp(x->client.bytes, y->client.bytes, sizeof(x->client.bytes));
}

static int tried_take(void *ctx, const struct store_contact_row *row)
{
	struct listing *l = ctx;
	struct tried tried = {.client = row->client, .n = row->n}, *more;

	if (!*row->id)
		return 0;
	snprintf(tried.id, sizeof(tried.id), "%s", row->id);
	if (l->n > 0 && tried_compare(&l->tried[l->n - 1], &tried) == 0) {
		l->tried[l->n - 1].n += tried.n;
		return 0;
	}
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 256;
		more = realloc(l->tried, l->room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->tried = more;
	}
	l->tried[l->n++] = tried;
	return 0;
}

static uint64_t tried_find(const struct listing *l, const struct store_seen *row)
{
	struct tried sought = {.client = row->addr};
	const struct tried *tried;

	snprintf(sought.id, sizeof(sought.id), "%s", row->id);
	tried = l->n ? bsearch(&sought, l->tried, l->n, sizeof(sought), tried_compare) : NULL;
	return tried ? tried->n : 0;
}

static int infected_show(void *ctx, const struct store_seen *row)
{
	char first[COLLECT_TIME_SIZE], last[COLLECT_TIME_SIZE], client[ADDR_TEXT_SIZE];
	const struct listing *l = ctx;
	const struct collect_args *args = l->args;
	uint64_t contacts = tried_find(l, row);

	if (args->question.id && strcmp(args->question.id, row->id) != 0)
		return 0;
	addr_format(&row->addr, client);
	collect_time(row->first_ms, first);
	collect_time(row->last_ms, last);
	if (args->format == COLLECT_NDJSON) {
		fputs("{\"id\":", stdout);
		json_text(stdout, row->id);
		printf(",\"client\":\"%s\",\"first\":\"%s\",\"last\":\"%s\",\"count\":%" PRIu64
		       ",\"contacts\":%" PRIu64 "}\n",
			client, first, last, row->n, contacts);
	} else {
		csv_text(stdout, row->id);
		printf(",%s,%s,%s,%" PRIu64 ",%" PRIu64 "\n", client, first, last, row->n,
			contacts);
	}
	return ferror(stdout) ? STOPPED : 0;
}

int infected_run(const struct collect_args *args)
{
	int64_t from = store_day_start_ms((uint16_t)args->day);
	int64_t to = store_day_start_ms((uint16_t)(args->day + 1));
	const struct store_contact_question contacts = {.from_ms = from, .to_ms = to};
	struct listing listing = {.args = args};
	struct store *store;
	int err;

	if (args->has_format && args->format == COLLECT_TEXT) {
		log_line(LOG_ERROR, "--format: expected csv or ndjson");
		return COLLECT_USAGE;
	}
	err = collect_open(args, STORE_READ, &store);
	if (err != COLLECT_DONE)
		return err;
	if (args->format != COLLECT_NDJSON)
		fputs("id,client,first,last,count,contacts\n", stdout);
	err = store_contacts(store, &contacts, tried_take, &listing);
	if (err == 0)
		err = store_infected(store, from, to, infected_show, &listing);
	free(listing.tried);
	store_close(store);
	return collect_exit_of(err);
}

struct counting {
	const struct collect_args *args;
	char id[STORE_TEXT_MAX + 1];
	uint64_t n;
};

static void count_show(const struct counting *counting)
{
	if (counting->n == 0)
		return;
	if (counting->args->format == COLLECT_NDJSON) {
		fputs("{\"id\":", stdout);
		json_text(stdout, counting->id);
		printf(",\"addresses\":%" PRIu64 "}\n", counting->n);
	} else {
		csv_text(stdout, counting->id);
		printf(",%" PRIu64 "\n", counting->n);
	}
}

// Rows come by id, so one is complete when the next id comes.
static int address_count(void *ctx, const struct store_seen *row)
{
	struct counting *counting = ctx;

	if (counting->args->question.id && strcmp(counting->args->question.id, row->id) != 0)
		return 0;
	if (strcmp(counting->id, row->id) != 0) {
		count_show(counting);
		snprintf(counting->id, sizeof(counting->id), "%s", row->id);
		counting->n = 0;
	}
	counting->n++;
	return ferror(stdout) ? STOPPED : 0;
}

int addresses_run(const struct collect_args *args)
{
	struct counting counting = {.args = args};
	struct store *store;
	int err;

	if (args->has_format && args->format == COLLECT_TEXT) {
		log_line(LOG_ERROR, "--format: expected csv or ndjson");
		return COLLECT_USAGE;
	}
	err = collect_open(args, STORE_READ, &store);
	if (err != COLLECT_DONE)
		return err;
	if (args->format != COLLECT_NDJSON)
		fputs("id,addresses\n", stdout);
	err = store_addresses(
		store, args->question.from_ms, args->question.to_ms, address_count, &counting);
	if (err == 0)
		count_show(&counting);
	store_close(store);
	return collect_exit_of(err);
}
