/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/random.h"
#include "support/run.h"
#include "support/tables.h"
#include "support/talk.h"

#define LOST_MAX   16
#define LOST_AHEAD 40 // segments sent behind one that is lost, at most

static const struct pipeline_tables *tables;
static struct tables *made;

static void tables_make(void)
{
	made = tables_create();
	tables_sinkhole(made, NULL, "192.0.2.1");
	tables_sinkhole(made, NULL, "2001:db8::1");
	tables_list(made, "c2", POLICY_SINKHOLE);
	tables_entry(made, ".evil.example", NULL, NULL);
	tables = tables_finish(made);
}

static void tables_free(void)
{
	tables_destroy(made);
}

// How a talk is carried.
struct manner {
	uint32_t cut_min, cut_max;   // octets of a segment
	unsigned lost, again, acked; // of 100 segments
	unsigned wait_ms;            // now and then, up to
	unsigned size_max;           // records of an answer
	bool early;                  // parts leave before all of a message is there
};

// Kept, cut, and cut in each of their octets.
static const uint32_t ttls[] = {0, 5, 60, 61, 300, 3600, 86400, 0x10000, 0x1000000, 0x7fffffff};

// Messages of every kind, one behind the other.
static void talk_fill(struct talk *talk, const struct manner *manner, uint64_t *random)
{
	for (unsigned n = 1 + random_below(random, 12); n > 0; n--) {
		unsigned records = 1 + random_below(random, manner->size_max);
		uint32_t ttl = ttls[random_below(random, sizeof(ttls) / sizeof(ttls[0]))];
		uint8_t odd[40] = {1, 2, 1, 0, 0, 1};

		switch (random_below(random, 6)) {
		case 0:
		case 1:
			talk_answer(talk, "www.evil.example", NULL, records, ttl);
			break;
		case 2:
			talk_answer(talk, "www.example", "bad.evil.example", records, ttl);
			break;
		case 3:
			talk_answer(talk, "clean.example", NULL, records, ttl);
			break;
		case 4:
			// Too short, or a query; but not as the first that is seen.
			if (talk->size > 0)
				talk_message(talk, odd, random_below(random, sizeof(odd)));
			break;
		default:
			talk_answer(talk, "www.evil.example", "cdn.example", records, ttl);
		}
	}
}

struct lost {
	uint32_t from, to;
	unsigned since; // segments sent behind it
};

struct carrier {
	struct talk *talk;
	struct traffic *t;
	const struct manner *manner;
	uint64_t *random;
	struct lost lost[LOST_MAX];
	unsigned n_lost;
	uint32_t sent; // octets before it were, or are lost
};

static bool happens(struct carrier *c, unsigned percent)
{
	return random_below(c->random, 100) < percent;
}

static void lost_say(struct carrier *c, unsigned i)
{
	struct lost lost = c->lost[i];

	c->lost[i] = c->lost[--c->n_lost];
	talk_say(c->talk, c->t, lost.from, lost.to);
}

// A segment of octets that were sent before and may be asked for once more.
static void say_again(struct carrier *c)
{
	uint32_t from = c->talk->acked, to = c->sent, size;

	if (to <= from)
		return;
	from += random_below(c->random, to - from);
	size = 1 + random_below(c->random, 3 * c->manner->cut_max);
	talk_say(c->talk, c->t, from, from + size < to ? from + size : to);
}

static void say_next(struct carrier *c)
{
	const struct manner *m = c->manner;
	uint32_t size = m->cut_min + random_below(c->random, m->cut_max - m->cut_min + 1);
	uint32_t to = c->sent + size < c->talk->size ? c->sent + size : c->talk->size;

	for (unsigned i = 0; i < c->n_lost; i++)
		c->lost[i].since++;
	if (happens(c, m->lost) && c->n_lost < LOST_MAX)
		c->lost[c->n_lost++] = (struct lost){c->sent, to, 0};
	else
		talk_say(c->talk, c->t, c->sent, to);
	c->sent = to;
}

