/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "dns/dns_known.h"
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

#define IP_PROTO_TCP   6
#define SERVICE_TARGET 2 // octets of RDATA before the TargetName

// One message of any form while it is read.
struct reading {
	struct match *match;
	const uint8_t *msg;
	uint32_t size, off;
	unsigned number;  // of the slot
	unsigned n_names; // noted so far, ...
	unsigned pending; // ... and not yet looked up: what they may take
	// Why a record was passed over; the rest of the message counts.
	enum reason passed_over;
	uint64_t seen;
	struct dns_known known;
};

// A name that is nothing but a pointer is the name it points at. So is one that points at such a name, as
// the owner of a record does behind an alias to a name that stood in the message before.
static inline uint16_t name_origin(const uint8_t *msg, uint32_t off)
{
	uint32_t to, on;

	if (msg[off] < 0xc0)
		return (uint16_t)off;
	to = load_be16(msg + off) & 0x3fffu;
	// What leads forward is no name.
	if (to >= off || msg[to] < 0xc0)
		return (uint16_t)to;
	on = load_be16(msg + to) & 0x3fffu;
	return (uint16_t)(on < to ? on : to);
}

// Look up what was noted. What that took counts.
static __attribute__((noinline)) void names_find(struct reading *r)
{
	struct fqdn_effort effort = {.msg = r->msg, .known = &r->known};

	r->match->effort = &effort;
	pipeline_names_lookup(r->match);
	r->match->effort = NULL;
	r->pending = 0;
}

// Where the name at off ends. @return 0: names have taken what they may
static inline uint64_t ends_read(struct reading *r, uint32_t off)
{
	// What those noted take is known when they are looked up: not all of it at the end.
	if (r->known.work + r->pending > r->known.most && r->pending > 0)
		names_find(r);
	r->known.work += PIPELINE_NAME_WORK;
	return dns_known_read(&r->known, r->msg, r->size, off);
}

// Note a name that was read.
static inline void name_take(struct reading *r, uint32_t off, uint64_t ends, bool question)
{
	struct match *match = r->match;

	r->n_names++;
	r->seen = r->seen << 16 | name_origin(r->msg, off);
	// No list has the root.
	if (dns_ends_labels(ends) == 0)
		return;
	if (match->n_names == NAMES_MAX)
		names_find(r);
	r->pending += PIPELINE_FOLLOW_WORK + dns_ends_labels(ends) * PIPELINE_FOLLOW_LABEL;
	name_note(match, match->n_names, r->msg, r->size, off,
		(struct name_owner){.slot = (uint8_t)r->number, .question = question});
	name_set(&match->names[match->n_names], ends);
	// All before it were read, or have just been looked up.
	match->n_read = ++match->n_names;
}

// Read and note the name of a question or of a record's owner. @param occupied [out] octets
static enum reason name_read(struct reading *r, uint32_t off, bool question, int *occupied)
{
	uint64_t ends;

	ends = ends_read(r, off);
	if (ends == 0)
		return REASON_name_limit;
	*occupied = dns_ends_occupied(ends);
	if (*occupied < 0)
		return pipeline_dns_reasons[-*occupied];
	name_take(r, off, ends, question);
	return REASON_none;
}

