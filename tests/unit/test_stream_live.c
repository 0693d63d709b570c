/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "support/random.h"
#include "unit/talk_bed.h"

// A resolver and a client that send again what is not acknowledged, and acknowledge what came, with a
// network between them and the box that loses, repeats and delays. Whatever it does they get on.

#define FLIGHT_MAX 4096
#define MSS        1000
#define QUERIES    30
#define STUCK_MS   8000 // less than segments wait behind a gap

static const struct stream_conf conf = {
	.flows = 64, .memory = 1 << 20, .hold_ms = 10, .gap_ms = 15000, .held = 2048};

// Of 100 packets.
struct weather {
	unsigned lost, twice, late; // on each of the four ways
	unsigned past;              // of the resolver's segments: they go past the box
	unsigned again;             // the answer to the SYN comes once more
	bool deaf;                  // the client's side does not lead through the box
};

enum hop {
	HOP_RESOLVER_BOX,
	HOP_BOX_CLIENT,
	HOP_CLIENT_BOX,
	HOP_BOX_RESOLVER,
};

struct flying {
	unsigned at; // ms
	enum hop hop;
	struct traffic_segment s;
	uint8_t *octets;
};

static struct {
	const struct weather *weather;
	uint64_t random;
	unsigned now;
	struct flying flying[FLIGHT_MAX];
	unsigned n_flying;
	uint32_t size[QUERIES + 1]; // of all answers so far
	// The resolver: what is acknowledged, was sent, may be sent.
	uint32_t una, nxt, end;
	unsigned rto, rto_at, window, asked;
	// The client.
	unsigned asks, ask_at;
	unsigned past, stuck;
} net;

static bool happens(unsigned percent)
{
	return random_below(&net.random, 100) < percent;
}

static void fly(enum hop hop, const struct traffic_segment *s)
{
	unsigned n = happens(net.weather->lost) ? 0 : happens(net.weather->twice) ? 2 : 1;

	while (n-- > 0) {
		struct flying *f = &net.flying[net.n_flying++];

		cr_assert_lt(net.n_flying, FLIGHT_MAX);
		f->at = net.now + 1 +
			(happens(net.weather->late) ? random_below(&net.random, 60) : 0);
		f->hop = hop;
		f->s = *s;
		f->octets = malloc(s->n + 1);
		if (s->n)
			memcpy(f->octets, s->octets, s->n);
	}
}

static void client_says(bool query)
{
	struct traffic_segment s = {
		.from_client = true, .client = TALK_PORT, .seq = 1000 + net.asks * 4};

	s.ack = TALK_ISN + talk->contiguous;
	s.octets = (const uint8_t *)"\0\x02??";
	s.n = query ? 4 : 0;
	fly(net.weather->deaf ? HOP_BOX_RESOLVER : HOP_CLIENT_BOX, &s);
}

static void resolver_says(uint32_t from, uint32_t to)
{
	struct traffic_segment s = {.client = TALK_PORT, .seq = TALK_ISN + from};

	s.octets = talk->said + from;
	s.n = to - from;
	fly(happens(net.past) ? HOP_BOX_CLIENT : HOP_RESOLVER_BOX, &s);
	if (happens(net.weather->again)) {
		s.n = 0;
		s.seq = TALK_ISN - 1;
		s.flags = PKT_TCP_SYN | PKT_TCP_ACK;
		fly(HOP_RESOLVER_BOX, &s);
	}
}

static void resolver_sends(void)
{
	while (net.nxt < net.end && net.nxt - net.una < net.window * MSS) {
		uint32_t n = happens(20) ? 1 + random_below(&net.random, MSS) : MSS;
		uint32_t to = net.nxt + n < net.end ? net.nxt + n : net.end;

		resolver_says(net.nxt, to);
		net.nxt = to;
	}
}

static void resolver_hears(const struct traffic_segment *s)
{
	uint32_t ack = s->ack - TALK_ISN;
	unsigned asked = (s->seq - 1000) / 4 + 1;

	if (ack > net.una && ack <= net.end) {
		net.una = ack;
		net.nxt = net.nxt < ack ? ack : net.nxt;
		net.window += net.window < 10;
		net.rto = 200;
		net.rto_at = net.now + net.rto;
	}
	if (s->n > 0 && asked > net.asked) {
		if (net.una == net.end)
			net.rto_at = net.now + net.rto;
		net.asked = asked;
		net.end = net.size[asked];
	}
	resolver_sends();
}

static void resolver_wakes(void)
{
	if (net.una == net.end || net.now < net.rto_at)
		return;
	net.rto = net.rto < 1600 ? net.rto * 2 : net.rto;
	net.rto_at = net.now + net.rto;
	net.nxt = net.una;
	net.window = 1;
	resolver_sends();
}

