/* SPDX-License-Identifier: BSD-3-Clause */
// The traffic tool's clients: what they ask, and that they see every wrong answer.
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "support/csum_full.h"
#include "support/wire.h"
#include "traffic/flood.h"
#include "traffic/message.h"

static const struct message_sink sink = {
	.ipv4 = {192, 0, 2, 1}, .ipv6 = {0x20, 0x01, 0x0d, 0xb8, 0, 5}, .ttl_max = 60};

struct answer {
	size_t size;
	uint8_t bytes[1000];
};

// An alias, an A and an AAAA record, and an OPT record with or without an option.
static void answer_make(
	struct answer *a, const char *four, const char *six, uint32_t ttl, bool option)
{
	struct wire *w = wire_create();

	wire_response(w, "192.0.2.53", "198.51.100.7", "www.example", DNS_TYPE_A);
	wire_record_name(w, "^q", 3600, DNS_TYPE_CNAME, "bad.example");
	wire_record_address(w, "bad.example", ttl, four);
	wire_record_address(w, "bad.example", ttl, six);
	w->section = WIRE_ADDITIONAL;
	wire_record(w, ".", 0, 41, 1232);
	if (option)
		wire_hex(w, "000f 0002 0011");
	wire_record_end(w);
	wire_finish(w);
	a->size = w->size - w->dns;
	memcpy(a->bytes, w->bytes + w->dns, a->size);
	wire_destroy(w);
}

static enum message_verdict judge(
	const struct answer *wanted, bool listed, const struct answer *got)
{
	return message_judge(
		wanted->bytes, wanted->size, listed ? &sink : NULL, got->bytes, got->size);
}

Test(traffic_message, an_unlisted_answer_has_to_be_the_same_but_for_its_id)
{
	struct answer wanted, got;

	answer_make(&wanted, "203.0.113.9", "2001:db8:9::9", 300, false);
	got = wanted;
	got.bytes[0] ^= 0x55;
	cr_assert(judge(&wanted, false, &got) == MESSAGE_RIGHT);
	for (size_t i = 2; i < wanted.size; i++) {
		got = wanted;
		got.bytes[i] ^= 1;
		cr_assert(judge(&wanted, false, &got) == MESSAGE_WRONG, "octet %zu", i);
	}
	got = wanted;
	got.size--;
	cr_assert(judge(&wanted, false, &got) == MESSAGE_WRONG);
	got.size = 3;
	cr_assert(judge(&wanted, false, &got) == MESSAGE_WRONG);
}

Test(traffic_message, a_listed_answer_has_to_have_the_sinkholes_addresses)
{
	struct answer wanted, got;

	answer_make(&wanted, "203.0.113.9", "2001:db8:9::9", 300, false);
	answer_make(&got, "192.0.2.1", "2001:db8:5::", 60, false);
	cr_assert(judge(&wanted, true, &got) == MESSAGE_RIGHT);
	answer_make(&got, "192.0.2.1", "2001:db8:5::", 60, true);
	cr_assert(judge(&wanted, true, &got) == MESSAGE_RIGHT, "OPT may have more in it");
	answer_make(&got, "192.0.2.1", "2001:db8:5::", 61, false);
	cr_assert(judge(&wanted, true, &got) == MESSAGE_WRONG, "TTL");
	answer_make(&got, "192.0.2.2", "2001:db8:5::", 60, false);
	cr_assert(judge(&wanted, true, &got) == MESSAGE_WRONG, "another address");
	answer_make(&got, "203.0.113.9", "2001:db8:5::", 60, false);
	cr_assert(judge(&wanted, true, &got) == MESSAGE_LEAKED);
	answer_make(&got, "192.0.2.1", "2001:db8:9::9", 60, false);
	cr_assert(judge(&wanted, true, &got) == MESSAGE_LEAKED);
	cr_assert(judge(&wanted, true, &wanted) == MESSAGE_LEAKED);
}

Test(traffic_message, every_other_octet_of_a_listed_answer_has_to_stay)
{
	struct answer wanted, good, got;
	size_t opt;

	answer_make(&wanted, "203.0.113.9", "2001:db8:9::9", 300, false);
	answer_make(&good, "192.0.2.1", "2001:db8:5::", 60, false);
	opt = good.size - 11;
	for (size_t i = 2; i < opt; i++) {
		got = good;
		got.bytes[i] ^= 1;
		// A TTL may be even shorter.
		if (judge(&wanted, true, &got) == MESSAGE_RIGHT)
			cr_assert(good.bytes[i] == 60, "octet %zu", i);
	}
	wanted.bytes[3] |= 0x20;
	cr_assert(judge(&wanted, true, &good) == MESSAGE_RIGHT, "AD is cleared");
	good.bytes[3] |= 0x20;
	cr_assert(judge(&wanted, true, &good) == MESSAGE_WRONG, "AD stays");
}

