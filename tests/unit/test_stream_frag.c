/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/bytes.h"
#include "support/frag_world.h"
#include "support/random.h"

#define PIECES 64

Test(stream_frag, every_split_in_two_and_three_is_rewritten)
{
	for (enum form form = 0; form < FORMS; form++) {
		struct world *world = world_create(form);
		uint32_t last = (world->total - 1) / 8, trains = 0;
		struct fragment_cut cuts[3];

		for (uint32_t a = 1; a <= last; a++)
			for (uint32_t b = a; b <= last; b++) {
				const uint32_t units[2] = {a, b};
				unsigned n = world_cuts(world, units, a == b ? 2 : 3, cuts);

				for (unsigned i = 0; i < n; i++) {
					cr_assert_eq(world->bed->n_sent, 0);
					cr_assert_eq(world->bed->stats.held, i);
					world_push(world, &cuts[i]);
				}
				world_assert_order(world, n);
				cr_assert_eq(world->n_done, 1);
				world_clear(world);
				trains++;
			}
		cr_assert_gt(trains, 20);
		cr_assert_eq(world->bed->stats.records_rewritten[0], 2 * trains);
		cr_assert_eq(world->bed->stats.responses[0][DNS_TYPE_ROW_A], trains);
		cr_assert_eq(world_verdicts(world, REASON_rewritten), world->bed->stats.rx_packets);
		world_destroy(world);
	}
}

// All orders of n pieces, by exchanging (Heap's algorithm).
static void orders(struct world *world, struct fragment_cut *cuts, unsigned k, unsigned n)
{
	struct fragment_cut *other, swap;

	if (k == 1) {
		for (unsigned i = 0; i < n; i++)
			world_push(world, &cuts[i]);
		world_assert_order(world, n);
		cr_assert_eq(world->n_done, 1);
		world_clear(world);
		return;
	}
	for (unsigned i = 0; i < k; i++) {
		orders(world, cuts, k - 1, n);
		other = &cuts[k % 2 ? 0 : i];
		swap = *other;
		*other = cuts[k - 1];
		cuts[k - 1] = swap;
	}
}

Test(stream_frag, every_order_of_up_to_five_pieces_is_rewritten)
{
	const uint32_t units[] = {1, 3, 4, 8};

	for (enum form form = 0; form < FORMS; form++)
		for (unsigned n = 2; n <= 5; n++) {
			struct world *world = world_create(form);
			struct fragment_cut cuts[5];

			world_cuts(world, units, n, cuts);
			orders(world, cuts, n, n);
			world_destroy(world);
		}
}

// Pieces of one datagram, cut in two ways, doubled, in any order: they agree on every octet.
Test(stream_frag, duplicates_and_pieces_cut_anew_agree)
{
	uint64_t random = RANDOM_SEED;

	for (unsigned round = 0; round < 400; round++) {
		struct world *world = world_create((enum form)(round % FORMS));
		struct fragment_cut cuts[PIECES];
		unsigned n = 0;

		for (unsigned way = 0; way < 2; way++) {
			uint32_t a = 1 + random_below(&random, 5),
				 b = a + 1 + random_below(&random, 4);
			const uint32_t units[2] = {a, b};

			n += world_cuts(world, units, 3, cuts + n);
		}
		for (unsigned i = 0; i < 4; i++)
			cuts[n++] = cuts[random_below(&random, 6)];
		while (n > 0) {
			unsigned i = random_below(&random, n);

			world_push(world, &cuts[i]);
			cuts[i] = cuts[--n];
		}
		cr_assert_geq(world->n_done, 1);
		cr_assert_eq(world_verdicts(world, REASON_fragment_overlap), 0);
		// What came too late completes nothing.
		stream_bed_wait(world->bed, FRAG_HOLD_MS);
		cr_assert_eq(world->bed->n_sent, world_verdicts(world, REASON_rewritten));
		cr_assert_eq(world->bed->n_sent + world_verdicts(world, REASON_fragment_repeated),
			world->bed->n);
		world_destroy(world);
	}
}

