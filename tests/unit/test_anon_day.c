/* SPDX-License-Identifier: BSD-3-Clause */
#include "anon/anon_private.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/aes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLIENTS 1000

/* AddressSanitizer has an mlock of its own, which does nothing. */
#define MLOCK_WORKS 1
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#undef MLOCK_WORKS
#define MLOCK_WORKS 0
#endif
#elif defined(__SANITIZE_ADDRESS__)
#undef MLOCK_WORKS
#define MLOCK_WORKS 0
#endif

static int random_error; // what getrandom is to fail with

/* Takes the place of libc's. */
ssize_t getrandom(void *to, size_t size, unsigned flags)
{
	if (random_error == 0)
		return syscall(SYS_getrandom, to, size, flags);
	errno = random_error;
	return -1;
}

static struct anon *make(unsigned v4, unsigned v6)
{
	struct anon_config config = {ANON_PSEUDONYM, v4, v6};
	char error[256];
	struct anon *anon = anon_create(&config, "", error, sizeof(error));

	cr_assert(anon, "%s", error);
	return anon;
}

static bool same(const struct prefix *a, const struct prefix *b)
{
	return memcmp(a->addr.bytes, b->addr.bytes, 16) == 0;
}

static int order(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static unsigned distinct(const struct prefix *all, unsigned n)
{
	uint8_t(*sorted)[16] = malloc(16 * n);
	unsigned count = n > 0;

	for (unsigned i = 0; i < n; i++)
		memcpy(sorted[i], all[i].addr.bytes, 16);
	qsort(sorted, n, 16, order);
	for (unsigned i = 1; i < n; i++)
		count += memcmp(sorted[i - 1], sorted[i], 16) != 0;
	free(sorted);
	return count;
}

/** Half IPv4, half IPv6, all different. */
static void clients(struct addr in[CLIENTS])
{
	uint64_t seed = 11;

	memset(in, 0, CLIENTS * sizeof(*in));
	for (unsigned i = 0; i < CLIENTS; i++) {
		in[i].family = i % 2 ? ADDR_IPV6 : ADDR_IPV4;
		for (unsigned j = 0; j < addr_size(in[i].family); j++)
			in[i].bytes[j] = (uint8_t)random_next(&seed);
		in[i].bytes[2] = (uint8_t)(i >> 8);
		in[i].bytes[3] = (uint8_t)i;
	}
}

Test(anon_day, a_client_has_one_pseudonym_within_a_day_and_no_two_have_the_same)
{
	struct anon *anon = make(ANON_BITS_AUTO, ANON_BITS_AUTO);
	struct addr in[CLIENTS];
	struct prefix out[CLIENTS], again[CLIENTS];

	clients(in);
	cr_assert_eq(anon_set_day(anon, 9000), 0);
	anon_burst(anon, in, out, CLIENTS);
	cr_assert_eq(anon_set_day(anon, 9000), 0);
	anon_burst(anon, in, again, CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++)
		cr_assert(same(&out[i], &again[i]));
	cr_assert_eq(distinct(out, CLIENTS), CLIENTS);
	anon_destroy(anon);
}

Test(anon_day, the_next_day_nobody_has_a_pseudonym_that_was_there_before)
{
	struct anon *anon = make(ANON_BITS_AUTO, ANON_BITS_AUTO);
	struct addr in[CLIENTS];
	struct prefix out[3 * CLIENTS];

	clients(in);
	for (unsigned day = 0; day < 3; day++) {
		// Back to the first day: that key is gone, too.
		cr_assert_eq(anon_set_day(anon, (uint16_t)(9000 + day % 2)), 0);
		anon_burst(anon, in, out + day * CLIENTS, CLIENTS);
	}
	cr_assert_eq(distinct(out, 3 * CLIENTS), 3 * CLIENTS);
	anon_destroy(anon);
}

Test(anon_day, two_boxes_have_different_keys)
{
	struct anon *anon[2] = {
		make(ANON_BITS_AUTO, ANON_BITS_AUTO), make(ANON_BITS_AUTO, ANON_BITS_AUTO)};
	struct addr in[CLIENTS];
	struct prefix out[2 * CLIENTS];

	clients(in);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(anon_set_day(anon[i], 9000), 0);
		anon_burst(anon[i], in, out + i * CLIENTS, CLIENTS);
		anon_destroy(anon[i]);
	}
	cr_assert_eq(distinct(out, 2 * CLIENTS), 2 * CLIENTS);
}

