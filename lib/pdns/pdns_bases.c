/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "shape/shape.h"

size_t pdns_bases_prefix(const uint8_t *start, size_t size, uint8_t key[PDNS_BASE_MAX])
{
	char text[SHAPE_TEXT_SIZE], shape[SHAPE_TEXT_SIZE];
	size_t used;

	key[0] = PDNS_TAG_BASE;
	if (size == 0)
		return 1;
	shape_text(start, text);
	used = shape_key(text, shape);
	key[1] = (uint8_t)used;
	memcpy(key + 2, shape, used);
	memcpy(key + 2 + used, start, size);
	return 2 + used + size;
}

const uint8_t *pdns_bases_read(const uint8_t *key, size_t size, size_t *base_size)
{
	size_t at = size > 1 ? 2u + key[1] : size;

	if (at >= size || pdns_name_size(key + at, size - at) != size - at)
		return NULL;
	*base_size = size - at;
	return key + at;
}

void pdns_bases_put(struct pdns *pdns, const uint8_t *base, pdns_index_visit visit, void *ctx)
{
	size_t size = pdns_name_size(base, DNS_NAME_SIZE_MAX);
	uint8_t key[PDNS_BASE_MAX];
	uint64_t hash, *known;

	// The root looks like nothing.
	if (size <= 1)
		return;
	hash = XXH3_64bits_withSeed(base, size, pdns->windows[0].seed);
	known = &pdns->bases[hash & (PDNS_BASES_SLOTS - 1)];
	if (*known == hash)
		return;
	*known = hash;
	visit(ctx, key, pdns_bases_prefix(base, size, key));
}

// The keys that begin with @p key.
static int bases_visit(
	struct pdns *pdns, const uint8_t *key, size_t size, const struct pdns_base_visitor *visitor)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_iterator_t *iterator = rocksdb_create_iterator(pdns->db, read);
	const uint8_t *found, *base;
	char *error = NULL;
	size_t n;
	int err = 0;

	for (rocksdb_iter_seek(iterator, (const char *)key, size);
		err == 0 && (found = pdns_scan_key(iterator, key, size, &n));
		rocksdb_iter_next(iterator)) {
		base = pdns_bases_read(found, n, &n);
		if (base)
			err = visitor->visit(visitor->ctx, base, n);
	}
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
	size_t size = strlen(shape);
	int err;

	if (size >= SHAPE_TEXT_SIZE || (label && label[0] > DNS_LABEL_SIZE_MAX))
		return -EINVAL;
	key[0] = PDNS_TAG_BASE;
	key[1] = (uint8_t)size;
	memcpy(key + 2, shape, size);
	size += 2;
	if (label) {
		memcpy(key + size, label, 1u + label[0]);
		size += 1u + label[0];
	}
	err = pdns_db_use(pdns);
	if (err)
		return err;
	err = bases_visit(pdns, key, size, visitor);
	pdns_db_unuse(pdns);
	return err;
}
