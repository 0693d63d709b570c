/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/talk_bed.h"

TestSuite(stream_flow, .init = begin, .fini = end);
TestSuite(stream_flow_small, .fini = end);

/* ---- connections ---------------------------------------------------------------------------- */

Test(stream_flow, a_port_that_is_used_again_begins_anew)
{
	struct traffic_segment syn = {
		.from_client = true, .client = TALK_PORT, .flags = PKT_TCP_SYN};
	static const int32_t aways[] = {-1, -1000, -70000, 100, 1 << 20, 1 << 30};

	for (unsigned i = 0; i < sizeof(aways) / sizeof(aways[0]); i++) {
		struct traffic_segment s = {
			.client = TALK_PORT, .flags = PKT_TCP_SYN | PKT_TCP_ACK};
		const struct traffic_packet *p;
		uint32_t size;

		talk_ask(talk, traffic);
		talk_answer(talk, "www.evil.example", NULL, 2, 300);
		talk_say(talk, traffic, talk->contiguous, talk->size);
		size = talk->size - (talk->contiguous - talk->acked);
		size = talk->size - size;
		traffic_send(traffic, &syn);
		s.seq = TALK_ISN + talk->size + (uint32_t)aways[i];
		traffic_send(traffic, &s);
		s.flags = 0;
		s.seq++;
		s.octets = talk->said + talk->size - size;
		s.n = size;
		p = traffic_send(traffic, &s);
		cr_assert_eq(p->reason, REASON_rewritten, "%d octets away", aways[i]);
		// Back to where the talk is.
		traffic_send(traffic, &syn);
		s.flags = PKT_TCP_SYN | PKT_TCP_ACK;
		s.seq = TALK_ISN + talk->size - 1;
		s.n = 0;
		traffic_send(traffic, &s);
	}
}

Test(stream_flow, an_answer_to_a_syn_that_comes_again_changes_nothing)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_say(talk, traffic, 0, talk->size);
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_say(talk, traffic, 0, talk->size);
	all_is_well();
}

Test(stream_flow, a_syn_that_comes_late_changes_nothing)
{
	talk_sign(talk, traffic, true, PKT_TCP_SYN, UINT32_MAX);
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 20, 300);
	talk_say(talk, traffic, 0, 100);
	talk_say(talk, traffic, 100, 200);
	// Copies of both that were under way for longer than all this.
	talk_sign(talk, traffic, true, PKT_TCP_SYN, UINT32_MAX);
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_say(talk, traffic, 200, talk->size);
	all_is_well();
	cr_assert_eq(verdicts(REASON_rewritten), 3);
}

Test(stream_flow, an_answer_to_a_syn_that_comes_again_after_much_was_said_changes_nothing)
{
	uint32_t from;

	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_ask(talk, traffic);
	while (talk->size < 70000) {
		from = talk->size;
		talk_answer(talk, "www.evil.example", NULL, 80, 300);
		talk_say(talk, traffic, from, talk->size);
	}
	talk_acknowledge(talk, traffic);
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	from = talk->size;
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_say(talk, traffic, from, talk->size);
	talk_say(talk, traffic, from - 500, from);
	all_is_well();
}

Test(stream_flow, data_in_the_syn_and_right_behind_its_answer)
{
	struct traffic_segment s = {
		.from_client = true, .client = TALK_PORT, .flags = PKT_TCP_SYN, .n = 4};

	s.octets = (const uint8_t *)"\0\x02??";
	traffic_send(traffic, &s);
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_say(talk, traffic, 0, 1);
	talk_say(talk, traffic, 1, talk->size);
	all_is_well();
}

Test(stream_flow, without_the_clients_side_a_response_is_known_by_its_begin)
{
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	cr_assert_eq(talk_say(talk, traffic, 0, 1)->reason, REASON_stream_unknown);
	talk_say(talk, traffic, 0, 30);
	talk_say(talk, traffic, 30, talk->size);
	all_is_well();
	cr_assert(!has_leaked());
}

// As in a capture of which all frames come in on one side: the resolver's word is all that there is.
Test(stream_flow, without_the_clients_side_the_answer_to_its_syn_tells_where_octets_begin)
{
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	// The second segment first, and one octet that begins nothing by itself.
	talk_say(talk, traffic, 30, talk->size);
	cr_assert_eq(traffic_held(traffic), 1);
	talk_say(talk, traffic, 0, 1);
	talk_say(talk, traffic, 1, 30);
	all_is_well();
	cr_assert_eq(verdicts(REASON_rewritten), 3);
}

