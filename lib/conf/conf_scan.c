/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int conf_fail(const struct conf_reader *reader, const char *format, ...)
{
	va_list args;
	int n;

	if (reader->line > 0)
		n = snprintf(reader->error, CONF_ERROR_SIZE, "%s:%u: ", reader->path, reader->line);
	else
		n = snprintf(reader->error, CONF_ERROR_SIZE, "%s: ", reader->path);
	if (n > 0 && n < CONF_ERROR_SIZE) {
		va_start(args, format);
		vsnprintf(reader->error + n, CONF_ERROR_SIZE - (size_t)n, format, args);
		va_end(args);
	}
	return -EINVAL;
}

char *conf_clip(const char *text, char clip[CONF_CLIP_SIZE])
{
	const size_t room = CONF_CLIP_SIZE - sizeof("''...");
	size_t size = strlen(text), kept = size;

	if (size == 0)
		return strcpy(clip, "nothing");
	// A cut must not leave half a UTF-8 sequence behind.
	if (size > room)
		for (kept = room; kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80; kept--)
			;
	clip[0] = '\'';
	for (size_t i = 0; i < kept; i++) {
		unsigned char c = (unsigned char)text[i];

		clip[1 + i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	strcpy(clip + 1 + kept, kept < size ? "...'" : "'");
	return clip;
}

static int fail_errno(const struct conf_reader *reader, int error)
{
	conf_fail(reader, "cannot read: %s", strerror(error));
	return -error;
}

/** Read the whole file into scan->text, with a NUL behind it. */
static int read_text(const struct conf_reader *reader, struct conf_scan *scan)
{
	int fd = open(reader->path, O_RDONLY | O_CLOEXEC), result = 0;
	ssize_t n = 1;

	if (fd < 0)
		return fail_errno(reader, errno);
	scan->text = malloc(CONF_FILE_MAX + 2);
	if (!scan->text)
		result = fail_errno(reader, ENOMEM);
	while (result == 0 && n > 0 && scan->size <= CONF_FILE_MAX) {
		n = read(fd, scan->text + scan->size, CONF_FILE_MAX + 1 - scan->size);
		if (n > 0)
			scan->size += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			result = fail_errno(reader, errno);
	}
	close(fd);
	if (result == 0 && scan->size > CONF_FILE_MAX)
		result = conf_fail(reader, "expected at most %u bytes, got more", CONF_FILE_MAX);
	if (result == 0)
		scan->text[scan->size] = '\0';
	return result;
}

/** How far a logical line has been read. */
struct line_state {
	bool begun, section, section_done; /* "[" ... "]" */
	bool equals, value;                /* "=" and the first byte behind it */
	char quote;                        /* inside a quoted value: its quote */
};

/**
 * Blank the comment of one line of the file. iniparser takes no comment behind a section, and would
 * continue a comment that ends in a backslash.
 */
static void blank_comment(char *line, size_t size, struct line_state *s)
{
	for (size_t i = 0; i < size; i++) {
		char c = line[i];
		bool comment = c == ';' || c == '#';

		if (s->quote) {
			if (c == s->quote)
				s->quote = '\0';
			continue;
		}
		if (isspace((unsigned char)c))
			continue;
		if (comment && (!s->begun || s->section_done || s->equals)) {
			memset(line + i, ' ', size - i);
			return;
		}
		if (!s->begun)
			s->section = c == '[';
		else if (s->section && c == ']')
			s->section_done = true;
		else if (s->equals && !s->value && (c == '"' || c == '\''))
			s->quote = c;
		s->value = s->equals;
		s->equals = s->equals || (!s->section && c == '=');
		s->begun = true;
	}
}

/** Cut blanks at both ends, in place. */
static char *strip(char *text)
{
	size_t size;

	while (isspace((unsigned char)*text))
		text++;
	for (size = strlen(text); size > 0 && isspace((unsigned char)text[size - 1]); size--)
		text[size - 1] = '\0';
	return text;
}

static int add_spot(const struct conf_reader *reader, struct conf_scan *scan, const char *section,
	const char *key)
{
	struct conf_spot *spot;

	if (scan->n == scan->room) {
		size_t room = scan->room ? scan->room * 2 : 64;
		struct conf_spot *spots = reallocarray(scan->spots, room, sizeof(*spots));

		if (!spots)
			return fail_errno(reader, ENOMEM);
		scan->spots = spots;
		scan->room = room;
	}
	spot = &scan->spots[scan->n++];
	spot->line = reader->line;
	spot->section = strdup(section);
	spot->key = key ? strdup(key) : NULL;
	if (!spot->section || (key && !spot->key))
		return fail_errno(reader, ENOMEM);
	for (char *p = spot->key; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return 0;
}

/** iniparser drops what follows a closing quote, and does not miss one. */
static int check_quotes(const struct conf_reader *reader, const char *value)
{
	char clip[CONF_CLIP_SIZE];
	const char *end;

	if (*value != '"' && *value != '\'')
		return 0;
	end = strchr(value + 1, *value);
	if (!end)
		return conf_fail(
			reader, "expected a closing %c, got %s", *value, conf_clip(value, clip));
	if (end[1])
		return conf_fail(reader, "expected nothing behind the closing %c, got %s", *value,
			conf_clip(end + 1, clip));
	return 0;
}

/** Take one logical line; comments are blanked, continued lines joined. */
static int scan_line(const struct conf_reader *reader, struct conf_scan *scan, char *line)
{
	char clip[CONF_CLIP_SIZE], *equals;

	line = strip(line);
	if (*line == '\0')
		return 0;
	if (*line == '[') {
		char *end = strchr(line, ']');

		if (!end || end[1])
			return conf_fail(
				reader, "expected [SECTION], got %s", conf_clip(line, clip));
		*end = '\0';
		return add_spot(reader, scan, strip(line + 1), NULL);
	}
	equals = strchr(line, '=');
	if (!equals || equals == line)
		return conf_fail(reader, "expected 'key = value' or [SECTION], got %s",
			conf_clip(line, clip));
	*equals = '\0';
	line = strip(line);
	if (scan->n == 0)
		return conf_fail(reader, "expected a [SECTION] before the first key, got key %s",
			conf_clip(line, clip));
	if (check_quotes(reader, strip(equals + 1)) < 0)
		return -EINVAL;
	return add_spot(reader, scan, scan->spots[scan->n - 1].section, line);
}

int conf_scan_file(struct conf_reader *reader, struct conf_scan *scan)
{
	char logical[CONF_LINE_MAX + 1];
	struct line_state state = {0};
	size_t used = 0, next;
	unsigned line = 0;
	int result;

	reader->line = 0;
	result = read_text(reader, scan);
	// Editors on some systems put a byte order mark in front.
	if (result == 0 && scan->size >= 3 && memcmp(scan->text, "\xef\xbb\xbf", 3) == 0)
		memset(scan->text, ' ', 3);
	for (size_t at = 0; result == 0 && at < scan->size; at = next + 1) {
		char *text = scan->text + at, *newline = memchr(text, '\n', scan->size - at);
		size_t size = newline ? (size_t)(newline - text) : scan->size - at;

		next = at + size;
		line++;
		reader->line = used ? reader->line : line;
		if (memchr(text, '\0', size))
			return conf_fail(reader, "expected text, got a NUL byte");
		blank_comment(text, size, &state);
		if (used + size > CONF_LINE_MAX)
			return conf_fail(reader,
				"expected at most %u bytes in a line with what continues it, got "
				"%zu",
				CONF_LINE_MAX, used + size);
		memcpy(logical + used, text, size);
		used += size;
		while (used > 0 && isspace((unsigned char)logical[used - 1]))
			used--;
		if (used > 0 && logical[used - 1] == '\\') {
			used--;
			if (next + 1 >= scan->size)
				return conf_fail(reader, "expected a line behind the closing "
							 "backslash, got the end");
			if (strspn(text, " \t") == strcspn(text, "\\"))
				return conf_fail(reader, "expected text before the backslash");
			continue;
		}
		logical[used] = '\0';
		result = scan_line(reader, scan, logical);
		used = 0;
		state = (struct line_state){0};
	}
	return result;
}

void conf_scan_free(struct conf_scan *scan)
{
	for (size_t i = 0; i < scan->n; i++) {
		free(scan->spots[i].section);
		free(scan->spots[i].key);
	}
	free(scan->spots);
	free(scan->text);
}
