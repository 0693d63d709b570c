/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A network interface, frame by frame, by AF_PACKET: every frame that comes in, whoever it is for,
 * with the outer VLAN tag back in place that the kernel takes out; none of those sent.
 *
 * Layer:   tests/traffic; Linux; needs CAP_NET_RAW.
 * Threads: one link, one thread.
 * Source:  packet(7).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link {
	int fd;
	char name[16];
	uint16_t mtu;     /**< octets of the largest IP packet it takes */
	uint64_t refused; /**< frames that the interface did not take */
};

/** Open an interface. @return 0, or -errno; says why on stderr */
int link_open(struct link *link, const char *name);
void link_close(struct link *link);

/**
 * The next frame, without waiting.
 *
 * @param frame [out] room for FRAME_SIZE_MAX
 * @return octets, 0: none now, or -errno. A frame larger than the room is left out, with a line on
 *         stderr
 */
int link_receive(struct link *link, uint8_t *frame);

/** Send; waits while the interface's queue is full. Refused ones are counted. */
void link_send(struct link *link, const uint8_t *frame, size_t size);

/** Frames that came and were not taken in time, since the last call. */
uint64_t link_missed(struct link *link);
