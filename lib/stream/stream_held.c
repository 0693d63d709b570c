/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_tcp_private.h"

#define FORGET_MAX 64 // connections forgotten in one round

static inline uint32_t held_end(const struct stream_held *held)
{
	return held->seq + held->size;
}

/*
 * Segments stand in the order of their octets. With a window of them that are small that is a long
 * list, and those that were lost come again one by one: a place is looked for along a lane, of the
 * first segment and some of the others. A search that goes far between two of them puts more into it.
 */
#define LANE_STEPS 64

// The last held segment that begins at @p seq or before. STREAM_NONE: there is none
static uint32_t held_before(struct stream_tcp *tcp, const struct stream_flow *flow, uint32_t seq)
{
	struct stream_held *held = tcp->held;
	uint32_t lane = flow->held_first, at, next;
	unsigned steps = 0;

	if (lane == STREAM_NONE || stream_seq(held[lane].seq, seq) > 0)
		return STREAM_NONE;
	// Nearly always it comes behind all that there are.
	if (stream_seq(held[flow->held_last].seq, seq) <= 0)
		return flow->held_last;
	while ((next = held[lane].lane) != STREAM_NONE && stream_seq(held[next].seq, seq) <= 0)
		lane = next;
	for (at = lane; stream_seq(held[next = held[at].next].seq, seq) <= 0; at = next) {
		if (++steps % LANE_STEPS == 0) {
			held[next].lane = held[lane].lane;
			held[lane].lane = next;
			lane = next;
		}
	}
	return at;
}

static uint32_t held_take_place(struct stream_tcp *tcp)
{
	uint32_t i = tcp->held_pool.free;

	if (i == STREAM_NONE)
		return stream_pool_fresh(&tcp->held_pool);
	tcp->held_pool.free = tcp->held[i].next;
	return i;
}

static uint32_t held_insert(
	struct stream_tcp *tcp, struct stream_flow *flow, const struct stream_held *segment)
{
	uint32_t i = held_take_place(tcp), before = held_before(tcp, flow, segment->seq);
	struct stream_held *held = &tcp->held[i];

	*held = *segment;
	held->lane = STREAM_NONE;
	if (before != STREAM_NONE) {
		held->next = tcp->held[before].next;
		tcp->held[before].next = i;
	} else {
		held->next = flow->held_first;
		// The first is always in the lane; the one that was is so no longer.
		if (flow->held_first != STREAM_NONE)
			held->lane = tcp->held[flow->held_first].lane;
		flow->held_first = i;
	}
	if (held->next == STREAM_NONE)
		flow->held_last = i;
	return i;
}

static void first_remove(struct stream_tcp *tcp, struct stream_flow *flow)
{
	uint32_t i = flow->held_first;
	struct stream_held *held = &tcp->held[i];

	if (held->next == STREAM_NONE)
		flow->held_last = STREAM_NONE;
	else if (held->lane != held->next)
		tcp->held[held->next].lane = held->lane;
	flow->held_first = held->next;
	held->next = tcp->held_pool.free;
	tcp->held_pool.free = i;
}

static void first_send(struct stream_tcp *tcp, struct stream_flow *flow, enum reason least)
{
	struct stream_held *held = &tcp->held[flow->held_first];

	stream_patch_segment(tcp, flow, held);
	stream_send(tcp->stream, held->packet, held->reason > least ? held->reason : least);
	flow->weight -= held->weight;
	tcp->n_whole -= held->weight == STREAM_WEIGHT;
	first_remove(tcp, flow);
}

void stream_held_flush(struct stream_tcp *tcp, struct stream_flow *flow, enum reason reason)
{
	while (flow->held_first != STREAM_NONE) {
		uint32_t end = held_end(&tcp->held[flow->held_first]);

		if (stream_seq(end, flow->next) > 0)
			flow->next = end;
		first_send(tcp, flow, reason);
	}
}

// The first held segment from @p i on that goes on where the octets end.
static uint32_t held_following(
	const struct stream_tcp *tcp, const struct stream_flow *flow, uint32_t i)
{
	for (; i != STREAM_NONE; i = tcp->held[i].next) {
		const struct stream_held *held = &tcp->held[i];

		if (stream_seq(held->seq, flow->next) > 0)
			return STREAM_NONE;
		if (stream_seq(held_end(held), flow->next) > 0)
			break;
	}
	return i;
}

