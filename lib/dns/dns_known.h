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

/** Work, in instructions: a name that is not read at once, its labels and its pointers, if it is kept. */
#define DNS_WORK_LONG   400
#define DNS_WORK_LABEL  12
#define DNS_WORK_HOP    38
#define DNS_WORK_LABELS 160 /**< dns_known_labels */

/** Work above which such a name is kept: what is next to what is known need not be. */
#define DNS_KNOWN_DEPTH 120

/** Octets of a message of which something may be known: where a pointer may lead to, and a name there. */
#define DNS_KNOWN_PLACES (0x4000 + 256)

/** What was found out about the names of a message so far. */
struct dns_known {
	unsigned n_names; /**< kept; 0 in the beginning */
	unsigned work;    /**< done for names so far; the caller may add to it */
	unsigned most;    /**< no work is begun above that */
	uint64_t ends[DNS_KNOWN_NAMES];
	uint16_t places[DNS_KNOWN_NAMES][DNS_LABELS_MAX]; /**< of all labels of a name, leftmost first */
	/**
	 * By offset, for some labels and pointers of names that were kept: what follows from there on.
	 * Labels in bits 0..7, octets in bits 8..15, pointers in bits 16..23, the name's number and one in
	 * bits 24..31; 0: not known.
	 */
	uint32_t from[DNS_KNOWN_PLACES];
	uint16_t to[DNS_KNOWN_PLACES]; /**< by the same: where the pointer that ends these labels leads to; 0: none */
};

/**
 * Read the name at @p off.
 *
 * @param known of this message; @p msg and @p size are the same in all calls for it
 * @param off   DNS_HEADER_SIZE..size
 * @return what dns_msg_ends_read returns; 0: the names of this message have taken what they may
 */
uint64_t dns_known_read(
	struct dns_known *known, const uint8_t *msg, uint32_t size, uint32_t off);

/**
 * Where all labels of a name stand that dns_known_read has read: dns_msg_labels_read, but what was kept
 * is not read again.
 *
 * @return false: the name cannot be read
 */
bool dns_known_labels(struct dns_known *known, const uint8_t *msg, uint32_t size, uint32_t off,
	struct dns_labels *labels);
