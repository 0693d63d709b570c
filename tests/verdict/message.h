/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Responses that hold names: as question, as owner, as CNAME or DNAME target, in one piece or with
 * compression pointers at any of their labels.
 */
#include "verdict/name.h"

#define MESSAGE_NAMES 4
#define MESSAGE_ROOM  8192
#define FRAME_HEADERS 42 /**< Ethernet, IPv4, UDP */

struct message {
	uint8_t frame[MESSAGE_ROOM]; /**< from the Ethernet header on */
	uint32_t size;
	uint32_t address_at; /**< of its only A record's address, from frame[0] */
	struct name names[MESSAGE_NAMES]; /**< that the filter has to judge, in their order */
	unsigned n_names;
};

/** The usual headers; after this only names change. */
void message_init(struct message *m);

/**
 * Lay names[0..n_names) out, n_names being 1 or MESSAGE_NAMES, in a way that @p random decides. One
 * name may get another one, not listed, before it.
 */
void message_make(struct message *m, uint64_t *random);

/** Read the name at @p at of a message, as slowly as it goes. @return false where there is none */
bool message_name(const uint8_t *msg, unsigned size, unsigned at, struct name *name);
