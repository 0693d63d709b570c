/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The HTTP API: what the commands do, for those who have a key. Parameters are taken by the code that takes
 * the commands' options.
 */
#include "api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "face.h"
#include "portal.h"

#define NDJSON      "application/x-ndjson"
#define CSV         "text/csv; charset=utf-8; header=present"
#define SORTING_MAX 8     // questions in order of time, each with memory of its own
#define FLUSH_MS    200   // what was found goes to the reader so often at least
#define PATIENCE_MS 10000 // for questions that began before something was forgotten
#define LOG_PARAMS  "from to name subtree client id rcode type filtered order limit format eve"

/* ---- parameters ------------------------------------------------------------------------------ */

// The letter in the commands' table of options.
static const struct {
	const char *name;
	int option;
} params[] = {
	{"from", 'f'},
	{"to", 't'},
	{"name", 'n'},
	{"subtree", 'S'},
	{"client", 'C'},
	{"window", 'w'},
	{"id", 'i'},
	{"rcode", 'r'},
	{"type", 'T'},
	{"order", 'o'},
	{"limit", 'l'},
	{"format", 'm'},
	{"eve", 'e'},
	{"day", 'd'},
	{"before", 'b'},
};

static int filtered_take(const char *value, struct collect_args *args)
{
	if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
		return ask_option_take(*value == 'y' ? 'F' : 'U', NULL, args);
	snprintf(args->error, sizeof(args->error), "filtered: expected yes or no");
	return COLLECT_USAGE;
}

// The sentence that a command would say, about a parameter.
static bool refuse(struct http_request *request, const char *sentence)
{
	http_fail(request, 400, "%s", sentence + (strncmp(sentence, "--", 2) == 0 ? 2 : 0));
	return false;
}

bool api_args_take(struct http_request *request, struct collect_args *args)
{
	const char *value = http_param(request, "filtered"), *wrong;
	int err = value ? filtered_take(value, args) : COLLECT_DONE;

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]) && err == COLLECT_DONE; i++) {
		value = http_param(request, params[i].name);
		if (value)
			err = ask_option_take(params[i].option, value, args);
	}
	wrong = err == COLLECT_DONE ? query_wrong(args) : args->error;
	return wrong ? refuse(request, wrong) : true;
}

void api_audit_read(
	struct http_request *request, struct serve *serve, unsigned status, uint64_t rows)
{
	const char *comma = "", *value;
	char *asked = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&asked, &size);

	for (size_t i = 0; out && i < sizeof(params) / sizeof(params[0]); i++) {
		value = http_param(request, params[i].name);
		if (!value)
			continue;
		fprintf(out, "%s\"%s\":", comma, params[i].name);
		http_json_text(out, value);
		comma = ",";
	}
	if (out && fclose(out) != 0)
		asked = NULL;
	store_audit(serve->store, &(struct store_actor){.who = http_who(request)},
		"\"action\":\"read\",\"path\":\"%s\",\"asked\":{%s},\"status\":%u,\"rows\":%" PRIu64
		",\"complete\":%s",
		http_route_of(request)->path, asked ? asked : "", status, rows,
		http_is_gone(request) ? "false" : "true");
	free(asked);
}

/* ---- questions ------------------------------------------------------------------------------- */

struct reading {
	struct http_request *request;
	int64_t flushed_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int progress(void *ctx, const struct store_progress *done)
{
	struct reading *reading = ctx;

	if (now_ms() - reading->flushed_ms >= FLUSH_MS) {
		fflush(http_out(reading->request));
		reading->flushed_ms = now_ms();
	}
	return http_is_gone(reading->request) ? 1 : 0;
}

static void answer(struct http_request *request, struct serve *serve, struct collect_args *args,
	collect_write *write, bool whole_clients)
{
	struct reading reading = {request, now_ms()};
	struct collect_sink sink = {
		.out = http_out(request), .progress = progress, .ctx = &reading};
	int err;

	if (!args->has_format)
		args->format = COLLECT_NDJSON;
	http_begin(request, 200, args->format == COLLECT_CSV ? CSV : NDJSON);
	err = write(args, serve->store, &sink);
	if (err < 0)
		http_fail(request, 500, "the log cannot be read: %s", strerror(-err));
	if (whole_clients)
		api_audit_read(request, serve, err < 0 ? 500 : 200, sink.rows);
}

static void log_get(struct http_request *request, void *ctx)
{
	struct collect_args args = COLLECT_ARGS;
	struct serve *serve = ctx;
	bool whole;

	if (!api_args_take(request, &args))
		return;
	// Nobody shall take half of an answer for the whole.
	whole = args.question.kinds != STORE_UNFILTERED;
	if (http_role_of(request) < HTTP_ANALYST && whole) {
		http_fail(request, 403, "expected filtered=no, or a key of the role analyst");
		return;
	}
	if (args.question.order == STORE_BY_NAME) {
		answer(request, ctx, &args, query_write, whole);
		return;
	}
	if (atomic_fetch_add(&serve->sorting, 1) < SORTING_MAX)
		answer(request, ctx, &args, query_write, whole);
	else
		http_fail(request, 503,
			"%d questions in order of time are being answered: expected order=name, or "
			"this one later",
			SORTING_MAX);
	atomic_fetch_sub(&serve->sorting, 1);
}

static void rows_get(
	struct http_request *request, struct serve *serve, collect_write *write, bool whole_clients)
{
	struct collect_args args = COLLECT_ARGS;

