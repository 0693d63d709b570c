/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/load_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/block.h"
#include "base/crew.h"
#include "base/log.h"
#include "list/list.h"

#define BAD_LINES_LOGGED 20 // of one file; the count has them all

void load_bad_line(void *ctx, unsigned line, const char *what)
{
	struct load_bad *bad = ctx;

	// Most are told in order; those that are found when names meet come later.
	if (bad->n++ == 0 || line < bad->first_line) {
		snprintf(bad->first, LOAD_BAD_SIZE, "%s:%u: %s", bad->path, line, what);
		bad->first_line = line;
	}
	if (bad->n <= BAD_LINES_LOGGED)
		log_line(LOG_WARN, "%s:%u: %s; line skipped", bad->path, line, what);
	else if (bad->n == BAD_LINES_LOGGED + 1)
		log_line(LOG_WARN, "%s: more bad lines, not shown; all are counted", bad->path);
}

void load_source_bad_line(void *ctx, unsigned line, const char *what)
{
	load_bad_line(&((struct load_source *)ctx)->bad, line, what);
}

static int entry_add(void *ctx, unsigned lane, const struct list_entry *entry)
{
	static_assert((int)LIST_EXACT == FQDN_EXACT && (int)LIST_BELOW == FQDN_BELOW &&
			      (int)LIST_SUBTREE == FQDN_SUBTREE,
		"scopes are handed through");
	static_assert(LIST_NAME_AHEAD >= FQDN_NAME_AHEAD, "names are handed through");
	const struct load_source *source = ctx;
	struct fqdn_rule rule = source->rule;

	rule.first_day = entry->first_day;
	rule.last_day = entry->last_day;
	rule.scope = entry->scope;
	return fqdn_lane_add(fqdn_builder_lane(source->builder, lane), entry->name,
		entry->name_size, &rule, entry->id, entry->line);
}

static void reading_tell(void *ctx, uint64_t good, uint64_t done, uint64_t size)
{
	const struct load_source *source = ctx;
	const struct load_progress progress = {
		.phase = "reading",
		.list = source->conf->policy.lists[source->number].name,
		.names = good,
		.percent = size > 0 ? (unsigned)(done * 100 / size) : 100,
	};

	source->options->progress(source->options->ctx, &progress);
}

static void phase_tell(const struct load_options *options, const char *phase)
{
	const struct load_progress progress = {.phase = phase, .list = ""};

	if (options->progress)
		options->progress(options->ctx, &progress);
}

static enum list_format list_format_of(enum conf_format format)
{
	return format == CONF_FORMAT_CATALOGUE ? LIST_CATALOGUE
	       : format == CONF_FORMAT_NAMES   ? LIST_NAMES
					       : LIST_AUTO;
}

// What reading a source came to: 0, or -errno with error.
static int source_judge(const struct load_source *source, int err, char *error)
{
	const struct conf_list *list = &source->conf->lists[source->number];
	const char *name = source->conf->policy.lists[source->number].name;

	if (err == -EBADMSG) {
		snprintf(error, LOAD_ERROR_SIZE, "%s", source->state->first_bad);
		return err;
	}
	if (err < 0) {
		snprintf(error, LOAD_ERROR_SIZE, "%s:%u: [list %s] source: cannot read %s: %s",
			source->conf->path, list->source_line, name, list->source, strerror(-err));
		return err;
	}
	// A feed that broke must not switch filtering off; an operator may start with an empty one.
	if (source->state->names == 0 && (source->options->strict || source->bad.n > 0)) {
		snprintf(error, LOAD_ERROR_SIZE, "%s: no good line in it%s%s", list->source,
			source->bad.n ? "; first bad one: " : "", source->state->first_bad);
		return -ENODATA;
	}
	if (source->state->names == 0)
		log_line(LOG_WARN, "list %s: %s has no names", name, list->source);
	return 0;
}

