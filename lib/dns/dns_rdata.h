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

/** The parameters of a SVCB or HTTPS record, while hints are looked for. */
struct dns_svcb {
	uint32_t off, end; /**< what is left of them, bytes from msg[0] */
	int last;          /**< key met last, -1: none */
	bool malformed;    /**< a client ought to refuse the record (RFC 9460 s2.2), as far as was read */
};

/** Addresses of one ipv4hint or ipv6hint. */
struct dns_svcb_hint {
	uint16_t at;  /**< the first one, bytes from msg[0] */
	uint16_t n;   /**< addresses, 1 or more */
	uint8_t size; /**< bytes of each: 4, 16 */
};

/** Begin with the parameters of a SVCB or HTTPS record. Without a target it is malformed, and has none. */
void dns_svcb_begin(const uint8_t *msg, const struct dns_rr *rr, struct dns_svcb *svcb);

/**
 * Find the next hint with an address.
 *
 * Not all clients refuse what is malformed, so hints are found as far as anybody may: where keys do not
 * ascend or come again, in a value that leads outside up to the record's end, and in one of no whole number
 * of addresses those that are whole.
 *
 * @return false: there is none left, and svcb->malformed is known
 */
bool dns_svcb_next(const uint8_t *msg, struct dns_svcb *svcb, struct dns_svcb_hint *hint);
