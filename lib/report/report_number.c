/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Days, months and numbers as texts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/list.h"
#include "report/report_private.h"
#include "report/report_words.h"

static const char *const month_names[] = {"January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December"};

char *report_day_text(struct report_memory *memory, uint16_t day, enum report_language language)
{
	char text[11];

	list_day_format(day, text);
	if (*text && language == REPORT_JA)
		text[4] = text[7] = '/';
	return report_copy(memory, text, strlen(text));
}

char *report_day_words(struct report_memory *memory, uint16_t day, enum report_language language)
{
	int year, month, day_of_month;

	report_day_split(day, &year, &month, &day_of_month);
	if (language == REPORT_JA)
		return report_format(memory, "%d 年 %d 月 %d 日", year, month, day_of_month);
	return report_format(memory, "%d %s %d", day_of_month, month_names[month - 1], year);
}

char *report_period_words(struct report_memory *memory, const struct report_period *period,
	enum report_language language)
{
	return report_format(memory, language == REPORT_JA ? "%s ～ %s" : "%s to %s",
		report_day_words(memory, period->from, language),
		report_day_words(memory, period->to, language));
}

bool report_month_is_whole(const struct report_month *month)
{
	int year, of, day;

	report_day_split(month->from, &year, &of, &day);
	if (day != 1)
		return false;
	report_day_split((uint16_t)(month->to + 1), &year, &of, &day);
	return day == 1;
}

char *report_month_words(struct report_memory *memory, const struct report_month *month,
	enum report_language language)
{
	const char *format = language == REPORT_JA ? "%s（%d ～ %d 日）" : "%s (%d to %d)";
	int year, of, first, last;
	char *whole;

	if (language == REPORT_JA)
		whole = report_format(memory, "%d 年 %d 月", month->year, month->month);
	else
		whole = report_format(memory, "%s %d", month_names[month->month - 1], month->year);
	if (report_month_is_whole(month))
		return whole;
	report_day_split(month->from, &year, &of, &first);
	report_day_split(month->to, &year, &of, &last);
	return report_format(memory, format, whole, first, last);
}

char *report_grouped(struct report_memory *memory, int64_t n)
{
	char digits[24], *out = report_alloc(memory, 32), *to = out;
	int size = snprintf(digits, sizeof(digits), "%" PRId64, n);

	for (int i = 0; i < size; i++) {
		*to++ = digits[i];
		if (digits[i] != '-' && i < size - 1 && (size - 1 - i) % 3 == 0)
			*to++ = ',';
	}
	return out;
}

char *report_number_words(struct report_memory *memory, const struct report_number *number,
	uint64_t hide_below, enum report_language language)
{
	if (number->shown == REPORT_SHOWN)
		return report_grouped(memory, (int64_t)number->n);
	if (number->shown == REPORT_BELOW)
		return report_format(memory, "<%" PRIu64, hide_below);
	return report_format(memory, "%s", report_word(WORD_NUMBER_WITHHELD, language));
}

char *report_number_plain(
	struct report_memory *memory, const struct report_number *number, uint64_t hide_below)
{
	if (number->shown == REPORT_SHOWN)
		return report_format(memory, "%" PRIu64, number->n);
	if (number->shown == REPORT_BELOW)
		return report_format(memory, "<%" PRIu64, hide_below);
	return report_format(memory, "withheld");
}
