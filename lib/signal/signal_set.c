/* SPDX-License-Identifier: BSD-3-Clause */
#define XXH_INLINE_ALL
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "signal/signal_private.h"

#define SLOTS_FIRST 1024

static bool slot_take(uint64_t *slots, size_t n, uint64_t hash)
{
	size_t at = (hash >> 1) & (n - 1);

	while (slots[at] && slots[at] != hash)
		at = (at + 1) & (n - 1);
	if (slots[at])
		return false;
	slots[at] = hash;
	return true;
}

static int grow(struct signal_set *set)
{
	size_t n = set->n_slots ? 2 * set->n_slots : SLOTS_FIRST;
	uint64_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_slots; i++)
		if (set->slots[i])
			slot_take(slots, n, set->slots[i]);
	free(set->slots);
	set->slots = slots;
	set->n_slots = n;
	return 0;
}

int signal_set_add(struct signal_set *set, const uint8_t *name, size_t size)
{
	// 0 says that a slot is free.
	uint64_t hash = XXH3_64bits(name, size) | 1;

	if (2 * set->n >= set->n_slots && grow(set) < 0)
		return -ENOMEM;
	if (!slot_take(set->slots, set->n_slots, hash))
		return 0;
	set->n++;
	return 1;
}

void signal_set_clear(struct signal_set *set)
{
	if (set->n > 0)
		memset(set->slots, 0, set->n_slots * sizeof(*set->slots));
	set->n = 0;
}

void signal_set_free(struct signal_set *set)
{
	free(set->slots);
	*set = (struct signal_set){0};
}

size_t signal_base_at(const uint8_t *name)
{
	unsigned labels = 0, keep = pdns_base_labels(name);
	size_t at = 0;

	for (; name[at]; at += 1u + name[at])
		labels++;
	for (at = 0; labels > keep; labels--)
		at += 1u + name[at];
	return at;
}
