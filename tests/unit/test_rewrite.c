/* SPDX-License-Identifier: BSD-3-Clause */
#include "rewrite/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "dns/dns_msg.h"
#include "base/csum.h"
#include "support/csum_full.h"
#include "support/random.h"
#include "support/wire.h"

#define DATA_SIZE 256

// Right checksum of @p data alone, as UDP has it: never 0.
static uint16_t checksum(const uint8_t *data, size_t size)
{
	uint16_t csum = (uint16_t)~csum_full_sum(0, data, size);

	return csum ? csum : 0xffff;
}

Test(csum, incremental_equals_full_over_random_edits)
{
	uint64_t state = RANDOM_SEED;
	uint8_t data[DATA_SIZE], field[2];
	unsigned odd = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)random_next(&state);
	store_be16(field, checksum(data, sizeof(data)));
	for (unsigned round = 0; round < 100000; round++) {
		struct csum_delta delta = {0};

		// Several edits for one update, as a response with several records has them.
		for (unsigned n = 1 + random_below(&state, 4); n > 0; n--) {
			uint32_t size = 1 + random_below(&state, 16);
			uint32_t at = random_below(&state, DATA_SIZE - size + 1);
			uint8_t after[16];

			for (uint32_t i = 0; i < size; i++)
				after[i] = (uint8_t)random_next(&state);
			csum_change(&delta, data + at, after, size, at & 1);
			memcpy(data + at, after, size);
			odd += at & 1;
		}
		csum_apply_udp(field, &delta);
		cr_assert(load_be16(field) == checksum(data, sizeof(data)), "round %u", round);
	}
	cr_assert(odd > 10000);
}

Test(csum, a_wrong_checksum_stays_wrong_by_as_much)
{
	uint64_t state = RANDOM_SEED;
	uint8_t data[DATA_SIZE] = {0}, field[2];

	for (unsigned round = 0; round < 100000; round++) {
		uint32_t at = random_below(&state, DATA_SIZE - 4);
		uint16_t wrong = (uint16_t)(1 + random_below(&state, 0xffff)), before;
		struct csum_delta delta = {0};
		uint8_t after[4];

		store_be16(field, wrong);
		before = csum_full_minus(wrong, checksum(data, sizeof(data)));
		store_be32(after, (uint32_t)random_next(&state));
		csum_change(&delta, data + at, after, 4, at & 1);
		memcpy(data + at, after, 4);
		csum_apply_udp(field, &delta);
		cr_assert(load_be16(field) != 0);
		cr_assert(
			csum_full_minus(load_be16(field), checksum(data, sizeof(data))) == before);
	}
}

Test(csum, every_word_can_become_every_edge_value)
{
	static const uint16_t edges[] = {0, 1, 0x00ff, 0x0100, 0x7fff, 0x8000, 0xfffe, 0xffff};
	const size_t n = sizeof(edges) / sizeof(edges[0]);

	for (size_t i = 0; i < n * n * n; i++) {
		uint8_t data[4], after[2], field[2];
		struct csum_delta delta = {0};

		store_be16(data, edges[i % n]);
		store_be16(data + 2, edges[i / n % n]);
		store_be16(after, edges[i / n / n]);
		store_be16(field, checksum(data, 4));
		csum_change(&delta, data, after, 2, 0);
		memcpy(data, after, 2);
		csum_apply_udp(field, &delta);
		cr_assert(load_be16(field) == checksum(data, 4), "%04x %04x", load_be16(data),
			load_be16(data + 2));
	}
}

Test(csum, zero_means_none_and_stays)
{
	const uint8_t before[4] = {1, 2, 3, 4}, after[4] = {0xff, 0xff, 0, 9};
	struct csum_delta delta = {0};
	uint8_t field[2] = {0, 0};

	csum_change(&delta, before, after, 4, 0);
	csum_apply_udp(field, &delta);
	cr_assert(load_be16(field) == 0);
}

Test(csum, a_change_of_nothing_changes_nothing)
{
	const uint8_t bytes[3] = {0, 0xff, 0x7f};

	for (uint32_t value = 0; value <= 0xffff; value++) {
		struct csum_delta delta = {0};
		uint8_t field[2];

		store_be16(field, (uint16_t)value);
		csum_change(&delta, bytes, bytes, 3, value & 1);
		csum_apply_udp(field, &delta);
		cr_assert(load_be16(field) == value, "%04x became %04x", value, load_be16(field));
	}
}

static const struct policy_sinkhole both = {
	.ipv4 = {{192, 0, 2, 1}, {192, 0, 2, 2}, {192, 0, 2, 3}},
	.ipv6 = {{0x20, 1, [15] = 1}, {0x20, 1, [15] = 2}},
	.n_ipv4 = 3,
	.n_ipv6 = 2,
	.ttl_max = 60,
};

static struct wire *response(unsigned n_ipv4, unsigned n_ipv6)
{
	struct wire *w = wire_create();

