/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What holds packets sees of them: a handle, and what can be done with it. In the worker it is an
 * mbuf; tests have their own.
 *
 * Ownership: a packet whose bit is set in burst->taken is the holder's, until it sends or drops it.
 * Threads:   all calls in the thread that runs the pipeline.
 */
#include <stdint.h>

struct packet_ops {
	/** Copy @p n octets of the frame from @p at on, all inside it. */
	void (*read)(void *ctx, void *packet, uint32_t at, void *bytes, uint32_t n);
	/** Put @p n octets into the frame at @p at, all inside it. */
	void (*write)(void *ctx, void *packet, uint32_t at, const void *bytes, uint32_t n);
	/** Cut the frame's end off, so that @p size octets are left; not more than it has. Not of what was kept. */
	void (*shorten)(void *ctx, void *packet, uint32_t size);
	/**
	 * It will be held: what there is of it from now on. A copy that takes less room, and @p packet is
	 * given back; or @p packet.
	 */
	void *(*keep)(void *ctx, void *packet);
	/** To the port that it was on its way to, after those that were sent before it. */
	void (*send)(void *ctx, void *packet);
	/** It is never sent. */
	void (*drop)(void *ctx, void *packet);
};
