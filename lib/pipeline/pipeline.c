/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pipeline/pipeline.h"

#include "dns/dns_msg.h"
#include "pkt/pkt.h"
#include "rewrite/rewrite.h"

#define IP_PROTO_TCP    6
#define UDP_CSUM_OFFSET 6 // RFC 768

static inline bool is_dns_port(const struct policy *policy, uint16_t port)
{
	for (unsigned i = 0; i < policy->n_ports; i++)
		if (policy->ports[i] == port)
			return true;
	return false;
}

static bool is_watched(const struct policy *policy, const struct burst_slot *slot)
{
	struct addr server = {.family = slot->family};

	if (policy->n_servers == 0)
		return true;
	memcpy(server.bytes, pipeline_server(slot), addr_size(slot->family));
	for (unsigned i = 0; i < policy->n_servers; i++)
		if (prefix_contains(&policy->servers[i], &server))
			return true;
	return false;
}

// Cheapest questions first: most packets that are none of ours leave at the port.
static enum reason slot_parse(
	struct burst_slot *slot, const struct policy *policy, enum burst_side side)
{
	enum reason reason = pkt_parse(slot);

	if (reason == REASON_not_udp && slot->protocol == IP_PROTO_TCP &&
		(is_dns_port(policy, slot->src_port) || is_dns_port(policy, slot->dst_port)))
		return REASON_tcp_dns;
	if (reason != REASON_none)
		return reason;
	if (!is_dns_port(policy, slot->src_port))
		return is_dns_port(policy, slot->dst_port) && slot->msg_size >= DNS_HEADER_SIZE &&
				       !(slot->frame[slot->msg + 2] & (DNS_FLAG_QR >> 8))
			       ? REASON_query
			       : REASON_other_port;
	if (!is_watched(policy, slot))
		return REASON_other_server;
	if (slot->msg_size < DNS_HEADER_SIZE)
		return REASON_short_message;
	if (!(slot->frame[slot->msg + 2] & (DNS_FLAG_QR >> 8)))
		return REASON_query;
	return side == BURST_FROM_RESOLVERS ? REASON_none : REASON_client_side;
}

void pipeline_parse(struct burst *burst, const struct pipeline_tables *tables)
{
	for (unsigned i = 0; i < burst->n; i++) {
		struct burst_slot *slot = &burst->slot[i];

		slot->refused = 0;
		slot->edit = false;
		slot->block = slot->log = slot->allow = NULL;
		slot->reason = slot_parse(slot, tables->policy, burst->side);
		slot->response = slot->reason == REASON_none;
	}
}

void pipeline_consent(struct burst *burst, const struct pipeline_tables *tables)
{
	for (unsigned i = 0; i < burst->n; i++) {
		struct burst_slot *slot = &burst->slot[i];

		if (!slot->response)
			continue;
		slot->refused =
			slot->family == ADDR_IPV4
				? consent_lookup_ipv4(tables->consent, pipeline_client(slot))
				: consent_lookup_ipv6(tables->consent, pipeline_client(slot));
	}
}

// One message's judgement while it is walked.
struct walk {
	struct burst_slot *slot;
	const uint8_t *msg;
	const struct fqdn_rule *question_allow; // exemption of a question name
	unsigned n_names;
	// Offsets of names looked up last: owners mostly point at a name that was there before.
	uint16_t seen[4];
	uint8_t seen_next;
};

// A name to be looked up.
struct pending {
	struct walk *walk;
	struct fqdn_probe probe;
	uint16_t off;
	bool question;
	struct dns_labels labels;
};

// All messages of a burst are walked first, then all their names are hashed, then all are looked up:
// hashes of different names do not wait for each other, and what a look-up needs has come from memory.
#define PENDING_MAX 64

struct match {
	const struct pipeline_tables *tables;
	unsigned n_pending;
	struct pending pending[PENDING_MAX];
	struct walk walks[BURST_MAX];
};

