/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Ethernet frames as the traffic tool sees them: where IP, TCP or UDP and their payload stand, and
 * lengths and checksums for what is made of them. Shares no code with the filter's own parser.
 *
 * Layer:   tests/traffic; no sockets.
 * Threads: pure functions, any thread.
 * Source:  RFC 791, RFC 8200 s4, RFC 9293 s3.1, RFC 768, IEEE 802.1Q.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_SIZE_MAX 10240 /**< octets */
#define FRAME_MTU_MAX  10200 /**< leaves room for Ethernet, tags and a Fragment header */
#define FRAME_DNS_PORT 53

#define FRAME_TCP 6
#define FRAME_UDP 17

#define FRAME_FIN 0x01
#define FRAME_SYN 0x02
#define FRAME_RST 0x04
#define FRAME_PSH 0x08
#define FRAME_ACK 0x10
#define FRAME_URG 0x20

/** A whole TCP segment or UDP datagram in a frame. Offsets are octets from the frame's start. */
struct frame_view {
	uint8_t version;   /**< 4 or 6 */
	uint8_t protocol;  /**< FRAME_TCP or FRAME_UDP */
	uint16_t l3;       /**< IP header */
	uint16_t movable;  /**< first octet that goes into fragments: RFC 8200 s4.5; IPv4: l4 */
	uint16_t next_at;  /**< IPv6: the field that names the header at movable */
	uint16_t l4;       /**< TCP or UDP header */
	uint16_t payload;  /**< what follows it */
	uint16_t end;      /**< of the IP packet; Ethernet padding lies behind */
	uint16_t src, dst; /**< ports */
};

/** What a frame holds, as far as it matters here. */
enum frame_kind {
	FRAME_OTHER,    /**< not IP: ARP and the like */
	FRAME_CONTROL,  /**< IP, but neither TCP nor UDP: ICMP, neighbour discovery */
	FRAME_FRAGMENT, /**< one of several pieces of an IP packet */
	FRAME_WHOLE,    /**< TCP or UDP, whole; the view is filled in */
};

/** Look into a frame of @p size octets. @p v is filled in for FRAME_WHOLE only. */
enum frame_kind frame_look(const uint8_t *frame, size_t size, struct frame_view *v);

/** Whether it goes to or comes from a DNS port. */
static inline bool frame_is_dns(const struct frame_view *v)
{
	return v->src == FRAME_DNS_PORT || v->dst == FRAME_DNS_PORT;
}

/** Octets of payload. */
static inline uint16_t frame_payload_size(const struct frame_view *v)
{
	return (uint16_t)(v->end - v->payload);
}

/**
 * Set the IP length, the IPv4 header checksum, for UDP its length, and the TCP or UDP checksum,
 * of a packet that ends at v->end. A UDP checksum of 0 over IPv4 stays (RFC 768).
 */
void frame_finish(uint8_t *frame, const struct frame_view *v);

/** Set an IPv4 header's total length and checksum; @p end as in struct frame_view. */
void frame_finish_ipv4(uint8_t *frame, uint16_t l3, uint16_t end);

/** Right value of the TCP or UDP checksum field, whatever stands there now. */
uint16_t frame_checksum(const uint8_t *frame, const struct frame_view *v);