// A client that lost one of the edited fragments must not get it as it was before.
Test(stream_frag, copies_that_come_late_do_not_leave_as_they_came)
{
	const uint32_t units[] = {2, 5};

	for (enum form form = 0; form < FORMS; form++)
		for (unsigned lost = 0; lost < 3; lost++) {
			struct world *world = world_create(form);
			struct fragment_cut cuts[3];

			world_cuts(world, units, 3, cuts);
			for (unsigned i = 0; i < 3; i++)
				world_push(world, &cuts[i]);
			cr_assert_eq(world->n_done, 1);
			stream_bed_wait(world->bed, FRAG_HOLD_MS - 1);
			world_push(world, &cuts[lost]);
			cr_assert_eq(world->bed->stats.held, 1);
			stream_bed_wait(world->bed, FRAG_HOLD_MS);
			cr_assert_eq(world->bed->n_sent, 3);
			cr_assert_eq(world_verdicts(world, REASON_fragment_repeated), 1);
			// All of it again is judged again.
			for (unsigned i = 0; i < 3; i++)
				world_push(world, &cuts[2 - i]);
			cr_assert_eq(world->n_done, 2);
			world_destroy(world);
		}
}

Test(stream_frag, copies_of_what_is_not_listed_leave_as_they_came)
{
	struct world *world = world_create(FORM_IPV4);
	const struct fragment_cut first = {0, 16, true, 9}, last = {16, world->total, false, 9};
	struct wire *other = world_answer(FORM_IPV4, "good.example", 53, true);

	memcpy(world->expected, other->bytes + other->size - world->total, world->total);
	world_push_of(world, other, &first);
	world_push_of(world, other, &last);
	world_push_of(world, other, &last);
	stream_bed_wait(world->bed, FRAG_HOLD_MS);
	world_assert_order(world, 3);
	cr_assert_eq(world_verdicts(world, REASON_fragment_incomplete), 1);
	wire_destroy(other);
	world_destroy(world);
}

// Identifications are used again.
Test(stream_frag, another_datagram_behind_one_that_was_changed_is_judged_by_itself)
{
	struct world *world = world_create(FORM_IPV6);
	const struct fragment_cut first = {0, 16, true, 9}, last = {16, world->total, false, 9};
	struct wire *other = world_answer(FORM_IPV6, "good.example", 53, true);

	world_push(world, &first);
	world_push(world, &last);
	memcpy(world->expected, other->bytes + other->size - world->total, world->total);
	world_push_of(world, other, &last);
	world_push_of(world, other, &first);
	cr_assert_eq(world->n_done, 2);
	cr_assert_eq(world_verdicts(world, REASON_miss), 2);
	// And behind that one nothing is a copy of what was changed.
	world_push_of(world, other, &last);
	stream_bed_wait(world->bed, FRAG_HOLD_MS);
	world_assert_order(world, 5);
	cr_assert_eq(world_verdicts(world, REASON_fragment_incomplete), 1);
	wire_destroy(other);
	other = world_answer(FORM_IPV6, "evil.example", 123, true);
	world_push(world, &first);
	world_push(world, &last);
	world_push_of(world, other, &first);
	cr_assert_eq(world_verdicts(world, REASON_fragment), 1);
	wire_destroy(other);
	world_destroy(world);
}

