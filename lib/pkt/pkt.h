/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * From the first byte of an Ethernet frame to the first byte behind its UDP header.
 *
 * Ethernet, any number of 802.1Q, 802.1ad and 0x9100 tags, PPPoE session; IPv4 with options, IPv6
 * with extension headers; UDP. Anything else gets the reason why it is not inspected.
 *
 * Layer:   lib/pkt; no EAL, no allocation.
 * Threads: pure functions, any thread.
 * Source:  IEEE 802.1Q-2018 s9, RFC 2516 (PPPoE), RFC 791, RFC 8200, RFC 768.
 */
#include "base/addr.h"
#include "base/burst.h"
#include "base/bytes.h"

#define PKT_ETHER_SIZE   14 /**< header without a tag */
#define PKT_IPV4_SIZE    20 /**< header without options */
#define PKT_IPV6_SIZE    40
#define PKT_UDP_SIZE     8

// What is behind an IP header, @p left octets of it; slot->l3 and l4 are known.
static inline enum reason pkt_l4_usual(struct burst_slot *slot, uint8_t protocol, uint32_t left)
{
	uint64_t start;
	uint16_t size;

	if (__builtin_expect(left < PKT_UDP_SIZE || (protocol != 17 && protocol != 6), 0))
		return REASON_COUNT;
	start = load_be64(slot->frame + slot->l4);
	size = (uint16_t)(start >> 16);
	slot->protocol = protocol;
	slot->src_port = (uint16_t)(start >> 48);
	slot->dst_port = (uint16_t)(start >> 32);
	if (protocol == 6)
		return REASON_not_udp;
	slot->msg = (uint16_t)(slot->l4 + PKT_UDP_SIZE);
	slot->msg_size = (uint16_t)(size - PKT_UDP_SIZE);
	return __builtin_expect(size >= PKT_UDP_SIZE && size <= left, 1) ? REASON_none
									 : REASON_COUNT;
}

/**
 * The usual frame at once: no tag or one, IPv4 without options or IPv6 without extension headers, UDP
 * or TCP.
 *
 * @return as pkt_parse; REASON_COUNT: not of this form, pkt_parse tells
 */
static inline enum reason pkt_parse_usual(struct burst_slot *slot)
{
	const uint8_t *frame = slot->frame;
	uint32_t size = slot->frame_size, at = PKT_ETHER_SIZE, left;
	uint16_t type;

	if (__builtin_expect(size < PKT_ETHER_SIZE + 4 + PKT_IPV4_SIZE + PKT_UDP_SIZE ||
				     size > UINT16_MAX, 0))
		return REASON_COUNT;
	type = load_be16(frame + 12);
	if (type == 0x8100) {
		type = load_be16(frame + at + 2);
		at += 4;
	}
	slot->l3 = (uint16_t)at;
	left = size - at;
	if (type == 0x0800) {
		uint64_t start = load_be64(frame + at), middle = load_be64(frame + at + 6);
		uint32_t total = (uint16_t)(start >> 32);

		slot->family = ADDR_IPV4;
		slot->l4 = (uint16_t)(at + PKT_IPV4_SIZE);
		// Version and header size; no fragment.
		if (__builtin_expect(start >> 56 != 0x45 || (middle & 0x3fff000000000000) != 0 ||
					     total > left || total < PKT_IPV4_SIZE, 0))
			return REASON_COUNT;
		return pkt_l4_usual(slot, (uint8_t)(middle >> 32), total - PKT_IPV4_SIZE);
	}
	if (type == 0x86dd && left >= PKT_IPV6_SIZE + PKT_UDP_SIZE) {
		uint64_t start = load_be64(frame + at);
		uint32_t payload = (uint16_t)(start >> 16);

		slot->family = ADDR_IPV6;
		slot->l4 = (uint16_t)(at + PKT_IPV6_SIZE);
		if (__builtin_expect(start >> 60 != 6 || payload > left - PKT_IPV6_SIZE, 0))
			return REASON_COUNT;
		return pkt_l4_usual(slot, (uint8_t)(start >> 8), payload);
	}
	return REASON_COUNT;
}

/**
 * Parse one frame: slot->frame and frame_size in, the `pkt` group of the slot out.
 *
 * @return REASON_none  a whole UDP datagram: all fields of the group are valid
 *         REASON_not_udp  family, l3, l4, protocol and, for TCP with both ports in the frame,
 *                      src_port and dst_port are valid; ports are 0 otherwise
 *         REASON_fragment  family, l3, l4 and protocol are valid; over IPv6, l4 is the fragment
 *                      header's place
 *         another reason: the packet is not inspected
 *
 * Hot path. Work is bounded by the bytes of the frame; usual packets take one step a header.
 */
enum reason pkt_parse(struct burst_slot *slot);

/**
 * Bring the frame of a parsed UDP packet to another length: its message has become @p msg_size octets.
 *
 * Lengths of UDP, IP and PPPoE follow, checksums by difference: the UDP one is right where it is right
 * for the message as it is now and the length before. What stood behind the IP packet goes; a frame
 * of 60 octets or more is padded to 60 with zeroes, as IEEE 802.3 wants it.
 *
 * @param slot the `pkt` group is valid; msg_size and frame_size become the new ones
 */
void pkt_resize(struct burst_slot *slot, uint16_t msg_size);
