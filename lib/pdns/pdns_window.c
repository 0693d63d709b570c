/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_private.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <xxhash.h>

#define ENTRY_HEAD  offsetof(struct pdns_entry, octets)
#define ENTRY_USUAL 64 // octets of one: an address and a name of 20

int64_t pdns_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int pdns_window_init(struct pdns_window *window, size_t size)
{
	uint32_t n = 1024;

	// Half of the slots are free when entries are small, more when they are not.
	while ((size_t)n * ENTRY_USUAL < 2 * size)
		n *= 2;
	*window = (struct pdns_window){.size = size, .most = size, .mask = n - 1};
	window->arena = malloc(size);
	window->slots = calloc(n, sizeof(*window->slots));
	if (window->arena && window->slots &&
		getrandom(&window->seed, sizeof(window->seed), 0) == sizeof(window->seed))
		return 0;
	pdns_window_free(window);
	return -ENOMEM;
}

void pdns_window_free(struct pdns_window *window)
{
	free(window->arena);
	free(window->slots);
	*window = (struct pdns_window){0};
}

void pdns_window_clear(struct pdns_window *window)
{
	memset(window->slots, 0, ((size_t)window->mask + 1) * sizeof(*window->slots));
	window->used = window->n = window->n_ages = 0;
	window->since_us = 0;
}

// Octets between two ages.
static size_t age_step(const struct pdns_window *window)
{
	return window->size / PDNS_AGES;
}

bool pdns_window_wants_age(const struct pdns_window *window)
{
	return window->n_ages < PDNS_AGES && window->n_ages * age_step(window) <= window->used;
}

void pdns_window_age(struct pdns_window *window, int64_t now_us)
{
	// One message may be as long as several steps.
	while (pdns_window_wants_age(window))
		window->ages_us[window->n_ages++] = now_us;
	window->since_us = window->ages_us[0];
}

int64_t pdns_window_since(const struct pdns_window *window, size_t at)
{
	size_t step = at / age_step(window);

	if (window->n_ages == 0)
		return 0;
	return window->ages_us[step < window->n_ages ? step : window->n_ages - 1];
}

static uint64_t hash_of(
	const struct pdns_window *window, enum pdns_class class, const struct pdns_tuple_key *tuple)
{
	uint64_t seed = window->seed +
			((uint64_t)tuple->type << 16 | (uint64_t) class << 8 | tuple->bailiwick);

	return XXH3_64bits_withSeed(tuple->rdata, tuple->rdata_size,
		XXH3_64bits_withSeed(tuple->owner, tuple->owner_size, seed));
}

static bool entry_is(
	const struct pdns_entry *entry, enum pdns_class class, const struct pdns_tuple_key *tuple)
{
	return entry->type == tuple->type && entry->class == class &&
	       entry->bailiwick == tuple->bailiwick && entry->owner_size == tuple->owner_size &&
	       entry->rdata_size == tuple->rdata_size &&
	       memcmp(entry->octets, tuple->owner, tuple->owner_size) == 0 &&
	       memcmp(entry->octets + entry->owner_size, tuple->rdata, tuple->rdata_size) == 0;
}

static struct pdns_entry *entry_at(const struct pdns_window *window, uint32_t slot)
{
	return (struct pdns_entry *)(window->arena + (size_t)(slot - 1) * 8);
}

static size_t entry_size(size_t owner_size, size_t rdata_size)
{
	return (ENTRY_HEAD + owner_size + rdata_size + 7) & ~(size_t)7;
}

static bool fits(const struct pdns_window *window, size_t n, size_t octets)
{
	return window->size - window->used >= octets + n * (ENTRY_HEAD + 8) &&
	       window->n + n <= window->mask - window->mask / 4;
}

bool pdns_window_has_room(const struct pdns_window *window, size_t n, size_t octets)
{
	return (window->used < window->most || window->n == 0) && fits(window, n, octets);
}

bool pdns_window_add(struct pdns_window *window, enum pdns_class class,
	const struct pdns_tuple_key *tuple, const struct pdns_sum *sum)
{
	uint64_t hash = hash_of(window, class, tuple);
	size_t size = entry_size(tuple->owner_size, tuple->rdata_size);
	uint32_t i = (uint32_t)hash & window->mask;
	struct pdns_entry *entry;

	for (; window->slots[i]; i = (i + 1) & window->mask) {
		entry = entry_at(window, window->slots[i]);
		if (entry->hash == hash && entry_is(entry, class, tuple)) {
			pdns_sum_add(&entry->sum, sum);
			return true;
		}
	}
	// A message that begins in front of `most` has all of its tuples taken.
	if (!fits(window, 1, tuple->owner_size + tuple->rdata_size))
		return false;
	entry = (struct pdns_entry *)(window->arena + window->used);
	window->slots[i] = (uint32_t)(window->used / 8) + 1;
	window->used += size;
	window->n++;
	*entry = (struct pdns_entry){
		.hash = hash,
		.sum = *sum,
		.type = tuple->type,
		.rdata_size = (uint16_t)tuple->rdata_size,
		.owner_size = (uint8_t)tuple->owner_size,
		.class = (uint8_t) class,
		.bailiwick = tuple->bailiwick,
	};
	memcpy(entry->octets, tuple->owner, tuple->owner_size);
	memcpy(entry->octets + tuple->owner_size, tuple->rdata, tuple->rdata_size);
	return true;
}

const struct pdns_entry *pdns_window_next(const struct pdns_window *window, size_t *at)
{
	const struct pdns_entry *entry;

	if (*at >= window->used)
		return NULL;
	entry = (const struct pdns_entry *)(window->arena + *at);
	*at += entry_size(entry->owner_size, entry->rdata_size);
	return entry;
}
