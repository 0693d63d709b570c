/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline/pipeline_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/random.h"
#include "support/change.h"
#include "support/run.h"
#include "support/tables.h"
#include "support/wire.h"

#define FRAMES    6
#define MUTATIONS 200000

static struct tables *tables_usual(void)
{
	struct tables *t = tables_create();

	tables_sinkhole(t, NULL, "192.0.2.1");
	tables_sinkhole(t, NULL, "2001:db8::1");
	tables_list(t, "c2", POLICY_SINKHOLE);
	tables_entry(t, ".evil.example", NULL, NULL);
	tables_list(t, "watch", POLICY_LOG);
	tables_entry(t, ".evil.example", NULL, NULL);
	tables_list(t, "good", POLICY_ALLOW);
	tables_entry(t, "good.evil.example", NULL, NULL);
	tables_consent(t, "203.0.113.64/26", CONSENT_NO_FILTER);
	return t;
}

// A response that is rewritten, behind headers of kind i.
static struct wire *frame_of_kind(unsigned i)
{
	static const uint8_t options[7] = {0, 1, 4};
	struct wire *w = wire_create();
	bool v6 = i % 2;

	wire_ether(w);
	if (i >= 2)
		wire_tag(w, 0x88a8, 7);
	if (i >= 4)
		wire_pppoe(w);
	wire_ip(w, v6 ? "2001:db8:53::53" : "198.51.100.53", v6 ? "2001:db8:c::7" : "203.0.113.7");
	if (i == 3)
		wire_ext(w, 60, options, sizeof(options));
	wire_udp(w, 53, 40000);
	wire_dns(w, 0x81a0);
	wire_question(w, "www.first.example", DNS_TYPE_A);
	wire_record_name(w, "^q", 300, DNS_TYPE_CNAME, "bad.evil.^q+10");
	wire_record_address(w, "bad.evil.^q+10", 300, "198.51.100.66");
	wire_record_address(w, "^q", 30, "2001:db8:66::66");
	w->section = WIRE_ADDITIONAL;
	wire_record_address(w, "ns.evil.^q+10", 300, "198.51.100.67");
	wire_finish(w);
	return w;
}

// Run a copy of exactly @p size bytes through, and hold it to what is true of any frame.
static enum reason frame_check(const uint8_t *bytes, uint32_t size,
	const struct pipeline_tables *tables, struct stats_worker *stats)
{
	struct run_buffer buffer = {.frame = malloc(size ? size : 1), size, size, 0};
	struct burst_slot slot;
	struct change change = {bytes, buffer.frame, size, size, &slot, 0};
	const char *error;

	cr_assert_not_null(buffer.frame);
	memcpy(buffer.frame, bytes, size);
	run_buffer(&buffer, BURST_FROM_RESOLVERS, tables, stats, &slot);
	change.after_size = buffer.size;
	change.msg_size = buffer.msg_size;
	error = change_error(&change);
	cr_assert(!error, "%s", error);
	cr_assert(slot.reason > REASON_none && slot.reason < REASON_COUNT);
	free(buffer.frame);
	return slot.reason;
}

static struct stats_worker *stats_create(void)
{
	struct stats_worker *stats = NULL;

	cr_assert(posix_memalign((void **)&stats, 64, sizeof(*stats)) == 0);
	memset(stats, 0, sizeof(*stats));
	return stats;
}

Test(pipeline, a_frame_snapped_at_any_byte_goes_through_as_it_is)
{
	struct tables *t = tables_usual();
	const struct pipeline_tables *tables = tables_finish(t);
	struct stats_worker *stats = stats_create();
	uint64_t packets = 0;

	for (unsigned kind = 0; kind < FRAMES; kind++) {
		struct wire *w = frame_of_kind(kind);

		for (uint32_t size = 0; size <= w->size; size++, packets++) {
			enum reason reason = frame_check(w->bytes, size, tables, stats);

			cr_expect(reason == (size < w->size ? REASON_snapped : REASON_rewritten),
				"kind %u, %u bytes: %s", kind, size, reason_name(reason));
		}
		wire_destroy(w);
	}
	cr_assert(stats->rx_packets == packets && run_verdicts(stats) == packets);
	cr_assert(stats->verdicts[REASON_rewritten] == FRAMES);
	tables_destroy(t);
	free(stats);
}

