/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * One frame through all stages of the pipeline, in the order workers call them.
 */
#include "pipeline/pipeline.h"

/**
 * Run @p frame through, as the only packet of a burst; it cannot grow.
 *
 * @param frame rewritten in place
 * @param slot  [out] what the stages found; NULL if not wanted
 * @return the reason it left with
 */
enum reason run_frame(uint8_t *frame, uint32_t size, enum burst_side side,
	const struct pipeline_tables *tables, struct stats_worker *stats, struct burst_slot *slot);

/** A frame where it may become longer or shorter. */
struct run_buffer {
	uint8_t *frame;
	uint32_t size;     /**< bytes; [out] as it is now */
	uint32_t room;     /**< bytes that it may have */
	uint16_t msg_size; /**< [out] of the message, as it is now */
};

/** The same. @param slot [out] offsets and what was found, msg_size is that of the message that came */
enum reason run_buffer(struct run_buffer *buffer, enum burst_side side,
	const struct pipeline_tables *tables, struct stats_worker *stats, struct burst_slot *slot);

/**
 * Run the message of a UDP frame through as one out of a TCP stream: its length is fixed.
 *
 * @param partly a part of it was sent before: nothing but addresses and TTLs may change
 * @param slot   [out] undefined if the frame is no UDP datagram
 * @return the reason it left with, or why the frame is none
 */
enum reason run_message(uint8_t *frame, uint32_t size, bool partly,
	const struct pipeline_tables *tables, struct stats_worker *stats, struct burst_slot *slot);

/** Sum of the verdict counters. */
uint64_t run_verdicts(const struct stats_worker *stats);
