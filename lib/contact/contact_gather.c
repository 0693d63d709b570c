/* SPDX-License-Identifier: BSD-3-Clause */
#include "contact/contact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

struct entry {
	struct store_contact contact; // its name is ours
	unsigned kept;                // with port 0: entries beside it of the client's minute
};

struct contact_gather {
	struct entry *entries;
	size_t n, room;
	uint32_t *slots; // index + 1
	size_t n_slots;  // power of two, at least twice the room
	struct store_contact *all;
};

static int64_t minute_of(const struct store_contact *c)
{
	return c->first_ms / STORE_MINUTE_MS;
}

static uint64_t contact_hash(const struct store_contact *c)
{
	struct {
		int64_t minute;
		uint8_t client[16];
		uint16_t port;
		uint8_t family, protocol, named, zero[3];
	} key = {.minute = minute_of(c),
		.port = c->port,
		.family = c->client.family,
		.protocol = c->protocol,
		.named = c->named};

	memcpy(key.client, c->client.bytes, sizeof(key.client));
	return XXH3_64bits_withSeed(c->name, strlen(c->name), XXH3_64bits(&key, sizeof(key)));
}

static bool is_like(const struct store_contact *a, const struct store_contact *b)
{
	return minute_of(a) == minute_of(b) && a->port == b->port && a->protocol == b->protocol &&
	       a->named == b->named && a->client.family == b->client.family &&
	       memcmp(a->client.bytes, b->client.bytes, sizeof(a->client.bytes)) == 0 &&
	       strcmp(a->name, b->name) == 0;
}

// The slot of a contact like this one, or the free one where it belongs.
static size_t slot_find(const struct contact_gather *g, const struct store_contact *c)
{
	size_t at = contact_hash(c) & (g->n_slots - 1);

	while (g->slots[at] && !is_like(&g->entries[g->slots[at] - 1].contact, c))
		at = (at + 1) & (g->n_slots - 1);
	return at;
}

static int grow(struct contact_gather *g)
{
	size_t room = g->room ? g->room * 2 : 1024;
	struct entry *more = realloc(g->entries, room * sizeof(*more));
	uint32_t *slots;

	if (!more)
		return -ENOMEM;
	g->entries = more;
	slots = calloc(room * 2, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(g->slots);
	g->slots = slots;
	g->n_slots = room * 2;
	g->room = room;
	for (size_t i = 0; i < g->n; i++)
		slots[slot_find(g, &more[i].contact)] = (uint32_t)i + 1;
	return 0;
}

static struct entry *entry_find(const struct contact_gather *g, const struct store_contact *c)
{
	uint32_t i = g->n_slots ? g->slots[slot_find(g, c)] : 0;

	return i ? &g->entries[i - 1] : NULL;
}

static struct entry *entry_make(struct contact_gather *g, const struct store_contact *c)
{
	struct entry *entry;

	if (g->n == g->room && grow(g) != 0)
		return NULL;
	entry = &g->entries[g->n];
	*entry = (struct entry){.contact = *c};
	entry->contact.n = 0;
	entry->contact.name = strdup(c->name);
	if (!entry->contact.name)
		return NULL;
	g->slots[slot_find(g, c)] = (uint32_t)++g->n;
	return entry;
}

static void entry_add(struct entry *entry, const struct store_contact *c)
{
	struct store_contact *to = &entry->contact;

	if (to->n == 0 || c->last_ms >= to->last_ms) {
		to->last_ms = c->last_ms;
		to->client_port = c->client_port;
	}
	if (to->n == 0 || c->first_ms < to->first_ms)
		to->first_ms = c->first_ms;
	to->n += c->n;
}

struct contact_gather *contact_gather_create(void)
{
	return calloc(1, sizeof(struct contact_gather));
}

void contact_gather_destroy(struct contact_gather *g)
{
	if (!g)
		return;
	contact_gather_clear(g);
	free(g->entries);
	free(g->slots);
	free(g);
}

// Those that come first are kept apart, so that a chunk that is read again, and has become longer, has
// the same ones.
int contact_gather_add(struct contact_gather *g, const struct store_contact *c)
{
	const struct store_contact rest = {.client = c->client,
		.first_ms = c->first_ms,
		.last_ms = c->last_ms,
		.n = c->n,
		.client_port = c->client_port,
		.name = ""};
	struct entry *entry = entry_find(g, c), *others;

	if (entry) {
		entry_add(entry, c);
		return 0;
	}
	others = entry_find(g, &rest);
	if (!others)
		others = entry_make(g, &rest);
	if (!others)
		return -ENOMEM;
	if (others->kept == CONTACT_KEPT_MAX) {
		entry_add(others, &rest);
		return 0;
	}
	others->kept++;
	entry = entry_make(g, c);
	if (!entry)
		return -ENOMEM;
	entry_add(entry, c);
	return 0;
}

static int time_compare(const void *a, const void *b)
{
	const struct store_contact *x = a, *y = b;

	return (x->first_ms > y->first_ms) - (x->first_ms < y->first_ms);
}

const struct store_contact *contact_gather_all(struct contact_gather *g, size_t *n)
{
	*n = 0;
	free(g->all);
	g->all = malloc((g->n + 1) * sizeof(*g->all));
	if (!g->all)
		return NULL;
	for (size_t i = 0; i < g->n; i++)
		if (g->entries[i].contact.n > 0)
			g->all[(*n)++] = g->entries[i].contact;
	qsort(g->all, *n, sizeof(*g->all), time_compare);
	return g->all;
}

void contact_gather_clear(struct contact_gather *g)
{
	for (size_t i = 0; i < g->n; i++)
		free((char *)g->entries[i].contact.name);
	g->n = 0;
	if (g->slots)
		memset(g->slots, 0, g->n_slots * sizeof(*g->slots));
	free(g->all);
	g->all = NULL;
}
