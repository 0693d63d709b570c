/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request until its handler begins, in the server's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_private.h"

/* ---- what handlers ask ----------------------------------------------------------------------- */

const char *http_who(const struct http_request *request)
{
	return request->who.name;
}

enum http_role http_role_of(const struct http_request *request)
{
	return request->who.role;
}

const char *http_accept(const struct http_request *request)
{
	return request->accept;
}

const char *http_rest(const struct http_request *request)
{
	size_t size = strlen(request->route->path);

	return size > 1 && request->route->path[size - 1] == '/' ? request->path + size : "";
}

char *http_body(struct http_request *request, size_t *size)
{
	static char none[1];

	*size = request->body_size;
	return request->body ? request->body : none;
}

bool http_header(struct http_request *request, const char *name, char *value, size_t size)
{
	const char *there = NULL;

	pthread_mutex_lock(&request->lock);
	if (request->connection)
		there = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
	if (there && strlen(there) < size)
		memcpy(value, there, strlen(there) + 1);
	else
		there = NULL;
	pthread_mutex_unlock(&request->lock);
	return there != NULL;
}

void http_header_add(struct http_request *request, const char *name, const char *value)
{
	char *copy = strdup(value);

	if (copy && request->n_headers < HTTP_HEADERS_MAX)
		request->headers[request->n_headers++] = (struct http_pair){(char *)name, copy};
	else
		free(copy);
}

const struct http_route *http_route_of(const struct http_request *request)
{
	return request->route;
}

/* ---- refusals -------------------------------------------------------------------------------- */

static bool method_is(const char *method, const struct http_route *route)
{
	return strcmp(method, route->method) == 0 ||
	       (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

// What is said where no handler has begun.
static enum MHD_Result refuse(struct http_request *request, unsigned status, const char *why)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;

	if (!out)
		return MHD_NO;
	fputs("{\"error\":", out);
	http_json_text(out, why);
	fputs("}\n", out);
	if (fclose(out) != 0) {
		free(text);
		return MHD_NO;
	}
	response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(
			response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"dnsweir\"");
	if (status == MHD_HTTP_TOO_MANY_REQUESTS)
		MHD_add_response_header(
			response, MHD_HTTP_HEADER_RETRY_AFTER, strstr(why, "quota") ? "3600" : "1");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, request->allow);
	result = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	request->answered = true;
	return result;
}

static bool path_is(const struct http_request *request, const char *url, const char *path)
{
	size_t size = strlen(path);

	if (size > 1 && path[size - 1] == '/')
		return strncmp(request->path, path, size) == 0;
	return strcmp(url, path) == 0;
}

