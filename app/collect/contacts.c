/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What reached the sinkhole, with the malware identifier of the answer that sent it there.
 */
#include <inttypes.h>
#include <netinet/in.h>

#include "collect_app.h"
#include "http/http.h"

#define STOPPED 1 // a visit has had enough

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "TCP" : protocol == IPPROTO_UDP ? "UDP" : "";
}

static void row_csv(
	FILE *out, const struct store_contact_row *row, const char *first, const char *last)
{
	static const char *const named[STORE_NAMED_COUNT] = {"", "sni", "host"};
	static const char *const basis[] = {"none", "time", "name"};
	char client[ADDR_TEXT_SIZE];

	csv_text(out, row->id);
	fprintf(out, ",%s,%s,%u,%s,%s,", addr_format(&row->client, client),
		protocol_name(row->protocol), row->port, named[row->named], row->name);
	csv_text(out, row->asked);
	fprintf(out, ",%s,%s,%s,%" PRIu64 ",", basis[row->basis], first, last, row->n);
	if (row->client_port)
		fprintf(out, "%u", row->client_port);
	putc('\n', out);
}

static void row_ndjson(
	FILE *out, const struct store_contact_row *row, const char *first, const char *last)
{
	static const char *const named[STORE_NAMED_COUNT] = {"", "sni", "host"};
	static const char *const basis[] = {"none", "time", "name"};
	char client[ADDR_TEXT_SIZE];

	fputs("{\"id\":", out);
	http_json_text(out, row->id);
	fprintf(out, ",\"client\":\"%s\",\"proto\":\"%s\",\"port\":%u",
		addr_format(&row->client, client), protocol_name(row->protocol), row->port);
	if (row->named) {
		fprintf(out, ",\"%s\":", named[row->named]);
		http_json_text(out, row->name);
	}
	fputs(",\"asked\":", out);
	http_json_text(out, row->asked);
	fprintf(out, ",\"basis\":\"%s\",\"first\":\"%s\",\"last\":\"%s\",\"count\":%" PRIu64,
		basis[row->basis], first, last, row->n);
	if (row->client_port)
		fprintf(out, ",\"client_port\":%u", row->client_port);
	fputs("}\n", out);
}

struct showing {
	const struct collect_args *args;
	struct collect_sink *sink;
};

static int row_show(void *ctx, const struct store_contact_row *row)
{
	const struct showing *showing = ctx;
	char first[COLLECT_TIME_SIZE], last[COLLECT_TIME_SIZE];
	FILE *out = showing->sink->out;

	collect_time(row->first_ms, first);
	collect_time(row->last_ms, last);
	if (showing->args->format == COLLECT_NDJSON)
		row_ndjson(out, row, first, last);
	else
		row_csv(out, row, first, last);
	showing->sink->rows++;
	return ferror(out) ? STOPPED : 0;
}

int contacts_write(const struct collect_args *args, struct store *store, struct collect_sink *sink)
{
	const struct store_contact_question question = {.from_ms = args->question.from_ms,
		.to_ms = args->question.to_ms,
		.client = args->question.client,
		.id = args->question.id,
		.window_ms = args->window_ms};
	struct showing showing = {args, sink};

	if (args->format != COLLECT_NDJSON)
		fputs("id,client,proto,port,named,name,asked,basis,first,last,count,client_port\n",
			sink->out);
	return store_contacts(store, &question, row_show, &showing);
}

int contacts_run(const struct collect_args *args)
{
	return seen_run(args, contacts_write);
}
