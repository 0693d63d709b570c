/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_tcp_private.h"

#include "dns/dns_msg.h"

#define COUNTS_AT 6 // RFC 1035 s4.1.1: ANCOUNT, NSCOUNT, ARCOUNT
#define SECTIONS  3

#define TTL_AT   4 // behind a name come TYPE and CLASS, RFC 1035 s4.1.3
#define TTL_SIZE 4

// RFC 9460 s2.2: SvcPriority, TargetName, then parameters of key, length and value.
#define TYPE_SVCB         64
#define TYPE_HTTPS        65
#define SVCB_PRIORITY     2
#define SVCB_PARAM_HEADER 4
#define SVCB_KEY_IPV4HINT 4
#define SVCB_KEY_IPV6HINT 6

// The record at which a message is cut: where its TTL starts, 0: no octet of it is there; where its
// RDATA starts and ends, and where what is there can be made to end.
struct cut {
	uint32_t ttl;
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
		// The addresses of a hint that leads outside are found all the same.
		if (next > cut->end)
			next = cut->end;
		at = next;
	}
	cut->to = at;
	return at <= cut->end;
}

// Addresses whose size is not there yet are taken to be of the size that their type has.
static bool cut_address(uint8_t *msg, uint32_t have, uint32_t off, struct cut *cut)
{
	uint16_t type = load_be16(msg + off), size = type == DNS_TYPE_A ? 4 : 16;
	uint32_t known = have < cut->rdata ? have : cut->rdata;
	uint8_t fixed[DNS_RR_FIXED_SIZE] = {0};

	if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA)
		return false;
	store_be16(fixed + 8, size);
	memcpy(fixed, msg + off, known - off);
	cut->end = cut->to = cut->rdata + load_be16(fixed + 8);
	// What is behind an address stays, but the address counts.
	return load_be16(fixed + 8) >= size;
}

// @return whether there is enough of the record at `off` to judge it
static bool cut_find(uint8_t *msg, uint32_t have, uint32_t off, struct cut *cut)
{
	int name = dns_msg_name_skip(msg, have, off);
	uint16_t type;

	if (name < 0 || have - off - (uint32_t)name <= TTL_AT)
		return false;
	off += (uint32_t)name;
	type = load_be16(msg + off);
	cut->ttl = off + TTL_AT;
	cut->rdata = off + DNS_RR_FIXED_SIZE;
	if (load_be16(msg + off + 2) != DNS_CLASS_IN)
		return false;
	if (type != TYPE_SVCB && type != TYPE_HTTPS)
		// A name in RDATA that is cut would be another name.
		return cut_address(msg, have, off, cut);
	if (have < cut->rdata)
		return false;
	cut->end = cut->rdata + load_be16(msg + off + 8);
	return cut_svcb(msg, have, cut);
}

// The record that is cut as one that ends where it can.
static void cut_fill(uint8_t *msg, uint32_t have, const struct cut *cut)
{
	if (cut->to > have)
		memset(msg + have, 0, cut->to - have);
	store_be16(msg + cut->rdata - 2, (uint16_t)(cut->to - cut->rdata));
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

// What is decided of a message that was cut at `have`.
static struct stream_prefix prefix_of(uint32_t have, uint32_t end, const struct cut *cut)
{
	struct stream_prefix prefix = {.size = end, .fill = end, .decided = have};

	if (end > have) {
		prefix.fill = have > cut->rdata ? have : cut->rdata;
		// Without its size an address may still turn out to be none.
		if (have >= cut->rdata)
			prefix.decided = end;
	}
	if (cut->ttl && prefix.decided < cut->ttl + TTL_SIZE)
		prefix.decided = cut->ttl + TTL_SIZE;
	return prefix;
}

struct stream_prefix stream_prefix(uint8_t *msg, uint32_t have, uint32_t size)
{
	uint32_t off = have < DNS_HEADER_SIZE ? 0 : questions_skip(msg, have), there = have;
	struct cut cut = {.ttl = 0};
	unsigned records = 0;

	if (off == 0)
		return (struct stream_prefix){.decided = have};
	for (unsigned i = 0; i < SECTIONS; i++) {
		unsigned n = load_be16(msg + COUNTS_AT + 2 * i), met = 0;
		int rr_size = 0;

		// Behind the record that is cut nothing is left.
		for (; off < there && met < n && rr_size >= 0; met += rr_size >= 0) {
			struct dns_rr rr;

			rr_size = dns_msg_rr_read(msg, there, off, &rr);
			off += rr_size >= 0 ? (uint32_t)rr_size : 0;
		}
		if (rr_size < 0 && cut_find(msg, there, off, &cut) && cut.end <= size) {
			cut_fill(msg, there, &cut);
			off = cut.to;
			met++;
		}
		store_be16(msg + COUNTS_AT + 2 * i, (uint16_t)met);
		records += met;
		there = rr_size < 0 ? 0 : there;
	}
	if (cut.ttl + TTL_SIZE > size)
		cut.ttl = 0;
	return prefix_of(have, records > 0 ? off : 0, &cut);
}
