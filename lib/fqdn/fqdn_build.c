/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/block.h"
#include "fqdn/fqdn_table_private.h"

// A growing array of fixed-size items.
struct array {
	uint8_t *items;
	size_t n, room;
};

// Sets are numbered as they are first needed. A set is its members' numbers, ascending by when they
// were added; `from` and `rule` tell which set and which rule it was made of.
struct builder_set {
	uint32_t first, n;    // members in `members`
	uint32_t from, rule;  // made by adding rule to set from; from == 0: the empty set
};

struct builder_name {
	uint64_t hash;
	uint32_t at;  // place of size and octets in text
	uint32_t set;
};

// Index by hash over items numbered from 0: number + 1, 0 is free. Load stays at or below 1/2.
struct index {
	uint32_t *slots;
	size_t mask, n;
};

struct fqdn_builder {
	struct fqdn_key key;
	struct array names;   // struct builder_name
	struct array text;    // size octet and octets of each name, 8 spare bytes at the end
	struct array sets;    // struct builder_set; set 0 is empty
	struct array members; // uint32_t
	struct array rules;   // struct fqdn_rule
	struct array ids;     // uint32_t: place in id_text
	struct array id_text;
	struct index name_index, set_index, rule_index, id_index;
	uint64_t depths[2];
};

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

#define ARRAY_AT(array, type, i) (&((type *)(void *)(array).items)[i])

static int index_grow(struct index *index, uint64_t (*hash_of)(const struct fqdn_builder *, uint32_t),
	const struct fqdn_builder *b)
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
		hash = fqdn_fold(hash ^ piece, b->key.factor);
	}
	return hash;
}

