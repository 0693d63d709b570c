/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dnsweir-collect pdns dump: the files of a day, as the collector makes them after midnight.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "dump/dump.h"
#include "pdns_app.h"

static int progress_show(void *ctx, const struct dump_progress *progress)
{
	int64_t *told_s = ctx, now = time(NULL);

	if (now == *told_s)
		return 0;
	*told_s = now;
	fprintf(stderr, "\r%" PRIu64 " read, %" PRIu64 " of that day\x1b[K", progress->tuples,
		progress->rows[DUMP_TUPLES]);
	return 0;
}

void pdns_dump_day(uint16_t day, struct dump_day *of)
{
	*of = (struct dump_day){.day = day,
		.from_s = store_day_start_ms(day) / 1000,
		.to_s = store_day_start_ms((uint16_t)(day + 1)) / 1000};
}

int pdns_dump_run(struct pdns_args *args)
{
	bool terminal = isatty(STDERR_FILENO);
	struct dump_progress done;
	struct dump_day day;
	int64_t told_s = 0;
	struct pdns *pdns;
	int err;

	if (!args->has_day) {
		log_line(LOG_ERROR, "pdns dump: expected --day (see pdns --help)");
		return COLLECT_USAGE;
	}
	pdns_dump_day(args->day, &day);
	err = pdns_app_open(args, PDNS_READ, &pdns);
	if (err != COLLECT_DONE)
		return err;
	err = dump_write(pdns, args->folder, &day, terminal ? progress_show : NULL, &told_s, &done);
	pdns_close(pdns);
	if (terminal)
		fputs("\r\x1b[K", stderr);
	if (err)
		return COLLECT_FAILED;
	printf("%" PRIu64 " tuples, %" PRIu64 " new domains in %s/dumps\n", done.rows[DUMP_TUPLES],
		done.rows[DUMP_NEW_DOMAIN], args->folder);
	return COLLECT_DONE;
}
