/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/fragments.h"

#include <string.h>

#include "base/bytes.h"
#include "support/csum_full.h"

#define FRAGMENT_HEADER 8
#define IPV6_HEADER     40

static uint32_t header_end(const struct wire *w)
{
	return (uint32_t)w->ip + (w->version == 4 ? (w->bytes[w->ip] & 15) * 4u : IPV6_HEADER);
}

uint32_t fragment_total(const struct wire *w)
{
	return (uint32_t)w->size - header_end(w);
}

uint32_t fragment_make(const struct wire *w, const struct fragment_cut *cut, uint8_t *frame)
{
	uint32_t head = header_end(w), at = head, size = cut->to - cut->from;
	uint8_t *ip = frame + w->ip;

	memcpy(frame, w->bytes, head);
	if (w->version == 4) {
		store_be16(ip + 2, (uint16_t)(head - w->ip + size));
		store_be16(ip + 4, (uint16_t)cut->id);
		store_be16(ip + 6, (uint16_t)(cut->from / 8 | (cut->more ? 0x2000u : 0)));
		store_be16(ip + 10, 0);
		store_be16(ip + 10, (uint16_t)~csum_full_sum(0, ip, head - w->ip));
	} else {
		frame[at] = ip[6];
		frame[at + 1] = 0;
		store_be16(frame + at + 2, (uint16_t)(cut->from | cut->more));
		store_be32(frame + at + 4, cut->id);
		ip[6] = 44;
		store_be16(ip + 4, (uint16_t)(FRAGMENT_HEADER + size));
		at += FRAGMENT_HEADER;
	}
	memcpy(frame + at, w->bytes + head + cut->from, size);
	if (w->pppoe)
		store_be16(frame + w->pppoe + 4, (uint16_t)(at + size - w->pppoe - 6));
	return at + size;
}

// Where the IP header stands; 0: the frame's length and PPPoE's do not fit each other.
static uint32_t ip_at(const uint8_t *frame, uint32_t size)
{
	uint32_t at = 14;

	while (load_be16(frame + at - 2) == 0x8100 || load_be16(frame + at - 2) == 0x88a8)
		at += 4;
	if (load_be16(frame + at - 2) != 0x8864)
		return at;
	return at + 6 + load_be16(frame + at + 4) == size ? at + 8 : 0;
}

void fragment_host_take(struct fragment_host *host, const uint8_t *frame, uint32_t size)
{
	uint32_t at = ip_at(frame, size), start, end, offset;
	const uint8_t *ip = frame + at;
	bool more = false;

	host->version = ip[0] >> 4;
	if (at && host->version == 4) {
		start = at + (ip[0] & 15) * 4u;
		end = at + load_be16(ip + 2);
		offset = (load_be16(ip + 6) & 0x1fffu) * 8;
		more = ip[6] & 0x20;
		host->bad |= csum_full_sum(0, ip, start - at) != 0xffff;
		memcpy(host->addresses, ip + 12, 8);
	} else {
		start = at + IPV6_HEADER;
		end = start + load_be16(ip + 4);
		offset = 0;
		if (ip[6] == 44) {
			offset = load_be16(frame + start + 2) & 0xfff8u;
			more = frame[start + 3] & 1;
			start += FRAGMENT_HEADER;
		}
		memcpy(host->addresses, ip + 8, 32);
	}
	if (at == 0 || end != size || end < start || (more && (end - start) % 8)) {
		host->bad = true;
		return;
	}
	if (!more) {
		host->overlap |= host->total && host->total != offset + end - start;
		host->total = offset + end - start;
	}
	for (uint32_t i = start; i < end; i++, offset++) {
		host->overlap |= host->there[offset] && host->bytes[offset] != frame[i];
		host->bytes[offset] = frame[i];
		host->there[offset] = 1;
	}
	if (offset > host->end)
		host->end = offset;
}

bool fragment_host_done(const struct fragment_host *host)
{
	struct csum_udp udp = {
		.addresses = host->addresses,
		.addresses_size = host->version == 4 ? 8 : 32,
		.udp = host->bytes,
	};

	if (host->bad || host->overlap || host->total < 8 || host->end > host->total ||
		memchr(host->there, 0, host->total))
		return false;
	udp.size = load_be16(host->bytes + 4);
	return udp.size >= 8 && udp.size <= host->total && csum_full_udp_good(&udp);
}
