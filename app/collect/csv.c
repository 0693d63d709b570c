/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record as a line of comma-separated values (RFC 4180, lines end in LF).
 */
#include <string.h>

#include "collect_app.h"
#include "dns/dns_name.h"
#include "dns/dns_type.h"

void csv_text(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

void csv_header(FILE *out)
{
	fputs("time,name,type,rcode,client,bits,port,proto,filtered,action,verdict,list,id,match,"
	      "match_name,generation,addresses\n",
		out);
}

static void field(FILE *out, const char *text)
{
	putc(',', out);
	csv_text(out, text);
}

static void rule_write(FILE *out, const struct store_record *r)
{
	static const char *const matches[] = {"", "qname", "answer"};
	char text[DNS_NAME_TEXT_SIZE] = "";

	field(out, r->action);
	field(out, r->verdict);
	field(out, r->list);
	field(out, r->id);
	field(out, r->match <= STORE_MATCH_ANSWER ? matches[r->match] : "");
	if (r->match_name)
		dns_name_format(r->match_name, text);
	field(out, text);
	putc(',', out);
	if (r->generation)
		fprintf(out, "%u", r->generation);
	putc(',', out);
	for (unsigned i = 0; i < r->n_addresses; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", addr_format(&r->addresses[i], text));
}

void csv_write(FILE *out, const struct store_record *r)
{
	char when[COLLECT_TIME_SIZE], name[DNS_NAME_TEXT_SIZE], type[16], code[16];
	char client[ADDR_TEXT_SIZE] = "";

	dns_name_format(r->name, name);
	fputs(collect_time(r->time_ms, when), out);
	field(out, name);
	fprintf(out, ",%s,%s,", dns_type_name(r->type, type), collect_rcode(r->rcode, code));
	if (r->client.addr.family)
		fprintf(out, "%s,%u,", addr_format(&r->client.addr, client), r->client.length);
	else
		fputs(",,", out);
	if (r->client_port)
		fprintf(out, "%u", r->client_port);
	fprintf(out, ",%s,%s", r->tcp ? "TCP" : "UDP", r->filtered ? "yes" : "no");
	rule_write(out, r);
	putc('\n', out);
}
