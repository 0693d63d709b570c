/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/talk_bed.h"

TestSuite(stream_time, .init = begin, .fini = end);

/* ---- gaps ----------------------------------------------------------------------------------- */

Test(stream_time, segments_behind_a_gap_wait_until_it_is_filled)
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

Test(stream_time, a_message_behind_a_gap_that_is_filled_is_not_judged_in_part)
{
	uint32_t end;

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 200, 300);
	end = talk->size;
	talk_answer(talk, "www.evil.example", NULL, 30, 300);
	// More than is held of a message without a gap.
	for (uint32_t at = 40; at < end; at += 40)
		talk_say(talk, traffic, at, at + 40 < end ? at + 40 : end);
	talk_say(talk, traffic, end, end + 100);
	cr_assert_gt(traffic_held(traffic), 64);
	talk_say(talk, traffic, 0, 40);
	cr_assert_eq(traffic_held(traffic), 1);
	cr_assert_eq(traffic->judged[STREAM_PART], 0);
	talk_say(talk, traffic, end + 100, talk->size);
	all_is_well();
}

Test(stream_time, a_gap_that_stays_passes_unfiltered_until_the_next_query)
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

/** What was said from @p from on has arrived as it has to. */
static void is_well_from(uint32_t from)
{
	cr_assert_eq(memcmp(talk->arrived + from, talk->expected + from, talk->size - from), 0);
	cr_assert_eq(talk->unlike, 0);
	cr_assert_eq(traffic_held(traffic), 0);
}

// Where the clients' side is not seen no query tells where a message begins.
Test(stream_time, responses_behind_a_gap_that_stays_are_filtered)
{
	uint32_t end;

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 30, 300);
	end = talk->size;
	talk_answer(talk, "www.evil.example", NULL, 30, 300);
	talk_say(talk, traffic, 0, 40);
	talk_say(talk, traffic, 100, 200);
	talk_say(talk, traffic, 200, end);
	talk_say(talk, traffic, end, end + 100);
	talk_say(talk, traffic, end + 100, talk->size);
	traffic_wait(traffic, 1100);
	cr_assert_eq(verdicts(REASON_stream_gap), 2);
	cr_assert_eq(verdicts(REASON_rewritten), 2);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_GAP], 1);
	is_well_from(end);
	// What is sent again gets the same octets, from wherever on.
	talk_say(talk, traffic, end - 10, talk->size);
	is_well_from(end);
}

Test(stream_time, a_response_that_comes_when_a_gap_was_given_up_is_filtered)
{
	uint32_t end, missing;

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 30, 300);
	end = talk->size;
	talk_say(talk, traffic, 100, end);
	traffic_wait(traffic, 1100);
	cr_assert_eq(verdicts(REASON_stream_gap), 1);
	talk_answer(talk, "clean.example", NULL, 30, 300);
	missing = talk->size;
	talk_answer(talk, "www.evil.example", NULL, 30, 300);
	talk_say(talk, traffic, missing, missing + 100);
	talk_say(talk, traffic, missing + 100, talk->size);
	cr_assert_eq(verdicts(REASON_rewritten), 2);
	is_well_from(missing);
	// What was missing before it comes after all.
	talk_say(talk, traffic, end, missing + 50);
	is_well_from(missing);
}

Test(stream_time, octets_that_could_be_the_begin_of_a_message_are_not_taken_for_one)
{
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 30, 300);
	// From the name on: a length above 12, and no more.
	talk_say(talk, traffic, 14, 17);
	talk_say(talk, traffic, 17, talk->size);
	traffic_wait(traffic, 1100);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert_eq(verdicts(REASON_stream_gap), 2);
	cr_assert_eq(traffic->stats->streams_unfiltered[STATS_STREAM_GAP], 1);
}

Test(stream_time, several_gaps_take_no_longer_than_one)
{
	uint32_t from[3];

	talk_ask(talk, traffic);
	for (unsigned i = 0; i < 3; i++) {
		talk_answer(talk, "clean.example", NULL, 3, 300);
		from[i] = talk->size;
		talk_answer(talk, "www.evil.example", NULL, 3, 300);
		// Cut short, so that there is a gap behind it as well.
		talk_say(talk, traffic, from[i], talk->size - 10);
	}
	traffic_wait(traffic, 990);
	cr_assert_eq(traffic_held(traffic), 3);
	traffic_wait(traffic, 15);
	cr_assert_eq(traffic_held(traffic), 0);
	cr_assert(!has_leaked());
	cr_assert_eq(verdicts(REASON_rewritten), 3);
}

Test(stream_time, octets_that_came_past_the_box_are_not_waited_for)
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

// [from, to) went to the client without the box, as segments in IP fragments do.
static void came_past(uint32_t from, uint32_t to)
{
	memset(talk->got + from, 1, to - from);
	memcpy(talk->arrived + from, talk->said + from, to - from);
	memcpy(talk->expected + from, talk->said + from, to - from);
	talk->contiguous = to;
}

