/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/talk_bed.h"

#include "support/wire.h"

TestSuite(stream_tcp, .init = begin, .fini = end);

/* ---- messages and segments ------------------------------------------------------------------ */

Test(stream_tcp, a_response_in_a_segment_goes_on_at_once_with_the_sinkhole)
{
	const struct traffic_packet *p;

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	p = talk_say(talk, traffic, 0, talk->size);
	cr_assert_eq(p->reason, REASON_rewritten);
	all_is_well();
	cr_assert(!has_leaked());
	cr_assert_eq(traffic->stats->records_rewritten[0], 2);
	cr_assert_eq(traffic->stats->stream_messages, 1);
}

Test(stream_tcp, segments_without_octets_of_a_response_are_tcp_dns)
{
	cr_assert_eq(talk_sign(talk, traffic, true, PKT_TCP_SYN, 0)->reason, REASON_tcp_dns);
	cr_assert_eq(talk_sign(talk, traffic, false, PKT_TCP_SYN, 0)->reason, REASON_tcp_dns);
	cr_assert_eq(talk_sign(talk, traffic, true, 0, 0)->reason, REASON_tcp_dns);
	cr_assert_eq(talk_ask(talk, traffic)->reason, REASON_tcp_dns);
	cr_assert_eq(talk_sign(talk, traffic, false, 0, 0)->reason, REASON_tcp_dns);
}

Test(stream_tcp, a_message_may_be_cut_anywhere)
{
	talk_answer(talk, "www.evil.example", NULL, 3, 300);
	talk_answer(talk, "www.example", "bad.evil.example", 3, 300);
	for (uint32_t cut = 1; cut < talk->size; cut++) {
		struct talk *other = talk_create(tables, false);
		struct traffic *t = talk_traffic(other, &traffic_conf);

		talk_answer(other, "www.evil.example", NULL, 3, 300);
		talk_answer(other, "www.example", "bad.evil.example", 3, 300);
		talk_ask(other, t);
		talk_say(other, t, 0, cut);
		talk_say(other, t, cut, other->size);
		cr_assert(!talk_error(other), "cut at %u: %s", cut, talk_error(other));
		cr_assert_eq(t->stats->stream_messages, 2, "cut at %u", cut);
		cr_assert_eq(matched(t), 2, "cut at %u", cut);
		cr_assert_eq(t->stats->verdicts[REASON_rewritten], 2, "cut at %u", cut);
		traffic_destroy(t);
		talk_destroy(other);
	}
}

struct order {
	const struct traffic_packet *sent[64];
	unsigned n;
};

static void order_note(void *ctx, const struct traffic_packet *packet)
{
	struct order *order = ctx;

	order->sent[order->n++] = packet;
}

Test(stream_tcp, held_segments_leave_in_order_with_the_verdict_of_their_message)
{
	struct order order = {.n = 0};
	const struct traffic_packet *p[4];
	uint32_t end;

	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	end = talk->size;
	talk_answer(talk, "clean.example", NULL, 4, 300);
	talk_ask(talk, traffic);
	traffic->take = order_note;
	traffic->ctx = &order;
	p[0] = talk_say(talk, traffic, 0, 20);
	p[1] = talk_say(talk, traffic, 20, end + 1);
	cr_assert_eq(order.n, 1, "the first has nothing of the second message");
	p[2] = talk_say(talk, traffic, end + 1, end + 30);
	p[3] = talk_say(talk, traffic, end + 30, talk->size);
	cr_assert_eq(order.n, 4);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(order.sent[i], p[i], "packet %u", i);
	cr_assert_eq(verdicts(REASON_rewritten), 2);
	cr_assert_eq(verdicts(REASON_miss), 2);
}

Test(stream_tcp, many_messages_in_a_segment_are_judged_each)
{
	talk_ask(talk, traffic);
	for (unsigned i = 0; i < 10; i++)
		talk_answer(talk, i % 2 ? "www.evil.example" : "clean.example", NULL, 1, 300);
	talk_say(talk, traffic, 0, talk->size);
	all_is_well();
	cr_assert_eq(matched(traffic), 5);
	cr_assert_eq(verdicts(REASON_rewritten), 1);
}

Test(stream_tcp, what_the_link_pads_is_no_payload)
{
	struct traffic_packet copy;
	const struct traffic_packet *p;
	uint8_t frame[200] = {0};

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	// The first octet of the length alone, in a frame that was padded.
	p = talk_sign(talk, traffic, false, 0, 0);
	copy = *p;
	memcpy(frame, p->frame, p->size);
	store_be16(frame + 16, load_be16(frame + 16) + 1);
	frame[copy.size] = talk->said[0];
	memset(frame + copy.size + 1, 0x77, 9);
	traffic_frame(traffic, BURST_FROM_RESOLVERS, frame, copy.size + 10);
	cr_assert_eq(traffic_held(traffic), 1);
	talk_say(talk, traffic, 1, talk->size);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(matched(traffic), 1);
}