static const enum reason dns_reasons[] = {
	[-DNS_E_SHORT] = REASON_short_record,
	[-DNS_E_LABEL] = REASON_bad_label,
	[-DNS_E_POINTER] = REASON_bad_pointer,
	[-DNS_E_LONG] = REASON_long_name,
};

// A name that is nothing but a pointer is the name it points at.
static uint16_t name_origin(const uint8_t *msg, uint16_t off)
{
	return (msg[off] & 0xc0) == 0xc0 ? load_be16(msg + off) & 0x3fff : off;
}

// Keep the rule that decides: the list that comes first; of one list the first name met.
static void walk_take(struct walk *walk, const struct fqdn_match *match, uint16_t off)
{
	struct burst_slot *slot = walk->slot;

	if (match->suppressed && !slot->allow)
		slot->allow = match->allow;
	if (match->block && (!slot->block || match->block->list < slot->block->list)) {
		slot->block = match->block;
		slot->match = off;
	}
	if (match->log && (!slot->log || match->log->list < slot->log->list)) {
		slot->log = match->log;
		if (!slot->block)
			slot->match = off;
	}
}

// Look up the names met so far, in their order.
static void pending_lookup(struct match *match)
{
	for (unsigned i = 0; i < match->n_pending; i++)
		fqdn_lookup_begin(
			match->tables->names, &match->pending[i].labels, &match->pending[i].probe);
	for (unsigned i = 0; i < match->n_pending; i++) {
		struct pending *p = &match->pending[i];
		struct fqdn_match found;

		if (!fqdn_lookup_end(match->tables->names, &p->labels, &p->probe,
			    match->tables->today, &found))
			continue;
		walk_take(p->walk, &found, p->off);
		if (p->question && !p->walk->question_allow)
			p->walk->question_allow = found.allow;
	}
	match->n_pending = 0;
}

// Note the name at off for its look-up.
// @param origin   where it stands first, see name_origin
// @param occupied [out] bytes of the name at off, or why it cannot be read
static enum reason name_take(struct match *match, struct walk *walk, uint16_t off, uint16_t origin,
	bool question, int *occupied)
{
	struct pending *p;

	if (walk->n_names++ >= PIPELINE_NAMES_MAX)
		return REASON_name_limit;
	if (match->n_pending == PENDING_MAX)
		pending_lookup(match);
	p = &match->pending[match->n_pending];
	*occupied = dns_msg_labels_read(walk->msg, walk->slot->msg_size, off, &p->labels);
	if (*occupied < 0)
		return dns_reasons[-*occupied];
	walk->seen[walk->seen_next++ & 3] = origin;
	p->walk = walk;
	p->off = off;
	p->question = question;
	match->n_pending++;
	return REASON_none;
}

static inline enum reason owner_take(struct match *match, struct walk *walk, uint16_t off)
{
	uint16_t origin = name_origin(walk->msg, off);
	int occupied;

	// The question's name, or the target before, is what nearly every owner points at.
	for (unsigned i = 0; i < 4; i++)
		if (walk->seen[i] == origin)
			return REASON_none;
	return name_take(match, walk, off, origin, false, &occupied);
}

// Why RDATA is not one name and nothing else (RFC 1035 s3.3.1): what is in RDATA counts, not what
// stands behind it.
static __attribute__((noinline)) enum reason target_reason(
	const struct walk *walk, const struct dns_rr *rr, enum reason reason)
{
	int size = dns_msg_name_skip(walk->msg, (uint32_t)rr->rdata + rr->rdata_size, rr->rdata);

	if (size < 0)
		return dns_reasons[-size];
	return size == rr->rdata_size ? reason : REASON_short_record;
}

static inline enum reason target_take(
	struct match *match, struct walk *walk, const struct dns_rr *rr)
{
	enum reason reason;
	int occupied = 0;

