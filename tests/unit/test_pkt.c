/* SPDX-License-Identifier: BSD-3-Clause */
#include "pkt/pkt.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/addr.h"
#include "support/random.h"
#include "support/wire.h"

#define CLIENT4 "203.0.113.7"
#define SERVER4 "198.51.100.53"
#define CLIENT6 "2001:db8:c::7"
#define SERVER6 "2001:db8:53::53"

// Parse the first @p size bytes of a frame, in a heap block of exactly that size.
static enum reason parse(const struct wire *w, size_t size, struct burst_slot *slot)
{
	uint8_t *frame = malloc(size ? size : 1);
	enum reason reason;

	cr_assert_not_null(frame);
	memcpy(frame, w->bytes, size);
	memset(slot, 0xa5, sizeof(*slot));
	slot->frame = frame;
	slot->frame_size = (uint32_t)size;
	reason = pkt_parse(slot);
	cr_assert(memcmp(frame, w->bytes, size) == 0);
	free(frame);
	slot->frame = NULL;
	return reason;
}

// Ethernet with all that @p build puts before UDP, and 20 octets of message.
static struct wire *frame_of(void (*build)(struct wire *w))
{
	struct wire *w = wire_create();

	wire_ether(w);
	build(w);
	wire_udp(w, 53, 40000);
	wire_zeros(w, 20);
	wire_finish(w);
	return w;
}

static void ipv4(struct wire *w)
{
	wire_ip(w, SERVER4, CLIENT4);
}

static void ipv4_options(struct wire *w)
{
	static const uint8_t nops[40] = {[0 ... 39] = 1};

	wire_ip(w, SERVER4, CLIENT4);
	wire_ip_options(w, nops, sizeof(nops));
}

static void ipv6(struct wire *w)
{
	wire_ip(w, SERVER6, CLIENT6);
}

static void ipv6_extensions(struct wire *w)
{
	static const uint8_t options[7] = {0, 1, 4}, routing[7] = {0, 4, 0}, whole[7] = {0};

	wire_ip(w, SERVER6, CLIENT6);
	wire_ext(w, 0, options, 7);
	wire_ext(w, 60, options, 7);
	wire_ext(w, 43, routing, 7);
	wire_ext(w, 44, whole, 7);
}

static void tags(struct wire *w)
{
	wire_tag(w, 0x88a8, 1);
	wire_tag(w, 0x9100, 2);
	wire_tag(w, 0x8100, 3);
	wire_ip(w, SERVER4, CLIENT4);
}

static void pppoe(struct wire *w)
{
	wire_tag(w, 0x88a8, 1);
	wire_tag(w, 0x8100, 2);
	wire_pppoe(w);
	wire_ip(w, SERVER6, CLIENT6);
}

static void (*const builders[])(struct wire *w) = {
	ipv4, ipv4_options, ipv6, ipv6_extensions, tags, pppoe};

#define BUILDERS (sizeof(builders) / sizeof(builders[0]))

Test(pkt, all_offsets_are_right_whatever_stands_in_front)
{
	for (size_t i = 0; i < BUILDERS; i++) {
		struct wire *w = frame_of(builders[i]);
		struct burst_slot slot;

		cr_expect(parse(w, w->size, &slot) == REASON_none, "frame %zu", i);
		cr_expect(slot.l3 == w->ip && slot.l4 == w->l4, "frame %zu", i);
		cr_expect(slot.msg == w->l4 + 8 && slot.msg_size == 20, "frame %zu", i);
		cr_expect(slot.src_port == 53 && slot.dst_port == 40000, "frame %zu", i);
		cr_expect(slot.family == w->version && slot.protocol == 17, "frame %zu", i);
		wire_destroy(w);
	}
}

Test(pkt, a_frame_snapped_at_any_byte_is_told_to_be)
{
	for (size_t i = 0; i < BUILDERS; i++) {
		struct wire *w = frame_of(builders[i]);
		struct burst_slot slot;

		for (size_t size = 0; size < w->size; size++) {
			enum reason reason = parse(w, size, &slot);

			cr_expect(reason == REASON_snapped, "frame %zu, %zu bytes: %s", i, size,
				reason_name(reason));
		}
		wire_destroy(w);
	}
}

