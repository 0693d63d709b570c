/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_build_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

// Room for n more items. The allocation may move.
static void *array_extend(struct array *array, size_t n, size_t item_size)
{
	void *place;

	if (array->room - array->n < n) {
		size_t room = array->room * 2 > array->n + n ? array->room * 2 : array->n + n + 16;
		uint8_t *items = realloc(array->items, room * item_size);

		if (!items)
			return NULL;
		array->items = items;
		array->room = room;
	}
	place = array->items + array->n * item_size;
	array->n += n;
	return place;
}

static int index_grow(struct index *index,
	uint64_t (*hash_of)(const struct fqdn_builder *, uint32_t), const struct fqdn_builder *b)
{
	size_t size = index->slots ? (index->mask + 1) * 2 : 64;
	uint32_t *slots;

	if (index->slots && index->n * 2 < index->mask + 1)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; index->slots && i <= index->mask; i++) {
		size_t at;

		if (!index->slots[i])
			continue;
		at = hash_of(b, index->slots[i] - 1) & (size - 1);
		while (slots[at])
			at = (at + 1) & (size - 1);
		slots[at] = index->slots[i];
	}
	free(index->slots);
	index->slots = slots;
	index->mask = size - 1;
	return 0;
}

static uint64_t hash_bytes(const struct fqdn_builder *b, const void *bytes, size_t size)
{
	uint64_t hash = b->key.seed ^ size, piece;
	const uint8_t *at = bytes;

	for (; size; at += size < 8 ? size : 8, size -= size < 8 ? size : 8) {
		piece = 0;
		memcpy(&piece, at, size < 8 ? size : 8);
		hash = fqdn_fold(hash ^ piece, b->key.factor[0]);
	}
	return hash;
}

static uint64_t rule_hash(const struct fqdn_builder *b, uint32_t i)
{
	return hash_bytes(b, ARRAY_AT(b->rules, struct fqdn_rule, i), sizeof(struct fqdn_rule));
}

static uint64_t set_hash(const struct fqdn_builder *b, uint32_t i)
{
	return hash_bytes(b, &ARRAY_AT(b->sets, struct builder_set, i)->from, 2 * sizeof(uint32_t));
}

static const char *id_text(const struct fqdn_builder *b, uint32_t i)
{
	return (const char *)b->id_text.items + *ARRAY_AT(b->ids, uint32_t, i);
}

static uint64_t id_hash(const struct fqdn_builder *b, uint32_t i)
{
	return hash_bytes(b, id_text(b, i), strlen(id_text(b, i)));
}

struct fqdn_builder *fqdn_builder_create(void)
{
	struct fqdn_builder *b = calloc(1, sizeof(*b));
	struct builder_set *empty;

	if (!b)
		return NULL;
	if (getrandom(&b->key, sizeof(b->key), 0) != sizeof(b->key))
		goto fail;
	b->key.factor[0] |= 1;
	b->key.factor[1] |= 1;
	empty = array_extend(&b->sets, 1, sizeof(*empty));
	if (!empty)
		goto fail;
	*empty = (struct builder_set){0};
	if (fqdn_builder_id(b, "") < 0)
		goto fail;
	return b;
fail:
	fqdn_builder_destroy(b);
	return NULL;
}

void fqdn_builder_destroy(struct fqdn_builder *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < FQDN_SHARDS; i++) {
		free(b->shard[i].nodes.items);
		free(b->shard[i].text.items);
		free(b->shard[i].index.slots);
	}
	free(b->sets.items);
	free(b->members.items);
	free(b->rules.items);
	free(b->ids.items);
	free(b->id_text.items);
	free(b->set_index.slots);
	free(b->rule_index.slots);
	free(b->id_index.slots);
	free(b);
}

