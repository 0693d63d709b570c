/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * TCP connections, followed from the resolver to the client.
 *
 * The octets of a connection's responses are one sequence with an overlay of patches. A segment
 * leaves when all its octets were judged, or are released unjudged for a reason that is counted; as
 * it leaves, the patches in its range are written into it. So what is sent again, in whatever pieces,
 * gets the same octets again.
 *
 *        start          clear    seal        next
 *   ------+---------------+--------+-----------+--------- sequence numbers
 *         |               |        |           `- first octet that is not there yet
 *         |               |        `- octets before it will get no further patch
 *         |               `- octets before it may leave
 *         `- of the message under way: next - have
 *
 * With nothing under way all four are the same.
 *
 * Threads: the worker's own.
 * Source:  RFC 9293 (TCP), RFC 1035 s4.2.2 and RFC 7766 s8 (messages in it).
 */
#include <stdbool.h>

#include "base/bytes.h"
#include "dns/dns_const.h"
#include "dns/dns_msg.h"
#include "pkt/pkt_tcp.h"
#include "stream/stream_private.h"

#define STREAM_NONE UINT32_MAX /**< no index */
#define STREAM_HEAD_SIZE (2 + DNS_HEADER_SIZE) /**< of a message, its length first */

/**
 * What may be held of one connection for the rest of a message, before the records that are there
 * are judged and leave without waiting longer. A sender that gets no acknowledgement stops after 10
 * segments at the start (RFC 6928): of 1,460 octets each that is more than this, so it never waits.
 */
#define STREAM_HOLD_PACKETS 64
#define STREAM_HOLD_OCTETS  8192

/** What a packet that is held as it came counts of a connection's share; a copy counts 1. */
#define STREAM_WEIGHT 4

/**
 * Of all segments that may be held so many are for one connection behind a gap: what is under way at
 * once, a window of 64 KB, is 46 segments of 1,460 octets. Cut to 8 octets it is 8,192, which is the
 * share of the default, as copies. All of them leave at once when the gap is filled, so that it is
 * not more: a worker has nothing else to do meanwhile.
 */
#define STREAM_GAP_SHARE 4

/**
 * Patches kept of one connection; then the oldest go. As many as 256 KB of the shortest records with
 * addresses have, of 16 octets each: what was acknowledged, and what is under way.
 */
#define STREAM_PATCHES_MAX 16384

/** Octets behind the last ones of which patches are kept at all: more than is ever under way of DNS. */
#define STREAM_PATCH_WINDOW (1u << 20)

/**
 * Octets that the client has acknowledged and of which patches are kept nevertheless: what was sent
 * again meanwhile is under way, at most a window without scaling (RFC 9293 s3.1). The client drops it,
 * but who looks on would see two streams.
 */
#define STREAM_PATCH_ACKED 65536u

/** Messages one behind another that are no responses, after which it is not DNS. Ours. */
#define STREAM_ODD_MAX 8

#define STREAM_CHUNK_OCTETS 508
#define STREAM_PATCH_OCTETS 20 /**< RDLENGTH, an IPv6 address, and of a TTL what mostly differs */
#define STREAM_OWNER_MASK   0xffffff

/** Octets of messages under way. */
struct stream_chunk {
	uint32_t next;
	uint8_t octets[STREAM_CHUNK_OCTETS];
};

/**
 * Octets that are sent instead of others. All patches stand in a ring in the order they were made, of
 * whatever connection, and a new one takes the place of the oldest.
 */
struct stream_patch {
	uint32_t next; /**< of the same connection */
	uint32_t seq;  /**< of octets[0] */
	uint32_t owner : 24; /**< index of the connection */
	uint32_t size : 8;   /**< 0: nobody's */
	uint8_t octets[STREAM_PATCH_OCTETS];
};

