/* SPDX-License-Identifier: BSD-3-Clause */
#include "dns/dns_rdata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/wire.h"

static const uint8_t *message(const struct wire *w)
{
	return w->bytes + w->dns;
}

static uint32_t size_of(const struct wire *w)
{
	return (uint32_t)(w->size - w->dns);
}

// The record number @p n of the message, with its owner at @p name.
static struct dns_rr record(const struct wire *w, unsigned n)
{
	const struct wire_record *record = &w->records[n];
	struct dns_rr rr = {
		.rdata = (uint16_t)(record->rdata - w->dns),
		.rdata_size = (uint16_t)record->rdata_size,
	};

	rr.type = load_be16(w->bytes + record->ttl - 4);
	rr.class = load_be16(w->bytes + record->ttl - 2);
	return rr;
}

static struct wire *response(void)
{
	struct wire *w = wire_create();

	wire_response(w, "198.51.100.53", "203.0.113.7", "www.evil.example", DNS_TYPE_A);
	return w;
}

Test(dns_rdata, data_that_ends_inside_a_name_is_an_error)
{
	struct wire *w = response();
	uint16_t at[DNS_RDATA_NAMES_MAX];
	struct dns_rr rr;

	wire_record(w, "^q", 300, 6, DNS_CLASS_IN);
	wire_name(w, "ns.^q");
	wire_name(w, "host.^q");
	wire_zeros(w, 20);
	wire_record_end(w);
	wire_finish(w);
	rr = record(w, 0);
	cr_assert(dns_rdata_names(message(w), &rr, at) == 2);
	cr_assert(at[0] == rr.rdata && at[1] == rr.rdata + 5);
	for (rr.rdata_size = 1; rr.rdata_size < 12; rr.rdata_size++)
		cr_assert(dns_rdata_names(message(w), &rr, at) < 0, "%u octets", rr.rdata_size);
	rr.rdata_size = 12;
	cr_assert(dns_rdata_names(message(w), &rr, at) == 2);
	rr.rdata_size = 0;
	cr_assert(dns_rdata_names(message(w), &rr, at) == 0);
	wire_destroy(w);
}

Test(dns_rdata, naptr_has_its_name_behind_three_strings)
{
	struct wire *w = response();
	uint16_t at[DNS_RDATA_NAMES_MAX];
	struct dns_rr rr;

	wire_record(w, "^q", 300, 35, DNS_CLASS_IN);
	wire_hex(w, "0064 0032 0173 03736970 00");
	wire_name(w, "_sip.^q");
	wire_record_end(w);
	wire_finish(w);
	rr = record(w, 0);
	cr_assert(dns_rdata_names(message(w), &rr, at) == 1);
	cr_assert(at[0] == rr.rdata + 11);
	// A string that leads outside leaves no room for the name.
	w->bytes[w->records[0].rdata + 6] = 200;
	cr_assert(dns_rdata_names(message(w), &rr, at) < 0);
	wire_destroy(w);
}

Test(dns_rdata, types_without_compressed_names_have_none)
{
	static const uint16_t types[] = {
		0, 1, 13, 16, 28, 41, 43, 50, 52, 99, 108, 250, 257, 65535};
	uint8_t msg[64] = {0};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct dns_rr rr = {.type = types[i], .rdata = 20, .rdata_size = 20};
		uint16_t at[DNS_RDATA_NAMES_MAX];

		cr_expect(dns_rdata_names(msg, &rr, at) == 0, "type %u", types[i]);
	}
}

// Hints as text: "size*count@offset" each, from where RDATA starts, and "!" for what is malformed.
static const char *hints_of(const uint8_t *msg, const struct dns_rr *rr)
{
	static char text[200];
	struct dns_svcb_hint hint;
	struct dns_svcb svcb;
	int n = 0;

	dns_svcb_begin(msg, rr, &svcb);
	while (dns_svcb_next(msg, &svcb, &hint))
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%u*%u@%u ", hint.size, hint.n,
			hint.at - rr->rdata);
	snprintf(text + n, sizeof(text) - (size_t)n, "%s", svcb.malformed ? "!" : "");
	return text;
}

