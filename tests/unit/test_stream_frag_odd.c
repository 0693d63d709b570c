/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/bytes.h"
#include "support/frag_world.h"

// Two pieces of the same place, of which one says something else.
static void contradict(struct world *world, const struct wire *w, const unsigned order[4])
{
	const uint32_t units[] = {2, 5};
	struct wire *other = wire_create();
	struct fragment_cut cuts[3];

	world_cuts(world, units, 3, cuts);
	*other = *w;
	other->bytes[other->size - world->total + 8 * 5 - 1] ^= 1;
	for (unsigned i = 0; i < 4; i++)
		if (order[i] == 3)
			world_push_of(world, other, &cuts[1]);
		else
			world_push_of(world, w, &cuts[order[i]]);
	wire_destroy(other);
}

Test(stream_frag_odd, pieces_that_contradict_each_other_are_dropped)
{
	static const unsigned order[][4] = {
		{0, 1, 3, 2}, {0, 3, 1, 2}, {1, 3, 0, 2}, {3, 1, 2, 0}, {2, 1, 3, 0}, {2, 3, 1, 0}};

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct world *world = world_create(i % 2 ? FORM_IPV4 : FORM_IPV6);

		contradict(world, world->answer, order[i]);
		// What begins anew with a first fragment has its own chance, and comes to nothing.
		stream_bed_wait(world->bed, FRAG_HOLD_MS);
		cr_assert_eq(world->n_done, 0);
		cr_assert_geq(world_verdicts(world, REASON_fragment_overlap), 3);
		cr_assert_leq(world->bed->n_sent, 1);
		world_destroy(world);
	}
}

Test(stream_frag_odd, two_ends_contradict_each_other)
{
	const struct fragment_cut first = {0, 16, true, 9}, early = {16, 24, false, 9},
				  behind = {24, 32, true, 9};

	for (unsigned i = 0; i < 2; i++) {
		struct world *world = world_create(FORM_IPV4);
		const struct fragment_cut late = {24, world->total, false, 9};

		world_push(world, &first);
		world_push(world, i ? &late : &behind);
		world_push(world, &early);
		cr_assert_eq(world->bed->n_sent, 0);
		cr_assert_eq(world_verdicts(world, REASON_fragment_overlap), 3);
		// All that still comes of it, too; until there is a new beginning.
		world_push(world, &late);
		cr_assert_eq(world_verdicts(world, REASON_fragment_overlap), 4);
		world_push(world, &first);
		cr_assert_eq(world->bed->stats.held, 1);
		world_destroy(world);
	}
}

Test(stream_frag_odd, what_is_remembered_of_a_train_ends_with_its_time)
{
	const struct fragment_cut first = {0, 16, true, 9}, other = {8, 24, true, 9},
				  middle = {16, 24, true, 9};
	struct world *world = world_create(FORM_IPV4);
	struct wire *w = wire_create();

	*w = *world->answer;
	memset(w->bytes + w->size - world->total + 8, 0, 8);
	world_push(world, &first);
	world_push_of(world, w, &other);
	world_push(world, &middle);
	cr_assert_eq(world_verdicts(world, REASON_fragment_overlap), 3);
	world->bed->now += (uint64_t)FRAG_HOLD_MS * STREAM_BED_CYCLES_PER_MS;
	world_push(world, &middle);
	cr_assert_eq(world->bed->stats.held, 1);
	wire_destroy(w);
	world_destroy(world);
}

Test(stream_frag_odd, contradictions_in_what_is_no_dns_pass)
{
	static const unsigned order[][4] = {{0, 1, 3, 2}, {1, 3, 2, 0}};

	for (unsigned i = 0; i < 2; i++) {
		struct world *world = world_create(FORM_IPV6);
		struct wire *other = world_answer(FORM_IPV6, "evil.example", 123, true);

		contradict(world, other, order[i]);
		world_assert_order(world, 4);
		cr_assert_eq(world_verdicts(world, REASON_fragment), 4);
		wire_destroy(other);
		world_destroy(world);
	}
}

