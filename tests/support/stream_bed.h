/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * lib/stream with the whole pipeline behind it, and packets in heap blocks of exactly their size.
 *
 * Each packet goes through as a worker takes it: alone in a burst, parsed, judged, or handed to the
 * stream. What goes on is in `sent`, in order. What has to be true at any time is asserted here: no
 * packet is sent or dropped twice, or used after it, or sent while packets of the other side are at
 * hand, whose port is another one; a packet keeps its size unless it is shortened;
 * verdicts and held packets add up to the packets received.
 */
#include "stream/stream.h"
#include "support/tables.h"

#define STREAM_BED_CYCLES_PER_MS 1000

enum stream_bed_fate {
	STREAM_BED_HELD,
	STREAM_BED_SENT,
	STREAM_BED_DROPPED,
};

struct stream_bed_packet {
	uint8_t *bytes;
	uint32_t size;
	enum burst_side side;
	enum stream_bed_fate fate;
};

struct stream_bed {
	struct stream *stream;
	const struct pipeline_tables *tables;
	struct stats_worker stats;
	struct stats_worker unseen; /**< of parts of messages */
	uint64_t now; /**< cycles */
	enum burst_side side; /**< of the packets at hand */
	uint16_t cut; /**< a message that is edited is cut to so many octets; 0: not */
	bool refuse;  /**< a message that is edited is not sent on */
	struct stream_bed_packet **packets; /**< all, in the order they came */
	unsigned n, room;
	struct stream_bed_packet **sent; /**< those that went on, in the order they did */
	unsigned n_sent;
};

struct stream_bed *stream_bed_create(
	const struct stream_conf *conf, const struct pipeline_tables *tables);
/** Flush, check that nothing is held, and free. */
void stream_bed_destroy(struct stream_bed *bed);

void stream_bed_packet(
	struct stream_bed *bed, const uint8_t *frame, uint32_t size, enum burst_side side);
/** Time goes on. */
void stream_bed_wait(struct stream_bed *bed, unsigned ms);
/** Forget packets that are no longer held. */
void stream_bed_clear(struct stream_bed *bed);
