/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "frames.h"

#include <rte_cycles.h>

#include "copies.h"

void frames_join(struct worker *w, unsigned i, const struct rte_mbuf *mbuf)
{
	uint8_t *frame = w->scratch + (size_t)i * FRAMES_SCRATCH_SIZE;

	w->burst.slot[i].frame = frame;
	for (; mbuf; mbuf = mbuf->next) {
		rte_memcpy(frame, rte_pktmbuf_mtod(mbuf, void *), mbuf->data_len);
		frame += mbuf->data_len;
	}
}

void frames_room(struct worker *w, struct rte_mbuf *const *mbufs)
{
	for (uint32_t left = w->burst.edits; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		struct burst_slot *slot = &w->burst.slot[i];

		slot->frame_room = slot->frame_size;
		if (mbufs[i]->nb_segs == 1)
			slot->frame_room += rte_pktmbuf_tailroom(mbufs[i]);
	}
}

// Octets of a frame, wherever its mbufs have them.
static void frame_write(void *ctx, void *packet, uint32_t at, const void *bytes, uint32_t n)
{
	struct copy *copy = copies_of(packet);
	const uint8_t *from = bytes;

	(void)ctx;
	if (copy) {
		memcpy(copy->octets + at, bytes, n);
		return;
	}
	for (struct rte_mbuf *mbuf = packet; mbuf && n > 0; mbuf = mbuf->next) {
		uint32_t part;

		if (at >= mbuf->data_len) {
			at -= mbuf->data_len;
			continue;
		}
		part = RTE_MIN(n, mbuf->data_len - at);
		rte_memcpy(rte_pktmbuf_mtod_offset(mbuf, void *, at), from, part);
		from += part;
		n -= part;
		at = 0;
	}
}

static void frame_read(void *ctx, void *packet, uint32_t at, void *bytes, uint32_t n)
{
	const struct copy *copy = copies_of(packet);
	const void *from = copy ? copy->octets + at : rte_pktmbuf_read(packet, at, n, bytes);

	(void)ctx;
	if (from && from != bytes)
		rte_memcpy(bytes, from, n);
}

static void frame_shorten(void *ctx, void *packet, uint32_t size)
{
	struct rte_mbuf *head = packet, *mbuf = head;
	uint32_t left = size;
	uint16_t n_segs = 1;

	(void)ctx;
	while (mbuf->next && left > mbuf->data_len) {
		left -= mbuf->data_len;
		mbuf = mbuf->next;
		n_segs++;
	}
	mbuf->data_len = (uint16_t)left;
	rte_pktmbuf_free(mbuf->next);
	mbuf->next = NULL;
	head->nb_segs = n_segs;
	head->pkt_len = size;
}

void frames_write_back(struct worker *w, struct rte_mbuf *const *mbufs)
{
	const struct burst *burst = &w->burst;

	for (uint32_t left = burst->edits; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		const struct burst_slot *slot = &burst->slot[i];

		if (mbufs[i]->nb_segs == 1) {
			mbufs[i]->data_len = (uint16_t)slot->frame_size;
			mbufs[i]->pkt_len = slot->frame_size;
			continue;
		}
		if (burst->resized >> i & 1)
			frame_shorten(w, mbufs[i], slot->frame_size);
		frame_write(w, mbufs[i], 0, slot->frame, slot->frame_size);
	}
}

static void *frame_keep(void *ctx, void *packet)
{
	return copies_take(((struct worker *)ctx)->copies, packet);
}

static void backlog_put(struct backlog *out, void *packet)
{
	if (out->n == 0) {
		out->since = rte_rdtsc();
		out->first = 0;
	}
	// There is room for a burst and all that can be held.
	out->packets[out->first + out->n++] = packet;
}

void frames_wait(struct worker *w, struct rte_mbuf *mbuf)
{
	backlog_put(w->out, mbuf);
}

static void frame_send(void *ctx, void *packet)
{
	backlog_put(((struct worker *)ctx)->held_out, packet);
}

static void frame_drop(void *ctx, void *packet)
{
	struct copy *copy = copies_of(packet);

	if (copy)
		copies_free(((struct worker *)ctx)->copies, copy);
	else
		rte_pktmbuf_free(packet);
}

const struct packet_ops frames_ops = {
	.read = frame_read,
	.write = frame_write,
	.shorten = frame_shorten,
	.keep = frame_keep,
	.send = frame_send,
	.drop = frame_drop,
};

void frames_collect(struct worker *w, unsigned pair, struct rte_mbuf *const *mbufs)
{
	struct stream *stream = w->streams[pair];
	struct burst *burst = &w->burst;

	// What the clients say may let go what is held for them.
	w->held_out = &w->backlogs[2 * pair + (unsigned)BURST_FROM_RESOLVERS];
	if (burst->streams | burst->pieces)
		stream_begin(stream, w->judging.tables.policy, w->judging.meta.tsc);
	for (unsigned i = 0; i < burst->n; i++) {
		uint32_t bit = UINT32_C(1) << i;

		if ((burst->streams | burst->pieces) & bit)
			stream_packet(stream, burst, i, mbufs[i]);
		if (burst->dropped & bit)
			frame_drop(w, mbufs[i]);
		else if (!(burst->taken & bit))
			frames_wait(w, mbufs[i]);
	}
}
