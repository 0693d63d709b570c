/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_table_private.h"

// The whole name of a record, label by label upwards. @return its octets, 0: too many
static unsigned name_join(
	const struct fqdn_table *table, const struct fqdn_record *record, uint8_t *name)
{
	unsigned used = 0;

	for (;;) {
		unsigned size = fqdn_labels_size(record);

		if (used + size >= DNS_NAME_SIZE_MAX)
			return 0;
		memcpy(name + used, record->labels, size);
		used += size;
		if (!fqdn_has_parent(record))
			break;
		record = fqdn_at(table, table->records + (uint64_t)record->parent * FQDN_UNIT);
	}
	name[used++] = 0;
	return used;
}

int fqdn_table_each(const struct fqdn_table *table, fqdn_name_fn *take, void *ctx)
{
	const uint32_t *sets = (const uint32_t *)fqdn_at(table, table->sets);
	const uint32_t *members = (const uint32_t *)fqdn_at(table, table->members);
	const struct fqdn_rule *all = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	const uint8_t *at =
		(const uint8_t *)fqdn_at(table, table->records) + FQDN_PLACES * FQDN_UNIT;
	int err = 0;

	for (uint32_t n = 0; n < table->n_nodes && err == 0; n++) {
		const struct fqdn_record *record = (const void *)at;
		const struct fqdn_rule *rules[FQDN_RULES_MAX];
		uint8_t name[DNS_NAME_SIZE_MAX];
		unsigned n_rules = 0;

		at += fqdn_record_size(fqdn_labels_size(record));
		for (uint32_t i = sets[record->set]; i < sets[record->set + 1]; i++)
			rules[n_rules++] = &all[members[i]];
		if (n_rules > 0 && name_join(table, record, name) > 0)
			err = take(ctx, name, rules, n_rules);
	}
	return err;
}
