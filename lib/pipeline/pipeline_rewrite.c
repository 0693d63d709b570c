/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pipeline/pipeline_rewrite_private.h"

#include <assert.h>
#include <stddef.h>

#include "pkt/pkt.h"

#define UDP_CSUM_OFFSET 6 // RFC 768

// The same client always starts at the same sinkhole address.
static inline uint32_t client_spread(const struct burst_slot *slot)
{
	const uint8_t *client = pipeline_client(slot);
	uint32_t spread = load_be32(client);

	if (slot->family == ADDR_IPV6)
		spread = spread * 31 + load_be32(client + 4) * 17 + load_be32(client + 8) * 7 +
			 load_be32(client + 12);
	return spread;
}

static inline void message_get(
	const struct burst_slot *slot, const struct policy_list *list, struct rewrite_message *m)
{
	bool fixed = slot->protocol != IP_PROTO_UDP;

	*m = (struct rewrite_message){
		.msg = slot->frame + slot->msg,
		.size = slot->msg_size,
		.room = fixed || slot->msg_size >= DNS_UDP_SIZE_MIN ? slot->msg_size
								    : DNS_UDP_SIZE_MIN,
		.answers = slot->answers,
		.behind = slot->behind,
		.fixed = fixed,
		.partly = fixed && slot->partly,
		.additional = slot->additional,
		.spread = client_spread(slot),
		.list = list,
	};
}

void pipeline_message_get(
	const struct burst_slot *slot, const struct policy_list *list, struct rewrite_message *m)
{
	message_get(slot, list, m);
}

static inline void counts_add(struct stats_worker *stats, const struct rewrite_counts *counts)
{
	static const struct rewrite_counts none;

	counter_add(&stats->records_rewritten[STATS_RECORD_A], counts->n_ipv4);
	counter_add(&stats->records_rewritten[STATS_RECORD_AAAA], counts->n_ipv6);
	// All that stands behind these two is rare.
	static_assert(offsetof(struct rewrite_counts, n_svcb) == 4 && sizeof(none) == 20,
		"two numbers, and those behind them");
	if (__builtin_expect(memcmp(&counts->n_svcb, &none.n_svcb, sizeof(none) - 4) == 0, 1))
		return;
	counter_add(&stats->records_rewritten[STATS_RECORD_SVCB], counts->n_svcb);
	counter_add(&stats->records_rewritten[STATS_RECORD_HTTPS], counts->n_https);
	counter_add(&stats->records_left, counts->n_left);
	counter_add(&stats->records_malformed, counts->n_malformed);
	counter_add(&stats->rrsigs[STATS_RRSIG_REMOVED], counts->rrsigs_cut);
	counter_add(&stats->rrsigs[STATS_RRSIG_KEPT], counts->rrsigs_kept);
	counter_add(&stats->ede[STATS_EDE_ADDED], counts->ede_added);
	counter_add(&stats->ede[STATS_EDE_NO_ROOM], counts->ede_left);
}

static inline struct rewrite_counts slot_rewrite(struct burst_slot *slot, struct rewrite_message *m)
{
	switch (slot->reason) {
	case REASON_answered:
		return rewrite_answer(m, slot->qtype);
	case REASON_truncated:
		return rewrite_deny(m, DNS_RCODE_NOERROR | DNS_FLAG_TC);
	case REASON_nodata:
		return rewrite_deny(m, DNS_RCODE_NOERROR);
	case REASON_nxdomain:
		return rewrite_deny(m, DNS_RCODE_NXDOMAIN);
	default:
		return rewrite_sinkhole(m);
	}
}

// The frame may have less room than the client.
static inline void room_take(const struct burst_slot *slot, struct rewrite_message *m)
{
	if (m->room > slot->frame_room - slot->msg)
		m->room = (uint16_t)(slot->frame_room - slot->msg);
}

void pipeline_fit(struct burst *burst, const struct pipeline_tables *tables)
{
	for (uint32_t left = burst->edits; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		struct burst_slot *slot = &burst->slot[i];
		struct rewrite_message m;

		// All else gets shorter, or stays; what may be left out of it is.
		if (__builtin_expect(slot->reason != REASON_answered, 1))
			continue;
		message_get(slot, &tables->policy->lists[slot->block->list], &m);
		room_take(slot, &m);
		if (rewrite_answer_fits(&m, slot->qtype))
			continue;
		slot->reason = pipeline_addresses_verdict(&m);
		slot->edit = slot->reason == REASON_rewritten;
		burst->edits &= ~((uint32_t)!slot->edit << i);
	}
}

void pipeline_rewrite(
	struct burst *burst, const struct pipeline_tables *tables, struct stats_worker *stats)
{
	for (uint32_t left = burst->edits; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		struct burst_slot *slot = &burst->slot[i];
		struct rewrite_message m;
		struct rewrite_counts counts;

		if (slot->reason == REASON_dropped) {
			burst->dropped |= 1u << i;
			continue;
		}
		message_get(slot, &tables->policy->lists[slot->block->list], &m);
		room_take(slot, &m);
		counts = slot_rewrite(slot, &m);
		if (!m.fixed)
			csum_apply_udp(slot->frame + slot->l4 + UDP_CSUM_OFFSET, &m.delta);
		if (m.size != slot->msg_size) {
			pkt_resize(slot, m.size);
			burst->resized |= 1u << i;
		}
		if (!(slot->refused & CONSENT_NO_LOG))
			counts_add(stats, &counts);
	}
}
