/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What a dnsweir box says in the field `extra` of each dnstap frame: words that the schema has no
 * field for.
 *
 *   dnsweir 1 start=9f1c22d8a4b07e35 seq=4711 gen=3 bits=22 list=c2 action=sinkhole verdict=rewritten lost=12
 *
 * The first two are the name and the version of the form. Others are KEY=VALUE in any order; octets
 * of a value that are no letters, digits, '-', '_' or '.' are written as %XX. Keys that are not known
 * are passed over.
 *
 * Layer:   lib/tap; no EAL, no allocation.
 * Threads: pure functions, any thread.
 */
#include <stddef.h>
#include <stdint.h>

#define TAP_EXTRA_LIST_MAX    63  /**< octets; POLICY_LIST_NAME_MAX */
#define TAP_EXTRA_ACTION_MAX  15  /**< octets; longer than any policy_action_name() */
#define TAP_EXTRA_VERDICT_MAX 31  /**< octets; longer than any name in base/reason.h */
#define TAP_EXTRA_SIZE        512 /**< room for the longest text: each octet of the words as %XX */

struct tap_extra {
	uint64_t start; /**< of the stream of frames that this one belongs to: random, never 0 */
	uint64_t seq;   /**< number of the frame in its stream: 1, 2, ...; a gap is a loss */
	uint64_t lost;  /**< records that were lost before they got a number, so far */
	uint32_t generation;
	uint32_t sample; /**< of frames without a policy only 1 in so many is sent; 0 and 1: all */
	uint8_t bits;    /**< of the client's address that are there */
	char list[TAP_EXTRA_LIST_MAX + 1];       /**< "": no rule was hit */
	char action[TAP_EXTRA_ACTION_MAX + 1];   /**< policy_action_name() of the list; with a list */
	char verdict[TAP_EXTRA_VERDICT_MAX + 1]; /**< reason_name(); with a list */
};

/** Write the text, without a NUL. @return octets */
size_t tap_extra_write(const struct tap_extra *extra, char text[TAP_EXTRA_SIZE]);

/**
 * Read the text.
 *
 * @param extra [out] undefined on error
 * @return 0, -ENOENT: another program's; -EINVAL: one of ours, but without start, seq or bits, of
 *         another version, or with a value that cannot be
 */
int tap_extra_read(const uint8_t *text, size_t size, struct tap_extra *extra)
	__attribute__((warn_unused_result));
