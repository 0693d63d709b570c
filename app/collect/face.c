/* SPDX-License-Identifier: BSD-3-Clause */
#include "face.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FLUSH_MS 50   // what was found goes to the reader so often at least
#define QUIET_MS 2000 // and so often it is told that the search goes on

/* ---- what is asked --------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool face_open(struct face *face, struct http_request *request, struct serve *serve)
{
	*face = (struct face){.request = request, .pdns = serve->pdns, .out = http_out(request)};
	if (!face->pdns) {
		http_fail(request, 404, "no passive DNS is kept here: [pdns] store is not set");
		return false;
	}
	face->args = calloc(1, sizeof(*face->args));
	if (!face->args)
		http_fail(request, 500, "out of memory");
	face->flushed_ms = face->said_ms = now_ms();
	return face->args != NULL;
}

void face_close(struct face *face)
{
	free(face->args);
}

bool face_take(struct face *face, int option, const char *value)
{
	const char *wrong = face->args->error;

	if (pdns_ask_take(option, value, face->args) == COLLECT_DONE)
		return true;
	http_fail(face->request, 400, "%s", wrong + (strncmp(wrong, "--", 2) == 0 ? 2 : 0));
	return false;
}

bool face_params_take(struct face *face, const struct face_param *params)
{
	for (; params->name; params++) {
		const char *value = http_param(face->request, params->name);

		if (value && !face_take(face, params->option, value))
			return false;
	}
	return true;
}

bool face_flag_take(struct face *face, const char *name, bool *flag)
{
	const char *value = http_param(face->request, name);

	if (!value)
		return true;
	if (!*value || !strchr("tTyY1fFnN0", *value)) {
		http_fail(face->request, 400, "%s: expected t or f", name);
		return false;
	}
	*flag = strchr("tTyY1", *value) != NULL;
	return true;
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9'                     ? c - '0'
	       : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
							: -1;
}

// RFC 3986 s2.1, in place. Returns whether it is well formed, without NUL.
static bool segment_decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++, to++) {
		*to = *from;
		if (*from != '%')
			continue;
		if (digit_of(from[1]) < 0 || digit_of(from[2]) < 0)
			return false;
		*to = (char)(digit_of(from[1]) << 4 | digit_of(from[2]));
		if (!*to)
			return false;
		from += 2;
	}
	*to = '\0';
	return true;
}

bool face_path_take(struct http_request *request, struct face_path *path)
{
	char *rest, *segment;

	*path = (struct face_path){.room = strdup(http_rest(request))};
	if (!path->room) {
		http_fail(request, 500, "out of memory");
		return false;
	}
	rest = path->room;
	while ((segment = strsep(&rest, "/"))) {
		if (!*segment && !rest)
			break;
		if (path->n == FACE_SEGMENT_MAX || !segment_decode(segment)) {
			http_fail(request, 400,
				"path: expected two hexadecimal digits behind each \"%%\", and at "
				"most %d segments",
				FACE_SEGMENT_MAX);
			return false;
		}
		path->at[path->n++] = segment;
	}
	return true;
}

void face_limit(struct face *face)
{
	struct pdns_question *q = &face->args->question;

	if (q->limit == 0 || q->limit > FACE_ROWS_MAX)
		q->limit = FACE_ROWS_MAX;
}

/* ---- what is answered ------------------------------------------------------------------------ */

int face_tend(struct face *face)
{
	int64_t now = now_ms();

	if (now - face->flushed_ms < FLUSH_MS)
		return 0;
	if (face->quiet && now - face->said_ms >= QUIET_MS) {
		face->quiet(face);
		face->said_ms = now;
	}
	fflush(face->out);
	face->flushed_ms = now;
	return http_is_gone(face->request) ? FACE_GONE : 0;
}

static int row_visit(void *ctx, const struct pdns_row *row)
{
	struct face *face = ctx;
	int err = face->row(face, row);

	if (err)
		return err;
	face->said_ms = now_ms();
	return ferror(face->out) ? FACE_GONE : face_tend(face);
}

static int progress_tell(void *ctx, const struct pdns_result *result)
{
	return face_tend(ctx);
}

int face_query(struct face *face)
{
	const struct pdns_visitor visitor = {face, row_visit, progress_tell};

	return pdns_query(face->pdns, &face->args->question, &visitor, &face->result);
}

int face_summarise(struct face *face, struct pdns_summary *summary)
{
	const struct pdns_visitor visitor = {face, NULL, progress_tell};

	return pdns_summarise(
		face->pdns, &face->args->question, face->args->max_count, &visitor, summary);
}
