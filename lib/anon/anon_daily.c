/* SPDX-License-Identifier: BSD-3-Clause */
// EVP's contexts keep their key schedule in memory that OpenSSL takes from the heap, which can be
// written to swap space and core dumps. The functions under EVP let the caller say where it is; they
// are deprecated, not gone, in OpenSSL 3.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "anon/anon_private.h"

#include <errno.h>
#include <openssl/aes.h>
#include <string.h>
#include <sys/random.h>

#define KEY_BITS 128

/*
 * A pseudonym, 128 bits:
 *
 *   2001:24 or 2001:26 | first 96 bits of AES(key of the family, kept bits of the address)
 *
 * A key for each family, so that no IPv4 address has the block of an IPv6 one. Of ten million clients
 * two have the same pseudonym with a probability of 1 in 10^15.
 */
#define ORCHID_IPV4 0x20010024u // RFC 7343: 2001:20::/28, then 4 bits that tell families here
#define ORCHID_IPV6 0x20010026u

struct anon_daily {
	AES_KEY ipv4, ipv6;
	uint8_t raw[ANON_KEY_SIZE]; // while schedules are made of it
	bool ready;
};

struct anon_daily *anon_daily_create(void)
{
	return anon_memory_create(sizeof(struct anon_daily));
}

void anon_daily_destroy(struct anon_daily *daily)
{
	anon_memory_destroy(daily, sizeof(*daily));
}

int anon_daily_renew(struct anon_daily *daily)
{
	ssize_t n;

	explicit_bzero(daily, sizeof(*daily));
	do
		n = getrandom(daily->raw, sizeof(daily->raw), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(daily->raw)) {
		int err = n < 0 ? -errno : -EIO;

		explicit_bzero(daily, sizeof(*daily));
		return err;
	}
	AES_set_encrypt_key(daily->raw, KEY_BITS, &daily->ipv4);
	AES_set_encrypt_key(daily->raw + KEY_BITS / 8, KEY_BITS, &daily->ipv6);
	explicit_bzero(daily->raw, sizeof(daily->raw));
	daily->ready = true;
	return 0;
}

void anon_daily_burst(
	const struct anon *anon, const struct addr *in, struct prefix *out, unsigned n)
{
	const struct anon_daily *daily = anon->daily;

	for (unsigned i = 0; i < n; i++) {
		bool v4 = in[i].family == ADDR_IPV4;
		unsigned __int128 kept =
			anon_load(in[i].bytes) & anon_mask(anon_kept(anon, in[i].family));
		uint8_t block[16];

		if (!daily->ready || in[i].family == ADDR_NONE) {
			anon_nothing(&in[i], &out[i]);
			continue;
		}
		anon_store(block, kept);
		AES_encrypt(block, block, v4 ? &daily->ipv4 : &daily->ipv6);
		anon_store(out[i].addr.bytes, (unsigned __int128)(v4 ? ORCHID_IPV4 : ORCHID_IPV6)
							      << 96 |
						      anon_load(block) >> 32);
		out[i].addr.family = ADDR_IPV6;
		out[i].length = 128;
	}
}

const void *anon_daily_memory(const struct anon_daily *daily, size_t *size)
{
	*size = sizeof(*daily);
	return daily;
}
