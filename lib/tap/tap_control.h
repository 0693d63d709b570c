/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Control frames of Frame Streams, by libfstrm. A stream of data frames (their size in 4 octets, then
 * the octets) is opened by READY, ACCEPT, START and ended by STOP, FINISH.
 *
 * Threads: pure functions, any thread.
 * Source:  the description in fstrm/control.h of libfstrm.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fstrm.h>

#define TAP_LENGTH_SIZE  4 /**< in front of each frame, big-endian; 0 announces a control frame */
#define TAP_CONTROL_SIZE (2 * TAP_LENGTH_SIZE + FSTRM_CONTROL_FRAME_LENGTH_MAX)

/**
 * Write a control frame with what announces it. READY, ACCEPT and START name our content type.
 *
 * @return octets, or 0 when memory is short
 */
size_t tap_control_write(fstrm_control_type type, uint8_t frame[TAP_CONTROL_SIZE]);

/**
 * Read a control frame without what announces it.
 *
 * @param ours [out] whether our content type is named, or none is
 * @return 0, or -EINVAL
 */
int tap_control_read(const uint8_t *frame, size_t size, fstrm_control_type *type, bool *ours);
