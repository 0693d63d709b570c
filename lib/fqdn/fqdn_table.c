/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_table_private.h"

uint64_t fqdn_table_names(const struct fqdn_table *table)
{
	return table->n_names;
}

size_t fqdn_table_size(const struct fqdn_table *table)
{
	return table->size;
}

size_t fqdn_table_worker_size(const struct fqdn_table *table)
{
	return table->worker_size;
}

uint32_t fqdn_table_rule_number(const struct fqdn_table *table, const struct fqdn_rule *rule)
{
	return (uint32_t)(rule - (const struct fqdn_rule *)fqdn_at(table, table->rules));
}

const struct fqdn_rule *fqdn_table_rule(const struct fqdn_table *table, uint32_t number)
{
	return number < table->n_rules
		       ? (const struct fqdn_rule *)fqdn_at(table, table->rules) + number
		       : NULL;
}

uint32_t fqdn_table_n_rules(const struct fqdn_table *table)
{
	return table->n_rules;
}

uint32_t fqdn_table_n_ids(const struct fqdn_table *table)
{
	return (uint32_t)((table->text - table->ids) / sizeof(struct fqdn_id));
}

const char *fqdn_table_id_of(const struct fqdn_table *table, uint32_t number, uint32_t *list)
{
	const struct fqdn_id *id = (const struct fqdn_id *)fqdn_at(table, table->ids) + number;

	*list = id->list;
	return (const char *)fqdn_at(table, table->text + id->text);
}

const char *fqdn_table_id(const struct fqdn_table *table, const struct fqdn_rule *rule)
{
	uint32_t list;

	return fqdn_table_id_of(table, rule->id, &list);
}
