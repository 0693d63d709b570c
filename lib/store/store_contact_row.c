/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of sinkhole/:
 *
 *   key    hour      1 octet, as in log/
 *          family    1 octet
 *          client    4 or 16 octets
 *          minute    1 octet, of the hour
 *          protocol  1 octet
 *          port      2 octets
 *          named     1 octet, enum store_named
 *          name      all that is left
 *          chunk     8 octets: what it was read from
 *
 *   value  first     3 octets, milliseconds of the hour
 *          last      3 octets, the same
 *          number    4 octets
 *          port      2 octets, the client's latest
 */
#include "store_contact_private.h"

#include <string.h>

#define FIXED 7 // octets of a key but for the client and what is behind `named`
#define CHUNK 8

static void put24(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 16);
	p[1] = (uint8_t)(value >> 8);
	p[2] = (uint8_t)value;
}

static uint32_t get24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

size_t store_contact_row_make(const struct store_contact *c, uint8_t hour, uint32_t ms,
	uint8_t key[STORE_CONTACT_KEY_MAX], uint8_t value[STORE_CONTACT_VALUE_SIZE])
{
	size_t size = strnlen(c->name, STORE_CONTACT_NAME_MAX),
	       client = addr_size(c->client.family);
	int64_t span = c->last_ms - c->first_ms;
	uint8_t *p = key;

	*p++ = hour;
	*p++ = c->client.family;
	memcpy(p, c->client.bytes, client);
	p += client;
	*p++ = (uint8_t)(ms / STORE_MINUTE_MS);
	*p++ = c->protocol;
	store_be16(p, c->port);
	p[2] = c->named;
	p += 3;
	memcpy(p, c->name, size);
	put24(value, ms);
	put24(value + 3, ms + (uint32_t)(span < 0 || span >= STORE_MINUTE_MS ? 0 : span));
	store_be32(value + 6, c->n);
	store_be16(value + 10, c->client_port);
	return (size_t)(p - key) + size;
}

bool store_contact_key_read(const uint8_t *key, size_t size, struct store_contact *c,
	char name[STORE_CONTACT_NAME_MAX + 1])
{
	size_t client, left;

	*c = (struct store_contact){.name = name};
	if (size < FIXED || (key[1] != ADDR_IPV4 && key[1] != ADDR_IPV6))
		return false;
	client = addr_size(key[1]);
	if (size < FIXED + client + CHUNK)
		return false;
	left = size - FIXED - client - CHUNK;
	c->client.family = key[1];
	memcpy(c->client.bytes, key + 2, client);
	key += 3 + client;
	c->protocol = key[0];
	c->port = load_be16(key + 1);
	c->named = key[3];
	if (left > STORE_CONTACT_NAME_MAX || c->named >= STORE_NAMED_COUNT)
		return false;
	memcpy(name, key + 4, left);
	name[left] = '\0';
	return true;
}

bool store_contact_value_read(
	const uint8_t *value, size_t size, int64_t hour_ms, struct store_contact *c)
{
	if (size < STORE_CONTACT_VALUE_SIZE)
		return false;
	c->first_ms = hour_ms + get24(value);
	c->last_ms = hour_ms + get24(value + 3);
	c->n = load_be32(value + 6);
	c->client_port = load_be16(value + 10);
	return true;
}
