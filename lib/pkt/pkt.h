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
#include "base/burst.h"

/**
 * Parse one frame: slot->frame and frame_size in, the `pkt` group of the slot out.
 *
 * @return REASON_none  a whole UDP datagram: all fields of the group are valid
 *         REASON_not_udp  family, l3, l4, protocol and, for TCP with both ports in the frame,
 *                      src_port and dst_port are valid; ports are 0 otherwise
 *         another reason: the packet is not inspected
 *
 * Hot path. Work is bounded by the bytes of the frame; usual packets take one step a header.
 */
enum reason pkt_parse(struct burst_slot *slot);
