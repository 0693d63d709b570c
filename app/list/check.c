/* SPDX-License-Identifier: BSD-3-Clause */
#include "list_app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "list/list.h"
#include "pattern/pattern.h"

#define MIN_LABELS 2 // the default of [list NAME] min_labels

static int entry_pass(void *ctx, unsigned lane, const struct list_entry *entry)
{
	return 0;
}

static void bad_show(void *ctx, unsigned line, const char *what)
{
	printf("%s:%u: %s\n", (const char *)ctx, line, what);
}

static int check(char *path)
{
	const struct list_options options = {LIST_AUTO, MIN_LABELS};
	const struct list_sink sink = {path, entry_pass, bad_show};
	struct list_counts counts = {0};
	int err = list_read(path, &options, &sink, &counts);

	// The line that is no header has been shown.
	if (err == -EBADMSG)
		return LIST_USAGE;
	if (err < 0) {
		log_line(LOG_ERROR, "%s: cannot read: %s", path, strerror(-err));
		return LIST_USAGE;
	}
	printf("%s: %s, %" PRIu64 " good lines, %" PRIu64 " bad\n", path,
		counts.format == LIST_CATALOGUE ? "catalogue" : "names", counts.good, counts.bad);
	return counts.good > 0 ? LIST_DONE : LIST_USAGE;
}

struct patterns {
	const char *path;
	struct pattern_builder *builder;
	uint64_t bad;
};

static int pattern_take(void *ctx, const struct pattern *pattern)
{
	struct patterns *patterns = ctx;

	return pattern_builder_add(patterns->builder, pattern);
}

static void pattern_bad(void *ctx, unsigned line, const char *what)
{
	struct patterns *patterns = ctx;

	patterns->bad++;
	printf("%s:%u: %s\n", patterns->path, line, what);
}

// Some expressions turn out to be too much only when they are compiled.
static int patterns_compile(struct patterns *patterns)
{
	char error[PATTERN_ERROR_SIZE];
	struct pattern_set *set = NULL;
	struct pattern pattern;
	int64_t at;

	while (pattern_builder_count(patterns->builder) > 0 && !set) {
		set = pattern_builder_finish(patterns->builder, &at, error);
		if (!set && at < 0) {
			log_line(LOG_ERROR, "%s: %s", patterns->path, error);
			return LIST_FAILED;
		}
		if (!set) {
			pattern_builder_get(patterns->builder, (uint32_t)at, &pattern);
			pattern_bad(patterns, pattern.line, error);
			pattern_builder_drop(patterns->builder, (uint32_t)at);
		}
	}
	pattern_set_free(set);
	return LIST_DONE;
}

static int patterns_check(const char *path)
{
	struct patterns patterns = {.path = path, .builder = pattern_builder_create()};
	const struct pattern_sink sink = {&patterns, pattern_take, pattern_bad};
	int err = patterns.builder ? pattern_read(path, &sink) : -ENOMEM, exit = LIST_USAGE;

	if (err < 0) {
		log_line(LOG_ERROR, "%s: cannot read: %s", path, strerror(-err));
	} else if (patterns_compile(&patterns) == LIST_DONE) {
		uint32_t good = pattern_builder_count(patterns.builder);

		printf("%s: patterns, %" PRIu32 " good lines, %" PRIu64 " bad\n", path, good,
			patterns.bad);
		exit = good > 0 ? LIST_DONE : LIST_USAGE;
	}
	pattern_builder_destroy(patterns.builder);
	return exit;
}

static bool is_patterns(const char *path)
{
	size_t size = strlen(path);

	return size >= 3 && strcasecmp(path + size - 3, ".hs") == 0;
}

static int file_check(char *path)
{
	if (!is_patterns(path))
		return check(path);
	if (pattern_supported())
		return patterns_check(path);
	log_line(LOG_ERROR,
		"%s: expected a catalogue or names, got a list of patterns; this "
		"program was built without Hyperscan",
		path);
	return LIST_USAGE;
}

int check_run(const struct list_args *args)
{
	int err = LIST_DONE;

	for (int i = 0; i < args->n; i++)
		if (file_check(args->words[i]) != LIST_DONE)
			err = LIST_USAGE;
	return err;
}
