/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * DNS responses in IP fragments: held until all of a datagram is there, judged as one message, edited
 * where they are held, and sent on in the sizes and the order they came in.
 *
 * The fragments of one datagram are a train. Its first fragment tells the ports, so a train is held
 * until that is there; one that is no DNS response goes on at once, and so does what comes behind it.
 * Pieces may come in any order and more than once, as long as they agree on every octet.
 *
 * A train leaves
 *   whole       each packet under the reason of the message, with the octets that were changed; of an
 *               answer that got shorter the rest is cut off
 *   incomplete  as it came, when its time is over
 *   over bound  as it came, when there is no room: of trains, of held packets, of packets in a train
 *   contradictory  not at all: where two pieces do not agree, receivers must give the datagram up
 *               (RFC 8200 s4.5, RFC 5722), and what a receiver that does not would make of it is
 *               anybody's guess. Only trains that are known to be DNS responses
 *
 * Copies of what was changed, cut or dropped begin a train again, which is judged if it gets whole; else
 * they are dropped, since a receiver may lack just the fragment that one of them is a copy of.
 *
 * Only packets from the resolvers' side are held. All memory is taken at creation.
 *
 * Layer:   lib/stream; no EAL.
 * Threads: all calls but create and destroy in the worker whose packets it holds.
 * Source:  RFC 791 s3.2, RFC 8200 s4.5, RFC 5722, RFC 6946.
 */
#include "stream/stream.h"

/**
 * Packets of one train. Ours: an answer of 65,507 octets takes 119 over a link with an MTU of 576,
 * and 54 with IPv6's smallest, 1,280.
 */
#define STREAM_FRAG_PIECES_MAX 128

struct stream_frag;

/**
 * @param stream its hooks, clock, policy and scratch are used; kept
 * @param node   NUMA node, -1 any
 * @return NULL: errno says why
 */
struct stream_frag *stream_frag_create(
	const struct stream_frag_conf *conf, struct stream *stream, int node);

/** Give it back; packets that it holds are dropped uncounted. NULL is allowed. */
void stream_frag_destroy(struct stream_frag *f);

/**
 * A packet of burst->pieces, in the order they came. Where it is held, or does not go on, its bit is
 * set in burst->taken; otherwise it goes on as it is, and slot->reason says why.
 *
 * @param i      its slot
 * @param packet what ops knows it by
 *
 * Hot path. Work is bounded by the octets of the packet, or, once a train is whole, by the octets and
 * packets of that.
 */
void stream_frag_packet(struct stream_frag *f, struct burst *burst, unsigned i, void *packet);

/** Send on what has waited too long. Costs a comparison when there is nothing. */
void stream_frag_expire(struct stream_frag *f);

/** Send on all that is held: the worker ends. */
void stream_frag_flush(struct stream_frag *f);
