/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "dns/dns_name.h"

#define BUECHER                 \
	"\x0dxn--bcher-kva\x07" \
	"example"
#define TATOE "\x0bxn--r8jz45g\x0axn--zckzah"

struct name_vector {
	const char *text;
	const char *wire; // without the root label; NULL: refused
	enum list_scope scope;
};

static const struct name_vector vectors[] = {
	{"example.com", "\7example\3com", LIST_EXACT},
	{"EXAMPLE.Com.", "\7example\3com", LIST_EXACT},
	{"*.example.com", "\7example\3com", LIST_BELOW},
	{".example.com.", "\7example\3com", LIST_SUBTREE},
	{"com", "\3com", LIST_EXACT},
	{"_sip._tcp.r3---sn-5hne.a--b.-x-", "\4_sip\4_tcp\x0cr3---sn-5hne\4a--b\3-x-", LIST_EXACT},
	{"a\\.b.example", "\3a.b\7example", LIST_EXACT},
	{"\\065\\*.example", "\2a*\7example", LIST_EXACT},
	{"\\*.example", "\1*\7example", LIST_EXACT},
	{"*.\\042.example", "\1*\7example", LIST_BELOW},

	{"B\xc3\xbc"
	 "cher.example",
		BUECHER, LIST_EXACT},
	{"*.b\xc3\xbc"
	 "cher.example.",
		BUECHER, LIST_BELOW},
	{".B\xc3\x9c"
	 "CHER.EXAMPLE",
		BUECHER, LIST_SUBTREE},
	{"bu\xcc\x88"
	 "cher.example",
		BUECHER, LIST_EXACT}, // u and a combining mark
	{"xn--bcher-kva.example", BUECHER, LIST_EXACT},
	{"XN--BCHER-KVA.Example", BUECHER, LIST_EXACT},
	{"b\xc3\xbc"
	 "cher.xn--bcher-kva.example",
		"\x0dxn--bcher-kva" BUECHER, LIST_EXACT},
	// What IDNA does not know passes beside a U-label too.
	{"_dmarc.a--b.xn--.b\xc3\xbc"
	 "cher.example",
		"\6_dmarc\4a--b\4xn--" BUECHER, LIST_EXACT},
	{"fa\xc3\x9f.example", "\x0axn--fa-hia\7example", LIST_EXACT}, // sharp s stays (IDNA 2008)
	{"\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", TATOE, LIST_EXACT},
	{"*.\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", TATOE, LIST_BELOW},
	// Ideographic, full-width and half-width full stops.
	{"\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", TATOE,
		LIST_EXACT},
	{"\xe4\xbe\x8b\xe3\x81\x88\xef\xbc\x8e\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88\xef\xbd\xa1",
		TATOE, LIST_EXACT},
	{"*\xe3\x80\x82"
	 "example\xef\xbc\x8e"
	 "com",
		"\7example\3com", LIST_BELOW},
	{"\xef\xbd\xa1"
	 "example.com",
		"\7example\3com", LIST_SUBTREE},
	{"\xef\xbc\xa5xample.com", "\7example\3com", LIST_EXACT}, // full-width E
	{"\xf0\x9f\x92\xa9.la", "\x08xn--ls8h\2la", LIST_EXACT},  // sold, though not IDNA 2008

	{"", NULL, 0},
	{".", NULL, 0},
	{"*.", NULL, 0},
	{"..", NULL, 0},
	{"*..", NULL, 0},
	{"*", NULL, 0},
	{"**.example", NULL, 0},
	{"*example.com", NULL, 0},
	{"a.*.com", NULL, 0},
	{"*.*.com", NULL, 0},
	{"a*.com", NULL, 0},
	{"example.*", NULL, 0},
	{"..example.com", NULL, 0},
	{"a..example.com", NULL, 0},
	{"example.com..", NULL, 0},
	{"*..example.com", NULL, 0},
	{"http://example.com", NULL, 0},
	{"||example.com^", NULL, 0},
	{"a b", NULL, 0},
	{"example.com:53", NULL, 0},
	{"a\\", NULL, 0},
	{"a\\256", NULL, 0},
	{"a\\12", NULL, 0},
	{"\xe3\x80\x82", NULL, 0},
	{"*\xe3\x80\x82", NULL, 0},
	{"b\xc3\xbc..example", NULL, 0},
	{"b\xfc"
	 "cher.example",
		NULL, 0},
	{"\xc3", NULL, 0},
	{"b\xc3\xbc\x01.example", NULL, 0},
	{"a\\.b\xc3\xbc.example", NULL, 0},
	{"b\xc3\xbc\\046x.example", NULL, 0},
	{"b\xc3\xbc/x.example", NULL, 0},
	{"b\xc3\xbc*.example", NULL, 0},
	{"\xef\xbc\xbc"
	 "b.example",
		NULL, 0},                        // full-width backslash
	{"\xef\xbc\x8a.example", NULL, 0},       // full-width star
	{"\xe2\x84\x80.example", NULL, 0},       // maps to "a/c"
	{"b\xc3\xbc.\xc2\xad.example", NULL, 0}, // a soft hyphen maps to nothing
	{"b\xc3\xbc.\xc2\xad", NULL, 0},
	{"-b\xc3\xbc.example", NULL, 0},
	{"1\xd8\xa7.example", NULL, 0},
};

