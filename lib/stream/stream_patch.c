/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_tcp_private.h"

#include "base/csum.h"

#define RUN_GAP 3 // equal octets between two changed ones that do not make a patch of their own

static void first_free(struct stream_tcp *tcp, struct stream_flow *flow)
{
	struct stream_patch *patch = &tcp->patches[flow->patch_first];

	patch->size = 0;
	flow->patch_first = patch->next;
	if (flow->patch_first == STREAM_NONE)
		flow->patch_last = STREAM_NONE;
	flow->n_patches--;
}

// The place of the oldest patch of all: it is the first that its connection has left.
static uint32_t place_take(struct stream_tcp *tcp)
{
	uint32_t i = tcp->patch_at;

	if (tcp->patches[i].size > 0)
		first_free(tcp, &tcp->flows[tcp->patches[i].owner]);
	tcp->patch_at = i + 1 < tcp->n_patches ? i + 1 : 0;
	return i;
}

static void patch_append(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t seq,
	const uint8_t *octets, uint32_t n)
{
	struct stream_patch *patch;
	uint32_t i;

	if (flow->n_patches == STREAM_PATCHES_MAX)
		first_free(tcp, flow);
	i = place_take(tcp);
	patch = &tcp->patches[i];
	patch->next = STREAM_NONE;
	patch->seq = seq;
	patch->owner = stream_flow_index(tcp, flow) & STREAM_OWNER_MASK;
	patch->size = (uint8_t)n;
	memcpy(patch->octets, octets, n);
	if (flow->patch_last == STREAM_NONE)
		flow->patch_first = i;
	else
		tcp->patches[flow->patch_last].next = i;
	flow->patch_last = i;
	flow->n_patches++;
}

void stream_patch_note(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t seq,
	const uint8_t *before, const uint8_t *after, uint32_t size)
{
	// Where no acknowledgements are seen.
	stream_patch_trim(tcp, flow, seq - STREAM_PATCH_WINDOW);
	for (uint32_t at = 0; at < size;) {
		uint32_t end, scan;

		if (size - at >= 8 && memcmp(before + at, after + at, 8) == 0) {
			at += 8;
			continue;
		}
		if (before[at] == after[at]) {
			at++;
			continue;
		}
		end = scan = at + 1;
		for (; scan < size && scan - at < STREAM_PATCH_OCTETS && scan - end <= RUN_GAP;
			scan++)
			if (before[scan] != after[scan])
				end = scan + 1;
		patch_append(tcp, flow, seq + at, after + at, end - at);
		at = end;
	}
}

void stream_patch_trim(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t seq)
{
	while (flow->patch_first != STREAM_NONE) {
		const struct stream_patch *patch = &tcp->patches[flow->patch_first];

		if (stream_seq(patch->seq + patch->size, seq) > 0)
			return;
		first_free(tcp, flow);
	}
}

void stream_patch_forget(struct stream_tcp *tcp, struct stream_flow *flow)
{
	while (flow->patch_first != STREAM_NONE)
		first_free(tcp, flow);
}

// The part of a patch that lies in [seq, seq + size).
struct overlap {
	uint32_t at, from, n; // from seq, in the patch, octets; n 0: none
};

static inline struct overlap overlap_of(
	const struct stream_patch *patch, uint32_t seq, uint32_t size)
{
	int32_t first = stream_seq(patch->seq, seq), last = first + patch->size;
	int32_t from = first < 0 ? 0 : first, to = last < (int32_t)size ? last : (int32_t)size;

	if (from >= to)
		return (struct overlap){0};
	return (struct overlap){(uint32_t)from, (uint32_t)(from - first), (uint32_t)(to - from)};
}

void stream_patch_overlay(const struct stream_tcp *tcp, const struct stream_flow *flow,
	uint32_t seq, uint8_t *octets, uint32_t size)
{
	for (uint32_t i = flow->patch_first; i != STREAM_NONE; i = tcp->patches[i].next) {
		struct overlap overlap = overlap_of(&tcp->patches[i], seq, size);

		memcpy(octets + overlap.at, tcp->patches[i].octets + overlap.from, overlap.n);
	}
}

// The first patch that may have octets from @p seq on. Segments leave one behind another: where the one
// before it was looked at last all earlier patches end before this one, too.
static uint32_t first_from(
	const struct stream_tcp *tcp, const struct stream_flow *flow, uint32_t seq)
{
	const struct stream_patch *last = &tcp->patches[tcp->patch_seen];

	return last->size > 0 && last->owner == stream_flow_index(tcp, flow) &&
			       stream_seq(last->seq, seq) <= 0
		       ? tcp->patch_seen
		       : flow->patch_first;
}

void stream_patch_segment(
	struct stream_tcp *tcp, const struct stream_flow *flow, const struct stream_held *segment)
{
	const struct stream_hooks *hooks = &tcp->stream->hooks;
	uint32_t csum_at = segment->l4 + PKT_TCP_CSUM_AT;
	struct csum_delta delta = {0};
	bool changed = false;
	uint8_t csum[2];

	for (uint32_t i = first_from(tcp, flow, segment->seq); i != STREAM_NONE;
		i = tcp->patches[i].next) {
		const struct stream_patch *patch = &tcp->patches[i];
		struct overlap overlap = overlap_of(patch, segment->seq, segment->size);
		uint8_t before[STREAM_PATCH_OCTETS];
		uint32_t at = segment->payload + overlap.at;

		if (stream_seq(patch->seq, segment->seq + segment->size) >= 0)
			break;
		tcp->patch_seen = i;
		if (overlap.n == 0)
			continue;
		hooks->ops->read(hooks->ctx, segment->packet, at, before, overlap.n);
		if (memcmp(before, patch->octets + overlap.from, overlap.n) == 0)
			continue;
		hooks->ops->write(
			hooks->ctx, segment->packet, at, patch->octets + overlap.from, overlap.n);
		csum_change(&delta, before, patch->octets + overlap.from, overlap.n,
			(at - segment->l4) & 1);
		changed = true;
	}
	if (!changed)
		return;
	// By difference: a checksum that was wrong stays wrong by as much.
	hooks->ops->read(hooks->ctx, segment->packet, csum_at, csum, sizeof(csum));
	csum_apply(csum, &delta);
	hooks->ops->write(hooks->ctx, segment->packet, csum_at, csum, sizeof(csum));
}
