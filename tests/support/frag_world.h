/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * For tests of fragments: an answer, what it has to become, and a host that gets what was sent.
 */
#include "stream/stream_frag.h"
#include "support/fragments.h"
#include "support/stream_bed.h"

#define FRAG_HOLD_MS 500
#define FRAG_TRAINS  32
#define FRAG_PACKETS 160

struct world {
	struct tables *tables;
	struct stream_bed *bed;
	struct wire *answer;
	uint8_t *expected; /**< of the datagram, `total` octets */
	uint32_t total;
	unsigned n_seen; /**< packets that the host has looked at */
	unsigned n_done; /**< datagrams from port 53 that it got */
	struct fragment_host host;
};

enum form {
	FORM_IPV4,
	FORM_IPV4_OPTIONS,
	FORM_IPV4_QINQ,
	FORM_IPV4_PPPOE,
	FORM_IPV6,
	FORM_IPV6_VLAN,
	FORMS,
};

/** An answer with two addresses of @p name, from @p port. */
struct wire *world_answer(enum form form, const char *name, uint16_t port, bool checksum);

struct world *world_create(enum form form);
void world_destroy(struct world *world);

/** Packets that are no longer held, and what the host has, are forgotten. */
void world_clear(struct world *world);

/** A piece of @p w comes; each datagram that the host gets of what is sent then is the one expected. */
void world_push_of(struct world *world, const struct wire *w, const struct fragment_cut *cut);

/** The same for the answer. */
void world_push(struct world *world, const struct fragment_cut *cut);

/** @p n pieces in rising order, cut at @p units of 8 octets. @return n */
unsigned world_cuts(const struct world *world, const uint32_t *units, unsigned n,
	struct fragment_cut *cuts);

uint64_t world_verdicts(const struct world *world, enum reason reason);

/** All @p n packets were sent, in the order in which they came. */
void world_assert_order(const struct world *world, unsigned n);
