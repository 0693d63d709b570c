/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The face of DNSDB's API, version 2: lookup, summarize, rate_limit and ping. Answers are in its streaming
 * format: lines of JSON with "cond" or "obj", of which the last says whether that was all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "face.h"

#define SAF           "application/x-ndjson"
#define LIMIT_DEFAULT 10000

/** What a path and its parameters say of the form of rows. */
struct form {
	bool rrsets; /**< RDATA is an array, and there is a bailiwick */
	bool human;  /**< times as RFC 3339 has them */
};

/* ---- the path -------------------------------------------------------------------------------- */

/** What may stand in a path: "rrset/name/VALUE/TYPE/BAILIWICK". */
static const struct {
	const char *what, *kind;
	int option;        // of pdns_ask_take, for the value
	unsigned segments; // at most
} paths[] = {
	{"rrset", "name", 'n', 5},
	{"rrset", "raw", 'R', 5},
	{"rdata", "name", 'N', 4},
	{"rdata", "ip", 'i', 3},
	{"rdata", "raw", 'r', 4},
};

#define N_PATHS (sizeof(paths) / sizeof(paths[0]))

// "192.0.2.0,24" is what DNSDB has for "192.0.2.0/24", which would be two segments.
static void comma_to_slash(char *text)
{
	char *comma = strchr(text, ',');

	if (comma)
		*comma = '/';
}

static bool path_take(struct face *face, struct face_path *path, struct form *form)
{
	size_t i = 0;

	while (i < N_PATHS && (path->n < 3 || strcmp(paths[i].what, path->at[0]) != 0 ||
				      strcmp(paths[i].kind, path->at[1]) != 0))
		i++;
	if (i == N_PATHS || path->n > paths[i].segments) {
		http_fail(face->request, 400,
			"path: expected rrset/name/NAME/TYPE/BAILIWICK, "
			"rrset/raw/HEX/TYPE/BAILIWICK, "
			"rdata/name/NAME/TYPE, rdata/ip/ADDRESS,LENGTH or rdata/raw/HEX/TYPE");
		return false;
	}
	form->rrsets = *path->at[0] == 'r' && path->at[0][1] == 'r';
	if (paths[i].option == 'i')
		comma_to_slash(path->at[2]);
	return face_take(face, paths[i].option, path->at[2]) &&
	       (path->n < 4 || face_take(face, 't', path->at[3])) &&
	       (path->n < 5 || face_take(face, 'b', path->at[4]));
}

static const struct face_param params[] = {
	{"time_first_after", '1'},
	{"time_first_before", '2'},
	{"time_last_after", '3'},
	{"time_last_before", '4'},
	{"limit", 'l'},
	{"offset", 'o'},
	{"max_count", 'm'},
	{NULL, 0},
};