static uint64_t name_hash(const struct fqdn_builder *b, uint32_t i)
{
	return ARRAY_AT(b->names, struct builder_name, i)->hash;
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
	b->key.factor |= 1;
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
	free(b->names.items);
	free(b->text.items);
	free(b->sets.items);
	free(b->members.items);
	free(b->rules.items);
	free(b->ids.items);
	free(b->id_text.items);
	free(b->name_index.slots);
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

// Hash of a whole canonical name and its number of labels.
static uint64_t name_walk(const struct fqdn_key *key, const uint8_t *name, unsigned *n_labels)
{
	uint8_t bytes[DNS_NAME_SIZE_MAX + 9], label[DNS_LABELS_MAX];
	uint64_t hash = fqdn_hash_root(key);
	unsigned n = 0, at = 0;

	for (; name[at]; at += name[at] + 1u)
		label[n++] = (uint8_t)at;
	memcpy(bytes, name, at + 1);
	// The hash masks what it reads past a label, but it should not read what was never written.
	memset(bytes + at + 1, 0, 8);
	*n_labels = n;
	while (n > 0)
		hash = fqdn_hash_label(key, hash, bytes + label[--n]);
	return hash;
}

// The name's entry, made if need be.
static struct builder_name *name_place(struct fqdn_builder *b, const uint8_t *name, uint8_t size)
{
	struct builder_name *place;
	unsigned n_labels;
	uint64_t hash = name_walk(&b->key, name, &n_labels);
	uint8_t *text;
	size_t at;

	if (index_grow(&b->name_index, name_hash, b) < 0)
		return NULL;
	at = hash & b->name_index.mask;
	for (; b->name_index.slots[at]; at = (at + 1) & b->name_index.mask) {
		place = ARRAY_AT(b->names, struct builder_name, b->name_index.slots[at] - 1);
		text = b->text.items + (size_t)place->at * FQDN_NAME_UNIT;
		if (place->hash == hash && text[4] == size && memcmp(text + 5, name, size) == 0)
			return place;
	}
	// Text is laid out as in the table: set, size, octets, in units of four bytes.
	text = array_extend(&b->text, (size + 5u + 3u) & ~3u, 1);
	place = array_extend(&b->names, 1, sizeof(*place));
	if (!text || !place)
		return NULL;
	memset(text, 0, (size + 5u + 3u) & ~3u);
	text[4] = size;
	memcpy(text + 5, name, size);
	place->hash = hash;
	place->at = (uint32_t)((size_t)(text - b->text.items) / FQDN_NAME_UNIT);
	place->set = 0;
	b->name_index.slots[at] = (uint32_t)b->names.n;
	b->name_index.n++;
	b->depths[n_labels >> 6] |= 1ull << (n_labels & 63);
	return place;
}

int fqdn_builder_add(struct fqdn_builder *b, const uint8_t *name, uint8_t size,
	const struct fqdn_rule *rule)
{
	int64_t number = rule_number(b, rule), set;
	struct builder_name *place;

	if (number < 0)
		return (int)number;
	place = name_place(b, name, size);
	if (!place)
		return -ENOMEM;
	set = set_number(b, place->set, (uint32_t)number);
	if (set < 0)
		return (int)set;
	if ((uint32_t)set == place->set)
		return 0;
	place->set = (uint32_t)set;
	return 1;
}

static uint64_t align(uint64_t offset, uint64_t to)
{
	return (offset + to - 1) & ~(to - 1);
}

// Where each part stands; see the drawing in fqdn_table_private.h.
static void table_lay_out(const struct fqdn_builder *b, struct fqdn_table *t)
{
	uint64_t n_slots = 8;

	while (n_slots * 3 / 4 < b->names.n)
		n_slots *= 2;
	t->magic = FQDN_MAGIC;
	t->slot_mask = (uint32_t)(n_slots - 1);
	t->key = b->key;
	t->depths[0] = b->depths[0];
	t->depths[1] = b->depths[1];
	t->n_names = b->names.n;
	t->n_sets = (uint32_t)b->sets.n;
	t->n_rules = (uint32_t)b->rules.n;
	t->slots = sizeof(*t);
	t->names = t->slots + n_slots * sizeof(struct fqdn_slot);
	t->sets = t->names + FQDN_NAME_UNIT + b->text.n;
	t->members = t->sets + (b->sets.n + 1) * sizeof(uint32_t);
	t->rules = t->members + b->members.n * sizeof(uint32_t);
	t->ids = t->worker_size = align(t->rules + b->rules.n * sizeof(struct fqdn_rule), 64);
	t->text = t->ids + b->ids.n * sizeof(uint32_t);
	t->size = t->text + b->id_text.n;
}

// Slots and name records, in the order the names came.
static void table_fill_names(const struct fqdn_builder *b, struct fqdn_table *t)
{
	struct fqdn_slot *slots = (struct fqdn_slot *)((uint8_t *)t + t->slots);
	uint8_t *names = (uint8_t *)t + t->names;

	memcpy(names + FQDN_NAME_UNIT, b->text.items, b->text.n);
	for (size_t i = 0; i < b->names.n; i++) {
		const struct builder_name *name = ARRAY_AT(b->names, struct builder_name, i);
		// Places move by one unit: 0 is the mark of a free slot.
		uint32_t place = name->at + 1, at = (uint32_t)name->hash & t->slot_mask;

		memcpy(names + (uint64_t)place * FQDN_NAME_UNIT, &name->set, sizeof(name->set));
		while (slots[at].at)
			at = (at + 1) & t->slot_mask;
		slots[at] = (struct fqdn_slot){(uint32_t)(name->hash >> 32), place};
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
		memcpy((uint8_t *)t + t->rules, b->rules.items, b->rules.n * sizeof(struct fqdn_rule));
	memcpy((uint8_t *)t + t->ids, b->ids.items, b->ids.n * sizeof(uint32_t));
	memcpy((uint8_t *)t + t->text, b->id_text.items, b->id_text.n);
}

struct fqdn_table *fqdn_builder_finish(struct fqdn_builder *b)
{
	struct fqdn_table layout = {0}, *t;

	// A slot has 32 bits for a name's place, in units of four bytes.
	if (b->text.n / FQDN_NAME_UNIT >= UINT32_MAX - 1 || b->names.n > 1u << 30) {
		errno = E2BIG;
		return NULL;
	}
	table_lay_out(b, &layout);
	t = block_alloc(layout.size, -1);
	if (!t)
		return NULL;
	*t = layout;
	if (b->names.n)
		table_fill_names(b, t);
	table_fill_rules(b, t);
	return t;
}