Test(stream_frag, without_one_piece_the_others_leave_as_they_came_when_their_time_is_over)
{
	for (enum form form = 0; form < FORMS; form++)
		for (unsigned missing = 0; missing < 4; missing++) {
			struct world *world = world_create(form);
			const uint32_t units[] = {2, 5, 7};
			static uint8_t frame[FRAGMENT_ROOM];
			struct fragment_cut cuts[4];

			world_cuts(world, units, 4, cuts);
			for (unsigned i = 0; i < 4; i++)
				if (i != missing)
					world_push(world, &cuts[i]);
			stream_bed_wait(world->bed, FRAG_HOLD_MS - 1);
			cr_assert_eq(world->bed->stats.held, 3);
			stream_bed_wait(world->bed, 1);
			world_assert_order(world, 3);
			for (unsigned i = 0, at = 0; i < 4; i++) {
				const struct stream_bed_packet *p = world->bed->sent[at];

				if (i == missing)
					continue;
				cr_assert_eq(
					p->size, fragment_make(world->answer, &cuts[i], frame));
				cr_assert(memcmp(p->bytes, frame, p->size) == 0);
				at++;
			}
			cr_assert_eq(world_verdicts(world, REASON_fragment_incomplete), 3);
			world_destroy(world);
		}
}

// Linux leaves them out and goes on.
Test(stream_frag, over_ipv4_octets_beyond_a_multiple_of_8_do_not_count)
{
	struct world *world = world_create(FORM_IPV4);
	const struct fragment_cut first = {0, 43, true, 9}, last = {40, world->total, false, 9};
	struct wire *w = wire_create();

	// What stands there is not what the datagram has.
	*w = *world->answer;
	w->bytes[w->size - world->total + 41] ^= 1;
	world_push_of(world, w, &first);
	world_push(world, &last);
	cr_assert_eq(world_verdicts(world, REASON_rewritten), 2);
	cr_assert(memcmp(world->bed->sent[0]->bytes + w->ip + 20, world->expected, 40) == 0);
	cr_assert(memcmp(world->bed->sent[1]->bytes + w->ip + 20, world->expected + 40,
			  world->total - 40) == 0);
	wire_destroy(w);
	world_destroy(world);
}

// A message that is cut to each length that leaves its header, in every split in two.
Test(stream_frag, a_shorter_message_ends_in_a_fragment_that_says_so)
{
	for (enum form form = 0; form < FORMS; form++) {
		struct world *world = world_create(form);
		uint32_t total = world->total;
		struct fragment_cut cuts[2];

		wire_destroy(world->answer);
		world->answer = world_answer(form, "evil.example", 53, false);
		for (uint32_t unit = 1; unit <= (total - 1) / 8; unit++)
			for (uint32_t end = 8 + 12; end < total; end++) {
				unsigned left = end > unit * 8 ? 2 : 1;

				world_cuts(world, &unit, 2, cuts);
				world->bed->cut = (uint16_t)(end - 8);
				world->total = end;
				store_be16(world->expected + 4, (uint16_t)end);
				store_be16(world->expected + 6, 0);
				world_push_of(world, world->answer, &cuts[0]);
				world_push_of(world, world->answer, &cuts[1]);
				cr_assert_eq(world->n_done, 1);
				world_assert_order(world, left);
				world_clear(world);
				world->total = total;
			}
		cr_assert_gt(world_verdicts(world, REASON_fragment_cut), 0);
		world_destroy(world);
	}
}

Test(stream_frag, a_message_that_policy_drops_takes_all_its_packets_along)
{
	struct world *world = world_create(FORM_IPV4);
	const struct fragment_cut first = {0, 16, true, 9}, last = {16, world->total, false, 9};

	world->bed->refuse = true;
	world_push(world, &first);
	world_push(world, &last);
	cr_assert_eq(world->bed->n_sent, 0);
	cr_assert_eq(world->bed->stats.held, 0);
	cr_assert_eq(world_verdicts(world, REASON_rewritten), 2);
	world_destroy(world);
}

Test(stream_frag, clients_that_refuse_are_counted_as_such)
{
	struct world *world = world_create(FORM_IPV4);
	const struct fragment_cut first = {0, 16, true, 9}, last = {16, world->total, false, 9};
	static uint8_t frame[FRAGMENT_ROOM];
	uint32_t size = fragment_make(world->answer, &last, frame);

	tables_consent(world->tables, "203.0.113.0/24", CONSENT_NO_LOG | CONSENT_NO_FILTER);
	tables_finish(world->tables);
	memcpy(world->expected, world->answer->bytes + world->answer->size - world->total,
		world->total);
	world_push(world, &first);
	world_push(world, &last);
	cr_assert_eq(world->n_done, 1);
	cr_assert_eq(world_verdicts(world, REASON_no_log), 2);
	cr_assert_eq(world->bed->stats.responses[0][DNS_TYPE_ROW_A], 0);
	cr_assert(memcmp(world->bed->sent[1]->bytes, frame, size) == 0);
	world_destroy(world);
}

