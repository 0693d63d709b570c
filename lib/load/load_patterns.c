/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "load/load_private.h"

#define PROGRESS_PATTERNS 256 // good lines between two calls

static int pattern_add(void *ctx, const struct pattern *from)
{
	struct load_source *source = ctx;
	struct fqdn_rule rule = source->rule;
	struct load_progress progress = {
		.phase = "reading", .list = source->conf->policy.lists[source->number].name};
	struct pattern pattern = *from;
	int64_t id = fqdn_builder_id(source->builder, source->number, from->id), number;
	int err;

	if (id < 0)
		return (int)id;
	rule.first_day = 0;
	rule.last_day = UINT16_MAX;
	rule.scope = FQDN_PATTERN;
	rule.id = (uint32_t)id;
	number = fqdn_builder_add_rule(source->builder, &rule);
	if (number < 0)
		return (int)number;
	pattern.rule = (uint32_t)number;
	err = pattern_builder_add(source->patterns, &pattern);
	if (err < 0)
		return err;
	progress.names = ++source->state->names;
	if (progress.names % PROGRESS_PATTERNS == 0 && source->options->progress)
		source->options->progress(source->options->ctx, &progress);
	return 0;
}

int load_patterns_read(struct load_source *source)
{
	const struct pattern_sink sink = {source, pattern_add, load_source_bad_line};

	return pattern_read(source->bad.path, &sink);
}

// What Hyperscan says of them all, or of one of them.
struct refusal {
	int64_t at;
	char reason[PATTERN_ERROR_SIZE];
};

// An expression is at fault that looked good when it was read alone.
static int pattern_refuse(const struct conf *conf, struct pattern_builder *patterns,
	const struct refusal *refusal, struct load_tables *tables, char *error)
{
	char what[PATTERN_ERROR_SIZE + 128];
	struct load_list *state;
	struct load_bad bad;
	struct pattern pattern;
	unsigned list;

	pattern_builder_get(patterns, (uint32_t)refusal->at, &pattern);
	list = fqdn_table_rule(tables->names, pattern.rule)->list;
	state = &tables->lists[list];
	bad = (struct load_bad){
		.path = conf->lists[list].source, .first = state->first_bad, .n = state->bad};
	snprintf(what, sizeof(what), "expected an expression that Hyperscan takes (%s)",
		refusal->reason);
	load_bad_line(&bad, pattern.line, what);
	state->bad = bad.n;
	pattern_builder_drop(patterns, (uint32_t)refusal->at);
	if (--state->names > 0)
		return 0;
	snprintf(error, LOAD_ERROR_SIZE, "%s: no good line in it; first bad one: %s", bad.path,
		state->first_bad);
	return -ENODATA;
}

int load_patterns_compile(const struct conf *conf, const struct load_options *options,
	struct pattern_builder *patterns, struct load_tables *tables, char *error)
{
	struct refusal refusal;
	int err = 0;

	while (err == 0 && pattern_builder_count(patterns) > 0 && !tables->patterns) {
		if (options->compiling)
			options->compiling(options->ctx, pattern_builder_count(patterns));
		tables->patterns = pattern_builder_finish(patterns, &refusal.at, refusal.reason);
		if (tables->patterns)
			break;
		if (refusal.at >= 0) {
			err = pattern_refuse(conf, patterns, &refusal, tables, error);
		} else {
			snprintf(error, LOAD_ERROR_SIZE, "patterns of all lists together: %s",
				refusal.reason);
			err = -EINVAL;
		}
	}
	return err;
}
