/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "pkt/pkt.h"
#include "pkt/pkt_tcp.h"
#include "support/csum_full.h"
#include "support/run.h"

#define HEADERS_MAX (14 + 4 + 40 + PKT_TCP_SIZE)

const struct stream_conf traffic_conf = {
	.flows = 4096, .memory = 8 << 20, .hold_ms = 10, .gap_ms = 1000, .held = 2048};

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "traffic: %s\n", what);
	abort();
}

static void *zeros(size_t size)
{
	void *p = calloc(1, size);

	must(p != NULL, "no memory");
	return p;
}

/* ---- packets -------------------------------------------------------------------------------- */

// Those that are held as copies have another handle from then on.
static struct traffic_packet *packet_of(void *handle)
{
	uintptr_t copied = (uintptr_t)handle & 1;
	struct traffic_packet *p = (struct traffic_packet *)((uintptr_t)handle - copied);

	must(p->copied == (copied == 1), "not the handle that the packet has");
	return p;
}

static void *packet_keep(void *ctx, void *packet)
{
	struct traffic_packet *p = packet_of(packet);
	uint8_t *copy;

	(void)ctx;
	must(!p->sent && !p->copied, "kept twice");
	if (p->size > TRAFFIC_COPY_MAX)
		return packet;
	// Nobody has the frame any more.
	copy = zeros(p->size);
	memcpy(copy, p->frame, p->size);
	free(p->frame);
	p->frame = copy;
	p->copied = true;
	return (void *)((uintptr_t)packet | 1);
}

static void packet_read(void *ctx, void *packet, uint32_t at, void *bytes, uint32_t n)
{
	const struct traffic_packet *p = packet_of(packet);

	(void)ctx;
	must(!p->sent && at <= p->size && n <= p->size - at, "read outside of a packet");
	memcpy(bytes, p->frame + at, n);
}

static void packet_write(void *ctx, void *packet, uint32_t at, const void *bytes, uint32_t n)
{
	struct traffic_packet *p = packet_of(packet);

	(void)ctx;
	must(!p->sent && at <= p->size && n <= p->size - at, "written outside of a packet");
	memcpy(p->frame + at, bytes, n);
}

static void packet_shorten(void *ctx, void *packet, uint32_t size)
{
	(void)ctx;
	(void)packet;
	(void)size;
	must(false, "the length of a TCP segment changed");
}

static void packet_drop(void *ctx, void *packet)
{
	(void)ctx;
	(void)packet;
	must(false, "a TCP segment was dropped");
}

static uint16_t csum_of(
	const uint8_t *frame, const struct burst_slot *slot, const struct pkt_tcp *tcp)
{
	bool v4 = slot->family == ADDR_IPV4;
	uint32_t size = tcp->payload + tcp->size - slot->l4;
	uint16_t sum = csum_full_sum(6 + size, frame + slot->l3 + (v4 ? 12 : 8), v4 ? 8 : 32);

	return csum_full_sum(sum, frame + slot->l4, size);
}

static void packet_check(const struct traffic_packet *p)
{
	struct burst_slot slot = {.frame = p->before, .frame_size = p->size};
	struct pkt_tcp tcp;

	if (pkt_parse(&slot) != REASON_not_udp || slot.protocol != 6 ||
		!pkt_tcp_parse(&slot, &tcp)) {
		must(memcmp(p->frame, p->before, p->size) == 0, "changed, and it is not TCP");
		return;
	}
	for (uint32_t i = 0; i < p->size; i++) {
		bool may = (i >= tcp.payload && i < tcp.payload + tcp.size) ||
			   i - slot.l4 - PKT_TCP_CSUM_AT < 2;

		must(may || p->frame[i] == p->before[i], "changed outside of the payload");
	}
	must(csum_full_minus(csum_of(p->before, &slot, &tcp), csum_of(p->frame, &slot, &tcp)) == 0,
		"the checksum is not off by what it was off before");
}

static void packet_send(void *ctx, void *packet)
{
	struct traffic *t = ctx;
	struct traffic_packet *p = packet_of(packet);

	must(!p->sent, "sent twice");
	packet_check(p);
	p->sent = true;
	t->n_sent++;
	if (t->take)
		t->take(t->ctx, p);
}

static const struct packet_ops ops = {
	packet_read, packet_write, packet_shorten, packet_keep, packet_send, packet_drop};

/* ---- the stages ----------------------------------------------------------------------------- */

static enum reason message_run(struct burst *message, const struct pipeline_tables *tables,
	struct stats_worker *rewritten, struct stats_worker *counted)
{
	struct burst_slot *slot = &message->slot[0];

