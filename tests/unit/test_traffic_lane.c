/* SPDX-License-Identifier: BSD-3-Clause */
// The traffic tool's directions: what comes out is what was asked for, and never anything else.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/random.h"
#include "support/wire.h"
#include "traffic/lane.h"

#define STREAM_SIZE 20000
#define MTU         1280

// Where frames come out: their octets one behind the other, and for TCP what a receiver makes of
// them.
struct sink {
	unsigned n;
	size_t size, largest;
	uint64_t hash;
	uint8_t last[FRAME_SIZE_MAX];
	uint8_t stream[STREAM_SIZE], known[STREAM_SIZE];
	unsigned fins;
	bool bad; // a checksum, or other octets for what was known
};

static void take(void *ctx, const uint8_t *frame, size_t size)
{
	struct sink *sink = ctx;
	struct frame_view v;

	sink->n++;
	sink->size = size;
	if (size > sink->largest)
		sink->largest = size;
	memcpy(sink->last, frame, size);
	for (size_t i = 0; i < size; i++)
		sink->hash = (sink->hash ^ frame[i]) * 0x100000001b3u;
	if (frame_look(frame, size, &v) != FRAME_WHOLE || v.protocol != FRAME_TCP)
		return;
	if (load_be16(frame + v.l4 + 16) != frame_checksum(frame, &v))
		sink->bad = true;
	uint32_t at = load_be32(frame + v.l4 + 4) + 1000; // the stream begins at -1000
	uint16_t n = frame_payload_size(&v);

	if (at > STREAM_SIZE || n > STREAM_SIZE - at) {
		sink->bad = true;
		return;
	}
	if (frame[v.l4 + 13] & FRAME_FIN) {
		sink->fins++;
		sink->bad = sink->bad || at + n != STREAM_SIZE;
	}
	for (uint16_t i = 0; i < n; i++) {
		uint8_t octet = frame[v.payload + i];

		if (sink->known[at + i] && sink->stream[at + i] != octet)
			sink->bad = true;
		sink->known[at + i] = 1;
		sink->stream[at + i] = octet;
	}
}

static struct lane *lane_of(const char *text, uint64_t seed, struct sink *sink)
{
	struct spec spec;
	char error[128];
	struct lane *lane;

	cr_assert(spec_parse(text, &spec, error, sizeof(error)) == 0, "%s", error);
	lane = lane_create(&spec, seed, MTU, take, sink);
	cr_assert(lane != NULL);
	return lane;
}

static struct sink *sink_new(void)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	cr_assert(sink != NULL);
	return sink;
}

// A frame with so much payload; protocol 0: ARP.
static size_t frame_make(
	uint8_t *out, int protocol, uint32_t sequence, const uint8_t *payload, size_t n)
{
	struct wire *w = wire_create();
	struct frame_view v;
	size_t size;

	wire_ether(w);
	if (protocol == 0) {
		wire_type(w, 0x0806);
		wire_zeros(w, 46);
	} else {
		wire_ip(w, "192.0.2.53", "198.51.100.7");
		if (protocol == FRAME_TCP)
			wire_tcp(w, 53, 40000);
		else
			wire_udp(w, 53, 40000);
		wire_put(w, payload, n);
		wire_finish(w);
	}
	size = w->size;
	memcpy(out, w->bytes, size);
	wire_destroy(w);
	if (protocol == FRAME_TCP && frame_look(out, size, &v) == FRAME_WHOLE) {
		store_be32(out + v.l4 + 4, sequence);
		if (sequence + n == STREAM_SIZE - 1000u)
			out[v.l4 + 13] |= FRAME_FIN;
		frame_finish(out, &v);
	}
	return size;
}

static void frames_put(struct lane *lane, int protocol, unsigned count, size_t payload)
{
	uint8_t frame[FRAME_SIZE_MAX], octets[4000];

	for (size_t i = 0; i < payload; i++)
		octets[i] = (uint8_t)(i * 5);
	for (unsigned i = 0; i < count; i++) {
		size_t size = frame_make(frame, protocol, 0, octets, payload);

		lane_take(lane, frame, size, i);
	}
}

