/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/wire.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "support/csum_full.h"

#define TYPE_IPV4  0x0800
#define TYPE_IPV6  0x86dd
#define TYPE_PPPOE 0x8864
#define PPP_IPV4   0x0021
#define PPP_IPV6   0x0057

#define PROTO_TCP 6
#define PROTO_UDP 17

_Noreturn static void die(const char *what, const char *text)
{
	fprintf(stderr, "frame description: %s: %s\n", what, text);
	abort();
}

struct wire *wire_create(void)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (!w)
		die("memory", "none");
	w->qdcount = w->ancount = -1;
	return w;
}

struct wire *wire_copy(const struct wire *w)
{
	struct wire *copy = wire_create();

	memcpy(copy, w, sizeof(*w));
	return copy;
}

void wire_destroy(struct wire *w)
{
	free(w);
}

void wire_put(struct wire *w, const void *bytes, size_t size)
{
	if (size > WIRE_ROOM - w->size)
		die("too long", "");
	if (size > 0)
		memcpy(w->bytes + w->size, bytes, size);
	w->size += size;
}

void wire_u8(struct wire *w, uint8_t v)
{
	wire_put(w, &v, 1);
}

void wire_u16(struct wire *w, uint16_t v)
{
	uint8_t bytes[2];

	store_be16(bytes, v);
	wire_put(w, bytes, sizeof(bytes));
}

void wire_u32(struct wire *w, uint32_t v)
{
	uint8_t bytes[4];

	store_be32(bytes, v);
	wire_put(w, bytes, sizeof(bytes));
}

void wire_zeros(struct wire *w, size_t n)
{
	for (; n > 0; n--)
		wire_u8(w, 0);
}

void wire_hex(struct wire *w, const char *text)
{
	for (const char *at = text; *at;) {
		char digits[3] = {at[0], at[1], '\0'};

		if (*at == ' ' || *at == ':') {
			at++;
			continue;
		}
		if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]))
			die("expected pairs of hexadecimal digits", text);
		wire_u8(w, (uint8_t)strtoul(digits, NULL, 16));
		at += 2;
	}
}

void wire_ether(struct wire *w)
{
	// Locally administered addresses.
	wire_hex(w, "02 00 00 00 00 01 02 00 00 00 00 02");
	w->type_at = w->size;
	wire_u16(w, 0);
}

void wire_type(struct wire *w, uint16_t type)
{
	if (w->next_at)
		w->bytes[w->next_at] = (uint8_t)type;
	else
		store_be16(w->bytes + w->type_at, type);
}

void wire_tag(struct wire *w, uint16_t ether_type, uint16_t vid)
{
	wire_type(w, ether_type);
	wire_u16(w, vid);
	w->type_at = w->size;
	wire_u16(w, 0);
}

void wire_pppoe(struct wire *w)
{
	wire_type(w, TYPE_PPPOE);
	w->pppoe = w->size;
	// Version and type 1, code 0 (session data), session 42; the length comes later.
	wire_hex(w, "11 00 002a 0000");
	w->type_at = w->size;
	wire_u16(w, 0);
}

void wire_ip(struct wire *w, const char *src, const char *dst)
{
	struct addr from, to;

	if (addr_parse(src, &from) < 0 || addr_parse(dst, &to) < 0 || from.family != to.family)
		die("expected two addresses of one family", src);
	w->version = from.family;
	if (w->version == 4)
		wire_type(w, w->pppoe ? PPP_IPV4 : TYPE_IPV4);
	else
		wire_type(w, w->pppoe ? PPP_IPV6 : TYPE_IPV6);
	w->ip = w->size;
	// Time to live and hop limit 64, identification and flow label 0.
	wire_hex(w, w->version == 4 ? "45 00 0000 0000 0000 40 00 0000" : "60000000 0000 00 40");
	w->next_at = w->ip + (w->version == 4 ? 9 : 6);
	wire_put(w, from.bytes, addr_size(from.family));
	wire_put(w, to.bytes, addr_size(to.family));
}

void wire_ip_options(struct wire *w, const uint8_t *options, size_t size)
{
	if (w->version != 4 || size % 4 || size > 40)
		die("expected up to 40 bytes of IPv4 options, in fours", "");
	wire_put(w, options, size);
	w->bytes[w->ip] = (uint8_t)(w->bytes[w->ip] + size / 4);
}

void wire_ext(struct wire *w, uint8_t protocol, const uint8_t *body, size_t size)
{
	wire_type(w, protocol);
	w->next_at = w->size;
	wire_u8(w, 0);
	wire_put(w, body, size);
}

void wire_udp(struct wire *w, uint16_t src, uint16_t dst)
{
	wire_type(w, PROTO_UDP);
	w->l4 = w->size;
	wire_u16(w, src);
	wire_u16(w, dst);
	wire_u32(w, 0);
}

void wire_tcp(struct wire *w, uint16_t src, uint16_t dst)
{
	wire_type(w, PROTO_TCP);
	wire_u16(w, src);
	wire_u16(w, dst);
	// Sequence and acknowledgement, data offset 5, ACK, window; the checksum is not looked at.
	wire_hex(w, "00000001 00000001 5010 ffff 0000 0000");
}

static void udp_finish(struct wire *w)
{
	struct csum_udp u = {.udp = w->bytes + w->l4, .size = w->size - w->l4};
	uint8_t *field = w->bytes + w->l4 + 6;
	uint32_t csum;

	store_be16(w->bytes + w->l4 + 4, (uint16_t)((int)u.size + w->add_udp));
	u.addresses = w->bytes + w->ip + (w->version == 4 ? 12 : 8);
	u.addresses_size = w->version == 4 ? 8 : 32;
	// A message that says it is shorter than its packet is summed as far as it says.
	if (w->add_udp < 0 && (int)u.size + w->add_udp >= 8)
		u.size = (size_t)((int)u.size + w->add_udp);
	csum = csum_full_udp(&u);
	if (w->csum == WIRE_CSUM_WRONG) {
		csum += w->csum_by;
		csum = (csum & 0xffff) + (csum >> 16);
	}
	store_be16(field, w->csum == WIRE_CSUM_NONE ? 0 : (uint16_t)csum);
}

static void ip_finish(struct wire *w)
{
	uint8_t *ip = w->bytes + w->ip;
	size_t header = (ip[0] & 15) * 4u;

	if (w->version == 6) {
		store_be16(ip + 4, (uint16_t)((int)(w->size - w->ip - 40) + w->add_ip));
		return;
	}
	store_be16(ip + 2, (uint16_t)((int)(w->size - w->ip) + w->add_ip));
	store_be16(ip + 10, (uint16_t)~csum_full_sum(0, ip, header));
}

void wire_finish(struct wire *w)
{
	if (w->dns) {
		store_be16(w->bytes + w->dns + 4,
			w->qdcount < 0 ? w->n_questions : (uint16_t)w->qdcount);
		store_be16(w->bytes + w->dns + 6,
			w->ancount < 0 ? w->counts[WIRE_ANSWER] : (uint16_t)w->ancount);
		store_be16(w->bytes + w->dns + 8, w->counts[WIRE_AUTHORITY]);
		store_be16(w->bytes + w->dns + 10, w->counts[WIRE_ADDITIONAL]);
	}
	if (w->pppoe)
		store_be16(w->bytes + w->pppoe + 4, (uint16_t)(w->size - w->pppoe - 6));
	if (w->ip)
		ip_finish(w);
	if (w->l4)
		udp_finish(w);
}
