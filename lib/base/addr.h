/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * IP addresses and prefixes as plain values, and their text forms.
 *
 * Layer:   lib/base; no EAL, no allocation.
 * Threads: pure functions, any thread.
 * Source:  RFC 4291 s2.2, RFC 5952 (text of IPv6), RFC 4632 (prefix notation).
 */
#include <stdbool.h>
#include <stdint.h>

enum addr_family {
	ADDR_NONE = 0,
	ADDR_IPV4 = 4,
	ADDR_IPV6 = 6,
};

#define ADDR_TEXT_SIZE   46 /**< longest IPv6 text and its NUL (POSIX INET6_ADDRSTRLEN) */
#define PREFIX_TEXT_SIZE 50 /**< ADDR_TEXT_SIZE and "/128" */

struct addr {
	uint8_t bytes[16]; /**< network byte order; IPv4 uses the first 4, the rest is 0 */
	uint8_t family;    /**< enum addr_family */
};

struct prefix {
	struct addr addr; /**< bits past length are 0 */
	uint8_t length;   /**< bits, 0..32 or 0..128 */
};

/** Bytes of an address of @p family: 4 or 16. */
static inline uint8_t addr_size(uint8_t family)
{
	return family == ADDR_IPV4 ? 4 : 16;
}

/** Read an address. @return 0, or -EINVAL when @p text is no IPv4 or IPv6 address */
int addr_parse(const char *text, struct addr *addr);

/** Whether it is of 127.0.0.0/8, or ::1. */
bool addr_is_loopback(const struct addr *addr);

/** Write the text of @p addr. @return @p text */
char *addr_format(const struct addr *addr, char text[ADDR_TEXT_SIZE]);

/**
 * Read "ADDRESS/LENGTH", or "ADDRESS" for that one address. Bits past the length are cleared: a
 * customer's prefix written with a host address means the prefix.
 *
 * @return 0, or -EINVAL
 */
int prefix_parse(const char *text, struct prefix *prefix);

/** Write the text of @p prefix. @return @p text */
char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE]);

/** Whether @p addr lies in @p prefix; false when the families differ. */
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
