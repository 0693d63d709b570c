/* SPDX-License-Identifier: BSD-3-Clause */
#include "anon_bed.h"

TestSuite(anon, .init = bed_make, .fini = bed_remove);

Test(anon, truncation_keeps_the_first_bits_at_every_length)
{
	uint64_t seed = 1;

	for (unsigned bits = 0; bits <= 128; bits++) {
		unsigned v4 = bits <= 32 ? bits : 32;
		struct anon *anon = make_bits(ANON_TRUNCATE, NULL, v4, bits);

		for (unsigned round = 0; round < 50; round++) {
			struct addr in[2];
			struct prefix out[2], wanted[2];

			random_addr(&seed, ADDR_IPV4, &in[0]);
			random_addr(&seed, ADDR_IPV6, &in[1]);
			wanted[0] = slow_prefix(&in[0], v4);
			wanted[1] = slow_prefix(&in[1], bits);
			anon_burst(anon, in, out, 2);
			cr_assert(prefix_same(&out[0], &wanted[0]), "IPv4, %u bits", v4);
			cr_assert(prefix_same(&out[1], &wanted[1]), "IPv6, %u bits", bits);
		}
		anon_destroy(anon);
	}
}

Test(anon, what_is_cut_off_has_no_part_in_any_mode)
{
	static const char *const keys[ANON_MODES] = {
		[ANON_CRYPTO_PAN] = PAN_KEY, [ANON_IPCRYPT_PFX] = PFX_KEY_1};
	uint64_t seed = 2;

	for (enum anon_mode mode = 0; mode < ANON_MODES; mode++)
		for (unsigned bits = 0; bits <= 128; bits++) {
			unsigned v4 = bits <= 32 ? bits : 32;
			struct anon *anon = make_bits(mode, keys[mode], v4, bits);
			struct addr in[4];
			struct prefix out[4];

			cr_assert_eq(anon_set_day(anon, 1), 0);
			random_addr(&seed, ADDR_IPV4, &in[0]);
			random_addr(&seed, ADDR_IPV6, &in[2]);
			in[1] = slow_prefix(&in[0], v4).addr;
			in[3] = slow_prefix(&in[2], bits).addr;
			anon_burst(anon, in, out, 4);
			cr_assert(prefix_same(&out[0], &out[1]), "%s, IPv4, %u bits",
				anon_mode_name(mode), v4);
			cr_assert(prefix_same(&out[2], &out[3]), "%s, IPv6, %u bits",
				anon_mode_name(mode), bits);
			if (mode != ANON_PSEUDONYM) {
				struct prefix whole = slow_prefix(&out[0].addr, v4);

				cr_assert(prefix_same(&out[0], &whole), "nothing behind the bits");
				whole = slow_prefix(&out[2].addr, bits);
				cr_assert(prefix_same(&out[2], &whole), "nothing behind the bits");
			}
			anon_destroy(anon);
		}
}

Test(anon, a_burst_of_any_size_is_the_same_as_one_by_one)
{
	static const char *const keys[ANON_MODES] = {
		[ANON_CRYPTO_PAN] = PAN_KEY, [ANON_IPCRYPT_PFX] = PFX_KEY_2};
	uint64_t seed = 7;

	for (enum anon_mode mode = 0; mode < ANON_MODES; mode++) {
		struct anon *anon = make(mode, keys[mode]);
		// What was seen a moment ago is remembered, so it needs another one; a pseudonym's
		// key is its own, but nothing is remembered.
		struct anon *alone = mode == ANON_PSEUDONYM ? anon : make(mode, keys[mode]);

		cr_assert_eq(anon_set_day(anon, 1), 0);
		for (unsigned n = 0; n < 70; n++) {
			struct addr in[70];
			struct prefix out[70], one;

			for (unsigned i = 0; i < n; i++) {
				unsigned kind = random_next(&seed) % 5;

				random_addr(&seed, kind < 2 ? ADDR_IPV4 : ADDR_IPV6, &in[i]);
				if (kind == 4)
					memset(&in[i], 0, sizeof(in[i]));
			}
			anon_burst(anon, in, out, n);
			for (unsigned i = 0; i < n; i++) {
				anon_address(alone, &in[i], &one);
				cr_assert(prefix_same(&one, &out[i]), "%s, %u of %u",
					anon_mode_name(mode), i, n);
				if (in[i].family == ADDR_NONE)
					cr_assert_eq(out[i].length, 0);
			}
		}
		if (alone != anon)
			anon_destroy(alone);
		anon_destroy(anon);
	}
}

