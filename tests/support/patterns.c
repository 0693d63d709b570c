/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/patterns.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "dns/dns_name.h"

void patterns_begin(struct patterns *p)
{
	*p = (struct patterns){.names = fqdn_builder_create(), .builder = pattern_builder_create()};
	cr_assert(p->names && p->builder);
}

void patterns_add(struct patterns *p, unsigned list, uint8_t verdict, const char *expression)
{
	const struct fqdn_rule rule = {.list = (uint16_t)list,
		.last_day = UINT16_MAX,
		.scope = FQDN_PATTERN,
		.verdict = verdict};
	int64_t number = fqdn_builder_add_rule(p->names, &rule);
	const struct pattern pattern = {.expression = expression, .rule = (uint32_t)number};

	cr_assert(number >= 0 && pattern_builder_add(p->builder, &pattern) == 0);
}

void patterns_add_name(struct patterns *p, const struct fqdn_rule *rule, const char *text)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	int size = dns_name_parse(text, strlen(text), name);

	cr_assert(size > 0 && fqdn_builder_add(p->names, name, (uint8_t)size, rule) == 1);
}

void patterns_finish(struct patterns *p)
{
	char error[PATTERN_ERROR_SIZE];
	int64_t at;

	p->table = fqdn_builder_finish(p->names);
	p->set = pattern_builder_finish(p->builder, &at, error);
	cr_assert(p->table && p->set, "%s", error);
	p->scan = pattern_scan_create(p->set, -1);
	cr_assert(p->scan);
}

void patterns_end(struct patterns *p)
{
	pattern_scan_free(p->scan);
	pattern_set_free(p->set);
	block_free(p->table, fqdn_table_size(p->table));
	pattern_builder_destroy(p->builder);
	fqdn_builder_destroy(p->names);
}

void names_add_wire(struct names *names, const uint8_t *wire, unsigned size)
{
	unsigned i = names->n++;

	names->wire[i] = malloc(size);
	memcpy(names->wire[i], wire, size);
	dns_name_labels(names->wire[i], &names->labels[i]);
	names->each[i] = (struct fqdn_name){.msg = names->wire[i],
		.msg_size = names->labels[i].msg_size,
		.n = names->labels[i].n};
}

void names_add(struct names *names, const char *text)
{
	uint8_t wire[DNS_NAME_SIZE_MAX];
	int size = dns_name_parse(text, strlen(text), wire);

	cr_assert(size > 0, "%s", text);
	names_add_wire(names, wire, (unsigned)size);
}

void names_free(struct names *names)
{
	for (unsigned i = 0; i < names->n; i++)
		free(names->wire[i]);
	names->n = 0;
}

uint64_t patterns_match(struct patterns *p, const struct names *names, struct fqdn_match *found)
{
	return pattern_match(p->scan, p->table, names->each, names->n, found, 0, NULL);
}
