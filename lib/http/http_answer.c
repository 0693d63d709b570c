/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An answer: the handler's thread writes into a ring, the server's thread takes out of it.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http_private.h"
#include "text/text.h"

#define OUT_SIZE   (16 << 10) // what fits is sent with a length
#define BLOCK_SIZE (16 << 10)
#define STACK_SIZE (1 << 20)

/* ---- owners ---------------------------------------------------------------------------------- */

void http_request_put(struct http_request *request)
{
	bool last;

	pthread_mutex_lock(&request->lock);
	last = --request->refs == 0;
	pthread_mutex_unlock(&request->lock);
	if (!last)
		return;
	http_params_free(request);
	pthread_mutex_destroy(&request->lock);
	pthread_cond_destroy(&request->room);
	for (unsigned i = 0; i < request->n_headers; i++)
		free(request->headers[i].value);
	free(request->body);
	free(request->path);
	free(request->accept);
	free(request->ring);
	free(request);
}

static void request_ref(struct http_request *request)
{
	pthread_mutex_lock(&request->lock);
	request->refs++;
	pthread_mutex_unlock(&request->lock);
}

// Under the request's lock: there is something to tell.
static void wake(struct http_request *request)
{
	if (!request->suspended || !request->connection)
		return;
	request->suspended = false;
	MHD_resume_connection(request->connection);
}

// Under the request's lock.
static void suspend(struct http_request *request)
{
	request->suspended = true;
	MHD_suspend_connection(request->connection);
}

void http_answer_cut(struct http_request *request)
{
	pthread_mutex_lock(&request->lock);
	if (!request->done) {
		request->cut = true;
		pthread_cond_broadcast(&request->room);
		wake(request);
	}
	pthread_mutex_unlock(&request->lock);
}

/* ---- the handler's side ---------------------------------------------------------------------- */

static size_t ring_put(struct http_request *request, const char *data, size_t size)
{
	size_t to = (request->from + request->used) % HTTP_RING;
	size_t n = HTTP_RING - request->used;

	n = n < size ? n : size;
	n = n < HTTP_RING - to ? n : HTTP_RING - to;
	memcpy(request->ring + to, data, n);
	request->used += n;
	return n;
}

