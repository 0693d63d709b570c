/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/block.h"
#include "list/list.h"

#define DATE_SIZE 10

struct tables {
	struct policy policy;
	struct policy_sinkhole common;
	struct fqdn_builder *builder;
	struct pattern_builder *patterns;
	struct pattern_set *set;
	struct consent_rules consent;
	struct pipeline_tables tables;
	void *names, *consent_table;
	uint32_t *id_lists, n_ids; // whose each identifier is
	// The list being written: a catalogue in a temporary file, read when the next one opens.
	FILE *file;
	char path[32];
};

_Noreturn static void die(const char *what, const char *text)
{
	fprintf(stderr, "tables: %s: %s\n", what, text);
	abort();
}

struct tables *tables_create(void)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		die("memory", "none");
	t->builder = fqdn_builder_create();
	t->patterns = pattern_builder_create();
	if (!t->builder || !t->patterns)
		die("memory", "none");
	t->policy.n_ports = 1;
	t->policy.ports[0] = 53;
	t->common.ttl_max = 60;
	tables_today(t, "2024-06-15");
	return t;
}

static void built_free(struct tables *t)
{
	free(t->names);
	free(t->consent_table);
	free(t->id_lists);
	free(t->tables.ids);
	t->names = t->consent_table = NULL;
	t->id_lists = NULL;
	t->tables.ids = NULL;
	pattern_scan_free(t->tables.patterns);
	pattern_set_free(t->set);
	t->tables.patterns = NULL;
	t->set = NULL;
}

void tables_destroy(struct tables *t)
{
	if (!t)
		return;
	if (t->file) {
		fclose(t->file);
		unlink(t->path);
	}
	built_free(t);
	fqdn_builder_destroy(t->builder);
	pattern_builder_destroy(t->patterns);
	consent_rules_free(&t->consent);
	free(t);
}

static uint8_t action_verdict(enum policy_action action)
{
	return action == POLICY_LOG ? FQDN_LOG : action == POLICY_ALLOW ? FQDN_ALLOW : FQDN_BLOCK;
}

static uint8_t list_verdict(const struct policy_list *list)
{
	return list->canary ? FQDN_ALLOW : action_verdict(list->action);
}

static int entry_take(void *ctx, unsigned lane, const struct list_entry *entry)
{
	struct tables *t = ctx;
	const struct fqdn_rule rule = {
		.list = (uint16_t)(t->policy.n_lists - 1),
		.first_day = entry->first_day,
		.last_day = entry->last_day,
		.scope = entry->scope,
		.verdict = list_verdict(&t->policy.lists[t->policy.n_lists - 1]),
		.id = (uint32_t)fqdn_builder_id(t->builder, t->policy.n_lists - 1u, entry->id),
	};

	if (fqdn_builder_add(t->builder, entry->name, entry->name_size, &rule) < 0)
		die("fqdn_builder_add", entry->id);
	return 0;
}

static void line_bad(void *ctx, unsigned line, const char *what)
{
	(void)ctx;
	(void)line;
	die("entry", what);
}

// Read what was written to the open list.
static void list_flush(struct tables *t)
{
	const struct list_options options = {LIST_CATALOGUE, 1};
	const struct list_sink sink = {t, entry_take, line_bad};
	struct list_counts counts = {0};

	if (!t->file)
		return;
	fclose(t->file);
	t->file = NULL;
	if (list_read(t->path, &options, &sink, &counts) < 0)
		die("list_read", t->path);
	unlink(t->path);
}

static void list_begin(struct tables *t)
{
	int fd;

	snprintf(t->path, sizeof(t->path), "/tmp/dnsweir-test.XXXXXX");
	fd = mkstemp(t->path);
	t->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!t->file)
		die("temporary file", t->path);
	fprintf(t->file, "id,fqdn,behaviour,start,end\n");
}

void tables_list(struct tables *t, const char *name, enum policy_action action)
{
	struct policy_list *list;

	list_flush(t);
	if (t->policy.n_lists == POLICY_LISTS_MAX)
		die("too many lists", name);
	list = &t->policy.lists[t->policy.n_lists];
	snprintf(list->name, sizeof(list->name), "%s", name);
	list->action = action;
	// Counters have rows of their own, whose order is not that of the lists.
	list->slot = (uint16_t)(POLICY_LISTS_MAX - 1 - t->policy.n_lists++);
}

void tables_canary(struct tables *t, enum policy_action action)
{
	tables_list(t, POLICY_CANARY, action);
	t->policy.lists[t->policy.n_lists - 1].canary = true;
}

void tables_entry(struct tables *t, const char *fqdn, const char *start, const char *end)
{
	if (t->policy.n_lists == 0)
		die("an entry before the first list", fqdn);
	if (!t->file)
		list_begin(t);
	fprintf(t->file, "%s,%s,,%s,%s\n", t->policy.lists[t->policy.n_lists - 1].name, fqdn,
		start ? start : "2000-01-01", end ? end : "");
}

void tables_pattern(struct tables *t, const char *expression)
{
	const struct policy_list *list = &t->policy.lists[t->policy.n_lists - 1];
	const struct fqdn_rule rule = {
		.list = (uint16_t)(t->policy.n_lists - 1),
		.last_day = LIST_DAY_LAST,
		.scope = FQDN_PATTERN,
		.verdict = list_verdict(list),
		.id = (uint32_t)fqdn_builder_id(t->builder, t->policy.n_lists - 1u, list->name),
	};
	int64_t number = fqdn_builder_add_rule(t->builder, &rule);
	const struct pattern pattern = {.expression = expression, .rule = (uint32_t)number};

	if (number < 0 || pattern_builder_add(t->patterns, &pattern) < 0)
		die("memory", "none");
}

