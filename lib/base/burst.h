/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A burst: the packets of one receive call, and what the stages of the pipeline find out about each.
 * Every stage reads and writes these slots; nothing here knows how packets are held (an mbuf, a
 * fuzzer's buffer).
 *
 * Offsets are bytes from frame[0] unless said otherwise; numbers are in host byte order.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"

#define BURST_MAX 32 /**< packets; more adds latency to the first, fewer starves prefetching */

enum burst_side {
	BURST_FROM_CLIENTS,
	BURST_FROM_RESOLVERS,
};

struct fqdn_rule;

/* In the order of use: what every packet has written comes first, in one cache line or two. */
struct burst_slot {
	/* input of the pipeline */
	uint8_t *frame;      /**< Ethernet header first; borrowed, rewritten in place */
	uint32_t frame_size; /**< bytes */

	enum reason reason; /**< what became of it, and why; every stage may set it */

	/* pkt: valid when reason is none after parsing, or the packet is TCP */
	uint16_t l3;       /**< IP header */
	uint16_t l4;       /**< UDP header */
	uint16_t msg;      /**< DNS message */
	uint16_t msg_size; /**< bytes */
	uint16_t src_port;
	uint16_t dst_port;
	uint8_t family;   /**< enum addr_family */
	uint8_t protocol; /**< IP protocol number of the transport */

	/* consent */
	uint8_t refused; /**< CONSENT_NO_FILTER | CONSENT_NO_LOG */

	/* dns, fqdn, policy: valid when `response` */
	bool response;       /**< a DNS response to be counted and mirrored, if its client lets us */
	bool edit;           /**< the rewrite stage has work to do: what, the reason tells */
	bool question;       /**< qtype is valid: the message has a question */
	uint8_t rcode;       /**< RFC 1035 s4.1.1, 0..15 */
	bool partly;         /**< of a message that lib/stream put together: a part has left already,
				  so nothing but addresses and their TTL may change */
	bool transfer;       /**< the same: a zone transfer is under way on its connection */
	uint16_t qtype;      /**< of the first question */
	uint16_t n_ipv4;     /**< A records of class IN in the answer section */
	uint16_t n_ipv6;     /**< AAAA records of class IN in the answer section */
	uint16_t answers;    /**< where the answer section starts, from the message's start; for rules */
	uint16_t behind;     /**< where it ends */
	uint16_t additional; /**< where the additional section starts, if it may have addresses to replace;
				  0: it has none; for edits */
	uint16_t match;      /**< where the name that decided stands, from the message's start */
	uint32_t frame_room; /**< bytes that the frame may grow to where it stands; set for `edits` */
	const struct fqdn_rule *block; /**< rule that decided, in the worker's table; NULL: none */
	const struct fqdn_rule *log;   /**< rule of a list that only logs; NULL: none */
	const struct fqdn_rule *allow; /**< exemption that made a difference; NULL: none */
};

struct burst {
	unsigned n;              /**< slots in use */
	enum burst_side side;    /**< where the packets came from */
	uint64_t bytes;          /**< sum of frame_size, as received */
	/* bits of slots, so that a stage goes to those that have something for it and to no other */
	uint32_t responses;      /**< `response` is set */
	uint32_t ruled;          /**< of these, `block`, `log` or `allow` is set */
	uint32_t edits;          /**< of these, `edit` is set */
	uint32_t streams;        /**< TCP segments from or to a DNS port */
	uint32_t pieces;         /**< IP fragments */
	/* what became of packets that do not just go on as long as they came */
	uint32_t resized;        /**< frame_size was changed by the rewrite stage */
	uint32_t dropped;        /**< not to be sent, because policy says so; counted as any other */
	uint32_t taken;          /**< held by lib/stream, which sends and counts them later */
	struct burst_slot slot[BURST_MAX];
};

_Static_assert(BURST_MAX <= 32, "a bit each");
