/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns_ends.h"
#include "pipeline/pipeline_private.h"
#include "pkt/pkt.h"

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "run: %s\n", what);
	abort();
}

// The quick way of parsing finds what the other one does, or leaves the packet to it.
static void parse_agrees(const struct burst *burst)
{
	struct burst_slot quick = burst->slot[0], slow = quick;
	enum reason usual = pkt_parse_usual(&quick), reason = pkt_parse(&slow);

	if (usual == REASON_COUNT)
		return;
	must(reason == usual, "parsed in two ways, for two reasons");
	if (reason == REASON_not_udp)
		slow.msg = quick.msg, slow.msg_size = quick.msg_size;
	must(quick.l3 == slow.l3 && quick.l4 == slow.l4 && quick.msg == slow.msg &&
			quick.msg_size == slow.msg_size && quick.src_port == slow.src_port &&
			quick.dst_port == slow.dst_port && quick.family == slow.family &&
			quick.protocol == slow.protocol,
		"parsed in two ways, with two results");
}

static void match_agrees(const struct burst *burst, const struct burst *other)
{
	const struct burst_slot *a = &burst->slot[0], *b = &other->slot[0];

	must(a->reason == b->reason, "two ways of matching, two reasons");
	if (!a->response)
		return;
	must(a->block == b->block && a->log == b->log && a->allow == b->allow,
		"two ways of matching, two rules");
	must(!(a->block || a->log) || a->match == b->match, "two ways of matching, two names");
	must(a->question == b->question && (!a->question || a->qtype == b->qtype) &&
			a->edit == b->edit && a->rcode == b->rcode,
		"two ways of matching, two messages");
	// Addresses are asked for only where there is a rule.
	must(!a->block || (a->n_ipv4 == b->n_ipv4 && a->n_ipv6 == b->n_ipv6 &&
				  a->answers == b->answers && a->behind == b->behind &&
				  (!a->edit || a->additional == b->additional)),
		"two ways of matching, other addresses");
}

// All ways of matching find the same.
static void match_all(struct burst *burst, const struct pipeline_tables *tables)
{
	struct burst slow = *burst, plain = *burst;

	pipeline_match_slow(&slow, tables);
	pipeline_match_plain(&plain, tables);
	match_agrees(&slow, &plain);
	pipeline_match(burst, tables);
	match_agrees(&slow, burst);
}

enum reason run_frame(uint8_t *frame, uint32_t size, enum burst_side side,
	const struct pipeline_tables *tables, struct stats_worker *stats, struct burst_slot *slot)
{
	struct run_buffer buffer = {.frame = frame, .size = size, .room = size};

	return run_buffer(&buffer, side, tables, stats, slot);
}

enum reason run_buffer(struct run_buffer *buffer, enum burst_side side,
	const struct pipeline_tables *tables, struct stats_worker *stats, struct burst_slot *slot)
{
	struct burst burst;
	enum reason mirrored;
	uint16_t msg_size;

	// What an earlier burst left in a slot must not matter.
	memset(&burst, 0xa5, sizeof(burst));
	burst.n = 1;
	burst.side = side;
	burst.slot[0].frame = buffer->frame;
	burst.slot[0].frame_size = buffer->size;
	burst.bytes = buffer->size;
	parse_agrees(&burst);
	pipeline_parse(&burst, tables);
	pipeline_consent(&burst, tables);
	match_all(&burst, tables);
	msg_size = burst.slot[0].msg_size;
	burst.slot[0].frame_room = buffer->room;
	pipeline_fit(&burst, tables);
	mirrored = burst.slot[0].reason;
	pipeline_rewrite(&burst, tables, stats);
	pipeline_count(&burst, tables, stats);
	must(burst.slot[0].reason == mirrored, "the mirror would say another reason");
	must(burst.dropped == (burst.slot[0].reason == REASON_dropped), "dropped, or not");
	must(!burst.edits || burst.resized == (burst.slot[0].msg_size != msg_size),
		"resized, or not");
	buffer->size = burst.slot[0].frame_size;
	buffer->msg_size = burst.slot[0].msg_size;
	if (slot) {
		*slot = burst.slot[0];
		slot->msg_size = msg_size;
	}
	return burst.slot[0].reason;
}

enum reason run_message(uint8_t *frame, uint32_t size, bool partly,
	const struct pipeline_tables *tables, struct stats_worker *stats, struct burst_slot *slot)
{
	struct burst burst;
	enum reason reason;

	memset(&burst, 0xa5, sizeof(burst));
	burst.side = BURST_FROM_RESOLVERS;
	burst.slot[0].frame = frame;
	burst.slot[0].frame_size = size;
	reason = pkt_parse(&burst.slot[0]);
	if (reason != REASON_none)
		return reason;
	burst.slot[0].protocol = 6;
	burst.slot[0].partly = partly;
	burst.slot[0].transfer = false;
	pipeline_message(&burst, tables);
	pipeline_consent(&burst, tables);
	pipeline_match(&burst, tables);
	burst.slot[0].frame_room = size;
	pipeline_fit(&burst, tables);
	pipeline_rewrite(&burst, tables, stats);
	pipeline_count_message(&burst, tables, stats);
	must(!burst.resized && !burst.dropped, "a message of fixed length was resized or dropped");
	*slot = burst.slot[0];
	return slot->reason;
}

uint64_t run_verdicts(const struct stats_worker *stats)
{
	uint64_t sum = 0;

	for (enum reason reason = 0; reason < REASON_COUNT; reason++)
		sum += stats->verdicts[reason];
	return sum;
}
