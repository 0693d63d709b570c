/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_tcp_private.h"

#include "dns/dns_msg.h"

#define LENGTH_SIZE  2u // RFC 1035 s4.2.2
#define COUNTS_AT    4  // RFC 1035 s4.1.1
#define OPCODE_DSO   6  // RFC 8490 s5.4: servers send these unasked
#define IP_PROTO_TCP 6

static void reason_raise(struct stream_held *segment, enum reason reason)
{
	if (segment->reason < reason)
		segment->reason = (uint8_t)reason;
}

// All segments with octets of [from, to) carry a message of that verdict.
static void reasons_raise(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t from,
	uint32_t to, enum reason reason)
{
	for (uint32_t i = flow->held_first; i != STREAM_NONE; i = tcp->held[i].next) {
		struct stream_held *held = &tcp->held[i];

		if (stream_seq(held->seq, to) >= 0)
			return;
		if (stream_seq(held->seq + held->size, from) > 0)
			reason_raise(held, reason);
	}
}

// A message of its own behind the headers of a segment. @return where it stands
static uint8_t *message_put(struct stream_tcp *tcp, const struct stream_flow *flow,
	const struct stream_held *segment, const uint8_t *msg, uint32_t size, bool partly)
{
	struct stream *stream = tcp->stream;
	uint8_t *at = stream->scratch + segment->payload;

	stream->hooks.ops->read(
		stream->hooks.ctx, segment->packet, 0, stream->scratch, segment->payload);
	memcpy(at, msg, size);
	stream->message.slot[0] = (struct burst_slot){
		.frame = stream->scratch,
		.frame_size = segment->payload + size,
		.frame_room = segment->payload + size,
		.l3 = segment->l3,
		.l4 = segment->l4,
		.msg = segment->payload,
		.msg_size = (uint16_t)size,
		.src_port = flow->key.server_port,
		.dst_port = flow->key.client_port,
		.family = flow->key.family,
		.protocol = IP_PROTO_TCP,
		.partly = partly,
		.transfer = flow->flags & STREAM_TRANSFER,
	};
	return at;
}

// Whether lengths make sense: what is no response is rare, and hardly the first that is seen.
static void framing_check(
	struct stream_tcp *tcp, struct stream_flow *flow, const uint8_t *msg, uint32_t size)
{
	if (size >= DNS_HEADER_SIZE &&
		(dns_msg_flags(msg) & DNS_FLAG_QR || dns_msg_opcode(msg) == OPCODE_DSO)) {
		flow->odd = 0;
		flow->flags &= (uint8_t)~STREAM_UNSURE;
	} else if (flow->flags & STREAM_UNSURE || ++flow->odd > STREAM_ODD_MAX) {
		stream_text_give_up(tcp, flow, REASON_stream_framing);
	}
}

// A whole message; its length stands at `start` in sequence. What has left already stays as it is.
static void message_judge(struct stream_tcp *tcp, struct stream_flow *flow,
	struct stream_held *segment, uint32_t start, const uint8_t *msg, uint32_t size)
{
	struct stats_worker *stats = tcp->stream->hooks.stats;
	uint32_t begin = start + LENGTH_SIZE, end = begin + size;
	uint32_t sealed =
		stream_seq(flow->seal, begin) > 0 ? (uint32_t)stream_seq(flow->seal, begin) : 0;
	uint8_t *judged = message_put(tcp, flow, segment, msg, size, sealed > 0);
	enum reason reason = stream_judge(tcp->stream, STREAM_WHOLE);

	if (tcp->stream->message.slot[0].question &&
		dns_type_is_transfer(tcp->stream->message.slot[0].qtype))
		flow->flags |= STREAM_TRANSFER;
	counter_add(&stats->stream_messages, 1);
	if (sealed > 0) {
		memcpy(tcp->sent, msg, sealed);
		stream_patch_overlay(tcp, flow, begin, tcp->sent, sealed);
		counter_add(&stats->stream_late, memcmp(tcp->sent, judged, sealed) != 0);
	}
	reason_raise(segment, reason);
	reasons_raise(tcp, flow, start, end, reason);
	framing_check(tcp, flow, msg, size);
	stream_patch_note(tcp, flow, begin + sealed, msg + sealed, judged + sealed, size - sealed);
	flow->clear = flow->seal = end;
}

