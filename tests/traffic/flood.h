/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Frames of a flood: half-open TCP flows and first fragments, each of a flow of its own.
 *
 * Layer:   tests/traffic; no sockets.
 * Threads: pure functions, any thread.
 */
#include <stdint.h>

#include "traffic/frame.h"

enum flood_kind {
	FLOOD_SYN,      /**< from a client to port 53 */
	FLOOD_SYN_ACK,  /**< the resolver's side of the same flow */
	FLOOD_FRAGMENT, /**< the first fragment of a response; the rest never comes */
};

/**
 * Frame number @p i of a flood. Clients are of 198.18.0.0/15, the resolver is 198.19.255.53 (RFC
 * 2544, for measurements); flows are alike for SYN and SYN+ACK, and each is another up to 60
 * million.
 *
 * @param out [out] room for FRAME_SIZE_MAX; MAC addresses that nobody has
 * @return octets
 */
uint16_t flood_frame(enum flood_kind kind, uint32_t i, uint8_t *out);
