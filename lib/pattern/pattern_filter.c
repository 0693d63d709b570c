/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "pattern/pattern_filter.h"

#include "base/bytes.h"

static inline uint32_t bit_get(const struct pattern_filter *filter, const uint8_t *octets)
{
	uint32_t hash = pattern_gram(octets);

	return filter->bits[hash >> filter->shift] >> (hash & 31);
}

// Whether both grams of a word may be among these octets.
static __attribute__((noinline)) bool octets_may_still(
	const struct pattern_filter *filter, const uint8_t *from, const uint8_t *end)
{
	uint32_t may = 0, before = 0;

	for (; end - from >= PATTERN_GRAM; from++) {
		uint32_t now = bit_get(filter, from);

		may |= now & before;
		before = now;
	}
	return may & 1;
}

// Whether a word may be among these octets. Where one gram seems to be, nearly always by chance,
// the one beside it has to be there, too.
static inline bool octets_may(
	const struct pattern_filter *filter, const uint8_t *from, const uint8_t *end)
{
	uint32_t may = 0;

	for (const uint8_t *at = from; end - at >= PATTERN_GRAM; at += 2)
		may |= bit_get(filter, at);
	return __builtin_expect(may & 1, 0) && octets_may_still(filter, from, end);
}

// The caller has read the name: it has n labels, and its pointers lead somewhere.
static inline bool name_may(const struct pattern_filter *filter, const struct fqdn_name *name)
{
	const uint8_t *at = name->msg + name->at, *from = at;
	bool may = false;

	for (unsigned i = 0; i < name->n; i++) {
		while (__builtin_expect(*at >= 0xc0, 0)) {
			may |= octets_may(filter, from, at);
			at = from = name->msg + (load_be16(at) & 0x3fff);
		}
		at += *at + 1u;
	}
	return may | octets_may(filter, from, at);
}

__attribute__((noinline)) uint64_t pattern_filter_names(
	const struct pattern_filter *filter, const struct fqdn_name *names, unsigned n)
{
	uint64_t may = 0;

	for (unsigned i = 0; i < n; i++)
		may |= (uint64_t)name_may(filter, &names[i]) << i;
	return may;
}