Test(pkt, padding_changes_nothing)
{
	for (size_t i = 0; i < BUILDERS; i++) {
		struct wire *w = frame_of(builders[i]);
		struct burst_slot slot;

		wire_hex(w, "ffffffffffffffffffffffffffffffffffff");
		cr_expect(parse(w, w->size, &slot) == REASON_none && slot.msg_size == 20,
			"frame %zu", i);
		wire_destroy(w);
	}
}

Test(pkt, a_frame_of_nothing_but_tags_ends)
{
	struct wire *w = wire_create();
	struct burst_slot slot;

	wire_ether(w);
	while (w->size + 4 <= UINT16_MAX)
		wire_tag(w, 0x8100, 1);
	cr_assert(parse(w, w->size, &slot) == REASON_non_ip);
	wire_type(w, 0x8100);
	cr_assert(parse(w, w->size, &slot) == REASON_snapped);
	wire_destroy(w);
}

Test(pkt, the_longest_frame_that_is_inspected)
{
	struct wire *w = wire_create();
	struct burst_slot slot;

	wire_ether(w);
	wire_ip(w, SERVER4, CLIENT4);
	wire_udp(w, 53, 40000);
	wire_zeros(w, UINT16_MAX - w->size);
	wire_finish(w);
	cr_assert(parse(w, UINT16_MAX, &slot) == REASON_none);
	cr_assert(slot.msg + slot.msg_size == UINT16_MAX);
	wire_u8(w, 0);
	cr_assert(parse(w, UINT16_MAX + 1, &slot) == REASON_oversize);
	wire_destroy(w);
}

Test(pkt, ipv6_headers_that_lead_past_65535_are_refused)
{
	// Destination options of 2,048 bytes each: offsets must not wrap round 16 bits.
	static const uint8_t body[2047] = {255};
	struct wire *w = wire_create();
	struct burst_slot slot;

	wire_ether(w);
	wire_ip(w, SERVER6, CLIENT6);
	while (w->size + sizeof(body) + 1 + 8 <= UINT16_MAX)
		wire_ext(w, 60, body, sizeof(body));
	wire_udp(w, 53, 40000);
	wire_finish(w);
	cr_assert(parse(w, w->size, &slot) == REASON_none);
	cr_assert(slot.l4 == w->l4 && slot.msg_size == 0);
	// The last one says that one more follows.
	w->bytes[w->next_at] = 60;
	w->bytes[w->l4 + 1] = 255;
	cr_assert(parse(w, w->size, &slot) == REASON_bad_ip);
	wire_destroy(w);
}

Test(pkt, tcp_has_its_ports_where_they_are_in_the_packet)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct wire *w = wire_create();
		struct burst_slot slot;

		wire_ether(w);
		wire_ip(w, v6 ? SERVER6 : SERVER4, v6 ? CLIENT6 : CLIENT4);
		wire_tcp(w, 53, 40000);
		wire_finish(w);
		cr_assert(parse(w, w->size, &slot) == REASON_not_udp);
		cr_assert(slot.protocol == 6 && slot.src_port == 53 && slot.dst_port == 40000);
		wire_destroy(w);
		// Three octets are not enough for two ports.
		w = wire_create();
		wire_ether(w);
		wire_ip(w, v6 ? SERVER6 : SERVER4, v6 ? CLIENT6 : CLIENT4);
		wire_type(w, 6);
		wire_hex(w, "003500");
		wire_finish(w);
		cr_assert(parse(w, w->size, &slot) == REASON_not_udp);
		cr_assert(slot.src_port == 0 && slot.dst_port == 0);
		wire_destroy(w);
	}
}

Test(pkt, random_changes_of_good_frames_stay_within_bounds)
{
	uint64_t state = RANDOM_SEED;

	for (unsigned round = 0; round < 100000; round++) {
		struct wire *w = frame_of(builders[round % BUILDERS]);
		struct burst_slot slot;
		size_t size = w->size;

		for (unsigned n = 1 + random_below(&state, 4); n > 0; n--)
			w->bytes[random_below(&state, (uint32_t)w->size)] =
				(uint8_t)random_next(&state);
		if (random_below(&state, 4) == 0)
			size = random_below(&state, (uint32_t)size + 1);
		if (parse(w, size, &slot) == REASON_none) {
			cr_assert(slot.l3 >= 14 && slot.l4 >= slot.l3 + 20 &&
				  slot.msg == slot.l4 + 8);
			cr_assert((size_t)slot.msg + slot.msg_size <= size);
		}
		wire_destroy(w);
	}
}