static void held_take(struct stream_tcp *tcp, struct stream_flow *flow, struct stream_held *held)
{
	const struct stream_hooks *hooks = &tcp->stream->hooks;
	uint32_t old = flow->next - held->seq;

	hooks->ops->read(hooks->ctx, held->packet, held->payload, tcp->octets, held->size);
	stream_text_take(tcp, flow, held, tcp->octets + old, held->size - old);
}

static bool is_gap(const struct stream_tcp *tcp, const struct stream_flow *flow)
{
	return flow->held_last != STREAM_NONE &&
	       stream_seq(tcp->held[flow->held_last].seq, flow->next) > 0;
}

static void bounds_keep(struct stream_tcp *tcp, struct stream_flow *flow)
{
	bool gap = is_gap(tcp, flow);

	if (flow->weight > tcp->gap_weight && gap)
		stream_text_give_up(tcp, flow, REASON_stream_limit);
	else if (flow->next - flow->clear >= STREAM_HOLD_OCTETS ||
		 (flow->weight >= STREAM_HOLD_PACKETS * STREAM_WEIGHT && !gap))
		stream_text_release(tcp, flow);
}

static void clear_send(struct stream_tcp *tcp, struct stream_flow *flow)
{
	while (flow->held_first != STREAM_NONE &&
		stream_seq(held_end(&tcp->held[flow->held_first]), flow->clear) <= 0)
		first_send(tcp, flow, REASON_none);
}

static void timer_set(struct stream_tcp *tcp, struct stream_flow *flow)
{
	enum stream_timer timer = flow->held_first == STREAM_NONE ? STREAM_NO_TIMER
				  : flow->clear != flow->next     ? STREAM_HOLD
								  : STREAM_GAP;

	// The clock runs from where something last got on.
	if (timer == flow->timer && flow->mark == (uint16_t)flow->clear)
		return;
	flow->mark = (uint16_t)flow->clear;
	flow->rounds = 0;
	stream_flow_timer(tcp, flow, timer, timer == STREAM_HOLD ? tcp->hold : tcp->gap);
}

// Of what is held no segment before @p i follows.
static void settle_from(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t i)
{
	while (flow->reason == REASON_none && (i = held_following(tcp, flow, i)) != STREAM_NONE) {
		held_take(tcp, flow, &tcp->held[i]);
		if (flow->reason != REASON_none)
			break;
		// Messages that follow need not look past those that may leave.
		clear_send(tcp, flow);
		if (flow->clear == flow->next)
			i = flow->held_first;
	}
	if (flow->reason == REASON_none) {
		// What may leave counts no longer.
		clear_send(tcp, flow);
		bounds_keep(tcp, flow);
	}
	if (flow->reason == REASON_none) {
		clear_send(tcp, flow);
	} else {
		stream_held_flush(tcp, flow, flow->reason);
		flow->clear = flow->seal = flow->next;
	}
	timer_set(tcp, flow);
}

void stream_held_settle(struct stream_tcp *tcp, struct stream_flow *flow)
{
	settle_from(tcp, flow, flow->held_first);
}

void stream_held_add(
	struct stream_tcp *tcp, struct stream_flow *flow, const struct stream_held *segment)
{
	const struct stream_hooks *hooks = &tcp->stream->hooks;
	uint32_t i = held_insert(tcp, flow, segment);
	struct stream_held *held = &tcp->held[i];

	held->packet = hooks->ops->keep(hooks->ctx, segment->packet);
	held->weight = held->packet == segment->packet ? STREAM_WEIGHT : 1;
	flow->weight += held->weight;
	tcp->n_whole += held->weight == STREAM_WEIGHT;
	stream_held(tcp->stream, 1);
	// All before it were settled when they came.
	settle_from(tcp, flow, i);
}