static int source_read(struct load_source *source, unsigned lanes, char *error)
{
	const struct conf_list *list = &source->conf->lists[source->number];
	const struct list_options options = {list_format_of(list->format), list->min_labels, lanes};
	const struct list_sink sink = {source, entry_add, load_source_bad_line,
		source->options->progress ? reading_tell : NULL};
	struct list_counts counts = {0};
	struct stat st;
	int err;

	if (list->format == CONF_FORMAT_BUILT_IN)
		return load_canary(source);
	// Asked before it is read: a file that changes meanwhile counts as the older one.
	source->state->mtime = stat(list->source, &st) == 0 ? st.st_mtime : 0;
	source->state->names = 0;
	if (list->format == CONF_FORMAT_PATTERN) {
		err = load_patterns_read(source);
	} else {
		err = list_read(list->source, &options, &sink, &counts);
		source->state->names = counts.good;
	}
	return source_judge(source, err, error);
}
// What all lists came to together: rules that there is no more room for are bad lines as well.
static int sources_gather(struct load_source *sources, unsigned n, struct fqdn_builder *builder)
{
	const struct fqdn_refused *refused;
	size_t n_refused;
	int err = fqdn_builder_gather(builder, crew_size(), &refused, &n_refused);

	for (size_t i = 0; err == 0 && i < n_refused; i++) {
		struct load_source *source = &sources[refused[i].list];

		load_bad_line(&source->bad, refused[i].line,
			"expected at most 64 different rules for one name");
		source->state->names--;
	}
	for (unsigned i = 0; i < n; i++) {
		sources[i].state->bad = sources[i].bad.n;
		if (err == 0 && sources[i].bad.n > 0)
			log_line(LOG_WARN, "list %s: %llu bad lines of %s skipped",
				sources[i].conf->policy.lists[i].name,
				(unsigned long long)sources[i].bad.n, sources[i].bad.path);
	}
	return err;
}

static struct load_source *sources_describe(const struct conf *conf,
	const struct load_options *options, struct fqdn_builder *builder,
	struct pattern_builder *patterns, struct load_list *lists)
{
	static const enum fqdn_verdict verdicts[POLICY_ACTIONS] = {[POLICY_SINKHOLE] = FQDN_BLOCK,
		[POLICY_LOG] = FQDN_LOG,
		[POLICY_ALLOW] = FQDN_ALLOW,
		[POLICY_NXDOMAIN] = FQDN_BLOCK,
		[POLICY_NODATA] = FQDN_BLOCK,
		[POLICY_DROP] = FQDN_BLOCK,
		[POLICY_TCP_ONLY] = FQDN_BLOCK};
	struct load_source *sources = calloc(conf->policy.n_lists + 1u, sizeof(*sources));

	for (unsigned i = 0; sources && i < conf->policy.n_lists; i++)
		sources[i] = (struct load_source){
			.options = options,
			.conf = conf,
			.number = i,
			.builder = builder,
			.patterns = patterns,
			.rule = {.list = (uint16_t)i,
				.verdict =
					conf->policy.lists[i].canary
						? FQDN_ALLOW
						: (uint8_t)verdicts[conf->policy.lists[i].action]},
			.bad = {.path = conf->lists[i].source, .first = lists[i].first_bad},
			.state = &lists[i],
		};
	return sources;
}

static int tables_build(const struct conf *conf, const struct load_options *options,
	struct load_source *sources, struct fqdn_builder *builder, struct load_tables *tables,
	char *error)
{
	unsigned lanes = crew_size();
	int err = fqdn_builder_lanes(builder, lanes);

	for (unsigned i = 0; err == 0 && i < conf->policy.n_lists; i++)
		err = source_read(&sources[i], lanes, error);
	if (err == 0) {
		phase_tell(options, "building");
		err = sources_gather(sources, conf->policy.n_lists, builder);
	}
	if (err == -ENOMEM)
		snprintf(error, LOAD_ERROR_SIZE, "table of names: %s", strerror(ENOMEM));
	if (err == 0) {
		tables->names = fqdn_builder_finish(builder);
		if (!tables->names) {
			err = -errno;
			snprintf(error, LOAD_ERROR_SIZE, "table of names: %s", strerror(errno));
		}
	}
	return err;
}

int load_lists(const struct conf *conf, const struct load_options *options,
	struct load_tables *tables, char *error)
{
	struct fqdn_builder *builder = fqdn_builder_create();
	struct pattern_builder *patterns = pattern_builder_create();
	struct load_source *sources =
		sources_describe(conf, options, builder, patterns, tables->lists);
	int err = -ENOMEM;

	tables->names = NULL;
	tables->patterns = NULL;
	if (builder && patterns && sources)
		err = tables_build(conf, options, sources, builder, tables, error);
	else
		snprintf(error, LOAD_ERROR_SIZE, "table of names: %s", strerror(ENOMEM));
	fqdn_builder_destroy(builder);
	free(sources);
	if (err == 0) {
		err = load_patterns_compile(conf, options, patterns, tables, error);
		if (err < 0) {
			block_free(tables->names, fqdn_table_size(tables->names));
			tables->names = NULL;
		}
	}
	pattern_builder_destroy(patterns);
	return err;
}