Test(pipeline, a_message_cut_at_any_byte_goes_through_as_it_is)
{
	struct tables *t = tables_usual();
	const struct pipeline_tables *tables = tables_finish(t);
	struct stats_worker *stats = stats_create();
	struct wire *whole = frame_of_kind(0);
	// The additional section is not needed: what is cut off there changes nothing.
	size_t answers_end = whole->records[2].rdata + whole->records[2].rdata_size;

	for (size_t cut = 1; whole->size - cut >= whole->dns; cut++) {
		struct wire *w = frame_of_kind(0);
		enum reason reason, want = REASON_short_record;

		w->size -= cut;
		if (w->size >= answers_end)
			want = REASON_rewritten;
		else if (w->size < w->dns + DNS_HEADER_SIZE)
			want = REASON_short_message;
		// Lengths and checksums are those of the shorter message, the counts are not.
		w->ancount = 3;
		wire_finish(w);
		reason = frame_check(w->bytes, (uint32_t)w->size, tables, stats);
		cr_expect(reason == want, "%zu bytes: %s", w->size, reason_name(reason));
		wire_destroy(w);
	}
	wire_destroy(whole);
	tables_destroy(t);
	free(stats);
}

// Some octets changed, some moved, sometimes the end cut off. @return the size left
static uint32_t mutate(uint64_t *state, uint8_t *bytes, uint32_t size)
{
	for (unsigned n = 1 + random_below(state, 3); n > 0; n--) {
		uint32_t at = random_below(state, size);

		switch (random_below(state, 6)) {
		case 0: // a bit
			bytes[at] ^= (uint8_t)(1u << random_below(state, 8));
			break;
		case 1: // any octet
			bytes[at] = (uint8_t)random_next(state);
			break;
		case 2: // an edge
			bytes[at] = (uint8_t)(0xff00c000403f0100ull >> random_below(state, 8) * 8);
			break;
		case 3: // one up or down
			bytes[at] = (uint8_t)(bytes[at] + (random_below(state, 2) ? 1 : -1));
			break;
		case 4: // a piece of it elsewhere
			memmove(bytes + at, bytes + random_below(state, size - at),
				random_below(state, (size - at) / 2 + 1));
			break;
		default: // the message, where most of the code is
			at = 42 + random_below(state, size - 42);
			bytes[at] = (uint8_t)random_next(state);
		}
	}
	return random_below(state, 8) ? size : random_below(state, size + 1);
}

Test(pipeline, random_mutations_change_only_what_a_rewrite_may, .timeout = 300)
{
	struct tables *t = tables_usual();
	const struct pipeline_tables *tables = tables_finish(t);
	struct stats_worker *stats = stats_create();
	struct wire *kinds[FRAMES], *w = wire_create();
	uint64_t state = RANDOM_SEED, bytes = 0;
	unsigned rewritten = 0;

	for (unsigned i = 0; i < FRAMES; i++)
		kinds[i] = frame_of_kind(i);
	for (unsigned i = 0; i < MUTATIONS; i++) {
		const struct wire *kind = kinds[i % FRAMES];
		uint32_t size;

		memcpy(w->bytes, kind->bytes, kind->size);
		size = mutate(&state, w->bytes, (uint32_t)kind->size);
		rewritten += frame_check(w->bytes, size, tables, stats) == REASON_rewritten;
		bytes += size;
	}
	cr_assert(stats->rx_packets == MUTATIONS && stats->rx_bytes == bytes);
	cr_assert(run_verdicts(stats) == MUTATIONS && stats->verdicts[REASON_none] == 0);
	cr_assert(stats->verdicts[REASON_rewritten] == rewritten);
	cr_assert(
		rewritten > MUTATIONS / 20 && rewritten < MUTATIONS / 2, "%u rewritten", rewritten);
	for (unsigned i = 0; i < FRAMES; i++)
		wire_destroy(kinds[i]);
	wire_destroy(w);
	tables_destroy(t);
	free(stats);
}