Test(dns_svcb, addresses_of_hints_are_found_with_any_other_parameters)
{
	struct wire *w = response();
	struct dns_rr rr;

	wire_record(w, "^q", 300, DNS_TYPE_HTTPS, DNS_CLASS_IN);
	wire_hex(w, "0010 03666f6f00 0000 0002 0001 0001 0003 026832");
	wire_hex(w, "0004 0008 c0000201 c0000202 0006 0010 20010db8000000000000000000000001");
	wire_hex(w, "ffff 0000");
	wire_record_end(w);
	wire_finish(w);
	rr = record(w, 0);
	cr_assert_str_eq(hints_of(message(w), &rr), "4*2@24 16*1@36 ");
	// Cut anywhere but between two parameters it is malformed.
	for (unsigned size = rr.rdata_size, whole = 0; size > 0; size--) {
		uint8_t *copy = malloc(rr.rdata + size);
		struct dns_rr cut = rr;

		cr_assert_not_null(copy);
		memcpy(copy, message(w), rr.rdata + size);
		cut.rdata_size = (uint16_t)size;
		whole += strchr(hints_of(copy, &cut), '!') == NULL;
		cr_assert(size > 1 || whole == 6, "%u ends of parameters", whole);
		free(copy);
	}
	wire_destroy(w);
}