void stream_text_drop(struct stream_tcp *tcp, struct stream_flow *flow)
{
	if (flow->chunk_first != STREAM_NONE) {
		tcp->chunks[flow->chunk_last].next = tcp->chunk_pool.free;
		tcp->chunk_pool.free = flow->chunk_first;
		flow->chunk_first = flow->chunk_last = STREAM_NONE;
	}
	flow->have = 0;
}

void stream_text_give_up(struct stream_tcp *tcp, struct stream_flow *flow, enum reason reason)
{
	struct stats_worker *stats = tcp->stream->hooks.stats;

	if (flow->reason != REASON_none)
		return;
	flow->reason = (uint8_t)reason;
	stream_text_drop(tcp, flow);
	counter_add(
		&stats->streams_unfiltered[reason == REASON_stream_gap     ? STATS_STREAM_GAP
					   : reason == REASON_stream_limit ? STATS_STREAM_LIMIT
									   : STATS_STREAM_FRAMING],
		1);
}

void stream_text_restart(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t next, bool sure)
{
	stream_text_drop(tcp, flow);
	flow->next = flow->clear = flow->seal = next;
	flow->reason = REASON_none;
	flow->odd = 0;
	flow->flags = (flow->flags & STREAM_TRANSFER) | (sure ? 0 : STREAM_UNSURE);
}

// The message under way into tcp->text, its length first.
static void text_copy(struct stream_tcp *tcp, const struct stream_flow *flow)
{
	uint32_t at = 0;

	for (uint32_t i = flow->chunk_first; at < flow->have; i = tcp->chunks[i].next) {
		uint32_t n = flow->have - at;

		if (n > STREAM_CHUNK_OCTETS)
			n = STREAM_CHUNK_OCTETS;
		memcpy(tcp->text + at, tcp->chunks[i].octets, n);
		at += n;
	}
}

static bool chunk_append(struct stream_tcp *tcp, struct stream_flow *flow)
{
	uint32_t i = tcp->chunk_pool.free;

	if (stream_pool_is_empty(&tcp->chunk_pool))
		return false;
	if (i != STREAM_NONE)
		tcp->chunk_pool.free = tcp->chunks[i].next;
	else
		i = stream_pool_fresh(&tcp->chunk_pool);
	if (flow->chunk_first == STREAM_NONE)
		flow->chunk_first = i;
	else
		tcp->chunks[flow->chunk_last].next = i;
	flow->chunk_last = i;
	return true;
}

// @return false: there is no room
static bool text_keep(
	struct stream_tcp *tcp, struct stream_flow *flow, const uint8_t *octets, uint32_t n)
{
	while (n > 0) {
		uint32_t fill = flow->have % STREAM_CHUNK_OCTETS;
		uint32_t part = STREAM_CHUNK_OCTETS - fill < n ? STREAM_CHUNK_OCTETS - fill : n;

		if (fill == 0 && !chunk_append(tcp, flow))
			return false;
		memcpy(tcp->chunks[flow->chunk_last].octets + fill, octets, part);
		flow->have += part;
		flow->next += part;
		octets += part;
		n -= part;
	}
	return true;
}

// Octets of the message under way, as many as are its own. @return how many
static uint32_t text_add(struct stream_tcp *tcp, struct stream_flow *flow,
	struct stream_held *segment, const uint8_t *octets, uint32_t n)
{
	uint32_t size = LENGTH_SIZE, want;

	if (flow->have >= LENGTH_SIZE)
		size += load_be16(tcp->chunks[flow->chunk_first].octets);
	want = size - flow->have;
	if (want > n)
		want = n;
	if (!text_keep(tcp, flow, octets, want)) {
		stream_text_give_up(tcp, flow, REASON_stream_limit);
		return 0;
	}
	if (flow->have < LENGTH_SIZE ||
		flow->have < LENGTH_SIZE + load_be16(tcp->chunks[flow->chunk_first].octets))
		return want;
	text_copy(tcp, flow);
	size = flow->have;
	stream_text_drop(tcp, flow);
	message_judge(
		tcp, flow, segment, flow->next - size, tcp->text + LENGTH_SIZE, size - LENGTH_SIZE);
	return want;
}

