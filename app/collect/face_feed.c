/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The feed: what each flush of the window wrote, as it is written, from a cursor or a time on. Lines of JSON, or
 * server-sent events for browsers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "face.h"
#include "pdns/pdns_feed.h"

#define NDJSON   "application/x-ndjson"
#define EVENTS   "text/event-stream"
#define WAIT_MS  250  // for a row
#define FLUSH_MS 200  // what was found goes to the reader so often at least
#define CHECK_MS 250  // whether the reader is there, and may go on
#define KEEP_MS  5000 // without a row the reader is told where it is

/** A reader. */
struct feeding {
	struct face face;
	struct serve *serve;
	struct pdns_feed_reader *reader;
	uint64_t next; // row
	bool events;   // server-sent ones
	bool only_new;
	int64_t told_ms, flushed_ms, checked_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- where it begins ------------------------------------------------------------------------- */

static void refusal_count(struct feeding *feeding, enum serve_feed_refusal refusal)
{
	atomic_fetch_add(&feeding->serve->feed_refused[refusal], 1);
}

// A cursor is good no more: its reader has to say from where it goes on.
static void refuse_gone(struct feeding *feeding, enum serve_feed_refusal refusal, const char *why)
{
	struct face *face = &feeding->face;
	char cursor[PDNS_FEED_CURSOR_SIZE];
	struct pdns_feed_state state;

	pdns_feed_state_get(face->pdns, &state);
	pdns_feed_cursor(face->pdns, state.oldest, cursor);
	refusal_count(feeding, refusal);
	http_begin(face->request, 410, "application/json");
	fprintf(face->out, "{\"error\":\"from: %s\",\"status\":410,\"cursor\":\"%s\"}\n", why,
		cursor);
}

// @return whether it is there; else the request was answered
static bool from_read(struct feeding *feeding, const char *text)
{
	struct face *face = &feeding->face;
	uint64_t *row = &feeding->next;
	struct pdns_feed_state state;
	int64_t time_s;
	int err;

	pdns_feed_state_get(face->pdns, &state);
	*row = strcmp(text, "oldest") == 0 ? state.oldest : state.next;
	if (strcmp(text, "oldest") == 0 || strcmp(text, "now") == 0)
		return true;
	err = pdns_feed_cursor_parse(face->pdns, text, row);
	if (err == 0 && *row < state.oldest)
		err = -ENOENT;
	if (err == -EINVAL && pdns_ask_time(text, &time_s) == 0)
		err = pdns_feed_find(face->pdns, time_s, row);
	if (err == -EINVAL)
		http_fail(face->request, 400,
			"from: expected a cursor, now, oldest, seconds since 1970, -SECONDS before "
			"now or YYYY-MM-DD, got \"%.100s\"",
			text);
	else if (err == -ESTALE)
		refuse_gone(feeding, SERVE_FEED_OTHER, "a cursor of another feed");
	else if (err == -ENOENT)
		refuse_gone(feeding, SERVE_FEED_TOO_LATE, "what was written then is kept no more");
	else if (err)
		http_fail(face->request, 500, "the feed cannot be read: %s", strerror(-err));
	return err == 0;
}

// What a browser that lost its connection says goes before what it was told to say.
static bool from_take(struct feeding *feeding)
{
	struct http_request *request = feeding->face.request;
	const char *from = http_param(request, "from");
	char last[128];

	if (http_header(request, "Last-Event-ID", last, sizeof(last)) && last[0])
		from = last;
	return from_read(feeding, from ? from : "now");
}

static bool conditions_take(struct feeding *feeding)
{
	static const struct face_param params[] = {
		{"name", 'n'}, {"type", 't'}, {"sensor", 's'}, {"bailiwick", 'b'}, {NULL, 0}};
	struct face *face = &feeding->face;

	face->args->question.types = PDNS_ANY_AT_ALL;
	return face_params_take(face, params) && face_flag_take(face, "new", &feeding->only_new);
}

/* ---- what is said ---------------------------------------------------------------------------- */

// Where the reader is.
static void cursor_tell(struct feeding *feeding)
{
	char cursor[PDNS_FEED_CURSOR_SIZE];
	FILE *out = feeding->face.out;

	pdns_feed_cursor(feeding->face.pdns, feeding->next, cursor);
	if (feeding->events)
		fprintf(out, "id: %s\n\n", cursor);
	else
		fprintf(out, "{\"cursor\":\"%s\",\"time\":%" PRId64 "}\n", cursor,
			(int64_t)time(NULL));
}

// The last line. @param next row that the reader may go on with
static void end_tell(struct feeding *feeding, unsigned status, const char *why, uint64_t next)
{
	char cursor[PDNS_FEED_CURSOR_SIZE];
	FILE *out = feeding->face.out;

	pdns_feed_cursor(feeding->face.pdns, next, cursor);
	fprintf(out, "%s{\"error\":\"%s\",\"status\":%u,\"cursor\":\"%s\"}\n%s",
		feeding->events ? "event: end\ndata: " : "", why, status, cursor,
		feeding->events ? "\n" : "");
}

// @return 0 or -ENOMEM
static int row_tell(struct feeding *feeding, const struct pdns_feed_row *row)
{
	char cursor[PDNS_FEED_CURSOR_SIZE];
	FILE *out = feeding->face.out;
	json_t *object = pdns_cof_make(&row->tuple, pdns_class_name(row->class), false);

	pdns_feed_cursor(feeding->face.pdns, row->number + 1, cursor);
	if (!object || json_object_set_new(object, "cursor", json_string(cursor)) < 0) {
		json_decref(object);
		return -ENOMEM;
	}
	if (feeding->events)
		fprintf(out, "id: %s\ndata: ", cursor);
	json_dumpf(object, out, JSON_COMPACT);
	fputs(feeding->events ? "\n\n" : "\n", out);
	json_decref(object);
	return 0;
}

// @return 0 or -errno
static int row_take(struct feeding *feeding, const struct pdns_feed_row *row)
{
	const struct face *face = &feeding->face;
	int is_new = 1, err = 0;

	if (!pdns_feed_wanted(&face->args->question, row))
		is_new = 0;
	else if (feeding->only_new)
		is_new = pdns_feed_is_new(face->pdns, row);
	if (is_new < 0)
		return is_new;
	if (is_new)
		err = row_tell(feeding, row);
	if (err)
		return err;
	feeding->next = row->number + 1;
	if (is_new)
		feeding->told_ms = now_ms();
	return 0;
}

/* ---- from row to row ------------------------------------------------------------------------- */

// @return 0, or FACE_GONE
static int reader_tend(struct feeding *feeding, bool idle)
{
	struct face *face = &feeding->face;
	int64_t now = now_ms();

	if (now - feeding->told_ms >= KEEP_MS) {
		cursor_tell(feeding);
		feeding->told_ms = now;
	}
	if (idle || now - feeding->flushed_ms >= FLUSH_MS) {
		fflush(face->out);
		feeding->flushed_ms = now;
	}
	if (now - feeding->checked_ms >= CHECK_MS) {
		feeding->checked_ms = now;
		if (http_has_left(face->request))
			return FACE_GONE;
		if (!http_still_may(face->request)) {
			refusal_count(feeding, SERVE_FEED_NO_KEY);
			end_tell(feeding, 401, "the key is good no more", feeding->next);
			return FACE_GONE;
		}
	}
	return ferror(face->out) ? FACE_GONE : 0;
}

// @return FACE_GONE or -errno
static int rows_tell(struct feeding *feeding)
{
	struct pdns_feed_row row;
	bool idle = false;
	int n, err = 0;

	while (err == 0) {
		n = pdns_feed_read(feeding->reader, idle ? WAIT_MS : 0, &row);
		idle = n == 0;
		if (n == -ENOENT) {
			refusal_count(feeding, SERVE_FEED_TOO_LATE);
			end_tell(feeding, 410, "what comes next is kept no more", row.number);
			return FACE_GONE;
		}
		err = n > 0 ? row_take(feeding, &row) : n;
		if (err == 0)
			err = reader_tend(feeding, idle);
	}
	return err;
}

static void feed(struct feeding *feeding)
{
	struct face *face = &feeding->face;
	int err = pdns_feed_reader_open(face->pdns, feeding->next, &feeding->reader);

	if (err) {
		http_fail(face->request, 500, "the feed cannot be read: %s", strerror(-err));
		return;
	}
	http_begin(face->request, 200, feeding->events ? EVENTS : NDJSON);
	feeding->told_ms = feeding->flushed_ms = feeding->checked_ms = now_ms();
	// Whoever asks for what comes from now on knows from where on at once.
	cursor_tell(feeding);
	fflush(face->out);
	err = rows_tell(feeding);
	if (err < 0)
		http_fail(face->request, 500, "the feed cannot be read: %s", strerror(-err));
	pdns_feed_reader_close(feeding->reader);
}

void face_feed(struct http_request *request, void *ctx)
{
	struct serve *serve = ctx;
	struct feeding feeding = {
		.serve = serve, .events = strstr(http_accept(request), EVENTS) != NULL};

	if (face_open(&feeding.face, request, serve)) {
		if (!pdns_has_feed(serve->pdns))
			http_fail(request, 404, "no feed is kept here: [pdns] feed_size is 0");
		else if (atomic_fetch_add(&serve->feeding, 1) >= FACE_FEEDS_MAX) {
			atomic_fetch_sub(&serve->feeding, 1);
			refusal_count(&feeding, SERVE_FEED_TOO_MANY);
			http_fail(request, 503,
				"%d readers follow the feed: expected this one later",
				FACE_FEEDS_MAX);
		} else {
			if (conditions_take(&feeding) && from_take(&feeding))
				feed(&feeding);
			atomic_fetch_sub(&serve->feeding, 1);
		}
	}
	face_close(&feeding.face);
}
