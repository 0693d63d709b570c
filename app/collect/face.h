/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Faces of the passive DNS: how those who ask are used to ask, and what they are used to get. All of them
 * make a struct pdns_question by the code that takes the options of the commands, and get rows.
 *
 * Threads: handlers run in a thread each (lib/http).
 */
#include "api.h"
#include "pdns_app.h"

#define FACE_ROWS_MAX    1000000 /**< of an answer */
#define FACE_OFFSET_MAX  1000000 /**< rows that may be left out in front: they have to be read */
#define FACE_SEGMENT_MAX 8       /**< of a path */

/** A question under way. */
struct face {
	struct http_request *request;
	struct pdns *pdns;
	struct pdns_args *args;
	FILE *out;
	/** Write a row. @return 0, FACE_ENOUGH or -errno */
	int (*row)(struct face *face, const struct pdns_row *row);
	/** Nothing was found for a while; NULL: then nothing is said. */
	void (*quiet)(struct face *face);
	void *how;                   /**< of the face */
	int64_t flushed_ms, said_ms; /**< when the reader was sent what there is; when there was something */
	struct pdns_result result;
};

/**
 * Begin.
 *
 * @param face [out] free it with face_close, whatever this says
 * @return false: the request was answered
 */
bool face_open(struct face *face, struct http_request *request, struct serve *serve);

void face_close(struct face *face);

/** Take a value as pdns_ask_take does. @return false: the request was answered by 400 */
bool face_take(struct face *face, int option, const char *value);

/** Names of parameters, and the option of pdns_ask_take that each stands for. Ends with NULL. */
struct face_param {
	const char *name;
	int option;
};

/** Take those of the parameters that were given. @return false: the request was answered by 400 */
bool face_params_take(struct face *face, const struct face_param *params);

/** Take a parameter that says yes ("t", "yes", "1", ...) or no. @return false: the request was answered by 400 */
bool face_flag_take(struct face *face, const char *name, bool *flag);

/** Segments of what is behind a route's path, decoded. */
struct face_path {
	char *room;
	char *at[FACE_SEGMENT_MAX];
	unsigned n;
};

/**
 * Take a path apart. One '/' at its end means nothing.
 *
 * @param path [out] free its room
 * @return false: the request was answered
 */
bool face_path_take(struct http_request *request, struct face_path *path);

/** Bound the limit: 0, or more than FACE_ROWS_MAX, is FACE_ROWS_MAX. */
void face_limit(struct face *face);

/**
 * Ask, and hand rows to face->row.
 *
 * @return 0, FACE_GONE when the reader is, what face->row stopped with, or -errno
 */
int face_query(struct face *face);

/** The same for a sum. */
int face_summarise(struct face *face, struct pdns_summary *summary);

/** Send the reader what there is, if it is time to. @return 0, or FACE_GONE */
int face_tend(struct face *face);

#define FACE_GONE   1
#define FACE_ENOUGH 2 /**< face->row has had enough */

/* ---- face_dnsdb.c ---- */

#define FACE_DNSDB_FENCES "time_first_after time_first_before time_last_after time_last_before"
#define FACE_DNSDB_CLIENT "swclient version id"
#define FACE_DNSDB_PARAMS "limit " FACE_DNSDB_FENCES " aggr humantime " FACE_DNSDB_CLIENT
#define FACE_DNSDB_FLEX   "offset max_count exclude verbose " FACE_DNSDB_PARAMS

void face_dnsdb_lookup(struct http_request *request, void *ctx);
void face_dnsdb_summarize(struct http_request *request, void *ctx);
void face_dnsdb_rate_limit(struct http_request *request, void *ctx);
void face_dnsdb_ping(struct http_request *request, void *ctx);
void face_dnsdb_flex(struct http_request *request, void *ctx);

/* ---- face_page.c ---- */

#define FACE_PDNS_CONDITIONS "name rdata-name ip raw type bailiwick sensor first-after first-before last-after last-before group"

void face_pdns(struct http_request *request, void *ctx);
void face_pdns_summarize(struct http_request *request, void *ctx);
void face_pdns_bulk(struct http_request *request, void *ctx);
void face_circl(struct http_request *request, void *ctx);

/* ---- face_signal.c ---- */

void face_flux(struct http_request *request, void *ctx);
void face_new(struct http_request *request, void *ctx);
void face_shared(struct http_request *request, void *ctx);
void face_shared_bulk(struct http_request *request, void *ctx);
void face_similar(struct http_request *request, void *ctx);

/* ---- face_feed.c ---- */

#define FACE_FEEDS_MAX 16 /**< at once */

void face_feed(struct http_request *request, void *ctx);

/* ---- face_dump.c ---- */

void face_dumps(struct http_request *request, void *ctx);

/* ---- face_deteque.c ---- */

void face_deteque(struct http_request *request, void *ctx);
