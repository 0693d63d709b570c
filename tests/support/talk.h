/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What a resolver says over one TCP connection, as it is said and as it has to arrive; and a client
 * that puts together what arrives.
 */
#include "support/traffic.h"

#define TALK_PORT 40000
#define TALK_TTL_KEPT 60 /**< seconds; what tables_create cuts TTLs to */
#define TALK_ISN  0xfffff000u /**< sequence numbers wrap around early in a talk */

struct talk {
	const struct pipeline_tables *tables;
	bool v6;
	bool early; /**< parts leave before all is there: AD is not set, which could not be cleared any more */
	uint8_t *said, *expected; /**< messages with their lengths */
	bool *got;
	uint8_t *arrived;
	uint32_t size, room;
	uint32_t acked;      /**< all octets before it arrived, and the box was told */
	uint32_t contiguous; /**< all octets before it arrived */
	unsigned unlike; /**< octets that arrived a second time, before they were acknowledged, as others */
};

struct talk *talk_create(const struct pipeline_tables *tables, bool v6);
void talk_destroy(struct talk *talk);

/** Octets as they are. */
void talk_raw(struct talk *talk, const void *octets, uint32_t n);

/** A message, its length before it; @p msg is borrowed. */
void talk_message(struct talk *talk, const uint8_t *msg, uint32_t size);

/**
 * A response for @p name with @p n addresses of its own family, or of @p target, a CNAME's, where that is
 * not NULL. With a TTL that a rewrite cuts, AD is set, too, unless `early` is.
 */
void talk_answer(struct talk *talk, const char *name, const char *target, unsigned n, uint32_t ttl);

/** Traffic whose packets arrive at @p talk. */
struct traffic *talk_traffic(struct talk *talk, const struct stream_conf *conf);

/** The client's query: all that was said before has arrived. */
const struct traffic_packet *talk_ask(struct talk *talk, struct traffic *t);
/** The resolver says [from, to). */
const struct traffic_packet *talk_say(struct talk *talk, struct traffic *t, uint32_t from, uint32_t to);
/** The client acknowledges what has arrived. */
void talk_acknowledge(struct talk *talk, struct traffic *t);
/** A segment without payload. */
const struct traffic_packet *talk_sign(
	struct talk *talk, struct traffic *t, bool from_client, uint8_t flags, uint32_t at);

/** Whether all has arrived, as it has to. @return NULL, or what is wrong */
const char *talk_error(const struct talk *talk);
