/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list_private.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crew.h"

// A block that has been read; what is said of its lines waits for that of the blocks before.
struct block_done {
	bool done;
	struct list_messages messages;
};

// One reading of one file by all its threads.
struct reading {
	struct text_blocks blocks;
	enum list_format format;
	unsigned header_block; // lines up to this one are not entries
	unsigned header_line;
	const struct list_sink *sink;
	struct list_reader *readers; // by lane
	atomic_uint next;            // block to be read
	atomic_int err;              // the first error
	pthread_mutex_t lock; // held for all below, and for calls of bad_line() and progress()
	struct block_done *blocks_done;
	unsigned said;   // blocks whose messages have been said
	uint64_t n_read; // octets of blocks that have been read
	uint64_t n_good; // good lines of these
};

static void messages_say(const struct list_sink *sink, struct list_messages *messages)
{
	for (size_t at = 0; at < messages->size;) {
		const char *what = messages->bytes + at + sizeof(unsigned);
		unsigned line;

		memcpy(&line, messages->bytes + at, sizeof(line));
		sink->bad_line(sink->ctx, line, what);
		at += sizeof(line) + strlen(what) + 1;
	}
	free(messages->bytes);
	*messages = (struct list_messages){0};
}

// What is said of lines comes in the order of lines, whoever reads them.
static void block_end(
	struct reading *reading, unsigned block, struct list_reader *reader, uint64_t good)
{
	const struct list_sink *sink = reading->sink;

	pthread_mutex_lock(&reading->lock);
	reading->blocks_done[block].done = true;
	reading->blocks_done[block].messages = reader->messages;
	reader->messages = (struct list_messages){0};
	while (reading->said < reading->blocks.n && reading->blocks_done[reading->said].done)
		messages_say(sink, &reading->blocks_done[reading->said++].messages);
	reading->n_read += TEXT_BLOCK_SIZE;
	reading->n_good += good;
	if (sink->progress)
		sink->progress(sink->ctx, reading->n_good,
			reading->n_read < reading->blocks.size ? reading->n_read
							       : reading->blocks.size,
			reading->blocks.size);
	pthread_mutex_unlock(&reading->lock);
}

static int lines_take(struct list_reader *reader, enum list_format format, struct text_file *lines)
{
	struct text_line line;
	int err = 0;

	while (err >= 0 && reader->err >= 0) {
		if (format == LIST_NAMES)
			err = list_names_quick(reader, lines);
		if (err < 0 || !text_line_next(lines, &line))
			break;
		if (line.size > TEXT_LINE_MAX)
			list_bad(reader, line.number, "expected at most 4096 octets in a line",
				line.text, line.size);
		else if (format == LIST_CATALOGUE)
			err = list_catalogue_line(reader, &line);
		else
			err = list_names_line(reader, &line);
	}
	return err < 0 ? err : reader->err;
}

static int block_take(struct reading *reading, unsigned block, struct list_reader *reader)
{
	struct text_file lines;
	struct text_line line;
	uint64_t good = reader->counts.good;
	int err = text_block_read(&reading->blocks, block, reader->room, &lines);

	if (err < 0)
		return err;
	if (block == reading->header_block)
		while (lines.n_lines < reading->header_line && text_line_next(&lines, &line))
			;
	// Before the header there are only lines that say nothing.
	if (block >= reading->header_block)
		err = lines_take(reader, reading->format, &lines);
	if (lines.n_lines > reader->counts.lines)
		reader->counts.lines = lines.n_lines;
	block_end(reading, block, reader, reader->counts.good - good);
	return err;
}

static void lines_read(void *ctx, unsigned lane)
{
	struct reading *reading = ctx;
	unsigned block;

	while (atomic_load(&reading->err) == 0 &&
		(block = atomic_fetch_add(&reading->next, 1)) < reading->blocks.n) {
		int err = block_take(reading, block, &reading->readers[lane]), none = 0;

		if (err < 0)
			atomic_compare_exchange_strong(&reading->err, &none, err);
	}
}

