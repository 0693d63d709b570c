/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fqdn/fqdn_table.h"
#include "list/list.h"
#include "pattern/pattern.h"
#include "pkt/pkt.h"

#define PCAP_MAGIC       0xa1b2c3d4u // microseconds, byte order of this machine
#define PCAP_HEADER_SIZE 24
#define PCAP_RECORD_SIZE 16

void bench_die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
	exit(1);
}

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static unsigned number_parse(const char *text, char end_wanted, const char **rest)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != end_wanted || value > INT32_MAX)
		bench_die("expected a number", text);
	if (rest)
		*rest = end + 1;
	return (unsigned)value;
}

int bench_options_parse(
	int argc, char **argv, struct bench_options *options, int n_words, const char *usage)
{
	static const struct option long_options[] = {{"rounds", 1, NULL, 'n'}, {"ms", 1, NULL, 'm'},
		{"passes", 1, NULL, 'p'}, {"frames", 1, NULL, 'f'}, {"step", 0, NULL, 's'},
		{"rewrite", 0, NULL, 'w'}, {"tree", 0, NULL, 't'}, {"patterns", 1, NULL, 'a'},
		{"alone", 0, NULL, 'l'}, {"full", 0, NULL, 'u'}, {0}};
	int option;

	*options = (struct bench_options){.rounds = 10, .round_ms = 200};
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		const char *rest;

		if (option == 'n') {
			options->rounds = number_parse(optarg, '\0', NULL);
		} else if (option == 'm') {
			options->round_ms = number_parse(optarg, '\0', NULL);
		} else if (option == 'p') {
			options->passes = number_parse(optarg, '\0', NULL);
		} else if (option == 'f') {
			options->first = number_parse(optarg, ':', &rest);
			options->count = number_parse(rest, '\0', NULL);
		} else if (option == 's') {
			options->step = true;
		} else if (option == 'w') {
			options->rewrite = true;
		} else if (option == 't') {
			options->tree = true;
		} else if (option == 'l') {
			options->alone = true;
		} else if (option == 'u') {
			options->full = true;
		} else if (option == 'a') {
			options->patterns = optarg;
		} else {
			optind = argc + 1;
			break;
		}
	}
	if (argc - optind != n_words) {
		fprintf(stderr, "usage: %s [--step] [--rounds N] [--ms N] %s\n",
			program_invocation_short_name, usage);
		exit(2);
	}
	return optind;
}

bool bench_round(const struct bench_options *options, unsigned done)
{
	char line[16];

	fflush(stdout);
	if (!options->step)
		return done < options->rounds;
	if (done == 0) {
		puts("ready");
		fflush(stdout);
	}
	return fgets(line, sizeof(line), stdin);
}

static uint8_t *file_read(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long end;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0)
		bench_die(path, strerror(errno));
	rewind(file);
	*size = (size_t)end;
	bytes = malloc(*size + 1);
	if (!bytes || fread(bytes, 1, *size, file) != *size)
		bench_die(path, "cannot be read");
	fclose(file);
	return bytes;
}

// Where the DNS message stands, found by the code that finds it for the filter.
static void message_find(struct bench_frame *frame)
{
	struct burst_slot slot = {.frame = frame->bytes, .frame_size = frame->size};

	frame->msg = frame->msg_size = 0;
	if (pkt_parse(&slot) == REASON_none) {
		frame->msg = slot.msg;
		frame->msg_size = slot.msg_size;
	}
}

