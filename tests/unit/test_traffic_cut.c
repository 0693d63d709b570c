/* SPDX-License-Identifier: BSD-3-Clause */
// The traffic tool's look at frames, and TCP segments that it cuts: the stream has to stay.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/csum_full.h"
#include "support/random.h"
#include "support/wire.h"
#include "traffic/cut.h"

#define SEQUENCE 0xffffff00u // wraps within a segment

static struct cut_piece pieces[CUT_PIECES_MAX];
static uint8_t made[FRAME_SIZE_MAX];

struct packet {
	struct frame_view v;
	size_t size;
	uint8_t bytes[FRAME_SIZE_MAX];
};

// A segment with FIN and PSH, and a payload in which every octet is another for a while.
static void segment(struct packet *p, int version, uint16_t tag, size_t payload)
{
	struct wire *w = wire_create();

	wire_ether(w);
	if (tag)
		wire_tag(w, tag, 9);
	if (version == 4)
		wire_ip(w, "192.0.2.53", "198.51.100.7");
	else
		wire_ip(w, "2001:db8::53", "2001:db8:1::7");
	wire_tcp(w, 53, 40000);
	for (size_t i = 0; i < payload; i++)
		wire_u8(w, (uint8_t)(i * 3 + i / 256));
	wire_finish(w);
	p->size = w->size;
	memcpy(p->bytes, w->bytes, w->size);
	wire_destroy(w);
	cr_assert(frame_look(p->bytes, p->size, &p->v) == FRAME_WHOLE);
	store_be32(p->bytes + p->v.l4 + 4, SEQUENCE);
	p->bytes[p->v.l4 + 13] |= FRAME_FIN | FRAME_PSH;
	frame_finish(p->bytes, &p->v);
}

// Whether the checksum of a segment is right, by the sum over all of it being all ones.
static bool sums_up(const uint8_t *frame, const struct frame_view *v)
{
	uint32_t size = (uint32_t)(v->end - v->l4), sum = 6 + size;

	sum = csum_full_sum(
		sum, frame + v->l3 + (v->version == 4 ? 12 : 8), v->version == 4 ? 8 : 32);
	return csum_full_sum(sum, frame + v->l4, size) == 0xffff &&
	       (v->version == 6 || csum_full_sum(0, frame + v->l3, 20) == 0xffff);
}

// A segment that a real server has sent: google.com over TCP.
static const char real[] =
	"02 42 ac 11 00 08 02 42 c5 3d 49 1d 08 00 45 00 00 62 55 12 00 00 36 06 73 5b 08 08 08 08"
	"ac 11 00 08 00 35 c8 bc 5b 1e 1f b2 5f 51 d6 fb 80 18 00 6f 7f f8 00 00 01 01 08 0a 8f 8f"
	"ee 94 3c ec 1c aa 00 2c e7 af 81 80 00 01 00 01 00 00 00 00 06 67 6f 6f 67 6c 65 03 63 6f"
	"6d 00 00 01 00 01 c0 0c 00 01 00 01 00 00 00 3a 00 04 d8 3a d3 8e";

Test(traffic_cut, checksums_are_those_of_a_real_server)
{
	struct wire *w = wire_create();
	struct frame_view v;
	uint8_t copy[200];

	wire_hex(w, real);
	cr_assert(frame_look(w->bytes, w->size, &v) == FRAME_WHOLE);
	cr_assert(v.version == 4 && v.protocol == FRAME_TCP && v.src == 53 && v.dst == 0xc8bc);
	cr_assert(frame_payload_size(&v) == 46 && load_be16(w->bytes + v.payload) == 44);
	cr_assert(frame_checksum(w->bytes, &v) == 0x7ff8);
	memcpy(copy, w->bytes, w->size);
	memset(copy + v.l3 + 10, 0xee, 2);
	memset(copy + v.l4 + 16, 0xee, 2);
	frame_finish(copy, &v);
	cr_assert(memcmp(copy, w->bytes, w->size) == 0);
	wire_destroy(w);
}

