/* SPDX-License-Identifier: BSD-3-Clause */
#include "consent/consent_private.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define NESTED_MAX 129 // lengths 0..128, each inside the one before

// A rule as a range of numbers.
struct range {
	unsigned __int128 first, last;
};

struct sorted_rule {
	unsigned __int128 first;
	uint8_t length;
	uint8_t refused;
};

// The prefixes around the current point, the widest first.
struct nest {
	struct range ranges[NESTED_MAX];
	uint8_t refused[NESTED_MAX];
	unsigned n;
};

static unsigned __int128 addr_number(const struct addr *addr)
{
	if (addr->family == ADDR_IPV4)
		return load_be32(addr->bytes);
	return (unsigned __int128)load_be64(addr->bytes) << 64 | load_be64(addr->bytes + 8);
}

// By start, wider ones first.
static int rule_compare(const void *left, const void *right)
{
	const struct sorted_rule *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (int)a->length - (int)b->length;
}

// The rules of a family in order, duplicates joined. Returns how many, or a negative errno.
static ssize_t rules_sort(
	const struct consent_rule *rules, size_t n, uint8_t family, struct sorted_rule **sorted)
{
	struct sorted_rule *s;
	size_t found = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		found += rules[i].prefix.addr.family == family;
	s = *sorted = reallocarray(NULL, found ? found : 1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	found = 0;
	for (size_t i = 0; i < n; i++)
		if (rules[i].prefix.addr.family == family)
			s[found++] = (struct sorted_rule){
				.first = addr_number(&rules[i].prefix.addr),
				.length = rules[i].prefix.length,
				.refused = rules[i].refused & CONSENT_REFUSED,
			};
	qsort(s, found, sizeof(*s), rule_compare);
	for (size_t i = 0; i < found; i++) {
		// A prefix given twice refuses what either line refuses.
		if (kept > 0 && rule_compare(&s[kept - 1], &s[i]) == 0)
			s[kept - 1].refused |= s[i].refused;
		else
			s[kept++] = s[i];
	}
	return (ssize_t)kept;
}

// From @p at on the answer is @p answer. Points come in order; a later one at the same place wins,
// and one that changes nothing is not kept.
static void point_put(struct consent_points *points, unsigned __int128 at, uint8_t answer)
{
	if (points->n > 0 && points->at[points->n - 1] == at)
		points->n--;
	if (points->n > 0 && points->answer[points->n - 1] == answer)
		return;
	points->at[points->n] = at;
	points->answer[points->n] = answer;
	points->n++;
}

// Leave the innermost prefix: behind it the one around it has its say again.
static void nest_leave(struct nest *nest, unsigned __int128 top, struct consent_points *points)
{
	unsigned __int128 last = nest->ranges[--nest->n].last;

	if (last < top)
		point_put(points, last + 1, nest->n > 0 ? nest->refused[nest->n - 1] : 0);
}

static void points_fill(
	const struct sorted_rule *rules, size_t n, unsigned bits, struct consent_points *points)
{
	const unsigned __int128 top = ~(unsigned __int128)0 >> (128 - bits);
	struct nest nest = {.n = 0};

	point_put(points, 0, 0);
	for (size_t i = 0; i < n; i++) {
		const bool single = rules[i].length == bits;
		const unsigned __int128 wild = single ? 0 : top >> rules[i].length;

		while (nest.n > 0 && nest.ranges[nest.n - 1].last < rules[i].first)
			nest_leave(&nest, top, points);
		point_put(points, rules[i].first, rules[i].refused);
		assert(nest.n < NESTED_MAX);
		nest.ranges[nest.n] = (struct range){rules[i].first, rules[i].first | wild};
		nest.refused[nest.n++] = rules[i].refused;
	}
	while (nest.n > 0)
		nest_leave(&nest, top, points);
}

int consent_sweep(
	const struct consent_rule *rules, size_t n, uint8_t family, struct consent_points *points)
{
	struct sorted_rule *sorted = NULL;
	ssize_t n_sorted = rules_sort(rules, n, family, &sorted);
	size_t room;

	memset(points, 0, sizeof(*points));
	if (n_sorted < 0)
		return (int)n_sorted;
	// Each prefix starts a range and ends one; address 0 starts the first.
	room = (size_t)n_sorted * 2 + 1;
	points->at = reallocarray(NULL, room, sizeof(*points->at));
	points->answer = malloc(room);
	if (!points->at || !points->answer) {
		free(sorted);
		consent_points_free(points);
		return -ENOMEM;
	}
	points_fill(sorted, (size_t)n_sorted, addr_size(family) * 8u, points);
	free(sorted);
	if (points->n == 1 && points->answer[0] == 0)
		points->n = 0;
	return 0;
}

void consent_points_free(struct consent_points *points)
{
	free(points->at);
	free(points->answer);
	memset(points, 0, sizeof(*points));
}
