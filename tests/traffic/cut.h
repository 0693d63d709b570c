/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * TCP segments cut into smaller ones, and cut again with other borders.
 *
 * Layer:   tests/traffic; no sockets, no allocation.
 * Threads: pure but for the caller's struct cut_state.
 * Source:  RFC 9293 s3.8 (a sender may cut and repeat a stream as it likes).
 */
#include <stdbool.h>
#include <stdint.h>

#include "traffic/frame.h"

#define CUT_PIECES_MAX FRAME_SIZE_MAX
#define CUT_RUNS_MAX   16

enum cut_kind {
	CUT_NONE,
	CUT_SIZES,  /**< pieces of given sizes */
	CUT_RANDOM, /**< of 1 octet up to a limit, even in each power of two */
	CUT_WALK,   /**< in two, one octet further in with each segment */
};

/** So many pieces of one size. */
struct cut_run {
	uint16_t size, times;
};

/** How segments are cut. */
struct cut {
	enum cut_kind kind;
	struct cut_run runs[CUT_RUNS_MAX]; /**< CUT_SIZES: in order; the last goes on to the end */
	unsigned n_runs;
	bool rest;      /**< after the runs comes all that is left, in one piece */
	uint16_t limit; /**< CUT_RANDOM: largest piece, octets; 0: none */
};

/** What goes on from segment to segment. */
struct cut_state {
	uint64_t dice;
	uint32_t walk;
};

/** Octets of a segment's payload. */
struct cut_piece {
	uint32_t at, size;
};

/**
 * Read "none", "random", "random:LIMIT", "walk", or sizes: "1", "1+2+500", "1x64+rest".
 *
 * @return 0, or -EINVAL
 */
int cut_parse(const char *text, struct cut *cut);

/**
 * Pieces of a payload of @p size octets, in order, without gap or overlap.
 *
 * @param pieces [out] room for CUT_PIECES_MAX
 * @return how many; 1 with CUT_NONE, 0 when @p size is 0
 */
unsigned cut_plan(
	const struct cut *cut, uint32_t size, struct cut_state *state, struct cut_piece *pieces);

/** Make neighbours overlap: each piece but the last is longer by some octets of the next. */
void cut_overlap(uint32_t size, unsigned n, struct cut_state *state, struct cut_piece *pieces);

/** Swap the first half of the pieces with the second. */
void cut_swap(unsigned n, struct cut_piece *pieces);

/** Shuffle the pieces. */
void cut_shuffle(unsigned n, struct cut_state *state, struct cut_piece *pieces);

/**
 * A piece of a segment as a segment of its own: FIN and PSH only where it has the last octet,
 * lengths and checksums right. Sequence numbers wrap.
 *
 * @param frame a whole TCP segment, its view in @p v; SYN, RST and URG are not for cutting
 * @param out   [out] room for FRAME_SIZE_MAX
 * @return octets of the new frame
 */
uint16_t cut_segment(const uint8_t *frame, const struct frame_view *v,
	const struct cut_piece *piece, uint8_t *out);

/**
 * A segment of octets that were sent before and new ones: @p old stands right before the payload
 * of @p frame in the stream, and @p n_new octets of that follow.
 *
 * @return octets of the new frame; 0 when it would be larger than @p room
 */
uint16_t cut_join(const uint8_t *frame, const struct frame_view *v, const uint8_t *old,
	uint16_t n_old, uint16_t n_new, uint16_t room, uint8_t *out);
