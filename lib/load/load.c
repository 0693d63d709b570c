/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/load.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "list/list.h"

#define BAD_LINES_LOGGED 20    // of one file; the count has them all
#define PROGRESS_LINES   65536 // good lines between two calls

// Where the lines of one file go.
struct reading {
	const char *path;
	struct fqdn_builder *builder;
	struct fqdn_rule rule; // list and verdict of the file; the rest is per entry
	const struct load_options *options;
	const char *list;
	uint64_t good, bad;
	char *first_bad;
	size_t first_bad_size;
};

static void bad_line(void *ctx, unsigned line, const char *what)
{
	struct reading *reading = ctx;

	if (reading->bad++ == 0)
		snprintf(reading->first_bad, reading->first_bad_size, "%s:%u: %s", reading->path,
			line, what);
	if (reading->bad <= BAD_LINES_LOGGED)
		log_line(LOG_WARN, "%s:%u: %s; line skipped", reading->path, line, what);
	else if (reading->bad == BAD_LINES_LOGGED + 1)
		log_line(LOG_WARN, "%s: more bad lines, not shown; all are counted", reading->path);
}

static int entry_add(void *ctx, const struct list_entry *entry)
{
	static_assert((int)LIST_EXACT == FQDN_EXACT && (int)LIST_BELOW == FQDN_BELOW &&
			      (int)LIST_SUBTREE == FQDN_SUBTREE,
		"scopes are handed through");
	struct reading *reading = ctx;
	int64_t id = fqdn_builder_id(reading->builder, entry->id);
	int added;

	if (id < 0)
		return (int)id;
	reading->rule.first_day = entry->first_day;
	reading->rule.last_day = entry->last_day;
	reading->rule.scope = entry->scope;
	reading->rule.id = (uint32_t)id;
	added = fqdn_builder_add(reading->builder, entry->name, entry->name_size, &reading->rule);
	if (added == -E2BIG) {
		bad_line(ctx, entry->line, "expected at most 64 different rules for one name");
		return 0;
	}
	if (++reading->good % PROGRESS_LINES == 0 && reading->options->progress)
		reading->options->progress(reading->options->ctx, reading->list, reading->good);
	return added < 0 ? added : 0;
}

static enum list_format list_format_of(enum conf_format format)
{
	return format == CONF_FORMAT_CATALOGUE ? LIST_CATALOGUE
	       : format == CONF_FORMAT_NAMES   ? LIST_NAMES
					       : LIST_AUTO;
}

static int list_load(const struct conf *conf, unsigned i, const struct load_options *how,
	struct fqdn_builder *builder, struct load_list *state, char *error)
{
	static const enum fqdn_verdict verdicts[POLICY_ACTIONS] = {[POLICY_SINKHOLE] = FQDN_BLOCK,
		[POLICY_LOG] = FQDN_LOG,
		[POLICY_ALLOW] = FQDN_ALLOW};
	const struct conf_list *list = &conf->lists[i];
	const struct list_options options = {list_format_of(list->format), list->min_labels};
	struct reading reading = {
		.path = list->source,
		.builder = builder,
		.rule = {.list = (uint16_t)i,
			.verdict = (uint8_t)verdicts[conf->policy.lists[i].action]},
		.options = how,
		.list = conf->policy.lists[i].name,
		.first_bad = state->first_bad,
		.first_bad_size = sizeof(state->first_bad),
	};
	const struct list_sink sink = {&reading, entry_add, bad_line};
	struct list_counts counts = {0};
	struct stat st;
	int err;

	// Asked before it is read: a file that changes meanwhile counts as the older one.
	state->mtime = stat(list->source, &st) == 0 ? st.st_mtime : 0;
	err = list_read(list->source, &options, &sink, &counts);
	state->names = counts.good;
	state->bad = reading.bad;
	if (err == -EBADMSG) {
		snprintf(error, LOAD_ERROR_SIZE, "%s", state->first_bad);
		return err;
	}
	if (err < 0) {
		snprintf(error, LOAD_ERROR_SIZE, "%s:%u: [list %s] source: cannot read %s: %s",
			conf->path, list->source_line, conf->policy.lists[i].name, list->source,
			strerror(-err));
		return err;
	}
	// A feed that broke must not switch filtering off; an operator may start with an empty one.
	if (counts.good == 0 && (how->strict || reading.bad > 0)) {
		snprintf(error, LOAD_ERROR_SIZE, "%s: no good line in it%s%s", list->source,
			reading.bad ? "; first bad one: " : "", state->first_bad);
		return -ENODATA;
	}
	if (counts.good == 0)
		log_line(LOG_WARN, "list %s: %s has no names", conf->policy.lists[i].name,
			list->source);
	if (reading.bad > 0)
		log_line(LOG_WARN, "list %s: %llu bad lines of %s skipped",
			conf->policy.lists[i].name, (unsigned long long)reading.bad, list->source);
	return 0;
}

struct consent_table *load_consent(
	const struct conf *conf, size_t *size, uint64_t *bad, char *error)
{
	char first_bad[256] = "";
	struct reading reading = {
		.path = conf->consent_source,
		.first_bad = first_bad,
		.first_bad_size = sizeof(first_bad),
	};
	struct consent_rules rules = {0};
	struct consent_counts counts = {0};
	struct consent_table *table = NULL;
	int err = 0;

	if (conf->consent_source[0])
		err = consent_read(conf->consent_source, &rules, bad_line, &reading, &counts);
	if (err == -EBADMSG) {
		snprintf(error, LOAD_ERROR_SIZE, "%s", first_bad);
	} else if (err < 0) {
		snprintf(error, LOAD_ERROR_SIZE, "%s:%u: [consent] source: cannot read %s: %s",
			conf->path, conf->consent_source_line, conf->consent_source,
			strerror(-err));
	} else if (counts.good == 0 && reading.bad > 0) {
		snprintf(error, LOAD_ERROR_SIZE, "%s: no good line in it; first bad one: %s",
			conf->consent_source, first_bad);
	} else {
		table = consent_table_build(rules.rules, rules.n, size);
		if (!table)
			snprintf(error, LOAD_ERROR_SIZE, "consent table of %zu prefixes: %s",
				rules.n, strerror(errno));
	}
	*bad = reading.bad;
	consent_rules_free(&rules);
	return table;
}

struct fqdn_table *load_names(const struct conf *conf, const struct load_options *options,
	struct load_list *lists, char *error)
{
	struct fqdn_builder *builder = fqdn_builder_create();
	struct fqdn_table *names = NULL;
	int err = builder ? 0 : -ENOMEM;

	for (unsigned i = 0; err == 0 && i < conf->policy.n_lists; i++)
		err = list_load(conf, i, options, builder, &lists[i], error);
	if (err == -ENOMEM)
		snprintf(error, LOAD_ERROR_SIZE, "table of names: %s", strerror(ENOMEM));
	if (err == 0) {
		names = fqdn_builder_finish(builder);
		if (!names)
			snprintf(error, LOAD_ERROR_SIZE, "table of names: %s", strerror(errno));
	}
	fqdn_builder_destroy(builder);
	return names;
}
