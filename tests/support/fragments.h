/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Frames cut into IP fragments, and put together again by a receiver that shares no code with what it
 * tests: octet by octet, with a byte for each that says whether it came.
 */
#include "support/wire.h"

#define FRAGMENT_ROOM 66000

/** A piece of a datagram. */
struct fragment_cut {
	uint32_t from, to; /**< octets of what is behind the IP header; from is a multiple of 8 */
	bool more;
	uint32_t id;
};

/** Octets of @p w that are cut: behind the IPv4 header, or behind IPv6's (no extension headers). */
uint32_t fragment_total(const struct wire *w);

/**
 * Write a fragment of the finished frame @p w.
 *
 * @param frame FRAGMENT_ROOM bytes
 * @return bytes
 */
uint32_t fragment_make(const struct wire *w, const struct fragment_cut *cut, uint8_t *frame);

/** A receiver with one datagram under way. */
struct fragment_host {
	uint8_t bytes[65536]; /**< the datagram */
	uint8_t there[65536];
	uint32_t total;  /**< octets; 0: not known */
	uint32_t end;    /**< farthest octet */
	bool overlap;    /**< pieces did not agree */
	bool bad;        /**< a frame was malformed: a length, an IPv4 checksum */
	uint8_t version;
	uint8_t addresses[32]; /**< as a pseudo header wants them */
};

void fragment_host_take(struct fragment_host *host, const uint8_t *frame, uint32_t size);

/** Whether a UDP datagram is there, all of it, with its checksum right or none. */
bool fragment_host_done(const struct fragment_host *host);
