/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pkt/pkt.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "pkt/pkt_private.h"

#define ETHER_HEADER_SIZE    14
#define ETHER_TYPE_IPV4      0x0800
#define ETHER_TYPE_IPV6      0x86dd
#define ETHER_TYPE_VLAN      0x8100 // IEEE 802.1Q customer tag
#define ETHER_TYPE_QINQ      0x88a8 // IEEE 802.1ad service tag
#define ETHER_TYPE_QINQ_9100 0x9100 // the service tag before 802.1ad
#define ETHER_TYPE_PPPOE     0x8864 // RFC 2516 s5, session stage
#define PPPOE_HEADER_SIZE    6
#define PPP_IPV4             0x0021 // RFC 1332
#define PPP_IPV6             0x0057 // RFC 5072

#define IPV4_HEADER_SIZE 20
#define IPV6_HEADER_SIZE 40
#define UDP_HEADER_SIZE  8

// Behind the link layer: where the packet starts, and what it is.
struct l3 {
	uint32_t at;
	uint32_t end;    // of the link layer's payload
	uint8_t version; // 4, 6
};

// Tags and PPPoE. Bounded by the frame: every tag takes four bytes of it.
static enum reason link_parse(const uint8_t *frame, uint32_t size, struct l3 *l3)
{
	uint32_t at = ETHER_HEADER_SIZE;
	uint16_t type;

	l3->end = size;
	if (size < ETHER_HEADER_SIZE)
		return REASON_snapped;
	type = load_be16(frame + 12);
	while (type == ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ || type == ETHER_TYPE_QINQ_9100) {
		if (size - at < 4)
			return REASON_snapped;
		type = load_be16(frame + at + 2);
		at += 4;
	}
	if (type == ETHER_TYPE_PPPOE) {
		if (size - at < PPPOE_HEADER_SIZE + 2)
			return REASON_snapped;
		// RFC 2516 s4: version 1, type 1, code 0 for session data.
		if (frame[at] != 0x11 || frame[at + 1] != 0)
			return REASON_non_ip;
		// What is behind its length is padding.
		if (load_be16(frame + at + 4) > size - at - PPPOE_HEADER_SIZE)
			return REASON_snapped;
		l3->end = at + PPPOE_HEADER_SIZE + load_be16(frame + at + 4);
		if (l3->end < at + PPPOE_HEADER_SIZE + 2)
			return REASON_snapped;
		type = load_be16(frame + at + PPPOE_HEADER_SIZE);
		at += PPPOE_HEADER_SIZE + 2;
		type = type == PPP_IPV4 ? ETHER_TYPE_IPV4 : type == PPP_IPV6 ? ETHER_TYPE_IPV6 : 0;
	}
	if (type != ETHER_TYPE_IPV4 && type != ETHER_TYPE_IPV6)
		return REASON_non_ip;
	l3->at = at;
	l3->version = type == ETHER_TYPE_IPV4 ? 4 : 6;
	return REASON_none;
}

// Sets l3, l4, family, protocol; end is where the IP packet ends in the frame.
static enum reason ipv4_parse(struct burst_slot *slot, const struct l3 *l3, uint32_t *end)
{
	const uint8_t *ip = slot->frame + l3->at;
	uint32_t at = l3->at, left = l3->end - at, header, total;

	if (left < IPV4_HEADER_SIZE)
		return REASON_snapped;
	header = (ip[0] & 15) * 4u;
	total = load_be16(ip + 2);
	if (ip[0] >> 4 != 4 || header < IPV4_HEADER_SIZE || total < header)
		return REASON_bad_ip;
	if (total > left)
		return REASON_snapped;
	slot->family = ADDR_IPV4;
	slot->l3 = (uint16_t)at;
	slot->l4 = (uint16_t)(at + header);
	slot->protocol = ip[9];
	// More fragments to come, or an offset: RFC 791 s3.1.
	if (load_be16(ip + 6) & 0x3fff)
		return REASON_fragment;
	*end = at + total;
	return ip[9] == IP_PROTO_AH ? REASON_ipsec : REASON_none;
}

enum reason pkt_ipv6_extensions(const uint8_t *frame, uint32_t end, uint32_t *at, uint8_t *next)
{
	for (;;) {
		uint32_t left = end - *at, size;

		switch (*next) {
		case IP_PROTO_HOP_BY_HOP:
		case IP_PROTO_DEST:
		case IP_PROTO_ROUTING:
		case IP_PROTO_FRAGMENT:
			break;
		case IP_PROTO_AH:
			return REASON_ipsec;
		default:
			return REASON_none;
		}
		if (left < 8)
			return REASON_bad_ip;
		size = *next == IP_PROTO_FRAGMENT ? 8 : frame[*at + 1] * 8u + 8;
		if (size > left)
			return REASON_bad_ip;
		if (*next == IP_PROTO_ROUTING && frame[*at + 3] > 0)
			return REASON_source_routed;
		// RFC 6946: a fragment header with neither offset nor more bit holds a whole packet.
		if (*next == IP_PROTO_FRAGMENT && load_be16(frame + *at + 2) & 0xfff9)
			return REASON_fragment;
		*next = frame[*at];
		*at += size;
	}
}

static enum reason ipv6_parse(struct burst_slot *slot, const struct l3 *l3, uint32_t *end)
{
	const uint8_t *ip = slot->frame + l3->at;
	uint32_t at = l3->at, left = l3->end - at, l4 = at + IPV6_HEADER_SIZE;
	enum reason reason;

	if (left < IPV6_HEADER_SIZE)
		return REASON_snapped;
	if (ip[0] >> 4 != 6)
		return REASON_bad_ip;
	*end = l4 + load_be16(ip + 4);
	if (*end > l3->end)
		return REASON_snapped;
	slot->protocol = ip[6];
	reason = pkt_ipv6_extensions(slot->frame, *end, &l4, &slot->protocol);
	slot->family = ADDR_IPV6;
	slot->l3 = (uint16_t)at;
	slot->l4 = (uint16_t)l4;
	return reason;
}

enum reason pkt_parse(struct burst_slot *slot)
{
	const uint8_t *l4;
	struct l3 l3;
	uint32_t end = 0, left;
	uint16_t udp_size;
	enum reason reason;

	slot->src_port = slot->dst_port = 0;
	if (slot->frame_size > UINT16_MAX)
		return REASON_oversize;
	reason = link_parse(slot->frame, slot->frame_size, &l3);
	if (reason != REASON_none)
		return reason;
	reason = l3.version == 4 ? ipv4_parse(slot, &l3, &end) : ipv6_parse(slot, &l3, &end);
	if (reason != REASON_none)
		return reason;
	l4 = slot->frame + slot->l4;
	left = end - slot->l4;
	if (slot->protocol != IP_PROTO_UDP) {
		if (slot->protocol == IP_PROTO_TCP && left >= 4) {
			slot->src_port = load_be16(l4);
			slot->dst_port = load_be16(l4 + 2);
		}
		return REASON_not_udp;
	}
	if (left < UDP_HEADER_SIZE)
		return REASON_bad_udp;
	udp_size = load_be16(l4 + 4);
	if (udp_size < UDP_HEADER_SIZE || udp_size > left)
		return REASON_bad_udp;
	slot->src_port = load_be16(l4);
	slot->dst_port = load_be16(l4 + 2);
	slot->msg = (uint16_t)(slot->l4 + UDP_HEADER_SIZE);
	slot->msg_size = (uint16_t)(udp_size - UDP_HEADER_SIZE);
	return REASON_none;
}