int64_t fqdn_builder_id(struct fqdn_builder *b, const char *id)
{
	size_t size = strlen(id) + 1, at;
	uint32_t *place;
	char *text;

	if (index_grow(&b->id_index, id_hash, b) < 0)
		return -ENOMEM;
	at = hash_bytes(b, id, size - 1) & b->id_index.mask;
	for (; b->id_index.slots[at]; at = (at + 1) & b->id_index.mask)
		if (strcmp(id_text(b, b->id_index.slots[at] - 1), id) == 0)
			return b->id_index.slots[at] - 1;
	text = array_extend(&b->id_text, size, 1);
	place = array_extend(&b->ids, 1, sizeof(*place));
	if (!text || !place)
		return -ENOMEM;
	memcpy(text, id, size);
	*place = (uint32_t)(b->id_text.n - size);
	b->id_index.slots[at] = (uint32_t)b->ids.n;
	b->id_index.n++;
	return (int64_t)b->ids.n - 1;
}

static int64_t rule_number(struct fqdn_builder *b, const struct fqdn_rule *rule)
{
	struct fqdn_rule *place;
	size_t at;

	if (index_grow(&b->rule_index, rule_hash, b) < 0)
		return -ENOMEM;
	at = hash_bytes(b, rule, sizeof(*rule)) & b->rule_index.mask;
	for (; b->rule_index.slots[at]; at = (at + 1) & b->rule_index.mask)
		if (memcmp(ARRAY_AT(b->rules, struct fqdn_rule, b->rule_index.slots[at] - 1), rule,
			    sizeof(*rule)) == 0)
			return b->rule_index.slots[at] - 1;
	place = array_extend(&b->rules, 1, sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = *rule;
	b->rule_index.slots[at] = (uint32_t)b->rules.n;
	b->rule_index.n++;
	return (int64_t)b->rules.n - 1;
}

int64_t fqdn_builder_add_rule(struct fqdn_builder *b, const struct fqdn_rule *rule)
{
	return rule_number(b, rule);
}

// The set that has the members of `from` and `rule`; `from` itself when the rule is in it.
static int64_t set_number(struct fqdn_builder *b, uint32_t from, uint32_t rule)
{
	const struct builder_set wanted = {.from = from, .rule = rule};
	const struct builder_set *old = ARRAY_AT(b->sets, struct builder_set, from);
	uint32_t first = old->first, n = old->n, *members;
	struct builder_set *place;
	size_t at;

	for (uint32_t i = 0; i < n; i++)
		if (*ARRAY_AT(b->members, uint32_t, first + i) == rule)
			return from;
	if (n == FQDN_RULES_MAX)
		return -E2BIG;
	if (index_grow(&b->set_index, set_hash, b) < 0)
		return -ENOMEM;
	at = hash_bytes(b, &wanted.from, 2 * sizeof(uint32_t)) & b->set_index.mask;
	for (; b->set_index.slots[at]; at = (at + 1) & b->set_index.mask) {
		const struct builder_set *set =
			ARRAY_AT(b->sets, struct builder_set, b->set_index.slots[at] - 1);

		if (set->from == from && set->rule == rule)
			return b->set_index.slots[at] - 1;
	}
	members = array_extend(&b->members, n + 1, sizeof(*members));
	place = array_extend(&b->sets, 1, sizeof(*place));
	if (!members || !place)
		return -ENOMEM;
	if (n > 0)
		memcpy(members, ARRAY_AT(b->members, uint32_t, first), n * sizeof(*members));
	members[n] = rule;
	*place = wanted;
	place->first = (uint32_t)(b->members.n - n - 1);
	place->n = n + 1;
	b->set_index.slots[at] = (uint32_t)b->sets.n;
	b->set_index.n++;
	return (int64_t)b->sets.n - 1;
}

static int node_index_grow(struct builder_shard *shard)
{
	struct node_index *index = &shard->index,
			  grown = {.mask = index->slots ? index->mask * 2 + 1 : 63};

	if (index->slots && shard->nodes.n * 2 <= index->mask)
		return 0;
	if (grown.mask > UINT32_MAX)
		return -ENOMEM;
	grown.slots = calloc(grown.mask + 1, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; index->slots && i <= index->mask; i++) {
		size_t at = index->slots[i].hash & grown.mask;

		if (!index->slots[i].number)
			continue;
		while (grown.slots[at].number)
			at = (at + 1) & grown.mask;
		grown.slots[at] = index->slots[i];
	}
	free(index->slots);
	*index = grown;
	return 0;
}

// The node of these labels below a parent (number + 1), made if need be. Returns number + 1, 0: no
// memory.
static uint32_t node_place(struct builder_shard *shard, const struct builder_node *wanted,
	const uint8_t *labels, unsigned labels_size)
{
	struct node_index *index = &shard->index;
	struct builder_node *node;
	uint8_t *text;
	size_t at;

	if (node_index_grow(shard) < 0)
		return 0;
	at = (uint32_t)wanted->hash & index->mask;
	for (; index->slots[at].number; at = (at + 1) & index->mask) {
		if (index->slots[at].hash != (uint32_t)wanted->hash)
			continue;
		node = ARRAY_AT(shard->nodes, struct builder_node, index->slots[at].number - 1);
		if (node->hash == wanted->hash && node->parent == wanted->parent &&
			node->depth == wanted->depth && node->size == wanted->size &&
			memcmp(shard->text.items + node->text, labels, labels_size) == 0)
			return index->slots[at].number;
	}
	if (shard->text.n + labels_size > UINT32_MAX)
		return 0;
	text = array_extend(&shard->text, labels_size, 1);
	node = array_extend(&shard->nodes, 1, sizeof(*node));
	if (!text || !node)
		return 0;
	memcpy(text, labels, labels_size);
	*node = *wanted;
	node->text = (uint32_t)(text - shard->text.items);
	index->slots[at].hash = (uint32_t)wanted->hash;
	index->slots[at].number = (uint32_t)shard->nodes.n;
	return (uint32_t)shard->nodes.n;
}

// The node of a name, with the nodes above it, down from the one of two labels.
// @param in [out] its shard
static struct builder_node *name_place(
	struct fqdn_builder *b, const uint8_t *name, uint8_t size, struct builder_shard **in)
{
	// Room behind the name: labels are read in pieces.
	uint8_t bytes[DNS_NAME_SIZE_MAX + FQDN_PIECE] = {0};
	struct builder_node wanted = {.hash = b->key.seed};
	struct builder_shard *shard = NULL;
	struct dns_labels labels;
	uint32_t number = 0;
	unsigned first, end = size - 1u;

	memcpy(bytes, name, size);
	dns_name_labels(bytes, &labels);
	first = labels.n > 2 ? labels.n - 2u : 0;
	wanted.depth = (uint8_t)(labels.n - first - 1);
	for (unsigned i = first + 1; i-- > 0; end = labels.at[i]) {
		const uint8_t *label = bytes + labels.at[i];
		unsigned label_size = end - labels.at[i];

		wanted.depth++;
		wanted.size = (uint8_t)(wanted.size + label_size);
		wanted.parent = number;
		wanted.hash = fqdn_hash_labels(
			&b->key, wanted.hash, label, label_size, label_size + FQDN_PIECE);
		if (!shard)
			shard = &b->shard[fqdn_part_of(wanted.hash)];
		number = node_place(shard, &wanted, label, label_size);
		if (number == 0)
			return NULL;
	}
	*in = shard;
	return ARRAY_AT(shard->nodes, struct builder_node, number - 1);
}

int fqdn_builder_add(
	struct fqdn_builder *b, const uint8_t *name, uint8_t size, const struct fqdn_rule *rule)
{
	int64_t number = rule_number(b, rule), set;
	struct builder_shard *shard;
	struct builder_node *place;

	if (size < 2)
		return -EINVAL;
	if (number < 0)
		return (int)number;
	place = name_place(b, name, size, &shard);
	if (!place)
		return -ENOMEM;
	set = set_number(b, place->set, (uint32_t)number);
	if (set < 0)
		return (int)set;
	if ((uint32_t)set == place->set)
		return 0;
	shard->n_names += place->set == 0;
	shard->n_singles += place->set == 0 && place->depth == 1;
	place->set = (uint32_t)set;
	return 1;
}
