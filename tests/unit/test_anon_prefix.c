/* SPDX-License-Identifier: BSD-3-Clause */
#include "anon_bed.h"

struct vector {
	const char *in, *out;
};

/* Sample trace of the distribution of Crypto-PAn, raw and sanitized. */
static const struct vector pan_vectors[] = {
	{"128.11.68.132", "135.242.180.132"},
	{"129.118.74.4", "134.136.186.123"},
	{"130.132.252.244", "133.68.164.234"},
	{"141.223.7.43", "141.167.8.160"},
	{"141.233.145.108", "141.129.237.235"},
	{"152.163.225.39", "151.140.114.167"},
	{"156.29.3.236", "147.225.12.42"},
	{"165.247.96.84", "162.9.99.234"},
	{"166.107.77.190", "160.132.178.185"},
	{"192.102.249.13", "252.138.62.131"},
	{"192.215.32.125", "252.43.47.189"},
	{"192.233.80.103", "252.25.108.8"},
	{"192.41.57.43", "252.222.221.184"},
	{"193.150.244.223", "253.169.52.216"},
	{"195.205.63.100", "255.186.223.5"},
	{"198.200.171.101", "249.199.68.213"},
	{"198.26.132.101", "249.36.123.202"},
	{"198.36.213.5", "249.7.21.132"},
	{"198.51.77.238", "249.18.186.254"},
	{"199.217.79.101", "248.38.184.213"},
	{"202.49.198.20", "245.206.7.234"},
	{"203.12.160.252", "244.248.163.4"},
	{"204.184.162.189", "243.192.77.90"},
	{"204.202.136.230", "243.178.4.198"},
	{"204.29.20.4", "243.33.20.123"},
	{"205.178.38.67", "242.108.198.51"},
	{"205.188.147.153", "242.96.16.101"},
	{"205.188.248.25", "242.96.88.27"},
	{"205.245.121.43", "242.21.121.163"},
	{"207.105.49.5", "241.118.205.138"},
	{"207.135.65.238", "241.202.129.222"},
	{"207.155.9.214", "241.220.250.22"},
	{"207.188.7.45", "241.255.249.220"},
	{"207.25.71.27", "241.33.119.156"},
	{"207.33.151.131", "241.1.233.131"},
	{"208.147.89.59", "227.237.98.191"},
	{"208.234.120.210", "227.154.67.17"},
	{"208.28.185.184", "227.39.94.90"},
	{"208.52.56.122", "227.8.63.165"},
	{"209.12.231.7", "226.243.167.8"},
	{"209.238.72.3", "226.6.119.243"},
	{"209.246.74.109", "226.22.124.76"},
	{"209.68.60.238", "226.184.220.233"},
	{"209.85.249.6", "226.170.70.6"},
	{"212.120.124.31", "228.135.163.231"},
	{"212.146.8.236", "228.19.4.234"},
	{"212.186.227.154", "228.59.98.98"},
	{"212.204.172.118", "228.71.195.169"},
	{"212.206.130.201", "228.69.242.193"},
	{"216.148.237.145", "235.84.194.111"},
	{"216.157.30.252", "235.89.31.26"},
	{"216.184.159.48", "235.96.225.78"},
	{"216.227.10.221", "235.28.253.36"},
	{"216.254.18.172", "235.7.16.162"},
	{"216.32.132.250", "235.192.139.38"},
	{"216.35.217.178", "235.195.157.81"},
	{"24.0.250.221", "100.15.198.226"},
	{"24.13.62.231", "100.2.192.247"},
	{"24.14.213.138", "100.1.42.141"},
	{"24.5.0.80", "100.9.15.210"},
	{"24.7.198.88", "100.10.6.25"},
	{"24.94.26.44", "100.88.228.35"},
	{"38.15.67.68", "64.3.66.187"},
	{"4.3.88.225", "124.60.155.63"},
	{"63.14.55.111", "95.9.215.7"},
	{"63.195.241.44", "95.179.238.44"},
	{"63.97.7.140", "95.97.9.123"},
	{"64.14.118.196", "0.255.183.58"},
	{"64.34.154.117", "0.221.154.117"},
	{"64.39.15.238", "0.219.7.41"},
	// As other implementations have it for 128 bits.
	{"::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"},
	{"::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"},
	{"::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"},
	{"2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"},
	{"2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"},
};

