/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is new in the dataset.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dns/dns_name.h"
#include "pdns_app.h"

#define SINCE_S    86400              // what counts as new unless said otherwise
#define ITEMS_MAX  10000              // that are kept unless said otherwise
#define OCTETS_MAX ((size_t)64 << 20) // of names and data of all that are kept

/** Something new that is kept until all was looked at. */
struct item {
	int64_t time_s;
	char *name, *rdata; // NULL: not of rdata
	enum signal_news news;
	uint16_t type;
	size_t octets;
};

/** The latest of all, as a heap with the earliest of them first. */
struct latest {
	struct pdns_sink *sink;
	struct item *items;
	uint64_t n, room, max;
	size_t octets;
	int64_t left_out_s; // what was seen then or earlier is left out; INT64_MIN: all is kept
	char *text;         // PDNS_TEXT_SIZE octets
};

/* ---- the latest ------------------------------------------------------------------------------ */

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

static void earliest_drop(struct latest *latest)
{
	struct item *first = &latest->items[0];

	latest->left_out_s = first->time_s;
	latest->octets -= first->octets;
	item_free(first);
	*first = latest->items[--latest->n];
	latest_sink(latest);
}

static int latest_add(struct latest *latest, const struct item *item)
{
	if (latest->n == latest->room) {
		uint64_t room = latest->room ? 2 * latest->room : 256;
		struct item *items = reallocarray(latest->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		latest->items = items;
		latest->room = room;
	}
	latest->items[latest->n++] = *item;
	latest->octets += item->octets;
	latest_rise(latest);
	while (latest->n > latest->max || latest->octets > OCTETS_MAX)
		earliest_drop(latest);
	return 0;
}

static int new_take(void *ctx, const struct signal_new *found)
{
	struct latest *latest = ctx;
	struct item item = {found->time_s, NULL, NULL, found->news, found->type, 0};
	char name[DNS_NAME_TEXT_SIZE];
	int err = 0;

	if (found->time_s <= latest->left_out_s)
		return 0;
	dns_name_format(found->name, name);
	item.name = strdup(name);
	latest->text[0] = '\0';
	if (found->news == SIGNAL_NEW_RDATA) {
		if (pdns_rdata_text(
			    found->type, found->rdata, found->rdata_size, false, latest->text) < 0)
			err = -ENOMEM;
		item.rdata = err ? NULL : strdup(latest->text);
	}
	item.octets = sizeof(item) + strlen(name) + strlen(latest->text);
	if (!item.name || (found->news == SIGNAL_NEW_RDATA && !item.rdata))
		err = -ENOMEM;
	if (err == 0)
		err = latest_add(latest, &item);
	if (err)
		item_free(&item);
	return err;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int items_compare(const void *a, const void *b)
{
	const struct item *one = a, *two = b;

	if (one->time_s != two->time_s)
		return one->time_s < two->time_s ? -1 : 1;
	if (one->news != two->news)
		return one->news < two->news ? -1 : 1;
	return strcmp(one->name, two->name);
}

static void text_write(FILE *out, const struct item *item, const char *type)
{
	time_t at = (time_t)item->time_s;
	char when[32];
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(out, "%s  %-6s  %s", when, signal_news_name(item->news), item->name);
	if (item->rdata)
		fprintf(out, "  %s  %s", type, item->rdata);
	putc('\n', out);
}

static json_t *item_make(const struct item *item, const char *type)
{
	json_t *row = json_pack("{sI, ss, ss}", "time_first", (json_int_t)item->time_s, "new",
		signal_news_name(item->news), "name", item->name);

	if (row && item->rdata) {
		json_object_set_new(row, "rrtype", json_string(type));
		json_object_set_new(row, "rdata", json_string(item->rdata));
	}
	return row;
}

static int item_write(struct pdns_sink *sink, const struct pdns_args *args, const struct item *item)
{
	const char *type = pdns_type_name(item->type);
	char number[16];
	int err = 0;

	snprintf(number, sizeof(number), "TYPE%u", item->type);
	type = type ? type : number;
	if (args->text) {
		text_write(sink->out, item, type);
	} else if (args->csv) {
		fprintf(sink->out, "%" PRId64 ",%s,", item->time_s, signal_news_name(item->news));
		csv_text(sink->out, item->name);
		fprintf(sink->out, ",%s,", item->rdata ? type : "");
		csv_text(sink->out, item->rdata ? item->rdata : "");
		putc('\n', sink->out);
	} else {
		err = pdns_sink_json(sink, item_make(item, type));
	}
	return err ? err : pdns_sink_wrote(sink);
}

int pdns_new_write(const struct pdns_args *args, struct pdns *pdns, struct pdns_sink *sink)
{
	const struct pdns_question *q = &args->question;
	const struct signal_new_question since = {
		.since_s = q->first_after ? q->first_after : (int64_t)time(NULL) - SINCE_S,
		.progress = pdns_sink_progress};
	struct latest latest = {
		.sink = sink, .max = q->limit ? q->limit : ITEMS_MAX, .left_out_s = INT64_MIN};
	int err;

	latest.text = malloc(PDNS_TEXT_SIZE);
	err = latest.text ? signal_new_find(pdns, &since, new_take, &latest) : -ENOMEM;
	if (err == 0 && latest.n > 0)
		qsort(latest.items, latest.n, sizeof(*latest.items), items_compare);
	if (err == 0 && args->csv)
		fputs("time_first,new,name,rrtype,rdata\n", sink->out);
	for (uint64_t i = 0; i < latest.n; i++) {
		if (err == 0)
			err = item_write(sink, args, &latest.items[i]);
		item_free(&latest.items[i]);
	}
	sink->more = latest.left_out_s != INT64_MIN;
	free(latest.items);
	free(latest.text);
	return err;
}
