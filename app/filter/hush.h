/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Keep what libraries write to stdout and stderr while ports and EAL come up: an operator wants no
 * line when all is well, and one when it is not.
 *
 * Threads: main lcore, while nobody else writes.
 */
#include <stddef.h>

/** From here on stderr goes to a file in memory, and stdout nowhere. */
void hush_begin(void);

/**
 * Back to normal.
 *
 * @param said [out] the lines that say something, joined by "; ", the last ones if there is no room
 *             for all
 */
void hush_end(char *said, size_t size);
