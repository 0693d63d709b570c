/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Record types and response codes: their names, and the rows that counters keep for them.
 *
 * Source: IANA "Domain Name System (DNS) Parameters"; RFC 3597 s5 for unknown types.
 */
#include <stdint.h>

/** Types that have a counter of their own; all others share "other". Order = row. */
#define DNS_TYPE_ROWS(TYPE)                                                                        \
	TYPE(A, 1)                                                                                 \
	TYPE(NS, 2)                                                                                \
	TYPE(CNAME, 5)                                                                             \
	TYPE(SOA, 6)                                                                               \
	TYPE(PTR, 12)                                                                              \
	TYPE(HINFO, 13)                                                                            \
	TYPE(MX, 15)                                                                               \
	TYPE(TXT, 16)                                                                              \
	TYPE(AAAA, 28)                                                                             \
	TYPE(LOC, 29)                                                                              \
	TYPE(SRV, 33)                                                                              \
	TYPE(NAPTR, 35)                                                                            \
	TYPE(DNAME, 39)                                                                            \
	TYPE(DS, 43)                                                                               \
	TYPE(SSHFP, 44)                                                                            \
	TYPE(RRSIG, 46)                                                                            \
	TYPE(NSEC, 47)                                                                             \
	TYPE(DNSKEY, 48)                                                                           \
	TYPE(NSEC3, 50)                                                                            \
	TYPE(NSEC3PARAM, 51)                                                                       \
	TYPE(TLSA, 52)                                                                             \
	TYPE(CDS, 59)                                                                              \
	TYPE(CDNSKEY, 60)                                                                          \
	TYPE(SVCB, 64)                                                                             \
	TYPE(HTTPS, 65)                                                                            \
	TYPE(SPF, 99)                                                                              \
	TYPE(ANY, 255)

enum dns_type_row {
	DNS_TYPE_ROW_other, /**< 0, what a table says of types it does not name */
#define TYPE_ENUM(name, value) DNS_TYPE_ROW_##name,
	DNS_TYPE_ROWS(TYPE_ENUM)
#undef TYPE_ENUM
		DNS_TYPE_ROW_none, /**< message without a question */
	DNS_TYPE_ROW_COUNT,
};

extern const uint8_t dns_type_row_low[256];

/** Row of a type. Hot path. */
static inline enum dns_type_row dns_type_row(uint16_t type)
{
	return type < 256 ? (enum dns_type_row)dns_type_row_low[type] : DNS_TYPE_ROW_other;
}

/** Type of a row; 0, which is reserved (RFC 6895 s3.1), for those that share one. */
uint16_t dns_type_row_value(enum dns_type_row row);

/** "A", "other", "none". */
const char *dns_type_row_name(enum dns_type_row row);

/** "A", or "TYPE12345" (RFC 3597) written to @p text. */
const char *dns_type_name(uint16_t type, char text[16]);

/** "NOERROR", ... for 0..15; "RCODE12" for those without a name. */
const char *dns_rcode_name(uint8_t rcode);