Test(pipeline, a_burst_of_all_kinds_gets_the_verdicts_of_its_packets_alone)
{
	struct tables *t = tables_usual();
	const struct pipeline_tables *tables = tables_finish(t);
	struct stats_worker *together = stats_create(), *alone = stats_create();
	struct burst burst = {.n = BURST_MAX, .side = BURST_FROM_RESOLVERS};
	struct wire *w[BURST_MAX], *one[BURST_MAX];

	for (unsigned i = 0; i < BURST_MAX; i++) {
		w[i] = frame_of_kind(i % FRAMES);
		one[i] = frame_of_kind(i % FRAMES);
		// Every third is a query, every fifth is snapped.
		if (i % 3 == 0)
			w[i]->bytes[w[i]->dns + 2] = one[i]->bytes[w[i]->dns + 2] = 1;
		w[i]->size = one[i]->size = w[i]->size - (i % 5 == 0);
		burst.slot[i].frame = w[i]->bytes;
		burst.slot[i].frame_size = (uint32_t)w[i]->size;
		burst.bytes += w[i]->size;
	}
	pipeline_parse(&burst, tables);
	pipeline_consent(&burst, tables);
	pipeline_match(&burst, tables);
	for (unsigned i = 0; i < BURST_MAX; i++)
		burst.slot[i].frame_room = burst.slot[i].frame_size;
	pipeline_fit(&burst, tables);
	pipeline_rewrite(&burst, tables, together);
	pipeline_count(&burst, tables, together);
	for (unsigned i = 0; i < BURST_MAX; i++) {
		enum reason reason = run_frame(one[i]->bytes, (uint32_t)one[i]->size,
			BURST_FROM_RESOLVERS, tables, alone, NULL);

		cr_expect(burst.slot[i].reason == reason, "packet %u", i);
		cr_expect(memcmp(w[i]->bytes, one[i]->bytes, w[i]->size) == 0, "packet %u", i);
		wire_destroy(w[i]);
		wire_destroy(one[i]);
	}
	cr_assert(memcmp(together, alone, sizeof(*alone)) == 0);
	cr_assert(run_verdicts(together) == BURST_MAX);
	tables_destroy(t);
	free(together);
	free(alone);
}

// What a record in the mirror says is what is done.
Test(pipeline, an_answer_that_the_frame_has_no_room_for_passes_before_it_is_mirrored)
{
	struct tables *t = tables_usual();
	struct policy *policy = tables_policy(t);
	const struct pipeline_tables *tables = tables_finish(t);
	struct stats_worker *stats = stats_create();
	struct wire *w = wire_create();
	uint8_t before[512];

	policy->lists[0].answer_empty = true;
	wire_response(w, "198.51.100.53", "203.0.113.7", "evil.example", DNS_TYPE_A);
	wire_finish(w);
	cr_assert(w->size < sizeof(before));
	memcpy(before, w->bytes, w->size);
	for (uint32_t room = 15; room <= 16; room++) {
		struct burst burst = {.n = 1, .side = BURST_FROM_RESOLVERS};
		struct burst_slot *slot = &burst.slot[0];

		slot->frame = w->bytes;
		slot->frame_size = (uint32_t)w->size;
		pipeline_parse(&burst, tables);
		pipeline_consent(&burst, tables);
		pipeline_match(&burst, tables);
		cr_assert(slot->reason == REASON_answered && burst.edits == 1);
		// A record with an address of four octets takes 16.
		slot->frame_room = slot->frame_size + room;
		pipeline_fit(&burst, tables);
		cr_expect(slot->reason == (room < 16 ? REASON_no_address : REASON_answered));
		cr_expect(slot->edit == (room >= 16) && burst.edits == (room >= 16));
		pipeline_rewrite(&burst, tables, stats);
		cr_expect(burst.resized == (room >= 16));
		cr_expect((memcmp(before, w->bytes, w->size) == 0) == (room < 16));
	}
	cr_expect(stats->records_rewritten[STATS_RECORD_A] == 1);
	wire_destroy(w);
	tables_destroy(t);
	free(stats);
}

