/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What is inside RDATA: names that may be compressed, and the addresses of SVCB and HTTPS records.
 *
 * Layer:   lib/dns; no EAL, no allocation.
 * Threads: pure functions, any thread. Messages are borrowed and not changed.
 * Source:  RFC 3597 s4 (types with compressed names), RFC 9460 s2.2 and s7.3 (SVCB).
 */
#include "dns/dns_msg.h"

#define DNS_RDATA_NAMES_MAX 2 /**< SOA, MINFO, RP, PX */

/**
 * Find the names in a record's data that may end in a compression pointer: of the types that RFC 3597
 * s4 lists, and of later ones that must not have one (RRSIG, DNAME, SVCB, ...) but may all the same.
 * Classes are not looked at: what a pointer in an unknown class means is not known either.
 *
 * @param at [out] where they start, bytes from msg[0]
 * @return how many, or a negative enum dns_err: the data ends inside of one
 */
int dns_rdata_names(const uint8_t *msg, const struct dns_rr *rr,
	uint16_t at[DNS_RDATA_NAMES_MAX]) __attribute__((warn_unused_result));

/** The addresses of a SVCB or HTTPS record. */
struct dns_svcb {
	uint16_t ipv4;      /**< first address of ipv4hint, bytes from msg[0] */
	uint16_t ipv6;      /**< first address of ipv6hint */
	uint16_t n_ipv4;    /**< addresses of 4 bytes each */
	uint16_t n_ipv6;    /**< addresses of 16 bytes each */
};

/**
 * Read the data of a SVCB or HTTPS record.
 *
 * @return 0, or DNS_E_SHORT and what dns_msg_name_skip says: a client refuses such a record too
 *         (RFC 9460 s2.2: keys not ascending, a length that leads outside, hints that are no whole
 *         number of addresses or none)
 */
int dns_svcb_read(const uint8_t *msg, const struct dns_rr *rr, struct dns_svcb *svcb)
	__attribute__((warn_unused_result));
