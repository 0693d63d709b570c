/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pipeline/pipeline_match_private.h"

#include "pipeline/pipeline_rewrite_private.h"

static bool has_rrsig(const struct burst_slot *slot)
{
	const uint8_t *msg = slot->frame + slot->msg;

	for (uint32_t off = slot->answers; off < slot->behind;) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(msg, slot->msg_size, off, &rr);

		if (size < 0)
			break;
		if (rr.type == DNS_TYPE_RRSIG)
			return true;
		off += (uint32_t)size;
	}
	return false;
}

// Whether addresses in the answer section alone decide: most hits.
static inline bool is_plain(const struct burst_slot *slot, const struct policy_list *list)
{
	return (slot->n_ipv4 && list->sinkhole.n_ipv4) || (slot->n_ipv6 && list->sinkhole.n_ipv6);
}

enum reason pipeline_addresses_verdict(const struct rewrite_message *m)
{
	struct rewrite_counts counts = rewrite_find(m);

	if (rewrite_any(&counts))
		return REASON_rewritten;
	return counts.n_left ? REASON_no_sinkhole : REASON_no_address;
}

static enum reason sinkhole_verdict(struct burst_slot *slot, const struct policy_list *list)
{
	struct rewrite_message m;

	if (is_plain(slot, list))
		return REASON_rewritten;
	pipeline_message_get(slot, list, &m);
	// What is empty stays empty when addresses beside it are replaced.
	if (list->answer_empty && slot->question && rewrite_answer_fits(&m, slot->qtype))
		return REASON_answered;
	return pipeline_addresses_verdict(&m);
}

// Over TCP the length must stay.
static enum reason deny_verdict(struct burst_slot *slot, const struct policy_list *list)
{
	bool udp = slot->protocol == IP_PROTO_UDP;
	struct rewrite_message m;
	enum reason reason;

	if (list->action == POLICY_DROP && udp)
		return REASON_dropped;
	reason = list->action == POLICY_NXDOMAIN ? REASON_nxdomain : REASON_nodata;
	pipeline_message_get(slot, list, &m);
	if (rewrite_deny_fits(&m))
		return reason;
	reason = sinkhole_verdict(slot, list);
	return reason == REASON_rewritten ? REASON_fallback : reason;
}

static enum reason action_verdict(struct burst_slot *slot, const struct policy_list *list)
{
	switch (list->action) {
	case POLICY_SINKHOLE:
		return sinkhole_verdict(slot, list);
	case POLICY_TCP_ONLY:
		return slot->protocol == IP_PROTO_UDP ? REASON_truncated : REASON_over_tcp;
	default:
		return deny_verdict(slot, list);
	}
}

// Whether there is nothing behind the answers, or nothing but an OPT that nobody asks about: most hits.
static inline bool is_bare(const struct burst_slot *slot, const struct policy_list *list)
{
	const uint8_t *msg = slot->frame + slot->msg, *opt = msg + slot->behind;
	uint32_t counts = load_be32(msg + 8);

	return counts == 0 || (counts == 1 && list->dnssec == POLICY_DNSSEC_REWRITE &&
				      slot->msg_size - slot->behind >= DNS_OPT_SIZE &&
				      opt[0] == 0 && load_be16(opt + 1) == DNS_TYPE_OPT);
}

enum reason pipeline_verdict(struct burst_slot *slot, const struct policy_list *list)
{
	const uint8_t *msg = slot->frame + slot->msg;
	enum reason reason;

	slot->additional = 0;
	// Whoever gets a zone serves it on: it must be the one that was sent.
	if (__builtin_expect(dns_type_is_transfer(slot->qtype), 0))
		return REASON_transfer;
	if (!is_bare(slot, list)) {
		struct dns_rest rest;

		dns_msg_rest_read(msg, slot->msg_size, slot->behind, &rest);
		if (rest.is_signed)
			return REASON_signed_message;
		if (list->dnssec == POLICY_DNSSEC_SKIP_SIGNED && rest.dnssec_ok &&
			(rest.rrsig || has_rrsig(slot)))
			return REASON_signed_answer;
		slot->additional = rest.addresses ? rest.additional : 0;
	}
	reason = action_verdict(slot, list);
	slot->edit = reason_is_filtered(reason);
	return reason;
}