	wire_response(w, "198.51.100.53", "203.0.113.7", "evil.example", DNS_TYPE_A);
	for (unsigned i = 0; i < n_ipv4; i++)
		wire_record_address(w, "^q", 300, "198.51.100.66");
	for (unsigned i = 0; i < n_ipv6; i++)
		wire_record_address(w, "^q", 300, "2001:db8:66::66");
	wire_finish(w);
	return w;
}

// The message of a frame, as matching gives it over.
static struct rewrite_message message(struct wire *w, const struct policy_list *list)
{
	struct rewrite_message m = {
		.msg = w->bytes + w->dns,
		.size = (uint16_t)(w->size - w->dns),
		.room = DNS_UDP_SIZE_MIN,
		.list = list,
	};
	uint32_t off = DNS_HEADER_SIZE;

	for (unsigned n = dns_msg_qdcount(m.msg); n > 0; n--)
		off += (uint32_t)dns_msg_name_skip(m.msg, m.size, off) + 4;
	m.answers = (uint16_t)off;
	for (unsigned n = dns_msg_ancount(m.msg); n > 0; n--) {
		struct dns_rr rr;

		off += (uint32_t)dns_msg_rr_read(m.msg, m.size, off, &rr);
	}
	m.behind = (uint16_t)off;
	return m;
}

static struct rewrite_counts rewrite(
	struct wire *w, const struct policy_sinkhole *sinkhole, uint32_t spread)
{
	struct policy_list list = {.sinkhole = *sinkhole};
	struct rewrite_message m = message(w, &list);

	m.spread = spread;
	return rewrite_sinkhole(&m);
}

static unsigned last_octet(const struct wire *w, unsigned record)
{
	return w->bytes[w->records[record].rdata + w->records[record].rdata_size - 1];
}

Test(rewrite, several_addresses_are_taken_in_turn_and_the_client_chooses_the_first)
{
	unsigned first[4] = {0};

	for (uint32_t spread = 0; spread < 3000; spread++) {
		struct wire *w = response(5, 3);
		struct rewrite_counts counts = rewrite(w, &both, spread);

		cr_assert(counts.n_ipv4 == 5 && counts.n_ipv6 == 3 && counts.n_left == 0);
		for (unsigned i = 1; i < 5; i++)
			cr_assert(last_octet(w, i) == last_octet(w, i - 1) % 3 + 1);
		for (unsigned i = 6; i < 8; i++)
			cr_assert(last_octet(w, i) == last_octet(w, i - 1) % 2 + 1);
		first[last_octet(w, 0)]++;
		wire_destroy(w);
	}
	// Neighbouring clients are spread about evenly.
	for (unsigned i = 1; i <= 3; i++)
		cr_assert(first[i] > 800 && first[i] < 1200, "%u of 3000 start at %u", first[i], i);
}

Test(rewrite, records_without_a_sinkhole_of_their_family_are_counted)
{
	struct policy_sinkhole only6 = both;
	struct wire *w = response(4, 2);
	struct rewrite_counts counts;

	only6.n_ipv4 = 0;
	counts = rewrite(w, &only6, 0);
	cr_assert(counts.n_ipv4 == 0 && counts.n_ipv6 == 2 && counts.n_left == 4);
	cr_assert(last_octet(w, 0) == 66);
	wire_destroy(w);
}

Test(rewrite, nothing_to_rewrite_leaves_every_byte)
{
	struct policy_sinkhole none = {.ttl_max = 60};
	struct wire *w = response(2, 2), *before = response(2, 2);
	struct rewrite_counts counts;

	w->bytes[w->dns + 3] |= DNS_FLAG_AD;
	before->bytes[before->dns + 3] |= DNS_FLAG_AD;
	counts = rewrite(w, &none, 0);
	cr_assert(counts.n_left == 4);
	cr_assert(memcmp(w->bytes, before->bytes, w->size) == 0);
	wire_destroy(w);
	wire_destroy(before);
}

Test(rewrite, a_message_cut_at_any_byte_is_rewritten_within_its_bounds)
{
	struct wire *whole = response(2, 2);
	size_t total = whole->size - whole->dns;
	const struct policy_list list = {.sinkhole = both};
	struct rewrite_message m = message(whole, &list);
	const uint16_t answers = m.answers;

	for (size_t size = DNS_HEADER_SIZE; size <= total; size++) {
		uint8_t *msg = malloc(size);

		cr_assert_not_null(msg);
		memcpy(msg, whole->bytes + whole->dns, size);
		m = (struct rewrite_message){
			.msg = msg, .size = (uint16_t)size, .room = (uint16_t)size, .list = &list};
		m.answers = size < answers ? (uint16_t)size : answers;
		m.behind = (uint16_t)size;
		(void)rewrite_sinkhole(&m);
		free(msg);
	}
	wire_destroy(whole);
}