// The same addresses, ports and numbers again, as who makes frames by himself has them.
Test(stream_flow, another_connection_with_the_same_numbers_has_no_octets_of_the_first)
{
	struct traffic_segment s = {.client = TALK_PORT, .seq = TALK_ISN};
	const struct traffic_packet *p;
	uint32_t size;

	for (unsigned i = 0; i < 2; i++) {
		talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
		talk_answer(talk, i ? "mail.clean.example" : "www.evil.example", NULL, 2, 300);
		size = i ? talk->size - size : talk->size;
		s.octets = talk->said + talk->size - size;
		s.n = size;
		s.flags = 0;
		p = traffic_send(traffic, &s);
		cr_assert_eq(p->reason, i ? REASON_miss : REASON_rewritten);
		cr_assert_eq(
			memcmp(p->frame + p->payload, talk->expected + talk->size - size, size), 0);
		talk_sign(talk, traffic, false, PKT_TCP_FIN, talk->size);
	}
}

// What is sent again behind the end, and copies of how it began, are the same connection's.
Test(stream_flow, an_answer_to_a_syn_that_comes_behind_the_end_changes_nothing)
{
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_answer(talk, "www.evil.example", NULL, 20, 300);
	talk_say(talk, traffic, 0, talk->size);
	talk_sign(talk, traffic, false, PKT_TCP_FIN, talk->size);
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_say(talk, traffic, 100, talk->size);
	talk_say(talk, traffic, 0, 100);
	talk_say(talk, traffic, 100, talk->size);
	all_is_well();
	cr_assert_eq(talk->unlike, 0);
}

Test(stream_flow, tags_tell_connections_apart)
{
	struct traffic_segment s = {.client = TALK_PORT, .seq = TALK_ISN};

	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_ask(talk, traffic);
	talk_say(talk, traffic, 0, 50);
	s.vlan = 7;
	s.octets = talk->said;
	s.n = 50;
	traffic_send(traffic, &s);
	cr_assert_eq(traffic->stats->streams, 2);
	s.octets += 50;
	s.seq += 50;
	s.n = talk->size - 50;
	traffic_send(traffic, &s);
	cr_assert_eq(traffic->stats->stream_messages, 1);
	talk_say(talk, traffic, 50, talk->size);
	cr_assert_eq(traffic->stats->stream_messages, 2);
	cr_assert_eq(verdicts(REASON_rewritten), 4);
}

/* ---- bounds --------------------------------------------------------------------------------- */

static void query_from(uint16_t port)
{
	struct traffic_segment s = {.from_client = true,
		.client = port,
		.ack = TALK_ISN,
		.octets = (const uint8_t *)"\0\x02??",
		.n = 4};

	traffic_send(traffic, &s);
}

Test(stream_flow, a_flood_of_syns_makes_no_state)
{
	struct traffic_segment s = {.from_client = true, .flags = PKT_TCP_SYN};

	for (unsigned port = 1024; port < 11024; port++) {
		s.from_client = true;
		s.client = (uint16_t)port;
		traffic_send(traffic, &s);
		s.from_client = false;
		traffic_send(traffic, &s);
	}
	cr_assert_eq(traffic->stats->streams, 0);
}

// Who only knocks pushes out nobody, and leaves room for those who ask.
Test(stream_flow_small, a_flood_of_answered_syns_takes_a_share_of_the_table)
{
	struct traffic_segment s = {.flags = PKT_TCP_SYN | PKT_TCP_ACK};
	struct stream_conf conf = traffic_conf;

	conf.flows = 1600;
	begin_with(&conf);
	for (unsigned port = 1024; port < 11024; port++) {
		s.client = (uint16_t)port;
		traffic_send(traffic, &s);
	}
	cr_assert_eq(traffic->stats->streams, 100);
	cr_assert_eq(traffic->stats->streams_evicted, 0);
}

Test(stream_flow_small, a_flood_of_queries_does_not_push_out_who_has_an_answer)
{
	struct stream_conf conf = traffic_conf;

	conf.flows = 64;
	begin_with(&conf);
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_say(talk, traffic, 0, talk->size);
	for (unsigned port = 1024; port < 11024; port++)
		query_from((uint16_t)port);
	cr_assert_eq(traffic->stats->streams, 64);
	cr_assert_eq(traffic->stats->streams_evicted, 10000 - 63);
	talk_say(talk, traffic, 0, talk->size);
	all_is_well();
}

