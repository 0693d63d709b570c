/* SPDX-License-Identifier: BSD-3-Clause */
#include "load/load.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/block.h"
#include "base/log.h"
#include "gen/gen.h"
#include "support/folder.h"

static char folder[] = "/tmp/test_load_XXXXXX";
static char error[LOAD_ERROR_SIZE];
static struct load_list lists[POLICY_LISTS_MAX];

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "w");

	cr_assert(file && fputs(text, file) >= 0);
	fclose(file);
}

static void set_up(void)
{
	log_threshold(LOG_ERROR);
	cr_assert(mkdtemp(folder));
	put("names.txt", "a.example\n*.b.example\nno name\n");
	put("dated.csv", "id,fqdn,behaviour,start,end\nEX-1,c.example,x,2020-01-01,\n");
	put("t.ini", "[lists]\ncompiled = t.gen\n"
		     "[list names]\nsource = names.txt\naction = sinkhole\n"
		     "[list dated]\nsource = dated.csv\naction = log\n");
}

static void tear_down(void)
{
	folder_remove(folder);
}

TestSuite(load, .init = set_up, .fini = tear_down);

static struct conf *conf_open(void)
{
	struct conf *conf = conf_load_sources(in_folder("t.ini"), error);

	cr_assert(conf, "%s", error);
	return conf;
}

// @return the names, NULL with error; there are no patterns
static struct fqdn_table *lists_load(const struct conf *conf, const struct load_options *options)
{
	struct load_tables tables = {.lists = lists};

	return load_lists(conf, options, &tables, error) < 0 ? NULL : tables.names;
}

static struct fqdn_table *compiled_load(const struct conf *conf, struct load_list *to)
{
	const struct load_options options = {0};
	struct load_tables tables = {.lists = to};

	return load_compiled(conf, &options, &tables, error) < 0 ? NULL : tables.names;
}

// What dnsweir-list compile does.
static struct fqdn_table *compiled(const struct conf *conf)
{
	const struct load_options options = {0};
	struct fqdn_table *t = lists_load(conf, &options);
	struct gen_list described[3] = {0};
	struct gen gen = {.n_lists = 3, .lists = described, .names = t};

	cr_assert(t, "%s", error);
	gen.names_size = fqdn_table_size(t);
	for (unsigned i = 0; i < 3; i++) {
		strcpy(described[i].name, conf->policy.lists[i].name);
		strcpy(described[i].first_bad, lists[i].first_bad);
		described[i].action = conf->policy.lists[i].action;
		described[i].good = lists[i].names;
		described[i].bad = lists[i].bad;
	}
	cr_assert(gen_write(conf->compiled, &gen, error) > 0, "%s", error);
	return t;
}

Test(load, a_compiled_file_gives_what_the_sources_gave)
{
	struct conf *conf = conf_open();
	struct fqdn_table *t = compiled(conf), *back;
	struct load_list again[POLICY_LISTS_MAX] = {0};

	unlink(in_folder("names.txt"));
	back = compiled_load(conf, again);
	cr_assert(back, "%s", error);
	cr_assert_eq(fqdn_table_size(back), fqdn_table_size(t));
	cr_assert(memcmp(back, t, fqdn_table_size(t)) == 0);
	cr_assert_eq(again[0].names, 2);
	cr_assert_eq(again[0].bad, 1);
	cr_assert_str_eq(again[0].first_bad, lists[0].first_bad);
	cr_assert(strstr(again[0].first_bad, "names.txt:3: expected "), "%s", again[0].first_bad);
	cr_assert_eq(again[1].names, 1);
	block_free(back, fqdn_table_size(back));
	block_free(t, fqdn_table_size(t));
	conf_free(conf);
}

Test(load, a_configuration_without_lists_has_canary_names_only)
{
	const struct load_options options = {0};
	struct fqdn_table *table;
	struct conf *conf;

	put("t.ini", "[filter]\nports = 53\n");
	conf = conf_open();
	table = lists_load(conf, &options);
	cr_assert(table, "%s", error);
	cr_assert(fqdn_table_names(table) == 4);
	block_free(table, fqdn_table_size(table));
	conf_free(conf);
}

Test(load, lists_that_are_not_those_of_the_configuration_are_refused)
{
	struct conf *conf = conf_open();
	struct fqdn_table *t = compiled(conf);
	struct policy_list *first = &conf->policy.lists[0];
	struct policy_list kept = *first;

	block_free(t, fqdn_table_size(t));
	strcpy(first->name, "other");
	cr_assert_null(compiled_load(conf, lists));
	cr_assert(
		strstr(error, "t.gen: expected list 1 to be other with action sinkhole as in ") &&
			strstr(error, ", got names with action sinkhole; compile the lists again"),
		"%s", error);
	*first = kept;
	first->action = POLICY_ALLOW;
	cr_assert_null(compiled_load(conf, lists));
	cr_assert(strstr(error, "names with action allow as in "), "%s", error);
	*first = conf->policy.lists[1];
	conf->policy.lists[1] = kept;
	cr_assert_null(compiled_load(conf, lists), "another order");
	cr_assert(strstr(error, "expected list 1 to be dated "), "%s", error);
	conf->policy.lists[1] = *first;
	*first = kept;
	conf->policy.n_lists = 1;
	cr_assert_null(compiled_load(conf, lists));
	cr_assert(strstr(error, "t.gen: expected as many lists as in ") &&
			  strstr(error, " (1), got 3; compile the lists again"),
		"%s", error);
	conf_free(conf);
}

