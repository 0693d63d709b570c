/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of fragments share.
 *
 *   buckets   [index]  one of two or more a train, by the keyed hash of the key: first train in it
 *   trains    [index]  chained in their bucket, and by age from `oldest` to `newest`; each has the
 *                      same time to live, so the oldest is the first whose time is over
 *   pieces    [index]  held packets, chained in their train in the order they came
 *
 * Indices start at 1; 0 is none. Trains and pieces that are free are chained through `chain` and
 * `next`.
 */
#include "pkt/pkt_fragment.h"
#include "stream/stream_frag.h"
#include "stream/stream_private.h"

#include <assert.h>

#define FRAG_UNITS_MAX  8192  /**< of 8 octets: RFC 791 s3.2, RFC 8200 s4.5 */
#define FRAG_FRAME_SIZE 65536 /**< largest datagram put together, with its headers; in the scratch */

/** What tells datagrams apart (RFC 791 s3.2, RFC 8200 s4.5), and the link they came over. */
struct frag_key {
	uint8_t addresses[32]; /**< source, destination; as in the header, the rest is 0 */
	uint64_t link;
	uint32_t id;
	uint8_t family;
	uint8_t protocol;
	uint16_t zero;
};

static_assert(sizeof(struct frag_key) == 48, "hashed and compared as 6 words");

enum frag_state {
	FRAG_HOLD, /**< packets are held */
	FRAG_PASS, /**< packets go on, under the train's reason */
	FRAG_DROP, /**< packets are not sent, for the train's reason */
};

struct frag_train {
	struct frag_key key;
	uint64_t deadline; /**< cycles */
	uint32_t bucket, chain;
	uint32_t older, newer;
	uint32_t head, tail;  /**< pieces */
	uint32_t first;       /**< piece at offset 0 */
	uint32_t end;         /**< of the piece that reaches farthest, octets */
	uint32_t total;       /**< of the datagram; valid when ended */
	uint16_t n_units;     /**< bits of `units` set */
	uint8_t n_pieces;
	uint8_t state;        /**< enum frag_state */
	bool ended;           /**< the last fragment is there */
	bool wanted;          /**< a first fragment is there, and is of a DNS response */
	bool contradicts;     /**< two pieces do not agree */
	bool changed;         /**< a datagram of this key was changed not long ago: these may be copies */
	enum reason reason;   /**< of those that are not held */
	uint64_t units[FRAG_UNITS_MAX / 64]; /**< 8 octets each that are there; 0 in a free train */
};

static_assert(STREAM_FRAG_PIECES_MAX <= UINT8_MAX, "n_pieces");

struct frag_piece {
	void *packet;
	uint32_t next;
	struct pkt_fragment at;
};

struct stream_frag {
	struct stream *stream;
	uint64_t hold_cycles;
	uint32_t n_trains, n_pieces; /**< in all */
	uint64_t seed[6];       /**< of the hash */
	uint32_t bucket_mask;
	uint32_t oldest, newest;
	uint32_t free_train, free_piece;
	uint32_t held;          /**< packets */
	uint32_t *buckets;
	struct frag_train *trains;
	struct frag_piece *pieces;
};

/* stream_frag_train.c */
struct frag_train *frag_find(const struct stream_frag *f, const struct frag_key *key);
/** A new train, in the place of the oldest if there is no other. */
struct frag_train *frag_begin(struct stream_frag *f, const struct frag_key *key);
/** End a train that holds nothing. */
void frag_forget(struct stream_frag *f, struct frag_train *train);
/** Hold a packet; there is room. */
void frag_hold(struct stream_frag *f, struct frag_train *train, const struct pkt_fragment *at, void *packet);
/** Send all packets of a train as they came; drop those that may be copies of what was changed. */
void frag_release(struct stream_frag *f, struct frag_train *train, enum reason reason);
/** Drop all packets of a train. */
void frag_drop(struct stream_frag *f, struct frag_train *train, enum reason reason);
/** The oldest train leaves. */
void frag_evict(struct stream_frag *f, enum reason reason);
/** Let go of the packet that came first. @return the packet, which the caller sends or drops */
void *frag_unhold(struct stream_frag *f, struct frag_train *train);

/* stream_frag_join.c */
/** Note what octets @p at brings, and whether they agree with those that are there. */
void frag_cover(struct stream_frag *f, struct frag_train *train, const struct pkt_fragment *at, const uint8_t *payload);
/** Whether each octet of the datagram is there. */
bool frag_is_whole(const struct frag_train *train);
/** Put a whole train together, have it judged, send its packets. @return whether not as they came */
bool frag_judge(struct stream_frag *f, struct frag_train *train);
