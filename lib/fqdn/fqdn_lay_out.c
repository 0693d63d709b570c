/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_build_private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/block.h"

static uint64_t align(uint64_t offset, uint64_t to)
{
	return (offset + to - 1) & ~(to - 1);
}

// What one builder's nodes come to in a table.
struct layout {
	const struct fqdn_builder *b;
	size_t n_nodes, n_names, n_singles;
	uint32_t n_buckets;
	uint64_t units;  // of the records
	uint32_t *place; // where each node's record stands, in units; shard by shard
};

static const struct builder_node *node_at(const struct builder_shard *shard, size_t i)
{
	return ARRAY_AT(shard->nodes, struct builder_node, i);
}

// Octets of labels that a node's record holds.
static unsigned node_labels_size(const struct builder_shard *shard, const struct builder_node *node)
{
	return node->parent ? shard->text.items[node->text] + 1u : node->size;
}

static int records_place(struct layout *layout)
{
	uint32_t *place = layout->place;

	layout->units = FQDN_PLACES;
	for (unsigned s = 0; s < FQDN_SHARDS; s++) {
		const struct builder_shard *shard = &layout->b->shard[s];

		for (size_t i = 0; i < shard->nodes.n; i++) {
			unsigned size = node_labels_size(shard, node_at(shard, i));

			*place++ = (uint32_t)layout->units;
			layout->units += fqdn_record_size(size) / FQDN_UNIT;
			if (layout->units > UINT32_MAX)
				return -E2BIG;
		}
	}
	return 0;
}

// Where each part stands; see the drawing in fqdn_table_private.h.
static void table_lay_out(const struct layout *layout, struct fqdn_table *t)
{
	const struct fqdn_builder *b = layout->b;
	uint32_t n_buckets = layout->n_buckets;

	t->magic = FQDN_MAGIC;
	t->n_singles = (uint32_t)layout->n_singles;
	t->key = b->key;
	t->n_names = layout->n_names;
	t->n_buckets = n_buckets;
	t->n_nodes = (uint32_t)layout->n_nodes;
	t->n_sets = (uint32_t)b->sets.n;
	t->n_rules = (uint32_t)b->rules.n;
	t->buckets = sizeof(*t);
	t->refs = t->buckets + (n_buckets + 1ull) * sizeof(struct fqdn_bucket);
	t->records = t->refs + (n_buckets + 1ull) * FQDN_BUCKET * sizeof(uint32_t);
	t->sets = t->records + layout->units * FQDN_UNIT;
	t->members = t->sets + (b->sets.n + 1) * sizeof(uint32_t);
	t->rules = t->members + b->members.n * sizeof(uint32_t);
	t->ids = t->worker_size = align(t->rules + b->rules.n * sizeof(struct fqdn_rule), 64);
	t->text = t->ids + b->ids.n * sizeof(uint32_t);
	t->size = t->text + b->id_text.n;
}

#define FILL_AHEAD 16 // nodes whose buckets are on their way

// @return false when the last bucket came to be full: more buckets are needed
static bool shard_fill_buckets(
	const struct builder_shard *shard, const uint32_t *place, struct fqdn_table *t)
{
	struct fqdn_bucket *buckets = (struct fqdn_bucket *)((uint8_t *)t + t->buckets);
	uint32_t *refs = (uint32_t *)(void *)((uint8_t *)t + t->refs);

	for (size_t i = 0; i < shard->nodes.n; i++) {
		uint64_t hash = node_at(shard, i)->hash;
		uint32_t at = fqdn_bucket_of(t->n_buckets, hash), free;

		if (i + FILL_AHEAD < shard->nodes.n)
			__builtin_prefetch(&buckets[fqdn_bucket_of(t->n_buckets,
						   node_at(shard, i + FILL_AHEAD)->hash)],
				1);
		while ((free = fqdn_bucket_match(&buckets[at], 0)) == 0)
			at++;
		free = (uint32_t)__builtin_ctz(free);
		if (at == t->n_buckets && free == FQDN_BUCKET - 1)
			return false;
		buckets[at].tag[free] = fqdn_tag_of(hash);
		refs[(size_t)at * FQDN_BUCKET + free] = place[i];
	}
	return true;
}