Test(traffic_message, no_cut_of_an_answer_is_right)
{
	struct answer wanted, got;

	answer_make(&wanted, "203.0.113.9", "2001:db8:9::9", 300, false);
	answer_make(&got, "192.0.2.1", "2001:db8:5::", 60, false);
	for (size_t size = got.size - 11; size > 0; size--) {
		got.size = size;
		cr_assert(judge(&wanted, true, &got) == MESSAGE_WRONG, "%zu octets", size);
	}
}

Test(traffic_message, queries_are_answered_with_an_address_of_the_names_own)
{
	uint8_t query[MESSAGE_QUERY_MAX], one[MESSAGE_QUERY_MAX + 64], two[MESSAGE_QUERY_MAX + 64];
	int size = message_query("a.example", DNS_TYPE_A, 77, 0, query);
	size_t n = message_answer(query, (size_t)size, one);

	cr_assert(size == 12 + 11 + 4 && n == (size_t)size + 16);
	cr_assert(message_answers(query, one, n));
	one[1]++;
	cr_assert(!message_answers(query, one, n), "another ID");
	size = message_query("b.example.", DNS_TYPE_A, 77, 1232, query);
	cr_assert(size == 12 + 11 + 4 + 11);
	n = message_answer(query, (size_t)size, two);
	cr_assert(n == 12 + 11 + 4 + 16 && message_answers(query, two, n));
	cr_assert(memcmp(one + n - 4, two + n - 4, 4) != 0);
	size = message_query("b.example", DNS_TYPE_AAAA, 77, 0, query);
	cr_assert(message_answer(query, (size_t)size, two) == (size_t)size + 28);
	cr_assert(!message_answers(query, one, n), "another question");
	for (int cut = 0; cut < size; cut++)
		cr_assert(message_answer(query, (size_t)cut, two) == 0, "%d octets", cut);
}

Test(traffic_message, names_that_are_none_are_refused)
{
	uint8_t query[MESSAGE_QUERY_MAX];
	char name[300];

	cr_assert(message_query("a..example", DNS_TYPE_A, 0, 0, query) == -EINVAL);
	memset(name, 'x', sizeof(name));
	name[64] = '\0';
	cr_assert(message_query(name, DNS_TYPE_A, 0, 0, query) == -EINVAL);
	for (size_t i = 0; i < 256; i++)
		name[i] = i % 2 ? '.' : 'x';
	name[255] = '\0';
	cr_assert(message_query(name, DNS_TYPE_A, 0, 0, query) == -EINVAL, "too long");
	name[253] = '\0';
	cr_assert(message_query(name, DNS_TYPE_A, 0, 0, query) == 12 + 255 + 4);
	cr_assert(message_type("HTTPS") == 65 && message_type("a") == 1 && message_type("B") == 0);
}

Test(traffic_message, each_frame_of_a_flood_is_a_flow_of_its_own)
{
	static uint8_t syn[FRAME_SIZE_MAX], ack[FRAME_SIZE_MAX], more[FRAME_SIZE_MAX];
	struct frame_view a, b;

	for (uint32_t i = 0; i < 1000000; i += 59999) {
		uint16_t n = flood_frame(FLOOD_SYN, i, syn), m = flood_frame(FLOOD_SYN_ACK, i, ack);

		cr_assert(frame_look(syn, n, &a) == FRAME_WHOLE &&
			  frame_look(ack, m, &b) == FRAME_WHOLE);
		cr_assert(a.src == b.dst && a.dst == 53 && b.src == 53);
		cr_assert(memcmp(syn + 26, ack + 30, 4) == 0 && memcmp(syn + 30, ack + 26, 4) == 0);
		cr_assert(load_be32(ack + 42) == load_be32(syn + 38) + 1, "it answers that SYN");
		cr_assert(load_be16(syn + a.l4 + 16) == frame_checksum(syn, &a));
		cr_assert(load_be16(ack + b.l4 + 16) == frame_checksum(ack, &b));
		cr_assert(csum_full_sum(0, syn + 14, 20) == 0xffff);
		flood_frame(FLOOD_SYN, i + 1, more);
		cr_assert(memcmp(syn + 26, more + 26, 12) != 0);
		n = flood_frame(FLOOD_FRAGMENT, i, more);
		cr_assert(n == 14 + 20 + 512 && frame_look(more, n, &a) == FRAME_FRAGMENT);
		cr_assert(load_be16(more + 20) == 0x2000 && load_be16(more + 18) == (i & 0xffff));
		cr_assert(csum_full_sum(0, more + 14, 20) == 0xffff);
	}
}
