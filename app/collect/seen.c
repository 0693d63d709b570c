/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses by malware identifier: clients that asked for its names, servers that the answers had.
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "collect_app.h"

#define STOPPED 1 // a visit has had enough

static int infected_show(void *ctx, const struct store_seen *row)
{
	char first[COLLECT_TIME_SIZE], last[COLLECT_TIME_SIZE], client[ADDR_TEXT_SIZE];
	const struct collect_args *args = ctx;

	if (args->question.id && strcmp(args->question.id, row->id) != 0)
		return 0;
	addr_format(&row->addr, client);
	collect_time(row->first_ms, first);
	collect_time(row->last_ms, last);
	if (args->format == COLLECT_NDJSON) {
		fputs("{\"id\":", stdout);
		json_text(stdout, row->id);
		printf(",\"client\":\"%s\",\"first\":\"%s\",\"last\":\"%s\",\"count\":%" PRIu64
		       "}\n",
			client, first, last, row->n);
	} else {
		csv_text(stdout, row->id);
		printf(",%s,%s,%s,%" PRIu64 "\n", client, first, last, row->n);
	}
	return ferror(stdout) ? STOPPED : 0;
}

int infected_run(const struct collect_args *args)
{
	int64_t from = store_day_start_ms((uint16_t)args->day);
	int64_t to = store_day_start_ms((uint16_t)(args->day + 1));
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
		fputs("id,client,first,last,count\n", stdout);
	err = store_infected(store, from, to, infected_show, (void *)args);
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
