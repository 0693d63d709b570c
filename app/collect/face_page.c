/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faces with pages that begin at a cursor: our own, and CIRCL's. Rows are objects of the Common Output Format,
 * one a line.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "face.h"

#define NDJSON        "application/x-ndjson"
#define LIMIT_DEFAULT 10000
#define CURSOR_MAX    1024       // octets: in hexadecimal it has to fit a request's line
#define PAGE_MAX      1000       // rows of a page whose cursor is in a header
#define PAGE_SIZE_MAX (16 << 20) // octets that such a page may have: all of it waits in memory

/* ---- pages ----------------------------------------------------------------------------------- */

/** A page under way. */
struct page {
	uint64_t limit, rows;
	bool more;
	uint8_t cursor[CURSOR_MAX]; // of the last row, if it is not too large
	size_t cursor_size;
	unsigned how; // of enum page_how
};

enum page_how {
	PAGE_MEMORY = 1,  // all of it waits there
	PAGE_CLASSES = 2, // rows say which classes of sensors know them
};

static int classes_add(json_t *object, unsigned classes)
{
	json_t *array = json_array();
	int err = 0;

	for (unsigned class = 0; class < PDNS_CLASSES; class ++)
		if (classes & PDNS_CLASS_BIT(class))
			err |= json_array_append_new(array, json_string(pdns_class_name(class)));
	return err | json_object_set_new(object, "classes", array);
}

// A page ends behind a row whose cursor fits a request: rare ones with long RDATA are given beyond the limit.
static int row_write(struct face *face, const struct pdns_row *row)
{
	struct page *page = face->how;
	json_t *object;

	if ((page->how & PAGE_MEMORY) && ftell(face->out) > PAGE_SIZE_MAX)
		return -EFBIG;
	if (page->rows >= page->limit && page->cursor_size > 0) {
		page->more = true;
		return FACE_ENOUGH;
	}
	object = pdns_cof_make(row, NULL, false);
	if (!object || ((page->how & PAGE_CLASSES) && classes_add(object, row->classes) < 0)) {
		json_decref(object);
		return -ENOMEM;
	}
	json_dumpf(object, face->out, JSON_COMPACT);
	json_decref(object);
	putc('\n', face->out);
	page->rows++;
	page->cursor_size = row->cursor_size <= CURSOR_MAX ? row->cursor_size : 0;
	memcpy(page->cursor, row->cursor, page->cursor_size);
	return 0;
}

static void cursor_format(const struct page *page, char text[2 * CURSOR_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < page->cursor_size; i++) {
		text[2 * i] = digits[page->cursor[i] >> 4];
		text[2 * i + 1] = digits[page->cursor[i] & 15];
	}
	text[2 * page->cursor_size] = '\0';
}

// @return 0, FACE_GONE or -errno
static int page_ask(struct face *face, struct page *page, unsigned how)
{
	struct pdns_question *q = &face->args->question;
	int err;

	*page = (struct page){.how = how,
		.limit = q->limit == 0 || q->limit > FACE_ROWS_MAX ? FACE_ROWS_MAX : q->limit};
	q->limit = 0;
	face->row = row_write;
	face->how = page;
	err = face_query(face);
	return err == FACE_ENOUGH ? 0 : err;
}

/* ---- our own --------------------------------------------------------------------------------- */

static const struct face_param params[] = {
	{"name", 'n'},
	{"rdata-name", 'N'},
	{"ip", 'i'},
	{"raw", 'r'},
	{"type", 't'},
	{"bailiwick", 'b'},
	{"sensor", 's'},
	{"first-after", '1'},
	{"first-before", '2'},
	{"last-after", '3'},
	{"last-before", '4'},
	{"limit", 'l'},
	{"offset", 'o'},
	{"cursor", 'c'},
	{"max-count", 'm'},
	{NULL, 0},
};

static bool question_take(struct face *face)
{
	struct pdns_question *q = &face->args->question;

	q->limit = LIMIT_DEFAULT;
	if (!face_params_take(face, params) || !face_flag_take(face, "group", &q->grouped))
		return false;
	if (!face->args->asks)
		http_fail(face->request, 400, "expected name, rdata-name, ip or raw");
	else if (q->offset > FACE_OFFSET_MAX)
		http_fail(face->request, 416, "offset: expected at most %d", FACE_OFFSET_MAX);
	else
		return true;
	return false;
}

