/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#define XXH_INLINE_ALL
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "dns/dns_name.h"

// RFC 6895 s3.1: 128..255 are for questions and what goes with messages.
#define TYPE_META_FIRST 128
#define TYPE_META_LAST  255
#define TYPE_NULL       10 // RFC 1035 s3.3.10
#define TYPE_APL        42 // RFC 3123

bool pdns_type_is_data(uint16_t type)
{
	return type != 0 && type != DNS_TYPE_OPT &&
	       (type < TYPE_META_FIRST || type > TYPE_META_LAST);
}

bool pdns_type_is_dnssec(uint16_t type)
{
	static const uint16_t types[] = {24, 25, 30, 43, 46, 47, 48, 50, 51, 59, 60, 32769};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i] == type)
			return true;
	return false;
}

void pdns_rdata_hash(const uint8_t *rdata, size_t size, uint8_t hash[PDNS_HASH_SIZE])
{
	uint8_t whole[8];

	store_be64(whole, XXH3_64bits(rdata, size));
	memcpy(hash, whole, PDNS_HASH_SIZE);
}

// Sizes that every reader of these types relies on. Records without data are those of updates (RFC
// 2136 s2.4), but for NULL, APL (RFC 3123 s4) and types that are not known.
static bool size_fits(uint16_t type, size_t size)
{
	if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA)
		return size == (type == DNS_TYPE_A ? 4 : 16);
	return size > 0 || type == TYPE_NULL || type == TYPE_APL || type > TYPE_META_LAST;
}

int pdns_rdata_expand(const uint8_t *msg, uint32_t size, const struct dns_rr *rr, uint8_t *to)
{
	uint32_t from = rr->rdata, end = rr->rdata + (uint32_t)rr->rdata_size;
	uint16_t at[DNS_RDATA_NAMES_MAX];
	size_t used = 0;
	int n;

	if (!size_fits(rr->type, rr->rdata_size))
		return DNS_E_SHORT;
	n = dns_rdata_names(msg, rr, at);
	for (int i = 0; i < n; i++) {
		struct dns_name name;
		int taken = dns_msg_name_read(msg, size, at[i], &name);

		if (taken < 0)
			return taken;
		if (used + (at[i] - from) + name.size > PDNS_RDATA_MAX)
			return DNS_E_LONG;
		memcpy(to + used, msg + from, at[i] - from);
		used += at[i] - from;
		memcpy(to + used, name.bytes, name.size);
		used += name.size;
		from = at[i] + (uint32_t)taken;
	}
	if (n < 0 || from > end)
		return n < 0 ? n : DNS_E_SHORT;
	if (used + (end - from) > PDNS_RDATA_MAX)
		return DNS_E_LONG;
	memcpy(to + used, msg + from, end - from);
	return (int)(used + (end - from));
}

// Names in uncompressed RDATA. Returns how many, or -1: it is malformed.
static int names_find(
	uint16_t type, const uint8_t *rdata, size_t size, uint16_t at[DNS_RDATA_NAMES_MAX])
{
	const struct dns_rr rr = {.type = type, .rdata_size = (uint16_t)size};
	int n = dns_rdata_names(rdata, &rr, at);

	for (int i = 0; i < n; i++)
		if (pdns_name_size(rdata + at[i], size - at[i]) == 0)
			return -1;
	return n < 0 ? -1 : n;
}

bool pdns_type_is_name(uint16_t type)
{
	static const uint16_t types[] = {
		PDNS_TYPE_NS, 3, 4, DNS_TYPE_CNAME, 7, 8, 9, PDNS_TYPE_PTR, DNS_TYPE_DNAME};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i] == type)
			return true;
	return false;
}

unsigned pdns_rdata_targets(
	uint16_t type, const uint8_t *rdata, size_t size, uint16_t at[DNS_RDATA_NAMES_MAX])
{
	int n;

	// The signer's name is that of the zone, and the next name has records of its own.
	if (type == DNS_TYPE_RRSIG || type == PDNS_TYPE_NSEC || type == DNS_TYPE_SIG)
		return 0;
	n = names_find(type, rdata, size, at);
	// Octets behind it make it something else: a name leads to nothing but that name.
	if (n > 0 && pdns_type_is_name(type) && pdns_name_size(rdata, size) != size)
		return 0;
	return n < 0 ? 0 : (unsigned)n;
}

bool pdns_rdata_fold(uint16_t type, uint8_t *rdata, size_t size)
{
	uint16_t at[DNS_RDATA_NAMES_MAX];
	int n;

	if (size > PDNS_RDATA_MAX || !size_fits(type, size))
		return false;
	n = names_find(type, rdata, size, at);
	for (int i = 0; i < n; i++)
		pdns_name_fold(rdata + at[i], rdata + at[i]);
	return n >= 0;
}