/** A segment: at hand, or held. */
struct stream_held {
	void *packet;
	uint32_t next;
	uint32_t lane;    /**< of some: the next of them further on (stream_held.c) */
	uint32_t seq;     /**< of the first octet of payload */
	uint16_t size;    /**< of the payload, 1.. */
	uint16_t payload; /**< where it starts in the frame */
	uint16_t l3, l4;
	uint8_t reason; /**< so far; the highest of all messages that it has octets of */
	uint8_t weight; /**< STREAM_WEIGHT: as it came; 1: a copy */
};

struct stream_key {
	uint8_t server[16], client[16]; /**< network byte order; IPv4 uses the first 4, the rest is 0 */
	uint64_t link;                  /**< pkt_link */
	uint16_t server_port, client_port;
	uint8_t family; /**< enum addr_family */
	uint8_t zero[3];
};

/** By how long it takes until a connection is forgotten; the oldest of each list comes first. */
enum stream_age {
	STREAM_YOUNG,   /**< nothing came from the server yet */
	STREAM_LIVE,
	STREAM_CLOSING, /**< closed or reset; patches are kept for what is still sent again */
	STREAM_AGES,
};

enum stream_timer {
	STREAM_HOLD, /**< the first octets of a message are held */
	STREAM_GAP,  /**< only octets behind a gap are held */
	STREAM_TIMERS,
	STREAM_NO_TIMER = STREAM_TIMERS,
};

enum stream_flag {
	STREAM_WAIT = 1,   /**< `next` is not known yet: the SYN had data (RFC 7413) */
	STREAM_REOPEN = 2, /**< the client sent a SYN: the server's answer to it begins anew */
	STREAM_FIN = 4,    /**< of the server */
	STREAM_UNSURE = 8, /**< `next` may be inside a message */
	STREAM_AGAIN = 16, /**< it is over, and the server agreed to one that begins at `first` */
	STREAM_TRANSFER = 32, /**< a zone was asked for */
	STREAM_PAST = 64, /**< nothing is held, and the client says that it has all up to `due` */
};

/** Place in a list of connections. */
struct stream_link {
	uint32_t next, prev;
};

enum stream_link_of {
	STREAM_LINK_AGE,
	STREAM_LINK_TIMER,
};

struct stream_flow {
	struct stream_key key;
	uint32_t chain; /**< next of the same bucket; of the free ones */
	struct stream_link link[2];
	uint32_t used; /**< tick when something last came */
	uint32_t due;  /**< tick of its timer; without one, see STREAM_PAST */
	uint32_t next, clear, seal, have;
	uint32_t chunk_first, chunk_last;
	uint32_t held_first, held_last; /**< in the order of `seq` */
	uint32_t patch_first, patch_last; /**< in the order of `seq` */
	uint16_t weight; /**< of what is held */
	uint16_t n_patches;
	uint8_t age : 4;    /**< enum stream_age */
	uint8_t timer : 4;  /**< enum stream_timer */
	uint8_t flags;      /**< enum stream_flag */
	uint8_t reason;     /**< why it passes unfiltered; REASON_none: it does not */
	uint8_t odd : 4;    /**< messages that were no responses, since the last response */
	uint8_t rounds : 4; /**< times that its hold timer was put off */
	uint16_t mark;  /**< `clear` when its timer was set, the lower half */
	uint16_t first; /**< number of the first octet of the server, the lower half */
};

_Static_assert(sizeof(struct stream_flow) == 128, "two cache lines a connection");
_Static_assert(sizeof(struct stream_patch) == 32 && sizeof(struct stream_held) == 32,
	"two in a cache line");

/** A list of connections, the oldest first. */
struct stream_list {
	uint32_t first, last, n;
	enum stream_link_of of;
};

/**
 * Things of one kind. Those that were never used come last, so that memory that is not needed is
 * not touched.
 */
struct stream_pool {
	uint32_t free;  /**< first of those that were given back */
	uint32_t fresh; /**< first that was never used */
	uint32_t n;
};

