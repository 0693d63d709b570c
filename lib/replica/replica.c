/* SPDX-License-Identifier: BSD-3-Clause */
#include "replica/replica.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_rcu_qsbr.h>

#include "base/block.h"
#include "base/crew.h"

#define LINE 64

struct reader {
	struct replica *current; // ctl: w, reader: r
	int node;
} __attribute__((aligned(LINE)));

struct replica_set {
	unsigned n_workers;
	uint16_t today; // ctl: w, workers: r
	struct rte_rcu_qsbr *qsbr;
	size_t qsbr_size;
	struct reader readers[]; // workers, then the statistics core
};

struct replica_set *replica_set_create(unsigned n_workers, const int *nodes)
{
	size_t size = sizeof(struct replica_set) + (n_workers + 1) * sizeof(struct reader);
	struct replica_set *set = aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);

	if (!set)
		return NULL;
	memset(set, 0, size);
	set->n_workers = n_workers;
	for (unsigned i = 0; i <= n_workers; i++)
		set->readers[i].node = i < n_workers ? nodes[i] : -1;
	set->qsbr_size = rte_rcu_qsbr_get_memsize(n_workers + 1);
	set->qsbr = block_alloc(set->qsbr_size, -1);
	if (!set->qsbr || rte_rcu_qsbr_init(set->qsbr, n_workers + 1) != 0) {
		replica_set_destroy(set);
		errno = ENOMEM;
		return NULL;
	}
	return set;
}

static void copy_free(struct replica *copy)
{
	if (!copy)
		return;
	pattern_scan_free(copy->scan);
	if (copy->owns_patterns)
		pattern_set_free(copy->patterns);
	block_free(copy->block, copy->block_size);
}

void replica_free(struct replica *master)
{
	if (!master)
		return;
	block_free(master->names, master->names_size);
	block_free(master->consent, master->consent_size);
	pattern_scan_free(master->scan);
	pattern_set_free(master->patterns);
	free(master);
}

void replica_set_destroy(struct replica_set *set)
{
	if (!set)
		return;
	for (unsigned i = 0; i < set->n_workers; i++)
		copy_free(set->readers[i].current);
	replica_free(set->readers[set->n_workers].current);
	block_free(set->qsbr, set->qsbr_size);
	free(set);
}

static size_t line_round(size_t size)
{
	return (size + LINE - 1) / LINE * LINE;
}

// A database is code for a machine of Hyperscan's and only read. It is larger than what the cores of
// a node have to themselves, so they do better with one copy in the cache that they share.
static int patterns_share(struct replica *copy, const struct replica *neighbour, int node)
{
	copy->owns_patterns = !neighbour;
	copy->patterns = neighbour ? neighbour->patterns : pattern_set_copy(copy->patterns, node);
	if (copy->patterns)
		copy->scan = pattern_scan_create(copy->patterns, node);
	return copy->scan ? 0 : -ENOMEM;
}

// One block on the worker's node: the struct, the names, the consent table. Patterns beside it.
// @param worker    whose copy it is
// @param neighbour another copy on that node, NULL: none
// @param own_names room for them; else they are the master's
static struct replica *copy_make(const struct replica_set *set, const struct replica *master,
	unsigned worker, const struct replica *neighbour, bool own_names)
{
	int node = set->readers[worker].node;
	size_t names_size = fqdn_table_worker_size(master->names);
	size_t names_room = own_names ? line_round(names_size) : 0;
	size_t size = line_round(sizeof(*master)) + names_room + master->consent_size;
	uint8_t *block = block_alloc(size, node);
	struct replica *copy = (void *)block;

	if (!block)
		return NULL;
	*copy = *master;
	copy->block = block;
	copy->block_size = size;
	copy->older = NULL;
	copy->ids = master->worker_ids ? master->worker_ids[worker] : NULL;
	copy->worker_ids = NULL;
	copy->names_size = names_size;
	if (own_names)
		copy->names = (void *)(block + line_round(sizeof(*master)));
	copy->consent = (void *)(block + line_round(sizeof(*master)) + names_room);
	memcpy(copy->consent, master->consent, master->consent_size);
	copy->scan = NULL;
	if (copy->patterns && patterns_share(copy, neighbour, node) < 0) {
		copy_free(copy);
		return NULL;
	}
	return copy;
}

#define PIECE ((size_t)4 << 20) // of a table, copied at once

// Copies of the names, made by several threads, which touch their memory for the first time here.
struct copying {
	const struct replica *master;
	struct replica **copies;
	unsigned n_copies, n_pieces; // pieces of a copy
	atomic_uint next;
};

