/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pkt/pkt_fragment.h"

#include "base/csum.h"
#include "pkt/pkt.h"
#include "pkt/pkt_private.h"

#define ETHER_TYPE_PPPOE     0x8864
#define PPPOE_SESSION        2 // from the end of its EtherType to the session's number: RFC 2516 s4
#define PPPOE_LENGTH         4 // to the length of what follows
#define PPPOE_SIZE           8 // to the IP header, with PPP's protocol
#define FRAGMENT_HEADER_SIZE 8 // RFC 8200 s4.5
#define IPV4_MORE            0x2000
#define IPV4_OFFSET          0x1fff
#define IPV6_MORE            1

// What the link layer says of where a packet belongs: numbers of VLANs, and of a PPPoE session. Three
// tags fit; more are folded in, where two stacks of tags could in theory come to the same.
static uint64_t link_read(const uint8_t *frame, uint16_t l3)
{
	uint32_t at = PKT_ETHER_SIZE;
	uint64_t link = 0;

	while (at + 4 <= l3 && load_be16(frame + at - 2) != ETHER_TYPE_PPPOE) {
		// Priority may differ from frame to frame.
		link = (link << 16 | link >> 48) ^ ((load_be16(frame + at) & 0x0fff) | 0x1000u);
		at += 4;
	}
	if (at + PPPOE_SIZE == l3)
		link = (link << 16 | link >> 48) ^ load_be16(frame + at + PPPOE_SESSION);
	return link;
}

// What the first fragment says of the transport.
static void first_read(const struct burst_slot *slot, struct pkt_fragment *f, uint8_t next)
{
	uint32_t at = f->payload, end = at + f->size;
	enum reason reason = REASON_none;

	if (f->family == ADDR_IPV6)
		reason = pkt_ipv6_extensions(slot->frame, end, &at, &next);
	// Headers that go on in the next fragment: RFC 7112 lets receivers take them.
	if (reason == REASON_bad_ip)
		return;
	f->transport = PKT_TRANSPORT_OTHER;
	if (reason != REASON_none || next != IP_PROTO_UDP)
		return;
	f->transport = end - at < 2 ? PKT_TRANSPORT_UNKNOWN : PKT_TRANSPORT_UDP;
	if (f->transport == PKT_TRANSPORT_UDP)
		f->src_port = load_be16(slot->frame + at);
}

bool pkt_fragment_read(const struct burst_slot *slot, struct pkt_fragment *fragment)
{
	const uint8_t *ip = slot->frame + slot->l3, *header = slot->frame + slot->l4;
	struct pkt_fragment f = {
		.link = link_read(slot->frame, slot->l3),
		.l3 = slot->l3,
		.header = slot->l4,
		.family = slot->family,
	};
	uint32_t before, size; // octets of headers that count in the length of a packet; of data
	uint8_t next;

	if (f.family == ADDR_IPV4) {
		uint16_t field = load_be16(ip + 6);

		f.id = load_be16(ip + 4);
		f.payload = slot->l4;
		f.offset = (uint16_t)((field & IPV4_OFFSET) * 8);
		f.more = field & IPV4_MORE;
		f.protocol = next = slot->protocol;
		before = slot->l4 - slot->l3;
		size = load_be16(ip + 2) - before;
		if (f.more)
			size &= ~7u;
	} else {
		uint16_t field = load_be16(header + 2);

		f.id = load_be32(header + 4);
		f.payload = (uint16_t)(slot->l4 + FRAGMENT_HEADER_SIZE);
		f.offset = field & 0xfff8;
		f.more = field & IPV6_MORE;
		next = header[0];
		before = slot->l4 - slot->l3 - PKT_IPV6_SIZE;
		size = load_be16(ip + 4) - before - FRAGMENT_HEADER_SIZE;
	}
	if ((f.more && (size == 0 || size & 7)) || before + f.offset + size > UINT16_MAX)
		return false;
	f.size = (uint16_t)size;
	if (f.offset == 0)
		first_read(slot, &f, next);
	*fragment = f;
	return true;
}

// The octet that says that a fragment header follows.
static uint32_t next_header_at(const uint8_t *frame, const struct pkt_fragment *f)
{
	uint32_t said = f->l3 + 6u, at = f->l3 + (uint32_t)PKT_IPV6_SIZE;

	while (at < f->header) {
		uint8_t type = frame[said];

		said = at;
		at += type == IP_PROTO_FRAGMENT ? FRAGMENT_HEADER_SIZE : frame[at + 1] * 8u + 8;
	}
	return said;
}

// The length that PPPoE has for itself, where the packet ends at @p end.
static void pppoe_put(uint8_t *headers, uint32_t l3, uint32_t end)
{
	uint8_t *ip = headers + l3;

	// Tags take four octets each, so that an EtherType stands here, or the frame has none so far in.
	if (l3 >= PKT_ETHER_SIZE + PPPOE_SIZE && load_be16(ip - PPPOE_SIZE - 2) == ETHER_TYPE_PPPOE)
		store_be16(ip - PPPOE_SIZE + PPPOE_LENGTH, (uint16_t)(end - l3 + 2));
}

uint32_t pkt_fragment_join(uint8_t *headers, const struct pkt_fragment *first, uint32_t size)
{
	uint32_t start = first->family == ADDR_IPV4 ? first->payload : first->header;
	uint8_t *ip = headers + first->l3;

	pppoe_put(headers, first->l3, start + size);
	if (first->family == ADDR_IPV4) {
		store_be16(ip + 2, (uint16_t)(start - first->l3 + size));
		store_be16(ip + 6, 0);
		return start;
	}
	store_be16(ip + 4, (uint16_t)(start - first->l3 - PKT_IPV6_SIZE + size));
	headers[next_header_at(headers, first)] = headers[first->header];
	return start;
}

// A word of an IPv4 header.
static void ipv4_put(uint8_t *ip, unsigned at, uint16_t word)
{
	struct csum_delta delta = {0};
	uint8_t bytes[2];

	store_be16(bytes, word);
	csum_change(&delta, ip + at, bytes, sizeof(bytes), 0);
	memcpy(ip + at, bytes, sizeof(bytes));
	csum_apply(ip + 10, &delta);
}

void pkt_fragment_end(uint8_t *headers, const struct pkt_fragment *fragment, uint32_t size)
{
	uint32_t end = fragment->payload + size, at = fragment->l3;
	uint8_t *ip = headers + at;

	if (fragment->family == ADDR_IPV4) {
		ipv4_put(ip, 2, (uint16_t)(end - at));
		ipv4_put(ip, 6, load_be16(ip + 6) & (uint16_t)~IPV4_MORE);
	} else {
		store_be16(ip + 4, (uint16_t)(end - at - PKT_IPV6_SIZE));
		headers[fragment->header + 3] &= (uint8_t)~IPV6_MORE;
	}
	pppoe_put(headers, at, end);
}
