/* SPDX-License-Identifier: BSD-3-Clause */
#include "list_app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/block.h"
#include "base/log.h"
#include "load/load.h"

#define CLEAR_LINE "\r\033[K"

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Only on a terminal, where the next line goes over it.
static void progress_show(void *ctx, const struct load_progress *progress)
{
	if (progress->list[0])
		fprintf(stderr, CLEAR_LINE "list %s: %" PRIu64 " names, %u %%", progress->list,
			progress->names, progress->percent);
	else
		fprintf(stderr, CLEAR_LINE "%s", progress->phase);
}

static void compiling_show(void *ctx, uint32_t patterns)
{
	fprintf(stderr, CLEAR_LINE "compiling %" PRIu32 " patterns", patterns);
}

static void step_show(bool terminal, const char *what)
{
	if (terminal)
		fprintf(stderr, CLEAR_LINE "%s", what);
}

static void summary_print(const struct conf *conf, const struct load_list *lists,
	const char *output, const struct gen *gen, uint64_t bytes, double seconds)
{
	for (unsigned i = 0; i < gen->n_lists; i++)
		printf("list %s: %" PRIu64 " good lines, %" PRIu64 " bad%s%s\n",
			conf->policy.lists[i].name, lists[i].names, lists[i].bad,
			lists[i].bad ? "; first: " : "", lists[i].first_bad);
	printf("%s: %u lists, %" PRIu64 " names, %" PRIu32 " patterns, %" PRIu64
	       " bytes, %.2f seconds\n",
		output, gen->n_lists, fqdn_table_names(gen->names),
		gen->patterns ? pattern_book_count(gen->patterns) : 0, bytes, seconds);
}

static struct gen_list *lists_describe(const struct conf *conf, const struct load_list *lists)
{
	struct gen_list *to = calloc(conf->policy.n_lists + 1u, sizeof(*to));

	for (unsigned i = 0; to && i < conf->policy.n_lists; i++) {
		strcpy(to[i].name, conf->policy.lists[i].name);
		strcpy(to[i].source, conf->lists[i].source);
		memcpy(to[i].first_bad, lists[i].first_bad, sizeof(to[i].first_bad));
		to[i].good = lists[i].names;
		to[i].bad = lists[i].bad;
		to[i].mtime = lists[i].mtime;
		to[i].action = conf->policy.lists[i].action;
	}
	return to;
}

// What is written: the names, and the patterns as a book that the set keeps.
static void tables_describe(const struct load_tables *tables, struct gen *gen)
{
	gen->names = tables->names;
	gen->names_size = fqdn_table_size(gen->names);
	gen->patterns = (void *)(uintptr_t)pattern_set_book(tables->patterns, &gen->patterns_size);
}

static int compile(const struct conf *conf, const char *output)
{
	static struct load_list lists[POLICY_LISTS_MAX];
	struct load_tables tables = {.lists = lists};
	char error[CONF_ERROR_SIZE] = "";
	bool terminal = isatty(STDERR_FILENO);
	// As with reloads: a feed that broke must not take the place of one that works.
	const struct load_options options = {.strict = access(output, F_OK) == 0,
		.progress = terminal ? progress_show : NULL,
		.compiling = terminal ? compiling_show : NULL};
	double start = seconds_now();
	struct gen gen = {.created = time(NULL), .n_lists = conf->policy.n_lists};
	int64_t bytes = -1;
	int err = LIST_USAGE;

	if (load_lists(conf, &options, &tables, error) == 0) {
		err = LIST_FAILED;
		tables_describe(&tables, &gen);
		gen.lists = lists_describe(conf, lists);
		step_show(terminal, "writing");
		if (gen.lists)
			bytes = gen_write(output, &gen, error);
		else
			snprintf(error, sizeof(error), "out of memory");
	}
	step_show(terminal, "");
	if (bytes >= 0) {
		err = LIST_DONE;
		summary_print(conf, lists, output, &gen, (uint64_t)bytes, seconds_now() - start);
	} else {
		log_line(LOG_ERROR, "%s", error);
	}
	gen.patterns = NULL;
	gen_close(&gen);
	pattern_set_free(tables.patterns);
	return err;
}

int compile_run(const struct list_args *args)
{
	char error[CONF_ERROR_SIZE];
	const char *output;
	struct conf *conf;
	int err = LIST_USAGE;

	if (!args->config) {
		log_line(LOG_ERROR, "compile: expected --config FILE (see --help)");
		return LIST_USAGE;
	}
	conf = conf_load_sources(args->config, error);
	if (!conf) {
		log_line(LOG_ERROR, "%s", error);
		return LIST_USAGE;
	}
	output = args->output ? args->output : conf->compiled;
	if (*output)
		err = compile(conf, output);
	else
		log_line(LOG_ERROR,
			"compile: expected -o OUT, or the key compiled in [lists] of %s",
			args->config);
	conf_free(conf);
	return err;
}