Test(dns_svcb, hints_that_a_client_ought_to_refuse_are_found_all_the_same)
{
	static const struct {
		const char *parameters, *hints;
	} rows[] = {
		{"0004 0004 c0000201 0001 0003 026832", "4*1@7 !"},
		{"0004 0004 c0000201 0004 0004 c0000202", "4*1@7 4*1@15 !"},
		{"0006 0010 20010db8000000000000000000000001 0004 0004 c0000201",
			"16*1@7 4*1@27 !"},
		{"0004 0006 c0000201 c000", "4*1@7 !"},
		{"0004 0003 c00002", "!"},
		{"0004 0000", "!"},
		{"0004 ffff c0000201 c0000202 c0", "4*2@7 !"},
		{"0006 0011 20010db8000000000000000000000001", "16*1@7 !"},
		{"0001 ffff 0004 0004 c0000201", "!"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire *w = response();
		struct dns_rr rr;

		wire_record(w, "^q", 300, DNS_TYPE_SVCB, DNS_CLASS_IN);
		wire_hex(w, "0001 00");
		wire_hex(w, rows[i].parameters);
		wire_record_end(w);
		wire_finish(w);
		rr = record(w, 0);
		cr_expect_str_eq(hints_of(message(w), &rr), rows[i].hints, "row %zu: %s", i,
			hints_of(message(w), &rr));
		wire_destroy(w);
	}
}

Test(dns_names, are_equal_in_any_case_and_however_compressed)
{
	struct wire *w = response();
	const uint8_t *msg = message(w);
	uint32_t size, other, longer, label, broken;

	wire_mark(w, "other");
	other = size_of(w);
	wire_name(w, "WWW.eViL.^q+9");
	longer = size_of(w);
	wire_name(w, "a.^q");
	label = size_of(w);
	wire_name(w, "www.evilx.example");
	broken = size_of(w);
	wire_hex(w, "03777777");
	size = size_of(w);
	cr_assert(dns_msg_names_equal(msg, size, 12, other));
	cr_assert(dns_msg_names_equal(msg, size, other, 12));
	cr_assert(!dns_msg_names_equal(msg, size, 12, longer));
	cr_assert(!dns_msg_names_equal(msg, size, 12, label));
	cr_assert(!dns_msg_names_equal(msg, size, 12, broken));
	cr_assert(!dns_msg_names_equal(msg, size, broken, broken));
	// The same octets, cut into labels in another way.
	other = size;
	wire_name(w, "www\\004evil.example");
	cr_assert(!dns_msg_names_equal(msg, size_of(w), 12, other));
	wire_destroy(w);
}

// What is behind the answers of a response that @p build goes on with.
static struct dns_rest rest_of(void (*build)(struct wire *w))
{
	struct wire *w = response();
	uint32_t behind = size_of(w);
	struct dns_rest rest;

	build(w);
	wire_finish(w);
	dns_msg_rest_read(message(w), size_of(w), behind, &rest);
	cr_assert(!rest.whole || rest.end == size_of(w));
	wire_destroy(w);
	return rest;
}

static void opt_add(struct wire *w, const char *owner, uint32_t ttl, const char *options)
{
	w->section = WIRE_ADDITIONAL;
	wire_record(w, owner, ttl, DNS_TYPE_OPT, 1232);
	wire_hex(w, options);
	wire_record_end(w);
}

static void build_nothing(struct wire *w)
{
	(void)w;
}

static void build_opt(struct wire *w)
{
	w->section = WIRE_AUTHORITY;
	wire_record_name(w, "^q", 300, 2, "ns.^q");
	opt_add(w, ".", 0x8000, "000a 0008 0102030405060708 000c 0000");
}

static void build_two_opts(struct wire *w)
{
	opt_add(w, ".", 0, "");
	opt_add(w, ".", 0, "");
}

static void build_opt_of_a_name(struct wire *w)
{
	opt_add(w, "^q", 0, "");
}

static void build_opt_malformed(struct wire *w)
{
	opt_add(w, ".", 0x8000, "000a 0008 01020304050607");
}

static void build_tsig(struct wire *w)
{
	opt_add(w, ".", 0, "");
	wire_record_name(w, "key", 0, DNS_TYPE_TSIG, "hmac");
}

static void build_tsig_not_last(struct wire *w)
{
	w->section = WIRE_ADDITIONAL;
	wire_record_name(w, "key", 0, DNS_TYPE_TSIG, "hmac");
	opt_add(w, ".", 0, "");
}

static void build_addresses(struct wire *w)
{
	w->section = WIRE_AUTHORITY;
	wire_record_address(w, "^q", 300, "192.0.2.1");
	w->section = WIRE_ADDITIONAL;
	wire_record_address(w, "^q", 300, "2001:db8::1");
}

static void build_cut(struct wire *w)
{
	build_tsig(w);
	w->size--;
}

Test(dns_rest, says_what_is_behind_the_answers)
{
	struct dns_rest rest = rest_of(build_nothing);

	cr_assert(rest.whole && !rest.is_signed && rest.opt_size == 0 && !rest.addresses);
	rest = rest_of(build_opt);
	cr_assert(rest.whole && rest.opt_size == 11 + 16 && rest.dnssec_ok && !rest.is_signed);
	cr_assert(rest.opt == rest.additional && rest.opt + rest.opt_size == rest.end);
	rest = rest_of(build_two_opts);
	cr_assert(rest.whole && rest.opt_size == 0);
	rest = rest_of(build_opt_of_a_name);
	cr_assert(rest.whole && rest.opt_size == 0);
	rest = rest_of(build_opt_malformed);
	cr_assert(rest.whole && rest.opt_size == 0 && rest.dnssec_ok);
	rest = rest_of(build_tsig);
	cr_assert(rest.whole && rest.is_signed && rest.opt_size == 11);
	rest = rest_of(build_tsig_not_last);
	cr_assert(rest.whole && !rest.is_signed);
	rest = rest_of(build_addresses);
	cr_assert(rest.whole && rest.addresses);
	rest = rest_of(build_cut);
	cr_assert(!rest.whole && !rest.is_signed && rest.opt_size == 0);
}
