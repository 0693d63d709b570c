/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Names of one message, read one after the other, so that what a pointer leads to is not read again
 * for every name that has it: the work is bounded by the octets of the message and the number of names,
 * not by their product. Without it a deep name and a pointer to each of its labels, or pointers that
 * lead to pointers, would cost a message of 1,500 octets some hundred times what they should.
 *
 * Layer:   lib/dns; no EAL, no allocation.
 * Threads: a struct dns_known belongs to one message and one thread.
 * Source:  RFC 1035 s4.1.4.
 */
#include "dns/dns_ends.h"

#define DNS_KNOWN_NAMES 64 /**< deep names kept; those after them are read like any other */

/**
 * Work above which a name is kept. Ours: what takes less is read again as quickly as looked up, and
 * nearly all names take less, so that usual messages never touch the places below.
 */
#define DNS_KNOWN_DEPTH 8

#define DNS_WORK_LABEL 1 /**< work: labels read ... */
#define DNS_WORK_HOP   6 /**< ... and pointers followed, which take as long as so many */

/** What was found out about the names of a message so far. */
struct dns_known {
	unsigned n_names; /**< kept; 0 in the beginning */
	unsigned work;    /**< done for names so far; the caller may add to it */
	unsigned most;    /**< no work is begun above that */
	uint64_t ends[DNS_KNOWN_NAMES];
	/**
	 * By offset, for some labels and pointers of names that were kept: what follows from there on.
	 * Labels in bits 0..7, octets in bits 8..15, pointers in bits 16..23, the name's number and one in
	 * bits 24..31; 0: not known. Nothing points further than this.
	 */
	uint32_t from[0x4000];
	uint16_t to[0x4000]; /**< by the same: where the pointer that ends these labels leads to; 0: none */
};

/**
 * Read the name at @p off.
 *
 * @param known of this message; @p msg and @p size are the same in all calls for it
 * @return what dns_msg_ends_read returns; 0: the names of this message have taken what they may
 */
uint64_t dns_known_read(
	struct dns_known *known, const uint8_t *msg, uint32_t size, uint32_t off);
