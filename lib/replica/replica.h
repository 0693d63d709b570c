/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Generations of the tables: built once, copied for each worker, published, reclaimed.
 *
 * Thread-safety
 *   One control thread publishes. Each reader (workers 0..n-1, the statistics core as reader n) has a
 *   number of its own. replica_get returns what stays valid until that reader's next
 *   replica_quiescent; a reader takes it anew right after each such report and nowhere else, so one
 *   burst never sees two generations.
 *
 * Usage
 *   control: set = replica_set_create(n, nodes); replica_publish(set, master); ...
 *   reader:  replica_enter(set, r);
 *            while (running) { replica_quiescent(set, r); t = replica_get(set, r); ...use t... }
 *            replica_leave(set, r);
 *
 * Layer:   lib/replica; rte_rcu_qsbr, works without EAL.
 */
#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>

#include "consent/consent.h"
#include "fqdn/fqdn_table.h"
#include "pattern/pattern.h"
#include "policy/policy.h"
#include "stats/stats.h"

/** All that packets are judged by, of one generation. */
struct replica {
	uint32_t generation; /**< 1, 2, ... */
	struct policy policy;
	struct fqdn_table *names; /**< a worker's copy has no identifiers */
	struct consent_table *consent;
	struct pattern_set *patterns; /**< NULL: none; workers of one NUMA node share a copy */
	struct pattern_scan *scan;    /**< this copy's own; the master's is for control */
	struct stats_id *ids;         /**< worker's copy: its counters by identifier; NULL: none */
	struct stats_id *const *worker_ids; /**< master: those of each worker, NULL: none. The caller's,
						 who keeps them until the master is retired */
	size_t names_size, consent_size; /**< bytes of the two blocks */
	void *block; /**< worker's copy: the block that holds it, but not names that are the master's */
	size_t block_size;
	bool owns_patterns; /**< worker's copy: the one that frees those of its node */
	struct replica *older; /**< master: the one before, while records of it may still come */
};

struct replica_set;

/** @param nodes NUMA node of each worker, -1 any  @return the set, or NULL with errno set */
struct replica_set *replica_set_create(unsigned n_workers, const int *nodes);

/** No reader may be inside any more. NULL is allowed. */
void replica_set_destroy(struct replica_set *set);

/**
 * Copy @p master for every worker (the first one may share the master's names), put the copies in force, wait until no reader uses what was there
 * before, and free the old copies. Readers go on meanwhile.
 *
 * @param master  made with malloc, its tables with block_alloc; taken on success
 * @param retired [out] the master before, NULL for the first: no reader uses it any more (taken by
 *                the caller, free with replica_free)
 * @return 0, or -ENOMEM: nothing has changed, master stays the caller's
 */
int replica_publish(struct replica_set *set, struct replica *master, struct replica **retired);

/** Free a master that is not published. NULL is allowed. */
void replica_free(struct replica *master);

/** Number of the statistics core as a reader; it gets the master. */
unsigned replica_reader_core(const struct replica_set *set);

void replica_enter(struct replica_set *set, unsigned reader);
void replica_leave(struct replica_set *set, unsigned reader);

/** This reader holds nothing of what replica_get gave it. Hot path. */
void replica_quiescent(struct replica_set *set, unsigned reader);

/** What is in force for this reader. NULL before the first replica_publish. Hot path. */
const struct replica *replica_get(const struct replica_set *set, unsigned reader);

/** The master in force, for the thread that publishes (or under its lock). */
const struct replica *replica_master(const struct replica_set *set);

/** The day that entries are judged by; set by control at midnight, read by workers. */
void replica_set_today(struct replica_set *set, uint16_t today);
uint16_t replica_today(const struct replica_set *set);
