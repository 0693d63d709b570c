/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names that several threads add at once.
 *
 * Names of one shard have nothing to do with those of another. So each thread writes what it takes
 * into a stream for each shard, with nothing shared but the numbers of rules; then threads take shards,
 * one after the other, and add what the lanes have for them. A shard's nodes and index stay in a cache
 * meanwhile, where those of all names together would not.
 */
#include "fqdn/fqdn_build_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/crew.h"

// What is taken, as it stands in a chunk: no padding, and room behind the last one.
struct entry {
	uint32_t line, rule;
	uint8_t size;
	uint8_t name[];
} __attribute__((packed));

#define ENTRY_MAX (sizeof(struct entry) + DNS_NAME_SIZE_MAX + FQDN_PIECE)

#define CHUNK_MIN ((size_t)1 << 10) // of a shard; the next ones are larger
#define CHUNK_MAX ((size_t)32 << 10)

static_assert(CHUNK_MIN > 2 * ENTRY_MAX, "a chunk holds entries");
static_assert(FQDN_NAME_AHEAD == FQDN_PIECE, "names are read in pieces");

// Entries of one lane and shard, in the order in which they came.
struct chunk {
	struct chunk *next;
	size_t size; // of bytes; more than is in use
	uint8_t *end;
	uint8_t bytes[];
};

struct stream {
	uint8_t *at, *full; // in the last chunk; a new one is needed from `full` on
	struct chunk *first, *last;
	size_t n;
};

#define RULES_KNOWN 64 // a power of two

struct fqdn_lane {
	struct fqdn_builder *builder;
	struct stream streams[FQDN_SHARDS];
	struct arena *chunks;
	char id[256];                // the last one
	uint32_t id_list, id_number; // id_list: number + 1; 0: none
	// Rules that were asked for lately; number + 1, 0: none.
	struct {
		struct fqdn_rule rule;
		uint32_t number;
	} rules[RULES_KNOWN];
} __attribute__((aligned(64)));

int fqdn_builder_lanes(struct fqdn_builder *b, unsigned n)
{
	b->lanes = aligned_alloc(64, n * sizeof(*b->lanes));
	if (!b->lanes)
		return -ENOMEM;
	memset(b->lanes, 0, n * sizeof(*b->lanes));
	for (unsigned i = 0; i < n; i++)
		b->lanes[i].builder = b;
	b->n_lanes = n;
	return 0;
}

struct fqdn_lane *fqdn_builder_lane(struct fqdn_builder *b, unsigned i)
{
	return &b->lanes[i];
}

static void lane_clear(struct fqdn_lane *lane)
{
	fqdn_arena_free(&lane->chunks);
	memset(lane->streams, 0, sizeof(lane->streams));
}

void fqdn_lanes_free(struct fqdn_builder *b)
{
	for (unsigned i = 0; i < b->n_lanes; i++)
		lane_clear(&b->lanes[i]);
	free(b->lanes);
	b->lanes = NULL;
	b->n_lanes = 0;
}

static int chunk_add(struct fqdn_lane *lane, struct stream *stream)
{
	size_t size = stream->last ? 2 * stream->last->size : CHUNK_MIN;
	struct chunk *chunk;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	chunk = fqdn_arena_take(&lane->chunks, size);
	if (!chunk)
		return -ENOMEM;
	chunk->next = NULL;
	chunk->size = size;
	if (stream->last) {
		stream->last->end = stream->at;
		stream->last->next = chunk;
	} else {
		stream->first = chunk;
	}
	stream->last = chunk;
	stream->at = chunk->bytes;
	stream->full = (uint8_t *)chunk + size - ENTRY_MAX;
	return 0;
}

// The number of a rule that has not been asked for lately.
// @param known whether its identifier is the last one
static int64_t rule_ask(struct fqdn_lane *lane, struct fqdn_rule *rule, const char *id, bool known)
{
	int64_t number = 0;

	pthread_mutex_lock(&lane->builder->lock);
	if (!known) {
		number = fqdn_builder_id(lane->builder, rule->list, id);
		if (number >= 0 && strlen(id) < sizeof(lane->id)) {
			strcpy(lane->id, id);
			lane->id_list = rule->list + 1u;
			lane->id_number = (uint32_t)number;
		}
		rule->id = (uint32_t)number;
	}
	if (number >= 0)
		number = fqdn_builder_rule(lane->builder, rule);
	pthread_mutex_unlock(&lane->builder->lock);
	return number;
}

