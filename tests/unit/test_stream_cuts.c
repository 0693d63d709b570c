/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/wire.h"
#include "unit/talk_bed.h"

#define TYPE_HTTPS 65

TestSuite(stream_cuts, .init = begin, .fini = end);

// Three pieces of a message in every order.
static const uint8_t orders[6][3] = {
	{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

// What a resolver says.
struct kind {
	const char *name, *target;
	uint32_t ttl;
	bool v6;
	bool hints; // an HTTPS record with addresses in it, of both families
};

static const struct kind kinds[] = {
	{"evil.example", NULL, 300, false, false},
	{"evil.example", NULL, 300, true, false},
	{"a.example", "b.evil.example", 30, false, false},
	{"clean.example", NULL, 300, false, false},
	{"evil.example", NULL, 30, false, true},
};

static void hints_say(struct talk *other, const struct kind *kind)
{
	static const uint8_t params[] = {0, 1, 0, 0, 1, 0, 3, 2, 'h', '2', 0, 4, 0, 8, 0xc6, 0x33,
		0x64, 0x42, 0xc6, 0x33, 0x64, 0x43, 0, 6, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0x66, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0x66};
	struct wire *w = wire_create();

	wire_response(w, "192.0.2.53", "203.0.113.7", kind->name, TYPE_HTTPS);
	wire_record(w, "^q", kind->ttl, TYPE_HTTPS, DNS_CLASS_IN);
	wire_put(w, params, sizeof(params));
	wire_record_end(w);
	wire_finish(w);
	w->bytes[w->dns + 3] &= (uint8_t)~DNS_FLAG_AD;
	talk_message(other, w->bytes + w->dns, (uint32_t)(w->size - w->dns));
	wire_destroy(w);
}

static void kind_say(struct talk *other, const struct kind *kind)
{
	if (kind->hints)
		hints_say(other, kind);
	else
		talk_answer(other, kind->name, kind->target, 1, kind->ttl);
}

// One more message of a talk, its pieces between @p cuts as said. @return whether it arrived as it has to
static bool pieces_arrive(struct talk *other, struct traffic *t, const struct kind *kind,
	uint32_t cuts[4], const uint8_t order[3], unsigned wait_ms)
{
	uint32_t start = other->size;

	kind_say(other, kind);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t to = cuts[order[i] + 1];

		talk_say(other, t, start + cuts[order[i]], to ? start + to : other->size);
		if (wait_ms)
			traffic_wait(t, wait_ms);
	}
	talk_acknowledge(other, t);
	return traffic_held(t) == 0 && other->contiguous == other->size &&
	       memcmp(other->arrived + start, other->expected + start, other->size - start) == 0;
}

// Each second cut behind @p first; pieces wait for each other for @p wait_ms.
static void second_cuts(
	const struct kind *kind, uint32_t size, uint32_t first, unsigned n_orders, unsigned wait_ms)
{
	struct talk *other = talk_create(tables, kind->v6);
	struct traffic *t = talk_traffic(other, &traffic_conf);

	// Where a part leaves before the rest is there flags have left, too.
	other->early = wait_ms > 0;
	talk_ask(other, t);
	for (uint32_t second = first + 1; second < size; second++)
		for (unsigned i = 0; i < n_orders; i++) {
			uint32_t cuts[4] = {0, first, second, 0};

			cr_assert(pieces_arrive(other, t, kind, cuts, orders[i], wait_ms),
				"%s%s, cut at %u and %u of %u, order %u, %u ms: %s", kind->name,
				kind->v6 ? " over IPv6" : "", first, second, size, i, wait_ms,
				talk_error(other));
		}
	cr_assert_eq(t->stats->stream_late, 0);
	cr_assert(!other->unlike);
	traffic_destroy(t);
	talk_destroy(other);
}

static void every_cut(unsigned n_orders, unsigned wait_ms)
{
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const struct kind *kind = &kinds[k];
		struct talk *other = talk_create(tables, kind->v6);
		uint32_t size;

		kind_say(other, kind);
		size = other->size;
		talk_destroy(other);
		for (uint32_t first = 1; first + 1 < size; first++)
			second_cuts(kind, size, first, n_orders, wait_ms);
	}
}

Test(stream_cuts, every_two_cuts_of_a_message_in_any_order_arrive_as_the_whole)
{
	every_cut(6, 0);
}

Test(stream_cuts, every_two_cuts_whose_rest_comes_late_arrive_as_the_whole)
{
	every_cut(2, traffic_conf.hold_ms + 2);
}