	if (api_args_take(request, &args))
		answer(request, serve, &args, write, whole_clients);
}

static void infected_get(struct http_request *request, void *ctx)
{
	rows_get(request, ctx, infected_write, true);
}

static void contacts_get(struct http_request *request, void *ctx)
{
	rows_get(request, ctx, contacts_write, true);
}

static void addresses_get(struct http_request *request, void *ctx)
{
	rows_get(request, ctx, addresses_write, false);
}

static void days_get(struct http_request *request, void *ctx)
{
	rows_get(request, ctx, days_write, false);
}

/* ---- deletion -------------------------------------------------------------------------------- */

struct deleting {
	struct serve *serve;
	struct http_request *request;
};

static void settle(void *ctx)
{
	const struct deleting *deleting = ctx;

	http_server_drain(deleting->serve->http, deleting->request, PATIENCE_MS);
}

static bool stop(void *ctx)
{
	return http_is_gone(((const struct deleting *)ctx)->request);
}

static void dropped_tell(struct http_request *request, int err, const struct store_dropped *dropped)
{
	if (err)
		http_fail(request, 500, "not all is gone: %s; %" PRIu64 " records of %u days are",
			strerror(-err), dropped->records, dropped->days);
	else
		fprintf(http_out(request),
			"{\"days\":%u,\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
			",\"similar\":%" PRIu64 ",\"longest_ms\":%u}\n",
			dropped->days, dropped->records, dropped->bytes, dropped->similar,
			dropped->longest_ms);
}

/** Delete what a request asks for. @return 0 or -errno */
typedef int deletion(const struct collect_args *args, struct store *store,
	const struct store_actor *actor, struct store_dropped *dropped);

// One at a time: those of others, and the hourly one, wait for it.
static void deletion_run(struct http_request *request, struct serve *serve, deletion *drop)
{
	struct collect_args args = COLLECT_ARGS;
	struct deleting deleting = {serve, request};
	const struct store_actor actor = {http_who(request), &serve->lock, &deleting, settle, stop};
	struct store_dropped dropped;
	int err;

	if (!api_args_take(request, &args))
		return;
	pthread_mutex_lock(&serve->deletion);
	pthread_mutex_lock(&serve->lock);
	err = drop(&args, serve->store, &actor, &dropped);
	pthread_mutex_unlock(&serve->lock);
	pthread_mutex_unlock(&serve->deletion);
	dropped_tell(request, err, &dropped);
}

static int days_drop(const struct collect_args *args, struct store *store,
	const struct store_actor *actor, struct store_dropped *dropped)
{
	return store_drop_before(store, (uint16_t)args->before, actor, dropped);
}

static int client_drop(const struct collect_args *args, struct store *store,
	const struct store_actor *actor, struct store_dropped *dropped)
{
	return store_forget(store, &args->question.client, actor, dropped);
}

static void purge_post(struct http_request *request, void *ctx)
{
	deletion_run(request, ctx, days_drop);
}

static void forget_post(struct http_request *request, void *ctx)
{
	deletion_run(request, ctx, client_drop);
}

/* ---- about itself ---------------------------------------------------------------------------- */

static void health_get(struct http_request *request, void *ctx)
{
	fputs("{\"status\":\"ok\"}\n", http_out(request));
}

// The collector's lock is not to be held while a reader is slow.
static void status_get(struct http_request *request, void *ctx)
{
	struct tap_listener_stats connections;
	struct serve *serve = ctx;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	tap_listener_stats_get(serve->listener, &connections);
	if (out)
		serve_counters(serve, &connections, out);
	if (!out || fclose(out) != 0)
		http_fail(request, 500, "out of memory");
	else
		fputs(text, http_out(request));
	free(text);
}

static void index_get(struct http_request *request, void *ctx)
{
	const struct serve *serve = ctx;
	FILE *out = http_out(request);

	fputs("{\"version\":\"" DNSWEIR_VERSION "\",\"name\":", out);
	http_json_text(out, http_who(request));
	fprintf(out, ",\"role\":\"%s\",\"pdns\":%s,\"boxes\":%u,\"routes\":[",
		http_role_name(http_role_of(request)), serve->pdns ? "true" : "false",
		serve->conf->api_boxes.n);
	for (const struct http_route *r = api_routes; r->path; r++)
		fprintf(out,
			"%s{\"method\":\"%s\",\"path\":\"%s\",\"role\":\"%s\",\"parameters\":\"%"
			"s\"}",
			r == api_routes ? "" : ",", r->method, r->path, http_role_name(r->role),
			r->params);
	fputs("]}\n", out);
}

const struct http_route api_routes[] = {
	{"GET", "/", HTTP_NOBODY, HTTP_UNLIMITED, "", portal_get},
	{"GET", "/portal/", HTTP_NOBODY, HTTP_UNLIMITED, "", portal_get},
	{"GET", "/healthz", HTTP_NOBODY, HTTP_LOCAL, "", health_get},
	{"GET", "/metrics", HTTP_METRICS, HTTP_LOCAL, "", api_metrics},
	{"GET", "/v1", HTTP_METRICS, 0, "", index_get},
	{"GET", "/v1/status", HTTP_METRICS, HTTP_UNCOUNTED, "", status_get},
	{"GET", "/v1/boxes", HTTP_METRICS, HTTP_UNCOUNTED, "", api_boxes_get},
	{"GET", "/v1/explain", HTTP_PDNS, 0, "name!", api_explain_get},
	{"GET", "/v1/log", HTTP_LOG, 0, LOG_PARAMS, log_get},
	{"GET", "/v1/infected", HTTP_ANALYST, 0, "day! id format", infected_get},
	{"GET", "/v1/contacts", HTTP_ANALYST, 0, "from to client id window format", contacts_get},
	{"GET", "/v1/addresses", HTTP_LOG, 0, "from to id format", addresses_get},
	{"GET", "/v1/days", HTTP_LOG, 0, "format", days_get},
	{"POST", "/v1/purge", HTTP_ADMIN, 0, "before!", purge_post},
	{"POST", "/v1/forget", HTTP_ADMIN, 0, "client!", forget_post},
	{"GET", "/dnsdb/v2/lookup/", HTTP_PDNS, 0, "offset " FACE_DNSDB_PARAMS, face_dnsdb_lookup},
	{"GET", "/dnsdb/v2/summarize/", HTTP_PDNS, 0, "max_count " FACE_DNSDB_PARAMS,
		face_dnsdb_summarize},
	{"GET", "/dnsdb/v2/rate_limit", HTTP_PDNS, HTTP_UNCOUNTED, FACE_DNSDB_CLIENT,
		face_dnsdb_rate_limit},
	{"GET", "/dnsdb/v2/ping", HTTP_PDNS, HTTP_UNCOUNTED, FACE_DNSDB_CLIENT, face_dnsdb_ping},
	{"GET", "/dnsdb/v2/regex/", HTTP_PDNS, HTTP_UNCOUNTED, FACE_DNSDB_FLEX, face_dnsdb_flex},
	{"GET", "/dnsdb/v2/glob/", HTTP_PDNS, HTTP_UNCOUNTED, FACE_DNSDB_FLEX, face_dnsdb_flex},
	{"GET", "/api/query", HTTP_PDNS, HTTP_UNCOUNTED, "queryType! target output query_limit",
		face_deteque},
	{"GET", "/pdns/query/", HTTP_PDNS, 0, "", face_circl},
	{"GET", "/v1/pdns", HTTP_PDNS, 0, "limit offset cursor " FACE_PDNS_CONDITIONS, face_pdns},
	{"GET", "/v1/pdns/summarize", HTTP_PDNS, 0, "limit max-count " FACE_PDNS_CONDITIONS,
		face_pdns_summarize},
	{"POST", "/v1/pdns/bulk", HTTP_PDNS, HTTP_LARGE, "", face_pdns_bulk},
	{"GET", "/v1/similar", HTTP_PDNS, 0, "name! words limit format", face_similar},
	{"GET", "/v1/new", HTTP_PDNS, 0, "first-after limit format", face_new},
	{"GET", "/v1/flux", HTTP_PDNS, 0, "name last-after limit format", face_flux},
	{"GET", "/v1/shared", HTTP_PDNS, 0, "name! limit format", face_shared},
	{"POST", "/v1/shared", HTTP_PDNS, HTTP_LARGE, "limit format", face_shared_bulk},
	{"GET", "/v1/feed", HTTP_PDNS, HTTP_ENDLESS, "from name type sensor bailiwick new",
		face_feed},
	{"GET", "/v1/dumps/", HTTP_PDNS, 0, "", face_dumps},
	{NULL, NULL, HTTP_NOBODY, 0, NULL, NULL},
};

/* ---- begin and end --------------------------------------------------------------------------- */

int api_open(struct serve *serve)
{
	const struct conf *conf = serve->conf;
	const struct http_options options = {
		.routes = api_routes,
		.ctx = serve,
		.at = &conf->api_listen,
		.folder = conf->collect_store,
		.socket = true,
		.certificate = conf->api_certificate,
		.key = conf->api_key,
		.client_ca = conf->api_client_ca,
		.client_required = conf->api_client_required,
		.connections = conf->api_connections,
		.rate = conf->api_rate,
	};
	char error[HTTP_ERROR_SIZE];

	serve->http = http_server_open(&options, error);
	if (serve->http)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "%s", error);
	return COLLECT_USAGE;
}

void api_close(struct serve *serve)
{
	http_server_close(serve->http);
	serve->http = NULL;
}
