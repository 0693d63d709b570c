/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Layout of a compiled generation. Numbers are in the byte order of the computer that wrote it.
 *
 *   +-----------------------------------------------------------+ 0
 *   | struct gen_header                               128 bytes |
 *   |   magic      8   "dnsweir\n"                              |
 *   |   version    4   GEN_VERSION                              |
 *   |   order      4   GEN_ORDER: tells the byte order          |
 *   |   hash      16   of all that follows here, see below      |
 *   |   file_size  8                                            |
 *   |   names_at   8   where the table of names starts          |
 *   |   names_size 8                                            |
 *   |   created    8   seconds since 1970                       |
 *   |   header_size, list_size, n_lists, reserved  4 each       |
 *   |   patterns_size 8   bytes of the book of patterns, 0: none|
 *   |   zeros     40                                            |
 *   +-----------------------------------------------------------+ 128
 *   | struct gen_list[n_lists]                  1376 bytes each |
 *   +-----------------------------------------------------------+
 *   | zeros up to the next multiple of 64                       |
 *   +-----------------------------------------------------------+ names_at
 *   | the block of fqdn_table, identifiers included             |
 *   +-----------------------------------------------------------+ names_at + names_size
 *   | the book of patterns, expressions as they were written    |
 *   +-----------------------------------------------------------+ file_size
 *
 * The hash is XXH3, 128 bits: of the header behind it, the lists with the zeros, and the hashes, 16
 * bytes each, of the pieces of GEN_PIECE bytes that the block of names is made of, and of the book of
 * patterns where there is one. Threads read and hash pieces, each while it is in a cache.
 *
 * It finds damage. It is no signature: who may write the file may write any file, so the table
 * is checked as well (fqdn_table_check). Then some of its names are looked up: a program that hashes
 * in another way than the one that wrote the file would find no name and say nothing.
 */
#include <assert.h>

#include "gen/gen.h"

#define GEN_MAGIC "dnsweir\n"
#define GEN_ORDER 0x01020304u

struct gen_header {
	char magic[8];
	uint32_t version, order;
	uint8_t hash[16];
	uint64_t file_size, names_at, names_size;
	int64_t created;
	uint32_t header_size, list_size, n_lists, reserved;
	uint64_t patterns_size;
	uint8_t zeros[40];
};

#define GEN_HASHED_FROM 32 /**< the hash covers the file from here */
#define GEN_HASH_SIZE   16
#define GEN_PIECE       ((size_t)256 << 10) /**< of the block of names */

static_assert(sizeof(struct gen_header) == 128, "layout above");
static_assert(offsetof(struct gen_header, file_size) == GEN_HASHED_FROM, "layout above");
static_assert(sizeof(struct gen_list) == 1376, "layout above");

/** Hash of a piece of the block of names (GEN_PIECE bytes, less in the last one), or of the book. */
void gen_piece_hash(const void *piece, size_t size, uint8_t hash[GEN_HASH_SIZE]);

/** The file's hash; @p lists with the zeros behind them, up to header->names_at. */
void gen_hash(const struct gen_header *header, const void *lists,
	const uint8_t (*pieces)[GEN_HASH_SIZE], size_t n_pieces, uint8_t hash[GEN_HASH_SIZE]);

static inline size_t gen_n_pieces(uint64_t names_size)
{
	return (size_t)((names_size + GEN_PIECE - 1) / GEN_PIECE);
}

static inline uint64_t gen_names_at(uint64_t n_lists)
{
	return (sizeof(struct gen_header) + n_lists * sizeof(struct gen_list) + 63) & ~63ull;
}