// A response whose chain has @p n aliases, every other target compressed; the last may be listed.
static struct wire *chain_frame(uint64_t *state, unsigned n)
{
	struct wire *w = wire_create();
	char name[64], owner[64] = "^q";

	wire_response(w, "198.51.100.53", "203.0.113.7", "www.first.example", DNS_TYPE_A);
	for (unsigned i = 0; i < n; i++) {
		bool last = i + 1 == n && random_below(state, 2) == 0;

		snprintf(name, sizeof(name), i % 2 ? "a%u.%s.^q+10" : "a%u.%s.example",
			random_below(state, 1000), last ? "evil" : "good");
		wire_record(w, owner, 300, DNS_TYPE_CNAME, DNS_CLASS_IN);
		snprintf(owner, sizeof(owner), "t%u", i);
		wire_mark(w, owner);
		wire_name(w, name);
		wire_record_end(w);
		snprintf(owner, sizeof(owner), "^t%u", i);
	}
	wire_record_address(w, owner, 300, "198.51.100.66");
	wire_finish(w);
	// Now and then an error, in a name or in what follows it.
	if (random_below(state, 4) == 0)
		w->bytes[w->dns + DNS_HEADER_SIZE + random_below(state, 40)] ^= 0x80;
	return w;
}

Test(pipeline, bursts_of_long_chains_are_matched_alike_in_every_way)
{
	struct tables *t = tables_usual();
	const struct pipeline_tables *tables = tables_finish(t);
	uint64_t state = RANDOM_SEED;
	unsigned blocked = 0;

	for (unsigned round = 0; round < 300; round++) {
		struct burst slow = {.n = BURST_MAX, .side = BURST_FROM_RESOLVERS}, plain, best;
		struct wire *w[BURST_MAX];

		for (unsigned i = 0; i < BURST_MAX; i++) {
			w[i] = chain_frame(&state, random_below(&state, WIRE_MARKS - 1));
			slow.slot[i].frame = w[i]->bytes;
			slow.slot[i].frame_size = (uint32_t)w[i]->size;
		}
		pipeline_parse(&slow, tables);
		pipeline_consent(&slow, tables);
		plain = best = slow;
		pipeline_match_slow(&slow, tables);
		pipeline_match_plain(&plain, tables);
		pipeline_match(&best, tables);
		for (unsigned i = 0; i < BURST_MAX; i++) {
			const struct burst_slot *s = &slow.slot[i], *p = &plain.slot[i],
						*b = &best.slot[i];

			cr_assert(s->reason == p->reason && s->reason == b->reason);
			cr_assert(s->block == p->block && s->block == b->block);
			cr_assert(!s->block || (s->match == p->match && s->match == b->match));
			blocked += s->block != NULL;
			wire_destroy(w[i]);
		}
	}
	cr_assert(blocked > 1000, "%u", blocked);
	tables_destroy(t);
}

// Where the name that decided stands, and of which list its rule is; for the mirror's record.
static void match_check(
	const struct pipeline_tables *tables, struct wire *w, const char *mark, uint16_t list)
{
	struct stats_worker *stats = stats_create();
	const struct fqdn_rule *rule;
	struct burst_slot slot;
	unsigned i = 0;

	wire_finish(w);
	run_frame(w->bytes, (uint32_t)w->size, BURST_FROM_RESOLVERS, tables, stats, &slot);
	while (i < w->n_marks && strcmp(w->marks[i].name, mark) != 0)
		i++;
	cr_assert(i < w->n_marks, "no mark %s", mark);
	rule = slot.block ? slot.block : slot.log;
	cr_expect(rule && rule->list == list, "%s: another rule", mark);
	cr_expect(slot.match == w->marks[i].at, "%s: %u", mark, slot.match);
	free(stats);
	wire_destroy(w);
}