	pipeline_message(message, tables);
	pipeline_consent(message, tables);
	pipeline_match(message, tables);
	pipeline_fit(message, tables);
	if (message->edits)
		pipeline_rewrite(message, tables, rewritten);
	if (counted)
		pipeline_count_message(message, tables, counted);
	return slot->response && slot->refused & CONSENT_NO_LOG ? REASON_no_log : slot->reason;
}

static enum reason judge(void *ctx, struct burst *message, enum stream_how how)
{
	struct traffic *t = ctx;
	bool whole = how == STREAM_WHOLE;
	enum reason reason;

	t->judged[how]++;
	reason = message_run(
		message, t->tables, whole ? t->stats : t->unseen, whole ? t->stats : NULL);
	must(!message->dropped && !message->resized, "a message in TCP lost its length");
	return reason;
}

void traffic_judged(const struct pipeline_tables *tables, uint8_t *msg, uint32_t size, bool v6)
{
	static struct stats_worker stats;
	static struct burst message;
	uint32_t at = 14 + (v6 ? 40 : 20) + PKT_TCP_SIZE;
	uint8_t *frame = zeros(at + size + 1);

	// The client of all segments that are made here.
	memcpy(frame + 14 + (v6 ? 24 : 16), v6 ? "\x20\x01\x0d\xb8" : "\xcb\x00\x71\x07", 4);
	frame[14 + 39] = v6 ? 7 : frame[14 + 39];
	memcpy(frame + at, msg, size);
	message.side = BURST_FROM_RESOLVERS;
	message.slot[0] = (struct burst_slot){
		.frame = frame,
		.frame_size = at + size,
		.frame_room = at + size,
		.l3 = 14,
		.l4 = (uint16_t)(at - PKT_TCP_SIZE),
		.msg = (uint16_t)at,
		.msg_size = (uint16_t)size,
		.src_port = 53,
		.family = v6 ? ADDR_IPV6 : ADDR_IPV4,
		.protocol = 6,
	};
	message_run(&message, tables, &stats, &stats);
	memcpy(msg, frame + at, size);
	free(frame);
}

/* ---- frames --------------------------------------------------------------------------------- */

static uint32_t ip_write(uint8_t *ip, const struct traffic_segment *s)
{
	uint8_t *src, *dst;
	uint32_t size = PKT_TCP_SIZE + s->n;

	if (s->v6) {
		static const uint8_t ends[2][16] = {
			{0x20, 1, 0x0d, 0xb8, [15] = 0x53}, {0x20, 1, 0x0d, 0xb8, [15] = 7}};

		ip[0] = 0x60;
		store_be16(ip + 4, (uint16_t)size);
		ip[6] = 6;
		ip[7] = 64;
		memcpy(ip + 8, ends[s->from_client], 16);
		memcpy(ip + 24, ends[!s->from_client], 16);
		return 40;
	}
	ip[0] = 0x45;
	store_be16(ip + 2, (uint16_t)(20 + size));
	ip[8] = 64;
	ip[9] = 6;
	src = ip + (s->from_client ? 16 : 12);
	dst = ip + (s->from_client ? 12 : 16);
	memcpy(src, (const uint8_t[]){198, 51, 100, 53}, 4);
	memcpy(dst, (const uint8_t[]){203, 0, 113, 7}, 4);
	store_be16(ip + 10, (uint16_t)~csum_full_sum(0, ip, 20));
	return 20;
}

