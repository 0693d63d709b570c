/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "dns/dns_rdata.h"
#include "rewrite/rewrite.h"
#include "support/random.h"
#include "support/wire.h"

#define CUT_RECORDS 12

// Types with a name in their data, and one without.
static const uint16_t cut_types[] = {1, 2, 5, 15, 33, 16};

struct cut_record {
	struct dns_name owner, target;
	uint16_t from, to, type;
};

// A name that ends with a pointer to any name before it, or none.
static void name_random(struct wire *w, uint64_t *state, const uint16_t *names, unsigned n)
{
	char text[32];

	if (n == 0 || random_below(state, 5) == 0)
		snprintf(text, sizeof(text), "n%u.example", random_below(state, 1000));
	else if (random_below(state, 3) == 0)
		snprintf(text, sizeof(text), "^%u", names[random_below(state, n)]);
	else
		snprintf(text, sizeof(text), "n%u.^%u", random_below(state, 1000),
			names[random_below(state, n)]);
	wire_name(w, text);
}

// A message of CUT_RECORDS records; their names in @p names, as they are.
static struct wire *message_random(uint64_t *state, struct cut_record *records)
{
	struct wire *w = wire_create();
	uint16_t names[2 * CUT_RECORDS + 1] = {DNS_HEADER_SIZE};
	unsigned n = 1;

	wire_response(w, "198.51.100.53", "203.0.113.7", "www.evil.example", DNS_TYPE_A);
	for (unsigned i = 0; i < CUT_RECORDS; i++) {
		uint16_t type = cut_types[random_below(state, 6)];

		w->section = i * WIRE_SECTIONS / CUT_RECORDS;
		records[i].from = (uint16_t)(w->size - w->dns);
		records[i].type = type;
		w->counts[w->section]++;
		name_random(w, state, names, n);
		names[n++] = records[i].from;
		wire_u16(w, type);
		wire_u16(w, DNS_CLASS_IN);
		wire_u32(w, 300);
		wire_u16(w, 0);
		w->n_records++;
		w->records[w->n_records - 1].rdata = w->size;
		wire_zeros(w, type == 15 ? 2 : type == 33 ? 6 : type == 1 ? 4 : type == 16 ? 9 : 0);
		if (type != 1 && type != 16) {
			uint16_t at = (uint16_t)(w->size - w->dns);

			name_random(w, state, names, n);
			names[n++] = at;
		}
		wire_record_end(w);
		records[i].to = (uint16_t)(w->size - w->dns);
	}
	wire_finish(w);
	return w;
}

// What a record's names are at @p off. @return the record's end
static uint16_t record_names(
	const uint8_t *msg, uint16_t size, uint16_t off, struct cut_record *record)
{
	struct dns_rr rr;
	int rr_size = dns_msg_rr_read(msg, size, off, &rr), n;
	uint16_t at[DNS_RDATA_NAMES_MAX];

	cr_assert(rr_size > 0 && rr.type == record->type);
	cr_assert(dns_msg_name_read(msg, size, off, &record->owner) > 0);
	n = dns_rdata_names(msg, &rr, at);
	cr_assert(n >= 0 && n <= 1);
	record->target.size = 0;
	if (n == 1)
		cr_assert(dns_msg_name_read(msg, size, at[0], &record->target) > 0);
	return (uint16_t)(off + rr_size);
}