// A name that is an alias of the target, whose RDATA has the mark t.
static struct wire *alias_frame(const char *question, const char *target)
{
	struct wire *w = wire_create();

	wire_response(w, "198.51.100.53", "203.0.113.7", question, DNS_TYPE_A);
	wire_record(w, "^q", 300, DNS_TYPE_CNAME, DNS_CLASS_IN);
	wire_mark(w, "t");
	wire_name(w, target);
	wire_record_end(w);
	wire_record_address(w, "^t", 300, "198.51.100.66");
	return w;
}

Test(pipeline, the_first_list_decides_and_within_it_the_first_name)
{
	struct tables *t = tables_create();
	const struct pipeline_tables *tables;

	tables_list(t, "watch", POLICY_LOG);
	tables_entry(t, "logged.example", NULL, NULL);
	tables_list(t, "first", POLICY_SINKHOLE);
	tables_entry(t, ".evil.example", NULL, NULL);
	tables_list(t, "second", POLICY_SINKHOLE);
	tables_entry(t, ".bad.example", NULL, NULL);
	tables_list(t, "watch too", POLICY_LOG);
	tables_entry(t, "noted.example", NULL, NULL);
	tables = tables_finish(t);
	match_check(tables, alias_frame("a.evil.example", "b.evil.example"), "q", 1);
	match_check(tables, alias_frame("a.bad.example", "b.evil.example"), "t", 1);
	match_check(tables, alias_frame("a.evil.example", "b.bad.example"), "q", 1);
	match_check(tables, alias_frame("good.example", "b.bad.example"), "t", 2);
	match_check(tables, alias_frame("logged.example", "good.example"), "q", 0);
	match_check(tables, alias_frame("good.example", "logged.example"), "t", 0);
	match_check(tables, alias_frame("logged.example", "b.bad.example"), "t", 2);
	match_check(tables, alias_frame("a.bad.example", "logged.example"), "q", 2);
	match_check(tables, alias_frame("noted.example", "logged.example"), "t", 0);
	match_check(tables, alias_frame("logged.example", "noted.example"), "q", 0);
	tables_destroy(t);
}

// An A record beside it is shorter than the AAAA record that would be added.
Test(pipeline, an_answer_that_the_frame_has_no_room_for_still_loses_the_address_beside_it)
{
	struct tables *t = tables_usual();
	struct policy *policy = tables_policy(t);
	const struct pipeline_tables *tables = tables_finish(t);
	struct burst burst = {.n = 1, .side = BURST_FROM_RESOLVERS};
	struct burst_slot *slot = &burst.slot[0];
	struct stats_worker *stats = stats_create();
	struct wire *w = wire_create();

	policy->lists[0].answer_empty = true;
	wire_response(w, "198.51.100.53", "203.0.113.7", "evil.example", DNS_TYPE_AAAA);
	w->section = WIRE_ADDITIONAL;
	wire_record_address(w, "^q", 300, "198.51.100.66");
	wire_finish(w);
	slot->frame = w->bytes;
	slot->frame_size = (uint32_t)w->size;
	pipeline_parse(&burst, tables);
	pipeline_consent(&burst, tables);
	pipeline_match(&burst, tables);
	cr_assert(slot->reason == REASON_answered && burst.edits == 1);
	slot->frame_room = slot->frame_size;
	pipeline_fit(&burst, tables);
	cr_expect(slot->reason == REASON_rewritten && slot->edit && burst.edits == 1);
	pipeline_rewrite(&burst, tables, stats);
	cr_expect(stats->records_rewritten[STATS_RECORD_A] == 1 && burst.resized == 0);
	wire_destroy(w);
	tables_destroy(t);
	free(stats);
}
