/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Reputation lists in files: the catalogue (CSV with dates and malware identifiers) and plain lists
 * of names. Reads line by line and hands over each good entry in wire form. No line of either form
 * depends on another one (a quoted field ends in its line), so several threads can read one file.
 *
 * Both forms: UTF-8, LF or CRLF, a byte order mark is skipped. A name is
 *   name      exactly that name
 *   *.name    every name below it, not itself
 *   .name     itself and everything below
 * in letters of any case, with or without a trailing dot; U-labels become A-labels (RFC 5891).
 *
 * Layer:   lib/list; no EAL.
 * Threads: control only; reads a file, with threads of its own where asked to.
 * Source:  RFC 4180 (CSV), RFC 5890 (IDN), doc/lists.md.
 */
#include <stddef.h>
#include <stdint.h>

/** Which names an entry stands for. */
enum list_scope {
	LIST_EXACT,   /**< name */
	LIST_BELOW,   /**< *.name */
	LIST_SUBTREE, /**< .name */
};

enum list_format {
	LIST_AUTO, /**< a catalogue if the first line is its header, else names */
	LIST_CATALOGUE,
	LIST_NAMES,
};

#define LIST_DAY_FIRST 0      /**< active since ever */
#define LIST_DAY_LAST  0xffff /**< active with no end */
#define LIST_TEXT_MAX  255    /**< bytes of an id or behaviour */

#define LIST_NAME_AHEAD 32 /**< octets behind an entry's name that may be read */

/** One good entry; everything is borrowed for the call. */
struct list_entry {
	const uint8_t *name;   /**< canonical wire form, see dns_name.h */
	uint8_t name_size;     /**< bytes, 1..255 */
	uint8_t scope;         /**< enum list_scope */
	uint16_t first_day;    /**< first active day, days since 2000-01-01, or LIST_DAY_FIRST */
	uint16_t last_day;     /**< last active day (the `end` column), or LIST_DAY_LAST */
	const char *id;        /**< malware identifier, UTF-8, "" in a plain list */
	const char *behaviour; /**< UTF-8, "" in a plain list */
	unsigned line;         /**< 1.. */
};

struct list_options {
	enum list_format format;
	unsigned min_labels; /**< fewest labels of a subtree rule's name; guards against ".com" */
	unsigned lanes;      /**< threads that read, the calling one among them; 0: that one alone */
};

/** Who takes what is read. */
struct list_sink {
	void *ctx;
	/**
	 * A good entry. Lanes (0.. below list_options.lanes) call at the same time; each hands over its
	 * entries in the order of their lines. @return 0, or negative to stop with that result
	 */
	int (*entry)(void *ctx, unsigned lane, const struct list_entry *entry);
	/**
	 * A line that is skipped. @p what: "expected ..., got ..."; borrowed for the call. One call at a
	 * time, in the order of the lines.
	 */
	void (*bad_line)(void *ctx, unsigned line, const char *what);
	/** Now and then, or NULL: good lines, and octets of the file, so far. One call at a time. */
	void (*progress)(void *ctx, uint64_t good, uint64_t done, uint64_t size);
};

struct list_counts {
	uint64_t lines;  /**< in the file */
	uint64_t good;   /**< handed to entry() */
	uint64_t bad;    /**< handed to bad_line() */
	enum list_format format; /**< the one found */
};

/**
 * Read the list at @p path.
 *
 * @return 0 (also with bad lines: see counts), -errno when the file cannot be opened or read,
 *         -EBADMSG when a catalogue has no header line (bad_line got line 1), or what entry()
 *         returned
 */
int list_read(const char *path, const struct list_options *options, const struct list_sink *sink,
	struct list_counts *counts);

/**
 * Read "name", "*.name" or ".name", U-labels allowed.
 *
 * @param text  borrowed, @p size bytes
 * @param name  [out] DNS_NAME_SIZE_MAX bytes of room
 * @param scope [out]
 * @param error [out] on failure what was expected, static or in a thread-local buffer
 * @return bytes of name, or -1
 */
int list_name_parse(const char *text, size_t size, uint8_t *name, enum list_scope *scope,
	const char **error);

/** Day number of a "YYYY-MM-DD" date, 2000-01-01 is 0. @return 0..65534, or -1 */
int list_day_parse(const char *text, size_t size);

/** Write "YYYY-MM-DD" (11 bytes with NUL) for a day number; "" for LIST_DAY_FIRST and _LAST. */
char *list_day_format(uint16_t day, char text[11]);

/** Day number of a moment in the zone that tzset() has set. @param now seconds since 1970 UTC */
uint16_t list_day_of(int64_t now);
