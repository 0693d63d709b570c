/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A lane of the sender: its queue, and the thread that empties it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tap/tap_ring.h"
#include "tap/tap_sender.h"
#include "tap/tap_wire.h"

#define TAP_NAME_SIZE 256 /**< of a collector, as its certificate has it */

struct tap_lane {
	/* read-only after start */
	struct endpoint to;
	uint64_t start;
	void (*thread_start)(void);
	struct tls_keeper *tls; /**< NULL: without TLS */
	char tls_name[TAP_NAME_SIZE];
	bool first; /**< of its destination */
	pthread_t thread;
	int wake; /**< eventfd: frames for a thread that sleeps, or the end */

	/* producer: w, others: r */
	uint64_t seq, lost_full;
	struct tap_ring ring;

	/* thread: w, others: r */
	uint64_t sent __attribute__((aligned(64)));
	uint64_t connects, lost_stop, refused;
	_Atomic bool connected;
	_Atomic bool asleep; /**< waits for `wake`; the producer takes it back when it writes there */

	/* thread alone */
	struct tap_wire wire;
	size_t done;    /**< octets of what the ring begins with that are written */
	char why[160];   /**< what TLS says of the last try; "": nothing */
	bool complained; /**< the operator was told that the other side is not there */

	/* closer: w, thread: r */
	_Atomic int64_t end_ms; /**< by the monotonic clock: write until then, and end. 0: go on */
};

struct tap_sender {
	unsigned n, connections, turn, unflushed;
	struct tap_lane lanes[]; /**< n times connections, by destination */
};

/** Body of a lane's thread. @param arg the lane */
void *tap_lane_main(void *arg);
