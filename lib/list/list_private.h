/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the two list forms share: one line in, one entry or one message out.
 */
#include <stdbool.h>

#include "dns/dns_const.h"
#include "list/list.h"
#include "text/text.h"

/** One reading of one file. */
struct list_reader {
	const struct list_options *options;
	const struct list_sink *sink;
	struct list_counts *counts;
	uint8_t name[DNS_NAME_SIZE_MAX]; /**< name of the entry being made */
	struct text_csv csv;             /**< fields of the line being read */
};

#define LIST_CATALOGUE_HEADER "id,fqdn,behaviour,start,end"

/** Whether a line is the header of a catalogue. */
bool list_catalogue_is_header(const struct text_line *line);

/** Take one line. @return 0 (also for a bad line), or what entry() returned */
int list_catalogue_line(struct list_reader *reader, const struct text_line *line);
int list_names_line(struct list_reader *reader, const struct text_line *line);

/**
 * Read the name of an entry into reader->name and set the entry's name and scope.
 *
 * @return whether it is good; if not, the line has been reported
 */
bool list_entry_name(
	struct list_reader *reader, const char *text, size_t size, struct list_entry *entry);

/** Report a line: "EXPECTED, got TEXT" with @p text quoted. */
void list_bad(struct list_reader *reader, unsigned line, const char *expected, const char *text,
	size_t size);

/** Hand over a good entry. @return 0, or what entry() returned */
int list_good(struct list_reader *reader, const struct list_entry *entry);