Test(anon_day, a_pseudonym_has_the_form_of_an_address_that_no_client_has)
{
	struct anon *anon = make(ANON_BITS_AUTO, ANON_BITS_AUTO);
	struct addr in[CLIENTS];
	struct prefix out[CLIENTS], ipv4, ipv6;

	prefix_parse("2001:24::/32", &ipv4);
	prefix_parse("2001:26::/32", &ipv6);
	clients(in);
	cr_assert_eq(anon_set_day(anon, 1), 0);
	anon_burst(anon, in, out, CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++) {
		cr_assert_eq(out[i].length, 128);
		cr_assert(prefix_contains(in[i].family == ADDR_IPV4 ? &ipv4 : &ipv6, &out[i].addr));
	}
	anon_destroy(anon);
}

Test(anon_day, the_same_octets_are_two_clients_in_two_families)
{
	struct anon *anon = make(ANON_BITS_AUTO, ANON_BITS_AUTO);
	struct addr in[2] = {{.bytes = {192, 0, 2, 1}, .family = ADDR_IPV4},
		{.bytes = {192, 0, 2, 1}, .family = ADDR_IPV6}};
	struct prefix out[2];

	cr_assert_eq(anon_set_day(anon, 1), 0);
	anon_burst(anon, in, out, 2);
	cr_assert_neq(memcmp(out[0].addr.bytes + 4, out[1].addr.bytes + 4, 12), 0);
	anon_destroy(anon);
}

Test(anon_day, with_fewer_bits_a_network_has_one_pseudonym)
{
	struct anon *anon = make(24, 64);
	struct addr in[4];
	struct prefix out[4];

	cr_assert_eq(addr_parse("192.0.2.1", &in[0]), 0);
	cr_assert_eq(addr_parse("192.0.2.200", &in[1]), 0);
	cr_assert_eq(addr_parse("2001:db8::1", &in[2]), 0);
	cr_assert_eq(addr_parse("2001:db8::ffff:0:0:1", &in[3]), 0);
	cr_assert_eq(anon_set_day(anon, 1), 0);
	anon_burst(anon, in, out, 4);
	cr_assert(same(&out[0], &out[1]));
	cr_assert(same(&out[2], &out[3]));
	cr_assert_eq(addr_parse("192.0.3.1", &in[1]), 0);
	cr_assert_eq(addr_parse("2001:db8:0:1::1", &in[3]), 0);
	anon_burst(anon, in, out, 4);
	cr_assert_eq(distinct(out, 4), 4);
	anon_destroy(anon);
}

Test(anon_day, without_a_key_a_client_comes_out_as_nothing)
{
	struct anon *anon = make(ANON_BITS_AUTO, ANON_BITS_AUTO);
	static const uint8_t zero[16];
	struct addr in[CLIENTS];
	struct prefix out[CLIENTS];

	clients(in);
	for (unsigned day = 0; day < 3; day++) {
		// Before the first day; a day that begins without randomness; tried again.
		if (day == 1) {
			cr_assert_eq(anon_set_day(anon, 1), 0);
			random_error = ENOSYS;
		}
		if (day > 0)
			cr_assert_eq(anon_set_day(anon, 2), -ENOSYS);
		anon_burst(anon, in, out, CLIENTS);
		for (unsigned i = 0; i < CLIENTS; i++) {
			cr_assert_eq(out[i].length, 0);
			cr_assert_eq(out[i].addr.family, in[i].family);
			cr_assert_eq(memcmp(out[i].addr.bytes, zero, 16), 0);
		}
	}
	random_error = 0;
	cr_assert_eq(anon_set_day(anon, 2), 0);
	anon_burst(anon, in, out, CLIENTS);
	cr_assert_eq(distinct(out, CLIENTS), CLIENTS);
	anon_destroy(anon);
}

