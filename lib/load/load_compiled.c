/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "gen/gen.h"
#include "load/load.h"

static_assert(LOAD_ERROR_SIZE >= GEN_ERROR_SIZE, "errors are handed through");
static_assert(sizeof(((struct load_list *)0)->first_bad) == GEN_BAD_SIZE, "handed through");
static_assert(CONF_PATH_SIZE == GEN_SOURCE_SIZE, "handed through");

// Rules name their lists by number, so the lists of both must be the same ones.
static int lists_compare(const struct conf *conf, const struct gen *gen, char *error)
{
	const struct policy *policy = &conf->policy;

	for (unsigned i = 0; i < gen->n_lists && i < policy->n_lists; i++) {
		const struct policy_list *list = &policy->lists[i];
		const struct gen_list *other = &gen->lists[i];

		// What becomes of canary names is not in the rules.
		if (strcmp(list->name, other->name) == 0 &&
			(list->action == other->action || list->canary))
			continue;
		snprintf(error, LOAD_ERROR_SIZE,
			"%s: expected list %u to be %s with action %s as in %s, got %s with action "
			"%s; "
			"compile the lists again",
			conf->compiled, i + 1, list->name, policy_action_name(list->action),
			conf->path, other->name, policy_action_name(other->action));
		return -EINVAL;
	}
	if (gen->n_lists == policy->n_lists)
		return 0;
	snprintf(error, LOAD_ERROR_SIZE,
		"%s: expected as many lists as in %s (%u), got %u; compile the lists again",
		conf->compiled, conf->path, policy->n_lists, gen->n_lists);
	return -EINVAL;
}

static void lists_fill(const struct gen *gen, struct load_list *lists)
{
	for (unsigned i = 0; i < gen->n_lists; i++) {
		lists[i].names = gen->lists[i].good;
		lists[i].bad = gen->lists[i].bad;
		lists[i].mtime = gen->lists[i].mtime;
		memcpy(lists[i].first_bad, gen->lists[i].first_bad, sizeof(lists[i].first_bad));
		if (lists[i].bad > 0)
			log_line(LOG_WARN, "list %s: %llu bad lines skipped when it was compiled",
				gen->lists[i].name, (unsigned long long)lists[i].bad);
	}
}

static int patterns_open(const struct conf *conf, const struct load_options *options,
	const struct gen *gen, struct load_tables *tables, char *error)
{
	char reason[PATTERN_ERROR_SIZE];
	int64_t at;

	tables->patterns = NULL;
	if (!gen->patterns)
		return 0;
	if (options->compiling)
		options->compiling(options->ctx, pattern_book_count(gen->patterns));
	tables->patterns = pattern_set_open(gen->patterns, &at, reason);
	if (tables->patterns)
		return 0;
	snprintf(error, LOAD_ERROR_SIZE,
		"%s: expected patterns that Hyperscan takes (%s); compile the lists again",
		conf->compiled, reason);
	return -EINVAL;
}

int load_compiled(const struct conf *conf, const struct load_options *options,
	struct load_tables *tables, char *error)
{
	struct gen gen;
	int err = gen_open(conf->compiled, &gen, error);

	if (err < 0)
		return err;
	err = lists_compare(conf, &gen, error);
	if (err == 0)
		err = patterns_open(conf, options, &gen, tables, error);
	if (err == 0) {
		lists_fill(&gen, tables->lists);
		tables->names = gen.names;
		gen.names = NULL;
	}
	gen_close(&gen);
	return err;
}