static void shard_fill_records(
	const struct builder_shard *shard, const uint32_t *place, struct fqdn_table *t)
{
	for (size_t i = 0; i < shard->nodes.n; i++) {
		const struct builder_node *node = node_at(shard, i);
		struct fqdn_record *record =
			(struct fqdn_record *)(void *)((uint8_t *)t + t->records +
						       (uint64_t)place[i] * FQDN_UNIT);

		record->set = node->set;
		record->parent = node->parent       ? place[node->parent - 1]
				 : node->depth == 1 ? FQDN_PLACE_SINGLE
						    : FQDN_PLACE_NONE;
		memcpy(record->labels, shard->text.items + node->text,
			node_labels_size(shard, node));
	}
}

static bool table_fill(const struct layout *layout, struct fqdn_table *t)
{
	const uint32_t *place = layout->place;

	for (unsigned s = 0; s < FQDN_SHARDS; s++) {
		const struct builder_shard *shard = &layout->b->shard[s];

		if (!shard_fill_buckets(shard, place, t))
			return false;
		shard_fill_records(shard, place, t);
		place += shard->nodes.n;
	}
	return true;
}

static void table_fill_rules(const struct fqdn_builder *b, struct fqdn_table *t)
{
	uint32_t *sets = (uint32_t *)((uint8_t *)t + t->sets);
	uint32_t *members = (uint32_t *)((uint8_t *)t + t->members);

	// Members of the sets stand in the order of the sets, so each set ends where the next begins.
	for (size_t i = 0; i < b->sets.n; i++)
		sets[i] = ARRAY_AT(b->sets, struct builder_set, i)->first;
	sets[0] = 0;
	sets[b->sets.n] = (uint32_t)b->members.n;
	if (b->members.n)
		memcpy(members, b->members.items, b->members.n * sizeof(uint32_t));
	if (b->rules.n)
		memcpy((uint8_t *)t + t->rules, b->rules.items,
			b->rules.n * sizeof(struct fqdn_rule));
	memcpy((uint8_t *)t + t->ids, b->ids.items, b->ids.n * sizeof(uint32_t));
	memcpy((uint8_t *)t + t->text, b->id_text.items, b->id_text.n);
}

static struct fqdn_table *table_make(const struct layout *layout)
{
	struct fqdn_table head = {0}, *t;

	table_lay_out(layout, &head);
	t = block_alloc(head.size, -1);
	if (!t)
		return NULL;
	*t = head;
	if (!table_fill(layout, t)) {
		block_free(t, head.size);
		errno = EAGAIN;
		return NULL;
	}
	table_fill_rules(layout->b, t);
	return t;
}

struct fqdn_table *fqdn_builder_finish(struct fqdn_builder *b)
{
	struct layout layout = {.b = b};
	struct fqdn_table *t = NULL;
	int err;

	for (unsigned s = 0; s < FQDN_SHARDS; s++) {
		layout.n_nodes += b->shard[s].nodes.n;
		layout.n_names += b->shard[s].n_names;
		layout.n_singles += b->shard[s].n_singles;
	}
	layout.n_buckets = (uint32_t)(layout.n_nodes / FQDN_FILL) + 1;
	layout.place = calloc(layout.n_nodes + 1, sizeof(*layout.place));
	err = layout.place ? records_place(&layout) : -ENOMEM;
	if (err < 0) {
		errno = -err;
	} else {
		// A full last bucket takes chance of a kind that a few more buckets end.
		do
			t = table_make(&layout);
		while (!t && errno == EAGAIN && (layout.n_buckets += layout.n_buckets / 8 + 1));
	}
	free(layout.place);
	return t;
}
