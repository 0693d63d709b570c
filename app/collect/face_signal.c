/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals, as the commands print them. The last line of an answer says that it is whole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "face.h"

#define NDJSON        "application/x-ndjson"
#define CSV           "text/csv; charset=utf-8; header=present"
#define LIMIT_DEFAULT 10000
#define NEW_MAX       100000 // rows of what is new: they wait in memory until all was read
#define PASSES_MAX    2      // questions that read the whole dataset, at once

static const struct face_param params[] = {
	{"first-after", '1'},
	{"last-after", '3'},
	{"limit", 'l'},
	{NULL, 0},
};

/** A question for a signal under way. */
struct asking {
	struct face face;
	pdns_signal_write *write;
	char *name; // the one operand
};

/* ---- what is asked --------------------------------------------------------------------------- */

static bool format_take(struct face *face)
{
	const char *format = http_param(face->request, "format");

	face->args->csv = format && strcmp(format, "csv") == 0;
	if (!format || face->args->csv || strcmp(format, "ndjson") == 0)
		return true;
	http_fail(face->request, 400, "format: expected ndjson or csv, got \"%.200s\"", format);
	return false;
}

static bool name_take(struct asking *asking)
{
	const char *name = http_param(asking->face.request, "name");
	struct pdns_args *args = asking->face.args;
	uint8_t wire[DNS_NAME_SIZE_MAX];

	if (!name)
		return true;
	if (pdns_operand_read(name, wire, args->error) < 0) {
		http_fail(asking->face.request, 400, "name: %s", args->error);
		return false;
	}
	asking->name = (char *)name;
	args->words = &asking->name;
	args->n = 1;
	return true;
}

// Between commas and blanks.
static bool words_take(struct face *face)
{
	const char *words = http_param(face->request, "words");
	char *copy = words ? strdup(words) : NULL, *rest = copy, *word;
	int err = words && !copy ? -ENOMEM : 0;

	while (err == 0 && (word = strsep(&rest, ", "))) {
		err = *word ? pdns_word_add(&face->args->dictionary, word) : 0;
		if (err == -EINVAL)
			http_fail(face->request, 400,
				"words: expected words of up to 63 letters, got \"%.200s\"", word);
	}
	free(copy);
	if (err == -ENOMEM)
		http_fail(face->request, 500, "out of memory");
	return err == 0;
}

// @return false: the request was answered; asking_close is to be called anyway
static bool asking_open(
	struct asking *asking, struct http_request *request, void *ctx, pdns_signal_write *write)
{
	struct face *face = &asking->face;
	struct serve *serve = ctx;

	*asking = (struct asking){.write = write};
	if (!face_open(face, request, serve))
		return false;
	face->args->question.limit = LIMIT_DEFAULT;
	face->args->networks = serve->networks;
	if (!face_params_take(face, params) || !format_take(face) || !name_take(asking) ||
		!words_take(face))
		return false;
	face_limit(face);
	return true;
}

static void asking_close(struct asking *asking)
{
	if (asking->face.args)
		pdns_words_free(&asking->face.args->dictionary);
	face_close(&asking->face);
}

/* ---- what is answered ------------------------------------------------------------------------ */

static int tend(void *ctx)
{
	return face_tend(ctx);
}

static void asking_answer(struct asking *asking)
{
	struct face *face = &asking->face;
	struct pdns_sink sink = {.out = face->out, .progress = tend, .ctx = face};
	int err;

	http_begin(face->request, 200, face->args->csv ? CSV : NDJSON);
	err = asking->write(face->args, face->pdns, &sink);
	if (err < 0)
		http_fail(face->request, 500, "the dataset cannot be read: %s", strerror(-err));
	else if (!face->args->csv)
		fprintf(face->out, "{\"rows\":%" PRIu64 "%s}\n", sink.rows,
			sink.more ? ",\"limited\":true" : "");
}

// What reads the whole dataset takes a processor and the disk for a while.
static void pass_answer(struct asking *asking, struct serve *serve)
{
	if (atomic_fetch_add(&serve->passes, 1) < PASSES_MAX)
		asking_answer(asking);
	else
		http_fail(asking->face.request, 503,
			"%d questions that read the whole dataset are being answered: expected "
			"this one later",
			PASSES_MAX);
	atomic_fetch_sub(&serve->passes, 1);
}

void face_similar(struct http_request *request, void *ctx)
{
	struct asking asking;

	if (asking_open(&asking, request, ctx, pdns_similar_write))
		asking_answer(&asking);
	asking_close(&asking);
}

void face_new(struct http_request *request, void *ctx)
{
	struct asking asking;

	if (asking_open(&asking, request, ctx, pdns_new_write)) {
		struct pdns_question *q = &asking.face.args->question;

		q->limit = q->limit < NEW_MAX ? q->limit : NEW_MAX;
		pass_answer(&asking, ctx);
	}
	asking_close(&asking);
}

void face_flux(struct http_request *request, void *ctx)
{
	struct asking asking;

	if (asking_open(&asking, request, ctx, pdns_flux_write)) {
		if (asking.name)
			asking_answer(&asking);
		else
			pass_answer(&asking, ctx);
	}
	asking_close(&asking);
}

void face_shared(struct http_request *request, void *ctx)
{
	struct asking asking;

	if (asking_open(&asking, request, ctx, pdns_shared_write))
		asking_answer(&asking);
	asking_close(&asking);
}

/* ---- many names ------------------------------------------------------------------------------ */

static unsigned lines_count(const char *body)
{
	unsigned n = 1;

	for (const char *c = body; (c = strchr(c, '\n')); c++)
		n++;
	return n;
}

// A name a line; what is behind a '#' is none. Returns false: the request was answered.
static bool names_read(struct face *face, char *body)
{
	struct pdns_args *args = face->args;
	uint8_t wire[DNS_NAME_SIZE_MAX];
	char *line;

	for (unsigned number = 1; (line = strsep(&body, "\n")); number++) {
		line += strspn(line, " \t\r");
		line[strcspn(line, " \t\r#")] = '\0';
		if (!*line)
			continue;
		if (pdns_operand_read(line, wire, args->error) < 0) {
			http_fail(face->request, 400, "line %u: %s", number, args->error);
			return false;
		}
		args->words[args->n++] = line;
	}
	return true;
}

// Each name is a question; the first is the request, which has counted.
static bool quota_take(struct face *face)
{
	uint64_t more = face->args->n > 0 ? (uint64_t)face->args->n - 1 : 0;
	struct http_quota quota;

	http_quota_get(face->request, &quota);
	if (quota.limit && quota.remaining < more) {
		http_header_add(face->request, "Retry-After", "3600");
		http_fail(face->request, 429,
			"the quota of this day has %" PRIu64 " questions left, and %d names are "
			"asked for",
			quota.remaining + 1, face->args->n);
		return false;
	}
	while (more > 0 && http_quota_take(face->request))
		more--;
	return true;
}

void face_shared_bulk(struct http_request *request, void *ctx)
{
	struct asking asking;
	struct pdns_args *args;
	char *body;
	size_t size;

	if (!asking_open(&asking, request, ctx, pdns_shared_write)) {
		asking_close(&asking);
		return;
	}
	args = asking.face.args;
	body = http_body(request, &size);
	args->words = calloc(lines_count(body), sizeof(*args->words));
	if (memchr(body, '\0', size))
		http_fail(request, 400, "body: expected a name a line, without NUL");
	else if (!args->words)
		http_fail(request, 500, "out of memory");
	else if (names_read(&asking.face, body) && quota_take(&asking.face))
		asking_answer(&asking);
	free(args->words);
	asking_close(&asking);
}