Test(traffic_cut, frames_are_told_apart)
{
	struct packet p;
	struct frame_view v;
	uint8_t arp[60] = {0};

	store_be16(arp + 12, 0x0806);
	cr_assert(frame_look(arp, sizeof(arp), &v) == FRAME_OTHER);
	segment(&p, 4, 0x8100, 10);
	cr_assert(p.v.l3 == 18 && p.v.l4 == 38 && p.v.payload == 58 && p.v.end == 68);
	cr_assert(frame_look(p.bytes, p.size + 20, &v) == FRAME_WHOLE && v.end == 68, "padding");
	segment(&p, 6, 0x88a8, 0);
	cr_assert(p.v.version == 6 && p.v.l4 == 58 && frame_payload_size(&p.v) == 0);
	segment(&p, 4, 0, 10);
	p.bytes[p.v.l3 + 9] = 1;
	cr_assert(frame_look(p.bytes, p.size, &v) == FRAME_CONTROL, "ICMP");
	p.bytes[p.v.l3 + 6] = 0x20;
	cr_assert(frame_look(p.bytes, p.size, &v) == FRAME_FRAGMENT);
	// Nothing is seen behind the end of what is there.
	for (unsigned version = 4; version <= 6; version += 2) {
		segment(&p, (int)version, 0, 10);
		for (size_t size = 0; size < p.size; size++) {
			uint8_t *copy = malloc(size + (size == 0));

			memcpy(copy, p.bytes, size);
			cr_assert(frame_look(copy, size, &v) != FRAME_WHOLE, "%zu octets", size);
			free(copy);
		}
	}
	segment(&p, 4, 0, 10);
	p.bytes[p.v.l4 + 12] = 0x40;
	cr_assert(frame_look(p.bytes, p.size, &v) == FRAME_CONTROL, "a header that is too short");
	p.bytes[p.v.l4 + 12] = 0xf0;
	cr_assert(frame_look(p.bytes, p.size, &v) == FRAME_CONTROL, "one that is too long");
}

Test(traffic_cut, pieces_follow_each_other_without_gap)
{
	static const char *const texts[] = {
		"none", "1", "2", "7", "1x64+rest", "1+2+3", "random", "random:9", "walk", "5x2+1"};
	struct cut_state state = {.dice = RANDOM_SEED};
	struct cut cut;

	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		cr_assert(cut_parse(texts[t], &cut) == 0, "%s", texts[t]);
		for (uint32_t size = 0; size < 300; size++) {
			unsigned n = cut_plan(&cut, size, &state, pieces);
			uint32_t at = 0;

			for (unsigned i = 0; i < n; i++) {
				cr_assert(pieces[i].at == at && pieces[i].size > 0, "%s", texts[t]);
				at += pieces[i].size;
			}
			cr_assert(at == size, "%s: %u octets", texts[t], size);
		}
	}
}

static void plan_is(const char *text, uint32_t size, const char *wanted)
{
	struct cut_state state = {.dice = RANDOM_SEED};
	char got[200] = "";
	struct cut cut;
	unsigned n;

	cr_assert(cut_parse(text, &cut) == 0);
	n = cut_plan(&cut, size, &state, pieces);
	for (unsigned i = 0; i < n; i++)
		sprintf(got + strlen(got), "%s%u", i ? " " : "", pieces[i].size);
	cr_assert_str_eq(got, wanted, "%s of %u", text, size);
}

Test(traffic_cut, sizes_are_as_asked_for)
{
	plan_is("none", 20, "20");
	plan_is("7", 20, "7 7 6");
	plan_is("1x3+5+rest", 20, "1 1 1 5 12");
	plan_is("1x3+5", 20, "1 1 1 5 5 5 2");
	plan_is("1+2+3", 4, "1 2 1");
	plan_is("3+4x2", 20, "3 4 4 4 4 1");
	plan_is("500+rest", 20, "20");
}

Test(traffic_cut, walking_cuts_at_every_octet)
{
	const struct cut cut = {.kind = CUT_WALK};
	struct cut_state state = {.dice = RANDOM_SEED};
	bool seen[100] = {0};

	for (unsigned i = 0; i < 99; i++) {
		cr_assert(cut_plan(&cut, 100, &state, pieces) == 2);
		seen[pieces[0].size] = true;
	}
	for (unsigned i = 1; i < 100; i++)
		cr_assert(seen[i], "behind octet %u", i);
	cr_assert(cut_plan(&cut, 1, &state, pieces) == 1);
}

Test(traffic_cut, random_pieces_are_small_and_large)
{
	const struct cut cut = {.kind = CUT_RANDOM};
	struct cut_state state = {.dice = RANDOM_SEED};
	unsigned ones = 0, large = 0;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned n = cut_plan(&cut, 1400, &state, pieces);

		for (unsigned j = 0; j < n; j++) {
			ones += pieces[j].size == 1;
			large += pieces[j].size > 512;
		}
	}
	cr_assert(ones > 500 && large > 100, "%u of 1 octet, %u large", ones, large);
}