// Returns false: the request was answered.
static bool question_take(struct face *face, struct form *form)
{
	struct pdns_question *q = &face->args->question;
	struct face_path path;
	bool grouped = true, good;

	q->limit = LIMIT_DEFAULT;
	good = face_path_take(face->request, &path) && path_take(face, &path, form) &&
	       face_params_take(face, params) && face_flag_take(face, "aggr", &grouped) &&
	       face_flag_take(face, "humantime", &form->human);
	free(path.room);
	if (!good)
		return false;
	q->grouped = form->rrsets && grouped;
	face_limit(face);
	if (q->offset <= FACE_OFFSET_MAX)
		return true;
	http_fail(face->request, 416, "offset: expected at most %d", FACE_OFFSET_MAX);
	return false;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static json_t *time_json(int64_t time_s, bool human)
{
	time_t at = (time_t)time_s;
	char text[32];
	struct tm tm;

	if (!human)
		return json_integer(time_s);
	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

// What DNSDB has otherwise than the Common Output Format.
static int object_adapt(json_t *object, const struct pdns_row *row, const struct form *form)
{
	char number[16];
	int bad = 0;

	if (!pdns_type_name(row->type)) {
		snprintf(number, sizeof(number), "TYPE%u", row->type);
		bad |= json_object_set_new(object, "rrtype", json_string(number));
	}
	if (form->human) {
		bad |= json_object_set_new(object, "time_first", time_json(row->first_s, true));
		bad |= json_object_set_new(object, "time_last", time_json(row->last_s, true));
	}
	if (!form->rrsets) {
		json_t *rdata = json_array_get(json_object_get(object, "rdata"), 0);

		bad |= json_object_del(object, "bailiwick");
		bad |= json_object_set(object, "rdata", rdata);
	}
	return bad ? -ENOMEM : 0;
}

static void object_write(FILE *out, const json_t *object)
{
	fputs("{\"obj\":", out);
	json_dumpf(object, out, JSON_COMPACT);
	fputs("}\n", out);
}

static int row_write(struct face *face, const struct pdns_row *row)
{
	json_t *object = pdns_cof_make(row, NULL, true);
	int err = object ? object_adapt(object, row, face->how) : -ENOMEM;

	if (err == 0)
		object_write(face->out, object);
	json_decref(object);
	return err;
}

static void ongoing_write(struct face *face)
{
	fputs("{\"cond\":\"ongoing\"}\n", face->out);
}

static void end_write(struct face *face, int err, bool limited)
{
	if (err == FACE_GONE)
		return;
	// Only what a path has in octets can be a question that is none, and that is seen at once.
	if (err == -EINVAL)
		http_fail(face->request, 400, "path: expected octets of a name, or of RDATA");
	else if (err < 0)
		fprintf(face->out,
			"{\"cond\":\"failed\",\"msg\":\"the dataset cannot be read: %s\"}\n",
			strerror(-err));
	else if (limited)
		fputs("{\"cond\":\"limited\",\"msg\":\"Result limit reached\"}\n", face->out);
	else
		fputs("{\"cond\":\"succeeded\"}\n", face->out);
}

void face_dnsdb_lookup(struct http_request *request, void *ctx)
{
	struct form form = {0};
	struct face face;
	int err;

	if (face_open(&face, request, ctx) && question_take(&face, &form)) {
		face.row = row_write;
		face.quiet = ongoing_write;
		face.how = &form;
		http_begin(request, 200, SAF);
		fputs("{\"cond\":\"begin\"}\n", face.out);
		err = face_query(&face);
		end_write(&face, err, face.result.limited);
	}
	face_close(&face);
}

static int summary_write(
	const struct face *face, const struct pdns_summary *s, const struct form *form)
{
	json_t *object = json_object();
	uint64_t count = s->count > INT64_MAX ? INT64_MAX : s->count;
	int bad = json_object_set_new(object, "count", json_integer((json_int_t)count)) |
		  json_object_set_new(object, "num_results", json_integer((json_int_t)s->rows));

	if (s->rows > 0) {
		bad |= json_object_set_new(
			object, "time_first", time_json(s->first_s, form->human));
		bad |= json_object_set_new(object, "time_last", time_json(s->last_s, form->human));
	}
	if (!bad)
		object_write(face->out, object);
	json_decref(object);
	return bad ? -ENOMEM : 0;
}

void face_dnsdb_summarize(struct http_request *request, void *ctx)
{
	struct pdns_summary summary;
	struct form form = {0};
	struct face face;
	int err;

	if (face_open(&face, request, ctx) && question_take(&face, &form)) {
		face.quiet = ongoing_write;
		http_begin(request, 200, SAF);
		fputs("{\"cond\":\"begin\"}\n", face.out);
		err = face_summarise(&face, &summary);
		if (err == 0)
			err = summary_write(&face, &summary, &form);
		end_write(&face, err, summary.limited);
	}
	face_close(&face);
}

/* ---- about the API --------------------------------------------------------------------------- */

// A number, or what DNSDB says where there is none.
static void member_write(
	FILE *out, const char *name, bool there, int64_t value, const char *otherwise)
{
	if (there)
		fprintf(out, "\"%s\":%" PRId64 ",", name, value);
	else
		fprintf(out, "\"%s\":\"%s\",", name, otherwise);
}

void face_dnsdb_rate_limit(struct http_request *request, void *ctx)
{
	struct http_quota quota;
	FILE *out = http_out(request);

	http_quota_get(request, &quota);
	fputs("{\"rate\":{", out);
	member_write(out, "limit", quota.limit, (int64_t)quota.limit, "unlimited");
	member_write(out, "remaining", quota.limit, (int64_t)quota.remaining, "n/a");
	member_write(out, "reset", quota.limit, quota.reset_s, "n/a");
	member_write(out, "expires", quota.expires_s, quota.expires_s, "n/a");
	fprintf(out,
		"\"results_max\":%d,\"offset_max\":%d,\"burst_size\":%u,\"burst_window\":1}}\n",
		FACE_ROWS_MAX, FACE_OFFSET_MAX, quota.rate);
}

void face_dnsdb_ping(struct http_request *request, void *ctx)
{
	fputs("{\"ping\":\"ok\"}\n", http_out(request));
}

void face_dnsdb_flex(struct http_request *request, void *ctx)
{
	http_fail(request, 501,
		"regular expressions and globs over the whole dataset are not supported: expected "
		"lookup or summarize with a wildcard at either end");
}
