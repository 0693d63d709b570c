/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#include <string.h>

#include "base/bytes.h"
#include "dns/dns_name.h"

size_t pdns_name_size(const uint8_t *name, size_t size)
{
	size_t at = 0;

	while (at < size && name[at] > 0 && name[at] <= DNS_LABEL_SIZE_MAX)
		at += 1u + name[at];
	return at < size && name[at] == 0 && at < DNS_NAME_SIZE_MAX ? at + 1 : 0;
}

unsigned pdns_name_labels(const uint8_t *name)
{
	unsigned n = 0;

	for (; *name; name += 1u + *name)
		n++;
	return n;
}

size_t pdns_name_tail(const uint8_t *name, unsigned labels)
{
	unsigned n = pdns_name_labels(name);
	size_t at = 0;

	for (; n > labels; n--)
		at += 1u + name[at];
	return at;
}

size_t pdns_name_reverse(const uint8_t *name, uint8_t *to)
{
	uint8_t at[DNS_LABELS_MAX];
	size_t off = 0, used = 0;
	unsigned n = 0;

	for (; name[off]; off += 1u + name[off])
		at[n++] = (uint8_t)off;
	while (n-- > 0) {
		const uint8_t *label = name + at[n];

		memcpy(to + used, label, 1u + *label);
		used += 1u + *label;
	}
	to[used++] = 0;
	return used;
}

size_t pdns_name_fold(const uint8_t *name, uint8_t *to)
{
	size_t size = pdns_name_size(name, DNS_NAME_SIZE_MAX);

	// Length octets are no letters: the longest label has 63.
	for (size_t i = 0; i < size; i++)
		to[i] = dns_fold(name[i]);
	return size;
}

size_t pdns_key_rrset(const struct pdns_tuple_key *tuple, uint8_t *key)
{
	size_t used = 1;

	key[0] = PDNS_TAG_TUPLE;
	used += pdns_name_reverse(tuple->owner, key + used);
	store_be16(key + used, tuple->type);
	key[used + 2] = tuple->bailiwick;
	return used + 3;
}

// The name that is reversed at @p key turned around again. Returns the octets, 0: there is none.
static size_t name_read(const uint8_t *key, size_t size, uint8_t *name)
{
	size_t n = pdns_name_size(key, size);

	return n ? pdns_name_reverse(key, name) : 0;
}

bool pdns_key_read(const uint8_t *key, size_t size, uint8_t *owner, struct pdns_tuple_key *tuple)
{
	size_t used;

	if (size < 1 || key[0] != PDNS_TAG_TUPLE)
		return false;
	used = name_read(key + 1, size - 1, owner);
	if (used == 0 || size - 1 - used < 3)
		return false;
	*tuple = (struct pdns_tuple_key){
		.owner = owner,
		.owner_size = used,
		.type = load_be16(key + 1 + used),
		.bailiwick = key[1 + used + 2],
		.rdata = key + 1 + used + 3,
		.rdata_size = size - 1 - used - 3,
	};
	return tuple->bailiwick <= pdns_name_labels(owner) && tuple->rdata_size <= PDNS_RDATA_MAX;
}

static size_t owner_put(const struct pdns_tuple_key *tuple, uint8_t *key)
{
	size_t used = pdns_name_reverse(tuple->owner, key);

	key[used] = tuple->bailiwick;
	return used + 1;
}

static void target_visit(const struct pdns_tuple_key *tuple, const uint8_t *target,
	pdns_index_visit visit, void *ctx)
{
	uint8_t key[PDNS_INDEX_MAX];
	size_t size = 1;

	key[0] = PDNS_TAG_TARGET;
	size += pdns_name_reverse(target, key + size);
	store_be16(key + size, tuple->type);
	size += 2;
	visit(ctx, key, size + owner_put(tuple, key + size));
	key[0] = PDNS_TAG_TARGET_START;
	visit(ctx, key, 1 + pdns_name_fold(target, key + 1));
}

void pdns_key_index(const struct pdns_tuple_key *tuple, pdns_index_visit visit, void *ctx)
{
	uint16_t at[DNS_RDATA_NAMES_MAX];
	uint8_t key[PDNS_INDEX_MAX];
	unsigned n;

	if ((tuple->type == DNS_TYPE_A && tuple->rdata_size == 4) ||
		(tuple->type == DNS_TYPE_AAAA && tuple->rdata_size == 16)) {
		key[0] = tuple->rdata_size == 4 ? PDNS_TAG_IPV4 : PDNS_TAG_IPV6;
		memcpy(key + 1, tuple->rdata, tuple->rdata_size);
		visit(ctx, key,
			1 + tuple->rdata_size + owner_put(tuple, key + 1 + tuple->rdata_size));
		return;
	}
	n = pdns_rdata_targets(tuple->type, tuple->rdata, tuple->rdata_size, at);
	for (unsigned i = 0; i < n; i++)
		target_visit(tuple, tuple->rdata + at[i], visit, ctx);
	if (n > 0)
		return;
	key[0] = PDNS_TAG_HASH;
	pdns_rdata_hash(tuple->rdata, tuple->rdata_size, key + 1);
	store_be16(key + 1 + PDNS_HASH_SIZE, tuple->type);
	visit(ctx, key, 3 + PDNS_HASH_SIZE + owner_put(tuple, key + 3 + PDNS_HASH_SIZE));
}

bool pdns_key_index_read(const uint8_t *key, size_t size, uint8_t *owner,
	struct pdns_tuple_key *tuple, const uint8_t **target)
{
	size_t at = 1, used;

	*target = NULL;
	*tuple = (struct pdns_tuple_key){.owner = owner};
	switch (key[0]) {
	case PDNS_TAG_IPV4:
	case PDNS_TAG_IPV6:
		tuple->type = key[0] == PDNS_TAG_IPV4 ? DNS_TYPE_A : DNS_TYPE_AAAA;
		tuple->rdata = key + 1;
		tuple->rdata_size = key[0] == PDNS_TAG_IPV4 ? 4 : 16;
		at += tuple->rdata_size;
		break;
	case PDNS_TAG_TARGET:
		*target = key + 1;
		at += pdns_name_size(key + 1, size - 1) + 2;
		break;
	case PDNS_TAG_HASH:
		at += PDNS_HASH_SIZE + 2;
		break;
	default:
		return false;
	}
	if (at >= size || (*target && at == 3))
		return false;
	if (!tuple->rdata)
		tuple->type = load_be16(key + at - 2);
	used = name_read(key + at, size - at, owner);
	if (used == 0 || size - at - used != 1)
		return false;
	tuple->owner_size = used;
	tuple->bailiwick = key[at + used];
	return true;
}

size_t pdns_key_after(uint8_t *key, size_t size)
{
	while (size > 0 && key[size - 1] == 0xff)
		size--;
	if (size > 0)
		key[size - 1]++;
	return size;
}
