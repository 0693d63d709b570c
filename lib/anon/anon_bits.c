/* SPDX-License-Identifier: BSD-3-Clause */
#include "anon/anon_private.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

/*
 * Both constructions turn bit i of an address around, or do not, by one bit that AES makes of the i
 * bits in front of it. So equal prefixes stay equal, and the bits of one address can be reckoned in any
 * order, and many at once: that is what AES instructions are quick at.
 *
 *                 block for bit i (128 bits, the highest first)        the bit
 *   crypto-pan    i bits of the address | pad from its bit i on        highest of AES(first half)
 *   ipcrypt-pfx   0 ... 0 1 | i bits of the address                    lowest of AES(first half)
 *                                                                      xor AES(second half)
 *
 * crypto-pan: pad is AES(first half) of the second half of the key, and an IPv4 address has 32 bits.
 * ipcrypt-pfx: an IPv4 address is the end of ::ffff:0:0/96, so bit 0 has the block 1 | 0...0 ffff.
 */
#define BLOCK 16 // bytes, of AES
#define BLOCKS_MAX \
	256 // in one call: as many as the longest address and both its keys need, and the stack
#define MAPPED_BITS 96 // ::ffff:0:0/96, RFC 4291 s2.5.5.2

/*
 * A client asks for many names in a row, so addresses that were seen a moment ago are remembered with
 * what came out. Where nothing was yet stands ADDR_NONE, and what comes out of that.
 */
#define RECENT_BITS 13
#define RECENT_SIZE (sizeof(struct anon_recent) << RECENT_BITS)

struct anon_recent {
	struct addr in;
	struct prefix out;
};

static struct anon_recent *recent_of(const struct anon *anon, const struct addr *addr)
{
	uint64_t word[2];

	memcpy(word, addr->bytes, sizeof(word));
	word[0] = (word[0] * 0x9e3779b97f4a7c15 ^ word[1]) * 0xd6e8feb86659fd93;
	return &anon->recent[word[0] >> (64 - RECENT_BITS)];
}

static EVP_CIPHER_CTX *aes_create(const uint8_t key[BLOCK])
{
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();

	if (aes && EVP_EncryptInit_ex2(aes, EVP_aes_128_ecb(), key, NULL, NULL) == 1 &&
		EVP_CIPHER_CTX_set_padding(aes, 0) == 1)
		return aes;
	EVP_CIPHER_CTX_free(aes);
	return NULL;
}

/** @return whether @p out holds n blocks encrypted */
static bool aes_blocks(EVP_CIPHER_CTX *aes, const uint8_t *in, uint8_t *out, unsigned n)
{
	int size = 0;

	return EVP_EncryptUpdate(aes, out, &size, in, (int)(n * BLOCK)) == 1 &&
	       size == (int)(n * BLOCK);
}

int anon_bits_create(struct anon *anon, const uint8_t key[ANON_KEY_SIZE])
{
	bool two = anon->mode == ANON_IPCRYPT_PFX;

	anon->aes[0] = aes_create(key);
	anon->aes[1] = two ? aes_create(key + BLOCK) : NULL;
	if (!anon->aes[0] || (two && !anon->aes[1]))
		return -ENOMEM;
	if (!two && !aes_blocks(anon->aes[0], key + BLOCK, anon->pad, 1))
		return -EIO;
	anon->recent = anon_memory_create(RECENT_SIZE);
	return anon->recent ? 0 : -errno;
}

void anon_bits_destroy(struct anon *anon)
{
	// The contexts are wiped as they are freed.
	EVP_CIPHER_CTX_free(anon->aes[0]);
	EVP_CIPHER_CTX_free(anon->aes[1]);
	anon_memory_destroy(anon->recent, RECENT_SIZE);
}

static void blocks_make(const struct anon *anon, const struct addr *in, uint8_t *blocks)
{
	unsigned __int128 address = anon_load(in->bytes), pad = anon_load(anon->pad);
	unsigned bits = anon_kept(anon, in->family);
	bool v4 = in->family == ADDR_IPV4;

	if (anon->mode == ANON_CRYPTO_PAN) {
		for (unsigned i = 0; i < bits; i++) {
			unsigned __int128 kept = anon_mask(i);

			anon_store(blocks + i * BLOCK, (address & kept) | (pad & ~kept));
		}
		return;
	}
	for (unsigned i = 0; i < bits; i++) {
		// Two shifts: one by 128 is not defined.
		unsigned __int128 prefix = address >> 1 >> (127 - i);

		prefix |= (unsigned __int128)1 << (v4 ? MAPPED_BITS + i : i);
		if (v4)
			prefix |= (unsigned __int128)0xffff << i;
		anon_store(blocks + i * BLOCK, prefix);
	}
}

/** Turn bits around as the encrypted blocks say. */
static void blocks_use(const struct anon *anon, const struct addr *in, struct prefix *out,
	const uint8_t *one, const uint8_t *two)
{
	unsigned bits = anon_kept(anon, in->family);
	unsigned __int128 turned = 0;

	for (unsigned i = 0; i < bits; i++) {
		const uint8_t *first = one + i * BLOCK, *second = two + i * BLOCK;
		unsigned bit = anon->mode == ANON_CRYPTO_PAN ? first[0] >> 7
							     : (first[15] ^ second[15]) & 1;

		turned = turned << 1 | bit;
	}
	if (bits > 0)
		turned <<= 128 - bits;
	anon_store(out->addr.bytes, (anon_load(in->bytes) ^ turned) & anon_mask(bits));
	out->addr.family = in->family;
	out->length = (uint8_t)bits;
}

/** Addresses whose blocks wait to be encrypted together. */
struct batch {
	uint8_t blocks[BLOCKS_MAX * BLOCK], two[BLOCKS_MAX * BLOCK];
	unsigned index[BLOCKS_MAX]; // in the burst
	unsigned n, used;           // addresses, blocks
};

static void batch_flush(
	const struct anon *anon, struct batch *batch, const struct addr *in, struct prefix *out)
{
	uint8_t *blocks = batch->blocks;
	unsigned at = 0;
	bool good;

	good = batch->used == 0 ||
	       ((!anon->aes[1] || aes_blocks(anon->aes[1], blocks, batch->two, batch->used)) &&
		       aes_blocks(anon->aes[0], blocks, blocks, batch->used));
	for (unsigned i = 0; i < batch->n; i++) {
		const struct addr *addr = &in[batch->index[i]];
		struct prefix *to = &out[batch->index[i]];

		if (good) {
			struct anon_recent *recent = recent_of(anon, addr);

			blocks_use(anon, addr, to, blocks + at * BLOCK, batch->two + at * BLOCK);
			recent->in = *addr;
			recent->out = *to;
		} else {
			anon_nothing(addr, to);
		}
		at += anon_kept(anon, addr->family);
	}
	batch->n = batch->used = 0;
}

void anon_bits_burst(const struct anon *anon, const struct addr *in, struct prefix *out, unsigned n)
{
	struct batch batch;

	batch.n = batch.used = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct anon_recent *recent = recent_of(anon, &in[i]);
		unsigned bits = anon_kept(anon, in[i].family);

		if (memcmp(&recent->in, &in[i], sizeof(in[i])) == 0) {
			out[i] = recent->out;
			continue;
		}
		if (batch.used + bits > BLOCKS_MAX || batch.n == BLOCKS_MAX)
			batch_flush(anon, &batch, in, out);
		blocks_make(anon, &in[i], batch.blocks + batch.used * BLOCK);
		batch.index[batch.n++] = i;
		batch.used += bits;
	}
	batch_flush(anon, &batch, in, out);
}
