/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int addr_parse(const char *text, struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, addr->bytes) == 1)
		addr->family = ADDR_IPV4;
	else if (inet_pton(AF_INET6, text, addr->bytes) == 1)
		addr->family = ADDR_IPV6;
	else
		return -EINVAL;
	return 0;
}

char *addr_format(const struct addr *addr, char text[ADDR_TEXT_SIZE])
{
	if (addr->family == ADDR_NONE || !inet_ntop(addr->family == ADDR_IPV4 ? AF_INET : AF_INET6,
						 addr->bytes, text, ADDR_TEXT_SIZE))
		strcpy(text, "-");
	return text;
}

int prefix_parse(const char *text, struct prefix *prefix)
{
	char addr[ADDR_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long length;
	char *end;

	if (size >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, size);
	addr[size] = '\0';
	if (addr_parse(addr, &prefix->addr) < 0)
		return -EINVAL;
	length = addr_size(prefix->addr.family) * 8u;
	if (slash) {
		unsigned long given;

		if (!isdigit((unsigned char)slash[1]) || strlen(slash + 1) > 3)
			return -EINVAL;
		given = strtoul(slash + 1, &end, 10);
		if (*end || given > length)
			return -EINVAL;
		length = given;
	}
	prefix->length = (uint8_t)length;
	for (unsigned i = 0; i < sizeof(prefix->addr.bytes); i++) {
		unsigned kept = length > i * 8 ? (unsigned)length - i * 8 : 0;

		if (kept < 8)
			prefix->addr.bytes[i] &= (uint8_t)(0xff00 >> kept);
	}
	return 0;
}

char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE])
{
	char addr[ADDR_TEXT_SIZE];

	snprintf(text, PREFIX_TEXT_SIZE, "%s/%u", addr_format(&prefix->addr, addr), prefix->length);
	return text;
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
	unsigned whole = prefix->length / 8, bits = prefix->length % 8;

	if (prefix->addr.family != addr->family)
		return false;
	if (memcmp(prefix->addr.bytes, addr->bytes, whole) != 0)
		return false;
	return bits == 0 ||
	       ((prefix->addr.bytes[whole] ^ addr->bytes[whole]) & (0xff00 >> bits) & 0xff) == 0;
}

bool addr_is_loopback(const struct addr *addr)
{
	static const uint8_t one[16] = {[15] = 1};

	return addr->family == ADDR_IPV4 ? addr->bytes[0] == 127
					 : memcmp(addr->bytes, one, sizeof(one)) == 0;
}
