/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/talk_bed.h"

TestSuite(stream_end, .init = begin, .fini = end);

// A worker that ends leaves nothing behind, and nothing goes on unread that can be read.
Test(stream_end, what_is_held_when_the_worker_ends_goes_on_judged)
{
	const struct traffic_packet *p;

	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_ask(talk, traffic);
	// Its first address is there as a whole, of the second there are two octets.
	p = talk_say(talk, traffic, 0, talk->size - 2);
	cr_assert_eq(traffic_held(traffic), 1);
	stream_begin(traffic->stream, tables->policy, traffic->now);
	stream_flush(traffic->stream);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert(p->sent);
	cr_assert_eq(verdicts(REASON_rewritten), 1);
	cr_assert(!has_leaked());
}

Test(stream_end, what_waits_behind_a_gap_when_the_worker_ends_goes_on_as_it_came)
{
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_ask(talk, traffic);
	talk_say(talk, traffic, 40, talk->size - 4);
	talk_say(talk, traffic, talk->size - 4, talk->size);
	cr_assert_eq(traffic_held(traffic), 2);
	stream_begin(traffic->stream, tables->policy, traffic->now);
	stream_flush(traffic->stream);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(verdicts(REASON_stream_gap), 2);
}

// What begins behind the gap is a message of its own.
Test(stream_end, a_response_behind_a_gap_when_the_worker_ends_goes_on_judged)
{
	uint32_t first;

	talk_answer(talk, "www.clean.example", NULL, 2, 300);
	first = talk->size;
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_ask(talk, traffic);
	talk_say(talk, traffic, first, talk->size - 20);
	talk_say(talk, traffic, talk->size - 20, talk->size);
	cr_assert_eq(traffic_held(traffic), 2);
	stream_begin(traffic->stream, tables->policy, traffic->now);
	stream_flush(traffic->stream);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(verdicts(REASON_rewritten), 2);
	cr_assert(!has_leaked());
}

// All octets that come are there: nobody will send the rest.
Test(stream_end, a_fin_with_the_last_octets_lets_go_what_is_held)
{
	struct traffic_segment last = {.client = TALK_PORT, .flags = PKT_TCP_FIN, .seq = TALK_ISN};
	const struct traffic_packet *p;

	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_ask(talk, traffic);
	last.octets = talk->said;
	last.n = talk->size - 2;
	p = traffic_send(traffic, &last);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert(p->sent);
	cr_assert_eq(verdicts(REASON_rewritten), 1);
	cr_assert(!has_leaked());
}

// A FIN that overtakes: octets before it are lost, and sent again after three seconds only.
Test(stream_end, a_fin_that_came_before_the_last_octets_does_not_end_it)
{
	uint32_t cut;

	talk_answer(talk, "www.evil.example", NULL, 20, 300);
	// Where a record begins, and no message.
	cut = talk->size - 96;
	talk_ask(talk, traffic);
	talk_say(talk, traffic, 0, cut);
	traffic_wait(traffic, 12);
	talk_sign(talk, traffic, false, PKT_TCP_FIN, talk->size);
	talk_acknowledge(talk, traffic);
	traffic_wait(traffic, 3000);
	talk_say(talk, traffic, cut, talk->size);
	cr_assert(!has_leaked());
	cr_assert_eq(traffic_held(traffic), 0);
	// The client has all of it now, and the FIN.
	talk->acked = talk->contiguous++;
	talk_acknowledge(talk, traffic);
	traffic_wait(traffic, 2100);
	cr_assert_eq(traffic->stats->streams, 0, "forgotten");
}

// An answer behind a gap, which is whole but for an octet of its last address.
static void behind_gap_say(void)
{
	uint32_t first;

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 2, 300);
	first = talk->size;
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_say(talk, traffic, first, talk->size - 1);
	cr_assert_eq(traffic_held(traffic), 1);
}

Test(stream_end, what_is_behind_a_gap_when_a_reset_comes_goes_on_judged)
{
	behind_gap_say();
	talk_sign(talk, traffic, false, PKT_TCP_RST, talk->size);
	cr_assert_eq(traffic_held(traffic), 1, "not everybody's reset is one");
	traffic_wait(traffic, 2100);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(traffic->stats->streams, 0, "forgotten");
	cr_assert_eq(verdicts(REASON_rewritten), 1);
	cr_assert(!has_leaked());
}

Test(stream_end, a_connection_that_begins_anew_lets_what_was_held_go_on_judged)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_say(talk, traffic, 0, talk->size - 1);
	cr_assert_eq(traffic_held(traffic), 1);
	talk_sign(talk, traffic, true, PKT_TCP_SYN, 0);
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, 1 << 20);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(verdicts(REASON_rewritten), 1);
	cr_assert(!has_leaked());
}