static int64_t rule_number(struct fqdn_lane *lane, const struct fqdn_rule *given, const char *id)
{
	struct fqdn_rule rule = *given;
	unsigned at = (unsigned)(given->last_day * 5 + given->first_day * 3 + given->scope +
				 given->list * 7u) %
		      RULES_KNOWN;
	bool known = lane->id_list == given->list + 1u && strcmp(id, lane->id) == 0;
	int64_t number;

	rule.id = lane->id_number;
	if (known && lane->rules[at].number &&
		memcmp(&lane->rules[at].rule, &rule, sizeof(rule)) == 0)
		return lane->rules[at].number - 1;
	number = rule_ask(lane, &rule, id, known);
	if (number >= 0) {
		lane->rules[at].rule = rule;
		lane->rules[at].number = (uint32_t)number + 1;
	}
	return number;
}

int fqdn_lane_add(struct fqdn_lane *lane, const uint8_t *name, uint8_t size,
	const struct fqdn_rule *rule, const char *id, uint32_t line)
{
	struct fqdn_builder *b = lane->builder;
	int64_t number = rule_number(lane, rule, id);
	struct stream *stream;
	struct entry *entry;

	if (size < 2)
		return -EINVAL;
	if (number < 0)
		return (int)number;
	stream = &lane->streams[fqdn_shard_of_name(b, name, size) - b->shard];
	if (stream->at >= stream->full && chunk_add(lane, stream) < 0)
		return -ENOMEM;
	entry = (struct entry *)(void *)stream->at;
	entry->line = line;
	entry->rule = (uint32_t)number;
	entry->size = size;
	for (unsigned i = 0; i < size; i += FQDN_PIECE)
		memcpy(entry->name + i, name + i, FQDN_PIECE);
	stream->at += sizeof(*entry) + size;
	stream->n++;
	return 0;
}

/* ---- from lanes to shards ------------------------------------------------------------------- */

#define SETS_KNOWN 256 // a power of two

// One thread's part of gathering. A shard is made in `work`, which stays in the cache from one to the
// next, and then put where it takes no more room than it needs.
struct gatherer {
	struct fqdn_builder *builder;
	struct builder_shard work;
	struct arena **done;
	// What adding a rule to a set came to, lately; from == UINT32_MAX: nothing.
	struct {
		uint32_t from, rule;
		int64_t set;
	} sets[SETS_KNOWN];
};

// Where one lane's entries of a shard are taken from.
struct cursor {
	const struct chunk *chunk;
	const uint8_t *at, *end;
	uint64_t key; // list and line of the entry there; UINT64_MAX: no more
};

struct gathering {
	struct fqdn_builder *builder;
	atomic_uint next; // shard
	atomic_int err;
};

static void cursor_settle(
	const struct fqdn_builder *b, struct cursor *cursor, const struct stream *stream)
{
	const struct entry *entry;

	while (cursor->at == cursor->end) {
		cursor->chunk = cursor->chunk ? cursor->chunk->next : stream->first;
		if (!cursor->chunk) {
			cursor->key = UINT64_MAX;
			return;
		}
		cursor->at = cursor->chunk->bytes;
		cursor->end = cursor->chunk == stream->last ? stream->at : cursor->chunk->end;
	}
	entry = (const struct entry *)(const void *)cursor->at;
	cursor->key = (uint64_t)ARRAY_AT(b->rules, struct fqdn_rule, entry->rule)->list << 32 |
		      entry->line;
}

static int64_t set_number(struct gatherer *g, uint32_t from, uint32_t rule)
{
	unsigned at = (from * 31 + rule) % SETS_KNOWN;
	int64_t set;

	if (g->sets[at].from == from && g->sets[at].rule == rule)
		return g->sets[at].set;
	pthread_mutex_lock(&g->builder->lock);
	set = fqdn_builder_set(g->builder, from, rule);
	pthread_mutex_unlock(&g->builder->lock);
	g->sets[at].from = from;
	g->sets[at].rule = rule;
	g->sets[at].set = set;
	return set;
}

static int refused_add(struct fqdn_builder *b, uint64_t key)
{
	struct fqdn_refused *place;

	pthread_mutex_lock(&b->lock);
	place = fqdn_array_extend(&b->refused, 1, sizeof(*place));
	if (place)
		*place = (struct fqdn_refused){(uint16_t)(key >> 32), (uint32_t)key};
	pthread_mutex_unlock(&b->lock);
	return place ? 0 : -ENOMEM;
}

static int entry_gather(
	struct gatherer *g, struct builder_shard *shard, const struct cursor *cursor)
{
	const struct entry *entry = (const struct entry *)(const void *)cursor->at;
	struct builder_node *node;
	int64_t set;

