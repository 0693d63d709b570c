/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "app.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base/counter.h"
#include "pipeline/pipeline.h"

#define SCRATCH_SIZE 65536u
#define WORKER_NICE  (-10)
#define SPIN_ROUNDS  256 // empty rounds before the first sleep

// A worker's own counters are written by nobody else; relaxed stores let others read them.
static inline void bump(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

// Frames in several mbufs are judged, and rewritten, in one piece; edits are copied back.
// @return bytes of the frame
static inline uint32_t slot_fill(struct worker *w, unsigned i, struct rte_mbuf *mbuf)
{
	struct burst_slot *slot = &w->burst.slot[i];

	slot->frame_size = rte_pktmbuf_pkt_len(mbuf);
	slot->frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	if (likely(mbuf->nb_segs == 1) || slot->frame_size > UINT16_MAX)
		return slot->frame_size;
	slot->frame = w->scratch + (size_t)i * SCRATCH_SIZE;
	rte_memcpy(slot->frame, rte_pktmbuf_mtod(mbuf, void *), rte_pktmbuf_data_len(mbuf));
	for (uint32_t at = rte_pktmbuf_data_len(mbuf); (mbuf = mbuf->next); at += mbuf->data_len)
		rte_memcpy(slot->frame + at, rte_pktmbuf_mtod(mbuf, void *), mbuf->data_len);
	return slot->frame_size;
}

static void slot_write_back(const struct burst_slot *slot, struct rte_mbuf *mbuf)
{
	for (uint32_t at = 0; mbuf; at += mbuf->data_len, mbuf = mbuf->next)
		rte_memcpy(rte_pktmbuf_mtod(mbuf, void *), slot->frame + at, mbuf->data_len);
}

static void burst_filter(struct worker *w, struct rte_mbuf **mbufs)
{
	const struct replica *r = replica_get(w->replicas, w->id);
	const struct pipeline_tables tables = {
		.policy = &r->policy,
		.names = r->names,
		.consent = r->consent,
		.today = replica_today(w->replicas),
		.patterns = r->scan,
	};
	const struct mirror_meta meta = {rte_rdtsc(), r->generation, r->names};
	struct burst *burst = &w->burst;

	pipeline_parse(burst, &tables);
	pipeline_consent(burst, &tables);
	pipeline_match(burst, &tables);
	mirror_push_burst(w->mirror, burst, &meta, w->stats);
	pipeline_rewrite(burst, &tables, w->stats);
	pipeline_count(burst, &tables, w->stats);
	for (uint32_t left = burst->edits; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);

		if (mbufs[i]->nb_segs > 1)
			slot_write_back(&burst->slot[i], mbufs[i]);
	}
}

// Send; what the port does not take waits in its backlog.
// @param bytes of all frames
static void frames_send(struct worker *w, uint16_t port, struct backlog *backlog,
	struct rte_mbuf **mbufs, unsigned n, uint64_t bytes)
{
	unsigned sent = rte_eth_tx_burst(port, (uint16_t)w->id, mbufs, (uint16_t)n);

	counter_add(&w->stats->tx_packets, sent);
	if (likely(sent == n)) {
		counter_add(&w->stats->tx_bytes, bytes);
		backlog->n = 0;
		return;
	}
	if (sent > 0 || backlog->n == 0)
		backlog->since = rte_rdtsc();
	for (unsigned i = sent; i < n; i++) {
		bytes -= rte_pktmbuf_pkt_len(mbufs[i]);
		backlog->mbufs[i - sent] = mbufs[i];
	}
	counter_add(&w->stats->tx_bytes, bytes);
	backlog->n = n - sent;
}

// @return whether the port can take new frames
static bool backlog_flush(struct worker *w, uint16_t port, struct backlog *backlog)
{
	struct rte_mbuf *mbufs[BURST_MAX];
	uint64_t bytes = 0;

	if (likely(backlog->n == 0))
		return true;
	memcpy(mbufs, backlog->mbufs, backlog->n * sizeof(mbufs[0]));
	for (unsigned i = 0; i < backlog->n; i++)
		bytes += rte_pktmbuf_pkt_len(mbufs[i]);
	frames_send(w, port, backlog, mbufs, backlog->n, bytes);
	if (backlog->n > 0 && rte_rdtsc() - backlog->since > w->stale_cycles) {
		counter_add(&w->stats->tx_dropped, backlog->n);
		rte_pktmbuf_free_bulk(backlog->mbufs, backlog->n);
		backlog->n = 0;
	}
	return backlog->n == 0;
}

// One direction of one pair. @return packets received
static unsigned direction_turn(struct worker *w, unsigned pair, enum burst_side side)
{
	uint16_t in = side == BURST_FROM_CLIENTS ? w->pairs[pair].client : w->pairs[pair].resolver;
	uint16_t out = side == BURST_FROM_CLIENTS ? w->pairs[pair].resolver : w->pairs[pair].client;
	struct backlog *backlog = &w->backlogs[2 * pair + (unsigned)side];
	struct rte_mbuf *mbufs[BURST_MAX];
	uint64_t bytes = 0;
	unsigned n;

	if (!backlog_flush(w, out, backlog))
		return 0;
	n = rte_eth_rx_burst(in, (uint16_t)w->id, mbufs, BURST_MAX);
	if (n == 0)
		return 0;
	w->burst.n = n;
	w->burst.side = side;
	for (unsigned i = 0; i < n; i++)
		bytes += slot_fill(w, i, mbufs[i]);
	burst_filter(w, mbufs);
	frames_send(w, out, backlog, mbufs, n, bytes);
	return n;
}

// Sleep a little longer each time nothing was there, up to the operator's limit.
static void idle_sleep(const struct worker *w, uint64_t empty)
{
	uint64_t us = empty - SPIN_ROUNDS < 16 ? 1ull << (empty - SPIN_ROUNDS) : w->sleep_max_us;
	struct timespec pause;

	if (us > w->sleep_max_us)
		us = w->sleep_max_us;
	pause.tv_sec = 0;
	pause.tv_nsec = (long)us * 1000;
	nanosleep(&pause, NULL);
}

int worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t empty = 0;

	// Without this the kernel may stretch each sleep by 50 microseconds.
	prctl(PR_SET_TIMERSLACK, 1000);
	// On a CPU that is shared packets come first; a process without the right goes on without it.
	if (!w->spin)
		setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), WORKER_NICE);
	replica_enter(w->replicas, w->id);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		unsigned n = 0;

		replica_quiescent(w->replicas, w->id);
		for (unsigned pair = 0; pair < w->n_pairs; pair++) {
			n += direction_turn(w, pair, BURST_FROM_RESOLVERS);
			n += direction_turn(w, pair, BURST_FROM_CLIENTS);
		}
		empty = n > 0 ? 0 : empty + 1;
		atomic_store_explicit(&w->empty_run, empty, memory_order_relaxed);
		bump(n > 0 ? &w->rounds_busy : &w->rounds_empty);
		if (empty <= SPIN_ROUNDS)
			continue;
		if (w->spin)
			rte_pause();
		else
			idle_sleep(w, empty);
	}
	// What still waits gets one last chance.
	for (unsigned i = 0; i < 2 * w->n_pairs; i++) {
		const struct conf_pair *pair = &w->pairs[i / 2];

		w->stale_cycles = 0;
		backlog_flush(w, i % 2 == BURST_FROM_CLIENTS ? pair->resolver : pair->client,
			&w->backlogs[i]);
	}
	replica_leave(w->replicas, w->id);
	return 0;
}
