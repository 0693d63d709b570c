/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_draft.h"

#include <errno.h>
#include <stdlib.h>

enum {
	DRAFT_LEAF,   // a node of the table
	DRAFT_INNER,  // the same, and there are some below it
	DRAFT_JOINED, // part of its only child
};

// Octets of labels in a record, so that its size fits one byte whatever else is in it.
#define LABELS_MAX (FQDN_RECORD_MAX - 1 - 2 * (unsigned)sizeof(uint32_t))

static const struct builder_node *node_at(const struct draft *draft, size_t i)
{
	return ARRAY_AT(draft->shard->nodes, struct builder_node, i);
}

static const uint8_t *node_text(const struct draft *draft, const struct builder_node *node)
{
	return draft->shard->text.items + node->text;
}

// Octets of the labels that a node adds to those of its parent.
static unsigned node_labels_size(const struct draft *draft, const struct builder_node *node)
{
	return node->parent ? *node_text(draft, node) + 1u : node->size;
}

#define MANY UINT32_MAX

#define PASSAGE_LEAST 16 // nodes below a root for which going past it pays

// @param only  by node: its only child, number + 1; 0: none, MANY
// @param sizes by node: octets of its labels with those of the nodes that it is joined to
static void nodes_join(struct draft *draft, uint32_t *only, uint8_t *sizes)
{
	size_t n = draft->shard->nodes.n;

	for (size_t i = 0; i < n; i++) {
		uint32_t parent = node_at(draft, i)->parent;

		if (parent)
			only[parent - 1] = only[parent - 1] ? MANY : (uint32_t)i + 1;
	}
	// Children stand behind their parents.
	for (size_t i = n; i-- > 0;) {
		const struct builder_node *node = node_at(draft, i);
		unsigned size = node_labels_size(draft, node);

		draft->state[i] = only[i] ? DRAFT_INNER : DRAFT_LEAF;
		if (only[i] && only[i] != MANY && node->set == 0 &&
			size + sizes[only[i] - 1] <= LABELS_MAX) {
			draft->state[i] = DRAFT_JOINED;
			size += sizes[only[i] - 1];
		}
		sizes[i] = (uint8_t)size;
		draft->n_nodes += draft->state[i] != DRAFT_JOINED;
	}
}

// A look-up of any name below a passage goes past its root, which has to be the only one of its hash.
static bool is_passage(const struct draft *draft, size_t i)
{
	const struct builder_node *root = node_at(draft, i);

	for (size_t j = 0; j < draft->shard->nodes.n; j++) {
		const struct builder_node *other = node_at(draft, j);

		if (j != i && !other->parent && other->hash == root->hash)
			return false;
	}
	return true;
}

// @param below by node: how many there are right below it
static void passages_find(struct draft *draft, const uint32_t *below)
{
	for (size_t i = 0; i < draft->shard->nodes.n; i++) {
		const struct builder_node *node = node_at(draft, i);
		struct draft_passage *least = &draft->passage[0];

		if (below[i] < PASSAGE_LEAST || node->parent || node->depth != 2 || node->set ||
			draft->state[i] != DRAFT_INNER)
			continue;
		for (unsigned p = 1; p < DRAFT_PASSAGES; p++)
			if (draft->passage[p].below < least->below)
				least = &draft->passage[p];
		if (below[i] > least->below && is_passage(draft, i))
			*least = (struct draft_passage){node->hash, below[i]};
	}
}

int fqdn_draft_join(struct draft *draft)
{
	size_t n = draft->shard->nodes.n;
	uint8_t *sizes = malloc(n + 1);
	uint32_t *below = calloc(n + 1, sizeof(*below));
	int err = -ENOMEM;

	draft->state = malloc(n + 1);
	draft->node = calloc(n + 1, sizeof(*draft->node));
	if (draft->state && draft->node && sizes && below) {
		nodes_join(draft, draft->node, sizes);
		for (size_t i = 0; i < n; i++)
			if (node_at(draft, i)->parent)
				below[node_at(draft, i)->parent - 1]++;
		passages_find(draft, below);
		err = 0;
	}
	free(sizes);
	free(below);
	return err;
}

// The node that a record starts with: the highest of those joined to node i.
static const struct builder_node *record_top(const struct draft *draft, size_t i)
{
	const struct builder_node *node = node_at(draft, i);

	while (node->parent && draft->state[node->parent - 1] == DRAFT_JOINED)
		node = node_at(draft, node->parent - 1);
	return node;
}

#define AHEAD 8 // nodes whose memory is on its way

