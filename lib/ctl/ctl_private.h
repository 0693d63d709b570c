/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What server and client share, and what a test of the server needs besides ctl.h.
 */
#include <stdint.h>
#include <time.h>

#include "ctl/ctl.h"

/** Milliseconds of a clock that does not jump. */
static inline int64_t ctl_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/** Close half-done clients after @p ms instead of CTL_TIMEOUT_MS. */
void ctl_server_set_timeout(struct ctl_server *server, unsigned ms);

/** Connect. @param timeout_ms 0: no bound @return a socket, -ETIMEDOUT, or another -errno */
int ctl_connect_within(const char *path, unsigned timeout_ms);
