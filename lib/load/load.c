/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/load_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/block.h"
#include "base/log.h"
#include "list/list.h"

#define BAD_LINES_LOGGED 20    // of one file; the count has them all
#define PROGRESS_LINES   65536 // good lines between two calls

void load_bad_line(void *ctx, unsigned line, const char *what)
{
	struct load_reading *reading = ctx;

	if (reading->bad++ == 0)
		snprintf(reading->first_bad, reading->first_bad_size, "%s:%u: %s", reading->path,
			line, what);
	if (reading->bad <= BAD_LINES_LOGGED)
		log_line(LOG_WARN, "%s:%u: %s; line skipped", reading->path, line, what);
	else if (reading->bad == BAD_LINES_LOGGED + 1)
		log_line(LOG_WARN, "%s: more bad lines, not shown; all are counted", reading->path);
}

static int entry_add(void *ctx, unsigned lane, const struct list_entry *entry)
{
	static_assert((int)LIST_EXACT == FQDN_EXACT && (int)LIST_BELOW == FQDN_BELOW &&
			      (int)LIST_SUBTREE == FQDN_SUBTREE,
		"scopes are handed through");
	struct load_reading *reading = ctx;
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
		load_bad_line(ctx, entry->line, "expected at most 64 different rules for one name");
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

// @return as list_read
static int source_read(const struct conf_list *list, struct load_reading *reading, uint64_t *good)
{
	const struct list_options options = {list_format_of(list->format), list->min_labels};
	const struct list_sink sink = {reading, entry_add, load_bad_line};
	struct list_counts counts = {0};
	int err;

	if (list->format == CONF_FORMAT_PATTERN) {
		err = load_patterns_read(reading);
		*good = reading->good;
	} else {
		err = list_read(list->source, &options, &sink, &counts);
		*good = counts.good;
	}
	return err;
}

// What reading a source came to: 0, or -errno with error.
static int source_judge(const struct conf *conf, unsigned i, int err, bool strict,
	const struct load_list *state, char *error)
{
	const struct conf_list *list = &conf->lists[i];
	const char *name = conf->policy.lists[i].name;

	if (err == -EBADMSG) {
		snprintf(error, LOAD_ERROR_SIZE, "%s", state->first_bad);
		return err;
	}
	if (err < 0) {
		snprintf(error, LOAD_ERROR_SIZE, "%s:%u: [list %s] source: cannot read %s: %s",
			conf->path, list->source_line, name, list->source, strerror(-err));
		return err;
	}
	// A feed that broke must not switch filtering off; an operator may start with an empty one.
	if (state->names == 0 && (strict || state->bad > 0)) {
		snprintf(error, LOAD_ERROR_SIZE, "%s: no good line in it%s%s", list->source,
			state->bad ? "; first bad one: " : "", state->first_bad);
		return -ENODATA;
	}
	if (state->names == 0)
		log_line(LOG_WARN, "list %s: %s has no names", name, list->source);
	if (state->bad > 0)
		log_line(LOG_WARN, "list %s: %llu bad lines of %s skipped", name,
			(unsigned long long)state->bad, list->source);
	return 0;
}

static int list_load(const struct conf *conf, unsigned i, struct load_reading *reading,
	struct load_list *state, char *error)
{
	static const enum fqdn_verdict verdicts[POLICY_ACTIONS] = {[POLICY_SINKHOLE] = FQDN_BLOCK,
		[POLICY_LOG] = FQDN_LOG,
		[POLICY_ALLOW] = FQDN_ALLOW};
	const struct conf_list *list = &conf->lists[i];
	struct stat st;
	int err;

	reading->path = list->source;
	reading->list = conf->policy.lists[i].name;
	reading->rule = (struct fqdn_rule){
		.list = (uint16_t)i, .verdict = (uint8_t)verdicts[conf->policy.lists[i].action]};
	reading->good = reading->bad = 0;
	reading->first_bad = state->first_bad;
	reading->first_bad_size = sizeof(state->first_bad);
	// Asked before it is read: a file that changes meanwhile counts as the older one.
	state->mtime = stat(list->source, &st) == 0 ? st.st_mtime : 0;
	err = source_read(list, reading, &state->names);
	state->bad = reading->bad;
	return source_judge(conf, i, err, reading->options->strict, state, error);
}

struct consent_table *load_consent(
	const struct conf *conf, size_t *size, uint64_t *bad, char *error)
{
	char first_bad[256] = "";
	struct load_reading reading = {
		.path = conf->consent_source,
		.first_bad = first_bad,
		.first_bad_size = sizeof(first_bad),
	};
	struct consent_rules rules = {0};
	struct consent_counts counts = {0};
	struct consent_table *table = NULL;
	int err = 0;

	if (conf->consent_source[0])
		err = consent_read(conf->consent_source, &rules, load_bad_line, &reading, &counts);
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

int load_lists(const struct conf *conf, const struct load_options *options,
	struct load_tables *tables, char *error)
{
	struct load_reading reading = {.builder = fqdn_builder_create(),
		.patterns = pattern_builder_create(),
		.options = options};
	int err = reading.builder && reading.patterns ? 0 : -ENOMEM;

	tables->names = NULL;
	tables->patterns = NULL;
	for (unsigned i = 0; err == 0 && i < conf->policy.n_lists; i++)
		err = list_load(conf, i, &reading, &tables->lists[i], error);
	if (err == -ENOMEM)
		snprintf(error, LOAD_ERROR_SIZE, "table of names: %s", strerror(ENOMEM));
	if (err == 0) {
		tables->names = fqdn_builder_finish(reading.builder);
		if (!tables->names) {
			err = -errno;
			snprintf(error, LOAD_ERROR_SIZE, "table of names: %s", strerror(errno));
		}
	}
	fqdn_builder_destroy(reading.builder);
	if (err == 0) {
		err = load_patterns_compile(conf, options, reading.patterns, tables, error);
		if (err < 0) {
			block_free(tables->names, fqdn_table_size(tables->names));
			tables->names = NULL;
		}
	}
	pattern_builder_destroy(reading.patterns);
	return err;
}