// The last line of an answer: where it goes on, if it does.
static void end_write(FILE *out, const struct page *page)
{
	char cursor[2 * CURSOR_MAX + 1];

	fprintf(out, "{\"rows\":%" PRIu64, page->rows);
	cursor_format(page, cursor);
	if (page->more)
		fprintf(out, ",\"cursor\":\"%s\"", cursor);
	fputs("}\n", out);
}

static void failed(struct face *face, int err)
{
	if (err == -EINVAL)
		http_fail(face->request, 400, "cursor: expected one of the same question");
	else if (err < 0)
		http_fail(face->request, 500, "the dataset cannot be read: %s", strerror(-err));
}

void face_pdns(struct http_request *request, void *ctx)
{
	struct page page;
	struct face face;
	int err;

	if (face_open(&face, request, ctx) && question_take(&face)) {
		http_begin(request, 200, NDJSON);
		err = page_ask(&face, &page, PAGE_CLASSES);
		if (err)
			failed(&face, err);
		else
			end_write(face.out, &page);
	}
	face_close(&face);
}

void face_pdns_summarize(struct http_request *request, void *ctx)
{
	struct pdns_summary s;
	struct face face;
	int err;

	if (face_open(&face, request, ctx) && question_take(&face)) {
		face_limit(&face);
		err = face_summarise(&face, &s);
		if (err)
			failed(&face, err);
		else if (s.rows == 0)
			fputs("{\"count\":0,\"num_results\":0}\n", face.out);
		else
			fprintf(face.out,
				"{\"count\":%" PRIu64 ",\"num_results\":%" PRIu64
				",\"time_first\":%" PRId64 ",\"time_last\":%" PRId64 "%s}\n",
				s.count, s.rows, s.first_s, s.last_s,
				s.limited ? ",\"limited\":true" : "");
	}
	face_close(&face);
}

/* ---- many at once ---------------------------------------------------------------------------- */

