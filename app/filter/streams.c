/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "streams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>

#include "base/block.h"
#include "copies.h"
#include "frames.h"

static enum reason message_judge(void *ctx, struct burst *message, enum stream_how how)
{
	struct worker *w = ctx;
	const struct pipeline_tables *tables = &w->judging.tables;
	const struct burst_slot *slot = &message->slot[0];

	pipeline_message(message, tables);
	pipeline_consent(message, tables);
	pipeline_match(message, tables);
	pipeline_fit(message, tables);
	if (how == STREAM_WHOLE)
		mirror_push_burst(w->mirror, message, &w->judging.meta, w->stats);
	if (message->edits)
		pipeline_rewrite(message, tables, how == STREAM_WHOLE ? w->stats : w->unseen);
	if (how == STREAM_WHOLE)
		pipeline_count_message(message, tables, w->stats);
	return slot->response && (slot->refused & CONSENT_NO_LOG) ? REASON_no_log : slot->reason;
}

// To the clients go what is held, too.
static unsigned backlog_room(unsigned i)
{
	const struct conf *conf = app.conf;

	if (i % 2 == BURST_FROM_CLIENTS)
		return BURST_MAX;
	return BURST_MAX + conf->stream_segments * (1 + STREAM_COPIES) + conf->fragment_packets;
}

// What packets are in while they are held, and when they wait for a port.
static bool rooms_create(struct worker *w)
{
	w->unseen = block_alloc(sizeof(*w->unseen), w->node);
	w->copies = copies_create(w->n_pairs * app.conf->stream_segments * STREAM_COPIES, w->node);
	if (!w->unseen || !w->copies)
		return false;
	for (unsigned i = 0; i < 2 * w->n_pairs; i++) {
		struct backlog *backlog = &w->backlogs[i];
		unsigned room = backlog_room(i);

		backlog->packets = block_reserve(room * sizeof(backlog->packets[0]), w->node);
		if (!backlog->packets)
			return false;
		backlog->room = room;
	}
	return true;
}

static void rooms_destroy(struct worker *w)
{
	for (unsigned i = 0; i < APP_PORTS_MAX; i++) {
		struct backlog *backlog = &w->backlogs[i];

		block_free(backlog->packets, backlog->room * sizeof(backlog->packets[0]));
		*backlog = (struct backlog){0};
	}
	copies_destroy(w->copies);
	w->copies = NULL;
	block_free(w->unseen, sizeof(*w->unseen));
	w->unseen = NULL;
}

int streams_create(struct worker *w, char *error)
{
	const struct stream_conf conf = {
		.flows = app.conf->stream_connections,
		.memory = (size_t)app.conf->stream_memory << 20,
		.held = app.conf->stream_segments,
		.hold_ms = app.conf->stream_hold_ms,
		.gap_ms = app.conf->stream_gap_ms,
		.frag =
			{
				.trains = app.conf->fragment_datagrams,
				.packets = app.conf->fragment_packets,
				.hold_ms = app.conf->fragment_hold_ms,
			},
	};
	const struct stream_hooks hooks = {
		.ops = &frames_ops,
		.judge = message_judge,
		.ctx = w,
		.stats = w->stats,
	};

	if (!rooms_create(w)) {
		snprintf(error, APP_ERROR_SIZE, "streams of worker %u: %s", w->id, strerror(errno));
		return -1;
	}
	for (unsigned i = 0; i < w->n_pairs; i++) {
		w->streams[i] = stream_create(&conf, &hooks, rte_get_tsc_hz() / 1000, w->node);
		if (!w->streams[i]) {
			snprintf(error, APP_ERROR_SIZE,
				"streams and fragments of worker %u: %s; see [streams] and "
				"[fragments]",
				w->id, strerror(errno));
			return -1;
		}
	}
	return 0;
}

void streams_destroy(struct worker *w)
{
	for (unsigned i = 0; i < CONF_PAIRS_MAX; i++) {
		stream_destroy(w->streams[i]);
		w->streams[i] = NULL;
	}
	rooms_destroy(w);
}

// What is held comes from the resolvers' side.
static void out_set(struct worker *w, unsigned pair)
{
	w->held_out = &w->backlogs[2 * pair + (unsigned)BURST_FROM_RESOLVERS];
}

void streams_expire(struct worker *w, unsigned pair)
{
	out_set(w, pair);
	stream_expire(w->streams[pair], w->judging.tables.policy, w->judging.meta.tsc);
}

void streams_flush(struct worker *w)
{
	for (unsigned i = 0; i < w->n_pairs; i++) {
		out_set(w, i);
		stream_flush(w->streams[i]);
	}
}