// All pieces as segments, put together by their sequence numbers.
static void stream_is_whole(const struct packet *p, unsigned n)
{
	uint16_t size = frame_payload_size(&p->v);
	uint8_t stream[FRAME_SIZE_MAX];
	bool known[FRAME_SIZE_MAX] = {0};
	struct frame_view v;

	for (unsigned i = 0; i < n; i++) {
		uint16_t made_size = cut_segment(p->bytes, &p->v, &pieces[i], made);
		uint32_t at = load_be32(made + p->v.l4 + 4) - SEQUENCE;
		uint8_t flags;

		cr_assert(frame_look(made, made_size, &v) == FRAME_WHOLE && v.end == made_size);
		cr_assert(sums_up(made, &v));
		cr_assert(memcmp(made, p->bytes, v.l3) == 0, "Ethernet and tags");
		cr_assert(load_be32(made + v.l4 + 8) == load_be32(p->bytes + v.l4 + 8),
			"acknowledged");
		cr_assert(at + frame_payload_size(&v) <= size);
		flags = made[v.l4 + 13] & (FRAME_FIN | FRAME_PSH);
		cr_assert(
			flags == (at + frame_payload_size(&v) == size ? FRAME_FIN | FRAME_PSH : 0));
		memcpy(stream + at, made + v.payload, frame_payload_size(&v));
		memset(known + at, true, frame_payload_size(&v));
	}
	for (uint16_t i = 0; i < size; i++)
		cr_assert(known[i], "octet %u", i);
	cr_assert(memcmp(stream, p->bytes + p->v.payload, size) == 0);
}

Test(traffic_cut, segments_of_any_cut_make_the_same_stream)
{
	static const char *const texts[] = {"none", "1", "100", "1x64+rest", "random", "walk"};
	static const size_t sizes[] = {1, 2, 3, 255, 256, 257, 1460, 8960};
	struct cut_state state = {.dice = RANDOM_SEED};
	struct packet p;
	struct cut cut;

	for (unsigned t = 0; t < sizeof(texts) / sizeof(texts[0]) * 4; t++) {
		cut_parse(texts[t / 4], &cut);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			segment(&p, t & 1 ? 6 : 4, t & 2 ? 0x8100 : 0, sizes[i]);
			stream_is_whole(&p, cut_plan(&cut, (uint32_t)sizes[i], &state, pieces));
		}
	}
}

Test(traffic_cut, overlapping_and_swapped_segments_make_the_same_stream)
{
	const struct cut cut = {.kind = CUT_RANDOM};
	struct cut_state state = {.dice = RANDOM_SEED};
	struct packet p;

	segment(&p, 4, 0, 700);
	for (unsigned i = 0; i < 200; i++) {
		unsigned n = cut_plan(&cut, 700, &state, pieces), shared = 0;

		cut_overlap(700, n, &state, pieces);
		for (unsigned j = 0; j + 1 < n; j++) {
			cr_assert(pieces[j].at + pieces[j].size > pieces[j + 1].at);
			shared++;
		}
		cr_assert(n == 1 || shared == n - 1);
		if (i % 2)
			cut_swap(n, pieces);
		else
			cut_shuffle(n, &state, pieces);
		stream_is_whole(&p, n);
	}
}

Test(traffic_cut, swapping_puts_the_second_half_first)
{
	struct cut_piece five[5] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}}, one[1] = {{0, 9}};
	static const uint32_t wanted[5] = {2, 3, 4, 0, 1};

	cut_swap(5, five);
	for (unsigned i = 0; i < 5; i++)
		cr_assert(five[i].at == wanted[i]);
	cut_swap(1, one);
	cut_swap(0, one);
	cr_assert(one[0].size == 9);
}

Test(traffic_cut, old_and_new_octets_stand_together_in_one_segment)
{
	static const uint8_t old[] = {1, 2, 3};
	struct packet p;
	struct frame_view v;
	uint16_t size;

	for (int version = 4; version <= 6; version += 2) {
		segment(&p, version, 0, 50);
		size = cut_join(p.bytes, &p.v, old, 3, 20, FRAME_SIZE_MAX, made);
		cr_assert(size == p.v.payload + 23 && frame_look(made, size, &v) == FRAME_WHOLE);
		cr_assert(sums_up(made, &v));
		cr_assert(load_be32(made + v.l4 + 4) == SEQUENCE - 3);
		cr_assert(memcmp(made + v.payload, old, 3) == 0);
		cr_assert(memcmp(made + v.payload + 3, p.bytes + p.v.payload, 20) == 0);
		cr_assert(!(made[v.l4 + 13] & (FRAME_FIN | FRAME_PSH)));
		size = cut_join(p.bytes, &p.v, old, 3, 50, (uint16_t)(p.v.payload + 53), made);
		cr_assert(size == p.v.payload + 53 && made[v.l4 + 13] & FRAME_FIN);
		cr_assert(cut_join(p.bytes, &p.v, old, 3, 50, (uint16_t)(p.v.payload + 52), made) ==
			  0);
	}
}