static void carry(struct carrier *c)
{
	talk_ask(c->talk, c->t);
	while (c->sent < c->talk->size || c->n_lost > 0) {
		bool late = false;

		for (unsigned i = 0; i < c->n_lost; i++)
			if (c->lost[i].since > LOST_AHEAD) {
				late = true;
				lost_say(c, i);
				break;
			}
		if (late)
			continue;
		if (c->n_lost > 0 && (c->sent == c->talk->size || happens(c, 20)))
			lost_say(c, random_below(c->random, c->n_lost));
		else
			say_next(c);
		if (happens(c, c->manner->again))
			say_again(c);
		if (happens(c, c->manner->acked))
			talk_acknowledge(c->talk, c->t);
		if (c->manner->wait_ms && happens(c, 10))
			traffic_wait(c->t, random_below(c->random, c->manner->wait_ms));
	}
}

static void talks_carry(const struct manner *manner, const struct stream_conf *conf, unsigned n)
{
	uint64_t random = RANDOM_SEED + manner->cut_max;

	tables_make();
	for (unsigned i = 0; i < n; i++) {
		struct talk *talk = talk_create(tables, i % 2);
		struct carrier c = {.talk = talk, .manner = manner, .random = &random};
		const char *error;

		talk->early = manner->early;
		talk_fill(talk, manner, &random);
		c.t = talk_traffic(talk, conf);
		carry(&c);
		traffic_wait(c.t, 3 * conf->hold_ms);
		error = talk_error(talk);
		cr_assert(!error, "talk %u: %s", i, error);
		cr_assert_eq(traffic_held(c.t), 0, "talk %u: all is there, and %zu are held", i,
			traffic_held(c.t));
		cr_assert_eq(c.t->stats->stream_late, 0, "talk %u: too late", i);
		cr_assert_eq(c.t->stats->verdicts[REASON_stream_gap] +
				     c.t->stats->verdicts[REASON_stream_limit] +
				     c.t->stats->verdicts[REASON_stream_framing],
			0, "talk %u: unfiltered", i);
		traffic_destroy(c.t);
		talk_destroy(talk);
	}
	tables_free();
}

// Messages wait for their ends, so that all of them is changed: flags, too.
static const struct stream_conf patient = {
	.flows = 16, .memory = 1 << 20, .hold_ms = 1000, .gap_ms = 100000, .held = 256};

Test(stream_model, any_cut_arrives_as_whole_messages_do)
{
	static const struct manner manner = {.cut_min = 150, .cut_max = 1460, .size_max = 100};

	talks_carry(&manner, &patient, 300);
}

Test(stream_model, small_cuts_arrive_as_whole_messages_do)
{
	static const struct manner manner = {.cut_min = 1, .cut_max = 5, .size_max = 2};

	talks_carry(&manner, &patient, 300);
}

Test(stream_model, losses_and_repetitions_in_other_cuts_change_nothing)
{
	static const struct manner manner = {.cut_min = 150,
		.cut_max = 700,
		.lost = 20,
		.again = 20,
		.acked = 10,
		.size_max = 50};

	talks_carry(&manner, &patient, 300);
}

Test(stream_model, parts_that_leave_early_have_no_listed_address)
{
	static const struct manner manner = {.cut_min = 1,
		.cut_max = 40,
		.lost = 5,
		.again = 20,
		.acked = 10,
		.wait_ms = 30,
		.size_max = 40,
		.early = true};

	talks_carry(&manner, &traffic_conf, 200);
}

Test(stream_model, single_octets_have_no_listed_address)
{
	static const struct manner manner = {.cut_min = 1,
		.cut_max = 1,
		.lost = 5,
		.again = 5,
		.acked = 2,
		.wait_ms = 30,
		.size_max = 10,
		.early = true};

	talks_carry(&manner, &traffic_conf, 100);
}

Test(stream_model, large_messages_leave_in_parts)
{
	static const struct manner manner = {.cut_min = 500,
		.cut_max = 1460,
		.lost = 5,
		.again = 5,
		.acked = 20,
		.wait_ms = 5,
		.size_max = 1500,
		.early = true};

	talks_carry(&manner, &traffic_conf, 40);
}
