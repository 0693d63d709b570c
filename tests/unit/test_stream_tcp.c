/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/bytes.h"
#include "pkt/pkt_tcp.h"
#include "support/tables.h"
#include "support/talk.h"

static struct tables *made;
static const struct pipeline_tables *tables;
static struct talk *talk;
static struct traffic *traffic;
static const char leaked[4] = "\xc6\x33\x64\x42"; // 198.51.100.66 of talk_answer

static void begin_with(const struct stream_conf *conf)
{
	made = tables_create();
	tables_sinkhole(made, NULL, "192.0.2.1");
	tables_sinkhole(made, NULL, "2001:db8::1");
	tables_list(made, "c2", POLICY_SINKHOLE);
	tables_entry(made, ".evil.example", NULL, NULL);
	tables = tables_finish(made);
	talk = talk_create(tables, false);
	traffic = talk_traffic(talk, conf);
}

static void begin(void)
{
	begin_with(&traffic_conf);
}

static void end(void)
{
	traffic_destroy(traffic);
	talk_destroy(talk);
	tables_destroy(made);
}

static void all_is_well(void)
{
	const char *error = talk_error(talk);

	cr_assert(!error, "%s", error);
	cr_assert_eq(traffic_held(traffic), 0);
}

static uint64_t verdicts(enum reason reason)
{
	return traffic->stats->verdicts[reason];
}

static uint64_t matched(const struct traffic *t)
{
	return t->stats->matched[tables->policy->lists[0].slot];
}

static bool has_leaked(void)
{
	for (uint32_t i = 0; i + 4 <= talk->size; i++)
		if (talk->got[i] && talk->got[i + 3] && memcmp(talk->arrived + i, leaked, 4) == 0)
			return true;
	return false;
}

TestSuite(stream_tcp, .init = begin, .fini = end);
TestSuite(stream_tcp_small, .fini = end);

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

Test(stream_tcp, patches_are_kept_until_the_client_acknowledges)
{
	struct traffic_segment s = {.client = TALK_PORT, .seq = TALK_ISN};

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	talk_say(talk, traffic, 0, talk->size);
	talk_acknowledge(talk, traffic);
	// Nobody asks for it any more, so it is not remembered.
	s.octets = talk->said;
	s.n = talk->size;
	cr_assert_eq(memcmp(traffic_send(traffic, &s)->frame + 54, talk->said, talk->size), 0);
}

/* ---- gaps ----------------------------------------------------------------------------------- */

Test(stream_tcp, segments_behind_a_gap_wait_until_it_is_filled)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 30, 300);
	talk_say(talk, traffic, 300, talk->size);
	talk_say(talk, traffic, 100, 300);
	traffic_wait(traffic, 900);
	cr_assert_eq(traffic_held(traffic), 2);
	talk_say(talk, traffic, 0, 100);
	all_is_well();
}

Test(stream_tcp, a_gap_that_stays_passes_unfiltered_until_the_next_query)
{
	uint32_t end;

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 30, 300);
	end = talk->size;
	talk_say(talk, traffic, 100, end);
	traffic_wait(traffic, 1100);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(verdicts(REASON_stream_gap), 1);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_GAP], 1);
	cr_assert_eq(talk_say(talk, traffic, 0, 100)->reason, REASON_stream_gap);
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	cr_assert_eq(talk_say(talk, traffic, end, talk->size)->reason, REASON_rewritten);
}

Test(stream_tcp, octets_that_came_past_the_box_are_not_waited_for)
{
	uint32_t end;

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 5, 300);
	end = talk->size;
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	talk_say(talk, traffic, end, talk->size);
	cr_assert_eq(traffic_held(traffic), 1);
	memset(talk->got, 1, end);
	memcpy(talk->arrived, talk->said, end);
	talk->contiguous = end;
	talk_acknowledge(talk, traffic);
	all_is_well();
	cr_assert(!has_leaked() || memcmp(talk->said, talk->arrived, end) == 0);
}

Test(stream_tcp, made_up_acknowledgements_do_not_blind_the_box)
{
	struct traffic_segment s = {.from_client = true, .client = TALK_PORT};

	s.octets = (const uint8_t *)"\0\x02??";
	s.n = 4;
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	for (uint32_t by = 1; by != 0; by <<= 1) {
		// Before the query, behind it, and without a query.
		s.ack = TALK_ISN + by;
		traffic_send(traffic, &s);
	}
	talk_ask(talk, traffic);
	for (uint32_t by = 2; by != 0; by <<= 1) {
		s.ack = TALK_ISN + by;
		traffic_send(traffic, &s);
	}
	talk_say(talk, traffic, 0, 30);
	for (uint32_t by = 1 << 10; by != 0; by <<= 1) {
		s.ack = TALK_ISN + by;
		traffic_send(traffic, &s);
	}
	talk_say(talk, traffic, 30, talk->size);
	traffic_wait(traffic, 20);
	cr_assert(!has_leaked());
	all_is_well();
}

/* ---- time ----------------------------------------------------------------------------------- */

Test(stream_tcp, a_part_leaves_in_time_with_the_records_it_has_judged)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 4, 30);
	// In the middle of an address.
	talk_say(talk, traffic, 0, talk->size - 18);
	traffic_wait(traffic, 8);
	cr_assert_eq(traffic_held(traffic), 1);
	traffic_wait(traffic, 5);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(verdicts(REASON_rewritten), 1);
	cr_assert_eq(matched(traffic), 0, "counted when all of it is there");
	talk_say(talk, traffic, talk->size - 18, talk->size);
	all_is_well();
	cr_assert_eq(matched(traffic), 1);
	cr_assert_eq(traffic->stats->stream_parts, 1);
	cr_assert_eq(traffic->stats->stream_late, 0);
}

