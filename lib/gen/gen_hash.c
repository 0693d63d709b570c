/* SPDX-License-Identifier: BSD-3-Clause */
#include "gen/gen_private.h"

#include <string.h>

// Compiled here, for this CPU: the library's own code is for the oldest one.
#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert(sizeof(XXH128_canonical_t) == GEN_HASH_SIZE, "layout in the header");

static void hash_put(XXH128_hash_t hash, uint8_t *to)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	memcpy(to, &canonical, sizeof(canonical));
}

void gen_piece_hash(const void *piece, size_t size, uint8_t hash[GEN_HASH_SIZE])
{
	hash_put(XXH3_128bits(piece, size), hash);
}

void gen_hash(const struct gen_header *header, const void *lists,
	const uint8_t (*pieces)[GEN_HASH_SIZE], size_t n_pieces, uint8_t hash[GEN_HASH_SIZE])
{
	XXH3_state_t state;

	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	XXH3_128bits_update(&state, &header->file_size, sizeof(*header) - GEN_HASHED_FROM);
	XXH3_128bits_update(&state, lists, header->names_at - sizeof(*header));
	XXH3_128bits_update(&state, pieces, n_pieces * GEN_HASH_SIZE);
	hash_put(XXH3_128bits_digest(&state), hash);
}