/* draft-denis-ipcrypt, test vectors of ipcrypt-pfx. */
static const struct vector pfx_vectors_1[] = {
	{"0.0.0.0", "151.82.155.134"},
	{"255.255.255.255", "94.185.169.89"},
	{"192.0.2.1", "100.115.72.131"},
	{"2001:db8::1", "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88"},
};
static const struct vector pfx_vectors_2[] = {
	{"10.0.0.47", "19.214.210.244"},
	{"10.0.0.129", "19.214.210.80"},
	{"10.0.0.234", "19.214.210.30"},
	{"172.16.5.193", "210.78.229.136"},
	{"172.16.97.42", "210.78.179.241"},
	{"172.16.248.177", "210.78.121.215"},
	{"2001:db8::a5c9:4e2f:bb91:5a7d", "7cec:702c:1243:f70:1956:125:b9bd:1aba"},
	{"2001:db8::7234:d8f1:3c6e:9a52", "7cec:702c:1243:f70:a3ef:c8e:95c1:cd0d"},
	{"2001:db8::f1e0:937b:26d4:8c1a", "7cec:702c:1243:f70:443c:c8e:6a62:b64d"},
	{"2001:db8:3a5c::e7d1:4b9f:2c8a:f673", "7cec:702c:3503:bef:e616:96bd:be33:a9b9"},
};

TestSuite(anon_prefix, .init = bed_make, .fini = bed_remove);

/** What @p in is as an address of all its bits. */
static const char *address_of(const struct anon *anon, const char *in)
{
	static char text[ADDR_TEXT_SIZE];
	struct addr addr = addr_of(in);
	struct prefix out;

	anon_address(anon, &addr, &out);
	cr_assert_eq(out.length, out.addr.family == ADDR_IPV4 ? 32 : 128);
	return addr_format(&out.addr, text);
}

static const char *prefix_of(const struct anon *anon, const char *in)
{
	static char text[PREFIX_TEXT_SIZE];
	struct addr addr = addr_of(in);
	struct prefix out;

	anon_address(anon, &addr, &out);
	return prefix_format(&out, text);
}

/** Each alone, and, with nothing seen before, all in one burst. */
static void check_vectors(
	enum anon_mode mode, const char *key, const struct vector *vectors, unsigned n)
{
	struct anon *anon = make(mode, key);
	struct addr in[100];
	struct prefix out[100];
	char text[ADDR_TEXT_SIZE];

	cr_assert_leq(n, 100);
	for (unsigned i = 0; i < n; i++) {
		in[i] = addr_of(vectors[i].in);
		cr_expect_str_eq(
			address_of(anon, vectors[i].in), vectors[i].out, "%s", vectors[i].in);
	}
	anon_destroy(anon);
	anon = make(mode, key);
	anon_burst(anon, in, out, n);
	for (unsigned i = 0; i < n; i++)
		cr_expect_str_eq(addr_format(&out[i].addr, text), vectors[i].out, "%s in a burst",
			vectors[i].in);
	anon_destroy(anon);
}

Test(anon_prefix, crypto_pan_is_that_of_the_published_trace)
{
	check_vectors(ANON_CRYPTO_PAN, PAN_KEY, pan_vectors, N(pan_vectors));
}

Test(anon_prefix, ipcrypt_pfx_is_that_of_the_published_vectors)
{
	check_vectors(ANON_IPCRYPT_PFX, PFX_KEY_1, pfx_vectors_1, N(pfx_vectors_1));
	check_vectors(ANON_IPCRYPT_PFX, PFX_KEY_2, pfx_vectors_2, N(pfx_vectors_2));
}

