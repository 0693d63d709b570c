/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/block.h"
#include "base/crew.h"
#include "fqdn/fqdn_draft.h"

// What a builder's names come to in a table.
struct layout {
	const struct fqdn_builder *b;
	struct draft part[FQDN_PARTS];
	struct fqdn_words words;
	struct draft_sets sets;
	uint32_t *members;
	size_t n_members;
	uint64_t passage[FQDN_PASSAGES];
	uint64_t n_nodes, n_names, n_singles, n_buckets, records_size;
	struct fqdn_table *table; // once there is memory for it
	// What is being done to the parts, by several threads, each taking the next one.
	int (*step)(struct layout *layout, struct draft *part);
	atomic_uint next;
	atomic_int err;
};

static void parts_take(void *ctx, unsigned member)
{
	struct layout *layout = ctx;
	unsigned i;

	while (atomic_load(&layout->err) == 0 &&
		(i = atomic_fetch_add(&layout->next, 1)) < FQDN_PARTS) {
		int err = layout->step(layout, &layout->part[i]), none = 0;

		if (err < 0)
			atomic_compare_exchange_strong(&layout->err, &none, err);
	}
}

static int parts_each(struct layout *layout, int (*step)(struct layout *layout, struct draft *part))
{
	layout->step = step;
	atomic_store(&layout->next, 0);
	crew_run(layout->b->n_threads, parts_take, layout);
	return atomic_load(&layout->err);
}

static uint64_t align(uint64_t offset, uint64_t to)
{
	return (offset + to - 1) & ~(to - 1);
}

// A set of the builder, numbered as in the table.
static void set_make(struct layout *layout, size_t i)
{
	const struct fqdn_builder *b = layout->b;
	const struct builder_set *set = ARRAY_AT(b->sets, struct builder_set, i);

	if (set->n == 0) {
		layout->sets.set[i] = 0;
	} else if (set->n == 1) {
		layout->sets.set[i] = *ARRAY_AT(b->members, uint32_t, set->first) + 1;
	} else {
		layout->sets.set[i] = FQDN_SET_MANY | (uint32_t)layout->n_members;
		layout->members[layout->n_members++] = set->n;
		memcpy(layout->members + layout->n_members,
			ARRAY_AT(b->members, uint32_t, set->first), set->n * sizeof(uint32_t));
		layout->n_members += set->n;
	}
	layout->sets.code[i] = FQDN_CODE_OTHER;
}

#define SAMPLE 32768 // nodes looked at, about

// Give those sets a code that most names have, by a sample.
static void sets_code(struct layout *layout, uint32_t *count, size_t every)
{
	for (unsigned s = 0; s < FQDN_SHARDS; s++) {
		const struct array *nodes = &layout->b->shard[s].nodes;

		for (size_t i = 0; i < nodes->n; i += every)
			count[ARRAY_AT(*nodes, struct builder_node, i)->set]++;
	}
	count[0] = 0;
	layout->sets.code[0] = 0;
	for (uint8_t code = 1; code < FQDN_CODE_OTHER; code++) {
		size_t best = 0;

		for (size_t i = 1; i < layout->b->sets.n; i++)
			if (count[i] > count[best])
				best = i;
		if (best == 0)
			break;
		count[best] = 0;
		layout->sets.code[best] = code;
		layout->sets.common[code] = layout->sets.set[best];
	}
}

static int sets_make(struct layout *layout)
{
	const struct fqdn_builder *b = layout->b;
	uint32_t *count = calloc(b->sets.n, sizeof(*count));
	size_t n_nodes = 0;

	layout->sets.set = calloc(b->sets.n, sizeof(*layout->sets.set));
	layout->sets.code = calloc(b->sets.n, 1);
	layout->members = calloc(b->members.n + b->sets.n, sizeof(*layout->members));
	if (count && layout->sets.set && layout->sets.code && layout->members) {
		for (size_t i = 0; i < b->sets.n; i++)
			set_make(layout, i);
		for (unsigned s = 0; s < FQDN_SHARDS; s++)
			n_nodes += b->shard[s].nodes.n;
		sets_code(layout, count, n_nodes / SAMPLE + 1);
	}
	free(count);
	return count && layout->sets.set && layout->sets.code && layout->members ? 0 : -ENOMEM;
}

static int part_join(struct layout *layout, struct draft *part)
{
	part->shard = &layout->b->shard[part - layout->part];
	return fqdn_draft_join(part);
}

static int part_fill(struct layout *layout, struct draft *part)
{
	return fqdn_draft_fill(part, &layout->words, &layout->sets);
}

// Those that most names are below; the place of each is given by its hash.
static void passages_choose(struct layout *layout)
{
	uint32_t below[FQDN_PASSAGES] = {0};

	// A hash that belongs to another place is none.
	for (unsigned i = 0; i < FQDN_PASSAGES; i++)
		layout->passage[i] = i ^ 1;
	for (unsigned s = 0; s < FQDN_PARTS; s++)
		for (unsigned i = 0; i < DRAFT_PASSAGES; i++) {
			const struct draft_passage *passage = &layout->part[s].passage[i];
			unsigned place = fqdn_passage_of(passage->hash);

			if (passage->below <= below[place])
				continue;
			below[place] = passage->below;
			layout->passage[place] = passage->hash;
		}
}