static void allow_add(struct http_request *request, const char *method)
{
	size_t used = strlen(request->allow);

	snprintf(request->allow + used, sizeof(request->allow) - used, "%s%s", used ? ", " : "",
		strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
}

// Returns 0, or the status of a refusal.
static unsigned route_find(
	struct http_request *request, const char *url, const char *method, char *why)
{
	for (const struct http_route *r = request->server->options.routes; r->path; r++) {
		if (!path_is(request, url, r->path))
			continue;
		request->route = r;
		if (method_is(method, r))
			return 0;
		allow_add(request, r->method);
	}
	http_count_refusal(request->server, HTTP_NO_ROUTE);
	snprintf(why, HTTP_ERROR_SIZE, request->route ? "expected %s" : "%sno such path",
		request->allow);
	return request->route ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND;
}

static size_t body_most(const struct http_request *request)
{
	return request->route->special & HTTP_LARGE ? HTTP_LARGE_MAX : HTTP_BODY_MAX;
}

static bool body_announced_large(const struct http_request *request)
{
	const char *size = MHD_lookup_connection_value(
		request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return size && strtoull(size, NULL, 10) > body_most(request);
}

// Octets behind the most are counted, and not kept. Returns false when memory is short.
static bool body_take(struct http_request *request, const char *octets, size_t size)
{
	size_t most = body_most(request), all = request->body_size + size, room;
	char *body = request->body;

	request->body_size = all;
	if (all > most)
		return true;
	if (all >= request->body_room) {
		room = 2 * all < most ? 2 * all + 1 : most + 1;
		body = realloc(body, room);
		if (!body)
			return false;
		request->body = body;
		request->body_room = room;
	}
	memcpy(body + all - size, octets, size);
	body[all] = '\0';
	return true;
}

void *http_request_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct http_request *request = calloc(1, sizeof(*request));
	struct http_daemon *daemon = cls;
	pthread_condattr_t clock;

	if (!request)
		return NULL;
	request->server = daemon->server;
	request->daemon = daemon;
	request->connection = connection;
	request->refs = 1;
	request->status = MHD_HTTP_OK;
	request->type = "application/json";
	request->path = strndup(uri, strcspn(uri, "?"));
	pthread_mutex_init(&request->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&request->room, &clock);
	pthread_condattr_destroy(&clock);
	return request;
}

static enum MHD_Result request_begin(
	struct http_request *request, const char *url, const char *method)
{
	char why[HTTP_ERROR_SIZE];
	unsigned status = route_find(request, url, method, why);

	http_guest_asked(request->server, request->connection, true);
	if (status == 0)
		status = http_access(request, why);
	if (status == 0 && body_announced_large(request)) {
		http_count_refusal(request->server, HTTP_BAD);
		status = MHD_HTTP_CONTENT_TOO_LARGE;
		snprintf(why, sizeof(why), "expected a body of at most %zu octets",
			body_most(request));
	}
	if (status)
		return refuse(request, status, why);
	// The body is still to come.
	http_guest_asked(request->server, request->connection, false);
	return MHD_YES;
}

struct taking {
	struct http_request *request;
	const char *wrong;
};

static enum MHD_Result query_take(void *cls, enum MHD_ValueKind kind, const char *name,
	size_t name_size, const char *value, size_t value_size)
{
	struct taking *taking = cls;

	if (strlen(name) != name_size || (value && strlen(value) != value_size))
		taking->wrong = "expected no NUL in parameters";
	else
		taking->wrong = http_param_add(taking->request, name, value ? value : "");
	return taking->wrong ? MHD_NO : MHD_YES;
}

static enum MHD_Result request_start(struct http_request *request)
{
	struct taking taking = {request, NULL};
	char why[HTTP_ERROR_SIZE] = "";
	unsigned status = MHD_HTTP_BAD_REQUEST;

	http_guest_asked(request->server, request->connection, true);
	if (request->body_size > body_most(request)) {
		status = MHD_HTTP_CONTENT_TOO_LARGE;
		snprintf(why, sizeof(why), "expected a body of at most %zu octets",
			body_most(request));
	} else {
		MHD_get_connection_values_n(
			request->connection, MHD_GET_ARGUMENT_KIND, query_take, &taking);
		if (!taking.wrong && request->body && !(request->route->special & HTTP_LARGE))
			taking.wrong = memchr(request->body, '\0', request->body_size)
					       ? "expected no NUL in parameters"
					       : http_form_take(request, request->body);
		if (taking.wrong)
			snprintf(why, sizeof(why), "%s", taking.wrong);
		else if (http_params_check(request, why))
			why[0] = '\0';
	}
	if (why[0]) {
		http_count_refusal(request->server, HTTP_BAD);
		return refuse(request, status, why);
	}
	if (http_answer_start(request) == 0)
		return MHD_YES;
	http_count_refusal(request->server, HTTP_NO_THREAD);
	return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "no more can be asked now");
}

static enum MHD_Result request_answer(struct http_request *request)
{
	struct MHD_Response *response = http_answer_response(request);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->type);
	for (unsigned i = 0; i < request->n_headers; i++)
		MHD_add_response_header(
			response, request->headers[i].name, request->headers[i].value);
	if (!MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	result = MHD_queue_response(request->connection, request->status, response);
	MHD_destroy_response(response);
	request->answered = true;
	return result;
}

enum MHD_Result http_request_handle(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	struct http_request *request = *context;

	if (!request || !request->path)
		return MHD_NO;
	if (!request->accept) {
		const char *accept = MHD_lookup_connection_value(
			connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

		request->accept = strdup(accept ? accept : "");
		return request->accept ? request_begin(request, url, method) : MHD_NO;
	}
	if (*upload_size > 0) {
		// What belongs to a request that was refused is thrown away.
		if (!request->answered && !body_take(request, upload, *upload_size))
			return MHD_NO;
		*upload_size = 0;
		return MHD_YES;
	}
	if (request->answered)
		return MHD_YES;
	return request->started ? request_answer(request) : request_start(request);
}

void http_request_completed(void *cls, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode why)
{
	struct http_request *request = *context;

	if (!request)
		return;
	*context = NULL;
	http_guest_asked(request->server, connection, false);
	pthread_mutex_lock(&request->lock);
	request->connection = NULL;
	pthread_mutex_unlock(&request->lock);
	http_answer_cut(request);
	http_request_put(request);
}
