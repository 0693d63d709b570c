/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures: responses in UDP datagrams, TCP streams and IP fragments, put together by lib/stream as
 * in the box.
 */
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "dns/dns_const.h"
#include "pdns_app.h"
#include "pkt/pkt.h"
#include "stream/stream.h"

#define PORT          53
#define CYCLES_PER_MS 1000 // the clock is that of the capture, in microseconds
#define ETHER_IPV4    0x0800
#define ETHER_IPV6    0x86dd

/** A frame that may be held. */
struct frame {
	uint32_t size;
	uint8_t octets[];
};

/** A capture that is being read. */
struct capture {
	struct pdns_import *import;
	pcap_t *pcap;
	unsigned
		skip; // octets in front of the IP header, if there is no Ethernet; PKT_ETHER_SIZE: there is
	bool ether;
	int64_t time_s;
	struct stream *stream;
	struct stats_worker *stats;
	struct policy policy;
	struct burst burst;
};

/* ---- messages -------------------------------------------------------------------------------- */

static void message_take(struct capture *c, const struct burst_slot *slot)
{
	struct pdns_answer answer = {.class = c->import->args->class,
		.time_s = c->time_s,
		.msg = slot->frame + slot->msg,
		.size = slot->msg_size};
	struct addr client = {.family = slot->family};

	if (slot->src_port != PORT || answer.size < DNS_HEADER_SIZE || !(answer.msg[2] & 0x80))
		return;
	// Where it goes to.
	memcpy(client.bytes, slot->frame + slot->l3 + (slot->family == ADDR_IPV4 ? 16 : 24),
		addr_size(slot->family));
	pdns_import_message(c->import, &answer, &client);
}

static enum reason stream_message(void *ctx, struct burst *message, enum stream_how how)
{
	if (how == STREAM_WHOLE)
		message_take(ctx, &message->slot[0]);
	return REASON_none;
}

/* ---- packets --------------------------------------------------------------------------------- */

static void packet_read(void *ctx, void *packet, uint32_t at, void *bytes, uint32_t n)
{
	const struct frame *frame = packet;

	memcpy(bytes, frame->octets + at, n);
}

static void packet_write(void *ctx, void *packet, uint32_t at, const void *bytes, uint32_t n)
{
	struct frame *frame = packet;

	memcpy(frame->octets + at, bytes, n);
}

static void packet_shorten(void *ctx, void *packet, uint32_t size)
{
	struct frame *frame = packet;

	frame->size = size;
}

static void *packet_keep(void *ctx, void *packet)
{
	(void)ctx;
	return packet;
}

static void packet_end(void *ctx, void *packet)
{
	free(packet);
}

static const struct packet_ops ops = {
	packet_read, packet_write, packet_shorten, packet_keep, packet_end, packet_end};

static bool is_dns_tcp(const struct burst_slot *slot)
{
	return slot->protocol == 6 && (slot->src_port == PORT || slot->dst_port == PORT);
}

static void frame_run(struct capture *c, struct frame *frame, uint64_t now_us)
{
	struct burst *burst = &c->burst;
	struct burst_slot *slot = &burst->slot[0];
	enum reason reason;

	memset(burst, 0, sizeof(*burst));
	burst->n = 1;
	burst->bytes = slot->frame_size = frame->size;
	slot->frame = frame->octets;
	reason = pkt_parse(slot);
	burst->side = slot->src_port == PORT || reason == REASON_fragment ? BURST_FROM_RESOLVERS
									  : BURST_FROM_CLIENTS;
	if (reason == REASON_none)
		message_take(c, slot);
	stream_begin(c->stream, &c->policy, now_us);
	stream_expire(c->stream, &c->policy, now_us);
	burst->streams = reason == REASON_not_udp && is_dns_tcp(slot);
	burst->pieces = reason == REASON_fragment;
	slot->reason = burst->streams ? REASON_tcp_dns : reason;
	if (burst->streams || burst->pieces)
		stream_packet(c->stream, burst, 0, frame);
	if (!(burst->taken & 1))
		free(frame);
}

/** What is in front of the IP header becomes that of Ethernet. @return NULL: no IP, or no memory */
static struct frame *frame_make(const struct capture *c, const uint8_t *octets, uint32_t size)
{
	uint32_t behind = c->ether ? size : size - c->skip;
	struct frame *frame;