Test(stream_frag_odd, what_is_no_dns_response_over_udp_is_not_held_once_that_is_known)
{
	struct world *world = world_create(FORM_IPV4);
	struct wire *other = world_answer(FORM_IPV4, "evil.example", 123, true);
	const struct fragment_cut first = {0, 16, true, 9}, middle = {16, 32, true, 9},
				  last = {32, world->total, false, 9};

	world_push_of(world, other, &first);
	world_push_of(world, other, &middle);
	cr_assert_eq(world->bed->n_sent, 2);
	world_push_of(world, other, &last);
	world_clear(world);
	// The same identification for a DNS response: from its first fragment on it is one.
	world_push(world, &first);
	world_push(world, &last);
	cr_assert_eq(world->bed->stats.held, 2);
	world_push(world, &middle);
	cr_assert_eq(world->n_done, 1);
	world_clear(world);
	world_push_of(world, other, &last);
	world_push_of(world, other, &middle);
	cr_assert_eq(world->bed->stats.held, 2);
	world_push_of(world, other, &first);
	world_assert_order(world, 3);
	cr_assert_eq(world_verdicts(world, REASON_fragment), 6);
	world_clear(world);
	// TCP.
	other->bytes[other->ip + 9] = 6;
	world_push_of(world, other, &middle);
	cr_assert_eq(world->bed->n_sent, 1);
	wire_destroy(other);
	world_destroy(world);
}

Test(stream_frag_odd, packets_from_the_clients_pass_and_touch_nothing_that_is_held)
{
	struct world *world = world_create(FORM_IPV4);
	const struct fragment_cut first = {0, 16, true, 9};
	static uint8_t frame[FRAGMENT_ROOM];
	uint32_t size = fragment_make(world->answer, &first, frame);

	world_push(world, &first);
	world->bed->now += (uint64_t)FRAG_HOLD_MS * STREAM_BED_CYCLES_PER_MS;
	stream_bed_packet(world->bed, frame, size, BURST_FROM_CLIENTS);
	cr_assert_eq(world->bed->n_sent, 1);
	cr_assert_eq(world->bed->sent[0], world->bed->packets[1]);
	cr_assert_eq(world_verdicts(world, REASON_fragment), 1);
	cr_assert_eq(world->bed->stats.held, 1);
	world_destroy(world);
}

Test(stream_frag_odd, datagrams_are_told_apart_by_all_that_tells_them_apart)
{
	struct world *world = world_create(FORM_IPV4);
	const struct fragment_cut first = {0, 16, true, 9}, last = {16, world->total, false, 9},
				  other = {16, world->total, false, 10};
	struct wire *w = wire_create();

	world_push(world, &first);
	world_push(world, &other);
	for (unsigned i = 0; i < 8; i++) {
		*w = *world->answer;
		w->bytes[w->ip + 12 + i] ^= 1;
		world_push_of(world, w, &last);
	}
	wire_destroy(w);
	w = world_answer(FORM_IPV4_QINQ, "evil.example", 53, true);
	world_push_of(world, w, &last);
	wire_destroy(w);
	w = world_answer(FORM_IPV4_PPPOE, "evil.example", 53, true);
	world_push_of(world, w, &last);
	wire_destroy(w);
	cr_assert_eq(world->bed->stats.held, 12);
	world_push(world, &last);
	cr_assert_eq(world->n_done, 1);
	cr_assert_eq(world->bed->stats.held, 11);
	world_destroy(world);
}

Test(stream_frag_odd, more_trains_than_there_is_room_for_send_the_oldest_on)
{
	struct world *world = world_create(FORM_IPV4);
	struct fragment_cut first = {0, 16, true, 0}, last = {16, world->total, false, 0};

	for (unsigned i = 0; i < 10 * FRAG_TRAINS; i++) {
		first.id = i;
		world_push(world, &first);
		cr_assert_leq(world->bed->stats.held, FRAG_TRAINS);
	}
	world_assert_order(world, 9 * FRAG_TRAINS);
	cr_assert_eq(world_verdicts(world, REASON_fragment_limit), 9 * FRAG_TRAINS);
	// The newest are there, and one more is judged as ever.
	last.id = first.id;
	world_push(world, &last);
	cr_assert_eq(world_verdicts(world, REASON_rewritten), 2);
	world_destroy(world);
}