Test(anon, defaults_are_22_and_40_where_bits_are_cut_and_all_bits_elsewhere)
{
	for (enum anon_mode mode = 0; mode < ANON_MODES; mode++) {
		struct anon_config config = {mode, ANON_BITS_AUTO, ANON_BITS_AUTO};
		bool cut = mode == ANON_TRUNCATE;

		cr_assert_eq(anon_bits(&config, ADDR_IPV4), cut ? 22 : 32);
		cr_assert_eq(anon_bits(&config, ADDR_IPV6), cut ? 40 : 128);
	}
}

/** The error of a key file of that text and mode; "" when there is none. */
static const char *key_error(enum anon_mode mode, const char *text, mode_t file_mode)
{
	struct anon_config config = {mode, ANON_BITS_AUTO, ANON_BITS_AUTO};
	const char *path = key_write(text, file_mode);
	struct anon *anon = anon_create(&config, path, error, sizeof(error));

	anon_destroy(anon);
	if (anon)
		return "";
	cr_assert_eq(strncmp(error, path, strlen(path)), 0, "%s", error);
	return error + strlen(path);
}

Test(anon, a_key_file_is_64_hexadecimal_digits)
{
	static const char digits[] = ":1: expected 64 hexadecimal digits and nothing else";

	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, PAN_KEY, 0600), "");
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, PAN_KEY "\n", 0400), "");
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, PAN_KEY "\r\n", 0600), "");
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, "", 0600), digits);
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, "\n", 0600), digits);
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, &PAN_KEY[1], 0600), digits);
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, PAN_KEY "0", 0600), digits);
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, PAN_KEY "\n\n", 0600), digits);
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, PAN_KEY "\r\n\n", 0600), digits);
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, "0x" PAN_KEY, 0600), digits);
	cr_assert_str_eq(key_error(ANON_CRYPTO_PAN, "g" PAN_KEY "\n", 0600), digits);
	cr_assert_str_eq(key_error(ANON_IPCRYPT_PFX,
				 "0123456789ABCDEFfedcba9876543210"
				 "0123456789abcdeffedcba9876543210",
				 0600),
		": expected two halves that differ (ipcrypt-pfx), got the same twice");
}

Test(anon, a_key_file_is_nobodys_but_its_owners)
{
	static const mode_t bad[] = {0644, 0640, 0604, 0620, 0601, 0666, 0777};
	struct anon_config config = {ANON_CRYPTO_PAN, ANON_BITS_AUTO, ANON_BITS_AUTO};
	char wanted[80];

	for (unsigned i = 0; i < N(bad); i++) {
		snprintf(wanted, sizeof(wanted),
			": expected mode 0600 (nobody's but its owner's), got %04o",
			(unsigned)bad[i]);
		cr_assert_str_eq(key_error(ANON_IPCRYPT_PFX, PFX_KEY_1, bad[i]), wanted);
	}
	cr_assert_null(anon_create(&config, folder, error, sizeof(error)));
	cr_assert(strstr(error, ": expected a plain file"), "%s", error);
	cr_assert_null(anon_create(&config, "/nowhere/key", error, sizeof(error)));
	cr_assert_str_eq(error, "/nowhere/key: cannot read: No such file or directory");
}
