/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What is done to the frames of one direction, as words of a command line:
 * "loss=2,dup=5,reorder=10:8,cut=1x64+rest,recut=20".
 *
 * Layer:   tests/traffic; no sockets, no allocation.
 * Threads: pure functions, any thread.
 */
#include <stddef.h>
#include <stdint.h>

#include "traffic/cut.h"
#include "traffic/split.h"

/** Chances are parts of a million. */
struct spec {
	/* every TCP and UDP frame, fragments and what was cut too */
	uint32_t loss, dup, reorder;
	uint32_t reorder_frames; /**< a frame that is held goes when so many others have gone, */
	uint32_t hold_ms;        /**< or when so much time has passed */
	/* TCP segments with payload from or to port 53 */
	struct cut cut;
	uint32_t swap;    /**< second half of the pieces before the first */
	uint32_t shuffle; /**< pieces in any order */
	uint32_t overlap; /**< pieces share octets with their neighbours */
	uint32_t recut;   /**< parts of it again with other borders; old octets together with new */
	/* UDP datagrams from or to port 53 */
	struct split frag;
	uint32_t frag_shuffle; /**< fragments in any order */
	uint32_t miss_first;   /**< the first fragment is left out */
	uint32_t miss_last;    /**< the last one */
};

/**
 * Read a direction. Chances are per cent with up to four decimals.
 *
 * @param error [out] what is wrong, one line without its end
 * @return 0, or -EINVAL
 */
int spec_parse(const char *text, struct spec *spec, char *error, size_t error_size);
