/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The stages a burst goes through between receive and transmit. Workers, tests, fuzzers and
 * benchmarks run this same code; none of it knows what an mbuf is.
 *
 *   pipeline_parse    frame -> DNS response, or the reason why it is none of ours
 *   pipeline_consent  response -> what its client refuses
 *   pipeline_match    response -> names looked up, verdict
 *   pipeline_fit      verdict -> another one, where the frame has no room for it
 *   (the mirror takes the original here)
 *   pipeline_rewrite  verdict -> the answer changed where it stands
 *   pipeline_count    verdict -> counters
 *
 * A message that came in several packets (a TCP stream, IP fragments) is put together by lib/stream
 * and goes through the same stages by itself: pipeline_message instead of pipeline_parse, and
 * pipeline_count_message instead of pipeline_count, since its packets are counted when they leave.
 *
 * Layer:   lib/pipeline; no EAL, no allocation.
 * Threads: a worker's tables and counters are its own.
 */
#include "base/burst.h"
#include "consent/consent.h"
#include "fqdn/fqdn_table.h"
#include "pattern/pattern.h"
#include "policy/policy.h"
#include "stats/stats.h"

/**
 * Work that one message may take, in instructions as valgrind counts them, about; what is behind passes as
 * `name_limit`, unless a name before is listed. Counted are names, what reading them takes
 * (dns/dns_known.h), what looking them up takes where they seem to be listed (struct fqdn_effort), and
 * records passed over.
 *
 * Ours: of 10,000,000 adversarial names of tests/verdict, up to four in a message, with a pointer behind every
 * label and next to listed ones, none has a wrong verdict; the dearest are those of four names of 126 labels that
 * differ from a listed one in a letter, which take 39,000. Some 80 names of usual length fit a frame, and any
 * number of records whose owner was met lately. Resolvers give a chain up after 8 to 16 steps, and what they
 * hand on has one question. Without a limit a message of 1,500 octets could cost more than 500 times what most
 * do: scripts/check_instructions counts it.
 */
#define PIPELINE_NAME_WORK    375 /**< a name and the record that has it */
#define PIPELINE_SERVICE_WORK 75 /**< further, that of a SVCB or HTTPS record */
#define PIPELINE_FOLLOW_WORK  2700 /**< what a name may take further that seems to be listed, ... */
#define PIPELINE_FOLLOW_LABEL 29 /**< ... and for each of its labels */
#define PIPELINE_RECORD_WORK  100 /**< a record without a name that was not met lately */
#define PIPELINE_SKIP_WORK    36 /**< each of those behind it */
#define PIPELINE_WORK_MIN     16000 /**< what any message may take, ... */
#define PIPELINE_OCTET_WORK   12 /**< ... and for each of its octets */

static inline unsigned pipeline_work_most(uint32_t msg_size)
{
	return PIPELINE_WORK_MIN + msg_size * PIPELINE_OCTET_WORK;
}

/** What a worker judges by; borrowed for the burst, all parts of one generation. */
struct pipeline_tables {
	const struct policy *policy;
	const struct fqdn_table *names;
	const struct consent_table *consent;
	uint16_t today; /**< days since 2000-01-01, operator's time zone */
	struct pattern_scan *patterns; /**< the worker's own; NULL: no list of patterns */
	struct stats_id *ids; /**< the worker's own counters, by fqdn_rule.id, fqdn_table_n_ids() of them */
};

void pipeline_parse(struct burst *burst, const struct pipeline_tables *tables);
void pipeline_consent(struct burst *burst, const struct pipeline_tables *tables);
void pipeline_match(struct burst *burst, const struct pipeline_tables *tables);
/**
 * Where a frame of burst->edits cannot grow to what its verdict takes, the response has no record added:
 * addresses beside its answer are replaced, or it passes. Each slot's frame_room is set.
 */
void pipeline_fit(struct burst *burst, const struct pipeline_tables *tables);
/**
 * Do what the verdicts of burst->edits say. A UDP message may become shorter, or longer up to the
 * slot's frame_room; then its bit in burst->resized is set, and frame_size is the new one. What is not
 * to be sent has its bit in burst->dropped.
 */
void pipeline_rewrite(struct burst *burst, const struct pipeline_tables *tables,
	struct stats_worker *stats);
/** Count packets, and the responses in them; packets that lib/stream holds count when they leave. */
void pipeline_count(const struct burst *burst, const struct pipeline_tables *tables,
	struct stats_worker *stats);

/**
 * Make slot 0 of @p burst a message to be judged: the `pkt` group, frame and side are filled in, the
 * rest is set here. Where it is none of ours its reason says so, and all later stages leave it alone.
 */
void pipeline_message(struct burst *burst, const struct pipeline_tables *tables);

/** Count the message in slot 0, but no packet. */
void pipeline_count_message(const struct burst *burst, const struct pipeline_tables *tables,
	struct stats_worker *stats);

/** Client address of a response: 4 or 16 bytes in the frame, by slot->family. */
static inline const uint8_t *pipeline_client(const struct burst_slot *slot)
{
	return slot->frame + slot->l3 + (slot->family == ADDR_IPV4 ? 16 : 24);
}

/** Server address of a response. */
static inline const uint8_t *pipeline_server(const struct burst_slot *slot)
{
	return slot->frame + slot->l3 + (slot->family == ADDR_IPV4 ? 12 : 8);
}