	// Too short for a pointer: the root, which no list has, or no name.
	if (rr->rdata_size < 2)
		return rr->rdata_size == 1 && walk->msg[rr->rdata] == 0
			       ? REASON_none
			       : target_reason(walk, rr, REASON_short_record);
	reason = name_take(
		match, walk, rr->rdata, name_origin(walk->msg, rr->rdata), false, &occupied);
	if (reason == REASON_name_limit || (reason == REASON_none && occupied == rr->rdata_size))
		return reason;
	return target_reason(walk, rr, reason);
}

// @param off [in,out] where the section starts, then where it ends
static enum reason walk_questions(struct match *match, struct walk *walk, uint32_t *off)
{
	struct burst_slot *slot = walk->slot;

	for (unsigned n = dns_msg_qdcount(walk->msg); n > 0; n--) {
		int size = 0;
		enum reason reason =
			name_take(match, walk, (uint16_t)*off, (uint16_t)*off, true, &size);

		if (reason != REASON_none)
			return reason;
		*off += (uint32_t)size;
		if (slot->msg_size - *off < 4)
			return REASON_short_record;
		if (!slot->question)
			slot->qtype = load_be16(walk->msg + *off);
		slot->question = true;
		*off += 4;
	}
	return REASON_none;
}

static enum reason walk_answers(struct match *match, struct walk *walk, uint32_t off)
{
	struct burst_slot *slot = walk->slot;

	for (unsigned n = dns_msg_ancount(walk->msg); n > 0; n--) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(walk->msg, slot->msg_size, off, &rr);
		enum reason reason;

		if (size < 0)
			return dns_reasons[-size];
		off += (uint32_t)size;
		reason = owner_take(match, walk, rr.name);
		if (reason == REASON_none &&
			(rr.type == DNS_TYPE_CNAME || rr.type == DNS_TYPE_DNAME))
			reason = target_take(match, walk, &rr);
		if (reason != REASON_none)
			return reason;
		if (rr.class != DNS_CLASS_IN)
			continue;
		slot->n_ipv4 += rr.type == DNS_TYPE_A && rr.rdata_size == 4;
		slot->n_ipv6 += rr.type == DNS_TYPE_AAAA && rr.rdata_size == 16;
	}
	return REASON_none;
}

// What follows from the rules met. Consent was looked at before; it has the last word here.
static enum reason walk_verdict(struct walk *walk, const struct policy *policy)
{
	struct burst_slot *slot = walk->slot;
	const struct policy_sinkhole *sinkhole;

	if (slot->refused & CONSENT_NO_FILTER) {
		slot->block = slot->log = slot->allow = NULL;
		return REASON_no_filter;
	}
	if (walk->question_allow && policy->allow_message && (slot->block || slot->log)) {
		slot->allow = walk->question_allow;
		slot->block = slot->log = NULL;
	}
	if (!slot->block)
		return slot->log ? REASON_logged : slot->allow ? REASON_allowed : REASON_miss;
	if (slot->n_ipv4 + slot->n_ipv6 == 0)
		return REASON_no_address;
	sinkhole = &policy->lists[slot->block->list].sinkhole;
	if (!(slot->n_ipv4 && sinkhole->n_ipv4) && !(slot->n_ipv6 && sinkhole->n_ipv6))
		return REASON_no_sinkhole;
	slot->edit = true;
	return REASON_rewritten;
}

// Walk the message; REASON_none: its names are on their way, the verdict follows.
static enum reason slot_walk(struct match *match, struct walk *walk, struct burst_slot *slot)
{
	uint32_t off = DNS_HEADER_SIZE;
	enum reason reason;

	walk->slot = slot;
	walk->msg = slot->frame + slot->msg;
	walk->question_allow = NULL;
	walk->n_names = 0;
	walk->seen_next = 0;
	// No name stands there: a datagram is smaller.
	memset(walk->seen, 0xff, sizeof(walk->seen));
	slot->question = false;
	slot->qtype = 0;
	slot->n_ipv4 = slot->n_ipv6 = 0;
	slot->rcode = dns_msg_rcode(walk->msg);
	if (dns_msg_opcode(walk->msg) != DNS_OPCODE_QUERY)
		return REASON_opcode;
	reason = walk_questions(match, walk, &off);
	return reason == REASON_none ? walk_answers(match, walk, off) : reason;
}

