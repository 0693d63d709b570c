/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "shape/shape.h"

// Returns octets. What is reversed or without a name has no base domain.
static size_t key_of(const uint8_t *base, uint8_t key[PDNS_BASE_MAX])
{
	char text[SHAPE_TEXT_SIZE], shape[SHAPE_TEXT_SIZE];
	size_t size;

	shape_text(base, text);
	size = shape_key(text, shape);
	key[0] = PDNS_TAG_BASE;
	key[1] = (uint8_t)size;
	memcpy(key + 2, shape, size);
	return 2 + size + pdns_name_fold(base, key + 2 + size);
}

void pdns_bases_put(struct pdns *pdns, const uint8_t *owner, pdns_index_visit visit, void *ctx)
{
	const uint8_t *base = owner + pdns_name_tail(owner, pdns_base_labels(owner));
	size_t size = pdns_name_size(base, DNS_NAME_SIZE_MAX);
	uint8_t key[PDNS_BASE_MAX];
	uint64_t hash, *known;

	if (size <= 1)
		return;
	hash = XXH3_64bits_withSeed(base, size, pdns->windows[0].seed);
	known = &pdns->bases[hash & (PDNS_BASES_SLOTS - 1)];
	if (*known == hash)
		return;
	*known = hash;
	visit(ctx, key, key_of(base, key));
}

// The keys that begin with @p key.
static int bases_visit(struct pdns *pdns, const uint8_t *key, size_t size, size_t base,
	const struct pdns_base_visitor *visitor)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_iterator_t *iterator = rocksdb_create_iterator(pdns->db, read);
	const uint8_t *found;
	char *error = NULL;
	size_t n;
	int err = 0;

	for (rocksdb_iter_seek(iterator, (const char *)key, size);
		err == 0 && (found = pdns_scan_key(iterator, key, size, &n));
		rocksdb_iter_next(iterator))
		if (n > base && pdns_name_size(found + base, n - base) == n - base)
			err = visitor->visit(visitor->ctx, found + base, n - base);
	rocksdb_iter_get_error(iterator, &error);
	err = err ? err : rocks_error(error);
	rocksdb_iter_destroy(iterator);
	rocksdb_readoptions_destroy(read);
	return err;
}

int pdns_bases(struct pdns *pdns, const char *shape, const uint8_t *label,
	const struct pdns_base_visitor *visitor)
{
	uint8_t key[PDNS_BASE_MAX];
	size_t size = strlen(shape), base = 2 + size;
	int err;

	if (size >= SHAPE_TEXT_SIZE || (label && label[0] > DNS_LABEL_SIZE_MAX))
		return -EINVAL;
	key[0] = PDNS_TAG_BASE;
	key[1] = (uint8_t)size;
	memcpy(key + 2, shape, size);
	size = base;
	if (label) {
		memcpy(key + size, label, 1u + label[0]);
		size += 1u + label[0];
	}
	err = pdns_db_use(pdns);
	if (err)
		return err;
	err = bases_visit(pdns, key, size, base, visitor);
	pdns_db_unuse(pdns);
	return err;
}