Test(stream_tcp, messages_that_are_no_responses_pass_and_the_next_one_is_found)
{
	static const uint8_t query[30] = {1, 2, 1, 0, 0, 1};

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 1, 300);
	talk_message(talk, query, 0);
	talk_message(talk, query, 11);
	talk_message(talk, query, 30);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	talk_say(talk, traffic, 0, talk->size);
	all_is_well();
	cr_assert_eq(matched(traffic), 1);
}

Test(stream_tcp, lengths_that_make_no_sense_pass_unfiltered)
{
	uint8_t zeros[200] = {0};

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 1, 300);
	talk_raw(talk, zeros, sizeof(zeros));
	talk_say(talk, traffic, 0, talk->size);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_FRAMING], 1);
	all_is_well();
	cr_assert_eq(talk_say(talk, traffic, talk->size - 100, talk->size)->reason,
		REASON_stream_framing);
}

// A message of a zone transfer; only the first has a question.
static void transfer_say(const char *question)
{
	struct wire *w = wire_create();
	uint32_t from = talk->size;
	uint8_t length[2];

	wire_ether(w);
	wire_ip(w, "192.0.2.53", "203.0.113.7");
	wire_udp(w, 53, 40000);
	wire_dns(w, 0x8480);
	if (question)
		wire_question(w, question, DNS_TYPE_AXFR);
	wire_record_address(w, "www.evil.example", 300, "198.51.100.66");
	wire_finish(w);
	// What is expected is what was said.
	store_be16(length, (uint16_t)(w->size - w->dns));
	talk_raw(talk, length, sizeof(length));
	talk_raw(talk, w->bytes + w->dns, (uint32_t)(w->size - w->dns));
	wire_destroy(w);
	talk_say(talk, traffic, from, from + 40);
	talk_say(talk, traffic, from + 40, talk->size);
}

Test(stream_tcp, a_zone_transfer_passes_as_it_came_and_answers_among_it_are_judged)
{
	uint32_t from;

	talk_ask(talk, traffic);
	transfer_say("example");
	transfer_say(NULL);
	from = talk->size;
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_say(talk, traffic, from, talk->size);
	transfer_say(NULL);
	all_is_well();
	cr_assert_eq(verdicts(REASON_transfer), 6);
	cr_assert_eq(verdicts(REASON_rewritten), 1);
	cr_assert_eq(matched(traffic), 4);
}

Test(stream_tcp, a_wrong_checksum_stays_wrong_by_as_much)
{
	struct traffic_segment s = {.client = TALK_PORT, .seq = TALK_ISN, .wrong = true};

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	s.octets = talk->said;
	s.n = talk->size;
	traffic_send(traffic, &s);
	all_is_well();
}

Test(stream_tcp, a_header_that_contradicts_its_packet_passes)
{
	const struct traffic_packet *p;
	uint8_t frame[54];

	p = talk_sign(talk, traffic, false, 0, 0);
	memcpy(frame, p->frame, sizeof(frame));
	frame[14 + 20 + 12] = 0x60;
	cr_assert_eq(traffic_frame(traffic, BURST_FROM_RESOLVERS, frame, sizeof(frame))->reason,
		REASON_bad_tcp);
	frame[14 + 20 + 12] = 0x40;
	cr_assert_eq(traffic_frame(traffic, BURST_FROM_RESOLVERS, frame, sizeof(frame))->reason,
		REASON_bad_tcp);
}

Test(stream_tcp, other_servers_and_ports_are_not_followed)
{
	struct policy *policy = tables_policy(made);

	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	policy->n_servers = 1;
	prefix_parse("192.0.2.0/24", &policy->servers[0]);
	tables = traffic->tables = tables_finish(made);
	talk_ask(talk, traffic);
	cr_assert_eq(talk_say(talk, traffic, 0, talk->size)->reason, REASON_other_server);
	policy->n_servers = 0;
	policy->ports[0] = 5353;
	tables = traffic->tables = tables_finish(made);
	cr_assert_eq(talk_say(talk, traffic, 0, talk->size)->reason, REASON_not_udp);
	cr_assert_eq(traffic->stats->streams, 0);
}

