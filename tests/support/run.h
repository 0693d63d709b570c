/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * One frame through all stages of the pipeline, in the order workers call them; and what has to be
 * true of any frame that went through.
 */
#include "pipeline/pipeline.h"
#include "support/csum_full.h"

/**
 * Run @p frame through, as the only packet of a burst.
 *
 * @param frame rewritten in place
 * @param slot  [out] what the stages found; NULL if not wanted
 * @return the reason it left with
 */
enum reason run_frame(uint8_t *frame, uint32_t size, enum burst_side side,
	const struct pipeline_tables *tables, struct stats_worker *stats, struct burst_slot *slot);

/** A frame before and after. */
struct run_change {
	const uint8_t *before, *after;
	uint32_t size;
	const struct burst_slot *slot; /**< what the stages found */
};

/**
 * Whether nothing changed but what a rewrite may change, checksums included.
 * @return NULL, or what is wrong
 */
const char *run_change_error(const struct run_change *change);

/** The parts of a parsed UDP packet that its checksum covers. */
struct csum_udp run_csum(const uint8_t *frame, const struct burst_slot *slot);

/** Sum of the verdict counters. */
uint64_t run_verdicts(const struct stats_worker *stats);
