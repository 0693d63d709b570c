/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "copies.h"
#include "frames.h"
#include "streams.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "base/counter.h"

#define WORKER_NICE (-10)
#define SPIN_ROUNDS 256  // empty rounds before the first sleep
#define LOOK_ROUNDS 1024 // after which connections are forgotten that had nothing to say for long

// A worker's own counters are written by nobody else; relaxed stores let others read them.
static inline void bump(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

// What is in force now.
static inline void judging_take(struct worker *w)
{
	const struct replica *r = replica_get(w->replicas, w->id);

	w->judging = (struct judging){
		.tables =
			{
				.policy = &r->policy,
				.names = r->names,
				.consent = r->consent,
				.today = replica_today(w->replicas),
				.patterns = r->scan,
				.ids = r->ids,
			},
		.meta = {rte_rdtsc(), r->generation, r->names},
	};
}

// @return whether the packets go on as they came, all of them and no others
static bool burst_filter(struct worker *w, unsigned pair, struct rte_mbuf **mbufs)
{
	const struct pipeline_tables *tables = &w->judging.tables;
	struct burst *burst = &w->burst;
	bool plain;

	judging_take(w);
	pipeline_parse(burst, tables);
	pipeline_consent(burst, tables);
	pipeline_match(burst, tables);
	if (burst->edits) {
		frames_room(w, mbufs);
		pipeline_fit(burst, tables);
	}
	mirror_push_burst(w->mirror, burst, &w->judging.meta, w->stats);
	if (burst->edits) {
		pipeline_rewrite(burst, tables, w->stats);
		frames_write_back(w, mbufs);
	}
	plain = !(burst->streams | burst->pieces | burst->resized | burst->dropped);
	if (unlikely(!plain))
		frames_collect(w, pair, mbufs);
	pipeline_count(burst, tables, w->stats);
	return plain;
}

// @return packets that the port took
static unsigned frames_tx(
	struct worker *w, uint16_t port, struct rte_mbuf **mbufs, unsigned n, uint64_t bytes)
{
	unsigned sent = rte_eth_tx_burst(port, (uint16_t)w->id, mbufs, (uint16_t)n);

	for (unsigned i = sent; i < n; i++)
		bytes -= rte_pktmbuf_pkt_len(mbufs[i]);
	counter_add(&w->stats->tx_packets, sent);
	counter_add(&w->stats->tx_bytes, bytes);
	return sent;
}

// The next @p n that wait become mbufs, all of them. @return how many are
static unsigned backlog_expand(struct worker *w, struct backlog *backlog, unsigned n)
{
	void **packets = backlog->packets + backlog->first;

	for (unsigned i = 0; i < n; i++) {
		struct copy *copy = copies_of(packets[i]);
		struct rte_mbuf *mbuf;

		if (!copy)
			continue;
		mbuf = copies_expand(w->copies, copy, app.pool);
		if (!mbuf)
			return i;
		packets[i] = mbuf;
	}
	return n;
}

static void backlog_drop(struct worker *w, struct backlog *backlog)
{
	counter_add(&w->stats->tx_dropped, backlog->n);
	for (; backlog->n > 0; backlog->n--)
		frames_ops.drop(w, backlog->packets[backlog->first++]);
}

// Send what waits. @return whether the port can take new frames
static bool backlog_flush(struct worker *w, uint16_t port, struct backlog *backlog)
{
	bool some = false;

	if (likely(backlog->n == 0))
		return true;
	// Not more at once than a port's ring surely has room for: some take all or nothing.
	while (backlog->n > 0) {
		struct rte_mbuf **mbufs =
			(struct rte_mbuf **)(void *)(backlog->packets + backlog->first);
		unsigned want = RTE_MIN(backlog->n, (unsigned)BURST_MAX), n, took;
		uint64_t bytes = 0;

		n = backlog_expand(w, backlog, want);
		for (unsigned i = 0; i < n; i++)
			bytes += rte_pktmbuf_pkt_len(mbufs[i]);
		took = frames_tx(w, port, mbufs, n, bytes);
		backlog->first += took;
		backlog->n -= took;
		some |= took > 0;
		if (took < want)
			break;
	}
	if (backlog->n == 0)
		return true;
	if (some)
		backlog->since = rte_rdtsc();
	if (rte_rdtsc() - backlog->since > w->stale_cycles)
		backlog_drop(w, backlog);
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
	unsigned n, sent;

	if (!backlog_flush(w, out, backlog))
		return 0;
	n = rte_eth_rx_burst(in, (uint16_t)w->id, mbufs, BURST_MAX);
	if (n == 0)
		return 0;
	w->burst.n = n;
	w->burst.side = side;
	for (unsigned i = 0; i < n; i++)
		bytes += frames_fill(w, i, mbufs[i]);
	w->burst.bytes = bytes;
	w->out = backlog;
	if (unlikely(!burst_filter(w, pair, mbufs))) {
		backlog_flush(w, out, backlog);
		return n;
	}
	sent = frames_tx(w, out, mbufs, n, bytes);
	for (unsigned i = sent; i < n; i++)
		frames_wait(w, mbufs[i]);
	return n;
}

// Packets whose time is over go on.
static __attribute__((noinline)) void held_expire(struct worker *w)
{
	judging_take(w);
	for (unsigned pair = 0; pair < w->n_pairs; pair++)
		streams_expire(w, pair);
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
	unsigned rounds = 0;

	// Without this the kernel may stretch each sleep by 50 microseconds.
	prctl(PR_SET_TIMERSLACK, 1000);
	// On a CPU that is shared packets come first; a process without the right goes on without it.
	if (!w->spin)
		setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), WORKER_NICE);
	replica_enter(w->replicas, w->id);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		unsigned n = 0;

		replica_quiescent(w->replicas, w->id);
		if (unlikely(counter_read(&w->stats->held) > 0 || ++rounds % LOOK_ROUNDS == 0))
			held_expire(w);
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
	streams_flush(w);
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
