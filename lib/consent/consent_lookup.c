/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "consent/consent_private.h"

#include "base/bytes.h"

uint8_t consent_lookup_ipv4(const struct consent_table *table, const uint8_t *addr)
{
	const uint32_t *start = consent_at(table, table->ipv4_start);
	const uint8_t *answer = consent_at(table, table->ipv4_answer);
	uint32_t at = 0, n = table->n_ipv4, client;

	if (n == 0)
		return 0;
	client = load_be32(addr);
	if (table->ipv4_index) {
		const uint32_t *index = consent_at(table, table->ipv4_index);

		at = index[client >> 16];
		n = index[(client >> 16) + 1] - at + 1;
	}
	// The point looked for stays within at .. at + n - 1; no branch depends on the data.
	while (n > 1) {
		uint32_t half = n >> 1;

		at += start[at + half] <= client ? half : 0;
		n -= half;
	}
	return answer[at];
}

// The answer of a point inside one high half.
static uint8_t split_lookup(const struct consent_table *table, uint64_t high, uint64_t low)
{
	const struct consent_split *split = consent_at(table, table->split);
	const uint8_t *answer = consent_at(table, table->split_answer);
	uint32_t at = 0, n = table->n_split;

	while (n > 1) {
		uint32_t half = n >> 1;
		const struct consent_split *s = &split[at + half];
		bool before = (s->high < high) | ((s->high == high) & (s->low <= low));

		at += before ? half : 0;
		n -= half;
	}
	return answer[at];
}

uint8_t consent_lookup_ipv6(const struct consent_table *table, const uint8_t *addr)
{
	const uint8_t *answer = consent_at(table, table->high_answer);
	unsigned shift = table->n_levels * CONSENT_FAN_BITS;
	const uint64_t *key;
	uint64_t high, at = 0;

	if (table->n_high == 0)
		return 0;
	high = load_be64(addr);
	// At each level the greatest key that is not above. There is one, since the lowest key is 0
	// and the first key of a node is the one its parent has. Filled-up places are as high as the
	// topmost address and no more than that: there the last key stands for them.
	for (unsigned l = 0; l < table->n_levels; l++) {
		uint64_t last, below = 0;

		key = (const uint64_t *)consent_at(table, table->level[l]) + at * CONSENT_FAN;
		for (unsigned i = 0; i < CONSENT_FAN; i++)
			below += key[i] <= high;
		shift -= CONSENT_FAN_BITS;
		last = (uint64_t)(table->n_high - 1) >> shift;
		at = at * CONSENT_FAN + below - 1;
		at = at < last ? at : last;
	}
	key = consent_at(table, table->level[table->n_levels - 1]);
	if (!(answer[at] & CONSENT_SPLIT) || key[at] != high)
		return answer[at] & CONSENT_REFUSED;
	return split_lookup(table, high, load_be64(addr + 8));
}
