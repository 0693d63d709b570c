/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/anon share.
 */
#include "anon/anon.h"

#include <openssl/types.h>

struct anon_daily; // a page of its own, see anon_daily.c

struct anon {
	enum anon_mode mode;
	uint8_t ipv4_bits, ipv6_bits;
	bool day_known;
	uint16_t day;
	struct anon_daily *daily; // pseudonym
	// crypto-pan: one with the first half of the key. ipcrypt-pfx: one for each half.
	EVP_CIPHER_CTX *aes[2];
	uint8_t pad[16]; // crypto-pan: what stands behind the bits of the address
	struct anon_recent *recent; // the same two: addresses seen a moment ago
};

/** Keep the first @p bits of an address, clear the others. */
static inline unsigned __int128 anon_mask(unsigned bits)
{
	return bits == 0 ? 0 : ~(unsigned __int128)0 << (128 - bits);
}

/** An address as a number whose highest bit is the address's first; IPv4 has its 32 bits on top. */
static inline unsigned __int128 anon_load(const uint8_t bytes[16])
{
	uint64_t word[2];

	__builtin_memcpy(word, bytes, sizeof(word));
	return (unsigned __int128)__builtin_bswap64(word[0]) << 64 | __builtin_bswap64(word[1]);
}

static inline void anon_store(uint8_t bytes[16], unsigned __int128 value)
{
	uint64_t word[2] = {
		__builtin_bswap64((uint64_t)(value >> 64)), __builtin_bswap64((uint64_t)value)};

	__builtin_memcpy(bytes, word, sizeof(word));
}

/** Bits of an address of @p family that are looked at; 0 for ADDR_NONE. */
static inline uint8_t anon_kept(const struct anon *anon, uint8_t family)
{
	return family == ADDR_IPV4   ? anon->ipv4_bits
	       : family == ADDR_IPV6 ? anon->ipv6_bits
				     : 0;
}

/** Nothing of an address but its family. */
static inline void anon_nothing(const struct addr *in, struct prefix *out)
{
	*out = (struct prefix){.addr.family = in->family};
}

/* anon_memory.c */
/** Memory, zeroed, that is never in swap space nor in a core dump. @return NULL with errno set */
void *anon_memory_create(size_t size);
/** Wipe and free; NULL is allowed. */
void anon_memory_destroy(void *memory, size_t size);

/* anon_key.c */
/** Read a key file. @return 0, or -errno with @p error set */
int anon_key_read(const char *path, uint8_t key[ANON_KEY_SIZE], char *error, size_t size);

/* anon_bits.c: crypto-pan and ipcrypt-pfx, in which each bit is a question to AES */
int anon_bits_create(struct anon *anon, const uint8_t key[ANON_KEY_SIZE]);
void anon_bits_destroy(struct anon *anon);
void anon_bits_burst(
	const struct anon *anon, const struct addr *in, struct prefix *out, unsigned n);

/* anon_daily.c: pseudonyms */
/** @return NULL with errno set */
struct anon_daily *anon_daily_create(void);
void anon_daily_destroy(struct anon_daily *daily);
/** Wipe the key, draw another. @return 0, or -errno: there is none now */
int anon_daily_renew(struct anon_daily *daily);
void anon_daily_burst(
	const struct anon *anon, const struct addr *in, struct prefix *out, unsigned n);
/** For tests: where the key schedules are. */
const void *anon_daily_memory(const struct anon_daily *daily, size_t *size);
