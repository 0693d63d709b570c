/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of the API share. Its routes are a table in api.c: one more is a row there, and a handler.
 *
 * Threads: handlers run in a thread each (lib/http).
 */
#include "ctl/ctl.h"
#include "http/http.h"
#include "serve.h"

/** All routes, ending with a NULL path. */
extern const struct http_route api_routes[];

/** Begin to serve. @return enum collect_exit, logged */
int api_open(struct serve *serve);

/** End it; before the listener of dnstap and the store. */
void api_close(struct serve *serve);

/**
 * Take the parameters of a request as the options of the commands are taken.
 *
 * @param args [out] borrows from the request, and may not be moved
 * @return whether they are good; else the request was answered
 */
bool api_args_take(struct http_request *request, struct collect_args *args);

/** Write a line to the audit log: who read what, with which parameters, and what came of it. */
void api_audit_read(struct http_request *request, struct serve *serve, unsigned status, uint64_t rows);

/* ---- api_metrics.c ---- */

/** GET /metrics */
void api_metrics(struct http_request *request, void *ctx);

/* ---- api_boxes.c ---- */

struct metrics;

/**
 * Ask all boxes at once, within one bound of time.
 *
 * @param commands of the control protocol, asked one after the other
 * @param replies  [out] n for each box, behind each other, free by json_decref; NULL where there was none
 */
void api_boxes_ask(const struct endpoints *at, const char *const *commands, unsigned n, json_t **replies);

/** Ask all boxes for their counters, and write them. */
void api_boxes_write(struct metrics *metrics, const struct endpoints *boxes);

/* ---- api_show.c ---- */

/** GET /v1/boxes: boxes with their lists, ports and counters. */
void api_boxes_get(struct http_request *request, void *ctx);

/** GET /v1/explain: whether a name is listed, by what, box by box. */
void api_explain_get(struct http_request *request, void *ctx);

/* ---- metrics.c ---- */

/** Text of the OpenMetrics or the Prometheus format. */
struct metrics {
	FILE *out;
	bool open; /**< OpenMetrics 1.0 */
};

/** Begin a family. @param name with "_total": a counter, else a gauge  @param help a sentence */
void metrics_family(struct metrics *metrics, const char *name, const char *help);

/** A sample of the family: its name, pairs of a label's name and value up to a NULL, and the value. */
void metrics_sample(struct metrics *metrics, const char *name, const char *const *labels, uint64_t value);

/** A family of one sample without labels. */
void metrics_value(struct metrics *metrics, const char *name, const char *help, uint64_t value);

/** The end of the text. */
void metrics_end(struct metrics *metrics);
