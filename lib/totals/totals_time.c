/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "totals/totals.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"

int64_t totals_hour(int64_t now)
{
	const time_t moment = (time_t)now;
	struct tm local;

	if (!localtime_r(&moment, &local))
		return now - now % 3600;
	return now - local.tm_min * 60 - local.tm_sec;
}

// The day that a moment is in, as a number that grows with the days.
static int64_t day_number(int64_t now)
{
	const time_t moment = (time_t)now;
	struct tm local;

	if (!localtime_r(&moment, &local))
		return 0;
	return (local.tm_year + 1900) * INT64_C(10000) + (local.tm_mon + 1) * 100 + local.tm_mday;
}

int64_t totals_day_begin(int year, int month, int day)
{
	struct tm utc = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	const int64_t number = year * INT64_C(10000) + month * 100 + day;
	// Zones are at most 14 hours ahead of UTC and 12 behind. Where the clock is put on at midnight
	// the day begins at 1:00, and where it is put back the day before has two last hours; which
	// moment is the first of its day can be asked in every case.
	int64_t before = timegm(&utc) - 15 * 3600, in = before + 30 * 3600;

	while (in - before > 1) {
		int64_t middle = before + (in - before) / 2;

		if (day_number(middle) < number)
			before = middle;
		else
			in = middle;
	}
	return in;
}

// What is behind the folder of zones in a path, or NULL.
static const char *zone_of_path(const char *path)
{
	const char *at = strstr(path, "/zoneinfo/");

	return at ? at + strlen("/zoneinfo/") : NULL;
}

int totals_zone_name(char name[TOTALS_TEXT_MAX + 1])
{
	const char *zone = getenv("TZ");
	char link[4096];
	ssize_t size;

	if (!zone) {
		size = readlink("/etc/localtime", link, sizeof(link) - 1);
		link[size < 0 ? 0 : size] = '\0';
		zone = zone_of_path(link);
	}
	if (zone && *zone == ':')
		zone++;
	if (zone && *zone == '/' && zone_of_path(zone))
		zone = zone_of_path(zone);
	if (!zone || !*zone)
		zone = "UTC";
	if (strlen(zone) > TOTALS_TEXT_MAX)
		return -EINVAL;
	strcpy(name, zone);
	return 0;
}

int totals_zone_set(const char *name)
{
	char path[sizeof(ZONE_FOLDER) + TOTALS_TEXT_MAX + 1] = ZONE_FOLDER;

	if (!*name || strlen(name) > TOTALS_TEXT_MAX)
		return -EINVAL;
	// libc takes a zone that it does not know for UTC. A zone is a file, or a rule with an offset
	// in it, "JST-9".
	strcat(path, name);
	if (strstr(name, "..") || *name == '/' ||
		(access(path, R_OK) < 0 && !strpbrk(name, "0123456789")))
		return -EINVAL;
	if (setenv("TZ", name, 1) < 0)
		return -errno;
	tzset();
	return 0;
}
