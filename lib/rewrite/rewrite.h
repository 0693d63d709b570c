/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Put the sinkhole's addresses into a response, in place.
 *
 * Changed: RDATA of A and AAAA records of class IN in the answer section, where the sinkhole has an
 * address of that family; their TTL, where it is above the sinkhole's ttl_max; the AD bit, cleared
 * (RFC 4035 s3.2.3: the data is no longer what was validated); the UDP checksum, by difference.
 * Nothing else changes, and the length never.
 *
 * Layer:   lib/rewrite; no EAL, no allocation.
 * Threads: pure functions, any thread.
 */
#include <stdint.h>

#include "policy/policy.h"

struct rewrite_counts {
	uint16_t n_ipv4, n_ipv6; /**< records that got a sinkhole address */
	uint16_t n_left;         /**< records left, because there is no sinkhole of their family */
};

/**
 * Rewrite one response whose question and answer sections have been walked without error.
 *
 * @param msg      DNS message, rewritten in place
 * @param size     bytes
 * @param udp_csum checksum field of its UDP header, 2 bytes
 * @param sinkhole what to put in
 * @param spread   any number that is the same for the same client: with several sinkhole addresses
 *                 it chooses the first, further records get the following ones
 *
 * Hot path. Work is bounded by the message.
 */
struct rewrite_counts rewrite_response(uint8_t *msg, uint16_t size, uint8_t *udp_csum,
	const struct policy_sinkhole *sinkhole, uint32_t spread);