Test(stream_tcp, consent_holds_over_tcp)
{
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	tables_consent(made, "203.0.113.0/24", CONSENT_NO_FILTER | CONSENT_NO_LOG);
	traffic->tables = tables_finish(made);
	talk_ask(talk, traffic);
	talk_say(talk, traffic, 0, 30);
	talk_say(talk, traffic, 30, talk->size);
	cr_assert_eq(verdicts(REASON_no_log), 2);
	cr_assert_eq(matched(traffic), 0);
	cr_assert(has_leaked(), "who wants no filter gets what was said");
}

/* ---- once more ------------------------------------------------------------------------------ */

Test(stream_tcp, what_is_sent_again_is_the_same_again_after_a_reload_too)
{
	struct tables *other = tables_create();

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 20, 300);
	talk_say(talk, traffic, 0, talk->size);
	traffic->tables = tables_finish(other);
	for (uint32_t at = 0; at < talk->size; at += 7)
		cr_assert_eq(
			talk_say(talk, traffic, at, at + 13 < talk->size ? at + 13 : talk->size)
				->reason,
			REASON_stream_repeated);
	all_is_well();
	tables_destroy(other);
}

Test(stream_tcp, what_is_held_is_not_sent_by_sending_it_again)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 3, 300);
	talk_say(talk, traffic, 0, talk->size - 3);
	talk_say(talk, traffic, 10, talk->size - 20);
	talk_say(talk, traffic, 0, talk->size - 3);
	cr_assert_eq(traffic_held(traffic), 3);
	talk_say(talk, traffic, 5, talk->size);
	all_is_well();
	cr_assert_eq(verdicts(REASON_rewritten), 4);
}

Test(stream_tcp, a_probe_with_an_old_octet_of_garbage_gets_the_right_one)
{
	struct traffic_segment s = {.client = TALK_PORT, .octets = (const uint8_t *)"\0", .n = 1};

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	talk_say(talk, traffic, 0, talk->size);
	s.seq = TALK_ISN + talk->size - 1;
	traffic_send(traffic, &s);
	all_is_well();
}

// Whether [from, to) of a talk is sent on as something else now.
static bool is_patched(uint32_t from, uint32_t to)
{
	struct traffic_segment s = {.client = TALK_PORT, .seq = TALK_ISN + from};

	s.octets = talk->said + from;
	s.n = to - from;
	return memcmp(traffic_send(traffic, &s)->frame + 54, s.octets, s.n) != 0;
}

Test(stream_tcp, what_was_acknowledged_is_the_same_again_for_a_while)
{
	uint32_t size;

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 3, 300);
	size = talk->size;
	talk_say(talk, traffic, 0, size);
	talk_acknowledge(talk, traffic);
	cr_assert(is_patched(0, size), "a copy was under way");
	// Answers of 1,000 octets.
	while (talk->size < 65536 - 1000) {
		uint32_t from = talk->size;

		talk_answer(talk, "clean.example", NULL, 60, 300);
		talk_say(talk, traffic, from, talk->size);
		talk_acknowledge(talk, traffic);
	}
	cr_assert(is_patched(size - 4, size));
	for (unsigned i = 0; i < 3; i++) {
		uint32_t from = talk->size;

		talk_answer(talk, "clean.example", NULL, 60, 300);
		talk_say(talk, traffic, from, talk->size);
		talk_acknowledge(talk, traffic);
	}
	cr_assert(!is_patched(0, size), "more than a window behind: nobody asks for it any more");
}

Test(stream_tcp, old_octets_and_new_ones_in_a_segment_are_the_same_again)
{
	struct traffic_segment s = {.client = TALK_PORT};
	uint32_t first;

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	first = talk->size;
	talk_say(talk, traffic, 0, first);
	talk_acknowledge(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	s.seq = TALK_ISN + first - 4;
	s.octets = talk->said + first - 4;
	s.n = talk->size - first + 4;
	cr_assert_eq(
		memcmp(traffic_send(traffic, &s)->frame + 54, talk->expected + first - 4, s.n), 0);
}

Test(stream_tcp, numbers_that_come_round_again_have_no_octets_of_the_round_before)
{
	static const uint8_t zeros[2000];
	struct traffic_segment s = {.client = TALK_PORT, .octets = zeros};
	uint32_t size;

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 3, 300);
	size = talk->size;
	talk_say(talk, traffic, 0, size);
	// It is no DNS from here on, and only this side is seen: steps of 8 MiB, all the way round.
	for (unsigned i = 0; i <= 512; i++) {
		s.seq = TALK_ISN + size + (i << 23);
		s.n = 200;
		traffic_send(traffic, &s);
	}
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_FRAMING], 1);
	s.seq = TALK_ISN;
	s.n = size;
	cr_assert_eq(memcmp(traffic_send(traffic, &s)->frame + 54, zeros, size), 0);
}
