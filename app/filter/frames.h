/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Frames in mbufs: as the pipeline wants them, and what it made of them back again.
 *
 * Threads: the worker's own. Hot path.
 */
#include <rte_mbuf.h>

#include "app.h"
#include "base/packet.h"

#define FRAMES_SCRATCH_SIZE 65536u

/** A frame in several mbufs is judged, and rewritten, in one piece. */
void frames_join(struct worker *w, unsigned i, const struct rte_mbuf *mbuf);

/** Fill slot @p i with @p mbuf. @return its bytes */
static inline uint32_t frames_fill(struct worker *w, unsigned i, struct rte_mbuf *mbuf)
{
	struct burst_slot *slot = &w->burst.slot[i];

	slot->frame_size = rte_pktmbuf_pkt_len(mbuf);
	slot->frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	if (unlikely(mbuf->nb_segs > 1 && slot->frame_size <= UINT16_MAX))
		frames_join(w, i, mbuf);
	return slot->frame_size;
}

/** After matching: how far the frames that are to be edited may grow. */
void frames_room(struct worker *w, struct rte_mbuf *const *mbufs);

/** After the rewrite stage: new sizes, and copies of frames in several mbufs, go back. */
void frames_write_back(struct worker *w, struct rte_mbuf *const *mbufs);

/**
 * Where not all packets of a burst of @p pair just go on: give TCP and fragments to its stream, put
 * those that go on into w->out, in order, and free those that policy drops.
 */
void frames_collect(struct worker *w, unsigned pair, struct rte_mbuf *const *mbufs);

/** Put a packet into w->out. */
void frames_wait(struct worker *w, struct rte_mbuf *mbuf);

/** For packets that are held; @p ctx is the struct worker, whose `held_out` takes what is sent. */
extern const struct packet_ops frames_ops;
