/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <stdio.h>
#include <string.h>

#include "dns/dns_name.h"
#include "list/list.h"

static json_t *rule_json(const struct replica *master, const struct fqdn_rule *rule)
{
	static const char *const scopes[] = {"name", "below", "subtree", "pattern"};
	const struct policy_list *list = &master->policy.lists[rule->list];
	char first[11], last[11];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "list", list->name, "action",
		policy_action_name(list->action), "rule", scopes[rule->scope], "id",
		fqdn_table_id(master->names, rule), "start",
		list_day_format(rule->first_day, first), "end",
		list_day_format(rule->last_day, last));
}

// Every rule of the name and its suffixes, also those that are not active today.
static void rules_add(const struct replica *master, const struct dns_labels *labels, json_t *array)
{
	for (unsigned i = 0; i < labels->n; i++) {
		const uint8_t *suffix = labels->msg + labels->at[i];
		const struct fqdn_rule *rules[FQDN_RULES_MAX];
		unsigned n = fqdn_table_rules(master->names, suffix, rules);
		char text[DNS_NAME_TEXT_SIZE];

		dns_name_format(suffix, text);
		for (unsigned j = 0; j < n; j++) {
			json_t *rule;

			if (i > 0 ? rules[j]->scope == FQDN_EXACT : rules[j]->scope == FQDN_BELOW)
				continue;
			rule = rule_json(master, rules[j]);
			json_object_set_new(rule, "entry", json_string(text));
			json_array_append_new(array, rule);
		}
	}
}

struct patterns {
	const struct replica *master;
	json_t *array;
};

static void pattern_add(void *ctx, uint32_t i)
{
	const struct patterns *patterns = ctx;
	const struct replica *master = patterns->master;
	struct pattern pattern;
	json_t *rule;

	pattern_set_get(master->patterns, i, &pattern);
	rule = rule_json(master, fqdn_table_rule(master->names, pattern.rule));
	json_object_set_new(rule, "entry", json_sprintf("/%s/", pattern.expression));
	json_array_append_new(patterns->array, rule);
}

static json_t *rules_json(const struct replica *master, const struct dns_labels *labels)
{
	struct patterns patterns = {master, json_array()};

	rules_add(master, labels, patterns.array);
	if (master->scan)
		pattern_match_each(master->scan, labels, pattern_add, &patterns);
	return patterns.array;
}

static struct fqdn_match judge(const struct replica *master, const struct dns_labels *labels)
{
	struct fqdn_match match = {0};
	bool hit = fqdn_lookup(master->names, labels, replica_today(app.replicas), &match);

	if (master->scan)
		hit = pattern_match_one(master->scan, master->names, labels, &match, hit);
	return hit ? match : (struct fqdn_match){0};
}

json_t *explain_json(const char *text)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	const struct replica *master;
	struct fqdn_match match;
	enum list_scope scope;
	struct dns_labels labels;
	const char *error = "";
	json_t *object;
	int size = list_name_parse(text, strlen(text), name, &scope, &error);

	if (size < 0 || scope != LIST_EXACT)
		return ctl_error("\"%s\": %s", text, size < 0 ? error : "expected a plain name");
	dns_name_labels(name, &labels);
	pthread_mutex_lock(&app.lock);
	master = replica_master(app.replicas);
	match = judge(master, &labels);
	object = json_pack("{s:s, s:s, s:o?, s:o?, s:I, s:o}", "name", text, "verdict",
		match.block        ? "filtered"
		: match.log        ? "logged"
		: match.suppressed ? "allowed"
				   : "not listed",
		"by",
		match.block ? rule_json(master, match.block)
		: match.log ? rule_json(master, match.log)
			    : NULL,
		"allowed_by", match.allow ? rule_json(master, match.allow) : NULL, "generation",
		(json_int_t)master->generation, "rules", rules_json(master, &labels));
	pthread_mutex_unlock(&app.lock);
	return object;
}

json_t *consent_show(void)
{
	json_t *object;

	pthread_mutex_lock(&app.lock);
	object = json_pack("{s:s, s:I, s:I}", "source", app.conf->consent_source, "prefixes",
		(json_int_t)app.load.consent_prefixes, "bad_lines",
		(json_int_t)app.load.consent_bad);
	pthread_mutex_unlock(&app.lock);
	return object;
}

json_t *consent_of(const char *text)
{
	const struct replica *master;
	struct addr addr;
	uint8_t refused;

	if (addr_parse(text, &addr) < 0)
		return ctl_error("expected an IPv4 or IPv6 address, got \"%s\"", text);
	pthread_mutex_lock(&app.lock);
	master = replica_master(app.replicas);
	refused = addr.family == ADDR_IPV4 ? consent_lookup_ipv4(master->consent, addr.bytes)
					   : consent_lookup_ipv6(master->consent, addr.bytes);
	pthread_mutex_unlock(&app.lock);
	return json_pack("{s:s, s:s, s:s}", "client", text, "filter",
		refused & CONSENT_NO_FILTER ? "no" : "yes", "log",
		refused & CONSENT_NO_LOG ? "no" : "yes");
}