Test(traffic_lane, without_words_every_frame_passes_as_it_comes)
{
	static const int protocols[] = {0, FRAME_TCP, FRAME_UDP};
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("", 1, sink);
	uint8_t frame[FRAME_SIZE_MAX], junk[60] = {0};

	for (unsigned i = 0; i < 300; i++) {
		size_t size = frame_make(frame, protocols[i % 3], 7, junk, i % sizeof(junk));

		// Padding of Ethernet is part of it.
		memset(frame + size, 0xee, 30);
		lane_take(lane, frame, size + 30, i);
		cr_assert(sink->n == i + 1 && sink->size == size + 30);
		cr_assert(memcmp(sink->last, frame, size + 30) == 0);
	}
	lane_take(lane, junk, sizeof(junk), 300);
	lane_take(lane, junk, 1, 300);
	cr_assert(sink->n == 302 && lane_counts(lane)->sent == 302);
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, frames_are_lost_as_often_as_asked_for)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("loss=20", 1, sink);

	frames_put(lane, FRAME_UDP, 10000, 50);
	cr_assert(lane_counts(lane)->lost > 1800 && lane_counts(lane)->lost < 2200);
	cr_assert(sink->n + lane_counts(lane)->lost == 10000);
	lane_destroy(lane);
	lane = lane_of("loss=0.1", 1, sink);
	frames_put(lane, FRAME_TCP, 10000, 1);
	cr_assert(lane_counts(lane)->lost > 1 && lane_counts(lane)->lost < 30);
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, what_is_not_tcp_or_udp_is_never_lost)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("loss=100,dup=100,reorder=100", 1, sink);

	frames_put(lane, 0, 100, 0);
	cr_assert(sink->n == 100);
	frames_put(lane, FRAME_UDP, 100, 10);
	cr_assert(sink->n == 100 && lane_counts(lane)->lost == 100);
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, duplicates_are_counted)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("dup=100", 1, sink);

	frames_put(lane, FRAME_UDP, 50, 10);
	cr_assert(sink->n == 100 && lane_counts(lane)->duplicated == 50);
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, a_held_frame_goes_after_so_many_others)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("reorder=100:3,hold=10000", 1, sink);

	frames_put(lane, FRAME_UDP, 1, 10);
	cr_assert(sink->n == 0);
	frames_put(lane, 0, 2, 0);
	cr_assert(sink->n == 2 && lane_tick(lane, 5) == 1);
	frames_put(lane, 0, 1, 0);
	cr_assert(lane_tick(lane, 5) == 0 && sink->n == 4);
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, a_held_frame_goes_after_its_time_at_the_latest)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("reorder=100:1000,hold=30", 1, sink);

	frames_put(lane, FRAME_UDP, 1, 10);
	cr_assert(lane_tick(lane, 29) == 1 && sink->n == 0);
	cr_assert(lane_tick(lane, 30) == 0 && sink->n == 1);
	frames_put(lane, FRAME_UDP, 5, 10);
	lane_flush(lane);
	cr_assert(sink->n == 6, "nothing is left behind at the end");
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, more_frames_than_can_be_held_go_at_once)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("reorder=100:1000000,hold=10000", 1, sink);

	frames_put(lane, FRAME_UDP, LANE_HELD_MAX + 10, 10);
	cr_assert(sink->n == 10);
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, datagrams_are_split_and_pieces_left_out)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("frag=400", 1, sink);

	frames_put(lane, FRAME_UDP, 10, 992);
	cr_assert(sink->n == 30 && lane_counts(lane)->fragments == 30);
	cr_assert(sink->largest == 14 + 20 + 400);
	lane_destroy(lane);
	lane = lane_of("frag=400,miss-last=100", 1, sink);
	frames_put(lane, FRAME_UDP, 10, 992);
	cr_assert(sink->n == 50 && lane_counts(lane)->missing == 10);
	cr_assert(load_be16(sink->last + 20) == (0x2000 | 50), "the middle one came last");
	lane_destroy(lane);
	lane = lane_of("frag=400,miss-first=100", 1, sink);
	frames_put(lane, FRAME_UDP, 1, 992);
	cr_assert(sink->n == 52 && load_be16(sink->last + 20) == 100);
	lane_destroy(lane);
	free(sink);
}

// A stream of segments of any size goes through; what a receiver has known of it in the end.
static unsigned stream_run(const char *text, uint64_t seed, struct sink *sink)
{
	struct lane *lane = lane_of(text, seed, sink);
	uint8_t frame[FRAME_SIZE_MAX], stream[STREAM_SIZE];
	uint64_t dice = RANDOM_SEED;
	unsigned known = 0;

	for (size_t i = 0; i < STREAM_SIZE; i++)
		stream[i] = (uint8_t)random_next(&dice);
	for (uint32_t at = 0; at < STREAM_SIZE;) {
		uint32_t n = 1 + random_below(&dice, MTU - 40);

		if (n > STREAM_SIZE - at)
			n = STREAM_SIZE - at;
		size_t size = frame_make(frame, FRAME_TCP, at - 1000u, stream + at, n);

		lane_take(lane, frame, size, at);
		at += n;
	}
	lane_flush(lane);
	for (size_t i = 0; i < STREAM_SIZE; i++) {
		known += sink->known[i];
		cr_assert(
			!sink->known[i] || sink->stream[i] == stream[i], "%s: octet %zu", text, i);
	}
	cr_assert(!sink->bad, "%s: a checksum or FIN is wrong", text);
	cr_assert(sink->largest <= 14 + MTU, "%s: a frame of %zu octets", text, sink->largest);
	lane_destroy(lane);
	return known;
}

