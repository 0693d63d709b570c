/* SPDX-License-Identifier: BSD-3-Clause */
// The traffic tool's IP fragments: they have to come together to what was split.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/csum_full.h"
#include "support/wire.h"
#include "traffic/split.h"

struct packet {
	struct frame_view v;
	size_t size;
	uint8_t bytes[FRAME_SIZE_MAX];
};

static struct cut_piece pieces[CUT_PIECES_MAX];

// A datagram from port 53 with so many octets of payload, with or without options.
static void datagram(struct packet *p, int version, bool options, size_t payload)
{
	static const uint8_t router_alert[] = {0x94, 4, 0, 0}, body[] = {0, 1, 4, 0, 0, 0, 0};
	struct wire *w = wire_create();

	wire_ether(w);
	if (version == 4)
		wire_ip(w, "192.0.2.53", "198.51.100.7");
	else
		wire_ip(w, "2001:db8::53", "2001:db8:1::7");
	if (options && version == 4)
		wire_ip_options(w, router_alert, sizeof(router_alert));
	if (options && version == 6) {
		wire_ext(w, 0, body, sizeof(body));
		wire_ext(w, 60, body, sizeof(body));
	}
	wire_udp(w, 53, 40000);
	for (size_t i = 0; i < payload; i++)
		wire_u8(w, (uint8_t)(i * 7 + i / 256));
	wire_finish(w);
	// DF, as hosts set it.
	if (version == 4)
		w->bytes[w->ip + 6] = 0x40;
	p->size = w->size;
	memcpy(p->bytes, w->bytes, w->size);
	wire_destroy(w);
	if (version == 4)
		frame_finish_ipv4(p->bytes, 14, (uint16_t)p->size);
	cr_assert(frame_look(p->bytes, p->size, &p->v) == FRAME_WHOLE);
	cr_assert(p->v.end == p->size);
}

// What a receiver of one fragment knows of it.
struct seen {
	uint32_t at, size, id;
	bool more;
	const uint8_t *data;
};

static struct seen look(const uint8_t *f, uint16_t size, const struct packet *whole)
{
	const uint8_t *ip = f + 14, *header;
	uint16_t field;

	if (whole->v.version == 4) {
		size_t header_size = (ip[0] & 15) * 4u;

		cr_assert(csum_full_sum(0, ip, header_size) == 0xffff, "header checksum");
		cr_assert(load_be16(ip + 2) == size - 14, "total length");
		field = load_be16(ip + 6);
		cr_assert(!(field & 0x4000), "DF is cleared");
		return (struct seen){(field & 0x1fff) * 8u, size - 14 - (uint32_t)header_size,
			load_be16(ip + 4), field & 0x2000, ip + header_size};
	}
	header = f + whole->v.movable;
	cr_assert(f[whole->v.next_at] == 44, "a Fragment header follows");
	cr_assert(header[0] == whole->bytes[whole->v.next_at], "it says what follows");
	cr_assert(load_be16(ip + 4) == size - 54, "payload length");
	field = load_be16(header + 2);
	return (struct seen){field & 0xfff8, size - whole->v.movable - 8u, load_be32(header + 4),
		field & 1, header + 8};
}

// Every fragment of a plan put where it says.
static void comes_together(const struct packet *p, unsigned n, uint32_t id)
{
	uint8_t made[FRAME_SIZE_MAX], again[FRAME_SIZE_MAX] = {0};
	uint32_t size = (uint32_t)(p->v.end - p->v.movable), came = 0;
	struct frame_view v;

	for (unsigned i = 0; i < n; i++) {
		uint16_t made_size = split_fragment(p->bytes, &p->v, &pieces[i], id, made);
		struct seen s = look(made, made_size, p);

		cr_assert(frame_look(made, made_size, &v) == FRAME_FRAGMENT);
		cr_assert(memcmp(made, p->bytes, 14) == 0, "Ethernet");
		cr_assert(s.id == (p->v.version == 4 ? id & 0xffff : id), "identification");
		cr_assert(s.at + s.size <= size && s.more == (s.at + s.size < size));
		cr_assert(!s.more || s.size % 8 == 0, "on the grid");
		memcpy(again + s.at, s.data, s.size);
		came += s.size;
	}
	cr_assert(came == size);
	cr_assert(memcmp(again, p->bytes + p->v.movable, size) == 0);
}

Test(traffic_split, fragments_come_together_to_the_datagram)
{
	static const uint16_t sizes[] = {8, 16, 24, 400, 1232, 1472};
	static const size_t payloads[] = {0, 1, 7, 8, 9, 100, 511, 1400, 4000, 8900};
	struct packet p;
	uint32_t walk = 0;

	for (unsigned kind = 0; kind < 4; kind++) {
		for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
			datagram(&p, kind & 1 ? 6 : 4, kind & 2, payloads[i]);
			uint32_t size = (uint32_t)(p.v.end - p.v.movable);

			for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
				const struct split split = {SPLIT_SIZE, sizes[s]};
				unsigned n = split_plan(&split, size, &walk, pieces);

				cr_assert(n == (size + sizes[s] - 1) / sizes[s]);
				if (n > 1)
					comes_together(&p, n, 0x12340000u + n);
			}
		}
	}
}

Test(traffic_split, walking_splits_at_every_place_of_the_grid)
{
	const struct split split = {SPLIT_WALK, 0};
	bool seen[300] = {0};
	struct packet p;
	uint32_t walk = 0, size, places;

	datagram(&p, 6, false, 1201);
	size = (uint32_t)(p.v.end - p.v.movable);
	places = (size - 1) / 8;
	for (uint32_t i = 0; i < places; i++) {
		cr_assert(split_plan(&split, size, &walk, pieces) == 2);
		cr_assert(pieces[0].at == 0 && pieces[0].size % 8 == 0);
		seen[pieces[0].size / 8] = true;
		comes_together(&p, 2, i);
	}
	for (uint32_t i = 1; i <= places; i++)
		cr_assert(seen[i], "split behind octet %u", i * 8);
}

Test(traffic_split, what_fits_one_piece_stays_whole)
{
	const struct split none = {0}, small = {SPLIT_SIZE, 512}, walk_kind = {SPLIT_WALK, 0};
	uint32_t walk = 0;

	cr_assert(split_plan(&none, 9000, &walk, pieces) == 1);
	cr_assert(split_plan(&small, 512, &walk, pieces) == 1);
	cr_assert(split_plan(&small, 513, &walk, pieces) == 2);
	cr_assert(split_plan(&walk_kind, 8, &walk, pieces) == 1);
	cr_assert(split_plan(&walk_kind, 9, &walk, pieces) == 2);
}

Test(traffic_split, hop_by_hop_options_are_in_every_fragment_and_destination_options_in_the_first)
{
	struct packet p;

	datagram(&p, 6, true, 100);
	cr_assert(p.v.movable == 14 + 40 + 8);
	cr_assert(p.v.l4 == p.v.movable + 8);
	cr_assert(p.bytes[p.v.next_at] == 60);
}

Test(traffic_split, sizes_are_multiples_of_eight)
{
	static const char *const bad[] = {"", "0", "7", "9", "8x", "-8", "16384", "all", "walk "};
	struct split split;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(split_parse(bad[i], &split) == -EINVAL, "%s", bad[i]);
	cr_assert(split_parse("24", &split) == 0 && split.kind == SPLIT_SIZE && split.size == 24);
	cr_assert(split_parse("walk", &split) == 0 && split.kind == SPLIT_WALK);
	cr_assert(split_parse("none", &split) == 0 && split.kind == SPLIT_NONE);
}