static void client_hears(const struct traffic_segment *s)
{
	uint32_t from = s->seq - TALK_ISN;

	for (uint32_t i = 0; i < s->n && from + i < talk->size; i++) {
		uint8_t octet = s->octets[i];

		if (from + i < talk->contiguous)
			continue;
		cr_assert(octet == talk->expected[from + i] ||
				  (net.weather->past && octet == talk->said[from + i]),
			"octet %u", from + i);
		talk->arrived[from + i] = octet;
		talk->got[from + i] = true;
	}
	while (talk->contiguous < talk->size && talk->got[talk->contiguous]) {
		talk->contiguous++;
		net.stuck = net.now;
	}
	client_says(false);
}

static void client_wakes(void)
{
	bool next = talk->contiguous >= net.size[net.asks] && net.asks < QUERIES;

	if (next) {
		net.asks++;
		// A part of the answers goes past the box.
		net.past = happens(50) ? 0 : net.weather->past;
	}
	if (next || (net.asked < net.asks && net.now >= net.ask_at)) {
		net.ask_at = net.now + 700;
		net.asks--;
		client_says(true);
		net.asks++;
	}
}

static void box_sends(void *ctx, const struct traffic_packet *packet)
{
	struct traffic_segment s = packet->segment;

	(void)ctx;
	s.octets = packet->frame + packet->payload;
	if (s.flags == 0)
		fly(s.from_client ? HOP_BOX_RESOLVER : HOP_BOX_CLIENT, &s);
}

static void land(struct flying *f)
{
	f->s.octets = f->octets;
	if (f->hop == HOP_BOX_CLIENT)
		client_hears(&f->s);
	else if (f->hop == HOP_BOX_RESOLVER)
		resolver_hears(&f->s);
	else
		traffic_send(traffic, &f->s);
}

static void tick(void)
{
	net.now++;
	for (unsigned i = 0; i < net.n_flying;) {
		struct flying f = net.flying[i];

		if (f.at > net.now) {
			i++;
			continue;
		}
		// The others keep their order.
		memmove(&net.flying[i], &net.flying[i + 1],
			(--net.n_flying - i) * sizeof(net.flying[0]));
		land(&f);
		free(f.octets);
	}
	client_wakes();
	resolver_wakes();
	traffic->now += TRAFFIC_CYCLES_PER_MS;
	stream_expire(traffic->stream, tables->policy, traffic->now);
}

static void talks_run(const struct weather *weather, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		memset(&net, 0, sizeof(net));
		net.weather = weather;
		net.random = RANDOM_SEED + i;
		net.rto = 200;
		net.window = 10;
		begin_with(&conf);
		traffic->take = box_sends;
		talk->early = true;
		for (unsigned k = 1; k <= QUERIES; k++) {
			talk_answer(talk, k % 3 ? "www.evil.example" : "clean.example", NULL,
				1 + random_below(&net.random, k % 5 ? 20 : 800), 300);
			net.size[k] = talk->size;
		}
		talk_sign(talk, traffic, false, PKT_TCP_SYN | PKT_TCP_ACK, UINT32_MAX);
		while (talk->contiguous < talk->size) {
			tick();
			cr_assert_lt(net.now - net.stuck, STUCK_MS,
				"talk %u: stuck at %u of %u, %zu held", i, talk->contiguous,
				talk->size, traffic_held(traffic));
		}
		while (net.n_flying > 0)
			free(net.flying[--net.n_flying].octets);
		end();
	}
}

Test(stream_live, a_talk_gets_on_whatever_is_lost_repeated_or_late)
{
	static const struct weather weather = {.lost = 5, .twice = 5, .late = 10};

	talks_run(&weather, 100);
}

Test(stream_live, a_talk_gets_on_when_its_beginning_is_repeated)
{
	static const struct weather weather = {.lost = 3, .twice = 10, .late = 20, .again = 10};

	talks_run(&weather, 100);
}

Test(stream_live, a_talk_gets_on_when_segments_go_past_the_box)
{
	static const struct weather weather = {.lost = 3, .twice = 5, .late = 10, .past = 30};

	talks_run(&weather, 100);
}

Test(stream_live, a_talk_gets_on_when_answers_go_past_the_box)
{
	static const struct weather weather = {.lost = 3, .twice = 5, .late = 10, .past = 100};

	talks_run(&weather, 100);
}

Test(stream_live, a_talk_gets_on_when_the_clients_side_is_not_seen)
{
	static const struct weather weather = {.lost = 3, .twice = 5, .late = 10, .deaf = true};

	talks_run(&weather, 100);
}
