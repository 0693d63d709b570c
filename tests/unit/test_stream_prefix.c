/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "dns/dns_msg.h"
#include "stream/stream_tcp_private.h"
#include "support/wire.h"

#define TYPE_HTTPS 65
#define SIZE_MAX_  1024

// Records of every kind that has addresses, in every section. Marks what is an address, by octet.
static uint32_t message_make(uint8_t *msg, bool *address)
{
	static const uint8_t params[] = {0, 1, 3, 'c', 'd', 'n', 0, 0, 1, 0, 3, 2, 'h', '2', 0, 4,
		0, 8, 1, 1, 1, 1, 2, 2, 2, 2, 0, 6, 0, 16, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
		3, 3};
	static const uint8_t hints[][2] = {{18, 8}, {30, 16}};
	struct wire *w = wire_create();
	uint32_t size;

	wire_response(w, "192.0.2.53", "203.0.113.7", "www.example", 1);
	for (w->section = 0; w->section < WIRE_SECTIONS; w->section++) {
		wire_record_address(w, "^q", 300, "198.51.100.66");
		wire_record_name(w, "^q", 300, DNS_TYPE_CNAME, "bad.evil.example");
		wire_record_address(w, "bad.evil.example", 300, "2001:db8:66::66");
		wire_record(w, "^q", 300, TYPE_HTTPS, DNS_CLASS_IN);
		wire_put(w, params, sizeof(params));
		wire_record_end(w);
	}
	wire_finish(w);
	size = (uint32_t)(w->size - w->dns);
	memcpy(msg, w->bytes + w->dns, size);
	for (unsigned i = 0; i < w->n_records; i++) {
		const struct wire_record *r = &w->records[i];
		size_t at = r->rdata - w->dns;

		if (r->rdata_size == 4 || r->rdata_size == 16)
			memset(address + at, 1, r->rdata_size);
		for (unsigned h = 0; r->rdata_size == sizeof(params) && h < 2; h++)
			memset(address + at + hints[h][0], 1, hints[h][1]);
	}
	wire_destroy(w);
	return size;
}

// Reads all that the counts promise. @return where it ends
static uint32_t records_walk(const uint8_t *msg, uint32_t size)
{
	uint32_t off = DNS_HEADER_SIZE;

	for (unsigned n = dns_msg_qdcount(msg); n > 0; n--)
		off += (uint32_t)dns_msg_name_skip(msg, size, off) + 4;
	for (unsigned n = load_be16(msg + 6) + load_be16(msg + 8) + load_be16(msg + 10); n > 0;
		n--) {
		struct dns_rr rr;
		int rr_size = dns_msg_rr_read(msg, size, off, &rr);

		cr_assert_gt(rr_size, 0, "counts promise more than there is");
		off += (uint32_t)rr_size;
	}
	return off;
}

Test(stream_prefix, every_octet_of_an_address_that_is_there_is_in_the_message)
{
	bool address[SIZE_MAX_] = {false};
	uint8_t whole[SIZE_MAX_];
	uint32_t size = message_make(whole, address);

	for (uint32_t have = 0; have <= size; have++) {
		uint8_t *msg = malloc(size);
		struct stream_prefix prefix;
		uint32_t made;

		cr_assert_not_null(msg);
		memcpy(msg, whole, have);
		memset(msg + have, 0xee, size - have);
		prefix = stream_prefix(msg, have, size);
		made = prefix.size;
		cr_assert_leq(made, size);
		cr_assert(prefix.decided >= have && prefix.decided <= size, "cut at %u", have);
		cr_assert(made <= have ? prefix.fill == made
				       : prefix.fill >= have && prefix.fill < made,
			"cut at %u", have);
		for (uint32_t i = made; i < have; i++)
			cr_assert_not(address[i], "octet %u of %u is not judged", i, have);
		if (made > 0)
			cr_assert_eq(records_walk(msg, made), made, "cut at %u", have);
		if (have == size)
			cr_assert(made == size && memcmp(msg, whole, size) == 0);
		free(msg);
	}
}

Test(stream_prefix, what_is_not_there_is_zeros)
{
	bool address[SIZE_MAX_] = {false};
	uint8_t msg[SIZE_MAX_];
	uint32_t size = message_make(msg, address), have = 0;
	struct stream_prefix prefix;

	while (!address[have])
		have++;
	have++;
	memset(msg + have, 0xee, size - have);
	prefix = stream_prefix(msg, have, size);
	cr_assert_eq(prefix.size, have + 3);
	cr_assert_eq(prefix.fill, have);
	cr_assert_eq(prefix.decided, have + 3);
	cr_assert_eq(memcmp(msg + have, "\0\0\0\xee", 4), 0);
	cr_assert_eq(load_be16(msg + 6), 1);
	cr_assert_eq(load_be16(msg + 8), 0);
}