	if (!c->ether &&
		(size <= c->skip || (octets[c->skip] >> 4 != 4 && octets[c->skip] >> 4 != 6)))
		return NULL;
	frame = malloc(sizeof(*frame) + PKT_ETHER_SIZE + behind);
	if (!frame)
		return NULL;
	frame->size = c->ether ? size : PKT_ETHER_SIZE + behind;
	memset(frame->octets, 0, PKT_ETHER_SIZE);
	if (!c->ether)
		store_be16(frame->octets + 12, octets[c->skip] >> 4 == 4 ? ETHER_IPV4 : ETHER_IPV6);
	memcpy(frame->octets + (c->ether ? 0 : PKT_ETHER_SIZE), octets + (c->ether ? 0 : c->skip),
		behind);
	return frame;
}

static int packets_read(struct capture *c)
{
	struct pcap_pkthdr *header;
	const uint8_t *octets;
	int got = 0;

	while (c->import->err == 0 && (got = pcap_next_ex(c->pcap, &header, &octets)) == 1) {
		struct frame *frame = frame_make(c, octets, header->caplen);

		c->import->messages++;
		c->time_s = header->ts.tv_sec;
		if (frame)
			frame_run(c, frame,
				(uint64_t)header->ts.tv_sec * 1000000 +
					(uint64_t)header->ts.tv_usec);
		pdns_import_progress(c->import);
	}
	stream_flush(c->stream);
	if (got >= 0 || got == PCAP_ERROR_BREAK)
		return COLLECT_DONE;
	return pdns_import_cut(c->import, pcap_geterr(c->pcap));
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool link_known(struct capture *c)
{
	static const struct {
		int link;
		unsigned skip;
	} links[] = {{DLT_RAW, 0}, {DLT_NULL, 4}, {DLT_LOOP, 4}, {DLT_LINUX_SLL, 16},
		{DLT_LINUX_SLL2, 20}};

	c->ether = pcap_datalink(c->pcap) == DLT_EN10MB;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]) && !c->ether; i++)
		if (links[i].link == pcap_datalink(c->pcap)) {
			c->skip = links[i].skip;
			return true;
		}
	return c->ether;
}

static int capture_open(struct capture *c)
{
	static const struct stream_conf conf = {.flows = 65536,
		.memory = (size_t)64 << 20,
		.hold_ms = 10000,
		.gap_ms = 10000,
		.held = 16384,
		.frag = {.trains = 4096, .packets = 2048, .hold_ms = 30000}};
	struct stream_hooks hooks = {.ops = &ops, .judge = stream_message, .ctx = c};
	char error[PCAP_ERRBUF_SIZE];

	c->pcap = pcap_open_offline(c->import->path, error);
	if (!c->pcap) {
		log_line(LOG_ERROR, "%s: %s", c->import->path, error);
		return COLLECT_USAGE;
	}
	if (!link_known(c)) {
		log_line(LOG_ERROR, "%s: expected Ethernet or IP, got link type %d",
			c->import->path, pcap_datalink(c->pcap));
		return COLLECT_USAGE;
	}
	c->stats = aligned_alloc(64, (sizeof(*c->stats) + 63) & ~(size_t)63);
	if (!c->stats)
		return COLLECT_FAILED;
	memset(c->stats, 0, sizeof(*c->stats));
	c->policy.n_ports = 1;
	c->policy.ports[0] = PORT;
	hooks.stats = c->stats;
	c->stream = stream_create(&conf, &hooks, CYCLES_PER_MS, -1);
	if (c->stream)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "%s: %s", c->import->path, strerror(errno));
	return COLLECT_FAILED;
}

int pdns_import_capture(struct pdns_import *import)
{
	struct capture *c = aligned_alloc(64, (sizeof(*c) + 63) & ~(size_t)63);
	int err;

	if (!c)
		return COLLECT_FAILED;
	memset(c, 0, sizeof(*c));
	c->import = import;
	err = capture_open(c);
	if (err == COLLECT_DONE)
		err = packets_read(c);
	stream_destroy(c->stream);
	if (c->pcap)
		pcap_close(c->pcap);
	free(c->stats);
	free(c);
	return err;
}
