/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pkt/pkt_tcp.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "pkt/pkt.h"

#define ETHER_TYPE_AT    12
#define ETHER_TYPE_PPPOE 0x8864
#define VLAN_ID_MASK     0x0fff // the rest of a tag's control information is priority

bool pkt_tcp_parse(const struct burst_slot *slot, struct pkt_tcp *tcp)
{
	const uint8_t *ip = slot->frame + slot->l3, *header = slot->frame + slot->l4;
	uint32_t end, left, size;

	end = slot->family == ADDR_IPV4 ? slot->l3 + load_be16(ip + 2)
					: slot->l3 + PKT_IPV6_SIZE + load_be16(ip + 4);
	if (end < slot->l4 + (uint32_t)PKT_TCP_SIZE)
		return false;
	left = end - slot->l4;
	size = (header[12] >> 4) * 4u;
	if (size < PKT_TCP_SIZE || size > left)
		return false;
	tcp->seq = load_be32(header + 4);
	tcp->ack = load_be32(header + 8);
	tcp->flags = header[13];
	tcp->payload = (uint16_t)(slot->l4 + size);
	tcp->size = (uint16_t)(left - size);
	return true;
}

uint64_t pkt_link(const uint8_t *frame, uint16_t l3)
{
	uint64_t link = 0;
	uint32_t at = ETHER_TYPE_AT;

	// The type of the payload itself stands in the last two octets before it.
	while (at + 2 < l3) {
		bool session = load_be16(frame + at) == ETHER_TYPE_PPPOE;
		uint16_t id = session ? load_be16(frame + at + 4)
				      : load_be16(frame + at + 2) & VLAN_ID_MASK;

		link = (link << 16 | link >> 48) ^ (id + 1u);
		if (session)
			break;
		at += 4;
	}
	return link;
}