void bench_frames_read(
	const char *path, const struct bench_options *options, struct bench_frames *frames)
{
	size_t size, room = 0;
	uint8_t *bytes = file_read(path, &size);
	unsigned index = 0;
	uint32_t word;

	if (size < PCAP_HEADER_SIZE || (memcpy(&word, bytes, 4), word != PCAP_MAGIC))
		bench_die(path, "expected a pcap file with microseconds, as gen writes it");
	*frames = (struct bench_frames){0};
	for (size_t at = PCAP_HEADER_SIZE; at + PCAP_RECORD_SIZE <= size; index++) {
		memcpy(&word, bytes + at + 8, 4);
		at += PCAP_RECORD_SIZE;
		if (word > size - at)
			bench_die(path, "the last frame is cut");
		if (index >= options->first &&
			(options->count == 0 || index - options->first < options->count)) {
			if (frames->n == room) {
				room = room ? 2 * room : 1024;
				frames->frame =
					realloc(frames->frame, room * sizeof(*frames->frame));
				if (!frames->frame)
					bench_die(path, strerror(ENOMEM));
			}
			frames->frame[frames->n] = (struct bench_frame){malloc(word), word, 0, 0};
			if (!frames->frame[frames->n].bytes)
				bench_die(path, strerror(ENOMEM));
			memcpy(frames->frame[frames->n].bytes, bytes + at, word);
			message_find(&frames->frame[frames->n++]);
		}
		at += word;
	}
	free(bytes);
	if (frames->n == 0)
		bench_die(path, "no such frames in it");
}

void bench_frames_free(struct bench_frames *frames)
{
	for (unsigned i = 0; i < frames->n; i++)
		free(frames->frame[i].bytes);
	free(frames->frame);
}

static int entry_add(void *ctx, unsigned lane, const struct list_entry *entry)
{
	const struct fqdn_rule rule = {.first_day = entry->first_day,
		.last_day = entry->last_day,
		.scope = entry->scope,
		.verdict = FQDN_BLOCK};
	int err = fqdn_builder_add(ctx, entry->name, entry->name_size, &rule);

	return err < 0 ? err : 0;
}

static void line_bad(void *ctx, unsigned line, const char *what)
{
	(void)ctx;
	(void)line;
	bench_die("list", what);
}

struct reading {
	struct fqdn_builder *names;
	struct pattern_builder *patterns;
};

static int pattern_add(void *ctx, const struct pattern *from)
{
	const struct fqdn_rule rule = {
		.last_day = LIST_DAY_LAST, .scope = FQDN_PATTERN, .verdict = FQDN_BLOCK};
	struct reading *reading = ctx;
	int64_t number = fqdn_builder_add_rule(reading->names, &rule);
	struct pattern pattern = *from;

	pattern.rule = (uint32_t)number;
	return number < 0 ? (int)number : pattern_builder_add(reading->patterns, &pattern);
}

static struct pattern_set *patterns_load(const char *path, struct fqdn_builder *names)
{
	struct reading reading = {names, pattern_builder_create()};
	const struct pattern_sink sink = {&reading, pattern_add, line_bad};
	int err = reading.patterns ? pattern_read(path, &sink) : -ENOMEM;
	char error[PATTERN_ERROR_SIZE];
	struct pattern_set *set;
	int64_t at;

	if (err < 0)
		bench_die(path, strerror(-err));
	set = pattern_builder_finish(reading.patterns, &at, error);
	if (!set)
		bench_die(path, error);
	pattern_builder_destroy(reading.patterns);
	return set;
}

struct fqdn_table *bench_table_load(
	const char *path, const struct bench_options *how, struct pattern_set **set)
{
	const struct list_options options = {LIST_NAMES, 1};
	struct fqdn_builder *builder = fqdn_builder_create();
	const struct list_sink sink = {builder, entry_add, line_bad};
	struct list_counts counts = {0};
	struct fqdn_table *table;
	int err = builder ? list_read(path, &options, &sink, &counts) : -ENOMEM;

	if (err < 0)
		bench_die(path, strerror(-err));
	*set = how->patterns ? patterns_load(how->patterns, builder) : NULL;
	table = fqdn_builder_finish(builder);
	if (!table)
		bench_die(path, strerror(errno));
	fqdn_builder_destroy(builder);
	return table;
}
