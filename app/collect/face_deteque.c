/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The face of Spamhaus's (Deteque's) passive DNS: a type of query and a target. Rows are lines
 * "TIME|HOST|RDATA", as in its daily files, or JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "dns/dns_name.h"
#include "face.h"

#define LIMIT_MAX 100000

/** Types that a query takes; no PDNS_ONE. */
enum rows {
	ROWS_ALL,
	ROWS_ADDRESS, // A and AAAA
	ROWS_HOST,    // and CNAME
	ROWS_DOMAINS, // A and AAAA, and of names only the base domain, each once an address
	ROWS_FIRST,   // only when the first was seen
};

static const struct query {
	const char *name;
	int option;       // of pdns_ask_take, for the target
	bool below;       // and what is below it
	const char *type; // NULL: as in `rows`
	enum rows rows;
} queries[] = {
	{"IP", 'i', false, NULL, ROWS_ADDRESS},
	{"HOSTDOM", 'i', false, NULL, ROWS_DOMAINS},
	{"HOST", 'n', false, NULL, ROWS_ADDRESS},
	{"NS", 'N', false, "NS", ROWS_ALL},
	{"DOMAIN", 'n', false, "NS", ROWS_ALL},
	{"DOMSEARCH", 'n', true, NULL, ROWS_HOST},
	{"MXD", 'n', false, "MX", ROWS_ALL},
	{"MX", 'N', false, "MX", ROWS_ALL},
	{"CNAME", 'N', false, "CNAME", ROWS_ALL},
	{"CHOST", 'n', false, "CNAME", ROWS_ALL},
	{"TXT", 'n', false, "TXT", ROWS_ALL},
	{"SOA", 'n', false, "SOA", ROWS_ALL},
	{"NEW_DOMAIN", 'n', true, NULL, ROWS_FIRST},
};

#define N_QUERIES (sizeof(queries) / sizeof(queries[0]))

enum output {
	OUTPUT_CSV,
	OUTPUT_JSON,
	OUTPUT_JOBJECT,
	OUTPUTS,
};

static const char *const outputs[OUTPUTS] = {"CSV", "JSON", "JOBJECT"};
static const char *const media_types[OUTPUTS] = {
	"text/plain; charset=utf-8", "application/x-ndjson", "application/json"};

/** An answer under way. */
struct telling {
	const struct query *query;
	enum output output;
	uint64_t limit, rows;
	json_t *domain; // that waits for more of its names; NULL: none
};

/* ---- rows ------------------------------------------------------------------------------------ */

// Fields are between bars. A name has one behind a backslash, so what is left out here makes it an escape in digits.
static void name_write(FILE *out, const char *name)
{
	for (; *name; name++)
		if (*name == '|')
			fputs("124", out);
		else
			putc(*name, out);
}

static void object_write(struct face *face, const json_t *object)
{
	struct telling *telling = face->how;
	FILE *out = face->out;

	if (telling->output == OUTPUT_CSV) {
		fprintf(out, "%" JSON_INTEGER_FORMAT "|",
			json_integer_value(json_object_get(object, "time_last")));
		name_write(out, json_string_value(json_object_get(object, "rrname")));
		fprintf(out, "|%s\n", json_string_value(json_object_get(object, "rdata")));
	} else {
		if (telling->output == OUTPUT_JOBJECT && telling->rows > 0)
			putc(',', out);
		json_dumpf(object, out, JSON_COMPACT);
		if (telling->output == OUTPUT_JSON)
			putc('\n', out);
	}
	telling->rows++;
}

static json_t *object_make(const struct pdns_row *row)
{
	json_t *object = pdns_cof_make(row, NULL, false), *rdata;
	char number[16];
	int bad = object ? 0 : -1;

	rdata = json_array_get(json_object_get(object, "rdata"), 0);
	bad |= json_object_set(object, "rdata", rdata);
	if (!pdns_type_name(row->type)) {
		snprintf(number, sizeof(number), "TYPE%u", row->type);
		bad |= json_object_set_new(object, "rrtype", json_string(number));
	}
	if (!bad)
		return object;
	json_decref(object);
	return NULL;
}

static int64_t integer_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool same_text(const json_t *a, const json_t *b, const char *name)
{
	return strcmp(json_string_value(json_object_get(a, name)),
		       json_string_value(json_object_get(b, name))) == 0;
}

static void domain_end(struct face *face)
{
	struct telling *telling = face->how;

	if (telling->domain)
		object_write(face, telling->domain);
	json_decref(telling->domain);
	telling->domain = NULL;
}

// Names of an address come in the order of their labels from the root down, so those of a domain together.
static int domain_take(struct face *face, json_t *object, const struct pdns_row *row)
{
	struct telling *telling = face->how;
	json_t *domain = telling->domain;
	char text[DNS_NAME_TEXT_SIZE];
	const uint8_t *base = row->owner;
	unsigned labels = 0, keep = pdns_base_labels(row->owner);

	for (const uint8_t *at = row->owner; *at; at += 1 + *at)
		labels++;
	for (; labels > keep; labels--)
		base += 1 + *base;
	dns_name_format(base, text);
	if (json_object_set_new(object, "rrname", json_string(text)) != 0)
		return -ENOMEM;
	if (!domain || !same_text(domain, object, "rrname") ||
		!same_text(domain, object, "rdata")) {
		domain_end(face);
		telling->domain = json_incref(object);
		return 0;
	}
	if (row->first_s < integer_of(domain, "time_first"))
		json_object_set(domain, "time_first", json_object_get(object, "time_first"));
	if (row->last_s > integer_of(domain, "time_last"))
		json_object_set(domain, "time_last", json_object_get(object, "time_last"));
	if ((int64_t)row->count > integer_of(domain, "count"))
		json_object_set(domain, "count", json_object_get(object, "count"));
	return 0;
}

