/* SPDX-License-Identifier: BSD-3-Clause */
#include "consent/consent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

// A rule as prefix_format writes it.
struct text_rule {
	const char *prefix;
	uint8_t refused;
};

// What reading a file gave.
struct taken {
	struct consent_rules rules;
	struct consent_counts counts;
	char bad[4096];
};

static void bad_take(void *ctx, unsigned line, const char *what)
{
	struct taken *t = ctx;
	size_t used = strlen(t->bad);

	snprintf(t->bad + used, sizeof(t->bad) - used, "%u: %s\n", line, what);
}

static int file_read(const char *data, size_t size, struct taken *taken)
{
	char path[] = "/tmp/test_consent.XXXXXX";
	int fd = mkstemp(path), err;

	cr_assert(fd >= 0);
	cr_assert(write(fd, data, size) == (ssize_t)size);
	close(fd);
	err = consent_read(path, &taken->rules, bad_take, taken, &taken->counts);
	unlink(path);
	return err;
}

Test(consent_read, good_lines_of_every_shape)
{
	static const char data[] = "\xef\xbb\xbf# customers\r\n\r\n Prefix,\"FILTER\" ,log\r\n"
				   "192.0.2.0/24,no,yes\r\n198.51.100.7 , YES,\tNo\r\n# moved\r\n"
				   "\"2001:db8::1/32\",no,no\r\n0.0.0.0/0,yes,yes";
	static const struct text_rule expected[] = {{"192.0.2.0/24", CONSENT_NO_FILTER},
		{"198.51.100.7/32", CONSENT_NO_LOG},
		{"2001:db8::/32", CONSENT_NO_FILTER | CONSENT_NO_LOG}, {"0.0.0.0/0", 0}};
	struct taken t = {.bad = ""};
	char text[PREFIX_TEXT_SIZE];

	cr_assert(file_read(data, sizeof(data) - 1, &t) == 0);
	cr_assert_str_eq(t.bad, "");
	cr_assert(t.rules.n == N(expected));
	cr_assert(t.counts.lines == 8 && t.counts.good == 4 && t.counts.bad == 0);
	for (unsigned i = 0; i < N(expected); i++) {
		cr_assert_str_eq(prefix_format(&t.rules.rules[i].prefix, text), expected[i].prefix);
		cr_assert(t.rules.rules[i].refused == expected[i].refused);
	}
	consent_rules_free(&t.rules);
	cr_assert(t.rules.n == 0);
}

Test(consent_read, bad_lines_are_told_and_skipped)
{
	static const char data[] =
		"prefix,filter,log\n192.0.2.0/24,no\n192.0.2.0/24,no,no,no\n"
		"192.0.2.0/33,no,no\n192.0.2/24,no,no\nexample.com,no,no\n,no,no\n"
		"192.0.2.0/24,,no\n192.0.2.0/24,no,maybe\n192.0.2.0/24,\"no,no\n"
		"192.0.2.0\0/24,no,no\n10.0.0.0/8,no,no\n";
	struct taken t = {.bad = ""};

	cr_assert(file_read(data, sizeof(data) - 1, &t) == 0);
	cr_assert_str_eq(t.bad,
		"2: expected 3 fields (prefix,filter,log), got \"192.0.2.0/24,no\"\n"
		"3: expected 3 fields (prefix,filter,log), got \"192.0.2.0/24,no,no,no\"\n"
		"4: expected an IPv4 or IPv6 prefix, got \"192.0.2.0/33\"\n"
		"5: expected an IPv4 or IPv6 prefix, got \"192.0.2/24\"\n"
		"6: expected an IPv4 or IPv6 prefix, got \"example.com\"\n"
		"7: expected an IPv4 or IPv6 prefix, got \"\"\n"
		"8: expected \"yes\" or \"no\" for filter, got \"\"\n"
		"9: expected \"yes\" or \"no\" for log, got \"maybe\"\n"
		"10: expected a quotation mark that ends the field, got \"192.0.2.0/24,\"no,no\"\n"
		"11: expected text without NUL, got \"192.0.2.0\\x00/24\"\n");
	cr_assert(t.rules.n == 1 && t.rules.rules[0].prefix.length == 8);
	cr_assert(t.counts.lines == 12 && t.counts.good == 1 && t.counts.bad == 10);
	consent_rules_free(&t.rules);
}

Test(consent_read, the_header_is_required_and_enough)
{
	static const char *const bad[] = {"", "# only\n", "192.0.2.0/24,no,no\n", "prefix,filter\n",
		"prefix,log,filter\n", "prefix;filter;log\n"};
	struct taken t = {.bad = ""};

	cr_assert(file_read("prefix,filter,log", 17, &t) == 0);
	cr_assert(t.rules.n == 0 && t.counts.lines == 1);
	for (unsigned i = 0; i < N(bad); i++) {
		t = (struct taken){.bad = ""};
		cr_assert(file_read(bad[i], strlen(bad[i]), &t) == -EBADMSG, "vector %u", i);
		cr_assert(strncmp(t.bad, "1: expected the header \"prefix,filter,log\"", 42) == 0);
	}
	cr_assert(consent_read("/nonexistent/x", &t.rules, bad_take, &t, &t.counts) == -ENOENT);
}

Test(consent_read, many_rules_are_kept)
{
	static char data[20000 * 24 + 32];
	const unsigned n = 20000;
	size_t size = (size_t)snprintf(data, sizeof(data), "prefix,filter,log\n");
	struct taken t = {.bad = ""};

	for (unsigned i = 0; i < n; i++)
		size += (size_t)snprintf(data + size, sizeof(data) - size, "10.%u.%u.0/24,no,yes\n",
			i / 256 % 256, i % 256);
	cr_assert(size < sizeof(data));
	cr_assert(file_read(data, size, &t) == 0);
	cr_assert(t.rules.n == n && t.counts.good == n);
	cr_assert(t.rules.rules[n - 1].prefix.addr.bytes[1] == (n - 1) / 256);
	consent_rules_free(&t.rules);
}