static bool names_same(const struct dns_name *a, const struct dns_name *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

// The first pointer of a name leads into what is removed.
static bool points_into(
	const uint8_t *msg, uint32_t off, const struct cut_record *records, uint32_t cut)
{
	uint16_t target;

	while (msg[off] != 0 && msg[off] < 0xc0)
		off += msg[off] + 1u;
	target = msg[off] ? load_be16(msg + off) & 0x3fff : 0;
	for (unsigned i = 0; i < CUT_RECORDS; i++)
		if (cut >> i & 1 && target >= records[i].from && target < records[i].to)
			return true;
	return false;
}

static bool any_points_into(
	const uint8_t *msg, uint16_t size, const struct cut_record *records, uint32_t cut)
{
	for (unsigned i = 0; i < CUT_RECORDS; i++) {
		uint16_t at[DNS_RDATA_NAMES_MAX];
		struct dns_rr rr;

		if (cut >> i & 1)
			continue;
		cr_assert(dns_msg_rr_read(msg, size, records[i].from, &rr) > 0);
		if (points_into(msg, records[i].from, records, cut) ||
			(dns_rdata_names(msg, &rr, at) == 1 &&
				points_into(msg, at[0], records, cut)))
			return true;
	}
	return false;
}

// Cut the records of the bits out of a copy. @return its size, 0: refused
static uint16_t cut_do(uint8_t *msg, uint16_t size, const struct cut_record *records, uint32_t cut)
{
	struct rewrite_range ranges[CUT_RECORDS];
	unsigned n = 0;

	for (unsigned i = 0; i < CUT_RECORDS; i++)
		if (cut >> i & 1)
			ranges[n++] = (struct rewrite_range){records[i].from, records[i].to};
	return rewrite_cut(msg, size, ranges, n);
}

Test(rewrite_cut, what_stays_has_the_names_it_had)
{
	uint64_t state = RANDOM_SEED;
	unsigned done = 0, refused = 0;

	for (unsigned round = 0; round < 20000; round++) {
		struct cut_record records[CUT_RECORDS];
		struct wire *w = message_random(&state, records);
		uint16_t size = (uint16_t)(w->size - w->dns), now, off;
		uint32_t cut = 1 + random_below(&state, (1u << CUT_RECORDS) - 1);
		uint8_t *msg = malloc(size);

		// Few records of many, so that not all is refused.
		cut &= random_below(&state, 1u << CUT_RECORDS) &
		       random_below(&state, 1u << CUT_RECORDS);
		cr_assert_not_null(msg);
		memcpy(msg, w->bytes + w->dns, size);
		off = records[0].from;
		for (unsigned i = 0; i < CUT_RECORDS; i++)
			record_names(msg, size, records[i].from, &records[i]);
		now = cut_do(msg, size, records, cut);
		if (now == 0) {
			cr_assert(cut == 0 || any_points_into(msg, size, records, cut));
			cr_assert(memcmp(msg, w->bytes + w->dns, size) == 0);
			refused++;
		} else {
			cr_assert(!any_points_into(w->bytes + w->dns, size, records, cut));
			done++;
		}
		for (unsigned i = 0; i < CUT_RECORDS && now; i++) {
			struct cut_record after = records[i];

			if (cut >> i & 1)
				continue;
			off = record_names(msg, now, off, &after);
			cr_assert(names_same(&after.owner, &records[i].owner) &&
				  names_same(&after.target, &records[i].target));
		}
		cr_assert(!now || off == now);
		free(msg);
		wire_destroy(w);
	}
	cr_assert(done > 5000 && refused > 2000, "%u done, %u refused", done, refused);
}

Test(rewrite_cut, a_message_that_cannot_be_walked_stays)
{
	struct wire *w = wire_create();
	struct rewrite_range first;
	uint8_t *msg;
	uint16_t size;

	wire_response(w, "198.51.100.53", "203.0.113.7", "evil.example", DNS_TYPE_A);
	for (unsigned i = 0; i < 4; i++)
		wire_record_address(w, "^q", 300, "198.51.100.66");
	wire_finish(w);
	msg = w->bytes + w->dns;
	size = (uint16_t)(w->size - w->dns);
	first.from = (uint16_t)(w->records[0].ttl - w->dns - 6);
	first.to = (uint16_t)(first.from + 16);
	cr_assert(rewrite_cut(msg, size, NULL, 0) == 0);
	cr_assert(rewrite_cut(msg, (uint16_t)(size - 1), &first, 1) == 0);
	store_be16(msg + 8, 1);
	cr_assert(rewrite_cut(msg, size, &first, 1) == 0);
	store_be16(msg + 8, 0);
	cr_assert(rewrite_cut(msg, size, &first, 1) == size - 16);
	wire_destroy(w);
}

Test(rewrite_cut, any_number_of_pointers_follows)
{
	struct wire *w = wire_create();
	struct rewrite_range first;
	uint8_t *msg;
	uint16_t size;

	wire_response(w, "198.51.100.53", "203.0.113.7", "evil.example", DNS_TYPE_A);
	wire_record_address(w, "^q", 300, "198.51.100.66");
	wire_mark(w, "n");
	wire_record_address(w, "behind.^q+5", 300, "198.51.100.66");
	for (unsigned i = 0; i < 200; i++)
		wire_record_name(w, "^n", 300, DNS_TYPE_CNAME, "www.^n");
	wire_finish(w);
	msg = w->bytes + w->dns;
	size = (uint16_t)(w->size - w->dns);
	first.from = (uint16_t)(w->records[0].ttl - w->dns - 6);
	first.to = (uint16_t)(first.from + 16);
	cr_assert(rewrite_cut(msg, size, &first, 1) == size - 16);
	for (unsigned i = 2; i < w->n_records; i++) {
		uint32_t rdata = (uint32_t)(w->records[i].rdata - w->dns) - 16;
		struct dns_name name;

		cr_assert(dns_msg_name_read(msg, size - 16u, rdata, &name) > 0);
		cr_assert(name.size == 20 && memcmp(name.bytes, "\3www\6behind\7example", 20) == 0);
		cr_assert(dns_msg_names_equal(msg, size - 16u, rdata - 12, first.from));
	}
	wire_destroy(w);
}

// A name that begins in the text of a record has a label that ends with the text, or a pointer in there.
static uint16_t cut_beside_text(const char *text, uint16_t octets)
{
	struct wire *w = wire_create();
	struct rewrite_range range;
	uint16_t size, now;

	wire_response(w, "198.51.100.53", "203.0.113.7", "evil.example", DNS_TYPE_A);
	wire_record_address(w, "^q", 300, "198.51.100.66");
	wire_record(w, "^q", 300, 16, DNS_CLASS_IN);
	wire_mark(w, "t");
	wire_u16(w, octets);
	wire_record_end(w);
	wire_record_address(w, "b.^q", 300, "198.51.100.66");
	wire_record_address(w, text, 300, "198.51.100.66");
	wire_finish(w);
	size = (uint16_t)(w->size - w->dns);
	// With its label the owner is longer by two octets.
	range.from = (uint16_t)(w->records[2].ttl - w->dns - 8);
	range.to = (uint16_t)(range.from + 18);
	now = rewrite_cut(w->bytes + w->dns, size, &range, 1);
	wire_destroy(w);
	return now == 0 ? 0 : (uint16_t)(size - now);
}

Test(rewrite_cut, a_pointer_to_what_is_no_name_keeps_all)
{
	cr_assert(cut_beside_text("^q", 0x0161) == 18);
	cr_assert(cut_beside_text("^t", 0x0161) == 0);
	cr_assert(cut_beside_text("^t", 0xc00c) == 0);
	cr_assert(cut_beside_text("^q", 0xc00c) == 18);
}