Test(list_name, forms_become_wire_form_or_are_refused_with_words)
{
	for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct name_vector *v = &vectors[i];
		uint8_t name[DNS_NAME_SIZE_MAX];
		enum list_scope scope;
		const char *error = NULL;
		int n = list_name_parse(v->text, strlen(v->text), name, &scope, &error);

		if (!v->wire) {
			cr_assert(n == -1, "vector %u (%s) gave %d", i, v->text, n);
			cr_assert(error && strncmp(error, "expected ", 9) == 0, "vector %u", i);
			continue;
		}
		cr_assert(n == (int)strlen(v->wire) + 1, "vector %u (%s) gave %d: %s", i, v->text,
			n, n < 0 ? error : "");
		cr_assert(memcmp(name, v->wire, (size_t)n) == 0, "vector %u (%s)", i, v->text);
		cr_assert(scope == v->scope, "vector %u (%s)", i, v->text);
	}
}

static int parse(const char *text, size_t size)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	enum list_scope scope;
	const char *error;

	return list_name_parse(text, size, name, &scope, &error);
}

Test(list_name, a_label_has_at_most_63_octets)
{
	char text[80];

	memset(text, 'a', sizeof(text));
	cr_assert(parse(text, 63) == 65);
	cr_assert(parse(text, 64) == -1);
	text[0] = '.';
	cr_assert(parse(text, 64) == 65);
	cr_assert(parse(text, 65) == -1);
}

Test(list_name, an_a_label_has_at_most_63_octets)
{
	// "xn--", 55 letters, "-" and three for the u with its dots: 63.
	char text[80];

	memset(text, 'a', sizeof(text));
	memcpy(text, "\xc3\xbc", 2);
	cr_assert(parse(text, 2 + 55) == 65);
	cr_assert(parse(text, 2 + 56) == -1);
}

// Three labels of 63, one of @p last, and the root: 194 + last octets of wire form.
static int parse_long(size_t last, bool dotted, const char *front)
{
	char text[300];
	int n = snprintf(text, sizeof(text), "%s%063d.%063d.%063d.%0*d%s", front, 1, 1, 1,
		(int)last, 1, dotted ? "." : "");

	return parse(text, (size_t)n);
}

Test(list_name, a_name_has_at_most_255_octets)
{
	cr_assert(parse_long(60, false, "") == 254);
	cr_assert(parse_long(61, false, "") == 255);
	cr_assert(parse_long(61, true, "") == 255);
	cr_assert(parse_long(62, false, "") == -1);
	cr_assert(parse_long(62, true, "") == -1);
	cr_assert(parse_long(61, false, "*.") == 255);
	cr_assert(parse_long(62, false, ".") == -1);
}

Test(list_name, a_long_name_of_u_labels_is_refused_and_not_cut)
{
	char text[4096];
	size_t size = 0;

	while (size + 3 < sizeof(text)) {
		memcpy(text + size, "\xc3\xbc.", 3);
		size += 3;
	}
	// 31 labels of "xn--tda" are 248 octets and the root; one more has no room.
	cr_assert(parse(text, 31 * 3) == 249);
	cr_assert(parse(text, 32 * 3) == -1);
	cr_assert(parse(text, size) == -1);
	memset(text, 0xe3, sizeof(text));
	cr_assert(parse(text, sizeof(text)) == -1);
	for (size_t i = 0; i + 2 <= sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	cr_assert(parse(text, sizeof(text)) == -1);
}

Test(list_name, an_octet_0_ends_no_name)
{
	cr_assert(parse("a\0b", 3) == -1);
	cr_assert(parse("\xc3\xbc\0b", 4) == -1);
	cr_assert(parse("example.com\0", 12) == -1);
}

Test(list_name, any_octets_are_read_within_bounds)
{
	static const char pool[] = ".*\\09a-_\xc3\xbc\xe3\x80\x82\xef\xbc\x8e\xc2\xad\xff/ ";
	uint64_t state = 88172645463325252u;
	char text[40];

	for (unsigned round = 0; round < 20000; round++) {
		size_t size = 0;

		do {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			text[size++] = pool[state % (sizeof(pool) - 1)];
		} while (size < sizeof(text) && state % 17);
		cr_assert(parse(text, size) != 0);
	}
}
