/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_tcp_private.h"

#include "dns/dns_msg.h"

#define COUNTS_AT 6 // RFC 1035 s4.1.1: ANCOUNT, NSCOUNT, ARCOUNT
#define SECTIONS  3

// RFC 9460 s2.2: SvcPriority, TargetName, then parameters of key, length and value.
#define TYPE_SVCB         64
#define TYPE_HTTPS        65
#define SVCB_PRIORITY     2
#define SVCB_PARAM_HEADER 4
#define SVCB_KEY_IPV4HINT 4
#define SVCB_KEY_IPV6HINT 6

// The record at which a message is cut: where its RDATA starts and ends, and where what is there can
// be made to end.
struct cut {
	uint32_t rdata, end;
	uint32_t to;
};

// A service binding is cut between two parameters, or behind the addresses of a hint.
static bool cut_svcb(const uint8_t *msg, uint32_t have, struct cut *cut)
{
	uint32_t at = cut->rdata + SVCB_PRIORITY;
	int name;

	if (at > have)
		return false;
	name = dns_msg_name_skip(msg, have, at);
	if (name < 0)
		return false;
	at += (uint32_t)name;
	while (at <= have && have - at >= SVCB_PARAM_HEADER) {
		uint16_t key = load_be16(msg + at);
		uint32_t next = at + SVCB_PARAM_HEADER + load_be16(msg + at + 2);

		if (next > have && key != SVCB_KEY_IPV4HINT && key != SVCB_KEY_IPV6HINT)
			break;
		at = next;
	}
	cut->to = at;
	return at <= cut->end;
}

// @return whether there is enough of the record at `off` to judge it
static bool cut_find(uint8_t *msg, uint32_t have, uint32_t off, struct cut *cut)
{
	int name = dns_msg_name_skip(msg, have, off);
	uint16_t type, rdata_size;

	if (name < 0 || have - off - (uint32_t)name < DNS_RR_FIXED_SIZE)
		return false;
	off += (uint32_t)name;
	type = load_be16(msg + off);
	rdata_size = load_be16(msg + off + 8);
	cut->rdata = off + DNS_RR_FIXED_SIZE;
	cut->end = cut->to = cut->rdata + rdata_size;
	if (load_be16(msg + off + 2) != DNS_CLASS_IN)
		return false;
	if (type == TYPE_SVCB || type == TYPE_HTTPS) {
		if (!cut_svcb(msg, have, cut))
			return false;
		store_be16(msg + off + 8, (uint16_t)(cut->to - cut->rdata));
		return true;
	}
	// A name in RDATA that is cut would be another name.
	return (type == DNS_TYPE_A && rdata_size == 4) ||
	       (type == DNS_TYPE_AAAA && rdata_size == 16);
}

// @return the offset behind the questions, 0: they are not all there
static uint32_t questions_skip(const uint8_t *msg, uint32_t have)
{
	uint32_t off = DNS_HEADER_SIZE;

	for (unsigned n = dns_msg_qdcount(msg); n > 0; n--) {
		int name = dns_msg_name_skip(msg, have, off);

		if (name < 0 || have - off - (uint32_t)name < 4)
			return 0;
		off += (uint32_t)name + 4;
	}
	return off;
}

uint32_t stream_prefix(uint8_t *msg, uint32_t have, uint32_t size)
{
	uint32_t off = have < DNS_HEADER_SIZE ? 0 : questions_skip(msg, have);
	unsigned records = 0;
	struct cut cut;

	if (off == 0)
		return 0;
	for (unsigned i = 0; i < SECTIONS; i++) {
		unsigned n = load_be16(msg + COUNTS_AT + 2 * i), met = 0;
		int rr_size = 0;

		// Behind the record that is cut nothing is left.
		for (; off < have && met < n && rr_size >= 0; met += rr_size >= 0) {
			struct dns_rr rr;

			rr_size = dns_msg_rr_read(msg, have, off, &rr);
			off += rr_size >= 0 ? (uint32_t)rr_size : 0;
		}
		if (rr_size < 0 && cut_find(msg, have, off, &cut) && cut.end <= size) {
			if (cut.to > have)
				memset(msg + have, 0, cut.to - have);
			off = cut.to;
			met++;
		}
		store_be16(msg + COUNTS_AT + 2 * i, (uint16_t)met);
		records += met;
		have = rr_size < 0 ? 0 : have;
	}
	return records > 0 ? off : 0;
}

uint32_t stream_prefix_ttl(const uint8_t *msg, uint32_t have)
{
	uint32_t off = have < DNS_HEADER_SIZE ? 0 : questions_skip(msg, have), ttl;
	int size = 1;

	if (off == 0)
		return have;
	while (off < have && size > 0) {
		struct dns_rr rr;

		size = dns_msg_rr_read(msg, have, off, &rr);
		off += size > 0 ? (uint32_t)size : 0;
	}
	size = off < have ? dns_msg_name_skip(msg, have, off) : -1;
	if (size < 0)
		return have;
	ttl = off + (uint32_t)size + 4;
	return have > ttl && have < ttl + 4 ? ttl + 4 : have;
}
