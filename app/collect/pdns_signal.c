/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is new in the dataset, and who shares servers or networks with whom.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "dns/dns_name.h"
#include "pdns_app.h"
#include "signal/signal.h"

#define SINCE_S    86400 // what counts as new unless said otherwise
#define LATEST_MAX 10000 // of what is new
#define STOPPED    1     // a visit has had enough

static int exit_of(int err)
{
	if (err == 0 || err == STOPPED)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "dataset: %s", strerror(-err));
	return COLLECT_FAILED;
}

/* ---- what is new ----------------------------------------------------------------------------- */

/** Something new that is kept until all was looked at. */
struct item {
	int64_t time_s;
	char *name, *rdata; // NULL: not of rdata
	enum signal_news news;
	uint16_t type;
};

/** The latest of all, as a heap with the earliest of them first. */
struct latest {
	struct item *items;
	uint64_t n, room, max, all;
	char *text; // PDNS_TEXT_SIZE octets
};

static void item_free(struct item *item)
{
	free(item->name);
	free(item->rdata);
}

static void latest_sink(struct latest *latest)
{
	struct item *items = latest->items;
	uint64_t at = 0;

	for (;;) {
		uint64_t child = 2 * at + 1;
		struct item item = items[at];

		if (child + 1 < latest->n && items[child + 1].time_s < items[child].time_s)
			child++;
		if (child >= latest->n || items[child].time_s >= item.time_s)
			return;
		items[at] = items[child];
		items[child] = item;
		at = child;
	}
}

static void latest_rise(struct latest *latest)
{
	struct item *items = latest->items;

	for (uint64_t at = latest->n - 1; at > 0; at = (at - 1) / 2) {
		struct item item = items[at], *above = &items[(at - 1) / 2];

		if (above->time_s <= item.time_s)
			return;
		items[at] = *above;
		*above = item;
	}
}

