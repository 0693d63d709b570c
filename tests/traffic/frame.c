/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/frame.h"

#include "base/bytes.h"
#include "support/csum_full.h"

#define ETHER_SIZE      14
#define ETHERTYPE_AT    12
#define ETHERTYPE_IPV4  0x0800
#define ETHERTYPE_IPV6  0x86dd
#define TAG_SIZE        4
#define IPV4_SIZE_MIN   20
#define IPV6_SIZE       40
#define TCP_SIZE_MIN    20
#define UDP_SIZE        8
#define CHECKSUM_AT_TCP 16
#define CHECKSUM_AT_UDP 6

enum {
	EXT_HOP_BY_HOP = 0,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_DESTINATION = 60,
};

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

static enum frame_kind look_ipv4(const uint8_t *frame, size_t size, struct frame_view *v)
{
	const uint8_t *ip = frame + v->l3;
	size_t room = size - v->l3, header, total;

	if (room < IPV4_SIZE_MIN || ip[0] >> 4 != 4)
		return FRAME_OTHER;
	header = (ip[0] & 15) * 4u;
	total = load_be16(ip + 2);
	if (header < IPV4_SIZE_MIN || total < header || total > room)
		return FRAME_OTHER;
	// More fragments to come, or not at offset 0.
	if (load_be16(ip + 6) & 0x3fff)
		return FRAME_FRAGMENT;
	v->version = 4;
	v->protocol = ip[9];
	v->l4 = (uint16_t)(v->l3 + header);
	v->movable = v->l4;
	v->end = (uint16_t)(v->l3 + total);
	return FRAME_WHOLE;
}

static enum frame_kind look_ipv6(const uint8_t *frame, size_t size, struct frame_view *v)
{
	const uint8_t *ip = frame + v->l3;
	size_t room = size - v->l3, at = v->l3 + IPV6_SIZE, next_at = v->l3 + 6u;
	uint8_t next;

	if (room < IPV6_SIZE || ip[0] >> 4 != 6 || IPV6_SIZE + (size_t)load_be16(ip + 4) > room)
		return FRAME_OTHER;
	v->version = 6;
	v->end = (uint16_t)(v->l3 + IPV6_SIZE + load_be16(ip + 4));
	v->movable = (uint16_t)at;
	v->next_at = (uint16_t)next_at;
	next = ip[6];
	while (next == EXT_HOP_BY_HOP || next == EXT_ROUTING || next == EXT_DESTINATION) {
		uint8_t kind = next;

		if (at + 8 > v->end)
			return FRAME_OTHER;
		next = frame[at];
		next_at = at;
		at += (frame[at + 1] + 1u) * 8;
		// Up to the last of these every fragment has them all.
		if (kind != EXT_DESTINATION) {
			v->movable = (uint16_t)at;
			v->next_at = (uint16_t)next_at;
		}
	}
	if (next == EXT_FRAGMENT)
		return FRAME_FRAGMENT;
	if (at > v->end)
		return FRAME_OTHER;
	v->l4 = (uint16_t)at;
	v->protocol = next;
	return FRAME_WHOLE;
}

enum frame_kind frame_look(const uint8_t *frame, size_t size, struct frame_view *v)
{
	size_t at = ETHER_SIZE, header;
	enum frame_kind kind = FRAME_OTHER;
	uint16_t type;

	*v = (struct frame_view){0};
	if (size < ETHER_SIZE || size > FRAME_SIZE_MAX)
		return FRAME_OTHER;
	type = load_be16(frame + ETHERTYPE_AT);
	while (is_tag(type) && at + TAG_SIZE <= size) {
		type = load_be16(frame + at + 2);
		at += TAG_SIZE;
	}
	v->l3 = (uint16_t)at;
	if (type == ETHERTYPE_IPV4)
		kind = look_ipv4(frame, size, v);
	else if (type == ETHERTYPE_IPV6)
		kind = look_ipv6(frame, size, v);
	if (kind != FRAME_WHOLE)
		return kind;
	if (v->protocol != FRAME_TCP && v->protocol != FRAME_UDP)
		return FRAME_CONTROL;
	if (v->l4 + (v->protocol == FRAME_TCP ? TCP_SIZE_MIN : UDP_SIZE) > v->end)
		return FRAME_CONTROL;
	header = v->protocol == FRAME_UDP ? UDP_SIZE : (frame[v->l4 + 12] >> 4) * 4u;
	if ((v->protocol == FRAME_TCP && header < TCP_SIZE_MIN) || v->l4 + header > v->end)
		return FRAME_CONTROL;
	v->payload = (uint16_t)(v->l4 + header);
	v->src = load_be16(frame + v->l4);
	v->dst = load_be16(frame + v->l4 + 2);
	return FRAME_WHOLE;
}

uint16_t frame_checksum(const uint8_t *frame, const struct frame_view *v)
{
	size_t size = (size_t)(v->end - v->l4);
	size_t field = v->protocol == FRAME_TCP ? CHECKSUM_AT_TCP : CHECKSUM_AT_UDP;
	const uint8_t *ip = frame + v->l3, *l4 = frame + v->l4;
	uint32_t sum = v->protocol + (uint32_t)size;
	uint16_t right;

	sum = csum_full_sum(sum, v->version == 4 ? ip + 12 : ip + 8, v->version == 4 ? 8 : 32);
	sum = csum_full_sum(sum, l4, field);
	sum = csum_full_sum(sum, l4 + field + 2, size - field - 2);
	right = (uint16_t)~sum;
	return right == 0 && v->protocol == FRAME_UDP ? 0xffff : right;
}

void frame_finish_ipv4(uint8_t *frame, uint16_t l3, uint16_t end)
{
	uint8_t *ip = frame + l3;

	store_be16(ip + 2, (uint16_t)(end - l3));
	store_be16(ip + 10, 0);
	store_be16(ip + 10, (uint16_t)~csum_full_sum(0, ip, (ip[0] & 15) * 4u));
}

void frame_finish(uint8_t *frame, const struct frame_view *v)
{
	uint8_t *l4 = frame + v->l4;

	if (v->version == 4)
		frame_finish_ipv4(frame, v->l3, v->end);
	else
		store_be16(frame + v->l3 + 4, (uint16_t)(v->end - v->l3 - IPV6_SIZE));
	if (v->protocol == FRAME_TCP) {
		store_be16(l4 + CHECKSUM_AT_TCP, frame_checksum(frame, v));
		return;
	}
	store_be16(l4 + 4, (uint16_t)(v->end - v->l4));
	if (v->version == 6 || load_be16(l4 + CHECKSUM_AT_UDP) != 0)
		store_be16(l4 + CHECKSUM_AT_UDP, frame_checksum(frame, v));
}
