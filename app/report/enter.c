/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "report_app.h"

static int usage_error(const char *what)
{
	log_line(LOG_ERROR, "%s (see --help)", what);
	return REPORT_USAGE;
}

// The file's zone, if there is a file; what is asked for, or the process's, for one that is made.
static int zone_set(const struct report_args *args)
{
	char error[TOTALS_ERROR_SIZE];
	const char *zone = args->zone;
	struct totals *totals = NULL;
	int err = totals_open(args->totals, TOTALS_READ, NULL, &totals, error);

	if (err < 0 && err != -ENOENT) {
		log_line(LOG_ERROR, "%s", error);
		return REPORT_USAGE;
	}
	if (totals && zone && strcmp(zone, totals_zone(totals)) != 0) {
		log_line(LOG_ERROR, "--zone: expected %s, as %s has it, got \"%s\"",
			totals_zone(totals), args->totals, zone);
		totals_close(totals);
		return REPORT_USAGE;
	}
	if (totals)
		zone = totals_zone(totals);
	err = zone ? totals_zone_set(zone) : 0;
	if (err < 0)
		log_line(
			LOG_ERROR, "--zone: expected a time zone of this system, got \"%s\"", zone);
	totals_close(totals);
	return err < 0 ? REPORT_USAGE : REPORT_DONE;
}

static int writer_open(const struct report_args *args, struct totals **totals)
{
	char error[TOTALS_ERROR_SIZE];
	int err = zone_set(args);

	if (err != REPORT_DONE)
		return err;
	if (totals_open(args->totals, TOTALS_CREATE, NULL, totals, error) == 0)
		return REPORT_DONE;
	log_line(LOG_ERROR, "%s", error);
	return REPORT_USAGE;
}

static const char *login_name(void)
{
	const struct passwd *user = getpwuid(getuid());

	return user ? user->pw_name : "?";
}

int enter_run(const struct report_args *args)
{
	const int next_year = args->month == 12 ? args->year + 1 : args->year;
	struct totals_entered entered = {
		.who = login_name(),
		.id = args->id ? args->id : "",
		.filtered = args->filtered,
		.responses = args->responses,
		.note = args->note,
	};
	struct totals *totals = NULL;
	int err;

	if (!args->totals || args->month == 0 || !args->note || !*args->note || args->n_words > 0)
		return usage_error("enter: expected --totals, --month and --note");
	if (args->filtered == 0 && args->responses == 0)
		return usage_error("enter: expected --responses or --filtered");
	err = writer_open(args, &totals);
	if (err != REPORT_DONE)
		return err;
	entered.at = report_now();
	entered.begin = totals_day_begin(args->year, args->month, 1);
	entered.end = totals_day_begin(next_year, args->month % 12 + 1, 1);
	err = totals_enter(totals, &entered);
	if (err == -EINVAL)
		log_line(LOG_ERROR,
			"enter: expected an id of at most %d octets and a note of at most %d, in "
			"UTF-8 without control characters",
			TOTALS_TEXT_MAX, TOTALS_NOTE_MAX);
	else if (err < 0)
		log_line(LOG_ERROR, "%s: %s", args->totals, totals_error(totals));
	totals_close(totals);
	return err == -EINVAL ? REPORT_USAGE : err < 0 ? REPORT_FAILED : REPORT_DONE;
}

int import_run(const struct report_args *args)
{
	char error[TOTALS_ERROR_SIZE];
	struct totals *totals = NULL;
	int err;

	if (!args->totals || args->n_words == 0)
		return usage_error("import: expected --totals and files of other boxes");
	err = writer_open(args, &totals);
	for (int i = 0; i < args->n_words && err == REPORT_DONE; i++)
		if (totals_import(totals, args->words[i], error) < 0) {
			log_line(LOG_ERROR, "%s", error);
			err = REPORT_USAGE;
		}
	totals_close(totals);
	return err;
}
