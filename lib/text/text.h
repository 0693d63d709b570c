/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Text files that operators write: the whole file in memory, its lines, the fields of a CSV line,
 * and pieces of it quoted in messages. And small files that programs write themselves.
 *
 * Layer:   lib/text; no EAL.
 * Threads: control only; text_file_read reads a file, text_file_replace writes one, all else are pure functions.
 * Source:  RFC 4180 (CSV), RFC 3629 (UTF-8).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_LINE_MAX   4096 /**< ours: over twice the longest catalogue line */
#define TEXT_FIELDS_MAX 8    /**< fields of a CSV line that are kept */
#define TEXT_QUOTE_MAX  80   /**< octets of a text that a message shows */
#define TEXT_QUOTE_SIZE (TEXT_QUOTE_MAX * 4 + 8) /**< each as \xHH, quotation marks, "...", NUL */

/** A file as it was when it was read. Free with text_file_free. */
struct text_file {
	char *data;
	size_t size;
	size_t at;        /**< where the next line starts */
	unsigned n_lines; /**< lines passed so far */
};

/** One line without its LF or CRLF; borrowed from the file. */
struct text_line {
	const char *text;
	size_t size;
	unsigned number; /**< 1.. */
};

/**
 * Open a regular file for reading.
 *
 * @param size [out] its size now
 * @return the descriptor, or -errno; -EISDIR for a folder, -EINVAL for what is no regular file,
 *         -EFBIG over 4 GiB
 */
int text_file_open(const char *path, uint64_t *size);

/**
 * Read a regular file whole. It is copied, not mapped: a file that shrinks meanwhile must not fault.
 * A UTF-8 byte order mark is passed over.
 *
 * @return 0, or -errno as text_file_open
 */
int text_file_read(const char *path, struct text_file *file);

void text_file_free(struct text_file *file);

/**
 * Write a file of mode 0600 in a folder, whole or not at all, for the folder's owner.
 *
 * @param what for @p write
 * @return 0 or -errno, logged
 */
int text_file_replace(const char *folder, const char *name, void (*write)(FILE *file, const void *what),
	const void *what);

/**
 * Take the next line that says something: blank lines and those with "#" as their first character
 * are passed over. The last line needs no line end.
 *
 * @return whether there was one; if not, @p line is left as it was
 */
bool text_line_next(struct text_file *file, struct text_line *line);

/** Take the blanks (space, tab) off both ends. */
void text_trim(const char **text, size_t *size);

/** The fields of one line, each ended by NUL and without the blanks around it. */
struct text_csv {
	unsigned n; /**< fields of the line; those past TEXT_FIELDS_MAX are not kept */
	const char *field[TEXT_FIELDS_MAX]; /**< in room */
	uint16_t size[TEXT_FIELDS_MAX];     /**< bytes without the NUL */
	char room[TEXT_LINE_MAX + TEXT_FIELDS_MAX];
};

/**
 * Split a line at its commas; quoted fields may hold commas and doubled quotation marks.
 *
 * @return NULL, or what was expected (static)
 */
const char *text_csv_split(const struct text_line *line, struct text_csv *csv);

/** Whether the line's fields are @p names, in any case; @p n at most TEXT_FIELDS_MAX. */
bool text_csv_is_header(const struct text_line *line, const char *const *names, unsigned n);

/** Octets of the UTF-8 character at @p text (1..4), or 0 when there is none; @p code its number. */
unsigned text_utf8_char(const char *text, size_t size, uint32_t *code);

/** Whether all of @p text is UTF-8 without control characters (C0, DEL, C1). */
bool text_utf8_clean(const char *text, size_t size);

/**
 * Write @p text for a message: in quotation marks, cut at TEXT_QUOTE_MAX octets, and what does not
 * print (control characters, broken UTF-8, marks that turn the direction of a line) as \xHH.
 *
 * @return @p out
 */
const char *text_quote(const char *text, size_t size, char out[TEXT_QUOTE_SIZE]);
