/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the sender and the listener share.
 */
#include <stdint.h>

/** The monotonic clock, milliseconds. */
int64_t tap_now_ms(void);
