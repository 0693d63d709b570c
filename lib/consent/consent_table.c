/* SPDX-License-Identifier: BSD-3-Clause */
#include "consent/consent_private.h"

#include <errno.h>
#include <stdbool.h>

#include "base/block.h"

// A table being filled.
struct build {
	struct consent_points ipv4, ipv6;
	struct consent_table head; // counts and places, before there is a block
	size_t lines;              // of the block so far
	struct consent_table *table;
	size_t next;  // IPv6 point to take
	size_t split; // rows of split[] in use
};

static void *array_of(struct build *b, uint32_t line)
{
	return (uint8_t *)b->table + (size_t)line * CONSENT_LINE;
}

// The IPv6 points of one high half are from .. to - 1; a split one has a point with a low half.
static size_t half_end(const struct consent_points *points, size_t from, bool *split)
{
	size_t to = from;

	*split = false;
	while (to < points->n && points->at[to] >> 64 == points->at[from] >> 64)
		*split |= (uint64_t)points->at[to++] != 0;
	return to;
}

static int halves_count(struct build *b)
{
	size_t n_high = 0, n_split = 0, to;
	bool split;

	for (size_t from = 0; from < b->ipv6.n; from = to) {
		to = half_end(&b->ipv6, from, &split);
		n_high++;
		// A split half has a point at low half 0 in any case.
		if (split)
			n_split += to - from + ((uint64_t)b->ipv6.at[from] != 0);
	}
	if (b->ipv4.n > UINT32_MAX || n_high > UINT32_MAX || n_split > UINT32_MAX)
		return -E2BIG;
	b->head.n_ipv4 = (uint32_t)b->ipv4.n;
	b->head.n_high = (uint32_t)n_high;
	b->head.n_split = (uint32_t)n_split;
	return 0;
}

static uint32_t place(struct build *b, size_t n, size_t size)
{
	size_t line = b->lines;

	b->lines += (n * size + CONSENT_LINE - 1) / CONSENT_LINE;
	return (uint32_t)line;
}

// Keys of a level of the tree: one for each node of the level below.
static size_t level_keys(const struct consent_table *head, uint32_t level)
{
	unsigned shift = (head->n_levels - 1 - level) * CONSENT_FAN_BITS;

	return (((size_t)head->n_high - 1) >> shift) + 1;
}

static void levels_place(struct build *b)
{
	struct consent_table *h = &b->head;

	if (h->n_high == 0)
		return;
	// The root is one node.
	for (h->n_levels = 1; level_keys(h, 0) > CONSENT_FAN;)
		h->n_levels++;
	for (uint32_t l = 0; l < h->n_levels; l++)
		h->level[l] = place(b, level_keys(h, l), sizeof(uint64_t));
	h->high_answer = place(b, h->n_high, 1);
}

static void arrays_place(struct build *b)
{
	struct consent_table *h = &b->head;

	b->lines = sizeof(*h) / CONSENT_LINE;
	if (h->n_ipv4 > CONSENT_INDEX_MIN)
		h->ipv4_index = place(b, CONSENT_INDEX_SIZE, sizeof(uint32_t));
	h->ipv4_start = place(b, h->n_ipv4, sizeof(uint32_t));
	h->ipv4_answer = place(b, h->n_ipv4, 1);
	levels_place(b);
	h->split = place(b, h->n_split, sizeof(struct consent_split));
	h->split_answer = place(b, h->n_split, 1);
}

static void ipv4_fill(struct build *b)
{
	uint32_t *index = array_of(b, b->head.ipv4_index);
	uint32_t *start = array_of(b, b->head.ipv4_start);
	uint8_t *answer = array_of(b, b->head.ipv4_answer);
	uint32_t at = 0;

	for (size_t i = 0; i < b->ipv4.n; i++) {
		start[i] = (uint32_t)b->ipv4.at[i];
		answer[i] = b->ipv4.answer[i];
	}
	if (!b->head.ipv4_index)
		return;
	for (uint32_t t = 0; t < CONSENT_INDEX_SIZE - 1; t++) {
		while (at + 1 < b->head.n_ipv4 && start[at + 1] <= t << 16)
			at++;
		index[t] = at;
	}
	index[CONSENT_INDEX_SIZE - 1] = b->head.n_ipv4 - 1;
}

static void split_put(struct build *b, uint64_t high, uint64_t low, uint8_t answer)
{
	struct consent_split *split = array_of(b, b->head.split);
	uint8_t *answers = array_of(b, b->head.split_answer);

	split[b->split] = (struct consent_split){high, low};
	answers[b->split++] = answer;
}

// Take the points of the next high half. Returns the answer behind it.
static uint8_t half_take(struct build *b, uint64_t *high)
{
	const struct consent_points *p = &b->ipv6;
	size_t from = b->next;
	bool split;

	*high = (uint64_t)(p->at[from] >> 64);
	b->next = half_end(p, from, &split);
	if (!split)
		return p->answer[from];
	if ((uint64_t)p->at[from] != 0)
		split_put(b, *high, 0, p->answer[from - 1]);
	for (size_t i = from; i < b->next; i++)
		split_put(b, *high, (uint64_t)p->at[i], p->answer[i]);
	return p->answer[b->next - 1] | CONSENT_SPLIT;
}

// Fill a level up to whole nodes: the places behind the last key are found by no address but the
// topmost, and the look-up passes them by.
static void level_end(uint64_t *keys, size_t n)
{
	for (; n % CONSENT_FAN != 0; n++)
		keys[n] = UINT64_MAX;
}

static void ipv6_fill(struct build *b)
{
	const struct consent_table *h = &b->head;
	uint8_t *answer = array_of(b, h->high_answer);

	for (uint32_t l = h->n_levels; l-- > 0;) {
		uint64_t *keys = array_of(b, h->level[l]);
		size_t n = level_keys(h, l);

		for (size_t i = 0; i < n; i++) {
			if (l == h->n_levels - 1)
				answer[i] = half_take(b, &keys[i]);
			else
				keys[i] =
					((uint64_t *)array_of(b, h->level[l + 1]))[i * CONSENT_FAN];
		}
		level_end(keys, n);
	}
}

static int table_make(struct build *b)
{
	int err = halves_count(b);

	if (err < 0)
		return err;
	arrays_place(b);
	b->table = block_alloc(b->lines * CONSENT_LINE, -1);
	if (!b->table)
		return -errno;
	*b->table = b->head;
	ipv4_fill(b);
	ipv6_fill(b);
	return 0;
}

struct consent_table *consent_table_build(const struct consent_rule *rules, size_t n, size_t *size)
{
	struct build b = {.head = {.n_prefixes = n}};
	int err = consent_sweep(rules, n, ADDR_IPV4, &b.ipv4);

	if (err == 0)
		err = consent_sweep(rules, n, ADDR_IPV6, &b.ipv6);
	if (err == 0)
		err = table_make(&b);
	consent_points_free(&b.ipv4);
	consent_points_free(&b.ipv6);
	if (err < 0) {
		errno = -err;
		return NULL;
	}
	*size = b.lines * CONSENT_LINE;
	return b.table;
}

uint64_t consent_table_prefixes(const struct consent_table *table)
{
	return table->n_prefixes;
}
