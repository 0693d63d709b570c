/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * IP fragments: where a piece of a datagram belongs, and the headers of the whole one.
 *
 * The datagram is what the sender cut: over IPv4 all behind the IP header, over IPv6 all behind the
 * fragment header, which may begin with further extension headers (RFC 8200 s4.5).
 *
 * Layer:   lib/pkt; no EAL, no allocation.
 * Threads: pure functions, any thread.
 * Source:  RFC 791 s3.2, RFC 8200 s4.5, RFC 7112, RFC 2516 s4.
 */
#include "base/burst.h"

/** What the transport is, as far as one fragment tells. */
enum pkt_transport {
	PKT_TRANSPORT_UNKNOWN, /**< not the first fragment, or it ends before the transport header */
	PKT_TRANSPORT_UDP,     /**< src_port is valid */
	PKT_TRANSPORT_OTHER,
};

/** One fragment. Places are bytes from the frame's start. */
struct pkt_fragment {
	uint64_t link;     /**< tags and PPPoE session: the same for all fragments of a datagram */
	uint32_t id;       /**< identification: 16 bits of IPv4, 32 of IPv6 */
	uint16_t l3;       /**< IP header */
	uint16_t header;   /**< IPv6: fragment header */
	uint16_t payload;  /**< first octet of the datagram in this frame */
	uint16_t size;     /**< octets of the datagram in this frame that a receiver makes use of */
	uint16_t offset;   /**< where they belong, octets from the datagram's start, a multiple of 8 */
	uint16_t src_port; /**< of UDP */
	uint8_t family;    /**< enum addr_family */
	uint8_t protocol;  /**< IPv4: what tells datagrams of one id apart; IPv6: 0 */
	uint8_t transport; /**< enum pkt_transport */
	bool more;         /**< not the last one */
};

/**
 * Read the fragment in @p slot, for which pkt_parse said REASON_fragment.
 *
 * @return false: it is empty though not the last one, reaches beyond the largest IP packet, or, over
 *         IPv6, is not the last one and no multiple of 8 octets long. Receivers discard it
 *         (RFC 8200 s4.5). Over IPv4 they leave out the octets beyond a multiple of 8; so does `size`.
 *
 * Hot path.
 */
bool pkt_fragment_read(const struct burst_slot *slot, struct pkt_fragment *fragment)
	__attribute__((warn_unused_result));

/**
 * Make the headers of a first fragment those of the whole datagram: no fragment header, no offset,
 * the whole length. An IPv4 header's checksum is not kept right; nobody asks for it.
 *
 * @param headers the frame's octets up to first->payload, changed in place
 * @param size    of the datagram, octets
 * @return octets of headers left, up to where the datagram goes
 *
 * Hot path.
 */
uint32_t pkt_fragment_join(uint8_t *headers, const struct pkt_fragment *first, uint32_t size);

/**
 * Make a fragment the last one of its datagram, and as long as that needs: lengths of IP and PPPoE,
 * the flag, the IPv4 header checksum by difference.
 *
 * @param headers the frame's octets up to fragment->payload, changed in place
 * @param size    octets of the datagram that are left in it, at most fragment->size
 *
 * Hot path.
 */
void pkt_fragment_end(uint8_t *headers, const struct pkt_fragment *fragment, uint32_t size);