Test(stream_tcp, a_hit_that_is_found_too_late_is_counted_and_changes_the_rest)
{
	uint32_t cut;

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 1, 30);
	cut = talk->size;
	// Two more records, in an order that no resolver makes: a CNAME to a listed name comes last.
	store_be16(talk->said + 8, 3);
	store_be16(talk->said, load_be16(talk->said) + 12 + 18 + 16);
	talk_raw(talk, "\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x12\3bad\4evil\7example\0", 30);
	talk_raw(talk, "\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\4\xc6\x33\x64\x42", 16);
	talk_say(talk, traffic, 0, cut);
	traffic_wait(traffic, 20);
	cr_assert(has_leaked(), "its name is not listed");
	talk_say(talk, traffic, cut, talk->size);
	cr_assert_eq(traffic->stats->stream_late, 1);
	cr_assert_eq(memcmp(talk->arrived + talk->size - 4, "\xc0\0\2\1", 4), 0);
	cr_assert_eq(verdicts(REASON_rewritten), 1);
}

Test(stream_tcp, a_sender_that_waits_for_acknowledgements_is_never_stuck)
{
	static const uint32_t sizes[] = {1460, 8960, 65000};

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 4000, 30);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		// Ten segments under way at most, and no time passes.
		for (uint32_t at = 0; at < talk->size; at += sizes[i]) {
			uint32_t to = at + sizes[i] < talk->size ? at + sizes[i] : talk->size;

			talk_say(talk, traffic, at, to);
			cr_assert_leq(traffic_held(traffic), 9, "%u octets a segment", sizes[i]);
		}
		all_is_well();
	}
}

Test(stream_tcp, one_segment_at_a_time_takes_the_hold_time_each)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 20, 30);
	for (uint32_t at = 0; at < talk->size; at++) {
		talk_say(talk, traffic, at, at + 1);
		traffic_wait(traffic, 12);
		cr_assert_eq(traffic_held(traffic), 0, "octet %u", at);
	}
	all_is_well();
	cr_assert(!has_leaked());
	cr_assert_eq(traffic->stats->stream_late, 0);
}

Test(stream_tcp, the_end_of_a_connection_lets_all_go)
{
	static const struct {
		bool from_client;
		uint8_t flags;
	} ends[] = {{false, PKT_TCP_FIN}, {false, PKT_TCP_RST}, {true, PKT_TCP_RST}};

	for (unsigned i = 0; i < 3; i++) {
		talk_ask(talk, traffic);
		talk_answer(talk, "www.evil.example", NULL, 2, 30);
		talk_say(talk, traffic, talk->contiguous, talk->size - 1);
		cr_assert_eq(traffic_held(traffic), 1);
		talk_sign(talk, traffic, ends[i].from_client, ends[i].flags, talk->size - 1);
		cr_assert_eq(traffic_held(traffic), 0);
		talk_say(talk, traffic, talk->size - 1, talk->size);
		all_is_well();
	}
	cr_assert(!has_leaked());
	talk_sign(talk, traffic, true, PKT_TCP_RST, 0);
	traffic_wait(traffic, 2100);
	cr_assert_eq(traffic->stats->streams, 0, "forgotten");
}

Test(stream_tcp, an_idle_connection_is_forgotten)
{
	talk_ask(talk, traffic);
	cr_assert_eq(traffic->stats->streams, 1);
	talk_answer(talk, "www.evil.example", NULL, 2, 30);
	talk_say(talk, traffic, 0, talk->size);
	traffic_wait(traffic, 110000);
	cr_assert_eq(traffic->stats->streams, 1);
	traffic_wait(traffic, 11000);
	cr_assert_eq(traffic->stats->streams, 0);
}

/* ---- connections ---------------------------------------------------------------------------- */

Test(stream_tcp, a_port_that_is_used_again_begins_anew)
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

Test(stream_tcp, an_answer_to_a_syn_that_comes_again_changes_nothing)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	talk_say(talk, traffic, 0, talk->size);
	talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
	talk_say(talk, traffic, 0, talk->size);
	all_is_well();
}

Test(stream_tcp, data_in_the_syn_and_right_behind_its_answer)
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

Test(stream_tcp, without_the_clients_side_a_response_is_known_by_its_begin)
{
	talk_answer(talk, "www.evil.example", NULL, 2, 300);
	cr_assert_eq(talk_say(talk, traffic, 0, 1)->reason, REASON_stream_unknown);
	talk_say(talk, traffic, 0, 30);
	talk_say(talk, traffic, 30, talk->size);
	all_is_well();
	cr_assert(!has_leaked());
}

Test(stream_tcp, tags_tell_connections_apart)
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

Test(stream_tcp, a_flood_of_syns_makes_no_state)
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

Test(stream_tcp_small, a_flood_of_queries_does_not_push_out_who_has_an_answer)
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

Test(stream_tcp_small, ten_thousand_connections_are_held_at_once)
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

Test(stream_tcp_small, more_than_can_be_held_leaves_early_judged)
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

Test(stream_tcp_small, without_memory_it_passes_unfiltered_and_is_counted)
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

Test(stream_tcp_small, memory_is_given_back)
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

Test(stream_tcp, too_much_behind_a_gap_passes_unfiltered)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 400, 300);
	for (uint32_t at = 10; at < 10 + 200 * 10; at += 10)
		talk_say(talk, traffic, at, at + 10);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_LIMIT], 1);
	cr_assert_eq(traffic_held(traffic), 0);
}
