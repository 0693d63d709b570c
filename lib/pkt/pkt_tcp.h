/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A TCP header, and what tells one link behind a port from another.
 *
 * Layer:   lib/pkt; no EAL, no allocation.
 * Threads: pure functions, any thread.
 * Source:  RFC 9293 s3.1; IEEE 802.1Q-2018 s9, RFC 2516.
 */
#include <stdbool.h>

#include "base/burst.h"

#define PKT_TCP_SIZE    20 /**< header without options */
#define PKT_TCP_CSUM_AT 16 /**< the checksum's place in the header */

enum pkt_tcp_flag {
	PKT_TCP_FIN = 1,
	PKT_TCP_SYN = 2,
	PKT_TCP_RST = 4,
	PKT_TCP_ACK = 16,
};

struct pkt_tcp {
	uint32_t seq; /**< of the first octet of payload, or of the SYN before it */
	uint32_t ack; /**< valid with PKT_TCP_ACK */
	uint8_t flags;
	uint16_t payload; /**< where it starts, bytes from frame[0] */
	uint16_t size;    /**< of the payload, bytes; what the link pads is not in it */
};

/**
 * Read the TCP header of a packet that pkt_parse has found to be TCP.
 *
 * @return false where it contradicts the IP packet around it
 */
bool pkt_tcp_parse(const struct burst_slot *slot, struct pkt_tcp *tcp);

/**
 * VLANs and PPPoE session of a frame, outermost first, 16 bits each: the same in both directions of
 * a connection. With more than four of them, a hash.
 *
 * @param l3 where the IP header stands
 */
uint64_t pkt_link(const uint8_t *frame, uint16_t l3);
