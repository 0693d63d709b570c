/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/pkt share.
 */
#include "base/reason.h"

#include <stdint.h>

#define IP_PROTO_HOP_BY_HOP 0
#define IP_PROTO_TCP        6
#define IP_PROTO_UDP        17
#define IP_PROTO_ROUTING    43
#define IP_PROTO_FRAGMENT   44
#define IP_PROTO_AH         51
#define IP_PROTO_DEST       60

/**
 * Walk IPv6 extension headers (RFC 8200 s4) up to one that ends the walk.
 *
 * @param end  where the packet ends
 * @param at   [in, out] first header; becomes the place of what ended the walk
 * @param next [in, out] protocol of what stands at @p at
 * @return REASON_none  a transport header, or what is not known
 *         REASON_bad_ip  a header that does not end inside the packet
 *         REASON_fragment  a fragment header of a packet in several fragments
 *         REASON_ipsec, REASON_source_routed
 */
enum reason pkt_ipv6_extensions(const uint8_t *frame, uint32_t end, uint32_t *at, uint8_t *next);
