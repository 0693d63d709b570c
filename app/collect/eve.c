/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record as a line of JSON in the form of Suricata's EVE log, so that what reads that reads this.
 * What EVE has no member for is in src_mask (bits of src_ip that are kept) and in the object filter.
 */
#include <string.h>
#include <time.h>

#include "collect_app.h"
#include "dns/dns_name.h"
#include "dns/dns_type.h"
#include "http/http.h"

char *collect_time(int64_t time_ms, char text[COLLECT_TIME_SIZE])
{
	time_t seconds = (time_t)(time_ms >= 0 ? time_ms / 1000 : (time_ms - 999) / 1000);
	char clock[24], offset[8];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(clock, sizeof(clock), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(offset, sizeof(offset), "%z", &tm);
	snprintf(text, COLLECT_TIME_SIZE, "%s.%03d000%s", clock,
		(int)(time_ms - (int64_t)seconds * 1000), offset);
	return text;
}

const char *collect_rcode(uint16_t rcode, char text[16])
{
	// RFC 6891 s9, RFC 7873 s8: beyond the four bits of the header.
	if (rcode < 16)
		return dns_rcode_name((uint8_t)rcode);
	if (rcode == 16)
		return "BADVERS";
	if (rcode == 23)
		return "BADCOOKIE";
	snprintf(text, 16, "RCODE%u", rcode);
	return text;
}

static void member(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":", name);
	http_json_text(out, text);
}

static void client_write(FILE *out, const struct store_record *r)
{
	char text[ADDR_TEXT_SIZE];

	if (!r->client.addr.family)
		return;
	fprintf(out, ",\"src_ip\":\"%s\",\"src_mask\":%u", addr_format(&r->client.addr, text),
		r->client.length);
	if (r->client_port)
		fprintf(out, ",\"src_port\":%u", r->client_port);
}

// Addresses of the original answer; which owner they had is not kept.
static void answers_write(FILE *out, const struct store_record *r, const char *name)
{
	char text[ADDR_TEXT_SIZE];

	if (r->n_addresses == 0)
		return;
	fputs(",\"answers\":[", out);
	for (unsigned i = 0; i < r->n_addresses; i++) {
		fputs(i > 0 ? ",{\"rrname\":" : "{\"rrname\":", out);
		http_json_text(out, name);
		fprintf(out, ",\"rrtype\":\"%s\",\"rdata\":\"%s\"}",
			r->addresses[i].family == ADDR_IPV4 ? "A" : "AAAA",
			addr_format(&r->addresses[i], text));
	}
	putc(']', out);
}

static void dns_write(FILE *out, const struct store_record *r, unsigned version)
{
	char name[DNS_NAME_TEXT_SIZE], type[16], code[16];

	dns_name_format(r->name, name);
	fprintf(out, ",\"dns\":{\"version\":%u,\"type\":\"%s\",\"rcode\":\"%s\"", version,
		version == 2 ? "answer" : "response", collect_rcode(r->rcode, code));
	fputs(version == 2 ? ",\"rrname\":" : ",\"queries\":[{\"rrname\":", out);
	http_json_text(out, name);
	fprintf(out, ",\"rrtype\":\"%s\"%s", dns_type_name(r->type, type),
		version == 2 ? "" : "}]");
	answers_write(out, r, name);
	putc('}', out);
}

static void filter_write(FILE *out, const struct store_record *r)
{
	static const char *const matches[] = {"", "qname", "answer"};
	char name[DNS_NAME_TEXT_SIZE];

	fprintf(out, ",\"filter\":{\"filtered\":%s", r->filtered ? "true" : "false");
	member(out, "action", *r->action ? r->action : "none");
	if (*r->verdict)
		member(out, "verdict", r->verdict);
	if (*r->list)
		member(out, "list", r->list);
	if (*r->id)
		member(out, "id", r->id);
	if (r->match == STORE_MATCH_QNAME || r->match == STORE_MATCH_ANSWER)
		member(out, "match", matches[r->match]);
	if (r->match_name) {
		dns_name_format(r->match_name, name);
		member(out, "name", name);
	}
	if (r->generation)
		fprintf(out, ",\"generation\":%u", r->generation);
	putc('}', out);
}

void eve_write(FILE *out, const struct store_record *r, unsigned version)
{
	char when[COLLECT_TIME_SIZE];

	fprintf(out, "{\"timestamp\":\"%s\",\"event_type\":\"dns\"",
		collect_time(r->time_ms, when));
	client_write(out, r);
	fprintf(out, ",\"proto\":\"%s\"", r->tcp ? "TCP" : "UDP");
	dns_write(out, r, version);
	filter_write(out, r);
	fputs("}\n", out);
}