void stream_text_take(struct stream_tcp *tcp, struct stream_flow *flow, struct stream_held *segment,
	const uint8_t *octets, uint32_t n)
{
	uint32_t end = flow->next + n;

	while (n > 0 && flow->reason == REASON_none) {
		uint32_t size = n >= LENGTH_SIZE ? LENGTH_SIZE + load_be16(octets) : UINT32_MAX;

		if (flow->have == 0 && size <= n) {
			// Nearly all: a message that begins and ends here.
			message_judge(tcp, flow, segment, flow->next, octets + LENGTH_SIZE,
				size - LENGTH_SIZE);
			flow->next += size;
		} else {
			size = text_add(tcp, flow, segment, octets, n);
		}
		octets += size;
		n -= size;
	}
	if (flow->reason != REASON_none)
		flow->next = flow->clear = flow->seal = end;
}

static uint8_t *prefix_judge(
	struct stream_tcp *tcp, struct stream_flow *flow, uint32_t size, enum reason *reason)
{
	uint8_t *msg = tcp->text + LENGTH_SIZE;
	uint8_t *judged = message_put(tcp, flow, &tcp->held[flow->held_first], msg, size, true);

	*reason = stream_judge(tcp->stream, STREAM_PART);
	// Counts are ours, not the server's.
	memcpy(judged + COUNTS_AT, msg + COUNTS_AT, DNS_HEADER_SIZE - COUNTS_AT);
	return judged;
}

// Which of the octets that were filled up are changed, whatever they will be: those that become the
// same from zeros and from ones. They are made to differ from what they were, the others to be equal.
static uint8_t *filled_judge(struct stream_tcp *tcp, struct stream_flow *flow,
	const struct stream_prefix *prefix, uint8_t *judged)
{
	uint8_t *msg = tcp->text + LENGTH_SIZE;
	uint32_t fill = prefix->fill, n = prefix->size - fill;
	enum reason reason;

	memcpy(tcp->sent, judged + fill, n);
	memset(msg + fill, 0xff, n);
	judged = prefix_judge(tcp, flow, prefix->size, &reason);
	for (uint32_t i = fill; i < prefix->size; i++) {
		if (judged[i] == tcp->sent[i - fill])
			msg[i] = (uint8_t)~judged[i];
		else
			judged[i] = msg[i];
	}
	return judged;
}

// Judge the records that are there. @return what the segments that have them are counted by
static enum reason part_judge(struct stream_tcp *tcp, struct stream_flow *flow)
{
	uint32_t begin = flow->next - flow->have + LENGTH_SIZE, have, from, to;
	uint8_t *msg = tcp->text + LENGTH_SIZE, *judged = msg;
	enum reason reason = REASON_stream_partial;
	struct stream_prefix prefix;

	if (flow->have <= LENGTH_SIZE) {
		flow->seal = flow->next;
		return reason;
	}
	text_copy(tcp, flow);
	have = flow->have - LENGTH_SIZE;
	prefix = stream_prefix(msg, have, load_be16(tcp->text));
	to = prefix.decided;
	if (prefix.size > 0)
		judged = prefix_judge(tcp, flow, prefix.size, &reason);
	if (prefix.size > have && tcp->stream->message.edits) {
		judged = filled_judge(tcp, flow, &prefix, judged);
		// The lesser of two TTLs is known octet by octet: the rest of it is cut when it comes.
		if (prefix.fill > have && msg[prefix.fill] != judged[prefix.fill])
			to = have;
	}
	from = stream_seq(flow->seal, begin) > 0 ? (uint32_t)stream_seq(flow->seal, begin) : 0;
	// Of what leaves now in part all octets are changed as is decided now.
	if (to > from)
		flow->seal = begin + to;
	if (to > prefix.size)
		to = prefix.size;
	if (from < to)
		stream_patch_note(tcp, flow, begin + from, msg + from, judged + from, to - from);
	return reason;
}

void stream_text_release(struct stream_tcp *tcp, struct stream_flow *flow)
{
	uint32_t start = flow->next - flow->have;
	enum reason reason;

	if (flow->clear == flow->next)
		return;
	counter_add(&tcp->stream->hooks.stats->stream_parts, flow->clear == start);
	reason = part_judge(tcp, flow);
	reasons_raise(tcp, flow, start, flow->next, reason);
	flow->clear = flow->next;
}
