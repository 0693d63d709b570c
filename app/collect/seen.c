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
#include "http/http.h"

#define STOPPED 1 // a visit has had enough

// Contacts of a client that came from names of an identifier.
struct tried {
	char id[STORE_TEXT_MAX + 1];
	struct addr client;
	uint64_t n;
};

struct showing {
	const struct collect_args *args;
	struct collect_sink *sink;
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
	struct showing *l = ctx;
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

static uint64_t tried_find(const struct showing *l, const struct store_seen *row)
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
	const struct showing *showing = ctx;
	const struct collect_args *args = showing->args;
	FILE *out = showing->sink->out;
	uint64_t contacts = tried_find(showing, row);

	if (args->question.id && strcmp(args->question.id, row->id) != 0)
		return 0;
	addr_format(&row->addr, client);
	collect_time(row->first_ms, first);
	collect_time(row->last_ms, last);
	if (args->format == COLLECT_NDJSON) {
		fputs("{\"id\":", out);
		http_json_text(out, row->id);
		fprintf(out,
			",\"client\":\"%s\",\"first\":\"%s\",\"last\":\"%s\",\"count\":%" PRIu64
			",\"contacts\":%" PRIu64 "}\n",
			client, first, last, row->n, contacts);
	} else {
		csv_text(out, row->id);
		fprintf(out, ",%s,%s,%s,%" PRIu64 ",%" PRIu64 "\n", client, first, last, row->n,
			contacts);
	}
	showing->sink->rows++;
	return ferror(out) ? STOPPED : 0;
}

int infected_write(const struct collect_args *args, struct store *store, struct collect_sink *sink)
{
	int64_t from = store_day_start_ms((uint16_t)args->day);
	int64_t to = store_day_start_ms((uint16_t)(args->day + 1));
	const struct store_contact_question contacts = {.from_ms = from, .to_ms = to};
	struct showing showing = {.args = args, .sink = sink};
	int err;

	if (args->format != COLLECT_NDJSON)
		fputs("id,client,first,last,count,contacts\n", sink->out);
	err = store_contacts(store, &contacts, tried_take, &showing);
	if (err == 0)
		err = store_infected(store, from, to, infected_show, &showing);
	free(showing.tried);
	return err;
}

int seen_run(const struct collect_args *args, collect_write *write)
{
	struct collect_sink sink = {.out = stdout};
	const char *wrong = query_wrong(args);
	struct store *store;
	int err;

	if (wrong) {
		log_line(LOG_ERROR, "%s", wrong);
		return COLLECT_USAGE;
	}
	err = collect_open(args, STORE_READ, &store);
	if (err != COLLECT_DONE)
		return err;
	err = write(args, store, &sink);
	store_close(store);
	return collect_exit_of(err);
}

int infected_run(const struct collect_args *args)
{
	return seen_run(args, infected_write);
}

struct counting {
	const struct collect_args *args;
	struct collect_sink *sink;
	char id[STORE_TEXT_MAX + 1];
	uint64_t n;
};

static void count_show(const struct counting *counting)
{
	FILE *out = counting->sink->out;

	if (counting->n == 0)
		return;
	counting->sink->rows++;
	if (counting->args->format == COLLECT_NDJSON) {
		fputs("{\"id\":", out);
		http_json_text(out, counting->id);
		fprintf(out, ",\"addresses\":%" PRIu64 "}\n", counting->n);
	} else {
		csv_text(out, counting->id);
		fprintf(out, ",%" PRIu64 "\n", counting->n);
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
	return ferror(counting->sink->out) ? STOPPED : 0;
}

int addresses_write(const struct collect_args *args, struct store *store, struct collect_sink *sink)
{
	struct counting counting = {.args = args, .sink = sink};
	int err;

	if (args->format != COLLECT_NDJSON)
		fputs("id,addresses\n", sink->out);
	err = store_addresses(
		store, args->question.from_ms, args->question.to_ms, address_count, &counting);
	if (err == 0)
		count_show(&counting);
	return err;
}

int addresses_run(const struct collect_args *args)
{
	return seen_run(args, addresses_write);
}