/** The next that was never used, where none was given back. @return STREAM_NONE: there is none left */
static inline uint32_t stream_pool_fresh(struct stream_pool *pool)
{
	return pool->fresh < pool->n ? pool->fresh++ : STREAM_NONE;
}

static inline bool stream_pool_is_empty(const struct stream_pool *pool)
{
	return pool->free == STREAM_NONE && pool->fresh == pool->n;
}

struct stream_tcp {
	struct stream *stream;
	uint64_t seed[4]; /**< of the hash */
	unsigned shift;   /**< a tick is 2^shift cycles, at most a quarter of a millisecond */
	uint32_t tick, expired; /**< now; when stream_tcp_expire last looked */
	uint32_t hold, gap;     /**< ticks */
	uint32_t gap_weight;    /**< of what may be held of one connection behind a gap */
	uint32_t n_whole, n_whole_max; /**< segments held as they came */
	uint32_t idle[STREAM_AGES]; /**< ticks */

	struct stream_list ages[STREAM_AGES], timers[STREAM_TIMERS];
	uint32_t *buckets;
	uint32_t bucket_mask;
	struct stream_flow *flows; /**< by `chain` */
	struct stream_chunk *chunks;
	struct stream_patch *patches;
	struct stream_held *held;
	struct stream_pool flow_pool, chunk_pool, held_pool;
	uint32_t n_patches;
	uint32_t patch_at;   /**< place of the next patch */
	uint32_t patch_seen; /**< the last that a segment was held against */

	uint8_t *text;   /**< a message of which chunks were put together, as it came */
	uint8_t *sent;   /**< the same, as it was sent so far */
	uint8_t *octets; /**< payload of a segment that was held */
	size_t size;     /**< of the block that all this lies in */
};

/** How far @p a is behind @p b in sequence, or before it (RFC 9293 s3.4). */
static inline int32_t stream_seq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

#define STREAM_BEGIN_SIZE 5 /**< octets of a message, its length first, up to QR */

/** Whether octets look like the begin of a response: the length, and QR if it is there. */
static inline bool stream_is_begin(const uint8_t *octets, uint32_t n)
{
	return n >= 2 && load_be16(octets) >= DNS_HEADER_SIZE &&
	       (n < STREAM_BEGIN_SIZE || octets[4] & (DNS_FLAG_QR >> 8));
}

/** The same, header and all: octets from the middle of a message hardly ever do. */
static inline bool stream_is_response(const uint8_t *octets, uint32_t n)
{
	return n >= STREAM_HEAD_SIZE && stream_is_begin(octets, n) &&
	       dns_msg_qdcount(octets + 2) == 1;
}

/* stream_tcp_create.c */
struct stream_tcp *stream_tcp_create(struct stream *stream, const struct stream_conf *conf, int node);
void stream_tcp_destroy(struct stream_tcp *tcp);

/* stream_flow.c: the table */
/** What is followed under @p key. @return NULL: nothing */
struct stream_flow *stream_flow_find(struct stream_tcp *tcp, const struct stream_key *key);

/** Begin to follow at @p next; another one is forgotten where there is no room. */
struct stream_flow *stream_flow_create(
	struct stream_tcp *tcp, const struct stream_key *key, uint32_t next);

/** Send what is held as it is, with @p reason, and forget all. */
void stream_flow_close(struct stream_tcp *tcp, struct stream_flow *flow, enum reason reason);

/** It is the youngest of @p age now. */
void stream_flow_touch(struct stream_tcp *tcp, struct stream_flow *flow, enum stream_age age);

/** Start the timer, @p ticks from now; STREAM_NO_TIMER stops it. */
void stream_flow_timer(struct stream_tcp *tcp, struct stream_flow *flow, enum stream_timer timer,
	uint32_t ticks);

static inline uint32_t stream_flow_index(const struct stream_tcp *tcp, const struct stream_flow *flow)
{
	return (uint32_t)(flow - tcp->flows);
}

/* stream_patch.c */
/** Note that from @p seq on @p after is sent for @p before, behind all patches that there are. */
void stream_patch_note(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t seq,
	const uint8_t *before, const uint8_t *after, uint32_t size);