static void names_copy(void *ctx, unsigned member)
{
	struct copying *copying = ctx;
	const uint8_t *from = (const void *)copying->master->names;
	unsigned i;

	while ((i = atomic_fetch_add(&copying->next, 1)) < copying->n_copies * copying->n_pieces) {
		const struct replica *copy = copying->copies[i / copying->n_pieces];
		size_t at = i % copying->n_pieces * PIECE;
		size_t size = copy->names_size - at < PIECE ? copy->names_size - at : PIECE;

		if (copy->names != copying->master->names)
			block_copy((uint8_t *)copy->names + at, from + at, size);
	}
}

/*
 * The first worker has the master's own names where all memory is equally near: nobody writes to them,
 * and the time and the memory of a copy are saved. They are freed with the master, which is when no
 * worker uses them any more.
 */
static int copies_make(
	const struct replica_set *set, const struct replica *master, struct replica **copies)
{
	size_t size = fqdn_table_worker_size(master->names);
	struct copying copying = {.master = master,
		.copies = copies,
		.n_copies = set->n_workers,
		.n_pieces = (unsigned)((size + PIECE - 1) / PIECE)};
	unsigned n_own = set->n_workers;

	for (unsigned i = 0; i < set->n_workers; i++) {
		const struct replica *neighbour = NULL;
		bool own = i > 0 || !block_near_all();

		n_own -= !own;
		for (unsigned j = 0; j < i && !neighbour; j++)
			if (set->readers[j].node == set->readers[i].node)
				neighbour = copies[j];
		copies[i] = copy_make(set, master, i, neighbour, own);
		if (!copies[i]) {
			// The first of a node has what the others share, so it goes last.
			while (i-- > 0)
				copy_free(copies[i]);
			return -ENOMEM;
		}
	}
	if (n_own > 0)
		crew_run(copying.n_pieces > 1 ? crew_size() : 1, names_copy, &copying);
	return 0;
}

// Every reader has reported at least once since the call.
static void readers_wait(struct replica_set *set)
{
	const struct timespec pause = {.tv_nsec = 50000};
	uint64_t token = rte_rcu_qsbr_start(set->qsbr);

	while (rte_rcu_qsbr_check(set->qsbr, token, false) == 0)
		nanosleep(&pause, NULL);
}

int replica_publish(struct replica_set *set, struct replica *master, struct replica **retired)
{
	struct reader *core = &set->readers[set->n_workers];
	struct replica **copies = calloc(set->n_workers + 1, sizeof(*copies));
	struct replica *old = core->current;

	if (!copies)
		return -ENOMEM;
	if (copies_make(set, master, copies) < 0) {
		free(copies);
		return -ENOMEM;
	}
	// The core first: it must know a generation before a worker's record can name it.
	master->older = old;
	__atomic_store_n(&core->current, master, __ATOMIC_RELEASE);
	readers_wait(set);
	for (unsigned i = 0; i < set->n_workers; i++) {
		struct replica *was = set->readers[i].current;

		__atomic_store_n(&set->readers[i].current, copies[i], __ATOMIC_RELEASE);
		copies[i] = was;
	}
	readers_wait(set);
	for (unsigned i = 0; i < set->n_workers; i++)
		copy_free(copies[i]);
	free(copies);
	// Records of the old generation may be in the rings still. The core reports after it has
	// drained them; its first report may belong to a round that began before the workers' last one.
	readers_wait(set);
	readers_wait(set);
	__atomic_store_n(&master->older, NULL, __ATOMIC_RELEASE);
	readers_wait(set);
	*retired = old;
	return 0;
}

unsigned replica_reader_core(const struct replica_set *set)
{
	return set->n_workers;
}

void replica_enter(struct replica_set *set, unsigned reader)
{
	rte_rcu_qsbr_thread_register(set->qsbr, reader);
	rte_rcu_qsbr_thread_online(set->qsbr, reader);
}

void replica_leave(struct replica_set *set, unsigned reader)
{
	rte_rcu_qsbr_thread_offline(set->qsbr, reader);
	rte_rcu_qsbr_thread_unregister(set->qsbr, reader);
}

void replica_quiescent(struct replica_set *set, unsigned reader)
{
	rte_rcu_qsbr_quiescent(set->qsbr, reader);
}

const struct replica *replica_get(const struct replica_set *set, unsigned reader)
{
	return __atomic_load_n(&set->readers[reader].current, __ATOMIC_ACQUIRE);
}

const struct replica *replica_master(const struct replica_set *set)
{
	return replica_get(set, set->n_workers);
}

void replica_set_today(struct replica_set *set, uint16_t today)
{
	__atomic_store_n(&set->today, today, __ATOMIC_RELAXED);
}

uint16_t replica_today(const struct replica_set *set)
{
	return __atomic_load_n(&set->today, __ATOMIC_RELAXED);
}