Test(stream_frag_odd, more_packets_than_there_is_room_for_send_the_oldest_train_on)
{
	struct world *world = world_create(FORM_IPV6);
	struct fragment_cut cut = {0, 8, true, 0};
	unsigned n = 0;

	// 9 pieces of each datagram that never ends: 160 packets are 17 of them and 7 pieces.
	for (unsigned i = 0; i < 30; i++)
		for (unsigned k = 0; k < 9; k++, n++) {
			cut.id = i;
			cut.from = 8 * k;
			cut.to = 8 * k + 8;
			world_push(world, &cut);
			cr_assert_leq(world->bed->stats.held, FRAG_PACKETS);
			cr_assert_gt(world->bed->stats.held, n < 151 ? n : 151);
		}
	cr_assert_eq(world_verdicts(world, REASON_fragment_limit), world->bed->n_sent);
	world_destroy(world);
}

Test(stream_frag_odd, a_train_that_fills_all_the_room_passes)
{
	struct world *world = world_create(FORM_IPV4);
	struct fragment_cut first = {0, 16, true, 9};

	for (unsigned i = 0; i < STREAM_FRAG_PIECES_MAX; i++)
		world_push(world, &first);
	cr_assert_eq(world->bed->stats.held, STREAM_FRAG_PIECES_MAX);
	first.from = 8;
	world_push(world, &first);
	world_push(world, &first);
	world_assert_order(world, STREAM_FRAG_PIECES_MAX + 2);
	cr_assert_eq(world_verdicts(world, REASON_fragment_limit), STREAM_FRAG_PIECES_MAX + 2);
	world_destroy(world);
}

// Bounds do not make a way past it.
Test(stream_frag_odd, copies_of_what_was_changed_do_not_leave_for_want_of_room)
{
	struct world *world = world_create(FORM_IPV4);
	struct fragment_cut first = {0, 16, true, 9}, last = {16, world->total, false, 9};

	world_push(world, &first);
	world_push(world, &last);
	for (unsigned i = 0; i < STREAM_FRAG_PIECES_MAX + 2; i++)
		world_push(world, &last);
	cr_assert_eq(world->bed->n_sent, 2);
	cr_assert_eq(world_verdicts(world, REASON_fragment_repeated), STREAM_FRAG_PIECES_MAX + 2);
	// A first fragment begins anew.
	world_push(world, &first);
	world_push(world, &last);
	cr_assert_eq(world->bed->n_sent, 4);
	world_push(world, &last);
	for (unsigned i = 0; i < FRAG_TRAINS; i++) {
		first.id = 100 + i;
		world_push(world, &first);
	}
	cr_assert_eq(world->bed->n_sent, 4);
	cr_assert_eq(world_verdicts(world, REASON_fragment_repeated), STREAM_FRAG_PIECES_MAX + 3);
	world_destroy(world);
}

Test(stream_frag_odd, a_flood_of_first_fragments_keeps_to_its_memory)
{
	struct world *world = world_create(FORM_IPV6);
	const struct fragment_cut cut = {0, 16, true, 0};
	static uint8_t frame[FRAGMENT_ROOM];
	uint32_t size = fragment_make(world->answer, &cut, frame);

	for (uint32_t i = 0; i < 1000000; i++) {
		// The identification, 4 octets into the fragment header.
		memcpy(frame + world->answer->ip + 44, &i, sizeof(i));
		stream_bed_packet(world->bed, frame, size, BURST_FROM_RESOLVERS);
		if (world->bed->n >= 1000)
			stream_bed_clear(world->bed);
	}
	cr_assert_eq(world->bed->stats.held, FRAG_TRAINS);
	cr_assert_eq(world_verdicts(world, REASON_fragment_limit), 1000000 - FRAG_TRAINS);
	world_destroy(world);
}

Test(stream_frag_odd, pieces_that_no_receiver_takes_pass_by_themselves)
{
	const struct fragment_cut empty = {16, 16, true, 9}, far = {65480, 65512, false, 9},
				  beyond = {65488, 65520, false, 9}, odd = {16, 27, true, 9};

	for (unsigned i = 0; i < 2; i++) {
		struct world *world = world_create(i ? FORM_IPV6 : FORM_IPV4);

		world->answer->size = WIRE_ROOM;
		world_push(world, &empty);
		cr_assert_eq(world_verdicts(world, REASON_fragment_bad), 1);
		world_push(world, &far);
		cr_assert_eq(world->bed->stats.held, 1);
		// The largest IPv4 packet is shorter by its header.
		world_push(world, &beyond);
		cr_assert_eq(world_verdicts(world, REASON_fragment_bad), i ? 1 : 2);
		world_push(world, &odd);
		cr_assert_eq(world_verdicts(world, REASON_fragment_bad), 2);
		world_destroy(world);
	}
}
