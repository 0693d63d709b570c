/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/witness.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/csum_full.h"

#define SEQUENCE_AT 4
#define FLAGS_AT    13
#define CHECKSUM_AT 16

struct flow {
	uint8_t ends[36]; // addresses and ports as they stand in the headers
	uint8_t octets[WITNESS_OCTETS];
	uint32_t sequences[WITNESS_OCTETS]; // of the octet at this place
};

struct witness {
	struct witness_counts counts;
	struct flow *flows[WITNESS_FLOWS];
};

struct witness *witness_create(void)
{
	return calloc(1, sizeof(struct witness));
}

void witness_destroy(struct witness *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < WITNESS_FLOWS; i++)
		free(w->flows[i]);
	free(w);
}

static void ends_of(const uint8_t *frame, const struct frame_view *v, uint8_t ends[36])
{
	size_t size = v->version == 4 ? 8 : 32;

	memset(ends, 0, 36);
	memcpy(ends, frame + v->l3 + (v->version == 4 ? 12 : 8), size);
	memcpy(ends + 32, frame + v->l4, 4);
}

// The flow of a segment; NULL when another one has its place, or there is no memory.
static struct flow *flow_of(struct witness *w, const uint8_t *frame, const struct frame_view *v)
{
	uint8_t ends[36];
	uint64_t hash = 0;
	struct flow **place;

	ends_of(frame, v, ends);
	for (size_t i = 0; i < sizeof(ends); i += 4)
		hash = (hash ^ load_be32(ends + i)) * 0x9e3779b97f4a7c15u;
	place = &w->flows[(hash >> 32) % WITNESS_FLOWS];
	if (frame[v->l4 + FLAGS_AT] & FRAME_SYN) {
		if (!*place)
			*place = malloc(sizeof(**place));
		if (!*place)
			return NULL;
		memcpy((*place)->ends, ends, sizeof(ends));
		// No octet is known: none of these numbers belongs where it stands.
		for (uint32_t i = 0; i < WITNESS_OCTETS; i++)
			(*place)->sequences[i] = i + 1;
	}
	return *place && memcmp((*place)->ends, ends, sizeof(ends)) == 0 ? *place : NULL;
}

// 0 and all ones are one number in ones' complement, and some senders write the one, some the
// other.
static bool sum_right(const uint8_t *frame, const struct frame_view *v)
{
	uint16_t field = load_be16(frame + v->l4 + CHECKSUM_AT), right = frame_checksum(frame, v);

	return field == right || (field == 0xffff && right == 0);
}

void witness_look(struct witness *w, const uint8_t *frame, const struct frame_view *v)
{
	uint32_t sequence = load_be32(frame + v->l4 + SEQUENCE_AT);
	uint16_t size = frame_payload_size(v);
	struct flow *flow;

	if (!sum_right(frame, v) ||
		(v->version == 4 &&
			csum_full_sum(0, frame + v->l3, (frame[v->l3] & 15) * 4u) != 0xffff))
		w->counts.bad_sums++;
	flow = flow_of(w, frame, v);
	if (!flow)
		return;
	// The octet behind a SYN has the next number.
	sequence += (frame[v->l4 + FLAGS_AT] & FRAME_SYN) != 0;
	for (uint16_t i = 0; i < size; i++, sequence++) {
		uint32_t at = sequence % WITNESS_OCTETS;
		uint8_t octet = frame[v->payload + i];

		if (flow->sequences[at] == sequence && flow->octets[at] != octet)
			w->counts.changed++;
		flow->sequences[at] = sequence;
		flow->octets[at] = octet;
	}
}

const struct witness_counts *witness_counts(const struct witness *w)
{
	return &w->counts;
}