Test(load, a_list_without_a_good_line_is_an_error_where_it_is_meant_to_be)
{
	struct load_options options = {0};
	struct fqdn_table *t;
	struct conf *conf;

	put("names.txt", "");
	conf = conf_open();
	t = lists_load(conf, &options);
	cr_assert(t, "%s", error);
	block_free(t, fqdn_table_size(t));
	options.strict = true;
	cr_assert_null(lists_load(conf, &options));
	cr_assert(strstr(error, "names.txt: no good line in it"), "%s", error);
	options.strict = false;
	put("names.txt", "no name\n");
	memset(lists, 0, sizeof(lists));
	cr_assert_null(lists_load(conf, &options));
	cr_assert(strstr(error, "names.txt: no good line in it; first bad one: "), "%s", error);
	conf_free(conf);
}

static void progress_count(void *ctx, const struct load_progress *progress)
{
	if (strcmp(progress->phase, "reading") != 0 || strcmp(progress->list, "names") != 0)
		return;
	cr_assert_gt(progress->names, *(uint64_t *)ctx);
	cr_assert_leq(progress->percent, 100);
	*(uint64_t *)ctx = progress->names;
}

Test(load, progress_is_told_of_long_lists)
{
	FILE *file = fopen(in_folder("names.txt"), "w");
	uint64_t last = 0;
	const struct load_options options = {.ctx = &last, .progress = progress_count};
	struct conf *conf;
	struct fqdn_table *t;

	for (unsigned i = 0; i < 150000; i++)
		fprintf(file, "n%u.example\n", i);
	fclose(file);
	conf = conf_open();
	t = lists_load(conf, &options);
	cr_assert(t, "%s", error);
	cr_assert_geq(last, 100000);
	cr_assert_leq(last, 150000);
	block_free(t, fqdn_table_size(t));
	conf_free(conf);
}

#ifdef DNSWEIR_PATTERNS
static const char patterns_text[] = "# of kits\nEX-1:/^login[0-9]+\\./\nnothing\nEX-2:/kit$/i\n";

static void compiling_note(void *ctx, uint32_t patterns)
{
	*(uint32_t *)ctx = patterns;
}

static void patterns_put(const char *text)
{
	put("p.hs", text);
	put("t.ini", "[lists]\ncompiled = t.gen\n"
		     "[list names]\nsource = names.txt\naction = sinkhole\n"
		     "[list kits]\nsource = p.hs\naction = log\n");
}

static void tables_free(struct load_tables *tables)
{
	block_free(tables->names, fqdn_table_size(tables->names));
	pattern_set_free(tables->patterns);
}

static const char *id_of(const struct load_tables *tables, uint32_t i)
{
	struct pattern pattern;

	pattern_set_get(tables->patterns, i, &pattern);
	return fqdn_table_id(tables->names, fqdn_table_rule(tables->names, pattern.rule));
}

Test(load, patterns_have_rules_among_those_of_the_names)
{
	uint32_t compiling = 0;
	const struct load_options options = {.ctx = &compiling, .compiling = compiling_note};
	struct load_tables tables = {.lists = lists}, back = {.lists = lists};
	struct gen_list described[3] = {{.name = "names"},
		{.name = "kits", .action = POLICY_LOG}, {.name = "canary"}};
	struct gen gen = {.n_lists = 3, .lists = described};
	const struct fqdn_rule *rule;
	struct pattern pattern;
	struct conf *conf;

	patterns_put(patterns_text);
	conf = conf_open();
	cr_assert_eq(load_lists(conf, &options, &tables, error), 0, "%s", error);
	cr_assert_eq(compiling, 2);
	cr_assert_eq(pattern_set_count(tables.patterns), 2);
	cr_expect_eq(lists[1].names, 2);
	cr_expect_eq(lists[1].bad, 1);
	cr_expect(strstr(lists[1].first_bad, "p.hs:3: expected ID:/EXPRESSION/FLAGS"), "%s",
		lists[1].first_bad);
	pattern_set_get(tables.patterns, 1, &pattern);
	rule = fqdn_table_rule(tables.names, pattern.rule);
	cr_expect(rule->list == 1 && rule->verdict == FQDN_LOG && rule->scope == FQDN_PATTERN);
	cr_expect_str_eq(id_of(&tables, 0), "EX-1");
	cr_expect_str_eq(id_of(&tables, 1), "EX-2");

	gen.names = tables.names;
	gen.names_size = fqdn_table_size(tables.names);
	gen.patterns = (void *)(uintptr_t)pattern_set_book(tables.patterns, &gen.patterns_size);
	cr_assert(gen_write(conf->compiled, &gen, error) > 0, "%s", error);
	cr_assert_eq(load_compiled(conf, &options, &back, error), 0, "%s", error);
	cr_assert_eq(pattern_set_count(back.patterns), 2);
	cr_expect_str_eq(id_of(&back, 1), "EX-2");
	tables_free(&back);
	tables_free(&tables);
	conf_free(conf);
}

