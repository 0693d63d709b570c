/* SPDX-License-Identifier: BSD-3-Clause */
#include "dns/dns_known.h"

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

// A message of short labels and pointers to before, so that names share what they have.
static unsigned message_fill(uint64_t *state, uint8_t *msg, unsigned size)
{
	unsigned at = DNS_HEADER_SIZE, step = 1 + random_below(state, 3);

	memset(msg, 0, size);
	while (at + 70 < size) {
		unsigned kind = random_below(state, 16);

		if (kind == 0) {
			msg[at++] = 0;
		} else if (kind < 4) {
			unsigned to = random_below(state, at + 2);

			msg[at++] = (uint8_t)(0xc0 | to >> 8);
			msg[at++] = (uint8_t)to;
		} else if (kind == 4) {
			at += label_put(state, msg + at, true);
		} else {
			// The same octets may be labels from several places on.
			msg[at] = (uint8_t)step;
			memset(msg + at + 1, (int)step, step);
			at += step + 1;
		}
	}
	return at;
}

static void known_check(const struct dns_known *known, uint64_t ours, uint64_t alone, bool over)
{
	if (ours == 0) {
		cr_assert(over && known->most < UINT32_MAX, "given up without a reason");
		return;
	}
	cr_assert_eq(dns_ends_occupied(ours), dns_ends_occupied(alone));
	if (dns_ends_occupied(alone) < 0)
		return;
	cr_assert_eq(dns_ends_labels(ours), dns_ends_labels(alone));
	for (unsigned i = 0; i < 3 && i < dns_ends_labels(alone); i++)
		cr_assert_eq(dns_ends_label(ours, i), dns_ends_label(alone, i));
}

static void labels_check(
	struct dns_known *known, const uint8_t *msg, uint32_t size, uint32_t off, uint64_t ends)
{
	struct dns_labels ours, alone;

	if (dns_ends_occupied(ends) <= 0)
		return;
	cr_assert(dns_known_labels(known, msg, size, off, &ours));
	cr_assert(dns_msg_labels_read(msg, size, off, &alone) > 0);
	cr_assert(ours.n == alone.n && ours.size == alone.size);
	cr_assert(memcmp(ours.at, alone.at, ours.n * sizeof(ours.at[0])) == 0);
}

Test(dns_ends, names_of_a_message_read_together_are_those_read_alone)
{
	struct dns_known *known = malloc(sizeof(*known));
	uint64_t state = RANDOM_SEED;
	unsigned n_kept = 0, n_names = 0;

	cr_assert_not_null(known);
	for (unsigned i = 0; i < 2000; i++) {
		uint8_t room[1500], *msg;
		unsigned size = message_fill(&state, room, 200 + random_below(&state, 1300));

		// What an earlier message left must not matter.
		memset(known->from, 0xa5, sizeof(known->from));
		known->n_names = known->work = 0;
		known->most = i % 2 ? UINT32_MAX : 40000;
		msg = malloc(size);
		cr_assert_not_null(msg);
		memcpy(msg, room, size);
		for (unsigned n = 0; n < 100; n++) {
			uint32_t off =
				DNS_HEADER_SIZE + random_below(&state, size - DNS_HEADER_SIZE);
			uint64_t ends = dns_known_read(known, msg, size, off);

			known_check(known, ends, dns_msg_ends_read(msg, size, off),
				known->work + 128 * (DNS_WORK_HOP + DNS_WORK_LABEL) > known->most);
			labels_check(known, msg, size, off, ends);
			n_names += dns_ends_occupied(ends) > 0;
		}
		n_kept += known->n_names;
		free(msg);
	}
	cr_assert(n_names > 20000 && n_kept > 4000, "%u names, %u kept", n_names, n_kept);
	free(known);
}

Test(dns_ends, what_a_pointer_leads_to_is_read_once)
{
	static struct dns_known known = {.most = UINT32_MAX};
	uint8_t msg[1000] = {0};
	unsigned work;

	// A name of 127 labels, and a pointer to each of them.
	for (unsigned i = 0; i < 127; i++)
		memcpy(msg + DNS_HEADER_SIZE + 2 * i, "\1x", 2);
	for (unsigned i = 0; i < 127; i++)
		store_be16(msg + 300 + 2 * i, (uint16_t)(0xc000 | (DNS_HEADER_SIZE + 2 * i)));
	cr_assert(dns_ends_labels(dns_known_read(&known, msg, sizeof(msg), 12)) == 127);
	work = known.work;
	cr_assert_eq(work, DNS_WORK_LONG + 127 * DNS_WORK_LABEL);
	for (unsigned i = 0; i < 127; i++)
		cr_assert_eq(dns_ends_labels(dns_known_read(&known, msg, sizeof(msg), 300 + 2 * i)),
			127 - i);
	cr_assert(known.work - work < 127 * (DNS_WORK_LONG + DNS_WORK_HOP + 4 * DNS_WORK_LABEL),
		"%u", known.work - work);
}

Test(dns_ends, no_name_is_begun_when_the_names_have_taken_what_they_may)
{
	static struct dns_known known = {.most = DNS_WORK_LABEL * 10};
	uint8_t msg[40] = {0};

	// Ten labels, more than are read at once, and a pointer to them.
	for (unsigned i = 0; i < 10; i++)
		memcpy(msg + DNS_HEADER_SIZE + 2 * i, "\1x", 2);
	store_be16(msg + 33, 0xc000 | DNS_HEADER_SIZE);
	cr_assert(dns_known_read(&known, msg, sizeof(msg), 12) != 0);
	cr_assert(dns_known_read(&known, msg, sizeof(msg), 12) == 0, "that was work");
	known.work = known.most + 1;
	cr_assert(dns_known_read(&known, msg, sizeof(msg), 30) == 0);
	known.work = known.most;
	cr_assert(dns_known_read(&known, msg, sizeof(msg), 30) != 0);
	known.work = known.most;
	cr_assert(dns_known_read(&known, msg, sizeof(msg), 33) == 0, "a pointer is work, too");
}

Test(dns_ends, a_name_that_is_wrong_far_from_its_start_is_work_each_time)
{
	static struct dns_known known = {.most = UINT32_MAX};
	uint8_t msg[300] = {0};
	unsigned work;

	// A pointer to itself, and pointers that lead there one by one.
	store_be16(msg + DNS_HEADER_SIZE, 0xc000 | DNS_HEADER_SIZE);
	for (unsigned i = 1; i < 100; i++)
		store_be16(msg + DNS_HEADER_SIZE + 2 * i,
			(uint16_t)(0xc000 | (DNS_HEADER_SIZE + 2 * (i - 1))));
	for (unsigned i = 0; i < 3; i++) {
		work = known.work;
		cr_assert_eq(dns_ends_occupied(dns_known_read(&known, msg, sizeof(msg), 210)),
			DNS_E_POINTER);
		cr_assert(known.work - work > 99 * DNS_WORK_HOP);
	}
}
