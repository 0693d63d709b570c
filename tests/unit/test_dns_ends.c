/* SPDX-License-Identifier: BSD-3-Clause */
#include "dns/dns_ends.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/random.h"

#define NAMES 200000

#ifdef CPU_WIDE
// A function that has the CPU type it needs.
CPU_WIDE static bool dns_run_wide_called(const uint8_t *from, uint32_t left, struct dns_run *run)
{
	return dns_run_wide(from, left, run);
}
#endif

// A label of the kind that host names have, or now and then of any octets.
static unsigned label_put(uint64_t *state, uint8_t *at, bool odd)
{
	static const char host[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	unsigned size = 1 + random_below(state, odd ? 63 : 20);

	at[0] = (uint8_t)size;
	for (unsigned i = 1; i <= size; i++)
		at[i] = odd ? (uint8_t)random_below(state, 256)
			    : (uint8_t)host[random_below(state, sizeof(host) - 1)];
	return size + 1;
}

// Labels, then the root, a pointer, an octet that is neither, or nothing. @return octets written
static unsigned run_put(uint64_t *state, uint8_t *at)
{
	unsigned size = 0;

	for (unsigned n = random_below(state, 6); n > 0; n--)
		size += label_put(state, at + size, random_below(state, 8) == 0);
	switch (random_below(state, 8)) {
	case 0:
		at[size++] = 0xc0 | (uint8_t)random_below(state, 64);
		at[size++] = (uint8_t)random_below(state, 256);
		break;
	case 1:
		at[size++] = (uint8_t)random_below(state, 256);
		break;
	case 2:
		break;
	default:
		at[size++] = 0;
	}
	return size;
}

static void run_check(
	const uint8_t *msg, uint32_t size, uint32_t off, const struct dns_run *run, bool found)
{
	uint64_t ends = dns_msg_ends_read(msg, size, off), ours;

	if (!found || !run->whole)
		return;
	ours = dns_run_ends(run, off);
	cr_assert(dns_ends_occupied(ours) == dns_ends_occupied(ends));
	cr_assert(dns_ends_labels(ours) == dns_ends_labels(ends));
	for (unsigned i = 0; i < 3 && i < dns_ends_labels(ours); i++)
		cr_assert(dns_ends_label(ours, i) == dns_ends_label(ends, i));
}

Test(dns_ends, every_way_to_read_a_run_finds_what_reading_label_by_label_does)
{
	uint64_t state = RANDOM_SEED;
	unsigned found = 0, wide_found = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		uint8_t bytes[6 * 64 + 16];
		unsigned size = run_put(&state, bytes), off = DNS_HEADER_SIZE;
		// Exactly as large as it is, so that reading on is seen.
		uint8_t *msg = calloc(1, off + size);
		struct dns_run plain;
		bool usual;

		cr_assert_not_null(msg);
		memcpy(msg + off, bytes, size);
		usual = dns_run_plain(msg + off, size, &plain);
		run_check(msg, off + size, off, &plain, usual);
		found += usual && plain.whole;
#ifdef CPU_WIDE
		if (cpu_is_wide()) {
			struct dns_run wide = {0};
			bool usual_wide = dns_run_wide_called(msg + off, size, &wide);

			cr_assert(!usual_wide || usual);
			cr_assert(!usual_wide ||
				  (wide.last == plain.last && wide.n == plain.n &&
					  wide.end == plain.end && wide.whole == plain.whole));
			wide_found += usual_wide && wide.whole;
		}
#endif
		free(msg);
	}
	cr_assert(found > NAMES / 3);
#ifdef CPU_WIDE
	// It must be good for something: host names are most of these.
	cr_assert(!cpu_is_wide() || wide_found > found * 3 / 4, "%u of %u", wide_found, found);
#endif
}

Test(dns_ends, a_run_ends_within_64_octets_or_is_none)
{
	uint8_t msg[DNS_HEADER_SIZE + 70] = {0};
	struct dns_run run;

	for (unsigned label = 1; label <= 63; label++) {
		memset(msg + DNS_HEADER_SIZE, 'x', 70);
		msg[DNS_HEADER_SIZE] = (uint8_t)label;
		msg[DNS_HEADER_SIZE + 1 + label] = 0;
		cr_expect(dns_run_plain(msg + DNS_HEADER_SIZE, 70, &run) == (label < 63));
#ifdef CPU_WIDE
		// Longer labels have length octets that look like letters do.
		if (cpu_is_wide())
			cr_expect(dns_run_wide_called(msg + DNS_HEADER_SIZE, 70, &run) ==
				  (label < 45));
#endif
	}
}
