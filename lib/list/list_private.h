/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the two list forms share: one line in, one entry or one message out.
 */
#include <stdbool.h>

#include "dns/dns_const.h"
#include "list/list.h"
#include "text/text_blocks.h"

/** Octets of a message with its line, at most: what was expected, and what was there, quoted. */
#define LIST_MESSAGE_SIZE (sizeof(unsigned) + TEXT_QUOTE_SIZE + 256)

/** What is to be said of bad lines: an unsigned line and a text with its NUL, over and over. */
struct list_messages {
	char *bytes;
	size_t size, room;
};

/** One thread's part of the reading of a file. */
struct list_reader {
	const struct list_options *options;
	const struct list_sink *sink;
	unsigned lane;
	int err; /**< 0, or why reading has to stop */
	struct list_counts counts;
	struct list_messages messages;       /**< of the block that is being read */
	uint8_t name[DNS_NAME_SIZE_MAX + LIST_NAME_AHEAD]; /**< name of the entry being made */
	struct text_csv csv;                 /**< fields of the line being read */
	char room[TEXT_BLOCK_ROOM];          /**< the block */
};

#define LIST_CATALOGUE_HEADER "id,fqdn,behaviour,start,end"

/** Whether a line is the header of a catalogue. */
bool list_catalogue_is_header(const struct text_line *line);

/** Take one line. @return 0 (also for a bad line), or what entry() returned */
int list_catalogue_line(struct list_reader *reader, const struct text_line *line);
int list_names_line(struct list_reader *reader, const struct text_line *line);

/**
 * Take the lines of a list of names as long as they hold nothing but a name in ASCII of usual
 * length, which nearly all do. TEXT_BLOCK_AHEAD octets behind the lines can be read.
 *
 * @param lines [in,out] left at the first line that is for list_names_line, or at the end
 * @return 0, or what entry() returned
 */
int list_names_quick(struct list_reader *reader, struct text_file *lines);

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