static void lines_count(void *ctx, unsigned lane)
{
	struct reading *reading = ctx;
	unsigned block;

	while ((block = atomic_fetch_add(&reading->next, 1)) < reading->blocks.n) {
		int err = text_block_count(&reading->blocks, block, reading->readers[lane].room);
		int none = 0;

		if (err < 0)
			atomic_compare_exchange_strong(&reading->err, &none, err);
	}
}

static bool ends_in_csv(const char *path)
{
	size_t size = strlen(path);

	return size >= 4 && strcasecmp(path + size - 4, ".csv") == 0;
}

// The first line that says something tells the format.
static int format_find(struct reading *reading, const char *path, enum list_format format)
{
	struct list_reader *reader = &reading->readers[0];
	struct text_line line = {.text = "", .size = 0, .number = 1};
	struct text_file lines = {.n_lines = 0};
	bool any = false, header;
	unsigned block = 0;

	for (; !any && block < reading->blocks.n; block++) {
		int err = text_block_read(&reading->blocks, block, reader->room, &lines);

		if (err < 0)
			return err;
		any = text_line_next(&lines, &line);
	}
	header = any && format != LIST_NAMES && list_catalogue_is_header(&line);
	if (format == LIST_AUTO)
		format = header || ends_in_csv(path) ? LIST_CATALOGUE : LIST_NAMES;
	reading->format = reader->counts.format = format;
	if (format == LIST_CATALOGUE && !header) {
		list_bad(reader, line.number, "expected the header \"" LIST_CATALOGUE_HEADER "\"",
			line.text, line.size);
		reader->counts.lines = lines.n_lines;
		messages_say(reading->sink, &reader->messages);
		return reader->err < 0 ? reader->err : -EBADMSG;
	}
	if (header) {
		reading->header_block = block - 1;
		reading->header_line = line.number;
	}
	return 0;
}

static int file_read(
	struct reading *reading, const char *path, enum list_format format, unsigned lanes)
{
	int err;

	reading->blocks_done = calloc(reading->blocks.n, sizeof(*reading->blocks_done));
	if (!reading->blocks_done)
		return -ENOMEM;
	crew_run(lanes, lines_count, reading);
	text_blocks_sum(&reading->blocks);
	atomic_store(&reading->next, 0);
	err = atomic_load(&reading->err);
	if (err == 0)
		err = format_find(reading, path, format);
	if (err < 0)
		return err;
	crew_run(lanes, lines_read, reading);
	for (unsigned i = 0; i < reading->blocks.n; i++)
		free(reading->blocks_done[i].messages.bytes);
	return atomic_load(&reading->err);
}

int list_read(const char *path, const struct list_options *options, const struct list_sink *sink,
	struct list_counts *counts)
{
	struct reading reading = {.sink = sink, .lock = PTHREAD_MUTEX_INITIALIZER};
	unsigned lanes = options->lanes ? options->lanes : 1;
	int err = text_blocks_open(path, &reading.blocks);

	*counts = (struct list_counts){.format = options->format};
	if (err < 0)
		return err;
	if (lanes > reading.blocks.n)
		lanes = reading.blocks.n;
	reading.readers = calloc(lanes, sizeof(*reading.readers));
	for (unsigned i = 0; reading.readers && i < lanes; i++) {
		reading.readers[i].options = options;
		reading.readers[i].sink = sink;
		reading.readers[i].lane = i;
	}
	err = reading.readers ? file_read(&reading, path, options->format, lanes) : -ENOMEM;
	for (unsigned i = 0; reading.readers && i < lanes; i++) {
		const struct list_counts *part = &reading.readers[i].counts;

		counts->good += part->good;
		counts->bad += part->bad;
		if (part->lines > counts->lines)
			counts->lines = part->lines;
		free(reading.readers[i].messages.bytes);
	}
	if (reading.readers)
		counts->format = reading.format;
	free(reading.blocks_done);
	free(reading.readers);
	text_blocks_close(&reading.blocks);
	return err;
}