Test(load, a_list_of_patterns_without_a_good_line_is_an_error)
{
	const struct load_options options = {0}, strict = {.strict = true};
	struct load_tables tables = {.lists = lists};
	struct conf *conf;

	patterns_put("EX-1:/(/\n");
	conf = conf_open();
	cr_assert_lt(load_lists(conf, &options, &tables, error), 0);
	cr_assert(strstr(error, "p.hs: no good line in it; first bad one: ") &&
			  strstr(error, "p.hs:1: expected an expression that Hyperscan takes"),
		"%s", error);
	put("p.hs", "");
	memset(lists, 0, sizeof(lists));
	cr_assert_eq(load_lists(conf, &options, &tables, error), 0, "%s", error);
	cr_assert_null(tables.patterns);
	tables_free(&tables);
	cr_assert_lt(load_lists(conf, &strict, &tables, error), 0);
	conf_free(conf);
}
#endif

Test(load, names_with_too_many_rules_are_bad_lines_of_their_list)
{
	FILE *file = fopen(in_folder("dated.csv"), "w");
	const struct load_options options = {0};
	struct load_tables tables = {.lists = lists};
	struct conf *conf;

	fputs("id,fqdn,behaviour,start,end\n", file);
	for (unsigned i = 0; i < 70; i++)
		fprintf(file, "EX-%u,c.example,x,2020-01-01,\n", i);
	fclose(file);
	log_threshold(LOG_ERROR);
	conf = conf_open();
	memset(lists, 0, sizeof(lists));
	cr_assert(load_lists(conf, &options, &tables, error) == 0, "%s", error);
	cr_assert_eq(lists[1].names, 64);
	cr_assert_eq(lists[1].bad, 6);
	cr_assert(strstr(lists[1].first_bad,
			  "dated.csv:66: expected at most 64 different rules for one name"),
		"%s", lists[1].first_bad);
	cr_assert_eq(lists[0].bad, 1);
	block_free(tables.names, fqdn_table_size(tables.names));
	conf_free(conf);
}

// Sanitizers need room that cannot be told from that of the load.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifndef __SANITIZE_ADDRESS__
Test(load, a_load_that_gets_no_memory_says_so)
{
	FILE *file = fopen(in_folder("names.txt"), "w");
	const struct load_options options = {0};
	struct rlimit limit;
	struct conf *conf;
	unsigned failed = 0;

	for (unsigned i = 0; i < 200000; i++)
		fprintf(file, "name%u.example%u\n", i, i % 9000);
	fclose(file);
	conf = conf_open();
	// From too little for the first thread on, in steps, until there is enough.
	for (rlim_t room = 16 << 20;; room += 4 << 20) {
		struct load_tables tables = {.lists = lists};
		int err;

		getrlimit(RLIMIT_AS, &limit);
		limit.rlim_cur = room;
		cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
		err = load_lists(conf, &options, &tables, error);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_AS, &limit);
		if (err == 0) {
			block_free(tables.names, fqdn_table_size(tables.names));
			break;
		}
		failed++;
		cr_assert(strstr(error, "Cannot allocate memory"), "%s", error);
	}
	cr_assert_gt(failed, 0);
	conf_free(conf);
}
#endif

Test(load, canary_names_are_exempt_whatever_lists_say)
{
	static const uint8_t mask[] = "\4mask\6icloud\3com", other[] = "\5other\6icloud\3com";
	struct load_options options = {0};
	struct dns_labels labels;
	struct fqdn_match match;
	struct fqdn_table *t;
	struct conf *conf;

	put("names.txt", ".icloud.com\nmask.icloud.com\n");
	conf = conf_open();
	t = lists_load(conf, &options);
	cr_assert(t, "%s", error);
	cr_expect_eq(lists[2].names, 4);
	dns_name_labels(mask, &labels);
	cr_assert(fqdn_lookup(t, &labels, 9000, &match));
	cr_expect(!match.block && match.allow && match.suppressed);
	cr_expect(conf->policy.lists[match.allow->list].canary);
	dns_name_labels(other, &labels);
	cr_assert(fqdn_lookup(t, &labels, 9000, &match));
	cr_expect(match.block && !match.allow);
	block_free(t, fqdn_table_size(t));
	conf_free(conf);
}