static uint32_t frame_write(uint8_t *frame, const struct traffic_segment *s, uint32_t *payload)
{
	uint32_t at = 12, l3, l4;
	bool flagless = s->flags & (PKT_TCP_SYN | PKT_TCP_RST);

	memcpy(frame, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
	if (s->vlan) {
		store_be16(frame + 12, 0x8100);
		store_be16(frame + 14, s->vlan);
		at += 4;
	}
	store_be16(frame + at, s->v6 ? 0x86dd : 0x0800);
	l3 = at + 2;
	l4 = l3 + ip_write(frame + l3, s);
	store_be16(frame + l4, s->from_client ? s->client : 53);
	store_be16(frame + l4 + 2, s->from_client ? 53 : s->client);
	store_be32(frame + l4 + 4, s->seq);
	store_be32(frame + l4 + 8, s->ack);
	frame[l4 + 12] = PKT_TCP_SIZE / 4 << 4;
	frame[l4 + 13] = s->flags | (flagless ? 0 : PKT_TCP_ACK);
	store_be16(frame + l4 + 14, 0xffff);
	*payload = l4 + PKT_TCP_SIZE;
	if (s->n > 0)
		memcpy(frame + *payload, s->octets, s->n);
	store_be16(frame + l4 + PKT_TCP_CSUM_AT,
		(uint16_t)~csum_full_sum(csum_full_sum(6 + PKT_TCP_SIZE + s->n,
						 frame + l3 + (s->v6 ? 8 : 12), s->v6 ? 32 : 8),
			frame + l4, PKT_TCP_SIZE + s->n));
	if (s->wrong)
		frame[l4 + PKT_TCP_CSUM_AT] ^= 0x5a;
	return *payload + s->n;
}

/* ---- the box -------------------------------------------------------------------------------- */

struct traffic *traffic_create(const struct pipeline_tables *tables, const struct stream_conf *conf,
	traffic_taker take, void *ctx)
{
	struct traffic *t = zeros(sizeof(*t));
	struct stream_hooks hooks = {.ops = &ops, .judge = judge, .ctx = t};

	t->tables = tables;
	t->take = take;
	t->ctx = ctx;
	t->stats = aligned_alloc(64, sizeof(*t->stats));
	t->unseen = aligned_alloc(64, sizeof(*t->unseen));
	must(t->stats && t->unseen, "no memory");
	memset(t->stats, 0, sizeof(*t->stats));
	memset(t->unseen, 0, sizeof(*t->unseen));
	hooks.stats = t->stats;
	// Where the clock wraps around soon.
	t->now = UINT64_C(0xffffff00) << 8;
	t->stream = stream_create(conf, &hooks, TRAFFIC_CYCLES_PER_MS, -1);
	must(t->stream != NULL, "no stream");
	return t;
}

static void sums_check(const struct traffic *t)
{
	must(t->stats->rx_packets == t->n_packets, "received and counted differ");
	must(run_verdicts(t->stats) == t->n_sent, "sent and counted differ");
	must(t->stats->held == traffic_held(t), "held and counted differ");
}

static const struct traffic_packet *packet_run(
	struct traffic *t, struct traffic_packet *p, enum burst_side side)
{
	static struct burst burst;

	if (t->n_packets == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->packets = realloc(t->packets, t->room * sizeof(*t->packets));
		must(t->packets != NULL, "no memory");
	}
	t->packets[t->n_packets++] = p;
	memset(&burst, 0xa5, sizeof(burst));
	burst.n = 1;
	burst.side = side;
	burst.bytes = burst.slot[0].frame_size = p->size;
	burst.slot[0].frame = p->frame;
	pipeline_parse(&burst, t->tables);
	stream_begin(t->stream, t->tables->policy, t->now);
	if (burst.streams | burst.pieces)
		stream_packet(t->stream, &burst, 0, p);
	if (!(burst.taken & 1)) {
		p->reason = burst.slot[0].reason;
		packet_send(t, p);
	}
	pipeline_count(&burst, t->tables, t->stats);
	sums_check(t);
	return p;
}

const struct traffic_packet *traffic_frame(
	struct traffic *t, enum burst_side side, const uint8_t *frame, uint32_t size)
{
	struct traffic_packet *p = zeros(sizeof(*p));

	p->size = size;
	p->frame = zeros(size ? size : 1);
	p->before = zeros(size ? size : 1);
	memcpy(p->frame, frame, size);
	memcpy(p->before, frame, size);
	return packet_run(t, p, side);
}

const struct traffic_packet *traffic_send(struct traffic *t, const struct traffic_segment *segment)
{
	struct traffic_packet *p = zeros(sizeof(*p));

	p->frame = zeros(HEADERS_MAX + segment->n);
	p->size = frame_write(p->frame, segment, &p->payload);
	p->frame = realloc(p->frame, p->size);
	p->before = zeros(p->size);
	memcpy(p->before, p->frame, p->size);
	p->segment = *segment;
	p->segment.octets = p->before + p->payload;
	return packet_run(t, p, segment->from_client ? BURST_FROM_CLIENTS : BURST_FROM_RESOLVERS);
}

void traffic_wait(struct traffic *t, unsigned ms)
{
	// Nearly as often as a worker looks.
	unsigned steps = ms < 50 ? 2 * ms : 100;

	for (unsigned i = 0; i < steps; i++) {
		t->now += (uint64_t)ms * TRAFFIC_CYCLES_PER_MS / steps;
		stream_expire(t->stream, t->tables->policy, t->now);
	}
	sums_check(t);
}

void traffic_destroy(struct traffic *t)
{
	stream_flush(t->stream);
	sums_check(t);
	must(traffic_held(t) == 0, "held at the end");
	for (size_t i = 0; i < t->n_packets; i++) {
		free(t->packets[i]->frame);
		free(t->packets[i]->before);
		free(t->packets[i]);
	}
	free(t->packets);
	stream_destroy(t->stream);
	free(t->stats);
	free(t->unseen);
	free(t);
}
