/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Changes to a response, in place: other addresses, no records, one record more.
 *
 * What can be done is asked first (rewrite_*_fits, rewrite_find), so that the verdict is known before
 * the first octet changes; then it is done as a whole. Names, types and counts of what is kept stay as
 * they are. AD is cleared (RFC 4035 s3.2.3: the data is no longer what was validated).
 *
 * Over TCP the length must not change, since sequence numbers count octets: what would become free is
 * filled by the EDNS Padding option (RFC 7830), which takes four octets at least.
 *
 * Layer:   lib/rewrite; no EAL, no allocation.
 * Threads: pure functions, any thread. Hot path; work is bounded by the message.
 */
#include <stdbool.h>
#include <stdint.h>

#include "dns/dns_msg.h"
#include "policy/policy.h"
#include "base/csum.h"

/** A response whose question and answer sections have been walked without error. */
struct rewrite_message {
	uint8_t *msg;     /**< DNS message */
	uint16_t size;    /**< bytes; follows what is done */
	uint16_t room;    /**< bytes that it may have */
	uint16_t answers; /**< where the answer section starts, bytes from msg[0] */
	uint16_t behind;  /**< where it ends */
	uint16_t additional; /**< where the additional section starts, 0: it has no addresses, or cannot be
				  walked to its end */
	bool fixed;       /**< its length must stay: TCP */
	bool partly;      /**< nothing but addresses and TTLs may change: a part was sent before */
	uint32_t spread;  /**< any number that is the same for the same client: with several sinkhole
			       addresses it chooses the first, further records get the following ones */
	const struct policy_list *list;
	struct csum_delta delta; /**< [out] what the changes add to the sum over the message */
};

/** What was done, or would be. */
struct rewrite_counts {
	uint16_t n_ipv4, n_ipv6;        /**< A, AAAA records that got a sinkhole address */
	uint16_t n_svcb, n_https;       /**< records of which hints did */
	uint16_t n_left;                /**< records left: no sinkhole of their family */
	uint16_t n_malformed;           /**< SVCB, HTTPS records that clients ought to refuse */
	uint16_t rrsigs_cut, rrsigs_kept; /**< signatures of what was changed */
	uint16_t ede_added, ede_left;   /**< Extended DNS Errors that fitted, that did not */
};

static inline bool rewrite_any(const struct rewrite_counts *counts)
{
	return counts->n_ipv4 || counts->n_ipv6 || counts->n_svcb || counts->n_https;
}

/**
 * Put the sinkhole's addresses into the response: RDATA of A and AAAA records of class IN, hints of
 * SVCB and HTTPS records (RFC 9460 s7.3), where the sinkhole has an address of that family; TTLs above
 * its ttl_max become that. In the answer section all of them; in the additional section those of names
 * that the question and answer sections hold, and of those that it leads a service's client on to. Over UDP signatures of what was changed are taken out of
 * the answer section.
 *
 * @return what was done; if it is nothing, no octet changed
 */
struct rewrite_counts rewrite_sinkhole(struct rewrite_message *m);

/**
 * Whether rewrite_sinkhole would change anything, and if not, whether for want of a sinkhole.
 *
 * @return the counts of records up to the first that it would change
 */
struct rewrite_counts rewrite_find(const struct rewrite_message *m);

/**
 * Leave header, questions and OPT, all else removed. Of the header stay ID, opcode, RD, RA and CD.
 *
 * @param flags RCODE and, if wanted, DNS_FLAG_TC
 * @pre rewrite_deny_fits
 */
struct rewrite_counts rewrite_deny(struct rewrite_message *m, uint16_t flags);

/** Whether that is possible at the length that the message must have. */
bool rewrite_deny_fits(const struct rewrite_message *m);

/**
 * Make a positive answer out of one without an address: behind its chain of CNAMEs, if it has one,
 * comes a record with the sinkhole's address. The authority section is removed, of the additional
 * section the OPT stays.
 *
 * @param type DNS_TYPE_A or DNS_TYPE_AAAA
 * @pre rewrite_answer_fits
 */
struct rewrite_counts rewrite_answer(struct rewrite_message *m, uint16_t type);

/**
 * Whether that is possible: NOERROR or NXDOMAIN, one question, of @p type and class IN; records of the
 * answer section are a chain of CNAMEs in order, DNAMEs and signatures; the list has a sinkhole of the
 * family; the result fits.
 */
bool rewrite_answer_fits(const struct rewrite_message *m, uint16_t type);

/** Octets of a message, from the first to before the last. */
struct rewrite_range {
	uint16_t from, to;
};

/**
 * Take whole records out of a message. Compression pointers in what stays, in owner names and in the
 * names of dns_rdata_names, follow what they point at. Counts in the header are the caller's to
 * change, afterwards.
 *
 * @param ranges in ascending order, apart, each of whole records
 * @return the size now; 0: nothing was changed, because a pointer leads somewhere else than into a
 *         name that stays, or a section cannot be walked
 */
uint16_t rewrite_cut(
	uint8_t *msg, uint16_t size, const struct rewrite_range *ranges, unsigned n_ranges);