/* ---- what memory holds ---------------------------------------------------------------------- */

#define MASK       0x5bd1e995a7c46f31ull
#define REGION_MAX ((uintptr_t)1 << 32) // beyond are the reserves of sanitizers

/** A key that is known without being there: each word with MASK on it. */
struct sought {
	uint64_t word[2];
};

__attribute__((no_sanitize("address"))) static unsigned region_count(
	uintptr_t begin, uintptr_t end, const struct sought *key)
{
	unsigned n = 0;

	for (uintptr_t at = begin; at + 16 <= end; at++) {
		uint64_t word;

		__builtin_memcpy(&word, (const void *)at, 8);
		if ((word ^ MASK) != key->word[0])
			continue;
		__builtin_memcpy(&word, (const void *)(at + 8), 8);
		n += (word ^ MASK) == key->word[1];
	}
	return n;
}

/** Places in memory that can be written where the key stands. */
static unsigned memory_count(const struct sought *key)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long begin, end;
	char line[512], rights[8];
	unsigned n = 0;

	cr_assert(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3 &&
			strncmp(rights, "rw", 2) == 0 && end - begin < REGION_MAX)
			n += region_count(begin, end, key);
	fclose(maps);
	return n;
}

static struct sought key_at(const uint8_t *bytes)
{
	struct sought key;

	memcpy(&key, bytes, sizeof(key));
	key.word[0] ^= MASK;
	key.word[1] ^= MASK;
	return key;
}

__attribute__((noinline)) static void use_clients(struct anon *anon)
{
	struct addr in[CLIENTS];
	struct prefix out[CLIENTS];

	clients(in);
	anon_burst(anon, in, out, CLIENTS);
}

Test(anon_day, the_key_is_in_one_place_and_after_the_day_in_none)
{
	struct anon *anon = make(ANON_BITS_AUTO, ANON_BITS_AUTO);
	struct sought first[2], second[2];
	const uint8_t *page;
	size_t size;

	page = anon_daily_memory(anon->daily, &size);
	cr_assert_eq(anon_set_day(anon, 1), 0);
	use_clients(anon);
	// The first round's key of a schedule is the key itself; two schedules are in the page.
	first[0] = key_at(page);
	first[1] = key_at(page + sizeof(AES_KEY));
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(memory_count(&first[i]), 1, "key %u stands once", i);
	cr_assert_eq(anon_set_day(anon, 2), 0);
	use_clients(anon);
	second[0] = key_at(page);
	second[1] = key_at(page + sizeof(AES_KEY));
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(memory_count(&first[i]), 0, "key %u is gone with its day", i);
		cr_assert_eq(memory_count(&second[i]), 1);
	}
	anon_destroy(anon);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(memory_count(&second[i]), 0, "key %u is gone at the end", i);
}

Test(anon_day, the_key_is_kept_out_of_swap_space_and_core_dumps)
{
	struct anon *anon = make(ANON_BITS_AUTO, ANON_BITS_AUTO);
	size_t size;
	uintptr_t page = (uintptr_t)anon_daily_memory(anon->daily, &size);
	FILE *smaps = fopen("/proc/self/smaps", "r");
	unsigned long begin = 0, end = 0;
	bool found = false;
	char line[512];

	cr_assert(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		unsigned long a, b;

		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			begin = a;
			end = b;
		} else if (strncmp(line, "VmFlags:", 8) == 0 && page >= begin && page < end) {
			cr_assert(!MLOCK_WORKS || strstr(line, " lo"), "locked: %s", line);
			cr_assert(strstr(line, " dd"), "not dumped: %s", line);
			found = true;
		}
	}
	fclose(smaps);
	cr_assert(found);
	anon_destroy(anon);
}
