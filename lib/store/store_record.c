/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record in a value:
 *
 *   time     3 octets   bits 0..21 milliseconds of the hour, 22 over TCP, 23 a rule is there
 *   head     1 octet    bits 0..1 type: A, AAAA, HTTPS, other; 2..3 code: NOERROR, NXDOMAIN,
 *                       SERVFAIL, other; 4..5 client: none, IPv4, IPv6; 6 kept bits are there
 *   [type    2 octets]
 *   [code    2 octets]
 *   [bits    1 octet]   else 22 or 40 in log/, 32 or 128 in filtered/
 *   client              octets that have kept bits
 *   [rule]              what a rule decided: octets behind this number (2), generation (4), match
 *                       (1), client port (2), four texts and a name, each behind its length (1),
 *                       number of addresses (1), each behind its family (1)
 *
 * Seven octets for what is usual.
 */
#include "store_private.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "dns/dns_name.h"

#define TIME_MASK 0x3fffffu
#define TIME_TCP  0x400000u
#define TIME_RULE 0x800000u

#define HEAD_OTHER 3u // of type and of code
#define HEAD_BITS  0x40u

#define RULE_FIXED 9 // octets of a rule before its texts

static_assert(STORE_HOUR_MS <= TIME_MASK, "milliseconds of an hour fit");
static_assert(3 + 1 + 2 + 2 + 1 + 16 + RULE_FIXED + 5 * 256 + 1 + STORE_ADDRESSES_MAX * 17 <=
		      STORE_VALUE_MAX,
	"the longest record fits");

static const uint16_t usual_types[HEAD_OTHER] = {DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_HTTPS};
static const uint16_t usual_codes[HEAD_OTHER] = {DNS_RCODE_NOERROR, DNS_RCODE_NXDOMAIN, 2};

static unsigned usual_find(const uint16_t usual[HEAD_OTHER], uint16_t value)
{
	unsigned i = 0;

	while (i < HEAD_OTHER && usual[i] != value)
		i++;
	return i;
}

// Bits of a client's address that are kept as a rule.
static uint8_t usual_bits(bool filtered, uint8_t family)
{
	if (family == ADDR_IPV4)
		return filtered ? 32 : 22;
	return filtered ? 128 : 40;
}

static bool has_rule(const struct store_record *r)
{
	return (r->list && *r->list) || (r->id && *r->id) || (r->action && *r->action) ||
	       (r->verdict && *r->verdict) || r->generation || r->match || r->match_name_size ||
	       r->client_port || r->n_addresses;
}

static uint8_t *text_put(uint8_t *p, const char *text)
{
	size_t size = text ? strnlen(text, STORE_TEXT_MAX) : 0;

	*p++ = (uint8_t)size;
	memcpy(p, text ? text : "", size);
	return p + size;
}

static uint8_t *rule_put(uint8_t *p, const struct store_record *r)
{
	uint8_t *size = p;
	uint8_t n = r->addresses ? r->n_addresses : 0;

	store_be32(p + 2, r->generation);
	p[6] = r->match;
	store_be16(p + 7, r->client_port);
	p = text_put(p + RULE_FIXED, r->list);
	p = text_put(p, r->id);
	p = text_put(p, r->action);
	p = text_put(p, r->verdict);
	*p++ = r->match_name ? r->match_name_size : 0;
	for (unsigned i = 0; r->match_name && i < r->match_name_size; i++)
		*p++ = dns_fold(r->match_name[i]);
	n = n > STORE_ADDRESSES_MAX ? STORE_ADDRESSES_MAX : n;
	*p++ = n;
	for (unsigned i = 0; i < n; i++) {
		*p++ = r->addresses[i].family;
		memcpy(p, r->addresses[i].bytes, addr_size(r->addresses[i].family));
		p += addr_size(r->addresses[i].family);
	}
	store_be16(size, (uint16_t)(p - size - 2));
	return p;
}

size_t store_record_encode(const struct store_record *r, uint32_t ms, uint8_t *value)
{
	unsigned type = usual_find(usual_types, r->type), code = usual_find(usual_codes, r->rcode);
	uint8_t family = r->client.addr.family, *p = value;
	unsigned client = family == ADDR_IPV4 ? 1 : family == ADDR_IPV6 ? 2 : 0;
	bool bits = client && r->client.length != usual_bits(r->filtered, family);
	bool rule = has_rule(r);
	uint32_t time = ms | (r->tcp ? TIME_TCP : 0) | (rule ? TIME_RULE : 0);
	size_t size = client ? (r->client.length + 7u) / 8 : 0;

	*p++ = (uint8_t)(time >> 16);
	*p++ = (uint8_t)(time >> 8);
	*p++ = (uint8_t)time;
	*p++ = (uint8_t)(type | code << 2 | client << 4 | (bits ? HEAD_BITS : 0));
	if (type == HEAD_OTHER) {
		store_be16(p, r->type);
		p += 2;
	}
	if (code == HEAD_OTHER) {
		store_be16(p, r->rcode);
		p += 2;
	}
	if (bits)
		*p++ = r->client.length;
	memcpy(p, r->client.addr.bytes, size);
	p += size;
	if (rule)
		p = rule_put(p, r);
	return (size_t)(p - value);
}