// Some of what was held longest goes, judged if that can be.
static void oldest_release(struct stream_tcp *tcp)
{
	struct stream_flow *flow;

	if (tcp->timers[STREAM_HOLD].first != STREAM_NONE) {
		flow = &tcp->flows[tcp->timers[STREAM_HOLD].first];
		stream_text_release(tcp, flow);
	} else {
		flow = &tcp->flows[tcp->timers[STREAM_GAP].first];
		stream_text_give_up(tcp, flow, REASON_stream_limit);
	}
	stream_held_settle(tcp, flow);
}

void stream_held_room(struct stream_tcp *tcp)
{
	while (tcp->n_whole >= tcp->n_whole_max || stream_pool_is_empty(&tcp->held_pool))
		oldest_release(tcp);
}

// The hold timer of a connection ran out. Judging anew takes time by the octets that there are, so
// it is done the less often the more there are.
static void hold_over(struct stream_tcp *tcp, struct stream_flow *flow)
{
	if (flow->rounds < flow->have / STREAM_HOLD_OCTETS) {
		flow->rounds++;
		stream_flow_timer(tcp, flow, STREAM_HOLD, tcp->hold);
		return;
	}
	stream_text_release(tcp, flow);
	stream_held_settle(tcp, flow);
}

static bool is_response(const struct stream_tcp *tcp, const struct stream_held *held)
{
	const struct stream_hooks *hooks = &tcp->stream->hooks;
	uint8_t octets[STREAM_HEAD_SIZE];

	if (held->size < STREAM_HEAD_SIZE)
		return false;
	hooks->ops->read(hooks->ctx, held->packet, held->payload, octets, STREAM_HEAD_SIZE);
	return stream_is_response(octets, STREAM_HEAD_SIZE);
}

// The first held segment that begins like a response, of octets that no other one before it has.
static uint32_t held_response(const struct stream_tcp *tcp, const struct stream_flow *flow)
{
	uint32_t i = flow->held_first, end = tcp->held[i].seq;

	for (; i != STREAM_NONE; i = tcp->held[i].next) {
		const struct stream_held *held = &tcp->held[i];

		if (stream_seq(held->seq, end) >= 0 && is_response(tcp, held))
			break;
		if (stream_seq(held_end(held), end) > 0)
			end = held_end(held);
	}
	return i;
}

// What is missing does not come. The client may have got it some other way, as it does where only a
// part of a path leads through here; all goes on with the next message that can be told.
static void gap_pass(struct stream_tcp *tcp, struct stream_flow *flow)
{
	uint32_t i = held_response(tcp, flow);

	if (i != flow->held_first)
		stream_text_give_up(tcp, flow, REASON_stream_gap);
	if (i == STREAM_NONE)
		return;
	while (flow->held_first != i)
		first_send(tcp, flow, REASON_stream_gap);
	stream_text_restart(tcp, flow, tcp->held[i].seq, false);
}

// Behind one gap there may be another, and nothing is held for longer because of that.
void stream_held_end(struct stream_tcp *tcp, struct stream_flow *flow)
{
	while (flow->held_first != STREAM_NONE) {
		if (flow->clear != flow->next)
			stream_text_release(tcp, flow);
		else
			gap_pass(tcp, flow);
		stream_held_settle(tcp, flow);
	}
}

static struct stream_flow *timer_due(const struct stream_tcp *tcp, enum stream_timer timer)
{
	uint32_t i = tcp->timers[timer].first;

	if (i == STREAM_NONE || stream_seq(tcp->flows[i].due, tcp->tick) > 0)
		return NULL;
	return &tcp->flows[i];
}

void stream_held_expire(struct stream_tcp *tcp)
{
	struct stream_flow *flow;
	unsigned n = 0;

	while ((flow = timer_due(tcp, STREAM_HOLD)))
		hold_over(tcp, flow);
	while ((flow = timer_due(tcp, STREAM_GAP)))
		stream_held_end(tcp, flow);
	for (enum stream_age age = 0; age < STREAM_AGES; age++)
		for (; n < FORGET_MAX && tcp->ages[age].first != STREAM_NONE; n++) {
			flow = &tcp->flows[tcp->ages[age].first];
			if (tcp->tick - flow->used < tcp->idle[age])
				break;
			stream_held_end(tcp, flow);
			stream_flow_close(tcp, flow, REASON_stream_gap);
		}
}
