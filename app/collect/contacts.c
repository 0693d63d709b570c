/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What reached the sinkhole, with the malware identifier of the answer that sent it there.
 */
#include <inttypes.h>
#include <netinet/in.h>

#include "base/log.h"
#include "collect_app.h"

#define STOPPED 1 // a visit has had enough

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "TCP" : protocol == IPPROTO_UDP ? "UDP" : "";
}

static void row_csv(const struct store_contact_row *row, const char *first, const char *last)
{
	static const char *const named[STORE_NAMED_COUNT] = {"", "sni", "host"};
	static const char *const basis[] = {"none", "time", "name"};
	char client[ADDR_TEXT_SIZE];

	csv_text(stdout, row->id);
	printf(",%s,%s,%u,%s,%s,", addr_format(&row->client, client), protocol_name(row->protocol),
		row->port, named[row->named], row->name);
	csv_text(stdout, row->asked);
	printf(",%s,%s,%s,%" PRIu64 ",", basis[row->basis], first, last, row->n);
	if (row->client_port)
		printf("%u", row->client_port);
	putchar('\n');
}

static void row_ndjson(const struct store_contact_row *row, const char *first, const char *last)
{
	static const char *const named[STORE_NAMED_COUNT] = {"", "sni", "host"};
	static const char *const basis[] = {"none", "time", "name"};
	char client[ADDR_TEXT_SIZE];

	fputs("{\"id\":", stdout);
	json_text(stdout, row->id);
	printf(",\"client\":\"%s\",\"proto\":\"%s\",\"port\":%u", addr_format(&row->client, client),
		protocol_name(row->protocol), row->port);
	if (row->named) {
		printf(",\"%s\":", named[row->named]);
		json_text(stdout, row->name);
	}
	fputs(",\"asked\":", stdout);
	json_text(stdout, row->asked);
	printf(",\"basis\":\"%s\",\"first\":\"%s\",\"last\":\"%s\",\"count\":%" PRIu64,
		basis[row->basis], first, last, row->n);
	if (row->client_port)
		printf(",\"client_port\":%u", row->client_port);
	puts("}");
}

static int row_show(void *ctx, const struct store_contact_row *row)
{
	const struct collect_args *args = ctx;
	char first[COLLECT_TIME_SIZE], last[COLLECT_TIME_SIZE];

	collect_time(row->first_ms, first);
	collect_time(row->last_ms, last);
	if (args->format == COLLECT_NDJSON)
		row_ndjson(row, first, last);
	else
		row_csv(row, first, last);
	return ferror(stdout) ? STOPPED : 0;
}

int contacts_run(const struct collect_args *args)
{
	const struct store_contact_question question = {.from_ms = args->question.from_ms,
		.to_ms = args->question.to_ms,
		.client = args->question.client,
		.id = args->question.id,
		.window_ms = args->window_ms};
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
		puts("id,client,proto,port,named,name,asked,basis,first,last,count,client_port");
	err = store_contacts(store, &question, row_show, (void *)args);
	store_close(store);
	return collect_exit_of(err);
}