static bool is_asked(const struct query *query, uint16_t type)
{
	if (query->rows == ROWS_ALL || type == DNS_TYPE_A || type == DNS_TYPE_AAAA)
		return true;
	return query->rows == ROWS_HOST && type == DNS_TYPE_CNAME;
}

static int row_write(struct face *face, const struct pdns_row *row)
{
	struct telling *telling = face->how;
	json_t *object;
	int err = 0;

	if (!is_asked(telling->query, row->type))
		return 0;
	if (telling->rows >= telling->limit)
		return FACE_ENOUGH;
	object = object_make(row);
	if (!object)
		return -ENOMEM;
	if (telling->query->rows == ROWS_DOMAINS)
		err = domain_take(face, object, row);
	else
		object_write(face, object);
	json_decref(object);
	return err;
}

// When a domain, or anything below it, was first seen.
static int first_write(struct face *face)
{
	struct telling *telling = face->how;
	struct pdns_question *q = &face->args->question;
	struct pdns_summary summary;
	char text[DNS_NAME_TEXT_SIZE];
	int err;

	q->limit = 0;
	err = face_summarise(face, &summary);
	if (err || summary.rows == 0)
		return err;
	dns_name_format(q->name, text);
	if (telling->output == OUTPUT_CSV) {
		fprintf(face->out, "%" PRId64 "|%s\n", summary.first_s, text);
	} else {
		fputs("{\"rrname\":", face->out);
		http_json_text(face->out, text);
		fprintf(face->out, ",\"time_first\":%" PRId64 "}%s", summary.first_s,
			telling->output == OUTPUT_JSON ? "\n" : "");
	}
	telling->rows++;
	return 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

// Does not count towards the quota, as it is about it.
static void quota_write(struct http_request *request)
{
	struct http_quota quota;
	FILE *out = http_out(request);

	http_quota_get(request, &quota);
	if (quota.limit)
		fprintf(out,
			"{\"daily_limit\":%" PRIu64 ",\"daily_used\":%" PRIu64
			",\"daily_remaining\":%" PRIu64 ",\"reset\":%" PRId64 "}\n",
			quota.limit, quota.limit - quota.remaining, quota.remaining, quota.reset_s);
	else
		fputs("{\"daily_limit\":\"unlimited\"}\n", out);
}

// @return the query, or NULL: the request was answered
static const struct query *query_take(struct http_request *request, enum output *output)
{
	const char *name = http_param(request, "queryType"), *form = http_param(request, "output");
	size_t i = 0;

	for (*output = OUTPUT_CSV; form && *output < OUTPUTS; ++*output)
		if (strcasecmp(form, outputs[*output]) == 0)
			break;
	while (i < N_QUERIES && strcasecmp(queries[i].name, name) != 0)
		i++;
	if (*output == OUTPUTS)
		http_fail(request, 400, "output: expected CSV, JSON or JOBJECT");
	else if (i == N_QUERIES)
		http_fail(request, 400,
			"queryType: expected CHECK_QUOTA, IP, HOSTDOM, HOST, NS, DOMAIN, "
			"DOMSEARCH, MXD, MX, CNAME, CHOST, TXT, SOA or NEW_DOMAIN");
	else if (!http_param(request, "target"))
		http_fail(request, 400, "expected the parameter target");
	else if (http_quota_take(request))
		return &queries[i];
	else {
		http_header_add(request, "Retry-After", "3600");
		http_fail(request, 429, "the quota of this day is used up");
	}
	return NULL;
}

static bool question_take(struct face *face)
{
	struct telling *telling = face->how;
	struct pdns_question *q = &face->args->question;
	const char *limit = http_param(face->request, "query_limit");

	if (!face_take(face, telling->query->option, http_param(face->request, "target")) ||
		(telling->query->type && !face_take(face, 't', telling->query->type)) ||
		(limit && !face_take(face, 'l', limit)))
		return false;
	if (telling->query->below && q->scope == PDNS_EXACT)
		q->scope = PDNS_SUBTREE;
	telling->limit = q->limit == 0 || q->limit > LIMIT_MAX ? LIMIT_MAX : q->limit;
	q->limit = 0;
	return true;
}

static void answer(struct face *face)
{
	struct telling *telling = face->how;
	struct timespec begin, end;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	http_begin(face->request, 200, media_types[telling->output]);
	if (telling->output == OUTPUT_JOBJECT)
		fputs("{\"records\":[", face->out);
	face->row = row_write;
	err = telling->query->rows == ROWS_FIRST ? first_write(face) : face_query(face);
	if (err < 0) {
		http_fail(face->request, 500, "the dataset cannot be read: %s", strerror(-err));
		return;
	}
	if (telling->rows < telling->limit)
		domain_end(face);
	if (telling->output != OUTPUT_JOBJECT)
		return;
	clock_gettime(CLOCK_MONOTONIC, &end);
	fprintf(face->out,
		"],\"hits\":%" PRIu64 ",\"error\":false,\"elapsed-ms\":%" PRId64
		",\"status\":200}\n",
		telling->rows,
		(int64_t)(end.tv_sec - begin.tv_sec) * 1000 +
			(end.tv_nsec - begin.tv_nsec) / 1000000);
}

void face_deteque(struct http_request *request, void *ctx)
{
	struct telling telling = {0};
	struct face face;

	if (strcasecmp(http_param(request, "queryType"), "CHECK_QUOTA") == 0) {
		quota_write(request);
		return;
	}
	telling.query = query_take(request, &telling.output);
	if (!telling.query)
		return;
	if (face_open(&face, request, ctx)) {
		face.how = &telling;
		if (question_take(&face))
			answer(&face);
	}
	json_decref(telling.domain);
	face_close(&face);
}
