/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pipeline/pipeline.h"

#include "dns/dns_msg.h"
#include "pkt/pkt.h"

#define IP_PROTO_TCP 6

#define TCP_FLAGS_OFFSET 13u // RFC 9293 s3.1
#define TCP_SYN          0x02
#define TCP_SYN_ACK      0x12

static bool is_watched(
	const struct policy *policy, const struct burst_slot *slot, const uint8_t *address)
{
	struct addr server = {.family = slot->family};

	memcpy(server.bytes, address, addr_size(slot->family));
	for (unsigned i = 0; i < policy->n_servers; i++)
		if (prefix_contains(&policy->servers[i], &server))
			return true;
	return false;
}

// TCP: of a connection to a resolver that is followed, or not.
static __attribute__((noinline)) enum reason stream_reason(
	const struct burst_slot *slot, const struct policy *policy, enum burst_side side)
{
	if (slot->protocol != IP_PROTO_TCP ||
		!(policy_is_port(policy, slot->src_port) || policy_is_port(policy, slot->dst_port)))
		return REASON_not_udp;
	if (policy->n_servers != 0 && !is_watched(policy, slot,
					      side == BURST_FROM_RESOLVERS ? pipeline_server(slot)
									   : pipeline_client(slot)))
		return REASON_other_server;
	return REASON_tcp_dns;
}

// Why a message from a DNS port is none of ours; REASON_none: it is.
static inline enum reason message_reason(
	const struct burst_slot *slot, const struct policy *policy, enum burst_side side)
{
	if (__builtin_expect(policy->n_servers != 0, 0) &&
		!is_watched(policy, slot, pipeline_server(slot)))
		return REASON_other_server;
	if (slot->msg_size < DNS_HEADER_SIZE)
		return REASON_short_message;
	if (!(slot->frame[slot->msg + 2] & (DNS_FLAG_QR >> 8)))
		return REASON_query;
	return side == BURST_FROM_RESOLVERS ? REASON_none : REASON_client_side;
}

// Cheapest questions first: most packets that are none of ours leave at the port.
static inline enum reason slot_parse(
	struct burst_slot *slot, const struct policy *policy, enum burst_side side)
{
	enum reason reason = pkt_parse_usual(slot);

	if (__builtin_expect(reason == REASON_COUNT, 0))
		reason = pkt_parse(slot);
	if (reason == REASON_not_udp)
		return stream_reason(slot, policy, side);
	if (reason != REASON_none)
		return reason;
	if (!policy_is_port(policy, slot->src_port))
		return policy_is_port(policy, slot->dst_port) &&
				       slot->msg_size >= DNS_HEADER_SIZE &&
				       !(slot->frame[slot->msg + 2] & (DNS_FLAG_QR >> 8))
			       ? REASON_query
			       : REASON_other_port;
	return message_reason(slot, policy, side);
}

static inline void slot_begin(struct burst_slot *slot, enum reason reason)
{
	slot->reason = reason;
	slot->response = reason == REASON_none;
	slot->refused = 0;
	slot->edit = false;
	if (slot->response)
		slot->block = slot->log = slot->allow = NULL;
}

static inline void masks_clear(struct burst *burst)
{
	burst->responses = burst->ruled = burst->edits = 0;
	burst->streams = burst->pieces = 0;
	burst->resized = burst->dropped = burst->taken = 0;
}

void pipeline_parse(struct burst *burst, const struct pipeline_tables *tables)
{
	const struct policy *policy = tables->policy;
	enum burst_side side = burst->side;
	unsigned n = burst->n;
	uint32_t responses = 0, streams = 0, pieces = 0;

	masks_clear(burst);
	for (unsigned i = 0; i < n; i++) {
		struct burst_slot *slot = &burst->slot[i];
		enum reason reason = slot_parse(slot, policy, side);

		slot_begin(slot, reason);
		responses |= (uint32_t)slot->response << i;
		// Next to each other, so that all others are told by one comparison.
		if (__builtin_expect(reason != REASON_tcp_dns && reason != REASON_fragment, 1))
			continue;
		streams |= (uint32_t)(reason == REASON_tcp_dns) << i;
		pieces |= (uint32_t)(reason == REASON_fragment) << i;
	}
	burst->responses = responses;
	burst->streams = streams;
	burst->pieces = pieces;
}

void pipeline_message(struct burst *burst, const struct pipeline_tables *tables)
{
	struct burst_slot *slot = &burst->slot[0];

	masks_clear(burst);
	burst->n = 1;
	slot_begin(slot, message_reason(slot, tables->policy, burst->side));
	burst->responses = slot->response;
}

void pipeline_consent(struct burst *burst, const struct pipeline_tables *tables)
{
	if (consent_table_prefixes(tables->consent) == 0)
		return;
	for (uint32_t left = burst->responses; left; left &= left - 1) {
		struct burst_slot *slot = &burst->slot[__builtin_ctz(left)];

		slot->refused =
			slot->family == ADDR_IPV4
				? consent_lookup_ipv4(tables->consent, pipeline_client(slot))
				: consent_lookup_ipv6(tables->consent, pipeline_client(slot));
	}
}