// A member of a question, as text. Returns NULL for what is none.
static const char *member_text(const json_t *value, char number[32])
{
	if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
		return json_string_value(value);
	if (!json_is_integer(value))
		return NULL;
	snprintf(number, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return number;
}

static int member_take(struct pdns_args *args, const char *name, const json_t *value)
{
	const struct face_param *param = params;
	char number[32];
	const char *text;

	if (strcmp(name, "id") == 0)
		return COLLECT_DONE;
	if (strcmp(name, "group") == 0 && json_is_boolean(value)) {
		args->question.grouped = json_is_true(value);
		return COLLECT_DONE;
	}
	while (param->name && strcmp(param->name, name) != 0)
		param++;
	text = param->name ? member_text(value, number) : NULL;
	if (text)
		return pdns_ask_take(param->option, text, args);
	snprintf(args->error, sizeof(args->error),
		"%.32s: expected a parameter of /v1/pdns, and its value", name);
	return COLLECT_USAGE;
}

// @return COLLECT_DONE, or what was expected is in args->error
static int line_take(struct pdns_args *args, const json_t *line)
{
	const char *name;
	json_t *value;
	int err = COLLECT_DONE;

	*args = (struct pdns_args){.question.limit = LIMIT_DEFAULT};
	if (!line || !json_is_object(line)) {
		snprintf(args->error, sizeof(args->error), "expected an object");
		return COLLECT_USAGE;
	}
	json_object_foreach((json_t *)line, name, value)
	{
		if (err == COLLECT_DONE)
			err = member_take(args, name, value);
	}
	if (err != COLLECT_DONE)
		return err;
	if (args->asks && args->question.offset <= FACE_OFFSET_MAX)
		return COLLECT_DONE;
	if (args->asks)
		snprintf(args->error, sizeof(args->error), "offset: expected at most %d",
			FACE_OFFSET_MAX);
	else
		snprintf(args->error, sizeof(args->error), "expected name, rdata-name, ip or raw");
	return COLLECT_USAGE;
}

// What comes behind the rows of a question: its id, so that those who ask know whose they were.
static void answer_end(
	struct face *face, const json_t *id, const struct page *page, const char *wrong)
{
	char cursor[2 * CURSOR_MAX + 1];

	fputs("{\"id\":", face->out);
	if (id)
		json_dumpf(id, face->out, JSON_COMPACT | JSON_ENCODE_ANY);
	else
		fputs("null", face->out);
	if (wrong) {
		fputs(",\"error\":", face->out);
		http_json_text(face->out, wrong + (strncmp(wrong, "--", 2) == 0 ? 2 : 0));
	} else {
		fprintf(face->out, ",\"rows\":%" PRIu64, page->rows);
		cursor_format(page, cursor);
		if (page->more)
			fprintf(face->out, ",\"cursor\":\"%s\"", cursor);
	}
	fputs("}\n", face->out);
}

// @return 0, FACE_GONE or -errno
static int line_answer(struct face *face, const char *text, bool first)
{
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct page page = {0};
	int err = 0;

	// The first is the request, which has counted.
	if (line_take(face->args, line) == COLLECT_DONE && !first &&
		!http_quota_take(face->request))
		snprintf(face->args->error, sizeof(face->args->error),
			"the quota of this day is used up");
	if (!face->args->error[0]) {
		err = page_ask(face, &page, PAGE_CLASSES);
		if (err == -EINVAL) {
			snprintf(face->args->error, sizeof(face->args->error),
				"cursor: expected one of the same question");
			err = 0;
		}
	}
	if (err == 0)
		answer_end(face, json_object_get(line, "id"), &page,
			face->args->error[0] ? face->args->error : NULL);
	json_decref(line);
	return err;
}

void face_pdns_bulk(struct http_request *request, void *ctx)
{
	struct face face;
	size_t size;
	char *rest = http_body(request, &size), *line;
	uint64_t n = 0;
	int err = 0;

	if (!face_open(&face, request, ctx))
		return;
	if (memchr(rest, '\0', size)) {
		http_fail(request, 400, "body: expected lines of JSON, without NUL");
	} else {
		http_begin(request, 200, NDJSON);
		while (err == 0 && (line = strsep(&rest, "\n")))
			if (line[strspn(line, " \t\r")])
				err = line_answer(&face, line, n++ == 0);
		failed(&face, err);
	}
	face_close(&face);
}

/* ---- CIRCL's --------------------------------------------------------------------------------- */

// A page in memory: its cursor goes out before it.
static void circl_page(struct face *face)
{
	char cursor[2 * CURSOR_MAX + 1];
	struct page page;
	char *text = NULL;
	size_t size = 0;
	FILE *out = face->out, *memory = open_memstream(&text, &size);
	int err;

	face->out = memory;
	err = memory ? page_ask(face, &page, PAGE_MEMORY) : -ENOMEM;
	if (memory && fclose(memory) != 0 && err == 0)
		err = -ENOMEM;
	face->out = out;
	if (err == 0 && page.more) {
		cursor_format(&page, cursor);
		http_header_add(face->request, "x-dribble-cursor", cursor);
	}
	if (err)
		failed(face, err);
	else
		fwrite(text, 1, size, out);
	free(text);
}

static bool is_address(const char *text)
{
	struct addr addr;

	return addr_parse(text, &addr) == 0;
}

void face_circl(struct http_request *request, void *ctx)
{
	char count[24] = "", type[24], cursor[2 * CURSOR_MAX + 1];
	struct face_path path = {0};
	struct page page;
	struct face face;
	int err;

	if (!face_open(&face, request, ctx) || !face_path_take(request, &path))
		goto out;
	if (path.n != 1) {
		http_fail(request, 400, "path: expected a name or an address");
		goto out;
	}
	if (!face_take(&face, is_address(path.at[0]) ? 'i' : 'n', path.at[0]) ||
		(http_header(request, "dribble-filter-rrtype", type, sizeof(type)) &&
			!face_take(&face, 't', type)) ||
		(http_header(request, "dribble-paginate-count", count, sizeof(count)) &&
			!face_take(&face, 'l', count)) ||
		(http_header(request, "dribble-paginate-cursor", cursor, sizeof(cursor)) &&
			!face_take(&face, 'c', cursor)))
		goto out;
	http_begin(request, 200, NDJSON);
	if (count[0]) {
		if (face.args->question.limit == 0 || face.args->question.limit > PAGE_MAX)
			face.args->question.limit = PAGE_MAX;
		circl_page(&face);
		goto out;
	}
	err = page_ask(&face, &page, 0);
	if (err)
		failed(&face, err);
out:
	free(path.room);
	face_close(&face);
}