// Octets of a text with its length, or 0.
static size_t text_take(const uint8_t *p, size_t size, char text[STORE_TEXT_MAX + 1])
{
	if (size < 1 || size - 1 < *p)
		return 0;
	memcpy(text, p + 1, *p);
	text[*p] = '\0';
	return (size_t)*p + 1;
}

static bool addresses_take(
	const uint8_t *p, size_t size, struct store_record *r, struct store_room *room)
{
	uint8_t n = *p++;

	size--;
	if (n > STORE_ADDRESSES_MAX)
		return false;
	for (unsigned i = 0; i < n; i++) {
		struct addr *addr = &room->addresses[i];

		if (size < 1 || (*p != ADDR_IPV4 && *p != ADDR_IPV6) || size - 1 < addr_size(*p))
			return false;
		*addr = (struct addr){.family = *p};
		memcpy(addr->bytes, p + 1, addr_size(*p));
		size -= 1u + addr_size(*p);
		p += 1u + addr_size(*p);
	}
	r->n_addresses = n;
	r->addresses = room->addresses;
	return true;
}

// Octets behind the ones known are passed over: a later version may add some.
static size_t rule_take(
	const uint8_t *value, size_t left, struct store_record *r, struct store_room *room)
{
	const char **texts[] = {&r->list, &r->id, &r->action, &r->verdict};
	const uint8_t *p = value + RULE_FIXED;
	size_t size, taken;

	if (left < RULE_FIXED || left - 2 < load_be16(value) || load_be16(value) + 2u < RULE_FIXED)
		return 0;
	size = load_be16(value) + 2u - RULE_FIXED;
	r->generation = load_be32(value + 2);
	r->match = value[6];
	r->client_port = load_be16(value + 7);
	for (unsigned i = 0; i < 4; i++) {
		taken = text_take(p, size, room->text[i]);
		if (taken == 0)
			return 0;
		*texts[i] = room->text[i];
		p += taken;
		size -= taken;
	}
	if (size < 2 || size - 2 < *p)
		return 0;
	r->match_name_size = *p;
	r->match_name = *p ? p + 1 : NULL;
	size -= 1u + *p;
	p += 1u + *p;
	return addresses_take(p, size, r, room) ? load_be16(value) + 2u : 0;
}

// The client of a record. Returns octets, or -1.
static int client_take(
	enum store_kind kind, unsigned head, const uint8_t *p, size_t left, struct prefix *client)
{
	unsigned family = head >> 4 & 3;
	size_t size, at = head & HEAD_BITS ? 1 : 0;

	if (family == 0)
		return 0;
	client->addr.family = family == 1 ? ADDR_IPV4 : ADDR_IPV6;
	client->length = usual_bits(kind == STORE_CHANGED, client->addr.family);
	if (at > left)
		return -1;
	if (at)
		client->length = *p;
	size = (client->length + 7u) / 8;
	if (family == 3 || client->length > addr_size(client->addr.family) * 8 || left - at < size)
		return -1;
	memcpy(client->addr.bytes, p + at, size);
	return (int)(at + size);
}

size_t store_record_decode(enum store_kind kind, const uint8_t *value, size_t size,
	struct store_record *r, struct store_room *room)
{
	size_t at = 4, taken;
	uint32_t time;
	unsigned head;
	int client;

	if (size < at)
		return 0;
	time = (uint32_t)value[0] << 16 | (uint32_t)value[1] << 8 | value[2];
	head = value[3];
	*r = (struct store_record){.time_ms = time & TIME_MASK,
		.tcp = time & TIME_TCP,
		.filtered = kind == STORE_CHANGED,
		.list = "",
		.id = "",
		.action = "",
		.verdict = ""};
	if (size - at <
		((head & 3) == HEAD_OTHER ? 2u : 0) + ((head >> 2 & 3) == HEAD_OTHER ? 2u : 0))
		return 0;
	if ((head & 3) == HEAD_OTHER) {
		r->type = load_be16(value + at);
		at += 2;
	} else {
		r->type = usual_types[head & 3];
	}
	if ((head >> 2 & 3) == HEAD_OTHER) {
		r->rcode = load_be16(value + at);
		at += 2;
	} else {
		r->rcode = usual_codes[head >> 2 & 3];
	}
	client = client_take(kind, head, value + at, size - at, &r->client);
	if (client < 0)
		return 0;
	at += (size_t)client;
	if (time & TIME_RULE) {
		taken = rule_take(value + at, size - at, r, room);
		if (taken == 0)
			return 0;
		at += taken;
	}
	return at;
}
