/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_build_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void *fqdn_array_extend(struct array *array, size_t n, size_t item_size)
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
	return (const char *)b->id_text.items + ARRAY_AT(b->ids, struct fqdn_id, i)->text;
}

static uint64_t text_hash(const struct fqdn_builder *b, uint32_t list, const char *text)
{
	return hash_bytes(b, text, strlen(text)) + list * b->key.factor[1];
}

static uint64_t id_hash(const struct fqdn_builder *b, uint32_t i)
{
	return text_hash(b, ARRAY_AT(b->ids, struct fqdn_id, i)->list, id_text(b, i));
}

struct fqdn_builder *fqdn_builder_create(void)
{
	struct fqdn_builder *b = calloc(1, sizeof(*b));
	struct builder_set *empty;

	if (!b)
		return NULL;
	pthread_mutex_init(&b->lock, NULL);
	if (getrandom(&b->key, sizeof(b->key), 0) != sizeof(b->key))
		goto fail;
	b->key.factor[0] |= 1;
	b->key.factor[1] |= 1;
	empty = fqdn_array_extend(&b->sets, 1, sizeof(*empty));
	if (!empty)
		goto fail;
	*empty = (struct builder_set){0};
	if (fqdn_builder_id(b, FQDN_NO_LIST, "") < 0)
		goto fail;
	return b;
fail:
	fqdn_builder_destroy(b);
	return NULL;
}

void fqdn_shard_free(struct builder_shard *shard)
{
	// Without room of their own they are in an arena.
	if (shard->nodes.room > 0)
		free(shard->nodes.items);
	if (shard->text.room > 0)
		free(shard->text.items);
	free(shard->index.slots);
	*shard = (struct builder_shard){0};
}

void fqdn_builder_destroy(struct fqdn_builder *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < FQDN_SHARDS; i++)
		fqdn_shard_free(&b->shard[i]);
	for (unsigned i = 0; i < CREW_MAX; i++)
		fqdn_arena_free(&b->done[i]);
	fqdn_lanes_free(b);
	pthread_mutex_destroy(&b->lock);
	free(b->refused.items);
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

int64_t fqdn_builder_id(struct fqdn_builder *b, uint32_t list, const char *id)
{
	size_t size = strlen(id) + 1, at;
	struct fqdn_id *place;
	char *text;

	if (index_grow(&b->id_index, id_hash, b) < 0)
		return -ENOMEM;
	at = text_hash(b, list, id) & b->id_index.mask;
	for (; b->id_index.slots[at]; at = (at + 1) & b->id_index.mask)
		if (ARRAY_AT(b->ids, struct fqdn_id, b->id_index.slots[at] - 1)->list == list &&
			strcmp(id_text(b, b->id_index.slots[at] - 1), id) == 0)
			return b->id_index.slots[at] - 1;
	text = fqdn_array_extend(&b->id_text, size, 1);
	place = fqdn_array_extend(&b->ids, 1, sizeof(*place));
	if (!text || !place)
		return -ENOMEM;
	memcpy(text, id, size);
	*place = (struct fqdn_id){(uint32_t)(b->id_text.n - size), list};
	b->id_index.slots[at] = (uint32_t)b->ids.n;
	b->id_index.n++;
	return (int64_t)b->ids.n - 1;
}

int64_t fqdn_builder_rule(struct fqdn_builder *b, const struct fqdn_rule *rule)
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
	place = fqdn_array_extend(&b->rules, 1, sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = *rule;
	b->rule_index.slots[at] = (uint32_t)b->rules.n;
	b->rule_index.n++;
	return (int64_t)b->rules.n - 1;
}

int64_t fqdn_builder_add_rule(struct fqdn_builder *b, const struct fqdn_rule *rule)
{
	return fqdn_builder_rule(b, rule);
}

int64_t fqdn_builder_set(struct fqdn_builder *b, uint32_t from, uint32_t rule)
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
	members = fqdn_array_extend(&b->members, n + 1, sizeof(*members));
	place = fqdn_array_extend(&b->sets, 1, sizeof(*place));
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
	grown.room = grown.mask + 1;
	grown.slots = calloc(grown.room, sizeof(*grown.slots));
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