void pipeline_match(struct burst *burst, const struct pipeline_tables *tables)
{
	struct match match;

	match.tables = tables;
	match.n_pending = 0;
	for (unsigned i = 0; i < burst->n; i++)
		if (burst->slot[i].response)
			burst->slot[i].reason = slot_walk(&match, &match.walks[i], &burst->slot[i]);
	pending_lookup(&match);
	for (unsigned i = 0; i < burst->n; i++) {
		struct burst_slot *slot = &burst->slot[i];

		if (!slot->response)
			continue;
		if (slot->reason == REASON_none)
			slot->reason = walk_verdict(&match.walks[i], tables->policy);
		else
			// In doubt the packet passes: what was met before the error decides nothing.
			slot->block = slot->log = slot->allow = NULL;
	}
}

// The same client always starts at the same sinkhole address.
static uint32_t client_spread(const struct burst_slot *slot)
{
	const uint8_t *client = pipeline_client(slot);
	uint32_t spread = load_be32(client);

	if (slot->family == ADDR_IPV6)
		spread = spread * 31 + load_be32(client + 4) * 17 + load_be32(client + 8) * 7 +
			 load_be32(client + 12);
	return spread;
}

void pipeline_rewrite(
	struct burst *burst, const struct pipeline_tables *tables, struct stats_worker *stats)
{
	for (unsigned i = 0; i < burst->n; i++) {
		struct burst_slot *slot = &burst->slot[i];
		const struct policy_list *list;
		struct rewrite_counts counts;

		if (!slot->edit)
			continue;
		list = &tables->policy->lists[slot->block->list];
		counts = rewrite_response(slot->frame + slot->msg, slot->msg_size,
			slot->frame + slot->l4 + UDP_CSUM_OFFSET, &list->sinkhole,
			client_spread(slot));
		if (slot->refused & CONSENT_NO_LOG)
			continue;
		counter_add(&stats->records_rewritten[0], counts.n_ipv4);
		counter_add(&stats->records_rewritten[1], counts.n_ipv6);
		counter_add(&stats->records_left, counts.n_left);
	}
}

static void response_count(
	const struct burst_slot *slot, const struct policy *policy, struct stats_worker *stats)
{
	enum dns_type_row type = slot->question ? dns_type_row(slot->qtype) : DNS_TYPE_ROW_none;

	counter_add(&stats->responses[slot->rcode][type], 1);
	if (slot->block)
		counter_add(&stats->matched[policy->lists[slot->block->list].slot], 1);
	if (slot->reason == REASON_rewritten)
		counter_add(
			&stats->filtered[policy->lists[slot->block->list].slot][POLICY_SINKHOLE],
			1);
	if (slot->log)
		counter_add(&stats->filtered[policy->lists[slot->log->list].slot][POLICY_LOG], 1);
	if (slot->allow)
		counter_add(
			&stats->filtered[policy->lists[slot->allow->list].slot][POLICY_ALLOW], 1);
	if (slot->reason == REASON_no_sinkhole)
		counter_add(&stats->records_left, (uint64_t)slot->n_ipv4 + slot->n_ipv6);
}

void pipeline_count(
	const struct burst *burst, const struct pipeline_tables *tables, struct stats_worker *stats)
{
	for (unsigned i = 0; i < burst->n; i++) {
		const struct burst_slot *slot = &burst->slot[i];
		bool hidden = slot->response && (slot->refused & CONSENT_NO_LOG);

		counter_add(&stats->rx_packets, 1);
		counter_add(&stats->rx_bytes, slot->frame_size);
		// A client that refused logging shows up in no row that says what its DNS held.
		counter_add(&stats->verdicts[hidden ? REASON_no_log : slot->reason], 1);
		if (slot->response && !hidden)
			response_count(slot, tables->policy, stats);
	}
}
