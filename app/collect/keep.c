/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is kept: days, and the removal of days and of clients.
 */
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "collect_app.h"
#include "list/list.h"

static double octets_each(uint64_t bytes, uint64_t records)
{
	return records ? (double)bytes / (double)records : 0;
}

static void day_show(enum collect_format format, const struct store_day *d)
{
	double each = octets_each(d->bytes[0], d->records[0]);
	char day[11];

	list_day_format(d->day, day);
	if (format == COLLECT_TEXT)
		printf("%-10s  %14" PRIu64 "  %15" PRIu64 "  %12" PRIu64 "  %15" PRIu64
		       "  %12" PRIu64 "  %15" PRIu64 "  %12.1f\n",
			day, d->records[0], d->bytes[0], d->records[1], d->bytes[1], d->records[2],
			d->bytes[2], each);
	else if (format == COLLECT_NDJSON)
		printf("{\"day\":\"%s\",\"log\":%" PRIu64 ",\"log_bytes\":%" PRIu64
		       ",\"filtered\":%" PRIu64 ",\"filtered_bytes\":%" PRIu64
		       ",\"log_bytes_per_record\":%.1f,\"sinkhole\":%" PRIu64
		       ",\"sinkhole_bytes\":%" PRIu64 "}\n",
			day, d->records[0], d->bytes[0], d->records[1], d->bytes[1], each,
			d->records[2], d->bytes[2]);
	else
		printf("%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.1f,%" PRIu64
		       ",%" PRIu64 "\n",
			day, d->records[0], d->bytes[0], d->records[1], d->bytes[1], each,
			d->records[2], d->bytes[2]);
}

int days_run(const struct collect_args *args)
{
	struct store_day *days = NULL;
	struct store *store;
	int n = collect_open(args, STORE_READ, &store);

	if (n != COLLECT_DONE)
		return n;
	n = store_days(store, &days);
	if (args->format == COLLECT_TEXT)
		printf("%-10s  %14s  %15s  %12s  %15s  %12s  %15s  %12s\n", "day", "log", "bytes",
			"filtered", "bytes", "sinkhole", "bytes", "bytes/record");
	else if (args->format == COLLECT_CSV)
		puts("day,log,log_bytes,filtered,filtered_bytes,log_bytes_per_record,"
		     "sinkhole,sinkhole_bytes");
	for (int i = 0; i < n; i++)
		day_show(args->format, &days[i]);
	free(days);
	store_close(store);
	return collect_exit_of(n);
}

static const char *user_name(void)
{
	const struct passwd *user = getpwuid(getuid());

	return user ? user->pw_name : "?";
}

int purge_run(const struct collect_args *args)
{
	struct store_dropped dropped;
	struct store *store;
	int err = collect_open(args, STORE_MEND, &store);

	if (err != COLLECT_DONE)
		return err;
	err = store_drop_before(
		store, (uint16_t)args->before, &(struct store_actor){user_name()}, &dropped);
	printf("%u days removed, %" PRIu64 " records, %" PRIu64 " bytes\n", dropped.days,
		dropped.records, dropped.bytes);
	store_close(store);
	return collect_exit_of(err);
}

int forget_run(const struct collect_args *args)
{
	struct store_dropped dropped;
	struct prefix prefix;
	struct store *store;
	int err;

	if (prefix_parse(args->words[0], &prefix) != 0) {
		log_line(LOG_ERROR, "forget: expected an address or prefix, got \"%s\"",
			args->words[0]);
		return COLLECT_USAGE;
	}
	err = collect_open(args, STORE_MEND, &store);
	if (err != COLLECT_DONE)
		return err;
	err = store_forget(store, &prefix, &(struct store_actor){user_name()}, &dropped);
	printf("%" PRIu64 " records of %u days forgotten; %" PRIu64
	       " of wider prefixes, which cannot be told apart, are left\n",
		dropped.records, dropped.days, dropped.similar);
	store_close(store);
	return collect_exit_of(err);
}