static inline enum dns_type_row slot_type(const struct burst_slot *slot)
{
	return slot->question ? dns_type_row(slot->qtype) : DNS_TYPE_ROW_none;
}

// What was done to a response that was changed: where an action falls back, it is not what its list says.
static inline enum policy_action reason_action(enum reason reason)
{
	switch (reason) {
	case REASON_truncated:
		return POLICY_TCP_ONLY;
	case REASON_nodata:
		return POLICY_NODATA;
	case REASON_nxdomain:
		return POLICY_NXDOMAIN;
	case REASON_dropped:
		return POLICY_DROP;
	default:
		return POLICY_SINKHOLE;
	}
}

// By the rule's list and by its identifier.
static inline void rule_count(const struct fqdn_rule *rule, enum policy_action action,
	const struct pipeline_tables *tables, struct stats_worker *stats)
{
	counter_add(&stats->filtered[tables->policy->lists[rule->list].slot][action], 1);
	counter_add(&tables->ids[rule->id].filtered[action], 1);
}

// Not inlined: what has no rule need not make room for it.
static __attribute__((noinline)) void response_count(const struct burst_slot *slot,
	const struct pipeline_tables *tables, struct stats_worker *stats)
{
	counter_add(&stats->responses[slot->rcode][slot_type(slot)], 1);
	if (slot->block)
		counter_add(&stats->matched[tables->policy->lists[slot->block->list].slot], 1);
	if (slot->edit)
		rule_count(slot->block, reason_action(slot->reason), tables, stats);
	if (slot->log)
		rule_count(slot->log, POLICY_LOG, tables, stats);
	if (slot->allow)
		rule_count(slot->allow, POLICY_ALLOW, tables, stats);
	if (slot->reason == REASON_no_sinkhole)
		counter_add(&stats->records_left, (uint64_t)slot->n_ipv4 + slot->n_ipv6);
}

// Clients that leave for encrypted DNS, as far as ports tell. Nothing about who they are.
static __attribute__((noinline)) void encrypted_count(
	const struct burst_slot *slot, struct stats_worker *stats)
{
	bool tcp = slot->protocol == IP_PROTO_TCP;
	enum stats_encrypted row;

	if (slot->dst_port == 853)
		row = tcp ? STATS_ENCRYPTED_DOT : STATS_ENCRYPTED_DOQ;
	else if (slot->dst_port == 443)
		row = tcp ? STATS_ENCRYPTED_DOH : STATS_ENCRYPTED_DOH3;
	else
		return;
	// A connection begins with SYN without ACK (RFC 9293 s3.5).
	if (tcp && (slot->l4 + TCP_FLAGS_OFFSET >= slot->frame_size ||
			   (slot->frame[slot->l4 + TCP_FLAGS_OFFSET] & TCP_SYN_ACK) != TCP_SYN))
		return;
	counter_add(&stats->encrypted[row], 1);
}

// A packet that left, and the response in it if it is one by itself. Inlined, since most packets that are
// not looked at cost little more than this.
static inline __attribute__((always_inline)) void slot_count(const struct burst_slot *slot,
	enum burst_side side, const struct pipeline_tables *tables, struct stats_worker *stats)
{
	bool hidden = slot->response && (slot->refused & CONSENT_NO_LOG);

	// A client that refused logging shows up in no row that says what its DNS held.
	counter_add(&stats->verdicts[hidden ? REASON_no_log : slot->reason], 1);
	if (slot->response && !hidden)
		response_count(slot, tables, stats);
	else if (side == BURST_FROM_CLIENTS &&
		 (slot->reason == REASON_not_udp || slot->reason == REASON_other_port))
		encrypted_count(slot, stats);
}

void pipeline_count(
	const struct burst *burst, const struct pipeline_tables *tables, struct stats_worker *stats)
{
	// What came in pieces has the verdict of its message, which was counted apart.
	bool whole = !(burst->streams | burst->pieces);
	uint64_t misses = 0;

	for (unsigned i = 0; whole && i < burst->n; i++) {
		const struct burst_slot *slot = &burst->slot[i];

		// Nearly all that are looked at: a sum for the burst, and one row.
		if (__builtin_expect(
			    slot->reason == REASON_miss && !(slot->refused & CONSENT_NO_LOG), 1)) {
			misses++;
			counter_add(&stats->responses[slot->rcode][slot_type(slot)], 1);
			continue;
		}
		slot_count(slot, burst->side, tables, stats);
	}
	for (unsigned i = 0; !whole && i < burst->n; i++)
		if (!(burst->taken >> i & 1))
			slot_count(&burst->slot[i], burst->side, tables, stats);
	counter_add(&stats->rx_packets, burst->n);
	counter_add(&stats->rx_bytes, burst->bytes);
	counter_add(&stats->verdicts[REASON_miss], misses);
}

void pipeline_count_message(
	const struct burst *burst, const struct pipeline_tables *tables, struct stats_worker *stats)
{
	const struct burst_slot *slot = &burst->slot[0];

	if (slot->response && !(slot->refused & CONSENT_NO_LOG))
		response_count(slot, tables, stats);
}
