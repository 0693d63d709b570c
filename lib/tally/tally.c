/* SPDX-License-Identifier: BSD-3-Clause */
#include "tally/tally_private.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "base/counter.h"

struct tally_generation {
	struct tally_generation *next;
	const struct fqdn_table *names;
	const struct policy *policy; // whose lists the names have
	uint32_t n_ids;
	unsigned n_workers;
	struct stats_id *workers[]; // their counters
};

struct tally *tally_create(void)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (tally)
		pthread_mutex_init(&tally->lock, NULL);
	return tally;
}

static size_t counters_size(const struct tally_generation *generation)
{
	return generation->n_ids * sizeof(struct stats_id);
}

static void generation_free(struct tally_generation *generation)
{
	for (unsigned i = 0; i < generation->n_workers; i++)
		block_free(generation->workers[i], counters_size(generation));
	free(generation);
}

void tally_destroy(struct tally *tally)
{
	if (!tally)
		return;
	while (tally->generations) {
		struct tally_generation *generation = tally->generations;

		tally->generations = generation->next;
		generation_free(generation);
	}
	tally_hours_free(tally);
	tdestroy(tally->entries, free);
	pthread_mutex_destroy(&tally->lock);
	free(tally);
}

struct tally_generation *tally_begin(struct tally *tally, const struct fqdn_table *names,
	const struct policy *policy, unsigned n_workers, const int *nodes)
{
	struct tally_generation *generation =
		calloc(1, sizeof(*generation) + n_workers * sizeof(generation->workers[0]));

	if (!generation)
		return NULL;
	generation->names = names;
	generation->policy = policy;
	generation->n_ids = fqdn_table_n_ids(names);
	generation->n_workers = n_workers;
	for (unsigned i = 0; i < n_workers; i++) {
		generation->workers[i] = block_reserve(counters_size(generation), nodes[i]);
		if (!generation->workers[i]) {
			generation_free(generation);
			return NULL;
		}
	}
	pthread_mutex_lock(&tally->lock);
	generation->next = tally->generations;
	tally->generations = generation;
	pthread_mutex_unlock(&tally->lock);
	return generation;
}

struct stats_id *const *tally_workers(const struct tally_generation *generation)
{
	return generation->workers;
}

static int entry_compare(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;
	int order = strcmp(x->list, y->list);

	return order ? order : strcmp(x->id, y->id);
}

// The row of an identifier, made when it is asked for first.
static struct tally_entry *entry_get(struct tally *tally, const char *list, const char *id)
{
	const struct tally_row key = {.list = list, .id = id};
	struct tally_entry *entry, **found = tfind(&key, &tally->entries, entry_compare);
	size_t list_size = strlen(list) + 1, id_size = strlen(id) + 1;

	if (found)
		return *found;
	entry = calloc(1, sizeof(*entry) + list_size + id_size);
	if (!entry)
		return NULL;
	memcpy(entry->text, list, list_size);
	memcpy(entry->text + list_size, id, id_size);
	entry->row.list = entry->text;
	entry->row.id = entry->text + list_size;
	if (tsearch(entry, &tally->entries, entry_compare))
		return entry;
	free(entry);
	return NULL;
}

// What all workers have counted of an identifier. @return in sum, or 0: nothing
static uint64_t id_sum(const struct tally_generation *generation, uint32_t id, struct stats_id *sum)
{
	uint64_t n = 0;

	*sum = (struct stats_id){0};
	for (unsigned i = 0; i < generation->n_workers; i++)
		for (unsigned action = 0; action < POLICY_ACTIONS; action++) {
			uint64_t value = counter_read(&generation->workers[i][id].filtered[action]);

			sum->filtered[action] += value;
			n += value;
		}
	return n;
}

// Add what was counted in a generation to its rows.
// @param ended whether it is used no more: this is all there will be
// @return responses for which there was no memory
static uint64_t generation_add(
	struct tally *tally, const struct tally_generation *generation, bool ended)
{
	uint64_t lost = 0;

	for (uint32_t id = 0; id < generation->n_ids; id++) {
		struct tally_entry *entry;
		struct stats_id sum;
		uint64_t n = id_sum(generation, id, &sum), *to;
		uint32_t list;
		const char *text;

		if (n == 0)
			continue;
		text = fqdn_table_id_of(generation->names, id, &list);
		entry = list < generation->policy->n_lists
				? entry_get(tally, generation->policy->lists[list].name, text)
				: NULL;
		if (!entry) {
			lost += n;
			continue;
		}
		to = ended ? entry->ended : entry->row.filtered;
		for (unsigned action = 0; action < POLICY_ACTIONS; action++)
			to[action] += sum.filtered[action];
	}
	return lost;
}

uint64_t tally_end(struct tally *tally, struct tally_generation *generation)
{
	struct tally_generation **link = &tally->generations;
	uint64_t lost;

	if (!generation)
		return 0;
	// At once for whoever reads: it is counted in the one place or in the other.
	pthread_mutex_lock(&tally->lock);
	lost = generation_add(tally, generation, true);
	while (*link != generation)
		link = &(*link)->next;
	*link = generation->next;
	pthread_mutex_unlock(&tally->lock);
	generation_free(generation);
	return lost;
}

static void entry_reset(const void *node, VISIT which, void *ctx)
{
	struct tally_entry *entry = *(struct tally_entry *const *)node;

	(void)ctx;
	if (which == postorder || which == leaf)
		memcpy(entry->row.filtered, entry->ended, sizeof(entry->ended));
}

int tally_refresh(struct tally *tally)
{
	uint64_t lost = 0;

	twalk_r(tally->entries, entry_reset, NULL);
	for (struct tally_generation *g = tally->generations; g; g = g->next)
		lost += generation_add(tally, g, false);
	return lost > 0 ? -ENOMEM : 0;
}

struct taker {
	tally_row_fn take;
	void *ctx;
};

static void entry_give(const void *node, VISIT which, void *ctx)
{
	const struct tally_entry *entry = *(struct tally_entry *const *)node;
	const struct taker *taker = ctx;

	if (which == postorder || which == leaf)
		taker->take(taker->ctx, &entry->row);
}

int tally_each(struct tally *tally, tally_row_fn take, void *ctx)
{
	struct taker taker = {take, ctx};
	int err;

	pthread_mutex_lock(&tally->lock);
	err = tally_refresh(tally);
	twalk_r(tally->entries, entry_give, &taker);
	pthread_mutex_unlock(&tally->lock);
	return err;
}
