/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A socket that does not wait, with TLS over it or without.
 *
 * Threads: one at a time.
 */
#include <stddef.h>
#include <sys/types.h>

#include "tls/tls.h"

struct tap_wire {
	int fd;                 /**< -1: none */
	struct tls_stream *tls; /**< NULL: without */
};

/** @return octets that went, more than 0; -EAGAIN: try again with the same ones; else -errno: it is gone */
ssize_t tap_wire_send(struct tap_wire *wire, const void *data, size_t size);

/** @return octets; 0: the end; -EAGAIN; or -errno */
ssize_t tap_wire_receive(struct tap_wire *wire, void *data, size_t size);

/** What poll has to wait for behind an -EAGAIN of an operation that without TLS waits for @p events. */
short tap_wire_events(const struct tap_wire *wire, short events);

/** Say that no more comes, and close. Closed already is fine. */
void tap_wire_close(struct tap_wire *wire);