// The client asks on, and then waits: it has nothing to say to what is held.
Test(stream_time, what_follows_octets_that_came_past_the_box_is_not_held)
{
	uint32_t first, second;

	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 1, 300);
	first = talk->size;
	talk_say(talk, traffic, 0, first);
	talk_answer(talk, "clean.example", NULL, 90, 300);
	second = talk->size;
	came_past(first, second);
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 3, 300);
	talk_say(talk, traffic, second, second + 30);
	talk_say(talk, traffic, second + 30, talk->size);
	all_is_well();
	cr_assert_eq(matched(traffic), 2);
}

// The resolver sends the rest of an answer when it knows that the client has the first part.
Test(stream_time, the_rest_of_what_came_past_the_box_is_not_held)
{
	uint32_t part;

	talk_ask(talk, traffic);
	talk_answer(talk, "clean.example", NULL, 1, 300);
	part = talk->size;
	talk_say(talk, traffic, 0, part);
	talk_answer(talk, "clean.example", NULL, 90, 300);
	came_past(part, part + 1000);
	talk_acknowledge(talk, traffic);
	talk_say(talk, traffic, part + 1000, talk->size);
	traffic_wait(traffic, 12);
	all_is_well();
}

// A connection from its middle on; of two old answers the first is sent again while the query is under way.
Test(stream_time, what_the_client_has_is_not_waited_for_behind_an_old_answer)
{
	uint32_t first, second;

	talk_answer(talk, "clean.example", NULL, 1, 300);
	first = talk->size;
	talk_answer(talk, "clean.example", NULL, 2, 300);
	second = talk->size;
	came_past(0, second);
	talk_ask(talk, traffic);
	talk_say(talk, traffic, 0, first);
	talk_answer(talk, "www.evil.example", NULL, 3, 300);
	talk_say(talk, traffic, second, second + 30);
	talk_say(talk, traffic, second + 30, talk->size);
	all_is_well();
	cr_assert_eq(matched(traffic), 1);
}

Test(stream_time, made_up_acknowledgements_do_not_blind_the_box)
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

Test(stream_time, a_part_leaves_in_time_with_the_records_it_has_judged)
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

Test(stream_time, a_hit_that_is_found_too_late_is_counted_and_changes_the_rest)
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

Test(stream_time, a_sender_that_waits_for_acknowledgements_is_never_stuck)
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

Test(stream_time, one_segment_at_a_time_takes_the_hold_time_each)
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

Test(stream_time, a_ttl_that_leaves_in_parts_is_the_one_it_has_to_be)
{
	static const uint32_t ttls[] = {5, 60, 61, 255, 300, 3600, 86400, 0x1000000, 0x7fffffff};

	for (unsigned i = 0; i < 2 * sizeof(ttls) / sizeof(ttls[0]); i++)
		for (uint32_t cut = 1;; cut++) {
			struct talk *other = talk_create(tables, i % 2);
			struct traffic *t = talk_traffic(other, &traffic_conf);
			bool last;

			other->early = true;
			talk_answer(other, "www.evil.example", NULL, 2, ttls[i / 2]);
			talk_ask(other, t);
			talk_say(other, t, 0, cut);
			traffic_wait(t, 12);
			talk_say(other, t, cut, cut + 1);
			traffic_wait(t, 12);
			talk_say(other, t, cut + 1, other->size);
			cr_assert(!talk_error(other), "TTL %u, cut at %u: %s", ttls[i / 2], cut,
				talk_error(other));
			cr_assert_eq(
				t->stats->stream_late, 0, "TTL %u, cut at %u", ttls[i / 2], cut);
			last = cut + 2 == other->size;
			traffic_destroy(t);
			talk_destroy(other);
			if (last)
				break;
		}
}

Test(stream_time, a_ttl_that_left_before_its_hit_was_known_stays_as_it_was)
{
	uint32_t cut;

	talk->early = true;
	talk_ask(talk, traffic);
	// An address, and behind it a CNAME to a listed name; TTL 0x01020304 is cut in its middle.
	talk_answer(talk, "clean.example", NULL, 1, 0x01020304);
	cut = talk->size - 8;
	store_be16(talk->said + 8, 2);
	store_be16(talk->said, load_be16(talk->said) + 12 + 18);
	talk_raw(talk, "\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x12\3bad\4evil\7example\0", 30);
	talk_say(talk, traffic, 0, cut);
	traffic_wait(traffic, 20);
	talk_say(talk, traffic, cut, talk->size);
	cr_assert_eq(load_be32(talk->arrived + cut - 2), 0x01020304);
	cr_assert_eq(memcmp(talk->arrived + cut + 4, "\xc0\0\2\1", 4), 0);
	cr_assert_eq(traffic->stats->stream_late, 1);
}

Test(stream_time, of_an_address_of_another_size_no_octet_is_replaced)
{
	talk->early = true;
	talk_ask(talk, traffic);
	talk_answer(talk, "www.evil.example", NULL, 1, 5);
	// RDLENGTH 3, and another octet behind it.
	talk->said[talk->size - 5] = 3;
	for (uint32_t at = 0; at < talk->size; at++) {
		talk_say(talk, traffic, at, at + 1);
		traffic_wait(traffic, 12);
	}
	cr_assert_eq(memcmp(talk->arrived, talk->said, talk->size), 0);
}

Test(stream_time, the_end_of_a_connection_lets_all_go)
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

Test(stream_time, an_idle_connection_is_forgotten)
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
