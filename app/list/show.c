/* SPDX-License-Identifier: BSD-3-Clause */
#include "list_app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "dns/dns_name.h"
#include "list/list.h"

int generation_open(const char *path, struct gen *gen)
{
	char error[GEN_ERROR_SIZE];
	int err = gen_open(path, gen, error);

	if (err < 0)
		log_line(LOG_ERROR, "%s", error);
	return err < 0 ? -1 : 0;
}

const char *scope_mark(unsigned scope)
{
	return scope == FQDN_BELOW ? "*." : scope == FQDN_SUBTREE ? "." : "";
}

static const char *moment(int64_t seconds, char text[32])
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (!localtime_r(&time, &tm) || strftime(text, 32, "%F %T %z", &tm) == 0)
		strcpy(text, "?");
	return text;
}

static uint16_t day_of(const struct list_args *args)
{
	return args->day >= 0 ? (uint16_t)args->day : list_day_of(time(NULL));
}

// Patterns have no dates.
static void patterns_count(const struct gen *gen, uint64_t *active)
{
	for (uint32_t i = 0; gen->patterns && i < pattern_book_count(gen->patterns); i++) {
		struct pattern pattern;

		pattern_book_get(gen->patterns, i, &pattern);
		active[fqdn_table_rule(gen->names, pattern.rule)->list]++;
	}
}

int show_run(const struct list_args *args)
{
	static uint64_t active[POLICY_LISTS_MAX];
	char text[32];
	struct gen gen;

	if (generation_open(args->words[0], &gen) < 0)
		return LIST_USAGE;
	fqdn_table_count_active(gen.names, day_of(args), active, gen.n_lists);
	printf("file              %s\nversion           %u\ncompiled          %s\n", args->words[0],
		GEN_VERSION, moment(gen.created, text));
	printf("bytes             %" PRIu64 "\nbytes per worker  %zu\nnames             %" PRIu64
	       "\nlists             %u\n",
		gen.file_size, fqdn_table_worker_size(gen.names), fqdn_table_names(gen.names),
		gen.n_lists);
	if (gen.patterns)
		printf("patterns          %" PRIu32 "\n", pattern_book_count(gen.patterns));
	patterns_count(&gen, active);
	for (unsigned i = 0; i < gen.n_lists; i++) {
		const struct gen_list *list = &gen.lists[i];

		printf("\nlist %s\n  action          %s\n  source          %s\n  changed         "
		       "%s\n",
			list->name, policy_action_name(list->action), list->source,
			moment(list->mtime, text));
		printf("  good lines      %" PRIu64 "\n  active today    %" PRIu64
		       "\n  bad lines       %" PRIu64 "\n",
			list->good, active[i], list->bad);
		if (list->first_bad[0])
			printf("  first bad line  %s\n", list->first_bad);
	}
	gen_close(&gen);
	return LIST_DONE;
}

static void rule_print(
	const struct gen *gen, const char *what, const struct fqdn_rule *rule, const char *entry)
{
	const struct gen_list *list = &gen->lists[rule->list];
	char first[11], last[11];

	printf("  %-8s list %s, action %s, %s", what, list->name, policy_action_name(list->action),
		entry ? "rule " : "");
	if (entry && rule->scope == FQDN_PATTERN)
		printf("/%s/", entry);
	else if (entry)
		printf("%s%s", scope_mark(rule->scope), entry);
	else
		printf("%s", rule->scope == FQDN_EXACT     ? "this name"
			     : rule->scope == FQDN_BELOW   ? "names below"
			     : rule->scope == FQDN_PATTERN ? "a pattern"
							   : "a subtree");
	if (*fqdn_table_id(gen->names, rule))
		printf(", id %s", fqdn_table_id(gen->names, rule));
	if (*list_day_format(rule->first_day, first))
		printf(", from %s", first);
	if (*list_day_format(rule->last_day, last))
		printf(", to %s", last);
	putchar('\n');
}

// Every rule of the name and its suffixes, also those that are not active on the day.
static void rules_print(const struct gen *gen, const struct dns_labels *labels)
{
	for (unsigned i = 0; i < labels->n; i++) {
		const uint8_t *suffix = labels->msg + labels->at[i];
		const struct fqdn_rule *rules[FQDN_RULES_MAX];
		unsigned n = fqdn_table_rules(gen->names, suffix, rules);
		char text[DNS_NAME_TEXT_SIZE];

		dns_name_format(suffix, text);
		for (unsigned j = 0; j < n; j++)
			if (i > 0 ? rules[j]->scope != FQDN_EXACT : rules[j]->scope != FQDN_BELOW)
				rule_print(gen, "met", rules[j], text);
	}
}

// A generation and what scans its patterns.
struct explaining {
	const struct gen *gen;
	struct pattern_scan *scan; // NULL: it has none
	uint16_t today;
};

static void pattern_print(void *ctx, uint32_t i)
{
	const struct explaining *with = ctx;
	struct pattern pattern;

	pattern_book_get(with->gen->patterns, i, &pattern);
	rule_print(with->gen, "met", fqdn_table_rule(with->gen->names, pattern.rule),
		pattern.expression);
}

static int explain(struct explaining *with, const char *text)
{
	const struct gen *gen = with->gen;
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct fqdn_match match = {0};
	struct dns_labels labels;
	enum list_scope scope;
	bool hit;
	const char *error = "";
	int size = list_name_parse(text, strlen(text), name, &scope, &error);

	if (size < 0 || scope != LIST_EXACT) {
		log_line(LOG_ERROR, "\"%s\": %s", text, size < 0 ? error : "expected a plain name");
		return LIST_USAGE;
	}
	dns_name_labels(name, &labels);
	hit = fqdn_lookup(gen->names, &labels, with->today, &match);
	if (with->scan)
		hit = pattern_match_one(with->scan, gen->names, &labels, &match, hit);
	if (!hit)
		match = (struct fqdn_match){0};
	printf("%s: %s\n", text,
		match.block        ? "filtered"
		: match.log        ? "logged"
		: match.suppressed ? "allowed"
				   : "not listed");
	if (match.block || match.log)
		rule_print(gen, "by", match.block ? match.block : match.log, NULL);
	if (match.allow)
		rule_print(gen, "allowed", match.allow, NULL);
	rules_print(gen, &labels);
	if (with->scan)
		pattern_match_each(with->scan, &labels, pattern_print, with);
	return LIST_DONE;
}

int explain_run(const struct list_args *args)
{
	char error[PATTERN_ERROR_SIZE] = "out of memory";
	struct explaining with = {.today = day_of(args)};
	struct pattern_set *set = NULL;
	int err = LIST_DONE;
	struct gen gen;
	int64_t at;

	if (generation_open(args->words[0], &gen) < 0)
		return LIST_USAGE;
	with.gen = &gen;
	if (gen.patterns) {
		set = pattern_set_open(gen.patterns, &at, error);
		with.scan = set ? pattern_scan_create(set, -1) : NULL;
		if (!with.scan) {
			log_line(LOG_ERROR, "%s: patterns: %s", args->words[0], error);
			err = LIST_USAGE;
		}
	}
	for (int i = 1; i < args->n && (with.scan || !gen.patterns); i++)
		if (explain(&with, args->words[i]) != LIST_DONE)
			err = LIST_USAGE;
	pattern_scan_free(with.scan);
	pattern_set_free(set);
	gen_close(&gen);
	return err;
}