Test(stream_prefix, without_a_record_there_is_nothing_to_judge)
{
	bool address[SIZE_MAX_] = {false};
	uint8_t msg[SIZE_MAX_];
	uint32_t size = message_make(msg, address);

	cr_assert_eq(stream_prefix(msg, 0, size).size, 0);
	cr_assert_eq(stream_prefix(msg, 11, size).size, 0);
	cr_assert_eq(stream_prefix(msg, 12, size).size, 0);
	cr_assert_eq(stream_prefix(msg, 30, size).size, 0);
}

Test(stream_prefix, an_address_beyond_the_message_is_none)
{
	bool address[SIZE_MAX_] = {false};
	uint8_t msg[SIZE_MAX_];
	uint32_t have = 0;

	message_make(msg, address);
	while (!address[have])
		have++;
	cr_assert_eq(stream_prefix(msg, have + 1, have + 3).size, 0);
}

// A header, the question "a A IN", and one record of that name.
static const uint8_t one[] = {0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1, 0xc0,
	12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 203, 0, 113, 1};

#define ONE_TYPE  21u
#define ONE_TTL   25u
#define ONE_RDATA 31u

Test(stream_prefix, a_ttl_is_decided_with_its_first_octet)
{
	for (unsigned type = 1; type <= 2; type++)
		for (uint32_t have = 0; have <= sizeof(one); have++) {
			uint8_t msg[sizeof(one)];
			bool in_ttl = have > ONE_TTL && have < ONE_TTL + 4;
			struct stream_prefix prefix;

			memcpy(msg, one, sizeof(one));
			msg[ONE_TYPE + 1] = (uint8_t)type;
			prefix = stream_prefix(msg, have, sizeof(one));
			if (have < ONE_RDATA || type == 2)
				cr_assert_eq(prefix.decided, in_ttl ? ONE_TTL + 4 : have,
					"type %u, %u octets", type, have);
		}
}

Test(stream_prefix, an_address_is_known_by_its_type_and_class)
{
	for (uint32_t have = ONE_TTL; have < sizeof(one); have++) {
		uint8_t msg[sizeof(one)];
		struct stream_prefix prefix;

		memcpy(msg, one, sizeof(one));
		memset(msg + have, 0xee, sizeof(msg) - have);
		prefix = stream_prefix(msg, have, sizeof(one));
		if (have == ONE_TTL) {
			cr_assert_eq(prefix.size, 0, "no octet of the TTL is there");
			continue;
		}
		cr_assert_eq(prefix.size, sizeof(one), "%u octets", have);
		cr_assert_eq(prefix.fill, have < ONE_RDATA ? ONE_RDATA : have);
		cr_assert_eq(load_be16(msg + ONE_RDATA - 2), 4);
		for (uint32_t i = have; i < sizeof(one); i++)
			cr_assert(msg[i] == 0 || i == ONE_RDATA - 1, "octet %u", i);
	}
}

Test(stream_prefix, an_address_that_is_too_short_is_none)
{
	uint8_t msg[sizeof(one)];

	memcpy(msg, one, sizeof(one));
	msg[ONE_RDATA - 1] = 3;
	cr_assert_eq(stream_prefix(msg, ONE_RDATA, sizeof(one)).size, 0);
	cr_assert_eq(stream_prefix(msg, ONE_TTL + 1, sizeof(one) - 1).size, 0, "no room for it");
}

Test(stream_prefix, of_an_address_that_is_too_long_all_octets_are_filled_up)
{
	uint8_t msg[sizeof(one) + 0x104] = {0};
	struct stream_prefix prefix;

	memcpy(msg, one, sizeof(one));
	msg[ONE_RDATA - 1] = 6;
	prefix = stream_prefix(msg, ONE_RDATA + 1, sizeof(one) + 2);
	cr_assert_eq(prefix.size, sizeof(one) + 2);
	cr_assert_eq(prefix.fill, ONE_RDATA + 1);
	cr_assert_eq(stream_prefix(msg, ONE_RDATA + 1, sizeof(one) + 1).size, 0, "no room for it");
	// Of RDLENGTH only the first octet is there.
	memcpy(msg, one, sizeof(one));
	msg[ONE_RDATA - 2] = 1;
	prefix = stream_prefix(msg, ONE_RDATA - 1, sizeof(one) + 0x100);
	cr_assert_eq(prefix.size, ONE_RDATA + 0x104);
	cr_assert_eq(prefix.decided, ONE_RDATA - 1);
}
