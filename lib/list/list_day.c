/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list.h"

#include <stdbool.h>
#include <time.h>

#define YEAR_FIRST 2000
#define DAY_MAX    (LIST_DAY_LAST - 1) // 2179-06-05

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

// Days from 2000-01-01 to the first of January; year is YEAR_FIRST or later.
static int year_day(int year)
{
	int before = year - 1;

	// The Gregorian rule counts 484 leap years up to 1999.
	return (year - YEAR_FIRST) * 365 + before / 4 - before / 100 + before / 400 - 484;
}

static int day_of(int year, int month, int day)
{
	int n = year_day(year) + day - 1;

	for (int m = 1; m < month; m++)
		n += month_days(year, m);
	return n;
}

// Four or two digits, or -1.
static int digits_parse(const char *text, unsigned n)
{
	int value = 0;

	for (unsigned i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + text[i] - '0';
	}
	return value;
}

int list_day_parse(const char *text, size_t size)
{
	int year, month, day, n;

	if (size != 10 || text[4] != '-' || text[7] != '-')
		return -1;
	year = digits_parse(text, 4);
	month = digits_parse(text + 5, 2);
	day = digits_parse(text + 8, 2);
	if (year < YEAR_FIRST || month < 1 || month > 12 || day < 1 ||
		day > month_days(year, month))
		return -1;
	n = day_of(year, month, day);
	return n <= DAY_MAX ? n : -1;
}

char *list_day_format(uint16_t day, char text[11])
{
	int year = YEAR_FIRST + day / 366, month = 1, left;

	text[0] = '\0';
	if (day == LIST_DAY_FIRST || day == LIST_DAY_LAST)
		return text;
	// No year is longer than 366 days, so the first guess is never too late.
	while (year_day(year + 1) <= day)
		year++;
	left = day - year_day(year);
	while (left >= month_days(year, month))
		left -= month_days(year, month++);
	text[0] = (char)('0' + year / 1000);
	text[1] = (char)('0' + year / 100 % 10);
	text[2] = (char)('0' + year / 10 % 10);
	text[3] = (char)('0' + year % 10);
	text[4] = text[7] = '-';
	text[5] = (char)('0' + month / 10);
	text[6] = (char)('0' + month % 10);
	text[8] = (char)('0' + (left + 1) / 10);
	text[9] = (char)('0' + (left + 1) % 10);
	text[10] = '\0';
	return text;
}

uint16_t list_day_of(int64_t now)
{
	const time_t moment = (time_t)now;
	struct tm local;
	int n;

	// A clock before 2000 or past 2179 is wrong; the nearest day leaves undated entries alone.
	if (now < 0 || !localtime_r(&moment, &local) || local.tm_year + 1900 < YEAR_FIRST)
		return LIST_DAY_FIRST;
	if (local.tm_year + 1900 > 2179)
		return DAY_MAX;
	n = day_of(local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
	return (uint16_t)(n <= DAY_MAX ? n : DAY_MAX);
}
