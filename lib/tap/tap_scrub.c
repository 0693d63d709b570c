/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_scrub.h"

#include <stdbool.h>
#include <string.h>

#include "dns/dns_const.h"
#include "dns/dns_msg.h"

// NSID 3, DAU 5, DHU 6, N3U 7, EXPIRE 9, keepalive 11, padding 12, CHAIN 13, key tag 14, EDE 15.
#define KEPT_OPTIONS 0xfae8u

static bool option_kept(uint16_t code)
{
	return code < 16 && (KEPT_OPTIONS >> code & 1);
}

static void options_scrub(uint8_t *rdata, size_t size)
{
	for (size_t at = 0; at < size;) {
		uint16_t code, length;

		// Half an option is none that a reader could tell.
		if (size - at < DNS_OPTION_SIZE) {
			memset(rdata + at, 0, size - at);
			return;
		}
		code = load_be16(rdata + at);
		length = load_be16(rdata + at + 2);
		at += DNS_OPTION_SIZE;
		if (length > size - at)
			length = (uint16_t)(size - at);
		if (!option_kept(code))
			memset(rdata + at, 0, length);
		at += length;
	}
}

size_t tap_scrub(uint8_t *msg, size_t size)
{
	uint32_t n = (uint32_t)size, off = DNS_HEADER_SIZE;
	uint32_t records =
		(uint32_t)dns_msg_ancount(msg) + dns_msg_nscount(msg) + dns_msg_arcount(msg);

	for (unsigned i = dns_msg_qdcount(msg); i > 0; i--) {
		int name = dns_msg_name_skip(msg, n, off);

		if (name < 0 || n - off - (uint32_t)name < 4)
			return off;
		off += (uint32_t)name + 4;
	}
	for (; records > 0; records--) {
		struct dns_rr rr;
		int taken = dns_msg_rr_read(msg, n, off, &rr);

		if (taken < 0)
			return off;
		if (rr.type == DNS_TYPE_OPT)
			options_scrub(msg + rr.rdata, rr.rdata_size);
		off += (uint32_t)taken;
	}
	return off;
}
