/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Responses by list and malware identifier since the process started, over all generations of the
 * tables, and what of all that is counted is not in the file of totals yet.
 *
 * Workers count by the number of an identifier, which is another one in each generation. A generation
 * that is used is known here by its counters and its names, so what workers have counted can be read at
 * any time; what was counted in one that is used no more is kept. An identifier takes memory from its
 * first hit on.
 *
 *   loader:   g = tally_begin(t, names, policy, n, nodes); workers count in tally_workers(g);
 *             ...no worker uses it any more... tally_end(t, g); names may go
 *   anybody:  tally_each(t, take, ctx)
 *   writer:   tally_take(t, &sum, hour); tally_write(t, file)
 *
 * Layer:   lib/tally; no EAL.
 * Threads: any; tally_take and tally_write one thread. Counters have one writer each
 *          (base/counter.h), and no worker waits for anybody.
 */
#include <stddef.h>
#include <stdint.h>

#include "fqdn/fqdn_table.h"
#include "policy/policy.h"
#include "stats/stats.h"
#include "totals/totals.h"

#define TALLY_HOURS_MAX 168 /**< hours that wait to be written: a week to mend a disk in */

struct tally;
struct tally_generation;

/** @return NULL: no memory */
struct tally *tally_create(void);

/** No worker counts any more. What was not written is gone. NULL is fine. */
void tally_destroy(struct tally *tally);

/**
 * A generation comes into use.
 *
 * @param names  kept until tally_end; with identifiers
 * @param policy kept until tally_end
 * @param nodes  NUMA node of each worker, -1: any
 * @return NULL: no memory
 */
struct tally_generation *tally_begin(struct tally *tally, const struct fqdn_table *names,
	const struct policy *policy, unsigned n_workers, const int *nodes);

/** Counters of each worker, by fqdn_rule.id; kept until tally_end. */
struct stats_id *const *tally_workers(const struct tally_generation *generation);

/**
 * No worker uses a generation any more: what it came to is kept, its counters are freed. NULL is fine.
 *
 * @return responses of which it is not known any more which identifier they met, because there was no
 *         memory for its row; 0 in health
 */
uint64_t tally_end(struct tally *tally, struct tally_generation *generation);

/** One identifier of one list. */
struct tally_row {
	const char *list, *id; /**< kept until tally_destroy; id "": the list has none */
	uint64_t filtered[POLICY_ACTIONS]; /**< since the process started, by what was done */
};

typedef void (*tally_row_fn)(void *ctx, const struct tally_row *row);

/**
 * Every identifier that was met, by the names of lists and then of identifiers.
 *
 * @return 0, or -ENOMEM: some that were met for the first time are not there yet
 */
int tally_each(struct tally *tally, tally_row_fn take, void *ctx);

/**
 * Note what was counted since the call before: it waits to be written, as what came in @p hour.
 *
 * @param sum  counters of all workers since the process started
 * @param hour as totals_hour() has it. After TALLY_HOURS_MAX hours that could not be written what
 *             comes counts to the last of them
 * @return 0, or -ENOMEM: some of it is noted by a later call
 */
int tally_take(struct tally *tally, const struct stats_worker *sum, int64_t hour);

/**
 * Write what waits, an hour in a transaction.
 *
 * @return 0, or -EIO (see totals_error()) or -ENOMEM: some of it waits on
 */
int tally_write(struct tally *tally, struct totals *totals);

/** Hours that wait, and how many responses by code and type are in them. */
struct tally_waiting {
	unsigned hours;
	uint64_t responses;
};

struct tally_waiting tally_waiting(struct tally *tally);