Test(traffic_lane, a_stream_stays_what_it_is_however_it_is_cut)
{
	static const char *const texts[] = {"cut=1", "cut=2", "cut=1x9+3+rest", "cut=random",
		"cut=walk", "cut=random:50", "swap=100", "shuffle=100,cut=random", "overlap=100",
		"recut=100", "cut=random,overlap=70,recut=50,shuffle=30,dup=10,reorder=20",
		"cut=walk,swap=50,recut=100", "cut=500,overlap=100,swap=100"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sink *sink = sink_new();

		cr_assert(stream_run(texts[i], i, sink) == STREAM_SIZE, "%s", texts[i]);
		cr_assert(sink->fins >= 1, "%s: no FIN", texts[i]);
		free(sink);
	}
}

Test(traffic_lane, old_octets_come_together_with_new_ones)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("recut=100", 3, sink);
	uint8_t frame[FRAME_SIZE_MAX], octets[100] = {1, 2, 3};

	for (uint32_t i = 0; i < 20; i++) {
		size_t size = frame_make(frame, FRAME_TCP, i * 100 - 1000, octets, 100);

		lane_take(lane, frame, size, i);
	}
	cr_assert(lane_counts(lane)->joined == 19, "all but the first have some before them");
	cr_assert(lane_counts(lane)->repeated > 0);
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, octets_sent_again_as_others_and_wrong_checksums_are_seen)
{
	struct sink *sink = sink_new();
	struct lane *lane = lane_of("", 1, sink);
	uint8_t frame[FRAME_SIZE_MAX], octets[100] = {1, 2, 3};
	struct frame_view v;
	size_t size = frame_make(frame, FRAME_TCP, UINT32_MAX, octets, 0);

	// A SYN begins the flow; its number is that before the first octet's.
	frame_look(frame, size, &v);
	frame[v.l4 + 13] |= FRAME_SYN;
	frame_finish(frame, &v);
	lane_take(lane, frame, size, 0);
	for (uint32_t at = 0; at < 60; at += 20) {
		size = frame_make(frame, FRAME_TCP, at, octets + at, 40);
		lane_take(lane, frame, size, 1);
	}
	cr_assert(lane_counts(lane)->changed == 0 && lane_counts(lane)->bad_sums == 0);
	octets[7] = octets[8] = octets[90] = 0xaa;
	size = frame_make(frame, FRAME_TCP, 0, octets, 100);
	lane_take(lane, frame, size, 2);
	cr_assert(lane_counts(lane)->changed == 2, "octets 7 and 8; 90 is new");
	frame[size - 1] ^= 1;
	lane_take(lane, frame, size, 3);
	cr_assert(lane_counts(lane)->bad_sums == 1 && lane_counts(lane)->changed == 3);
	lane_destroy(lane);
	free(sink);
}

Test(traffic_lane, one_seed_makes_one_run)
{
	const char *text = "cut=random,overlap=50,recut=50,shuffle=50,dup=10,reorder=20,loss=5";
	struct sink *a = sink_new(), *b = sink_new(), *c = sink_new();

	stream_run(text, 7, a);
	stream_run(text, 7, b);
	stream_run(text, 8, c);
	cr_assert(a->n == b->n && a->hash == b->hash);
	cr_assert(a->hash != c->hash);
	free(a);
	free(b);
	free(c);
}

Test(traffic_lane, words_that_are_none_are_refused)
{
	static const char *const bad[] = {"loss", "loss=", "loss=101", "loss=-1", "loss=1e2",
		"loss=2x", "los=2", "reorder=5:", "reorder=5:x", "dup=5:3", "hold=99999", "hold=5 ",
		"cut=0", "cut=rest", "cut=5+", "cut=5x0", "cut=1+rest+2",
		"cut=random:", "cut=random:0", "cut=20000", "frag=9", "loss=100.1"};
	struct spec spec;
	char error[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		cr_assert(spec_parse(bad[i], &spec, error, sizeof(error)) == -EINVAL, "%s", bad[i]);
		cr_assert(error[0] != '\0', "%s", bad[i]);
	}
	cr_assert(spec_parse("loss=1.25,reorder=0.0001:9,", &spec, error, sizeof(error)) == 0);
	cr_assert(spec.loss == 12500 && spec.reorder == 1 && spec.reorder_frames == 9);
}