/** Bits that two addresses have in common from the first on. */
static unsigned common_bits(const struct addr *a, const struct addr *b)
{
	unsigned bits = addr_size(a->family) * 8u;

	for (unsigned i = 0; i < bits; i++)
		if ((a->bytes[i / 8] ^ b->bytes[i / 8]) & 0x80 >> i % 8)
			return i;
	return bits;
}

Test(anon_prefix, two_addresses_share_as_many_bits_after_as_before)
{
	struct anon *both[] = {make(ANON_CRYPTO_PAN, PAN_KEY), make(ANON_IPCRYPT_PFX, PFX_KEY_1)};
	uint64_t seed = 3;

	for (unsigned m = 0; m < 2; m++)
		for (unsigned round = 0; round < 20; round++)
			for (unsigned bit = 0; bit < 160; bit++) {
				uint8_t family = bit < 32 ? ADDR_IPV4 : ADDR_IPV6;
				unsigned at = bit < 32 ? bit : bit - 32;
				struct addr in[2];
				struct prefix out[2];

				random_addr(&seed, family, &in[0]);
				random_addr(&seed, family, &in[1]);
				// The same up to `at`, another bit there, anything behind.
				for (unsigned i = 0; i <= at; i++) {
					uint8_t mask = (uint8_t)(0x80 >> i % 8);
					uint8_t bits = in[0].bytes[i / 8] & mask;

					if (i == at)
						bits ^= mask;
					in[1].bytes[i / 8] =
						(uint8_t)((in[1].bytes[i / 8] & ~mask) | bits);
				}
				cr_assert_eq(common_bits(&in[0], &in[1]), at);
				anon_burst(both[m], in, out, 2);
				cr_assert_eq(common_bits(&out[0].addr, &out[1].addr), at,
					"%s, bit %u", m ? "ipcrypt-pfx" : "crypto-pan", at);
			}
	anon_destroy(both[0]);
	anon_destroy(both[1]);
}

Test(anon_prefix, fewer_bits_are_the_begin_of_more_bits_with_the_same_key)
{
	struct anon *all = make(ANON_CRYPTO_PAN, PAN_KEY);
	struct anon *part = make_bits(ANON_CRYPTO_PAN, PAN_KEY, 24, 48);

	cr_assert_str_eq(address_of(all, "128.11.68.132"), "135.242.180.132");
	cr_assert_str_eq(prefix_of(part, "128.11.68.132"), "135.242.180.0/24");
	cr_assert_str_eq(prefix_of(part, "2001:db8::1"), "4401:2bc:603f::/48");
	anon_destroy(all);
	anon_destroy(part);
}

Test(anon_prefix, an_address_that_comes_again_is_what_it_was)
{
	enum { ADDRESSES = 20000, BURST = 50 }; // more than are remembered
	struct anon *busy = make(ANON_IPCRYPT_PFX, PFX_KEY_1);
	struct addr *in = malloc(ADDRESSES * sizeof(*in));
	struct prefix *out = malloc(ADDRESSES * sizeof(*out)), again[BURST];
	uint64_t seed = 5;

	for (unsigned i = 0; i < ADDRESSES; i++)
		random_addr(&seed, i % 2 ? ADDR_IPV4 : ADDR_IPV6, &in[i]);
	for (unsigned i = 0; i < ADDRESSES; i += BURST) {
		anon_burst(busy, in + i, out + i, BURST);
		anon_burst(busy, in + i, again, BURST);
		for (unsigned j = 0; j < BURST; j++)
			cr_assert(prefix_same(&out[i + j], &again[j]));
	}
	for (unsigned i = 0; i < ADDRESSES; i += BURST) {
		anon_burst(busy, in + i, again, BURST);
		for (unsigned j = 0; j < BURST; j++)
			cr_assert(prefix_same(&out[i + j], &again[j]));
	}
	// Nobody's place was taken for somebody else's.
	for (unsigned i = 0; i < 500; i++) {
		struct anon *fresh = make(ANON_IPCRYPT_PFX, PFX_KEY_1);

		anon_burst(fresh, in + i, again, 1);
		cr_assert(prefix_same(&out[i], &again[0]));
		anon_destroy(fresh);
	}
	free(in);
	free(out);
	anon_destroy(busy);
}
