/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Keyed hash of names from the right: first the last two labels together, where a look-up starts,
 * then label by label, so that one pass over a name gives the hash of each of its suffixes. The key
 * is drawn anew for every table: nobody outside can make names that collide.
 *
 * Labels are taken in wire form, length octets included, in pieces of 32 octets; nearly all that is
 * hashed is one piece. Each half of a piece goes through a folded 64x64->128 bit multiplication; the
 * two do not wait for each other.
 *
 * Bit 5 of each octet is set on the way: upper and lower case hash alike. So do some octets that are
 * no letters, and a few lengths; a name that is found is compared octet by octet.
 */
#include <stdint.h>
#include <string.h>

#include "dns/dns_name.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct fqdn_key {
	uint64_t seed, factor[3];
};

#define FQDN_PIECE 32

static inline uint64_t fqdn_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/** A piece, zero behind its end: the plain way. Only from[0..n) is read. */
static inline void fqdn_piece_scalar(const uint8_t *from, unsigned n, uint64_t piece[4])
{
	uint8_t bytes[FQDN_PIECE];

	for (unsigned i = 0; i < FQDN_PIECE; i++)
		bytes[i] = i < n ? from[i] | 0x20 : 0;
	memcpy(piece, bytes, sizeof(bytes));
}

/** The same where all of from[0..FQDN_PIECE) may be read. */
static inline void fqdn_piece(const uint8_t *from, unsigned n, uint64_t piece[4])
{
#ifdef __SSE2__
	static const uint8_t masks[2 * FQDN_PIECE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const uint8_t *mask = masks + FQDN_PIECE - n;

	for (unsigned i = 0; i < 2; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(from + 16 * i));
		__m128i m = _mm_loadu_si128((const __m128i *)(const void *)(mask + 16 * i));

		v = _mm_and_si128(_mm_or_si128(v, _mm_set1_epi8(0x20)), m);
		piece[2 * i] = (uint64_t)_mm_cvtsi128_si64(v);
		piece[2 * i + 1] = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(v, v));
	}
#else
	fqdn_piece_scalar(from, n, piece);
#endif
}

static inline uint64_t fqdn_mix(const struct fqdn_key *key, uint64_t hash, const uint64_t piece[4])
{
	return fqdn_fold(piece[0] ^ hash, piece[1] ^ key->factor[0]) +
	       fqdn_fold(piece[2] ^ key->factor[1], piece[3] ^ key->factor[2]);
}

/**
 * Hash of the labels that a look-up starts with, or of one label more.
 *
 * @param hash     of the suffix behind, key->seed for none
 * @param labels   @p size octets of labels in wire form, one or several
 * @param readable octets from labels on that may be read, at least size
 */
static inline uint64_t fqdn_hash_labels(const struct fqdn_key *key, uint64_t hash,
	const uint8_t *labels, unsigned size, unsigned readable)
{
	for (;;) {
		unsigned n = size < FQDN_PIECE ? size : FQDN_PIECE;
		uint64_t piece[4];

		if (__builtin_expect(readable >= FQDN_PIECE, 1))
			fqdn_piece(labels, n, piece);
		else
			fqdn_piece_scalar(labels, n, piece);
		hash = fqdn_mix(key, hash, piece);
		if (__builtin_expect(size <= FQDN_PIECE, 1))
			return hash;
		size -= FQDN_PIECE;
		labels += FQDN_PIECE;
		readable -= FQDN_PIECE;
	}
}