Test(stream_flow_small, ten_thousand_connections_are_held_at_once)
{
	struct traffic_segment s = {.client = 0};
	struct stream_conf conf = {
		.flows = 65536, .memory = 16 << 20, .hold_ms = 10, .gap_ms = 1000, .held = 16384};

	begin_with(&conf);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	for (unsigned port = 1024; port < 11024; port++)
		query_from((uint16_t)port);
	for (unsigned half = 0; half < 2; half++)
		for (unsigned port = 1024; port < 11024; port++) {
			s.client = (uint16_t)port;
			s.seq = TALK_ISN + half * 40;
			s.octets = talk->said + half * 40;
			s.n = half ? talk->size - 40 : 40;
			traffic_send(traffic, &s);
		}
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(traffic->stats->streams, 10000);
	cr_assert_eq(matched(traffic), 10000);
	cr_assert_eq(verdicts(REASON_rewritten), 20000);
}

Test(stream_flow_small, more_than_can_be_held_leaves_early_judged)
{
	struct traffic_segment s = {.client = 0};
	struct stream_conf conf = traffic_conf;

	conf.held = 8;
	begin_with(&conf);
	talk_answer(talk, "www.evil.example", NULL, 2, 30);
	for (unsigned half = 0; half < 2; half++)
		for (unsigned port = 1024; port < 1124; port++) {
			if (half == 0)
				query_from((uint16_t)port);
			s.client = (uint16_t)port;
			s.seq = TALK_ISN + half * 55;
			s.octets = talk->said + half * 55;
			s.n = half ? talk->size - 55 : 55;
			traffic_send(traffic, &s);
			cr_assert_leq(traffic_held(traffic), 8);
		}
	cr_assert_eq(matched(traffic), 100);
	cr_assert_eq(traffic->stats->stream_late, 0);
	cr_assert_eq(verdicts(REASON_rewritten), 200);
}

Test(stream_flow_small, more_copies_than_can_be_held_leave_early_judged)
{
	struct traffic_segment s = {.client = 0};
	struct stream_conf conf = traffic_conf;

	conf.held = 8;
	begin_with(&conf);
	talk_answer(talk, "www.evil.example", NULL, 2, 30);
	for (unsigned port = 1024; port < 1124; port++) {
		query_from((uint16_t)port);
		s.client = (uint16_t)port;
		s.n = 1;
		for (unsigned at = 0; at < 5; at++) {
			s.seq = TALK_ISN + at;
			s.octets = talk->said + at;
			traffic_send(traffic, &s);
			cr_assert_leq(traffic_held(traffic), 8 * STREAM_COPIES + 8);
		}
	}
	cr_assert_gt(traffic_held(traffic), 8 * STREAM_COPIES);
	for (unsigned port = 1024; port < 1124; port++) {
		s.client = (uint16_t)port;
		s.seq = TALK_ISN + 5;
		s.octets = talk->said + 5;
		s.n = talk->size - 5;
		traffic_send(traffic, &s);
	}
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(matched(traffic), 100);
	cr_assert_eq(traffic->stats->stream_late, 0);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_LIMIT], 0);
}

Test(stream_flow_small, without_memory_it_passes_unfiltered_and_is_counted)
{
	struct stream_conf conf = traffic_conf;

	conf.memory = 4096;
	begin_with(&conf);
	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 400, 300);
	for (uint32_t at = 0; at < talk->size; at += 500)
		talk_say(talk, traffic, at, at + 500 < talk->size ? at + 500 : talk->size);
	all_is_well();
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_LIMIT], 1);
	cr_assert_gt(verdicts(REASON_stream_limit), 1);
}

Test(stream_flow_small, memory_is_given_back)
{
	struct stream_conf conf = traffic_conf;

	conf.memory = 16384;
	begin_with(&conf);
	for (unsigned i = 0; i < 200; i++) {
		talk_ask(talk, traffic);
		talk_answer(talk, "www.evil.example", NULL, 30, 300);
		talk_say(talk, traffic, talk->contiguous, talk->size - 100);
		talk_say(talk, traffic, talk->size - 100, talk->size);
		all_is_well();
	}
	cr_assert_eq(matched(traffic), 200);
}

#define LONG_SIZE (TRAFFIC_COPY_MAX - 54 + 1) // octets in a segment that is just no copy
#define SHORT     2048                        // copies held of one connection

// Segments, the first of which is missing.
static void gap_say(uint32_t size, unsigned n)
{
	talk_ask(talk, traffic);
	for (uint32_t at = size; n > 0; at += size, n--) {
		while (talk->size < at + size)
			talk_answer(talk, "clean.example", NULL, 700, 300);
		talk_say(talk, traffic, at, at + size);
	}
}

