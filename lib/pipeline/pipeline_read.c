/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pipeline/pipeline_match_private.h"

const enum reason pipeline_dns_reasons[] = {
	[-DNS_E_SHORT] = REASON_short_record,
	[-DNS_E_LABEL] = REASON_bad_label,
	[-DNS_E_POINTER] = REASON_bad_pointer,
	[-DNS_E_LONG] = REASON_long_name,
};

enum reason pipeline_target_reason(
	const uint8_t *msg, uint32_t rdata, uint32_t rdata_size, enum reason reason)
{
	int size = dns_msg_name_skip(msg, rdata + rdata_size, rdata);

	if (size < 0)
		return pipeline_dns_reasons[-size];
	return (uint32_t)size == rdata_size ? reason : REASON_short_record;
}

// One message of any form while it is read.
struct reading {
	struct match *match;
	const uint8_t *msg;
	uint32_t size, off;
	unsigned number;  // of the slot
	unsigned n_names; // met so far
	uint64_t seen;
};

// Note the name at off. @param rdata_size what it must occupy, 0: that is not known
static enum reason name_read(
	struct reading *r, uint32_t off, unsigned rdata_size, bool question, int *occupied)
{
	struct match *match = r->match;
	uint64_t ends;

	if (r->n_names++ >= PIPELINE_NAMES_MAX)
		return REASON_name_limit;
	if (match->n_names == NAMES_MAX)
		pipeline_names_lookup(match);
	ends = dns_msg_ends_read(r->msg, r->size, off);
	*occupied = dns_ends_occupied(ends);
	if (*occupied < 0 || (rdata_size && *occupied != (int)rdata_size)) {
		enum reason reason =
			*occupied < 0 ? pipeline_dns_reasons[-*occupied] : REASON_short_record;

		return rdata_size ? pipeline_target_reason(r->msg, off, rdata_size, reason)
				  : reason;
	}
	r->seen = r->seen << 16 | name_origin(r->msg, off);
	name_note(match, match->n_names, r->msg, r->size, off,
		(struct name_owner){.slot = (uint8_t)r->number, .question = question});
	name_set(&match->names[match->n_names], ends);
	// All before it were read, or have just been looked up.
	match->n_read = ++match->n_names;
	return REASON_none;
}

static enum reason questions_read(struct reading *r, struct burst_slot *slot)
{
	for (unsigned n = dns_msg_qdcount(r->msg); n > 0; n--) {
		int occupied;
		enum reason reason = name_read(r, r->off, 0, true, &occupied);

		if (reason != REASON_none)
			return reason;
		r->off += (uint32_t)occupied;
		if (r->size - r->off < 4)
			return REASON_short_record;
		if (!slot->question)
			slot->qtype = load_be16(r->msg + r->off);
		slot->question = true;
		r->off += 4;
	}
	slot->answers = (uint16_t)r->off;
	return REASON_none;
}

static enum reason target_read(struct reading *r, const struct dns_rr *rr)
{
	int occupied;

	// Too short for a pointer: the root, which no list has, or no name.
	if (rr->rdata_size < 2)
		return rr->rdata_size == 1 && r->msg[rr->rdata] == 0
			       ? REASON_none
			       : pipeline_target_reason(
					 r->msg, rr->rdata, rr->rdata_size, REASON_short_record);
	return name_read(r, rr->rdata, rr->rdata_size, false, &occupied);
}

static enum reason answers_read(struct reading *r, struct burst_slot *slot)
{
	for (unsigned n = dns_msg_ancount(r->msg); n > 0; n--) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(r->msg, r->size, r->off, &rr), occupied;
		enum reason reason = REASON_none;

		if (size < 0)
			return pipeline_dns_reasons[-size];
		r->off += (uint32_t)size;
		if (!is_seen(r->seen, name_origin(r->msg, rr.name)))
			reason = name_read(r, rr.name, 0, false, &occupied);
		if (reason == REASON_none &&
			(rr.type == DNS_TYPE_CNAME || rr.type == DNS_TYPE_DNAME))
			reason = target_read(r, &rr);
		if (reason != REASON_none)
			return reason;
		if (rr.class != DNS_CLASS_IN)
			continue;
		slot->n_ipv4 += rr.type == DNS_TYPE_A && rr.rdata_size == 4;
		slot->n_ipv6 += rr.type == DNS_TYPE_AAAA && rr.rdata_size == 16;
	}
	slot->behind = (uint16_t)r->off;
	return REASON_none;
}

void pipeline_read(struct match *match, unsigned number)
{
	struct burst_slot *slot = &match->burst->slot[number];
	struct reading r = {
		.match = match,
		.msg = slot->frame + slot->msg,
		.size = slot->msg_size,
		.off = DNS_HEADER_SIZE,
		.number = number,
		.seen = SEEN_NONE,
	};
	enum reason reason;

	// What the usual way noted of others is read with what it must be; of this one there is none.
	match->ends(match);
	slot->question = false;
	slot->qtype = 0;
	slot->n_ipv4 = slot->n_ipv6 = 0;
	slot->rcode = dns_msg_rcode(r.msg);
	if (dns_msg_opcode(r.msg) != DNS_OPCODE_QUERY)
		reason = REASON_opcode;
	else
		reason = questions_read(&r, slot);
	if (reason == REASON_none)
		reason = answers_read(&r, slot);
	slot->reason = reason == REASON_none ? slot_nothing(slot) : reason;
}
