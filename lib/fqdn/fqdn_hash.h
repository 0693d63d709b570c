/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Keyed hash of names from the right: first the last labels together, where a look-up starts, then
 * label by label, so that one pass over a name gives the hash of each of its suffixes. The key is
 * drawn anew for every table: nobody outside can make names that collide.
 *
 * Labels are taken in wire form, length octets included, in pieces of 16 octets, letters folded to
 * lower case (RFC 4343) on the way; most of what is hashed is one piece. Each piece is mixed in with
 * one folded 64x64->128 bit multiplication.
 */
#include <stdint.h>
#include <string.h>

#include "dns/dns_name.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct fqdn_key {
	uint64_t seed, factor[2];
};

#define FQDN_PIECE 16

static inline uint64_t fqdn_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/** A piece, folded to lower case, zero behind its end: the plain way. */
static inline void fqdn_piece_scalar(const uint8_t *from, unsigned n, uint64_t piece[2])
{
	uint8_t bytes[FQDN_PIECE];

	for (unsigned i = 0; i < FQDN_PIECE; i++)
		bytes[i] = i < n ? dns_fold(from[i]) : 0;
	memcpy(piece, bytes, sizeof(bytes));
}

/**
 * The same; from[0..n) is the piece, @p readable octets may be read.
 *
 * Length octets are at most 63, below "A", so folding leaves them as they are.
 */
static inline void fqdn_piece(const uint8_t *from, unsigned n, unsigned readable, uint64_t piece[2])
{
#ifdef __SSE2__
	static const uint8_t masks[2 * FQDN_PIECE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	__m128i v, upper;

	if (__builtin_expect(readable < FQDN_PIECE, 0)) {
		fqdn_piece_scalar(from, n, piece);
		return;
	}
	v = _mm_loadu_si128((const __m128i *)(const void *)from);
	v = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(const void *)(masks + FQDN_PIECE - n)));
	// "A".."Z" become the 26 lowest signed octets.
	upper = _mm_cmplt_epi8(_mm_sub_epi8(v, _mm_set1_epi8((char)('A' - 128))),
		_mm_set1_epi8((char)(26 - 128)));
	v = _mm_add_epi8(v, _mm_and_si128(upper, _mm_set1_epi8(32)));
	piece[0] = (uint64_t)_mm_cvtsi128_si64(v);
	piece[1] = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(v, v));
#else
	(void)readable;
	fqdn_piece_scalar(from, n, piece);
#endif
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
	uint64_t piece[2];

	for (; __builtin_expect(size > FQDN_PIECE, 0);
		size -= FQDN_PIECE, labels += FQDN_PIECE, readable -= FQDN_PIECE) {
		fqdn_piece(labels, FQDN_PIECE, readable, piece);
		hash = fqdn_fold(piece[0] ^ hash ^ key->factor[0], piece[1] ^ key->factor[1]);
	}
	fqdn_piece(labels, size, readable, piece);
	return fqdn_fold(piece[0] ^ hash, piece[1] ^ key->factor[0]) ^ (hash << 32 | hash >> 32);
}