static enum reason questions_read(struct reading *r, struct burst_slot *slot)
{
	for (unsigned n = dns_msg_qdcount(r->msg); n > 0; n--) {
		int occupied;
		enum reason reason = name_read(r, r->off, true, &occupied);

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

// The target of CNAME and DNAME: RDATA is one name and nothing else.
static enum reason target_read(struct reading *r, const struct dns_rr *rr)
{
	uint64_t ends;
	int occupied;

	// Too short for a pointer: the root, which no list has, or no name.
	if (rr->rdata_size < 2)
		return rr->rdata_size == 1 && r->msg[rr->rdata] == 0
			       ? REASON_none
			       : pipeline_target_reason(
					 r->msg, rr->rdata, rr->rdata_size, REASON_short_record);
	ends = ends_read(r, rr->rdata);
	if (ends == 0)
		return REASON_name_limit;
	occupied = dns_ends_occupied(ends);
	if (occupied != rr->rdata_size)
		return pipeline_target_reason(r->msg, rr->rdata, rr->rdata_size,
			occupied < 0 ? pipeline_dns_reasons[-occupied] : REASON_short_record);
	name_take(r, rr->rdata, ends, false);
	return REASON_none;
}

// The TargetName of SVCB and HTTPS (RFC 9460 s2.2), behind two octets of priority. The RFC has it
// whole; a pointer is followed all the same, as a client may do it. The parameters are not looked at.
//
// A client rejects malformed ones and goes on to the addresses as if they were not there (s2.2, s3), and
// many resolvers hand them on as they come, so that anybody can have one in an answer: it is passed
// over, and must not save the names beside it.
static enum reason service_read(struct reading *r, const struct dns_rr *rr)
{
	uint32_t at = rr->rdata + SERVICE_TARGET, end = rr->rdata + (uint32_t)rr->rdata_size;
	int occupied = DNS_E_SHORT;
	uint64_t ends;

	// ".": the owner itself, or that there is no such service.
	if (at < end && r->msg[at] == 0)
		return REASON_none;
	if (at < end)
		occupied = dns_msg_name_skip(r->msg, end, at);
	if (occupied > 0) {
		r->known.work += PIPELINE_SERVICE_WORK;
		ends = ends_read(r, at);
		if (ends == 0)
			return REASON_name_limit;
		occupied = dns_ends_occupied(ends);
	}
	if (occupied > 0)
		name_take(r, at, ends, false);
	else if (r->passed_over == REASON_none)
		r->passed_over = pipeline_dns_reasons[-occupied];
	return REASON_none;
}

static inline bool type_has_name(unsigned type)
{
	return type == DNS_TYPE_CNAME || type == DNS_TYPE_DNAME || type == DNS_TYPE_SVCB ||
	       type == DNS_TYPE_HTTPS;
}

// The name in the RDATA of a type that has one.
static enum reason rdata_read(struct reading *r, const struct dns_rr *rr)
{
	return rr->type == DNS_TYPE_CNAME || rr->type == DNS_TYPE_DNAME ? target_read(r, rr)
									: service_read(r, rr);
}

#define IN_ROW(type) ((uint32_t)(type) << 16 | DNS_CLASS_IN) // type and class of a record

static inline void address_count(struct burst_slot *slot, const struct dns_rr *rr)
{
	if (rr->class != DNS_CLASS_IN)
		return;
	slot->n_ipv4 += rr->type == DNS_TYPE_A && rr->rdata_size == 4;
	slot->n_ipv6 += rr->type == DNS_TYPE_AAAA && rr->rdata_size == 16;
}

// Records whose owner was met lately, or is the root, which no list has, and whose RDATA has no name
// that counts. Nearly all records of a long message are such ones.
// @return how many there are
static unsigned records_skip(struct reading *r, struct burst_slot *slot, unsigned n)
{
	const uint8_t *msg = r->msg;
	uint32_t size = r->size, off = r->off;
	unsigned n_ipv4 = 0, n_ipv6 = 0, left = n;
	uint64_t seen = r->seen;

	for (; left > 0; left--) {
		uint32_t at = off + 1, row;
		uint16_t rdata_size;

		if (size - off < 2 + DNS_RR_FIXED_SIZE)
			break;
		if (msg[off] != 0) {
			if (!is_seen(seen, name_origin(msg, off)))
				break;
			at = off + 2;
		}
		row = load_be32(msg + at);
		rdata_size = load_be16(msg + at + 8);
		if (type_has_name(row >> 16) || size - at - DNS_RR_FIXED_SIZE < rdata_size)
			break;
		n_ipv4 += row == IN_ROW(DNS_TYPE_A) && rdata_size == 4;
		n_ipv6 += row == IN_ROW(DNS_TYPE_AAAA) && rdata_size == 16;
		off = at + DNS_RR_FIXED_SIZE + rdata_size;
	}
	r->off = off;
	slot->n_ipv4 += (uint16_t)n_ipv4;
	slot->n_ipv6 += (uint16_t)n_ipv6;
	return n - left;
}

// Octets of the owner name at r->off; a name not met lately is noted.
static enum reason owner_read(struct reading *r, int *occupied)
{
	uint32_t left = r->size - r->off;

	*occupied = 2;
	if (left >= 2 && is_seen(r->seen, name_origin(r->msg, r->off)))
		return REASON_none;
	*occupied = 1;
	if (left >= 1 && r->msg[r->off] == 0)
		return REASON_none;
	return name_read(r, r->off, false, occupied);
}

// Any record.
static enum reason record_read(struct reading *r, struct burst_slot *slot)
{
	int occupied, size;
	enum reason reason = owner_read(r, &occupied);
	struct dns_rr rr;

	if (reason != REASON_none)
		return reason;
	size = dns_msg_rr_read_behind(r->msg, r->size, r->off, occupied, &rr);
	if (size < 0)
		return pipeline_dns_reasons[-size];
	r->off += (uint32_t)size;
	address_count(slot, &rr);
	return type_has_name(rr.type) ? rdata_read(r, &rr) : REASON_none;
}

static enum reason answers_read(struct reading *r, struct burst_slot *slot)
{
	enum reason reason = REASON_none;

	for (unsigned n = dns_msg_ancount(r->msg); n > 0 && reason == REASON_none;) {
		unsigned n_names = r->n_names;

		reason = record_read(r, slot);
		n--;
		// Where one has nothing to look up, the next ones hardly have.
		if (r->n_names == n_names && reason == REASON_none) {
			unsigned skipped = records_skip(r, slot, n);

			r->known.work += PIPELINE_RECORD_WORK + skipped * PIPELINE_SKIP_WORK;
			n -= skipped;
		}
	}
	// What is known of deep names ends with this message.
	if (r->known.n_names > 0 && r->pending > 0)
		names_find(r);
	slot->behind = (uint16_t)r->off;
	return reason;
}

bool pipeline_answers_walk(struct burst_slot *slot)
{
	const uint8_t *msg = slot->frame + slot->msg;
	uint32_t off = DNS_HEADER_SIZE;

	slot->n_ipv4 = slot->n_ipv6 = 0;
	for (unsigned n = dns_msg_qdcount(msg); n > 0; n--) {
		int name = dns_msg_name_skip(msg, slot->msg_size, off);

		if (name < 0 || slot->msg_size - off - (uint32_t)name < 4)
			return false;
		off += (uint32_t)name + 4;
	}
	slot->answers = (uint16_t)off;
	for (unsigned n = dns_msg_ancount(msg); n > 0; n--) {
		struct dns_rr rr;
		int size = dns_msg_rr_read(msg, slot->msg_size, off, &rr);

		if (size < 0)
			return false;
		off += (uint32_t)size;
		address_count(slot, &rr);
	}
	slot->behind = (uint16_t)off;
	return true;
}

void pipeline_read(struct match *match, unsigned number)
{
	struct burst_slot *slot = &match->burst->slot[number];
	enum reason reason;
	struct reading r;

	r.match = match;
	r.msg = slot->frame + slot->msg;
	r.size = slot->msg_size;
	r.off = DNS_HEADER_SIZE;
	r.number = number;
	r.n_names = r.pending = r.known.n_names = r.known.work = 0;
	r.known.most = pipeline_work_most(r.size);
	r.passed_over = REASON_none;
	r.seen = SEEN_NONE;
	slot->question = false;
	// Only the first message of a transfer need have a question (RFC 5936 s2.2.1).
	slot->qtype = slot->protocol == IP_PROTO_TCP && slot->transfer ? DNS_TYPE_AXFR : 0;
	slot->n_ipv4 = slot->n_ipv6 = 0;
	slot->rcode = dns_msg_rcode(r.msg);
	if (dns_msg_opcode(r.msg) != DNS_OPCODE_QUERY)
		reason = REASON_opcode;
	else
		reason = questions_read(&r, slot);
	if (reason == REASON_none)
		reason = answers_read(&r, slot);
	// What was not looked at must not save what was.
	if (reason == REASON_name_limit || (reason == REASON_none && r.passed_over != REASON_none))
		match->partly |= 1u << number;
	if (reason == REASON_none)
		reason = r.passed_over;
	slot->reason = reason == REASON_none ? slot_nothing(slot) : reason;
}
