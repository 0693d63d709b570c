/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_table_private.h"

typedef int node_fn(void *ctx, const struct fqdn_table *table, const struct fqdn_record *record);

// Hand over every node, bucket by bucket. @return 0, or what @p take returned
static int nodes_each(const struct fqdn_table *table, node_fn *take, void *ctx)
{
	int err = 0;

	for (uint32_t b = 0; b < table->n_buckets && err == 0; b++) {
		const struct fqdn_bucket *bucket = fqdn_bucket_at(table, b);
		const uint8_t *records = fqdn_bucket_records(table, bucket), *at = records;
		unsigned n = fqdn_bucket_used(bucket);

		for (unsigned slot = 0; slot < n && err == 0; slot++) {
			unsigned size = *(records - 1 - slot);
			struct fqdn_record record = fqdn_record_read(table, at, size);

			at += size;
			err = take(ctx, table, &record);
		}
	}
	return err;
}

// The record of a node. @return false: there is none of this number
static bool node_record(const struct fqdn_table *table, uint32_t node, struct fqdn_record *record)
{
	uint32_t b = node / FQDN_NODE_STEP, slot = node % FQDN_NODE_STEP;
	const struct fqdn_bucket *bucket;
	const uint8_t *records;

	if (b >= table->n_buckets)
		return false;
	bucket = fqdn_bucket_at(table, b);
	if (slot >= fqdn_bucket_used(bucket))
		return false;
	records = fqdn_bucket_records(table, bucket);
	*record = fqdn_record_read(
		table, records + fqdn_sizes_sum(records, slot), *(records - 1 - slot));
	return true;
}

// A record's label in wire form. @param room for a packed one
static const uint8_t *label_wire(
	const struct fqdn_table *table, const uint8_t *label, uint8_t room[FQDN_UNPACK_ROOM])
{
	if (*label >= FQDN_PACK_FIRST) {
		fqdn_unpack(label, room);
		return room;
	}
	return *label >= FQDN_WORD_FIRST ? table->word[*label - FQDN_WORD_FIRST] : label;
}

// The whole name of a record: first the nodes upwards, then their labels, which are from the right.
// @return where the name begins in @p name, which it ends with; NULL: it is none
static const uint8_t *name_join(const struct fqdn_table *table, const struct fqdn_record *record,
	uint8_t name[DNS_NAME_SIZE_MAX])
{
	struct fqdn_record nodes[DNS_LABELS_MAX];
	unsigned n = 0, at = DNS_NAME_SIZE_MAX;

	nodes[n++] = *record;
	for (; nodes[n - 1].parent != FQDN_NODE_NONE; n++)
		if (n == DNS_LABELS_MAX || !node_record(table, nodes[n - 1].parent, &nodes[n]))
			return NULL;
	name[--at] = 0;
	while (n-- > 0)
		for (const uint8_t *label = nodes[n].labels; label < nodes[n].end;
			label = fqdn_label_next(label)) {
			uint8_t room[FQDN_UNPACK_ROOM];
			const uint8_t *wire = label_wire(table, label, room);
			unsigned size = *wire + 1u;

			if (*wire == 0 || size > at)
				return NULL;
			at -= size;
			memcpy(name + at, wire, size);
		}
	return name + at;
}

struct each {
	fqdn_name_fn *take;
	void *ctx;
};

static int node_take_name(
	void *ctx, const struct fqdn_table *table, const struct fqdn_record *record)
{
	const struct fqdn_rule *all = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	const struct fqdn_rule *rules[FQDN_RULES_MAX];
	const struct each *each = ctx;
	uint8_t name[DNS_NAME_SIZE_MAX];
	const uint8_t *joined;
	const uint32_t *numbers;
	unsigned n;
	uint32_t one;

	numbers = fqdn_set_rules(table, record->set, &one, &n);
	for (unsigned i = 0; i < n; i++)
		rules[i] = &all[numbers[i]];
	joined = n > 0 ? name_join(table, record, name) : NULL;
	return joined ? each->take(each->ctx, joined, rules, n) : 0;
}

int fqdn_table_each(const struct fqdn_table *table, fqdn_name_fn *take, void *ctx)
{
	struct each each = {.take = take, .ctx = ctx};

	return nodes_each(table, node_take_name, &each);
}

struct count {
	uint16_t today;
	uint64_t *counts;
	unsigned n_lists;
};

static int node_count(void *ctx, const struct fqdn_table *table, const struct fqdn_record *record)
{
	const struct fqdn_rule *all = (const struct fqdn_rule *)fqdn_at(table, table->rules);
	const struct count *count = ctx;
	const uint32_t *numbers;
	unsigned n;
	uint32_t one;

	numbers = fqdn_set_rules(table, record->set, &one, &n);
	for (unsigned i = 0; i < n; i++) {
		const struct fqdn_rule *rule = &all[numbers[i]];

		if (rule->list < count->n_lists && count->today >= rule->first_day &&
			count->today <= rule->last_day)
			count->counts[rule->list]++;
	}
	return 0;
}

void fqdn_table_count_active(
	const struct fqdn_table *table, uint16_t today, uint64_t *counts, unsigned n_lists)
{
	struct count count = {.today = today, .counts = counts, .n_lists = n_lists};

	nodes_each(table, node_count, &count);
}
