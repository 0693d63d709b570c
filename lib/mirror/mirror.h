/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The mirror: what was seen, from each worker to the statistics core over a ring of its own.
 *
 * A record is one 64-byte slot; where a consumer wants the message, the original one (before any
 * rewriting) stands in the slots behind it. A full ring loses the record and counts it; the packet
 * is not touched.
 *
 * Without a ring (NULL) mirroring is off: nothing is taken, nothing counts as lost.
 *
 * Layer:   lib/mirror; rte_ring and mbuf-free, works without EAL.
 * Threads: one producer (the worker), one consumer (the statistics core).
 *
 * Usage:   worker:  mirror_push_burst(ring, burst, &meta, stats) before the rewrite stage
 *          core:    mirror_drain(ring, take, ctx) until it returns 0
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/burst.h"
#include "fqdn/fqdn_table.h"
#include "stats/stats.h"

#define MIRROR_SLOT_SIZE 64
#define MIRROR_NO_RULE   UINT32_MAX

/** One response. Numbers in host byte order, addresses in network byte order. */
struct mirror_record {
	uint64_t tsc;         /**< time-stamp counter when the burst was received */
	uint8_t client[16];   /**< destination of the response; IPv4 uses the first 4 */
	uint8_t server[16];   /**< source of the response */
	uint32_t generation;  /**< of the tables it was judged by */
	uint32_t rule;        /**< number of the rule that decided in that table, or MIRROR_NO_RULE */
	uint16_t stored_size; /**< bytes of message in the slots behind this one; 0: none */
	uint16_t msg_size;    /**< bytes of the message on the wire */
	uint16_t qtype;       /**< of the first question, 0 if there is none */
	uint16_t match;       /**< where the name that decided stands in the message */
	uint16_t client_port;
	uint16_t server_port;
	uint8_t family;       /**< enum addr_family */
	uint8_t protocol;     /**< IP protocol number: of UDP or of TCP */
	uint8_t rcode;        /**< 0..15 */
	uint8_t reason;       /**< enum reason */
};

/** What all records of a burst share. */
struct mirror_meta {
	uint64_t tsc;
	uint32_t generation;
	const struct fqdn_table *names; /**< whose rules the slots point at */
};

struct mirror_ring;

/**
 * @param slots power of two
 * @param node  NUMA node, -1 any
 * @param whole the message stands behind every record; otherwise only where a rule was hit
 * @return a ring, or NULL with errno
 */
struct mirror_ring *mirror_ring_create(unsigned slots, int node, bool whole);
void mirror_ring_destroy(struct mirror_ring *ring);

/** Slots in use; any thread, a moment's value. */
unsigned mirror_ring_used(const struct mirror_ring *ring);

/**
 * A record for each response of the burst whose client did not refuse logging; with the message
 * where a rule was hit, or with every record, as the ring was made. Hot path.
 */
void mirror_push_burst(struct mirror_ring *ring, const struct burst *burst,
	const struct mirror_meta *meta, struct stats_worker *stats);

/**
 * Takes one record; both are borrowed for the call. @p msg is stored_size bytes, a copy that the taker
 * may change; NULL for none.
 */
typedef void (*mirror_taker)(void *ctx, const struct mirror_record *record, uint8_t *msg);

/** Hand over all records that are in the ring now. @return how many */
unsigned mirror_drain(struct mirror_ring *ring, mirror_taker take, void *ctx);
