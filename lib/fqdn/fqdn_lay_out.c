/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_build_private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/block.h"

static uint64_t align(uint64_t offset, uint64_t to)
{
	return (offset + to - 1) & ~(to - 1);
}

// Octets of labels that a node's record holds.
static unsigned node_labels_size(const struct fqdn_builder *b, const struct builder_node *node)
{
	return node->parent ? b->text.items[node->text] + 1u : node->size;
}

// Where each record stands, in units, by node. @return the number of units, 0: no memory or too many
static uint64_t records_place(const struct fqdn_builder *b, uint32_t *place)
{
	uint64_t units = 1; // place 0 means "none"

	for (size_t i = 0; i < b->nodes.n; i++) {
		place[i] = (uint32_t)units;
		units += fqdn_record_size(
				 node_labels_size(b, ARRAY_AT(b->nodes, struct builder_node, i))) /
			 FQDN_UNIT;
		if (units > UINT32_MAX)
			return 0;
	}
	return units;
}

// Where each part stands; see the drawing in fqdn_table_private.h.
static void table_lay_out(
	const struct fqdn_builder *b, uint64_t units, uint32_t n_buckets, struct fqdn_table *t)
{
	t->magic = FQDN_MAGIC;
	t->depth = b->single ? 1 : 2;
	t->key = b->key;
	t->n_names = b->n_names;
	t->n_buckets = n_buckets;
	t->n_nodes = (uint32_t)b->nodes.n;
	t->n_sets = (uint32_t)b->sets.n;
	t->n_rules = (uint32_t)b->rules.n;
	t->buckets = sizeof(*t);
	t->refs = t->buckets + (n_buckets + 1ull) * sizeof(struct fqdn_bucket);
	t->records = t->refs + (n_buckets + 1ull) * FQDN_BUCKET * sizeof(uint32_t);
	t->sets = t->records + units * FQDN_UNIT;
	t->members = t->sets + (b->sets.n + 1) * sizeof(uint32_t);
	t->rules = t->members + b->members.n * sizeof(uint32_t);
	t->ids = t->worker_size = align(t->rules + b->rules.n * sizeof(struct fqdn_rule), 64);
	t->text = t->ids + b->ids.n * sizeof(uint32_t);
	t->size = t->text + b->id_text.n;
}

#define FILL_AHEAD 16 // nodes whose buckets are on their way

// @return false when the last bucket came to be full: more buckets are needed
static bool table_fill_buckets(
	const struct fqdn_builder *b, const uint32_t *place, struct fqdn_table *t)
{
	struct fqdn_bucket *buckets = (struct fqdn_bucket *)((uint8_t *)t + t->buckets);
	uint32_t *refs = (uint32_t *)(void *)((uint8_t *)t + t->refs);

	for (size_t i = 0; i < b->nodes.n; i++) {
		uint64_t hash = ARRAY_AT(b->nodes, struct builder_node, i)->hash;
		uint32_t at = fqdn_bucket_of(t->n_buckets, hash), free;

		if (i + FILL_AHEAD < b->nodes.n)
			__builtin_prefetch(
				&buckets[fqdn_bucket_of(t->n_buckets,
					ARRAY_AT(b->nodes, struct builder_node, i + FILL_AHEAD)
						->hash)],
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

static void table_fill_records(
	const struct fqdn_builder *b, const uint32_t *place, struct fqdn_table *t)
{
	for (size_t i = 0; i < b->nodes.n; i++) {
		const struct builder_node *node = ARRAY_AT(b->nodes, struct builder_node, i);
		struct fqdn_record *record =
			(struct fqdn_record *)(void *)((uint8_t *)t + t->records +
						       (uint64_t)place[i] * FQDN_UNIT);

		record->set = node->set;
		record->parent = node->parent ? place[node->parent - 1] : 0;
		memcpy(record->labels, b->text.items + node->text, node_labels_size(b, node));
	}
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

static struct fqdn_table *table_make(
	const struct fqdn_builder *b, const uint32_t *place, uint64_t units, uint32_t n_buckets)
{
	struct fqdn_table layout = {0}, *t;

	table_lay_out(b, units, n_buckets, &layout);
	t = block_alloc(layout.size, -1);
	if (!t)
		return NULL;
	*t = layout;
	if (!table_fill_buckets(b, place, t)) {
		block_free(t, layout.size);
		errno = EAGAIN;
		return NULL;
	}
	table_fill_records(b, place, t);
	table_fill_rules(b, t);
	return t;
}

struct fqdn_table *fqdn_builder_finish(struct fqdn_builder *b)
{
	struct fqdn_table *t = NULL;
	uint32_t n_buckets, *place;
	uint64_t units;

	if (fqdn_nodes_close(b) < 0 || !(place = calloc(b->nodes.n + 1, sizeof(*place)))) {
		errno = ENOMEM;
		return NULL;
	}
	units = records_place(b, place);
	n_buckets = (uint32_t)(b->nodes.n / FQDN_FILL) + 1;
	if (units == 0) {
		errno = E2BIG;
	} else {
		// A full last bucket takes chance of a kind that a few more buckets end.
		do
			t = table_make(b, place, units, n_buckets);
		while (!t && errno == EAGAIN && (n_buckets += n_buckets / 8 + 1));
	}
	free(place);
	return t;
}
