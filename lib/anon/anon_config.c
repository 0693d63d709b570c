/* SPDX-License-Identifier: BSD-3-Clause */
// Apart from the rest, so that programs that only read the configuration are not linked with OpenSSL.
#include "anon/anon.h"

#define TRUNCATE_BITS_IPV4 22
#define TRUNCATE_BITS_IPV6 40

static const char *const mode_names[ANON_MODES] = {
	[ANON_TRUNCATE] = "truncate",
	[ANON_PSEUDONYM] = "pseudonym",
	[ANON_CRYPTO_PAN] = "crypto-pan",
	[ANON_IPCRYPT_PFX] = "ipcrypt-pfx",
};

const char *anon_mode_name(enum anon_mode mode)
{
	return mode_names[mode];
}

bool anon_mode_keyed(enum anon_mode mode)
{
	return mode == ANON_CRYPTO_PAN || mode == ANON_IPCRYPT_PFX;
}

uint8_t anon_bits(const struct anon_config *config, uint8_t family)
{
	bool v4 = family == ADDR_IPV4, cut = config->mode == ANON_TRUNCATE;
	unsigned bits = v4 ? config->ipv4_bits : config->ipv6_bits, most = v4 ? 32 : 128;

	if (bits == ANON_BITS_AUTO)
		return (uint8_t)(!cut ? most : v4 ? TRUNCATE_BITS_IPV4 : TRUNCATE_BITS_IPV6);
	return (uint8_t)(bits < most ? bits : most);
}