static int parts_make(struct layout *layout)
{
	int err = parts_each(layout, part_join);

	if (err < 0)
		return err;
	passages_choose(layout);
	for (unsigned s = 0; s < FQDN_SHARDS; s++) {
		struct draft *part = &layout->part[s];

		part->part.first = (uint32_t)layout->n_buckets;
		part->part.n = part->n_nodes / FQDN_FILL + 1;
		layout->n_buckets += part->part.n;
		layout->n_nodes += part->n_nodes;
		layout->n_names += part->shard->n_names;
		layout->n_singles += part->shard->n_singles;
	}
	if (layout->n_buckets >= FQDN_NODE_NONE / FQDN_NODE_STEP)
		return -E2BIG;
	err = parts_each(layout, part_fill);
	for (unsigned s = 0; s < FQDN_SHARDS; s++) {
		layout->part[s].record = layout->records_size;
		layout->records_size += layout->part[s].records_size;
	}
	if (err == 0 && layout->records_size >= FQDN_BASE_MORE)
		err = -E2BIG;
	return err;
}

// The table's head: where each part stands; see the drawing in fqdn_table_private.h.
static void head_make(const struct layout *layout, struct fqdn_table *t)
{
	const struct fqdn_builder *b = layout->b;

	t->magic = FQDN_MAGIC;
	t->key = b->key;
	t->n_singles = (uint32_t)layout->n_singles;
	t->n_names = layout->n_names;
	t->n_buckets = (uint32_t)layout->n_buckets;
	t->n_nodes = (uint32_t)layout->n_nodes;
	t->n_rules = (uint32_t)b->rules.n;
	t->n_words = layout->words.n;
	t->buckets = sizeof(*t);
	t->records = t->buckets + layout->n_buckets * sizeof(struct fqdn_bucket);
	t->records_size = layout->records_size;
	// Each has a size besides, of one byte.
	if (layout->n_nodes > 0)
		t->record_mean = (uint32_t)(layout->records_size / layout->n_nodes - 1);
	t->members = align(t->records + t->records_size + FQDN_SLACK, sizeof(uint32_t));
	t->rules = t->members + layout->n_members * sizeof(uint32_t);
	t->ids = t->worker_size = align(t->rules + b->rules.n * sizeof(struct fqdn_rule), 64);
	t->text = t->ids + b->ids.n * sizeof(struct fqdn_id);
	t->size = t->text + b->id_text.n;
	memcpy(t->common, layout->sets.common, sizeof(t->common));
	memcpy(t->word, layout->words.word, sizeof(t->word));
	memcpy(t->passage, layout->passage, sizeof(t->passage));
	for (unsigned s = 0; s < FQDN_PARTS; s++)
		t->part[s] = layout->part[s].part;
}

static int part_copy(struct layout *layout, struct draft *part)
{
	struct fqdn_table *t = layout->table;
	struct fqdn_bucket *buckets =
		(struct fqdn_bucket *)((uint8_t *)t + t->buckets) + part->part.first;

	memcpy((uint8_t *)t + t->records + part->record, part->records, part->records_size);
	memcpy(buckets, part->buckets, part->part.n * sizeof(*buckets));
	for (uint32_t i = 0; i < part->part.n; i++)
		buckets[i].base += (uint32_t)part->record;
	fqdn_draft_free(part);
	return 0;
}

static struct fqdn_table *table_make(struct layout *layout)
{
	const struct fqdn_builder *b = layout->b;
	struct fqdn_table head = {0}, *t;

	head_make(layout, &head);
	t = block_alloc(head.size, -1);
	if (!t)
		return NULL;
	*t = head;
	layout->table = t;
	parts_each(layout, part_copy);
	memcpy((uint8_t *)t + t->members, layout->members, layout->n_members * sizeof(uint32_t));
	if (b->rules.n)
		memcpy((uint8_t *)t + t->rules, b->rules.items,
			b->rules.n * sizeof(struct fqdn_rule));
	memcpy((uint8_t *)t + t->ids, b->ids.items, b->ids.n * sizeof(struct fqdn_id));
	memcpy((uint8_t *)t + t->text, b->id_text.items, b->id_text.n);
	return t;
}

struct fqdn_table *fqdn_builder_finish(struct fqdn_builder *b)
{
	struct layout *layout = calloc(1, sizeof(*layout));
	struct fqdn_table *t = NULL;
	int err = -ENOMEM;

	if (layout) {
		layout->b = b;
		err = fqdn_words_choose(&layout->words, b);
		err = err < 0 ? err : sets_make(layout);
		err = err < 0 ? err : parts_make(layout);
		t = err < 0 ? NULL : table_make(layout);
		err = err < 0 ? err : -errno;
		for (unsigned s = 0; s < FQDN_PARTS; s++)
			fqdn_draft_free(&layout->part[s]);
		free(layout->sets.set);
		free(layout->sets.code);
		free(layout->members);
		free(layout);
	}
	if (!t)
		errno = -err;
	return t;
}