// @param slots [out] by place in the part: the shard's node
static void buckets_fill(struct draft *draft, uint32_t *slots, uint8_t *used)
{
	const struct fqdn_part *part = &draft->part;

	for (size_t i = 0; i < draft->shard->nodes.n; i++) {
		uint64_t hash;
		uint32_t at;

		if (draft->state[i] == DRAFT_JOINED)
			continue;
		hash = record_top(draft, i)->hash;
		at = fqdn_bucket_of(part->n, hash);
		// There are more places than nodes.
		while (used[at] == FQDN_BUCKET) {
			draft->buckets[at].base |= FQDN_BASE_MORE;
			at = at + 1 == part->n ? 0 : at + 1;
		}
		draft->buckets[at].tag[used[at]] = fqdn_tag_of(hash);
		draft->node[i] = (part->first + at) * FQDN_NODE_STEP + used[at];
		slots[(size_t)at * FQDN_BUCKET + used[at]++] = (uint32_t)i;
	}
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

static uint8_t *label_put(const struct draft *draft, const struct fqdn_words *words,
	const uint8_t *label, uint8_t *to)
{
	const struct array *text = &draft->shard->text;
	int word = fqdn_words_find(words, label, text->n - (size_t)(label - text->items));

	if (word >= 0) {
		*to = (uint8_t)(FQDN_WORD_FIRST + word);
		return to + 1;
	}
	if (fqdn_pack_size(*label) <= *label) {
		unsigned size = fqdn_pack(label, to);

		if (size > 0)
			return to + size;
	}
	memcpy(to, label, *label + 1u);
	return to + *label + 1;
}

// Labels of node i and of those joined to it, from the right.
static uint8_t *labels_put(
	const struct draft *draft, const struct fqdn_words *words, size_t i, uint8_t *to)
{
	const struct builder_node *node = node_at(draft, i), *top = record_top(draft, i);
	const uint8_t *label, *labels[DNS_LABELS_MAX];
	unsigned n = 0;

	for (; node != top; node = node_at(draft, node->parent - 1))
		labels[n++] = node_text(draft, node);
	label = node_text(draft, top);
	for (unsigned l = fqdn_node_labels(top); l > 0; l--, label += *label + 1)
		labels[n++] = label;
	while (n-- > 0)
		to = label_put(draft, words, labels[n], to);
	return to;
}

// @return its size
static unsigned record_put(const struct draft *draft, const struct fqdn_words *words,
	const struct draft_sets *sets, size_t i, uint8_t *record)
{
	uint32_t set = node_at(draft, i)->set, parent = record_top(draft, i)->parent;
	uint8_t *to = record;

	*to = sets->code[set];
	*to |= parent ? FQDN_HEAD_PARENT : 0;
	*to++ |= draft->state[i] == DRAFT_INNER ? FQDN_HEAD_INNER : 0;
	if (sets->code[set] == FQDN_CODE_OTHER)
		to = put32(to, sets->set[set]);
	if (parent)
		to = put32(to, draft->node[parent - 1]);
	return (unsigned)(labels_put(draft, words, i, to) - record);
}

// Bring together what is used of the slots, in their order.
static void slots_pack(const struct draft *draft, uint32_t *slots, const uint8_t *used)
{
	size_t n = 0;

	for (uint32_t b = 0; b < draft->part.n; b++) {
		memmove(slots + n, slots + (size_t)b * FQDN_BUCKET, used[b] * sizeof(*slots));
		n += used[b];
	}
}

// Nodes stand in the order of their hashes here, so each is somewhere else: first the node is asked
// for, then its labels, then they are used.
static inline void nodes_prefetch(const struct draft *draft, const uint32_t *order, size_t left)
{
	if (left > 2 * AHEAD)
		__builtin_prefetch(node_at(draft, order[2 * AHEAD]));
	if (left > AHEAD)
		__builtin_prefetch(node_text(draft, node_at(draft, order[AHEAD])));
}

static void records_put(struct draft *draft, const struct fqdn_words *words,
	const struct draft_sets *sets, const uint32_t *order, const uint8_t *used)
{
	const uint32_t *end = order + draft->n_nodes;
	uint8_t *at = draft->records;

	for (uint32_t b = 0; b < draft->part.n; b++) {
		uint8_t *records = at + used[b];

		draft->buckets[b].base |= (uint32_t)(records - draft->records);
		at = records;
		for (unsigned slot = 0; slot < used[b]; slot++) {
			unsigned size;

			nodes_prefetch(draft, order, (size_t)(end - order));
			size = record_put(draft, words, sets, *order++, at);
			*(records - 1 - slot) = (uint8_t)size;
			at += size;
		}
	}
	draft->records_size = (uint64_t)(at - draft->records);
}

int fqdn_draft_fill(
	struct draft *draft, const struct fqdn_words *words, const struct draft_sets *sets)
{
	size_t n_slots = (size_t)draft->part.n * FQDN_BUCKET, room;
	uint32_t *slots = malloc(n_slots * sizeof(*slots));
	uint8_t *used = calloc(draft->part.n, 1);
	int err = 0;

	// Size, head, set, parent, labels. What is not used is not touched, and given back.
	room = draft->n_nodes * (size_t)(2 + 2 * sizeof(uint32_t)) + draft->shard->text.n + 1;
	draft->buckets =
		aligned_alloc(sizeof(*draft->buckets), draft->part.n * sizeof(*draft->buckets));
	draft->records = malloc(room);
	if (!slots || !used || !draft->buckets || !draft->records) {
		err = -ENOMEM;
	} else if (room >= FQDN_BASE_MORE) {
		err = -E2BIG;
	} else {
		memset(draft->buckets, 0, draft->part.n * sizeof(*draft->buckets));
		buckets_fill(draft, slots, used);
		slots_pack(draft, slots, used);
		records_put(draft, words, sets, slots, used);
	}
	free(used);
	free(slots);
	return err;
}

void fqdn_draft_free(struct draft *draft)
{
	free(draft->state);
	free(draft->node);
	free(draft->buckets);
	free(draft->records);
	*draft = (struct draft){0};
}
