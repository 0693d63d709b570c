/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Keyed hash of names, label by label from the right, so that one pass over a name gives the hash of
 * each of its suffixes. The key is drawn anew for every generation: nobody outside can make names
 * that collide.
 *
 * Folded 64x64->128 bit multiplication over 8-octet pieces; the length octet of a label is part of
 * what is hashed, so label boundaries matter.
 */
#include <stdint.h>
#include <string.h>

struct fqdn_key {
	uint64_t seed, factor; /**< factor is odd */
};

static inline uint64_t fqdn_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/** Hash of the root: where every name starts. */
static inline uint64_t fqdn_hash_root(const struct fqdn_key *key)
{
	return key->seed;
}

/**
 * Extend the hash of a suffix by the label before it.
 *
 * @param label the length octet and the label, canonical; up to 7 octets behind it are read and
 *              masked out, so they must be addressable
 */
static inline uint64_t fqdn_hash_label(const struct fqdn_key *key, uint64_t hash, const uint8_t *label)
{
	unsigned left = label[0] + 1u;
	uint64_t piece;

	for (; left > 8; left -= 8, label += 8) {
		memcpy(&piece, label, 8);
		hash = fqdn_fold(hash ^ piece, key->factor);
	}
	memcpy(&piece, label, 8);
	piece &= ~0ull >> (64 - 8 * left);
	return fqdn_fold(hash ^ piece ^ ((uint64_t)left << 56), key->factor ^ hash);
}
