/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/flood.h"

#include <string.h>

#include "base/bytes.h"
#include "traffic/split.h"

#define PORTS      60000
#define PORT_FIRST 1024
#define HOSTS      1000
#define HOST_FIRST 0xc6120001u // 198.18.0.1
#define RESOLVER   0xc613ff35u // 198.19.255.53
#define FRAGMENT   512         // octets of a response's first fragment

// Ethernet and IPv4 headers; the total length comes later.
static void headers_put(uint8_t *out, uint32_t from, uint32_t to, uint8_t protocol)
{
	// Locally administered addresses.
	static const uint8_t head[] = {0x02, 0, 0, 0xf1, 0, 1, 0x02, 0, 0, 0xf1, 0, 2, 0x08, 0x00,
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 0, 0, 0};

	memcpy(out, head, sizeof(head));
	out[23] = protocol;
	store_be32(out + 26, from);
	store_be32(out + 30, to);
}

uint16_t flood_frame(enum flood_kind kind, uint32_t i, uint8_t *out)
{
	uint32_t client = HOST_FIRST + i / PORTS % HOSTS;
	uint16_t port = (uint16_t)(PORT_FIRST + i % PORTS);
	bool to_resolver = kind == FLOOD_SYN;
	struct frame_view v = {.version = 4,
		.protocol = FRAME_TCP,
		.l3 = 14,
		.movable = 34,
		.l4 = 34,
		.payload = 54,
		.end = 54};
	const struct cut_piece first = {0, FRAGMENT};

	memset(out, 0, 34 + 8 + 2 * FRAGMENT);
	headers_put(out, to_resolver ? client : RESOLVER, to_resolver ? RESOLVER : client,
		kind == FLOOD_FRAGMENT ? FRAME_UDP : FRAME_TCP);
	store_be16(out + 34, to_resolver ? port : FRAME_DNS_PORT);
	store_be16(out + 36, to_resolver ? FRAME_DNS_PORT : port);
	if (kind == FLOOD_FRAGMENT) {
		static uint8_t whole[FRAME_SIZE_MAX];

		v.protocol = FRAME_UDP;
		v.end = 34 + 2 * FRAGMENT;
		// A response, and a checksum to be reckoned.
		out[44] = 0x80;
		out[40] = 1;
		frame_finish(out, &v);
		memcpy(whole, out, v.end);
		return split_fragment(whole, &v, &first, i, out);
	}
	// Sequence and, in the answer, acknowledgement; header size, flags, window.
	store_be32(out + 38, kind == FLOOD_SYN ? i * 2654435761u : ~i);
	store_be32(out + 42, kind == FLOOD_SYN ? 0 : i * 2654435761u + 1);
	out[46] = 0x50;
	out[47] = kind == FLOOD_SYN ? FRAME_SYN : FRAME_SYN | FRAME_ACK;
	store_be16(out + 48, 0xfaf0);
	frame_finish(out, &v);
	return v.end;
}
