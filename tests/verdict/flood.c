/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names made by somebody who knows the key. lib/fqdn draws its key with getrandom(), which this
 * program has in place of the C library's, and which gives a key that is as bad as can be: a name of
 * at most 16 octets whose octets 8 to 15 come to factor[0] has its hash multiplied by 0, so whatever
 * stands before them, all such names have one hash.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fqdn/fqdn_hash.h"
#include "support/random.h"
#include "verdict/corpus.h"

#define SAME      2000       // listed names of one hash, and below one of them as many again
#define NEAR      300        // listed names that share the hash's first bits: neighbouring buckets
#define NEAR_BITS 14         // as many buckets as 200,000 names may have
#define SLOTS     (1u << 20) // of the set of listed hashes

static const struct fqdn_key key = {
	.seed = 0x0123456789abcdefu,
	// Octets 8 to 15 of "\12???????ayz\3com", bit 5 of each set as the hash does it. All odd, as the
	// builder makes them.
	.factor = {0x006d6f63237a7961u, 0x9e3779b97f4a7c15u},
};

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
	const uint8_t *bytes = (const uint8_t *)&key;
	uint8_t *to = buffer;

	(void)flags;
	for (size_t i = 0; i < size; i++)
		to[i] = bytes[i % sizeof(key)];
	return (ssize_t)size;
}

bool flood_key_is_known(const struct fqdn_table *table)
{
	size_t size = fqdn_table_worker_size(table);

	return memmem(table, size < 4096 ? size : 4096, &key, sizeof(key)) != NULL;
}

static uint64_t labels_hash(uint64_t hash, const struct name *name, unsigned first, unsigned end)
{
	uint8_t room[NAME_SIZE + 1 + FQDN_PIECE] = {0};
	unsigned at = name->at[first], size = name->at[end] - at;

	memcpy(room, name->wire + at, size);
	return fqdn_hash_labels(&key, hash, room, size, sizeof(room));
}

// Hash of a name of two labels: what a look-up begins with.
static uint64_t pair_hash(const struct name *name)
{
	return labels_hash(key.seed, name, 0, 2);
}

// "???????ayz.com", all of one hash.
static void name_same(uint64_t *random, struct name *name)
{
	uint8_t label[10];

	for (unsigned i = 0; i < 7; i++)
		label[i] = (uint8_t)('a' + random_below(random, 26));
	memcpy(label + 7, "ayz", 3);
	name_clear(name);
	name_add(name, label, 10);
	name_add(name, "com", 3);
}

// A label of the same octets before a name: the hashes of these are the same, too.
static void name_same_below(uint64_t *random, const struct name *parent, struct name *name)
{
	uint8_t label[14];

	for (unsigned i = 0; i < 7; i++)
		label[i] = (uint8_t)('a' + random_below(random, 26));
	memcpy(label + 7, "ayz\3com", 7);
	name_clear(name);
	name_add(name, label, 14);
	name_add_labels(name, parent, 0, parent->n);
}

// Long enough that hardly any is listed by chance.
static void name_short(uint64_t *random, struct name *name)
{
	uint8_t label[63];
	unsigned size;

	name_clear(name);
	do {
		size = corpus_label(random, 12, label);
	} while (size < 8);
	name_add(name, label, size);
	name_add(name, "net", 3);
}

// Every second one is listed.
static void flood_add(struct corpus *corpus, uint64_t *random, const struct name *name, unsigned i)
{
	if (i % 2) {
		corpus_names_add(&corpus->flood, name);
		return;
	}
	corpus_entry(corpus, random, name);
	corpus_names_add(&corpus->flood_listed, name);
}

void flood_list(struct corpus *corpus, uint64_t *random)
{
	struct name name, parent;
	uint64_t first;

	name_same(random, &parent);
	first = pair_hash(&parent);
	for (unsigned i = 0; i < 2 * SAME; i++) {
		name_same(random, &name);
		corpus->n_same += pair_hash(&name) == first;
		flood_add(corpus, random, &name, i);
		name_same_below(random, &parent, &name);
		flood_add(corpus, random, &name, i);
	}
	for (unsigned i = 0; i < 2 * NEAR;) {
		name_short(random, &name);
		if ((pair_hash(&name) ^ first) >> (64 - NEAR_BITS) == 0)
			flood_add(corpus, random, &name, i++);
	}
}

// What a bucket and a tag may be made of: the highest and the lowest bits. Never 0.
static uint32_t bits_of(uint64_t hash)
{
	return (uint32_t)(hash >> 48 << 16 | (hash & 0xffff)) | (hash >> 32 == 0);
}

static bool bits_find(uint32_t *slots, uint32_t bits, bool add)
{
	uint32_t at = bits * 0x9e3779b1u >> 12;

	for (; slots[at]; at = (at + 1) & (SLOTS - 1))
		if (slots[at] == bits)
			return true;
	if (add)
		slots[at] = bits;
	return false;
}

void flood_alike(struct corpus *corpus, uint64_t *random, uint64_t tries)
{
	uint32_t *slots = calloc(SLOTS, sizeof(*slots));
	struct name name;

	if (!slots)
		abort();
	for (uint32_t i = 0; i < corpus->listed.n; i++) {
		corpus_names_get(&corpus->listed, i, &name);
		if (name.n >= 2)
			bits_find(slots, bits_of(labels_hash(key.seed, &name, name.n - 2u, name.n)),
				true);
	}
	for (uint64_t i = 0; i < tries; i++) {
		name_short(random, &name);
		if (bits_find(slots, bits_of(pair_hash(&name)), false))
			corpus_names_add(&corpus->alike, &name);
	}
	free(slots);
}
