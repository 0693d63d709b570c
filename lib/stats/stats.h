/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The one table of counters. Workers write struct stats_worker, each its own; stats_visit turns them
 * into rows "metric{label=value,...} number", from which telemetry, the shell and the final report
 * are made.
 *
 * Layer:   lib/stats; no EAL.
 * Threads: a struct stats_worker has one writer (base/counter.h); reading any thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "base/counter.h"
#include "base/reason.h"
#include "dns/dns_type.h"
#include "policy/policy.h"

#define STATS_RCODES 16

/** Records that addresses were put into. */
enum stats_record {
	STATS_RECORD_A,
	STATS_RECORD_AAAA,
	STATS_RECORD_SVCB,
	STATS_RECORD_HTTPS,
	STATS_RECORDS,
};

enum stats_rrsig {
	STATS_RRSIG_REMOVED,
	STATS_RRSIG_KEPT,
	STATS_RRSIGS,
};

enum stats_ede {
	STATS_EDE_ADDED,
	STATS_EDE_NO_ROOM,
	STATS_EDES,
};

/** Ports of encrypted DNS, and what is counted there. */
enum stats_encrypted {
	STATS_ENCRYPTED_DOT, /**< TCP 853, RFC 7858: connections begun */
	STATS_ENCRYPTED_DOQ, /**< UDP 853, RFC 9250: packets */
	STATS_ENCRYPTED_DOH, /**< TCP 443, RFC 8484 among others: connections begun */
	STATS_ENCRYPTED_DOH3, /**< UDP 443, QUIC: packets */
	STATS_ENCRYPTED,
};

/** Why a TCP connection passes unfiltered. */
enum stats_stream {
	STATS_STREAM_GAP,
	STATS_STREAM_LIMIT,
	STATS_STREAM_FRAMING,
	STATS_STREAMS,
};

/** Exact at any load. Plain arrays of uint64_t: sums are taken over the whole struct. */
struct stats_worker {
	uint64_t rx_packets, rx_bytes;         /**< received, bytes without FCS */
	uint64_t tx_packets, tx_bytes;         /**< given to the port */
	uint64_t tx_dropped;                   /**< the port did not take them in time */
	uint64_t encrypted[STATS_ENCRYPTED];   /**< from the client side */
	uint64_t verdicts[REASON_COUNT];       /**< each received packet in exactly one row, when it
						    leaves */
	uint64_t held;                         /**< packets that lib/stream holds now */
	uint64_t streams;                      /**< TCP connections that are followed now */
	uint64_t streams_evicted;              /**< forgotten to make room for others */
	uint64_t streams_unfiltered[STATS_STREAMS]; /**< passed unfiltered from some point on */
	uint64_t stream_messages;              /**< messages out of TCP connections */
	uint64_t stream_parts;                 /**< messages whose begin was sent before their end
						    was there */
	uint64_t stream_late;                  /**< of these, those with something to change in what
						    had left */
	/* What follows has no packet of a client that refused logging in it. */
	uint64_t responses[STATS_RCODES][DNS_TYPE_ROW_COUNT];
	uint64_t matched[POLICY_LISTS_MAX];    /**< a filtering list decided, by slot; also without
						    an address to replace */
	uint64_t filtered[POLICY_LISTS_MAX][POLICY_ACTIONS]; /**< by list slot and what was done:
						    rewritten, logged, exempted */
	uint64_t records_rewritten[STATS_RECORDS];
	uint64_t records_left;                 /**< without a sinkhole of their family */
	uint64_t records_malformed;            /**< SVCB, HTTPS: with malformed parameters */
	uint64_t rrsigs[STATS_RRSIGS];         /**< signatures of records that were rewritten */
	uint64_t ede[STATS_EDES];              /**< Extended DNS Errors */
	uint64_t mirrored;                     /**< records given to the statistics core */
	uint64_t mirror_lost;                  /**< records lost because the ring was full */
} __attribute__((aligned(64)));

/**
 * What was done to responses that rules of one list and malware identifier met: a row of a worker's
 * counters by fqdn_rule.id, of one generation. As exact as the others; one cache line.
 */
struct stats_id {
	uint64_t filtered[POLICY_ACTIONS];
} __attribute__((aligned(64)));

/** Add @p from into @p sum. */
void stats_add(struct stats_worker *sum, const struct stats_worker *from);

/** A list's row. */
struct stats_list {
	const char *name;
	enum policy_action action;
	uint16_t slot;
};

#define STATS_LABELS_MAX 2

struct stats_row {
	const char *metric; /**< "dnsweir_verdicts_total" */
	struct {
		const char *name, *value;
	} labels[STATS_LABELS_MAX]; /**< as many as have a name */
	uint64_t value;
};

typedef void (*stats_visitor)(void *ctx, const struct stats_row *row);

/**
 * Every counter of @p sum as rows. Verdicts and lists are there from the start, zero included;
 * responses as soon as there is one of that code and type.
 *
 * @param lists what to name the slots; @p n_lists of them
 */
void stats_visit(const struct stats_worker *sum, const struct stats_list *lists, unsigned n_lists,
	stats_visitor visitor, void *ctx);

/** The rows as JSON: {"metric": number} or {"metric": {"label": {"label": number}}}. */
json_t *stats_json(const struct stats_worker *sum, const struct stats_list *lists, unsigned n_lists);

/** The object under a key of @p object, made if need be. @return borrowed */
json_t *stats_object_under(json_t *object, const char *key);