static int latest_add(struct latest *latest, const struct item *item)
{
	if (latest->n == latest->max) {
		item_free(&latest->items[0]);
		latest->items[0] = *item;
		latest_sink(latest);
		return 0;
	}
	if (latest->n == latest->room) {
		uint64_t room = latest->room ? 2 * latest->room : 256;
		struct item *items = reallocarray(latest->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		latest->items = items;
		latest->room = room;
	}
	latest->items[latest->n++] = *item;
	latest_rise(latest);
	return 0;
}

static int new_take(void *ctx, const struct signal_new *found)
{
	struct latest *latest = ctx;
	struct item item = {found->time_s, NULL, NULL, found->news, found->type};
	char name[DNS_NAME_TEXT_SIZE];
	int err = 0;

	latest->all++;
	if (latest->n == latest->max && found->time_s <= latest->items[0].time_s)
		return 0;
	dns_name_format(found->name, name);
	item.name = strdup(name);
	if (found->news == SIGNAL_NEW_RDATA) {
		if (pdns_rdata_text(
			    found->type, found->rdata, found->rdata_size, false, latest->text) < 0)
			err = -ENOMEM;
		item.rdata = err ? NULL : strdup(latest->text);
	}
	if (!item.name || (found->news == SIGNAL_NEW_RDATA && !item.rdata))
		err = -ENOMEM;
	if (err == 0)
		err = latest_add(latest, &item);
	if (err)
		item_free(&item);
	return err;
}

static int items_compare(const void *a, const void *b)
{
	const struct item *one = a, *two = b;

	if (one->time_s != two->time_s)
		return one->time_s < two->time_s ? -1 : 1;
	if (one->news != two->news)
		return one->news < two->news ? -1 : 1;
	return strcmp(one->name, two->name);
}

// A field that may hold commas and quotation marks.
static void quoted_print(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void item_print(const struct pdns_args *args, const struct item *item)
{
	const char *news = signal_news_name(item->news), *type = pdns_type_name(item->type);
	char number[16], when[32];
	time_t at = (time_t)item->time_s;
	struct tm tm;
	json_t *row;

	snprintf(number, sizeof(number), "TYPE%u", item->type);
	type = !item->rdata ? "" : type ? type : number;
	if (args->text) {
		gmtime_r(&at, &tm);
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		printf("%s  %-6s  %s%s%s%s%s\n", when, news, item->name, item->rdata ? "  " : "",
			type, item->rdata ? "  " : "", item->rdata ? item->rdata : "");
	} else if (args->csv) {
		printf("%" PRId64 ",%s,%s,%s,", item->time_s, news, item->name, type);
		if (item->rdata)
			quoted_print(item->rdata);
		putchar('\n');
	} else {
		row = json_pack("{sI, ss, ss}", "time_first", (json_int_t)item->time_s, "new", news,
			"name", item->name);
		if (row && item->rdata) {
			json_object_set_new(row, "rrtype", json_string(type));
			json_object_set_new(row, "rdata", json_string(item->rdata));
		}
		if (row)
			json_dumpf(row, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(row);
	}
}

static void latest_print(const struct pdns_args *args, struct latest *latest)
{
	if (latest->n > 0)
		qsort(latest->items, latest->n, sizeof(*latest->items), items_compare);
	if (args->csv)
		puts("time_first,new,name,rrtype,rdata");
	for (uint64_t i = 0; i < latest->n; i++)
		item_print(args, &latest->items[i]);
	if (latest->all > latest->n)
		log_line(LOG_INFO, "%" PRIu64 " earlier ones are left out; see --limit",
			latest->all - latest->n);
}

int pdns_new_run(struct pdns_args *args)
{
	const struct pdns_question *q = &args->question;
	struct latest latest = {.max = q->limit ? q->limit : LATEST_MAX};
	int64_t since = q->first_after ? q->first_after : (int64_t)time(NULL) - SINCE_S;
	struct pdns *pdns;
	int err = pdns_app_open(args, PDNS_READ, &pdns);

	if (err != COLLECT_DONE)
		return err;
	latest.text = malloc(PDNS_TEXT_SIZE);
	err = latest.text ? signal_new_find(pdns, since, new_take, &latest) : -ENOMEM;
	if (err == 0)
		latest_print(args, &latest);
	for (uint64_t i = 0; i < latest.n; i++)
		item_free(&latest.items[i]);
	free(latest.items);
	free(latest.text);
	pdns_close(pdns);
	return exit_of(err);
}

/* ---- what is shared -------------------------------------------------------------------------- */

/** Domains on their way out. */
struct sharing {
	const struct pdns_args *args;
	const char *of;
	uint64_t rows;
};

static int shared_show(void *ctx, const struct signal_shared *shared)
{
	struct sharing *sharing = ctx;
	char name[DNS_NAME_TEXT_SIZE], what[DNS_NAME_TEXT_SIZE];
	const char *via = shared->server ? "ns" : "block";
	json_t *row;

	if (sharing->args->question.limit && sharing->rows++ == sharing->args->question.limit) {
		log_line(LOG_INFO, "there is more; see --limit");
		return STOPPED;
	}
	dns_name_format(shared->name, name);
	if (shared->server)
		dns_name_format(shared->server, what);
	else
		prefix_format(&shared->block, what);
	if (sharing->args->text) {
		printf("%s  %s\n", what, name);
	} else if (sharing->args->csv) {
		printf("%s,%s,%s,%s\n", sharing->of, name, via, what);
	} else {
		row = json_pack("{ss, ss, ss, ss}", "of", sharing->of, "name", name, "via", via,
			"what", what);
		if (row)
			json_dumpf(row, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(row);
	}
	return ferror(stdout) ? STOPPED : 0;
}

int pdns_shared_run(struct pdns_args *args)
{
	struct sharing sharing = {.args = args};
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct signal_shared_question q = {.name = name};
	struct pdns *pdns;
	int err = COLLECT_DONE;

	// All of them first, so that nothing is printed if one is wrong.
	for (int i = 0; i < args->n && err == COLLECT_DONE; i++)
		err = pdns_operand_read("shared", args->words[i], name, &q.size);
	if (err == COLLECT_DONE)
		err = pdns_app_open(args, PDNS_READ, &pdns);
	if (err != COLLECT_DONE)
		return err;
	if (args->csv)
		puts("of,name,via,what");
	for (int i = 0; i < args->n && err == 0; i++) {
		sharing.of = args->words[i];
		pdns_operand_read("shared", sharing.of, name, &q.size);
		err = signal_shared_find(pdns, &q, shared_show, &sharing);
	}
	pdns_close(pdns);
	return exit_of(err);
}
