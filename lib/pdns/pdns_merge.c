/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define VARINT_MAX 10

static size_t varint_write(uint64_t n, uint8_t *to)
{
	size_t used = 0;

	for (; n >= 0x80; n >>= 7)
		to[used++] = (uint8_t)(n | 0x80);
	to[used++] = (uint8_t)n;
	return used;
}

// Returns the octets, 0: it is cut short or too long.
static size_t varint_read(const uint8_t *from, size_t size, uint64_t *n)
{
	*n = 0;
	for (size_t i = 0; i < size && i < VARINT_MAX; i++) {
		*n |= (uint64_t)(from[i] & 0x7f) << (7 * i);
		if (from[i] < 0x80)
			return i + 1;
	}
	return 0;
}

#define ONCE(class) \
	(1u << (PDNS_CLASSES + (class))) // count 1, so last is first: half of all tuples

// Where the size of what comes after the first time stands, in octets less 1.
#define LASTED_BITS(class) (2 * PDNS_CLASSES + 2 * (class))

static unsigned octets_of(uint32_t n)
{
	return n >> 24 ? 4 : n >> 16 ? 3 : n >> 8 ? 2 : 1;
}

static bool is_once(const struct pdns_sum *sum)
{
	return sum->count == 1 && sum->last == sum->first;
}

size_t pdns_value_write(const struct pdns_sum sums[PDNS_CLASSES], uint8_t *value)
{
	size_t used = 1;

	value[0] = 0;
	for (unsigned c = 0; c < PDNS_CLASSES; c++) {
		uint32_t lasted = sums[c].last - sums[c].first;
		unsigned size = octets_of(lasted);

		if (sums[c].count == 0)
			continue;
		value[0] |= (uint8_t)(PDNS_CLASS_BIT(c) | (is_once(&sums[c]) ? ONCE(c) : 0));
		store_be32(value + used, sums[c].first);
		used += 4;
		if (is_once(&sums[c]))
			continue;
		value[0] |= (uint8_t)((size - 1) << LASTED_BITS(c));
		for (unsigned i = size; i > 0; i--)
			value[used++] = (uint8_t)(lasted >> 8 * (i - 1));
		used += varint_write(sums[c].count, value + used);
	}
	return used;
}

void pdns_sum_add(struct pdns_sum *to, const struct pdns_sum *from)
{
	if (to->count == 0) {
		*to = *from;
		return;
	}
	if (from->first < to->first)
		to->first = from->first;
	if (from->last > to->last)
		to->last = from->last;
	to->count = to->count + from->count < to->count ? UINT64_MAX : to->count + from->count;
}

// One class's. @p head: the value's first octet. Returns the octets, 0: it is damaged.
static size_t sum_read(
	const uint8_t *from, size_t size, uint8_t head, unsigned class, struct pdns_sum *sum)
{
	unsigned octets = 1 + (head >> LASTED_BITS(class) & 3);
	uint32_t lasted = 0;
	size_t at = 4, n;

	if (size < at)
		return 0;
	*sum = (struct pdns_sum){.count = 1, .first = load_be32(from), .last = load_be32(from)};
	if (head & ONCE(class))
		return at;
	if (size - at < octets)
		return 0;
	for (; octets > 0; octets--)
		lasted = lasted << 8 | from[at++];
	if (lasted > UINT32_MAX - sum->first)
		return 0;
	sum->last += lasted;
	n = varint_read(from + at, size - at, &sum->count);
	return n > 0 && sum->count > 0 ? at + n : 0;
}

bool pdns_value_add(const uint8_t *value, size_t size, struct pdns_sum sums[PDNS_CLASSES])
{
	struct pdns_sum read[PDNS_CLASSES] = {0};
	size_t at = 1;

	if (size < 1)
		return false;
	for (unsigned c = 0; c < PDNS_CLASSES; c++) {
		size_t n;

		if (!(value[0] & PDNS_CLASS_BIT(c)))
			continue;
		n = sum_read(value + at, size - at, value[0], c, &read[c]);
		if (n == 0)
			return false;
		at += n;
	}
	if (at != size)
		return false;
	for (unsigned c = 0; c < PDNS_CLASSES; c++)
		if (read[c].count > 0)
			pdns_sum_add(&sums[c], &read[c]);
	return true;
}

// What is damaged adds nothing: a merge that fails would make the whole database unreadable. NULL
// as the function that frees values means free() to RocksDB, so what is returned is malloc'ed.
static char *merge(const char *first, size_t first_size, const char *const *operands,
	const size_t *sizes, int n, unsigned char *success, size_t *size)
{
	struct pdns_sum sums[PDNS_CLASSES] = {0};
	uint8_t *value = malloc(PDNS_VALUE_MAX);

	*success = value != NULL;
	*size = 0;
	if (!value)
		return NULL;
	if (first)
		pdns_value_add((const uint8_t *)first, first_size, sums);
	for (int i = 0; i < n; i++)
		pdns_value_add((const uint8_t *)operands[i], sizes[i], sums);
	*size = pdns_value_write(sums, value);
	return (char *)value;
}

static char *merge_full(void *state, const char *key, size_t key_size, const char *existing,
	size_t existing_size, const char *const *operands, const size_t *sizes, int n,
	unsigned char *success, size_t *size)
{
	return merge(existing, existing_size, operands, sizes, n, success, size);
}

// The operator is associative. Without this, popular tuples would be merged anew by each reader.
static char *merge_partial(void *state, const char *key, size_t key_size,
	const char *const *operands, const size_t *sizes, int n, unsigned char *success,
	size_t *size)
{
	return merge(NULL, 0, operands, sizes, n, success, size);
}

static void merge_destroy(void *state)
{
}

static const char *merge_name(void *state)
{
	return "dnsweir.sum";
}

rocksdb_mergeoperator_t *pdns_merge_create(void)
{
	return rocksdb_mergeoperator_create(
		NULL, merge_destroy, merge_full, merge_partial, NULL, merge_name);
}
