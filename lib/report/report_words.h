/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * All of our own words in a report, in both languages: one table.
 */
#include "report/report.h"
#include "report/report_memory.h"

enum report_word {
	WORD_TITLE,
	WORD_CONTENTS,
	WORD_MADE, /**< day */
	WORD_BACKGROUND,
	WORD_OUTLINE,
	WORD_ABOUT,
	WORD_MALWARE,
	WORD_STATUS,
	WORD_OPERATION,
	WORD_CONTACT,
	WORD_OPT_OUT,
	WORD_PERIOD_IS,
	WORD_ABOUT_MADE, /**< day, version of the program */
	WORD_TABLE,      /**< number, caption */
	WORD_TABLE_GOES_ON,
	WORD_FIGURE,     /**< number, caption */
	WORD_SERVICES,   /**< period */
	WORD_SERVICES_SEE, /**< number of the table */
	WORD_SELECTION,
	WORD_MALWARE_SEE,  /**< number of the table, of malware, of FQDNs */
	WORD_MALWARE_TABLE,
	WORD_ID,
	WORD_FQDNS,
	WORD_BEHAVIOUR,
	WORD_START,
	WORD_END,
	WORD_LEGEND,
	WORD_LEGEND_ID,
	WORD_LEGEND_FQDNS,
	WORD_LEGEND_BEHAVIOUR,
	WORD_LEGEND_DATES,
	WORD_NATURE,
	WORD_NATURE_IDS, /**< ids */
	WORD_NATURE_MORE, /**< ids, number of further ones */
	WORD_CHARACTERISTICS, /**< text */
	WORD_RISK,       /**< text */
	WORD_NATURE_NONE,
	WORD_STATUS_SEE, /**< number of the table */
	WORD_STATUS_TABLE,
	WORD_MONTH,
	WORD_FILTERED,
	WORD_RESPONSES,
	WORD_SHARE,
	WORD_SHARE_CHART,
	WORD_METHOD,
	WORD_METHOD_SHARE,
	WORD_METHOD_FILTERED,
	WORD_METHOD_RESPONSES,
	WORD_METHOD_MONTHS, /**< zone */
	WORD_METHOD_EXACT,
	WORD_METHOD_HIDDEN, /**< limit, limit */
	WORD_COUNTS,
	WORD_COUNTS_SEE, /**< number of the table */
	WORD_COUNTS_TABLE,
	WORD_COUNTS_CHART,
	WORD_TOTAL,
	WORD_OF_NONE,
	WORD_ADDRESSES,
	WORD_ADDRESSES_SEE, /**< number of the table */
	WORD_ADDRESSES_TABLE,
	WORD_ADDRESSES_N,
	WORD_ADDRESSES_NONE,
	WORD_CHANGES,
	WORD_CHANGES_SEE, /**< number of the table */
	WORD_CHANGES_TABLE,
	WORD_CHANGES_NONE,
	WORD_DAY,
	WORD_CHANGE,
	WORD_CHANGE_FIRST, /**< words of enum report_change_kind, in its order */
	WORD_CHANGE_LAST = WORD_CHANGE_FIRST + REPORT_CHANGE_KINDS - 1,
	WORD_CORRECTIONS,
	WORD_CORRECTIONS_SEE, /**< number of the table */
	WORD_CORRECTIONS_TABLE,
	WORD_CORRECTIONS_NONE,
	WORD_FOR,
	WORD_ENTERED,
	WORD_NOTE,
	WORD_LOST,
	WORD_LOST_ROW,    /**< where, number */
	WORD_LOST_NONE,
	WORD_NUMBER_WITHHELD,
	WORD_PAGE,        /**< number, of how many */
	WORDS,
};

const char *report_word(enum report_word word, enum report_language language);

/** "ja" or "en". */
const char *report_language_tag(enum report_language language);

/** "2020/07/01" or "2020-07-01"; "" for LIST_DAY_LAST. */
char *report_day_text(
	struct report_memory *memory, uint16_t day, enum report_language language);

/** A day as it stands in sentences. */
char *report_day_words(
	struct report_memory *memory, uint16_t day, enum report_language language);

/** From a day to a day, as in sentences. */
char *report_period_words(struct report_memory *memory, const struct report_period *period,
	enum report_language language);

/** A month; with its days if the period has only a part of it. */
char *report_month_words(struct report_memory *memory, const struct report_month *month,
	enum report_language language);

/** Whether a month is in the period as a whole. */
bool report_month_is_whole(const struct report_month *month);

/** 1234567 as "1,234,567". */
char *report_grouped(struct report_memory *memory, int64_t n);

/** A number for people: grouped, "<5", or a dash. */
char *report_number_words(struct report_memory *memory, const struct report_number *number,
	uint64_t hide_below, enum report_language language);

/** A number for programs: digits, "<5", or "withheld". */
char *report_number_plain(struct report_memory *memory, const struct report_number *number,
	uint64_t hide_below);
