/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Client addresses made anonymous, or pseudonymous, before they leave the process.
 *
 * One interface for four ways (doc/privacy.md says what each gives and does not give):
 *
 *   truncate     the first bits stay, the others are gone for good
 *   pseudonym    another address, under a random key that only memory holds and that each day replaces
 *   crypto-pan   another address, equal prefixes stay equal; whoever has the key can go back
 *   ipcrypt-pfx  the same with another construction
 *
 * Whatever the way, only the first `bits` of an address are looked at, so what is behind them cannot
 * come back. What comes out:
 *
 *   truncate     the prefix of the client
 *   pseudonym    2001:24::/32 and 96 bits for an IPv4 client, 2001:26::/32 and 96 bits for an IPv6 one,
 *                length 128, family ADDR_IPV6. The block 2001:20::/28 is for identifiers that are made
 *                by hashing and are never in the header of a packet (RFC 7343), so no pseudonym looks
 *                like a client.
 *   others       a prefix of the same family and of `bits` bits; it looks like anybody's
 *
 * Layer:   lib/anon; no EAL; OpenSSL's AES.
 * Threads: one at a time for each struct anon; its AES contexts change while they are used.
 * Source:  RFC 8932 appendix B; Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization (ICNP
 *          2002); draft-denis-ipcrypt (ipcrypt-pfx); RFC 7343 (ORCHIDv2).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum anon_mode {
	ANON_TRUNCATE,
	ANON_PSEUDONYM,
	ANON_CRYPTO_PAN,
	ANON_IPCRYPT_PFX,
	ANON_MODES,
};

#define ANON_KEY_SIZE  32         /**< bytes of a key of crypto-pan and ipcrypt-pfx */
#define ANON_BITS_AUTO UINT32_MAX /**< truncate: 22 and 40; others: all of the address */

struct anon_config {
	enum anon_mode mode;
	unsigned ipv4_bits; /**< 0..32, or ANON_BITS_AUTO */
	unsigned ipv6_bits; /**< 0..128, or ANON_BITS_AUTO */
};

struct anon;

/** The word of the configuration for @p mode. */
const char *anon_mode_name(enum anon_mode mode);

/** Whether @p mode has a key file; who has it can tell the clients. */
bool anon_mode_keyed(enum anon_mode mode);

/** Bits of an address of @p family that are looked at, with ANON_BITS_AUTO resolved. */
uint8_t anon_bits(const struct anon_config *config, uint8_t family);

/**
 * Make ready. A pseudonym's first key is drawn with the first day, see anon_set_day.
 *
 * @param key_file  for modes with a key: a file with 64 hexadecimal digits, nobody's but its owner's
 *                  (no permission for group and others); else not looked at
 * @param error     [out] on failure one line without a newline
 * @param size      bytes of @p error
 * @return taken, free with anon_destroy; or NULL
 */
struct anon *anon_create(
	const struct anon_config *config, const char *key_file, char *error, size_t size);

/** Wipe all keys and free; NULL is allowed. */
void anon_destroy(struct anon *anon);

/**
 * It is @p day now. With another day than before a pseudonym's key is wiped and a new one drawn; other
 * modes have nothing to do. To be called often: it costs a comparison.
 *
 * @param day  any number that is another one each day
 * @return 0, or -errno when there is no randomness. Then there is no key: addresses come out as a
 *         prefix of length 0 until a later call succeeds.
 */
int anon_set_day(struct anon *anon, uint16_t day);

/**
 * Make @p n addresses anonymous. Many at once are cheaper than one at a time. Hot path of the
 * statistics core: no allocation, lock or system call.
 *
 * Should AES fail, a prefix of length 0 comes out, never the address.
 *
 * @param in   n addresses; of family ADDR_NONE comes length 0
 * @param out  [out] n prefixes, see above
 */
void anon_burst(
	const struct anon *anon, const struct addr *in, struct prefix *out, unsigned n);

/** The same for one address. */
static inline void anon_address(
	const struct anon *anon, const struct addr *in, struct prefix *out)
{
	anon_burst(anon, in, out, 1);
}
