/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * UDP datagrams in IP fragments.
 *
 * Layer:   tests/traffic; no sockets, no allocation.
 * Threads: pure but for the caller's walk.
 * Source:  RFC 791 s3.2, RFC 8200 s4.5.
 */
#include <stdint.h>

#include "traffic/cut.h"
#include "traffic/frame.h"

enum split_kind {
	SPLIT_NONE,
	SPLIT_SIZE, /**< pieces of one size, the last shorter */
	SPLIT_WALK, /**< in two, 8 octets further in with each datagram */
};

/** How datagrams are split. */
struct split {
	enum split_kind kind;
	uint16_t size; /**< SPLIT_SIZE: octets of a piece behind its headers, a multiple of 8 */
};

/** Read "none", "walk", or a size: a multiple of 8. @return 0, or -EINVAL */
int split_parse(const char *text, struct split *split);

/**
 * Pieces of what the fragments of a packet share out, from its first movable octet.
 *
 * @param size   octets from v->movable to v->end
 * @param walk   goes on from datagram to datagram
 * @param pieces [out] room for CUT_PIECES_MAX; each starts on the grid of 8 octets
 * @return how many; 1: it stays whole
 */
unsigned split_plan(
	const struct split *split, uint32_t size, uint32_t *walk, struct cut_piece *pieces);

/**
 * One fragment. IPv4: DF is cleared, options are copied to all; IPv6: a Fragment header is put in.
 *
 * @param id  identification; IPv4 takes its low 16 bits
 * @param out [out] room for FRAME_SIZE_MAX
 * @return octets of the new frame
 */
uint16_t split_fragment(const uint8_t *frame, const struct frame_view *v,
	const struct cut_piece *piece, uint32_t id, uint8_t *out);
