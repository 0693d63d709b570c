/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What has to be true of any frame that went through the pipeline, held against what it was before.
 */
#include "base/burst.h"
#include "support/csum_full.h"

/** A frame before and after. */
struct change {
	const uint8_t *before, *after;
	uint32_t before_size, after_size; /**< of the frames */
	const struct burst_slot *found;   /**< as the stages found it: offsets, sizes before, reason */
	uint16_t msg_size;                /**< of the message after */
};

/**
 * Whether nothing changed but what the reason says, lengths and checksums included.
 * @return NULL, or what is wrong
 */
const char *change_error(const struct change *change);

/** The same for the message alone, whose length is fixed: there are no headers to look at. */
const char *change_fixed_error(const struct change *change);

/**
 * Whether names of a filtered message's records lead through octets that were changed, or may have been, as no
 * server's do: they may be other names now, and a second pass may find these.
 */
bool change_may_rename(const struct change *change);

/** The parts of a parsed UDP packet that its checksum covers. */
struct csum_udp change_csum(const uint8_t *frame, const struct burst_slot *slot, uint16_t msg_size);
