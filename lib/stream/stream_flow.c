/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_tcp_private.h"

#include <string.h>

static inline struct stream_link *link_of(
	struct stream_tcp *tcp, const struct stream_list *list, uint32_t i)
{
	return &tcp->flows[i].link[list->of];
}

static void list_append(struct stream_tcp *tcp, struct stream_list *list, uint32_t i)
{
	*link_of(tcp, list, i) = (struct stream_link){STREAM_NONE, list->last};
	if (list->last == STREAM_NONE)
		list->first = i;
	else
		link_of(tcp, list, list->last)->next = i;
	list->last = i;
	list->n++;
}

static void list_remove(struct stream_tcp *tcp, struct stream_list *list, uint32_t i)
{
	const struct stream_link *link = link_of(tcp, list, i);

	if (link->prev == STREAM_NONE)
		list->first = link->next;
	else
		link_of(tcp, list, link->prev)->next = link->next;
	if (link->next == STREAM_NONE)
		list->last = link->prev;
	else
		link_of(tcp, list, link->next)->prev = link->prev;
	list->n--;
}

/* ---- the table ------------------------------------------------------------------------------ */

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Keyed anew at each start: nobody outside can make connections that meet in one bucket.
static uint32_t *bucket_of(const struct stream_tcp *tcp, const struct stream_key *key)
{
	uint64_t word[sizeof(*key) / 8], hash;

	memcpy(word, key, sizeof(*key));
	hash = fold(word[0] ^ tcp->seed[0], word[1] ^ tcp->seed[1]);
	hash = fold(hash ^ word[2], word[3] ^ tcp->seed[2]);
	hash = fold(hash ^ word[4], word[5] ^ tcp->seed[3]);
	return &tcp->buckets[(hash ^ hash >> 32) & tcp->bucket_mask];
}

struct stream_flow *stream_flow_find(struct stream_tcp *tcp, const struct stream_key *key)
{
	uint32_t i = *bucket_of(tcp, key);

	while (i != STREAM_NONE && memcmp(&tcp->flows[i].key, key, sizeof(*key)) != 0)
		i = tcp->flows[i].chain;
	return i == STREAM_NONE ? NULL : &tcp->flows[i];
}

// What can be done without first: what is over, what has not begun if there is much of it, and then
// what had nothing to say for longest. So a flood of beginnings does not push out the others.
static struct stream_flow *flow_spare(struct stream_tcp *tcp)
{
	enum stream_age age = STREAM_LIVE;

	if (tcp->ages[STREAM_CLOSING].n > 0)
		age = STREAM_CLOSING;
	else if (tcp->ages[STREAM_YOUNG].n > tcp->flow_pool.n / 8 || tcp->ages[STREAM_LIVE].n == 0)
		age = STREAM_YOUNG;
	return &tcp->flows[tcp->ages[age].first];
}

struct stream_flow *stream_flow_create(
	struct stream_tcp *tcp, const struct stream_key *key, uint32_t next)
{
	struct stats_worker *stats = tcp->stream->hooks.stats;
	uint32_t *bucket = bucket_of(tcp, key), i;
	struct stream_flow *flow;

	if (stream_pool_is_empty(&tcp->flow_pool)) {
		counter_add(&stats->streams_evicted, 1);
		stream_flow_close(tcp, flow_spare(tcp), REASON_stream_limit);
	}
	i = tcp->flow_pool.free;
	if (i != STREAM_NONE)
		tcp->flow_pool.free = tcp->flows[i].chain;
	else
		i = stream_pool_fresh(&tcp->flow_pool);
	flow = &tcp->flows[i];
	*flow = (struct stream_flow){
		.key = *key,
		.chain = *bucket,
		.used = tcp->tick,
		.next = next,
		.clear = next,
		.seal = next,
		.chunk_first = STREAM_NONE,
		.chunk_last = STREAM_NONE,
		.held_first = STREAM_NONE,
		.held_last = STREAM_NONE,
		.patch_first = STREAM_NONE,
		.patch_last = STREAM_NONE,
		.age = STREAM_YOUNG,
		.timer = STREAM_NO_TIMER,
		.flags = STREAM_UNSURE,
		.first = (uint16_t)next,
	};
	*bucket = i;
	list_append(tcp, &tcp->ages[STREAM_YOUNG], i);
	counter_add(&stats->streams, 1);
	return flow;
}

void stream_flow_close(struct stream_tcp *tcp, struct stream_flow *flow, enum reason reason)
{
	uint32_t i = stream_flow_index(tcp, flow), *at = bucket_of(tcp, &flow->key);

	stream_held_flush(tcp, flow, reason);
	stream_text_drop(tcp, flow);
	stream_patch_forget(tcp, flow);
	stream_flow_timer(tcp, flow, STREAM_NO_TIMER, 0);
	list_remove(tcp, &tcp->ages[flow->age], i);
	while (*at != i)
		at = &tcp->flows[*at].chain;
	*at = flow->chain;
	flow->chain = tcp->flow_pool.free;
	tcp->flow_pool.free = i;
	counter_add(&tcp->stream->hooks.stats->streams, UINT64_MAX);
}

void stream_flow_touch(struct stream_tcp *tcp, struct stream_flow *flow, enum stream_age age)
{
	uint32_t i = stream_flow_index(tcp, flow);

	list_remove(tcp, &tcp->ages[flow->age], i);
	flow->age = age & 15;
	flow->used = tcp->tick;
	list_append(tcp, &tcp->ages[age], i);
}

void stream_flow_timer(
	struct stream_tcp *tcp, struct stream_flow *flow, enum stream_timer timer, uint32_t ticks)
{
	uint32_t i = stream_flow_index(tcp, flow);

	if (flow->timer != STREAM_NO_TIMER)
		list_remove(tcp, &tcp->timers[flow->timer], i);
	flow->timer = timer & 15;
	if (timer == STREAM_NO_TIMER)
		return;
	flow->flags &= (uint8_t)~STREAM_PAST;
	flow->due = tcp->tick + ticks;
	list_append(tcp, &tcp->timers[timer], i);
}