	if (fqdn_shard_node(g->builder, shard, entry->name, entry->size, &node) < 0)
		return -ENOMEM;
	set = set_number(g, node->set, entry->rule);
	if (set == -E2BIG)
		return refused_add(g->builder, cursor->key);
	if (set < 0)
		return (int)set;
	fqdn_shard_set(shard, node, (uint32_t)set);
	return 0;
}

// Merge the lanes: what stands first in the lists is added first.
static int streams_merge(struct gatherer *g, struct builder_shard *shard, unsigned number)
{
	const struct fqdn_builder *b = g->builder;
	struct cursor cursors[CREW_MAX] = {0};
	int err = 0;

	for (unsigned i = 0; i < b->n_lanes; i++)
		cursor_settle(b, &cursors[i], &b->lanes[i].streams[number]);
	while (err == 0) {
		struct cursor *cursor = &cursors[0];
		uint64_t limit = UINT64_MAX;
		unsigned lane = 0;

		for (unsigned i = 1; i < b->n_lanes; i++)
			if (cursors[i].key < cursor->key) {
				limit = cursor->key;
				cursor = &cursors[i];
				lane = i;
			} else if (cursors[i].key < limit) {
				limit = cursors[i].key;
			}
		if (cursor->key == UINT64_MAX)
			break;
		while (err == 0 && cursor->key < limit) {
			err = entry_gather(g, shard, cursor);
			cursor->at += sizeof(struct entry) +
				      ((const struct entry *)(const void *)cursor->at)->size;
			cursor_settle(b, cursor, &b->lanes[lane].streams[number]);
		}
	}
	return err;
}

static int array_settle(
	struct arena **arena, const struct array *from, size_t item_size, struct array *to)
{
	*to = (struct array){.n = from->n};
	if (from->n == 0)
		return 0;
	to->items = fqdn_arena_take(arena, from->n * item_size);
	if (!to->items)
		return -ENOMEM;
	memcpy(to->items, from->items, from->n * item_size);
	return 0;
}

static int shard_gather(struct gatherer *g, unsigned number)
{
	struct builder_shard *shard = &g->builder->shard[number], *work = &g->work;
	size_t n = 0;
	int err;

	for (unsigned i = 0; i < g->builder->n_lanes; i++)
		n += g->builder->lanes[i].streams[number].n;
	if (n == 0)
		return 0;
	// Names that were added one by one before: go on with what they made.
	if (shard->nodes.n > 0)
		return streams_merge(g, shard, number);
	work->nodes.n = work->text.n = work->n_names = work->n_singles = 0;
	err = fqdn_shard_index(work, n + n / 4);
	if (err == 0)
		err = streams_merge(g, work, number);
	if (err == 0)
		err = array_settle(
			g->done, &work->nodes, sizeof(struct builder_node), &shard->nodes);
	if (err == 0)
		err = array_settle(g->done, &work->text, 1, &shard->text);
	shard->n_names = work->n_names;
	shard->n_singles = work->n_singles;
	return err;
}

static void shards_gather(void *ctx, unsigned member)
{
	struct gathering *gathering = ctx;
	struct gatherer g = {
		.builder = gathering->builder, .done = &gathering->builder->done[member]};
	unsigned shard;

	for (unsigned i = 0; i < SETS_KNOWN; i++)
		g.sets[i].from = UINT32_MAX;
	while (atomic_load(&gathering->err) == 0 &&
		(shard = atomic_fetch_add(&gathering->next, 1)) < FQDN_SHARDS) {
		int err = shard_gather(&g, shard), none = 0;

		if (err < 0)
			atomic_compare_exchange_strong(&gathering->err, &none, err);
	}
	fqdn_shard_free(&g.work);
}

static int refused_compare(const void *a, const void *b)
{
	const struct fqdn_refused *x = a, *y = b;

	return x->list != y->list ? (x->list < y->list ? -1 : 1)
				  : (x->line > y->line) - (x->line < y->line);
}

int fqdn_builder_gather(
	struct fqdn_builder *b, unsigned threads, const struct fqdn_refused **refused, size_t *n)
{
	struct gathering gathering = {.builder = b};

	b->refused.n = 0;
	b->n_threads = threads;
	crew_run(threads, shards_gather, &gathering);
	for (unsigned i = 0; i < b->n_lanes; i++)
		lane_clear(&b->lanes[i]);
	*n = b->refused.n;
	*refused = (const struct fqdn_refused *)(const void *)b->refused.items;
	if (*n > 0)
		qsort(b->refused.items, *n, sizeof(**refused), refused_compare);
	return atomic_load(&gathering.err);
}
