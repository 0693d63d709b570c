/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/frag_world.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/bytes.h"
#include "support/run.h"

static const struct stream_conf conf = {
	.flows = 16,
	.memory = 65536,
	.hold_ms = 10,
	.gap_ms = 100,
	.held = 16,
	.frag = {.trains = FRAG_TRAINS, .packets = FRAG_PACKETS, .hold_ms = FRAG_HOLD_MS},
};

struct wire *world_answer(enum form form, const char *name, uint16_t port, bool checksum)
{
	static const uint8_t nops[8] = {1, 1, 1, 1, 1, 1, 1, 1};
	struct wire *w = wire_create();
	bool v6 = form >= FORM_IPV6;

	w->csum = checksum ? WIRE_CSUM_RIGHT : WIRE_CSUM_NONE;
	wire_ether(w);
	if (form == FORM_IPV4_QINQ)
		wire_tag(w, 0x88a8, 7);
	if (form == FORM_IPV4_QINQ || form == FORM_IPV6_VLAN)
		wire_tag(w, 0x8100, 11);
	if (form == FORM_IPV4_PPPOE)
		wire_pppoe(w);
	wire_ip(w, v6 ? "2001:db8:53::53" : "198.51.100.53", v6 ? "2001:db8:c::7" : "203.0.113.7");
	if (form == FORM_IPV4_OPTIONS)
		wire_ip_options(w, nops, sizeof(nops));
	wire_udp(w, port, 40000);
	wire_dns(w, 0x8180);
	wire_question(w, name, 1);
	wire_record_address(w, name, 300, "198.51.100.66");
	wire_record_address(w, name, 30, "198.51.100.67");
	wire_finish(w);
	return w;
}

struct world *world_create(enum form form)
{
	struct world *world = calloc(1, sizeof(*world));
	struct wire *whole = wire_create();
	struct stats_worker stats = {0};

	cr_assert_not_null(world);
	world->tables = tables_create();
	tables_sinkhole(world->tables, NULL, "192.0.2.1");
	tables_list(world->tables, "c2", POLICY_SINKHOLE);
	tables_entry(world->tables, ".evil.example", NULL, NULL);
	world->bed = stream_bed_create(&conf, tables_finish(world->tables));
	world->answer = world_answer(form, "evil.example", 53, true);
	world->total = fragment_total(world->answer);
	world->expected = malloc(world->total);
	*whole = *world->answer;
	cr_assert_eq(run_frame(whole->bytes, (uint32_t)whole->size, BURST_FROM_RESOLVERS,
			     world->bed->tables, &stats, NULL),
		REASON_rewritten);
	memcpy(world->expected, whole->bytes + whole->size - world->total, world->total);
	wire_destroy(whole);
	return world;
}

void world_destroy(struct world *world)
{
	stream_bed_destroy(world->bed);
	tables_destroy(world->tables);
	wire_destroy(world->answer);
	free(world->expected);
	free(world);
}

// The host gets what was sent; what it puts together is what it has to be.
static void host_looks(struct world *world)
{
	for (; world->n_seen < world->bed->n_sent; world->n_seen++) {
		const struct stream_bed_packet *p = world->bed->sent[world->n_seen];

		fragment_host_take(&world->host, p->bytes, p->size);
		if (!fragment_host_done(&world->host))
			continue;
		if (load_be16(world->host.bytes) != 53) {
			memset(&world->host, 0, sizeof(world->host));
			continue;
		}
		cr_assert_eq(world->host.total, world->total);
		cr_assert(memcmp(world->host.bytes, world->expected, world->total) == 0);
		memset(&world->host, 0, sizeof(world->host));
		world->n_done++;
	}
}

void world_clear(struct world *world)
{
	stream_bed_clear(world->bed);
	memset(&world->host, 0, sizeof(world->host));
	world->n_seen = world->n_done = 0;
}

void world_push_of(struct world *world, const struct wire *w, const struct fragment_cut *cut)
{
	static uint8_t frame[FRAGMENT_ROOM];
	uint32_t size = fragment_make(w, cut, frame);

	stream_bed_packet(world->bed, frame, size, BURST_FROM_RESOLVERS);
	host_looks(world);
}

void world_push(struct world *world, const struct fragment_cut *cut)
{
	world_push_of(world, world->answer, cut);
}

// Pieces between n - 1 units in rising order.
unsigned world_cuts(
	const struct world *world, const uint32_t *units, unsigned n, struct fragment_cut *cuts)
{
	for (unsigned i = 0; i < n; i++)
		cuts[i] = (struct fragment_cut){
			.from = i ? units[i - 1] * 8 : 0,
			.to = i + 1 < n ? units[i] * 8 : world->total,
			.more = i + 1 < n,
			.id = 9,
		};
	return n;
}

uint64_t world_verdicts(const struct world *world, enum reason reason)
{
	return world->bed->stats.verdicts[reason];
}

// Each packet that was sent is as long as it came, and they are in the order in which they came.
void world_assert_order(const struct world *world, unsigned n)
{
	cr_assert_eq(world->bed->n_sent, n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(world->bed->sent[i], world->bed->packets[i]);
}