/** Forget patches of octets before @p seq. */
void stream_patch_trim(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t seq);

/** Forget all patches. */
void stream_patch_forget(struct stream_tcp *tcp, struct stream_flow *flow);

/** Put the patches of [seq, seq + size) into @p octets. */
void stream_patch_overlay(const struct stream_tcp *tcp, const struct stream_flow *flow, uint32_t seq,
	uint8_t *octets, uint32_t size);

/** Put them into a segment, checksum included. */
void stream_patch_segment(
	struct stream_tcp *tcp, const struct stream_flow *flow, const struct stream_held *segment);

/* stream_prefix.c */
/** What can be judged of a message whose begin is there; bytes from its first octet. */
struct stream_prefix {
	uint32_t size;    /**< of the message that was made of it, 0: there is no record to judge */
	uint32_t fill;    /**< from here to `size` stand zeros for an address to come; `size`: none do */
	uint32_t decided; /**< octets before it are settled by this judgement, those to come included */
};

/**
 * Make a message of the first octets of one: counts are those of the records that are there. Of the
 * record that is cut what can be judged is kept: an address is filled up with zeros, and a service
 * binding ends behind the last parameter that is there, or that is a hint filled up with zeros.
 * Changed are counts, that record's RDLENGTH, and octets behind the first @p have.
 *
 * Of an address whose RDLENGTH has not come the fixed part is filled up, too, with what RDLENGTH has to
 * be for the type. A TTL of which a part is there is decided to its end: it never leaves as half of
 * what was sent and half of another one.
 *
 * @param msg  @p have octets of it, with room for @p size
 */
struct stream_prefix stream_prefix(uint8_t *msg, uint32_t have, uint32_t size);

/* stream_text.c: octets to messages */
/**
 * Octets from flow->next on. Judges messages that are complete, keeps the rest.
 *
 * @param segment they came in; it, and all held ones that have octets of a message, get its reason
 */
void stream_text_take(struct stream_tcp *tcp, struct stream_flow *flow, struct stream_held *segment,
	const uint8_t *octets, uint32_t n);

/** Judge the records that are there of the message under way, and let its octets leave. */
void stream_text_release(struct stream_tcp *tcp, struct stream_flow *flow);

/** Forget the message under way. */
void stream_text_drop(struct stream_tcp *tcp, struct stream_flow *flow);

/** From now on nothing of it is judged. */
void stream_text_give_up(struct stream_tcp *tcp, struct stream_flow *flow, enum reason reason);

/** Start anew at @p next, as soon as what is held was settled. */
void stream_text_restart(
	struct stream_tcp *tcp, struct stream_flow *flow, uint32_t next, bool sure);

/* stream_held.c */
/** Hold @p segment; stream_held_room was asked. What follows it in order is taken up, as by settle. */
void stream_held_add(
	struct stream_tcp *tcp, struct stream_flow *flow, const struct stream_held *segment);

/** See that one more can be held, if need be by sending what was held longest. */
void stream_held_room(struct stream_tcp *tcp);

/** Take up what follows in order, send what may leave, keep bounds, set the timer. */
void stream_held_settle(struct stream_tcp *tcp, struct stream_flow *flow);

/** Send all, with the reasons they have, or at least @p reason. */
void stream_held_flush(struct stream_tcp *tcp, struct stream_flow *flow, enum reason reason);

/** Nothing is waited for any longer: what is held goes, judged where it can be. */
void stream_held_end(struct stream_tcp *tcp, struct stream_flow *flow);

/** What is due at tcp->tick. */
void stream_held_expire(struct stream_tcp *tcp);

/* stream_tcp.c */
void stream_tcp_packet(struct stream_tcp *tcp, struct burst *burst, unsigned i, void *packet);
void stream_tcp_expire(struct stream_tcp *tcp);
void stream_tcp_flush(struct stream_tcp *tcp);
