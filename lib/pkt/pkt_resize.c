/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pkt/pkt.h"

#include "base/csum.h"

#define ETHER_TYPE_PPPOE 0x8864
#define ETHER_SIZE_MIN   60 // IEEE 802.3 s3.2.8, without FCS: shorter frames are padded
#define PPP_BEHIND_TYPE  10 // from the EtherType of PPPoE to the IP header: RFC 2516 s4
#define PPP_LENGTH       4  // from PPPoE's length to the IP header

// A length field that a checksum covers.
static void length_put(uint8_t *field, uint16_t length, struct csum_delta *delta)
{
	uint8_t bytes[2];

	store_be16(bytes, length);
	csum_change(delta, field, bytes, sizeof(bytes), 0);
	memcpy(field, bytes, sizeof(bytes));
}

void pkt_resize(struct burst_slot *slot, uint16_t msg_size)
{
	uint8_t *frame = slot->frame, *ip = frame + slot->l3, *udp = frame + slot->l4;
	uint32_t end = slot->msg + (uint32_t)msg_size, size = slot->frame_size;
	struct csum_delta l3 = {0}, l4 = {0};

	if (slot->family == ADDR_IPV4) {
		length_put(ip + 2, (uint16_t)(end - slot->l3), &l3);
		csum_apply(ip + 10, &l3);
	} else {
		store_be16(ip + 4, (uint16_t)(end - slot->l3 - PKT_IPV6_SIZE));
	}
	length_put(udp + 4, (uint16_t)(msg_size + PKT_UDP_SIZE), &l4);
	// It counts twice: the pseudo header has it, too (RFC 768, RFC 8200 s8.1).
	l4.sum *= 2;
	csum_apply_udp(udp + 6, &l4);
	// Tags take four octets each, so that an EtherType stands here, or the frame has none so far in.
	if (slot->l3 >= PKT_ETHER_SIZE + PPP_BEHIND_TYPE - 2 &&
		load_be16(ip - PPP_BEHIND_TYPE) == ETHER_TYPE_PPPOE)
		store_be16(ip - PPP_LENGTH, (uint16_t)(end - slot->l3 + 2));
	slot->msg_size = msg_size;
	slot->frame_size = end;
	if (end < ETHER_SIZE_MIN && size > end) {
		slot->frame_size = size < ETHER_SIZE_MIN ? size : ETHER_SIZE_MIN;
		memset(frame + end, 0, slot->frame_size - end);
	}
}
