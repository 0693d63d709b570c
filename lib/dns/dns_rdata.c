/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "dns/dns_rdata.h"

#define SVCB_IPV4HINT 4 // RFC 9460 s14.3.2
#define SVCB_IPV6HINT 6

#define SVCB_PARAM_SIZE 4 // key and length: RFC 9460 s2.2

// Octets in front, <character-string>s behind these (RFC 1035 s3.3), names behind those.
struct layout {
	uint8_t octets, strings, names;
};

#define LAYOUTS_MAX 108 // types below this one have a row

// A row of zeroes: no names.
static const struct layout layouts[LAYOUTS_MAX] = {
	[2] = {0, 0, 1},               // NS: RFC 1035 s3.3.11
	[3] = {0, 0, 1},               // MD: s3.3.4
	[4] = {0, 0, 1},               // MF: s3.3.5
	[DNS_TYPE_CNAME] = {0, 0, 1},  // s3.3.1
	[6] = {0, 0, 2},               // SOA: s3.3.13
	[7] = {0, 0, 1},               // MB: s3.3.3
	[8] = {0, 0, 1},               // MG: s3.3.6
	[9] = {0, 0, 1},               // MR: s3.3.8
	[12] = {0, 0, 1},              // PTR: s3.3.12
	[14] = {0, 0, 2},              // MINFO: s3.3.7
	[15] = {2, 0, 1},              // MX: s3.3.9
	[17] = {0, 0, 2},              // RP: RFC 1183 s2.2
	[18] = {2, 0, 1},              // AFSDB: RFC 1183 s1
	[21] = {2, 0, 1},              // RT: RFC 1183 s3.3
	[DNS_TYPE_SIG] = {18, 0, 1},   // RFC 2535 s4.1
	[26] = {2, 0, 2},              // PX: RFC 2163 s4
	[30] = {0, 0, 1},              // NXT: RFC 2535 s5.2
	[33] = {6, 0, 1},              // SRV: RFC 2782
	[35] = {4, 3, 1},              // NAPTR: RFC 3403 s4.1
	[36] = {2, 0, 1},              // KX: RFC 2230 s3.1
	[DNS_TYPE_DNAME] = {0, 0, 1},  // RFC 6672 s2.1
	[DNS_TYPE_RRSIG] = {18, 0, 1}, // RFC 4034 s3.1
	[47] = {0, 0, 1},              // NSEC: RFC 4034 s4.1
	[DNS_TYPE_SVCB] = {2, 0, 1},   // RFC 9460 s2.2
	[DNS_TYPE_HTTPS] = {2, 0, 1},  // RFC 9460 s9
	[107] = {2, 0, 1},             // LP: RFC 6742 s2.4
};

int dns_rdata_names(const uint8_t *msg, const struct dns_rr *rr, uint16_t at[DNS_RDATA_NAMES_MAX])
{
	const struct layout *layout = &layouts[rr->type < LAYOUTS_MAX ? rr->type : 0];
	uint32_t off = rr->rdata + (uint32_t)layout->octets, end = rr->rdata + rr->rdata_size;

	// An update's empty records have no data at all (RFC 2136 s2.4).
	if (layout->names == 0 || rr->rdata_size == 0)
		return 0;
	for (unsigned i = 0; i < layout->strings && off < end; i++)
		off += 1u + msg[off];
	for (unsigned i = 0; i < layout->names; i++) {
		int name;

		if (off >= end)
			return DNS_E_SHORT;
		name = dns_msg_name_skip(msg, end, off);
		if (name < 0)
			return name;
		at[i] = (uint16_t)off;
		off += (uint32_t)name;
	}
	return layout->names;
}

void dns_svcb_begin(const uint8_t *msg, const struct dns_rr *rr, struct dns_svcb *svcb)
{
	uint32_t off = rr->rdata + 2u, end = rr->rdata + (uint32_t)rr->rdata_size;
	int name = off < end ? dns_msg_name_skip(msg, end, off) : DNS_E_SHORT;

	svcb->end = end;
	svcb->last = -1;
	svcb->malformed = name < 0;
	svcb->off = name < 0 ? end : off + (uint32_t)name;
}

bool dns_svcb_next(const uint8_t *msg, struct dns_svcb *svcb, struct dns_svcb_hint *hint)
{
	while (svcb->end - svcb->off >= SVCB_PARAM_SIZE) {
		uint16_t key = load_be16(msg + svcb->off), size = load_be16(msg + svcb->off + 2);
		uint32_t at = svcb->off + SVCB_PARAM_SIZE, left = svcb->end - at;
		unsigned shift = key == SVCB_IPV4HINT ? 2 : 4; // of an address's size

		svcb->malformed |= (int)key <= svcb->last || size > left;
		svcb->last = key;
		if (size > left)
			size = (uint16_t)left;
		svcb->off = at + size;
		if (key != SVCB_IPV4HINT && key != SVCB_IPV6HINT)
			continue;
		svcb->malformed |= size == 0 || size & ((1u << shift) - 1);
		if (size >> shift == 0)
			continue;
		*hint = (struct dns_svcb_hint){
			(uint16_t)at, (uint16_t)(size >> shift), (uint8_t)(1u << shift)};
		return true;
	}
	svcb->malformed |= svcb->off < svcb->end;
	return false;
}
