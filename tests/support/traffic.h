/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * TCP between clients and a resolver, through lib/stream and the stages as a worker has them, with a
 * clock that tests turn.
 *
 * What has to be true of any traffic is looked at all the way: a packet is sent once or still held,
 * each is counted under one reason when it leaves, its length stays, and so does all of it but
 * octets of payload and the checksum, which is right where it was right. What breaks that aborts.
 */
#include "pipeline/pipeline.h"
#include "stream/stream.h"

#define TRAFFIC_CYCLES_PER_MS 1000
#define TRAFFIC_COPY_MAX      90 /**< octets of a frame that is held as a copy */

/** One end-to-end connection: ports are 53 and `client`. */
struct traffic_segment {
	bool from_client;
	bool v6;
	uint16_t client; /**< its port */
	uint16_t vlan;   /**< 0: no tag */
	uint8_t flags;   /**< PKT_TCP_...; ACK is set unless SYN or RST is */
	uint32_t seq, ack;
	const uint8_t *octets; /**< borrowed */
	uint32_t n;
	bool wrong; /**< the checksum */
};

struct traffic_packet {
	uint8_t *frame, *before; /**< now; as it came */
	uint32_t size, payload;  /**< bytes; where the octets of the stream start */
	struct traffic_segment segment; /**< its octets are before + payload */
	bool sent, copied; /**< copied: held as a copy, its handle another one */
	enum reason reason; /**< where it was not held; REASON_none: it was */
};

typedef void (*traffic_taker)(void *ctx, const struct traffic_packet *packet);

struct traffic {
	const struct pipeline_tables *tables;
	struct stream *stream;
	struct stats_worker *stats, *unseen;
	uint64_t now;   /**< cycles */
	traffic_taker take; /**< gets each packet as it is sent; NULL: nobody does */
	void *ctx;
	struct traffic_packet **packets;
	size_t n_packets, room, n_sent;
	unsigned judged[2]; /**< calls by enum stream_how */
};

extern const struct stream_conf traffic_conf; /**< roomy */

struct traffic *traffic_create(
	const struct pipeline_tables *tables, const struct stream_conf *conf, traffic_taker take, void *ctx);

/** Send all that is held, check the sums, free. */
void traffic_destroy(struct traffic *t);

/** One packet through. @return it; freed with the traffic */
const struct traffic_packet *traffic_send(struct traffic *t, const struct traffic_segment *segment);

/** One frame as it is, of either side. */
const struct traffic_packet *traffic_frame(
	struct traffic *t, enum burst_side side, const uint8_t *frame, uint32_t size);

/** Time passes, and what is due happens. */
void traffic_wait(struct traffic *t, unsigned ms);

/** Packets that are held now. */
static inline size_t traffic_held(const struct traffic *t)
{
	return t->n_packets - t->n_sent;
}

/** What a message over TCP has to become, judged by itself. @p msg is changed in place. */
void traffic_judged(const struct pipeline_tables *tables, uint8_t *msg, uint32_t size, bool v6);