// Under lock: until the ring has room. A reader that takes an octet now and then would keep a thread for ever.
// Returns whether it was cut off for that.
static bool room_wait(struct http_request *request)
{
	struct http_server *server = request->server;
	int64_t now = http_now_ms();
	struct timespec until;

	if (request->late_ms == 0) {
		request->late_ms = now + (int64_t)server->options.reader_s * 1000;
		request->taken = 0;
	}
	until = (struct timespec){request->late_ms / 1000, request->late_ms % 1000 * 1000000};
	while (request->used == HTTP_RING && !request->cut) {
		if (pthread_cond_timedwait(&request->room, &request->lock, &until) == 0)
			continue;
		// What is in the ring would take as long again.
		request->cut = true;
		if (request->connection)
			shutdown(MHD_get_connection_info(
					 request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
					 ->connect_fd,
				SHUT_RDWR);
		return true;
	}
	return false;
}

static ssize_t out_write(void *cookie, const char *data, size_t size)
{
	struct http_request *request = cookie;
	size_t done = 0;
	bool late = false;

	pthread_mutex_lock(&request->lock);
	while (done < size && !request->cut) {
		done += ring_put(request, data + done, size - done);
		// The last octets of a short answer are the answer.
		if (!request->finishing || request->used == HTTP_RING)
			request->released = true;
		if (request->released)
			wake(request);
		if (request->used == HTTP_RING)
			late = room_wait(request);
	}
	if (request->cut) {
		errno = EPIPE;
		done = 0;
	}
	pthread_mutex_unlock(&request->lock);
	if (late) {
		pthread_mutex_lock(&request->server->lock);
		request->server->stats.timeouts++;
		pthread_mutex_unlock(&request->server->lock);
	}
	return (ssize_t)done;
}

FILE *http_out(struct http_request *request)
{
	return request->out;
}

void http_begin(struct http_request *request, unsigned status, const char *type)
{
	request->status = status;
	request->type = type;
}

bool http_is_gone(struct http_request *request)
{
	bool cut;

	pthread_mutex_lock(&request->lock);
	cut = request->cut;
	pthread_mutex_unlock(&request->lock);
	return cut;
}

bool http_has_left(struct http_request *request)
{
	struct pollfd reader = {.events = POLLRDHUP};
	bool left = true;

	pthread_mutex_lock(&request->lock);
	// The connection is there as long as its descriptor is.
	if (!request->cut && request->connection) {
		reader.fd = MHD_get_connection_info(
			request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				    ->connect_fd;
		left = poll(&reader, 1, 0) > 0;
	}
	pthread_mutex_unlock(&request->lock);
	return left;
}

void http_fail(struct http_request *request, unsigned status, const char *format, ...)
{
	char text[HTTP_ERROR_SIZE];
	bool released;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pthread_mutex_lock(&request->lock);
	released = request->released;
	pthread_mutex_unlock(&request->lock);
	__fpurge(request->out);
	if (released) {
		http_answer_cut(request);
		return;
	}
	http_begin(request, status, "application/json");
	fputs("{\"error\":", request->out);
	http_json_text(request->out, text);
	fputs("}\n", request->out);
}

void http_json_text(FILE *out, const char *text)
{
	size_t size = strlen(text), n;
	uint32_t code;

	putc('"', out);
	for (size_t at = 0; at < size; at += n) {
		n = text_utf8_char(text + at, size - at, &code);
		if (n == 0) {
			fputs("\\ufffd", out);
			n = 1;
		} else if (code == '"' || code == '\\') {
			putc('\\', out);
			putc((int)code, out);
		} else if (code < 0x20 || code == 0x7f) {
			fprintf(out, "\\u%04x", (unsigned)code);
		} else {
			fwrite(text + at, 1, n, out);
		}
	}
	putc('"', out);
}

static void request_delist(struct http_request *request)
{
	struct http_server *server = request->server;

	pthread_mutex_lock(&server->lock);
	*request->self = request->next;
	if (request->next)
		request->next->self = request->self;
	pthread_cond_broadcast(&server->left);
	pthread_mutex_unlock(&server->lock);
}

static void handler_end(struct http_request *request)
{
	pthread_mutex_lock(&request->lock);
	request->finishing = true;
	pthread_mutex_unlock(&request->lock);
	fclose(request->out);
	pthread_mutex_lock(&request->lock);
	request->done = !request->cut;
	request->released = true;
	wake(request);
	pthread_mutex_unlock(&request->lock);
	request_delist(request);
}

static void *handler_run(void *arg)
{
	struct http_request *request = arg;

	request->route->run(request, request->server->options.ctx);
	handler_end(request);
	http_request_put(request);
	return NULL;
}

static int request_enlist(struct http_request *request)
{
	struct http_server *server = request->server;
	bool closing;

	pthread_mutex_lock(&server->lock);
	closing = server->closing;
	if (!closing) {
		request->number = ++server->number;
		request->next = server->requests;
		request->self = &server->requests;
		if (request->next)
			request->next->self = &request->next;
		server->requests = request;
		server->stats.requests++;
	}
	pthread_mutex_unlock(&server->lock);
	return closing ? -ESHUTDOWN : 0;
}

static int thread_start(struct http_request *request)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int err;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	err = pthread_create(&thread, &attributes, handler_run, request);
	pthread_attr_destroy(&attributes);
	return -err;
}

int http_answer_start(struct http_request *request)
{
	const cookie_io_functions_t functions = {.write = out_write};
	int err;

	request->ring = malloc(HTTP_RING);
	request->out = request->ring ? fopencookie(request, "w", functions) : NULL;
	if (!request->out)
		return -ENOMEM;
	setvbuf(request->out, NULL, _IOFBF, OUT_SIZE);
	err = request_enlist(request);
	if (err == 0) {
		request_ref(request);
		// The handler has nothing to tell before the connection is suspended.
		pthread_mutex_lock(&request->lock);
		err = thread_start(request);
		if (err == 0) {
			request->started = true;
			suspend(request);
		}
		pthread_mutex_unlock(&request->lock);
		if (err) {
			request_delist(request);
			http_request_put(request);
		}
	}
	if (err)
		fclose(request->out);
	return err;
}

/* ---- the server's side ----------------------------------------------------------------------- */

static ssize_t ring_take(void *cls, uint64_t at, char *data, size_t room)
{
	struct http_request *request = cls;
	ssize_t result = 0;
	size_t n;

	pthread_mutex_lock(&request->lock);
	if (request->used > 0) {
		n = request->used < room ? request->used : room;
		n = n < HTTP_RING - request->from ? n : HTTP_RING - request->from;
		memcpy(data, request->ring + request->from, n);
		request->from = (request->from + n) % HTTP_RING;
		request->used -= n;
		request->taken += n;
		// Who takes that much, or all that there is, has its time anew.
		if (request->taken >= HTTP_RING || request->used == 0)
			request->late_ms = 0;
		result = (ssize_t)n;
		pthread_cond_signal(&request->room);
	} else if (request->cut) {
		result = MHD_CONTENT_READER_END_WITH_ERROR;
	} else if (request->done) {
		result = MHD_CONTENT_READER_END_OF_STREAM;
	} else if (request->connection) {
		suspend(request);
	}
	pthread_mutex_unlock(&request->lock);
	return result;
}

static void response_free(void *cls)
{
	http_request_put(cls);
}

struct MHD_Response *http_answer_response(struct http_request *request)
{
	struct MHD_Response *response = NULL;
	bool cut;
	uint64_t size;

	pthread_mutex_lock(&request->lock);
	cut = request->cut && request->used == 0;
	size = request->done ? request->used : MHD_SIZE_UNKNOWN;
	pthread_mutex_unlock(&request->lock);
	if (cut)
		return NULL;
	request_ref(request);
	response = MHD_create_response_from_callback(
		size, BLOCK_SIZE, ring_take, request, response_free);
	if (!response)
		http_request_put(request);
	return response;
}
