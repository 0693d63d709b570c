/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Daily dumps: a thread that makes those of the day that ended, and removes old ones.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "dump/dump.h"
#include "list/list.h"
#include "pdns_app.h"
#include "serve.h"

#define AFTER_S 120 // behind midnight: until then what was seen before it is written
#define RETRY_S 600 // behind one that failed

static int ends_tell(void *ctx, const struct dump_progress *progress)
{
	const struct serve *serve = ctx;

	return atomic_load(&serve->dumper_ends) ? 1 : 0;
}

// Returns whether it was done.
static bool dump_make(struct serve *serve, uint16_t number)
{
	struct dump_progress done;
	struct dump_day day;
	int err;

	pdns_dump_day(number, &day);
	err = dump_write(serve->pdns, serve->conf->pdns_store, &day, ends_tell, serve, &done);
	if (err == 0)
		log_line(LOG_INFO, "dumped %" PRIu64 " tuples and %" PRIu64 " new domains",
			done.rows[DUMP_TUPLES], done.rows[DUMP_NEW_DOMAIN]);
	if (err < 0 && err != -EBUSY)
		atomic_fetch_add(&serve->dump_failures, 1);
	return err == 0;
}

static void old_remove(const struct serve *serve, uint16_t today)
{
	unsigned days = serve->conf->pdns_dump_days;
	int n = today > days ? dump_remove_before(serve->conf->pdns_store, (uint16_t)(today - days))
			     : 0;

	if (n > 0)
		log_line(LOG_INFO, "removed %d files of dumps older than %u days", n, days);
	else if (n < 0 && n != -EBUSY)
		log_line(LOG_ERROR, "%s/dumps: %s", serve->conf->pdns_store, strerror(-n));
}

static void *dumper(void *arg)
{
	const struct timespec second = {.tv_sec = 1};
	struct serve *serve = arg;
	int64_t next = 0;
	int cleaned = -1;

	serve_stand_back(SERVE_NICE_DUMP);
	while (!atomic_load(&serve->dumper_ends)) {
		int64_t now = time(NULL);
		uint16_t today = list_day_of(now);

		if (today > 0 && now >= next && now >= store_day_start_ms(today) / 1000 + AFTER_S &&
			!dump_is_there(serve->conf->pdns_store, (uint16_t)(today - 1)))
			next = dump_make(serve, (uint16_t)(today - 1)) ? now : now + RETRY_S;
		if (cleaned != today)
			old_remove(serve, today);
		cleaned = today;
		nanosleep(&second, NULL);
	}
	return NULL;
}

int serve_dump_start(struct serve *serve)
{
	int err;

	if (!serve->pdns || serve->conf->pdns_dump_days == 0)
		return COLLECT_DONE;
	err = pthread_create(&serve->dumper, NULL, dumper, serve);
	serve->dumping = err == 0;
	if (err)
		log_line(LOG_ERROR, "daily dumps: %s", strerror(err));
	return err ? COLLECT_FAILED : COLLECT_DONE;
}

void serve_dump_stop(struct serve *serve)
{
	if (!serve->dumping)
		return;
	atomic_store(&serve->dumper_ends, true);
	pthread_join(serve->dumper, NULL);
	serve->dumping = false;
}