void tables_sinkhole(struct tables *t, const char *list, const char *address)
{
	struct policy_sinkhole *sinkhole =
		list ? &t->policy.lists[t->policy.n_lists - 1].sinkhole : &t->common;
	struct addr addr;

	if (addr_parse(address, &addr) < 0 || sinkhole->n_ipv4 == POLICY_SINKHOLES_MAX ||
		sinkhole->n_ipv6 == POLICY_SINKHOLES_MAX)
		die("sinkhole", address);
	if (addr.family == ADDR_IPV4)
		memcpy(sinkhole->ipv4[sinkhole->n_ipv4++], addr.bytes, 4);
	else
		memcpy(sinkhole->ipv6[sinkhole->n_ipv6++], addr.bytes, 16);
}

void tables_consent(struct tables *t, const char *prefix, uint8_t refused)
{
	struct consent_rules *rules = &t->consent;

	rules->rules = realloc(rules->rules, (rules->n + 1) * sizeof(*rules->rules));
	if (!rules->rules || prefix_parse(prefix, &rules->rules[rules->n].prefix) < 0)
		die("consent", prefix);
	rules->rules[rules->n].refused = refused;
	rules->room = ++rules->n;
}

void tables_today(struct tables *t, const char *today)
{
	int day = list_day_parse(today, strlen(today));

	if (day < 0)
		die("date", today);
	t->tables.today = (uint16_t)day;
}

struct policy *tables_policy(struct tables *t)
{
	return &t->policy;
}

void tables_ttl_max(struct tables *t, uint32_t ttl_max)
{
	t->common.ttl_max = ttl_max;
}

// The common sinkhole for a list that has none of its own, as the configuration does it.
static void sinkholes_fill(struct policy *policy, const struct policy_sinkhole *common)
{
	for (unsigned i = 0; i < policy->n_lists; i++) {
		struct policy_sinkhole *own = &policy->lists[i].sinkhole;

		if (policy->lists[i].canary)
			continue;
		if (own->n_ipv4 == 0) {
			memcpy(own->ipv4, common->ipv4, sizeof(own->ipv4));
			own->n_ipv4 = common->n_ipv4;
		}
		if (own->n_ipv6 == 0) {
			memcpy(own->ipv6, common->ipv6, sizeof(own->ipv6));
			own->n_ipv6 = common->n_ipv6;
		}
		own->ttl_max = common->ttl_max;
		if (policy->lists[i].action != POLICY_SINKHOLE)
			policy_sinkhole_fill(own);
	}
}

// Exactly the bytes that may be read, where a sanitizer watches over them.
static void *heap_copy(const void *block, size_t size)
{
	void *copy;

	if (posix_memalign(&copy, 64, size) != 0)
		die("memory", "none");
	return memcpy(copy, block, size);
}

static void patterns_finish(struct tables *t)
{
	char error[PATTERN_ERROR_SIZE];
	int64_t at;

	if (pattern_builder_count(t->patterns) == 0)
		return;
	t->set = pattern_builder_finish(t->patterns, &at, error);
	if (!t->set)
		die("patterns", error);
	t->tables.patterns = pattern_scan_create(t->set, -1);
	if (!t->tables.patterns)
		die("memory", "none");
}

static void ids_finish(struct tables *t, const struct fqdn_table *names)
{
	size_t size;

	t->n_ids = fqdn_table_n_ids(names);
	size = t->n_ids * sizeof(*t->tables.ids);
	t->id_lists = calloc(t->n_ids, sizeof(*t->id_lists));
	if (!t->id_lists || posix_memalign((void **)&t->tables.ids, 64, size) != 0)
		die("memory", "none");
	memset(t->tables.ids, 0, size);
	for (uint32_t i = 0; i < t->n_ids; i++)
		fqdn_table_id_of(names, i, &t->id_lists[i]);
}

void tables_ids_sum(const struct tables *t, struct stats_worker *sum)
{
	for (uint32_t i = 0; i < t->n_ids; i++)
		for (unsigned action = 0; action < POLICY_ACTIONS; action++) {
			uint64_t n = t->tables.ids[i].filtered[action];

			if (n > 0)
				sum->filtered[t->policy.lists[t->id_lists[i]].slot][action] += n;
		}
}

const struct pipeline_tables *tables_finish(struct tables *t)
{
	struct fqdn_table *names;
	struct consent_table *consent;
	size_t consent_size;

	list_flush(t);
	built_free(t);
	sinkholes_fill(&t->policy, &t->common);
	names = fqdn_builder_finish(t->builder);
	consent = consent_table_build(t->consent.rules, t->consent.n, &consent_size);
	if (!names || !consent)
		die("memory", "none");
	ids_finish(t, names);
	t->names = heap_copy(names, fqdn_table_worker_size(names));
	t->consent_table = heap_copy(consent, consent_size);
	block_free(names, fqdn_table_size(names));
	block_free(consent, consent_size);
	patterns_finish(t);
	t->tables.policy = &t->policy;
	t->tables.names = t->names;
	t->tables.consent = t->consent_table;
	return &t->tables;
}