int fqdn_shard_index(struct builder_shard *shard, size_t n)
{
	struct node_index *index = &shard->index;
	size_t size = 64;

	while (size < 2 * n && size <= UINT32_MAX)
		size *= 2;
	if (index->room < size) {
		free(index->slots);
		*index = (struct node_index){0};
		index->slots = malloc(size * sizeof(*index->slots));
		if (!index->slots)
			return -ENOMEM;
		index->room = size;
	}
	index->mask = size - 1;
	memset(index->slots, 0, size * sizeof(*index->slots));
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
	text = fqdn_array_extend(&shard->text, labels_size, 1);
	node = fqdn_array_extend(&shard->nodes, 1, sizeof(*node));
	if (!text || !node)
		return 0;
	memcpy(text, labels, labels_size);
	*node = *wanted;
	node->text = (uint32_t)(text - shard->text.items);
	index->slots[at].hash = (uint32_t)wanted->hash;
	index->slots[at].number = (uint32_t)shard->nodes.n;
	return (uint32_t)shard->nodes.n;
}

// Where the labels of a name in wire form stand. @return their number
static unsigned labels_find(const uint8_t *name, uint8_t at[DNS_LABELS_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; name[i]; i += name[i] + 1u)
		at[n++] = (uint8_t)i;
	return n;
}

struct builder_shard *fqdn_shard_of_name(struct fqdn_builder *b, const uint8_t *name, uint8_t size)
{
	// The last two labels, of which the first is the only one where the other is not there.
	unsigned last = 0, before = 0;

	for (unsigned i = 0; name[i]; i += name[i] + 1u) {
		before = last;
		last = i;
	}
	return &b->shard[fqdn_part_of(fqdn_hash_labels(&b->key, b->key.seed, name + before,
		size - 1u - before, size - 1u - before + FQDN_PIECE))];
}

int fqdn_shard_node(const struct fqdn_builder *b, struct builder_shard *shard, const uint8_t *name,
	uint8_t size, struct builder_node **node)
{
	struct builder_node wanted = {.hash = b->key.seed};
	uint8_t at[DNS_LABELS_MAX];
	unsigned n = labels_find(name, at), first = n > 2 ? n - 2 : 0, end = size - 1u;
	uint32_t number = 0;

	wanted.depth = (uint8_t)(n - first - 1);
	for (unsigned i = first + 1; i-- > 0; end = at[i]) {
		const uint8_t *label = name + at[i];
		unsigned label_size = end - at[i];

		wanted.depth++;
		wanted.size = (uint8_t)(wanted.size + label_size);
		wanted.parent = number;
		wanted.hash = fqdn_hash_labels(
			&b->key, wanted.hash, label, label_size, label_size + FQDN_PIECE);
		number = node_place(shard, &wanted, label, label_size);
		if (number == 0)
			return -ENOMEM;
	}
	*node = ARRAY_AT(shard->nodes, struct builder_node, number - 1);
	return 0;
}

void fqdn_shard_set(struct builder_shard *shard, struct builder_node *node, uint32_t set)
{
	shard->n_names += node->set == 0;
	shard->n_singles += node->set == 0 && node->depth == 1;
	node->set = set;
}

int fqdn_builder_add(
	struct fqdn_builder *b, const uint8_t *name, uint8_t size, const struct fqdn_rule *rule)
{
	// Room behind the name: labels are read in pieces.
	uint8_t bytes[DNS_NAME_SIZE_MAX + FQDN_PIECE] = {0};
	int64_t number = fqdn_builder_rule(b, rule), set;
	struct builder_shard *shard;
	struct builder_node *node;

	if (size < 2)
		return -EINVAL;
	if (number < 0)
		return (int)number;
	memcpy(bytes, name, size);
	shard = fqdn_shard_of_name(b, bytes, size);
	if (fqdn_shard_node(b, shard, bytes, size, &node) < 0)
		return -ENOMEM;
	set = fqdn_builder_set(b, node->set, (uint32_t)number);
	if (set < 0)
		return (int)set;
	if ((uint32_t)set == node->set)
		return 0;
	fqdn_shard_set(shard, node, (uint32_t)set);
	return 1;
}
