/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <string.h>

#include "dns/dns_name.h"

// Offsets of the labels of a name in wire form. Returns how many, or -1 when it is no name of that
// size.
static int labels_find(const uint8_t *name, size_t size, uint8_t at[DNS_LABELS_MAX])
{
	size_t off = 0;
	int n = 0;

	while (off < size && name[off] != 0) {
		if (name[off] > DNS_LABEL_SIZE_MAX || n == DNS_LABELS_MAX)
			return -1;
		at[n++] = (uint8_t)off;
		off += (size_t)name[off] + 1;
	}
	return off + 1 == size && size <= DNS_NAME_SIZE_MAX ? n : -1;
}

size_t store_key_make(uint8_t hour, const uint8_t *name, size_t size, uint8_t key[STORE_KEY_MAX])
{
	uint8_t at[DNS_LABELS_MAX];
	int n = labels_find(name, size, at);
	size_t used = 1;

	if (n < 0)
		return 0;
	key[0] = hour;
	while (n-- > 0) {
		const uint8_t *label = name + at[n];

		key[used++] = *label;
		for (unsigned i = 1; i <= *label; i++)
			key[used++] = dns_fold(label[i]);
	}
	key[used++] = 0;
	return used;
}

size_t store_key_name(const uint8_t *key, size_t size, uint8_t name[DNS_NAME_SIZE_MAX])
{
	uint8_t at[DNS_LABELS_MAX];
	size_t end = 1, used = 0;
	int n;

	while (end < size && key[end] != 0)
		end += (size_t)key[end] + 1;
	if (end >= size)
		return 0;
	n = labels_find(key + 1, end, at);
	if (n < 0)
		return 0;
	while (n-- > 0) {
		memcpy(name + used, key + 1 + at[n], (size_t)key[1 + at[n]] + 1);
		used += (size_t)key[1 + at[n]] + 1;
	}
	name[used++] = 0;
	return used;
}

size_t store_key_after(uint8_t *key, size_t size)
{
	while (size > 0 && key[size - 1] == 0xff)
		size--;
	if (size > 0)
		key[size - 1]++;
	return size;
}