static void gap_fill(uint32_t size)
{
	talk_say(talk, traffic, 0, size);
	traffic_wait(traffic, 12);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_LIMIT], 0);
}

Test(stream_flow, a_window_of_segments_waits_behind_a_gap)
{
	gap_say(LONG_SIZE, 512);
	cr_assert_eq(traffic_held(traffic), 512);
	gap_fill(LONG_SIZE);
}

Test(stream_flow, too_much_behind_a_gap_passes_unfiltered)
{
	gap_say(LONG_SIZE, 513);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_LIMIT], 1);
	cr_assert_eq(traffic_held(traffic), 0);
}

// What is small is held as a copy, and many times more of it.
Test(stream_flow, a_window_of_segments_of_one_octet_waits_behind_a_gap)
{
	gap_say(1, SHORT);
	cr_assert_eq(traffic_held(traffic), SHORT);
	gap_fill(1);
}

Test(stream_flow, too_many_segments_of_one_octet_behind_a_gap_pass_unfiltered)
{
	gap_say(1, SHORT + 1);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_LIMIT], 1);
	cr_assert_eq(traffic_held(traffic), 0);
}

Test(stream_flow, copies_and_others_share_what_one_connection_may_hold)
{
	gap_say(1, SHORT / 2);
	for (unsigned i = 0; i < 256; i++) {
		uint32_t at = 1 + SHORT / 2 + i * LONG_SIZE;

		while (talk->size < at + LONG_SIZE)
			talk_answer(talk, "clean.example", NULL, 700, 300);
		cr_assert_eq(traffic_held(traffic), SHORT / 2 + i);
		talk_say(talk, traffic, at, at + LONG_SIZE);
	}
	cr_assert_eq(traffic_held(traffic), SHORT / 2 + 256);
	talk_say(talk, traffic, 8, 9);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_LIMIT], 1);
}

// Half of what is held comes in some order between the other half.
static void order_check(uint32_t (*of)(uint32_t i, uint32_t n))
{
	const uint32_t n = SHORT / 2;

	talk_ask(talk, traffic);
	while (talk->size < 2 * n + 1)
		talk_answer(talk, "www.evil.example", NULL, 40, 300);
	for (uint32_t i = 0; i < n; i++)
		talk_say(talk, traffic, 2 * i + 2, 2 * i + 3);
	for (uint32_t i = 0; i < n; i++)
		talk_say(talk, traffic, 2 * of(i, n) + 1, 2 * of(i, n) + 2);
	cr_assert_eq(traffic_held(traffic), 2 * n);
	talk_say(talk, traffic, 0, 1);
	talk_say(talk, traffic, 2 * n + 1, talk->size);
	all_is_well();
	cr_assert(!has_leaked());
}

static uint32_t forwards(uint32_t i, uint32_t n)
{
	(void)n;
	return i;
}

static uint32_t backwards(uint32_t i, uint32_t n)
{
	return n - 1 - i;
}

static uint32_t scattered(uint32_t i, uint32_t n)
{
	return i * 1103 % n;
}

Test(stream_flow, segments_behind_a_gap_come_in_any_order)
{
	order_check(forwards);
	end();
	begin();
	order_check(backwards);
	end();
	begin();
	order_check(scattered);
}

Test(stream_flow_small, the_oldest_patch_of_all_makes_room_for_a_new_one)
{
	struct stream_conf conf = traffic_conf;

	// Room for 128 patches, and two in each answer.
	conf.memory = 16384;
	begin_with(&conf);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	for (unsigned port = 1024; port < 1024 + 100; port++) {
		struct traffic_segment s = {.client = (uint16_t)port, .seq = TALK_ISN};

		query_from((uint16_t)port);
		s.octets = talk->said;
		s.n = talk->size;
		cr_assert_eq(memcmp(traffic_send(traffic, &s)->frame + 54, talk->expected, s.n), 0);
	}
	for (unsigned port = 1024; port < 1024 + 100; port++) {
		struct traffic_segment s = {.client = (uint16_t)port, .seq = TALK_ISN};
		bool kept = port >= 1024 + 100 - 128 / 2;

		s.octets = talk->said;
		s.n = talk->size;
		cr_assert_eq(memcmp(traffic_send(traffic, &s)->frame + 54,
				     kept ? talk->expected : talk->said, s.n),
			0, "port %u", port);
	}
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_LIMIT], 0);
}
