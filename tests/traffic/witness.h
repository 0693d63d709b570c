/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Looks at the TCP segments of one direction: an octet of a stream has to be the same whenever it
 * is sent, and every checksum right. A receiver would not tell: it keeps what came first, and
 * drops what has a wrong checksum.
 *
 * Layer:   tests/traffic; no sockets.
 * Threads: one.
 * Source:  RFC 9293 s3.4, s3.10.7.4.
 */
#include <stddef.h>
#include <stdint.h>

#include "traffic/frame.h"

#define WITNESS_FLOWS  512   /**< at most; a flow whose place is taken is not looked at */
#define WITNESS_OCTETS 32768 /**< last octets of a stream that are remembered; a power of two */

struct witness;

struct witness_counts {
	uint64_t changed;  /**< octets that were another one before */
	uint64_t bad_sums; /**< segments with a wrong TCP or IPv4 header checksum */
};

/** @return NULL without memory */
struct witness *witness_create(void);
/** Takes NULL. */
void witness_destroy(struct witness *w);

/** A whole TCP segment, its view in @p v. A SYN begins a flow. */
void witness_look(struct witness *w, const uint8_t *frame, const struct frame_view *v);

const struct witness_counts *witness_counts(const struct witness *w);
