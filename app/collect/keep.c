/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is kept: days, and the removal of days and of clients.
 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"
#include "collect_app.h"
#include "http/http.h"
#include "list/list.h"

static double octets_each(uint64_t bytes, uint64_t records)
{
	return records ? (double)bytes / (double)records : 0;
}

static void day_show(FILE *out, enum collect_format format, const struct store_day *d)
{
	double each = octets_each(d->bytes[0], d->records[0]);
	char day[11];

	list_day_format(d->day, day);
	if (format == COLLECT_TEXT)
		fprintf(out,
			"%-10s  %14" PRIu64 "  %15" PRIu64 "  %12" PRIu64 "  %15" PRIu64
			"  %12" PRIu64 "  %15" PRIu64 "  %12.1f\n",
			day, d->records[0], d->bytes[0], d->records[1], d->bytes[1], d->records[2],
			d->bytes[2], each);
	else if (format == COLLECT_NDJSON)
		fprintf(out,
			"{\"day\":\"%s\",\"log\":%" PRIu64 ",\"log_bytes\":%" PRIu64
			",\"filtered\":%" PRIu64 ",\"filtered_bytes\":%" PRIu64
			",\"log_bytes_per_record\":%.1f,\"sinkhole\":%" PRIu64
			",\"sinkhole_bytes\":%" PRIu64 "}\n",
			day, d->records[0], d->bytes[0], d->records[1], d->bytes[1], each,
			d->records[2], d->bytes[2]);
	else
		fprintf(out,
			"%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.1f,%" PRIu64
			",%" PRIu64 "\n",
			day, d->records[0], d->bytes[0], d->records[1], d->bytes[1], each,
			d->records[2], d->bytes[2]);
}

int days_write(const struct collect_args *args, struct store *store, struct collect_sink *sink)
{
	struct store_day *days = NULL;
	int n = store_days(store, &days);

	if (args->format == COLLECT_TEXT)
		fprintf(sink->out, "%-10s  %14s  %15s  %12s  %15s  %12s  %15s  %12s\n", "day",
			"log", "bytes", "filtered", "bytes", "sinkhole", "bytes", "bytes/record");
	else if (args->format == COLLECT_CSV)
		fputs("day,log,log_bytes,filtered,filtered_bytes,log_bytes_per_record,"
		      "sinkhole,sinkhole_bytes\n",
			sink->out);
	for (int i = 0; i < n; i++)
		day_show(sink->out, args->format, &days[i]);
	sink->rows = n > 0 ? (uint64_t)n : 0;
	free(days);
	return n < 0 ? n : 0;
}

int days_run(const struct collect_args *args)
{
	struct collect_sink sink = {.out = stdout};
	struct store *store;
	int err = collect_open(args, STORE_READ, &store);

	if (err != COLLECT_DONE)
		return err;
	err = days_write(args, store, &sink);
	store_close(store);
	return collect_exit_of(err);
}

static const char *user_name(void)
{
	const struct passwd *user = getpwuid(getuid());

	return user ? user->pw_name : "?";
}

/* ---- deletion -------------------------------------------------------------------------------- */

static uint64_t count_of(const json_t *answer, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(answer, name));
}

// Leaves it to the collector that writes to the log, if one is there: what it has open only it can delete.
// Returns -ENOENT if none is, else enum collect_exit.
static int collector_ask(const struct collect_args *args, const char *target, const char *form,
	struct store_dropped *dropped)
{
	char *text = NULL;
	int status = http_call(args->store, target, form, &text);
	json_t *answer = status >= 0 ? json_loads(text, 0, NULL) : NULL;
	const char *error = json_string_value(json_object_get(answer, "error"));

	free(text);
	if (status == -ENOENT)
		return status;
	if (status < 0 || !answer || error) {
		log_line(LOG_ERROR, "%s: the collector: %s", args->store,
			error        ? error
			: status < 0 ? strerror(-status)
				     : "no answer");
		json_decref(answer);
		return COLLECT_FAILED;
	}
	*dropped = (struct store_dropped){.days = (unsigned)count_of(answer, "days"),
		.records = count_of(answer, "records"),
		.bytes = count_of(answer, "bytes"),
		.similar = count_of(answer, "similar")};
	json_decref(answer);
	return COLLECT_DONE;
}

int purge_run(const struct collect_args *args)
{
	struct store_dropped dropped;
	char form[32] = "before=", day[11];
	struct store *store;
	int err;

	strcat(form, list_day_format((uint16_t)args->before, day));
	err = collector_ask(args, "/v1/purge", form, &dropped);
	if (err == -ENOENT) {
		err = collect_open(args, STORE_MEND, &store);
		if (err != COLLECT_DONE)
			return err;
		err = collect_exit_of(store_drop_before(store, (uint16_t)args->before,
			&(struct store_actor){.who = user_name()}, &dropped));
		store_close(store);
	} else if (err != COLLECT_DONE) {
		return err;
	}
	printf("%u days removed, %" PRIu64 " records, %" PRIu64 " bytes\n", dropped.days,
		dropped.records, dropped.bytes);
	return err;
}

int forget_run(const struct collect_args *args)
{
	char form[PREFIX_TEXT_SIZE * 3 + 8] = "client=", text[PREFIX_TEXT_SIZE];
	struct store_dropped dropped;
	struct prefix prefix;
	struct store *store;
	int err;

	if (prefix_parse(args->words[0], &prefix) != 0) {
		log_line(LOG_ERROR, "forget: expected an address or prefix, got \"%s\"",
			args->words[0]);
		return COLLECT_USAGE;
	}
	http_escape(prefix_format(&prefix, text), form + strlen(form), sizeof(form) - strlen(form));
	err = collector_ask(args, "/v1/forget", form, &dropped);
	if (err == -ENOENT) {
		err = collect_open(args, STORE_MEND, &store);
		if (err != COLLECT_DONE)
			return err;
		err = collect_exit_of(store_forget(
			store, &prefix, &(struct store_actor){.who = user_name()}, &dropped));
		store_close(store);
	} else if (err != COLLECT_DONE) {
		return err;
	}
	printf("%" PRIu64 " records of %u days forgotten; %" PRIu64
	       " of wider prefixes, which cannot be told apart, are left\n",
		dropped.records, dropped.days, dropped.similar);
	return err;
}
