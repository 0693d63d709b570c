/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * One direction of a wire that is not as it should be: frames in, frames out, and what is done to
 * them between. Everything is drawn from one seed: the same frames at the same times come out
 * alike.
 *
 * What is not TCP or UDP (ARP, neighbour discovery) passes as it comes, so that a test is about the
 * conversations. A frame that is larger than the wire takes is never made.
 *
 * Layer:   tests/traffic; no sockets.
 * Threads: one lane, one thread.
 */
#include <stddef.h>
#include <stdint.h>

#include "traffic/spec.h"

#define LANE_HELD_MAX 4096 /**< frames held at once; one more goes at once */
#define LANE_FLOWS    4096 /**< TCP flows whose last octets are known; more share places */
#define LANE_TAIL     256  /**< of these octets */

struct lane_counts {
	uint64_t received, sent;
	uint64_t lost, duplicated, held;
	uint64_t segments;  /**< TCP segments cut */
	uint64_t pieces;    /**< that were made of them */
	uint64_t swapped, overlapped;
	uint64_t repeated;  /**< pieces sent again with other borders */
	uint64_t joined;    /**< segments of old octets and new */
	uint64_t datagrams; /**< UDP datagrams split */
	uint64_t fragments; /**< that were made of them */
	uint64_t missing;   /**< of these left out */
	uint64_t changed;   /**< what came in was not right: see witness.h */
	uint64_t bad_sums;
};

struct lane;

/** Takes a frame that comes out; the octets are borrowed. */
typedef void (*lane_send)(void *ctx, const uint8_t *frame, size_t size);

/**
 * @param seed  any number
 * @param mtu   octets of the largest IP packet that the wire takes
 * @return the lane, or NULL without memory
 */
struct lane *lane_create(
	const struct spec *spec, uint64_t seed, uint16_t mtu, lane_send send, void *ctx);
/** Frames still held are gone; lane_flush first. Takes NULL. */
void lane_destroy(struct lane *lane);

/** A frame that came in, borrowed. @p now_ms must not go back. */
void lane_take(struct lane *lane, const uint8_t *frame, size_t size, uint64_t now_ms);

/** Send what has been held long enough. @return frames still held */
unsigned lane_tick(struct lane *lane, uint64_t now_ms);

/** Send all that is held, oldest first. */
void lane_flush(struct lane *lane);

const struct lane_counts *lane_counts(struct lane *lane);