// Over IPv6 what is cut may begin with extension headers, and the first fragment may end in them.
Test(stream_frag, extension_headers_among_the_octets_that_are_cut)
{
	static const uint8_t none[7] = {0, 1, 4};
	struct world *world = world_create(FORM_IPV6);

	for (unsigned before = 0; before < 2; before++)
		for (unsigned unit = 1; unit < 10; unit++) {
			struct wire *w = wire_create();
			const uint8_t *frame = w->bytes;
			uint8_t piece[2][512] = {0};
			struct fragment_host host = {0};
			size_t start, size, end = 0;

			wire_ether(w);
			wire_ip(w, "2001:db8:53::53", "2001:db8:c::7");
			if (before)
				wire_ext(w, 0, none, 7);
			start = w->size;
			wire_ext(w, 60, none, 7);
			wire_ext(w, 60, none, 7);
			wire_udp(w, 53, 40000);
			wire_dns(w, 0x8180);
			wire_question(w, "evil.example", 1);
			wire_record_address(w, "evil.example", 300, "198.51.100.66");
			wire_finish(w);
			size = w->size - start;
			for (unsigned i = 0; i < 2; i++) {
				size_t from = i ? unit * 8 : 0, to = i ? size : unit * 8;
				uint8_t *p = piece[i];

				memcpy(p, frame, start);
				p[before ? start - 8 : 14 + 6] = 44;
				p[start] = 60;
				store_be16(p + start + 2, (uint16_t)(from | !i));
				store_be32(p + start + 4, unit);
				memcpy(p + start + 8, frame + start + from, to - from);
				end = start + 8 + to - from;
				store_be16(p + 14 + 4, (uint16_t)(end - 14 - 40));
				stream_bed_packet(
					world->bed, p, (uint32_t)end, BURST_FROM_RESOLVERS);
			}
			cr_assert_eq(world->bed->n_sent, 2);
			cr_assert_eq(world->bed->stats.records_rewritten[0], 1);
			world->bed->stats.records_rewritten[0] = 0;
			// Four octets of the address stand in one of them, or in both.
			for (unsigned i = 0; i < 2; i++) {
				const struct stream_bed_packet *p = world->bed->sent[i];
				size_t from = i ? unit * 8 : 0;

				memcpy(host.bytes + from, p->bytes + start + 8,
					p->size - start - 8);
			}
			cr_assert(memcmp(host.bytes + size - 4, "\xc0\x00\x02\x01", 4) == 0);
			stream_bed_clear(world->bed);
			wire_destroy(w);
		}
	world_destroy(world);
}

Test(stream_frag, the_last_fragment_may_hold_nothing)
{
	struct world *world = world_create(FORM_IPV4);
	struct wire *w = wire_create();
	struct fragment_cut first = {0, 0, true, 9}, empty = {0, 0, false, 9};

	*w = *world->answer;
	wire_zeros(w, 7);
	first.to = empty.from = empty.to = (world->total + 7) / 8 * 8;
	// Octets behind the message belong to the datagram.
	world->expected = realloc(world->expected, first.to);
	memset(world->expected + world->total, 0, first.to - world->total);
	world->total = first.to;
	world_push_of(world, w, &first);
	world_push_of(world, w, &empty);
	cr_assert_eq(world->n_done, 1);
	cr_assert_eq(world_verdicts(world, REASON_rewritten), 2);
	cr_assert(memcmp(world->bed->sent[0]->bytes + w->ip + 20, world->expected, world->total) ==
		  0);
	wire_destroy(w);
	world_destroy(world);
}
