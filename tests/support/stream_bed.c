/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/stream_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/run.h"

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "stream: %s\n", what);
	abort();
}

static void bed_read(void *ctx, void *packet, uint32_t at, void *bytes, uint32_t n)
{
	const struct stream_bed_packet *p = packet;

	(void)ctx;
	must(p->fate == STREAM_BED_HELD && at <= p->size && n <= p->size - at, "a read outside");
	memcpy(bytes, p->bytes + at, n);
}

static void bed_write(void *ctx, void *packet, uint32_t at, const void *bytes, uint32_t n)
{
	struct stream_bed_packet *p = packet;

	(void)ctx;
	must(p->fate == STREAM_BED_HELD && at <= p->size && n <= p->size - at, "a write outside");
	memcpy(p->bytes + at, bytes, n);
}

static void bed_shorten(void *ctx, void *packet, uint32_t size)
{
	struct stream_bed_packet *p = packet;

	(void)ctx;
	must(p->fate == STREAM_BED_HELD && size <= p->size, "a packet cannot grow");
	p->size = size;
	p->bytes = realloc(p->bytes, size ? size : 1);
}

static void *bed_keep(void *ctx, void *packet)
{
	(void)ctx;
	return packet;
}

static void bed_send(void *ctx, void *packet)
{
	struct stream_bed *bed = ctx;
	struct stream_bed_packet *p = packet;

	must(p->fate == STREAM_BED_HELD, "sent what is not held");
	must(p->side == bed->side, "sent to the other side");
	p->fate = STREAM_BED_SENT;
	bed->sent[bed->n_sent++] = p;
}

static void bed_drop(void *ctx, void *packet)
{
	struct stream_bed_packet *p = packet;

	(void)ctx;
	must(p->fate == STREAM_BED_HELD, "dropped what is not held");
	p->fate = STREAM_BED_DROPPED;
}

static const struct packet_ops ops = {
	.read = bed_read,
	.write = bed_write,
	.shorten = bed_shorten,
	.keep = bed_keep,
	.send = bed_send,
	.drop = bed_drop,
};

// What a length-changing action does. There is no checksum in these tests.
static void message_cut(struct burst *message, uint16_t size)
{
	struct burst_slot *slot = &message->slot[0];

	store_be16(slot->frame + slot->l4 + 4, (uint16_t)(size + 8));
	slot->msg_size = size;
	slot->frame_size = slot->msg + size;
	message->resized = 1;
}

static enum reason bed_judge(void *ctx, struct burst *message, enum stream_how how)
{
	struct stream_bed *bed = ctx;
	const struct burst_slot *slot = &message->slot[0];

	pipeline_message(message, bed->tables);
	pipeline_consent(message, bed->tables);
	pipeline_match(message, bed->tables);
	pipeline_fit(message, bed->tables);
	pipeline_rewrite(message, bed->tables, how == STREAM_WHOLE ? &bed->stats : &bed->unseen);
	if (how == STREAM_WHOLE)
		pipeline_count_message(message, bed->tables, &bed->stats);
	if (message->edits && bed->cut)
		message_cut(message, bed->cut);
	if (message->edits && bed->refuse)
		message->dropped = 1;
	return slot->response && slot->refused & CONSENT_NO_LOG ? REASON_no_log : slot->reason;
}

struct stream_bed *stream_bed_create(
	const struct stream_conf *conf, const struct pipeline_tables *tables)
{
	struct stream_bed *bed = calloc(1, sizeof(*bed));
	struct stream_hooks hooks = {.ops = &ops, .judge = bed_judge, .ctx = bed};

	must(bed != NULL, "memory");
	hooks.stats = &bed->stats;
	bed->tables = tables;
	// Clocks wrap round: it must not matter.
	bed->now = UINT64_MAX - 1000;
	bed->stream = stream_create(conf, &hooks, STREAM_BED_CYCLES_PER_MS, -1);
	must(bed->stream != NULL, "memory");
	return bed;
}

static void bed_check(const struct stream_bed *bed)
{
	must(run_verdicts(&bed->stats) + bed->stats.held == bed->stats.rx_packets,
		"verdicts and held packets are not the packets received");
}

void stream_bed_destroy(struct stream_bed *bed)
{
	bed->side = BURST_FROM_RESOLVERS;
	stream_flush(bed->stream);
	bed_check(bed);
	must(bed->stats.held == 0, "held after a flush");
	stream_destroy(bed->stream);
	stream_bed_clear(bed);
	must(bed->n == 0, "a packet was forgotten");
	free(bed->packets);
	free(bed->sent);
	free(bed);
}

static struct stream_bed_packet *packet_add(
	struct stream_bed *bed, const uint8_t *frame, uint32_t size)
{
	struct stream_bed_packet *p = calloc(1, sizeof(*p));

	if (bed->n == bed->room) {
		bed->room = bed->room ? 2 * bed->room : 64;
		bed->packets = realloc(bed->packets, bed->room * sizeof(*bed->packets));
		bed->sent = realloc(bed->sent, bed->room * sizeof(*bed->sent));
	}
	must(p && bed->packets && bed->sent, "memory");
	p->bytes = malloc(size ? size : 1);
	must(p->bytes != NULL, "memory");
	memcpy(p->bytes, frame, size);
	p->size = size;
	bed->packets[bed->n++] = p;
	return p;
}

void stream_bed_packet(
	struct stream_bed *bed, const uint8_t *frame, uint32_t size, enum burst_side side)
{
	struct stream_bed_packet *p = packet_add(bed, frame, size);
	struct burst burst;

	p->side = bed->side = side;
	memset(&burst, 0xa5, sizeof(burst));
	burst.n = 1;
	burst.side = side;
	burst.bytes = size;
	burst.slot[0].frame = p->bytes;
	burst.slot[0].frame_size = burst.slot[0].frame_room = size;
	pipeline_parse(&burst, bed->tables);
	pipeline_consent(&burst, bed->tables);
	pipeline_match(&burst, bed->tables);
	pipeline_fit(&burst, bed->tables);
	pipeline_rewrite(&burst, bed->tables, &bed->stats);
	p->size = burst.slot[0].frame_size;
	stream_begin(bed->stream, bed->tables->policy, bed->now);
	if ((burst.streams | burst.pieces) & 1)
		stream_packet(bed->stream, &burst, 0, p);
	if (burst.dropped & 1)
		bed_drop(bed, p);
	else if (!(burst.taken & 1))
		bed_send(bed, p);
	pipeline_count(&burst, bed->tables, &bed->stats);
	bed_check(bed);
}

void stream_bed_wait(struct stream_bed *bed, unsigned ms)
{
	bed->now += (uint64_t)ms * STREAM_BED_CYCLES_PER_MS;
	bed->side = BURST_FROM_RESOLVERS;
	stream_expire(bed->stream, bed->tables->policy, bed->now);
	bed_check(bed);
}

void stream_bed_clear(struct stream_bed *bed)
{
	unsigned n = 0;

	bed->n_sent = 0;
	for (unsigned i = 0; i < bed->n; i++) {
		if (bed->packets[i]->fate == STREAM_BED_HELD) {
			bed->packets[n++] = bed->packets[i];
			continue;
		}
		free(bed->packets[i]->bytes);
		free(bed->packets[i]);
	}
	bed->n = n;
}
