/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What a response tells of its client besides the name that was asked for: EDNS options such as the
 * client's subnet (RFC 7871), its cookie (RFC 7873) or its MAC address.
 *
 * Layer:   lib/tap; no EAL, no allocation.
 * Threads: pure functions, any thread.
 * Source:  RFC 8932 s5.2.1 (discard what correlates), RFC 6891 s6.1.2 (options).
 */
#include <stddef.h>
#include <stdint.h>

/**
 * Zero the data of each EDNS option but of those that a server says of itself or of the zone (NSID,
 * DAU, DHU, N3U, EXPIRE, TCP keepalive, padding, CHAIN, key tag, EDE). Lengths stay.
 *
 * @param msg  a DNS message, changed in place
 * @param size at least DNS_HEADER_SIZE
 * @return octets of it that could be read, at least DNS_HEADER_SIZE. What is behind may hold anything
 *         and is not to be passed on
 */
size_t tap_scrub(uint8_t *msg, size_t size);
