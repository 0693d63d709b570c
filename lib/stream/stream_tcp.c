/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_tcp_private.h"

/** Octets of sequence that a connection may be away from where it was and still be the same one. */
#define SAME_WINDOW (1 << 24)
/** The same for an answer to a SYN that comes once more, if it is not known what number it began with. */
#define SAME_SYN (1 << 16)
/**
 * One part of the table is for connections that a server has agreed to and in which nobody has said
 * anything: a flood of them pushes out nothing.
 */
#define AGREED_SHARE 16

static void key_fill(struct stream_key *key, const struct burst_slot *slot, bool from_server)
{
	bool v4 = slot->family == ADDR_IPV4;
	const uint8_t *src = slot->frame + slot->l3 + (v4 ? 12 : 8);
	uint8_t size = addr_size(slot->family);
	const uint8_t *dst = src + size;

	*key = (struct stream_key){
		.link = pkt_link(slot->frame, slot->l3),
		.server_port = from_server ? slot->src_port : slot->dst_port,
		.client_port = from_server ? slot->dst_port : slot->src_port,
		.family = slot->family,
	};
	memcpy(key->server, from_server ? src : dst, size);
	memcpy(key->client, from_server ? dst : src, size);
}

// The connection is over, or may be: what is held goes, patches stay for a while.
static void flow_ends(struct stream_tcp *tcp, struct stream_flow *flow)
{
	stream_text_release(tcp, flow);
	stream_held_settle(tcp, flow);
	stream_flow_touch(tcp, flow, STREAM_CLOSING);
}

// How far the client says that it has the octets, as far as anybody said so.
static uint32_t said_get(const struct stream_flow *flow)
{
	return flow->flags & STREAM_PAST ? flow->due : flow->next;
}

// Octets begin before what the client said that it has: it may have come past us, or before our time.
static void past_note(struct stream_flow *flow, uint32_t said)
{
	int32_t ahead = stream_seq(said, flow->next);

	if (ahead <= 0 || ahead > SAME_WINDOW)
		return;
	flow->flags |= STREAM_PAST;
	flow->due = said;
}

/* ---- from the client: hints ----------------------------------------------------------------- */

static void client_acked(
	struct stream_tcp *tcp, struct stream_flow *flow, const struct pkt_tcp *seg)
{
	int32_t ahead = stream_seq(seg->ack, flow->next);
	uint32_t start = flow->next - flow->have;

	if (flow->flags & STREAM_WAIT) {
		stream_text_restart(tcp, flow, seg->ack, true);
		return;
	}
	// More than all and the FIN: octets of which nothing is known here. They count as sent past us
	// only where a gap says the same, else anybody could have us skip what comes next.
	if (ahead <= 1)
		// What was changed in the message under way is asked for when all of it is there.
		stream_patch_trim(tcp, flow,
			(stream_seq(seg->ack, start) < 0 ? seg->ack : start) - STREAM_PATCH_ACKED);
	else if (ahead <= SAME_WINDOW && flow->clear == flow->next && flow->reason == REASON_none) {
		if (flow->held_last != STREAM_NONE) {
			stream_text_restart(tcp, flow, seg->ack, false);
			stream_held_settle(tcp, flow);
			return;
		}
		// The gap may come behind it, and then the client has nothing more to say.
		// An older acknowledgement may come late.
		if (stream_seq(seg->ack, said_get(flow)) > 0)
			past_note(flow, seg->ack);
	}
	// Its FIN, too: before that something may be lost, and come again late.
	if (ahead > 0 && flow->flags & STREAM_FIN && flow->held_first == STREAM_NONE)
		stream_flow_touch(tcp, flow, STREAM_CLOSING);
}

// A query: what the client has of the server's octets ends with a message. Once octets of the server
// were seen that is believed only where it agrees with them: a made-up number would hide what comes.
static void client_asked(
	struct stream_tcp *tcp, struct stream_flow *flow, const struct pkt_tcp *seg)
{
	stream_flow_touch(tcp, flow, flow->age == STREAM_YOUNG ? STREAM_YOUNG : STREAM_LIVE);
	if (flow->held_first != STREAM_NONE)
		return;
	if (flow->age == STREAM_YOUNG || (flow->reason != REASON_none && seg->ack == flow->next)) {
		uint32_t said = said_get(flow);

		stream_text_restart(tcp, flow, seg->ack, false);
		// A query that comes late has an older number.
		past_note(flow, said);
	}
}

static void client_segment(
	struct stream_tcp *tcp, const struct burst_slot *slot, const struct pkt_tcp *seg)
{
	struct stream_flow *flow;
	struct stream_key key;

	key_fill(&key, slot, false);
	flow = stream_flow_find(tcp, &key);
	if (seg->flags & PKT_TCP_RST) {
		if (flow)
			flow_ends(tcp, flow);
		return;
	}
	if (seg->flags & PKT_TCP_SYN) {
		if (flow)
			flow->flags |= STREAM_REOPEN;
		else if (seg->size > 0)
			stream_flow_create(tcp, &key, 0)->flags = STREAM_WAIT;
		return;
	}
	if (!(seg->flags & PKT_TCP_ACK))
		return;
	// State is made for those who say something, not for those who knock.
	if (!flow && seg->size > 0)
		flow = stream_flow_create(tcp, &key, seg->ack);
	if (!flow)
		return;
	client_acked(tcp, flow, seg);
	if (seg->size > 0)
		client_asked(tcp, flow, seg);
}

/* ---- from the server ------------------------------------------------------------------------ */

// Another connection of the same addresses and ports.
static void flow_renew(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t next, bool sure)
{
	stream_held_end(tcp, flow);
	stream_patch_forget(tcp, flow);
	flow->flags = 0;
	stream_text_restart(tcp, flow, next, sure);
	stream_held_settle(tcp, flow);
}

// Whether what comes is another connection, or sent again.
static bool is_over(const struct stream_flow *flow)
{
	return flow->flags & STREAM_FIN || flow->age == STREAM_CLOSING;
}

// A connection in which nothing was said so far. A query begins it, too; where the clients' side is not
// seen this tells where octets begin.
static void server_began(struct stream_tcp *tcp, const struct stream_key *key, uint32_t start)
{
	if (tcp->ages[STREAM_YOUNG].n >= tcp->flow_pool.n / AGREED_SHARE ||
		stream_pool_is_empty(&tcp->flow_pool))
		return;
	stream_flow_create(tcp, key, start)->flags = 0;
}

// The server agrees to a connection: new, unless it says so once more.
static void server_agreed(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t start)
{
	int32_t ahead = stream_seq(start, flow->next);
	bool first = flow->first == (uint16_t)start;
	bool again = ahead <= 0 && ahead > (first ? -SAME_WINDOW : -SAME_SYN) &&
		     !(flow->flags & STREAM_WAIT);

	// A SYN that comes late, or twice, may be seen when the connection has long begun. Then the
	// number is the one that it began with.
	if (again && (!(flow->flags & STREAM_REOPEN) || first)) {
		flow->flags &= (uint8_t)~STREAM_REOPEN;
		// Or it is one with the same numbers: its first octets will tell.
		if (is_over(flow)) {
			flow->flags |= STREAM_AGAIN;
			flow->first = (uint16_t)start;
		}
		return;
	}
	flow_renew(tcp, flow, start, true);
	flow->first = (uint16_t)start;
	stream_flow_touch(tcp, flow, STREAM_YOUNG);
}

// Whether the number that a connection is expected to go on with tells nothing about this segment.
static bool is_astray(const struct stream_flow *flow, uint32_t seq)
{
	int32_t ahead = stream_seq(seq, flow->next);

	// What begins where a connection did that is over, and has been agreed to again.
	if (flow->flags & STREAM_AGAIN && flow->first == (uint16_t)seq && ahead <= 0)
		return true;
	// Before anything was seen of the server the number is what the client said it is.
	return flow->flags & STREAM_WAIT || (flow->age == STREAM_YOUNG && ahead < 0) ||
	       ahead > SAME_WINDOW || ahead < -SAME_WINDOW;
}

// What a segment belongs to, begun here if need be. NULL: that cannot be told
static struct stream_flow *server_flow(struct stream_tcp *tcp, struct stream_flow *flow,
	const struct stream_key *key, const struct stream_held *segment, const uint8_t *octets)
{
	bool asked = flow && flow->age == STREAM_YOUNG && !(flow->flags & STREAM_WAIT);
	uint32_t said = asked ? said_get(flow) : 0;

	if (flow && !is_astray(flow, segment->seq))
		return flow;
	if (!stream_is_begin(octets, segment->size))
		return NULL;
	if (!flow)
		return stream_flow_create(tcp, key, segment->seq);
	flow_renew(tcp, flow, segment->seq, false);
	if (asked)
		past_note(flow, said);
	return flow;
}

// Octets before a gap that the client has: they were sent past us.
static void octets_skip(struct stream_tcp *tcp, struct stream_flow *flow, uint32_t seq)
{
	if (flow->flags & STREAM_PAST && stream_seq(flow->due, flow->next) > 0 &&
		stream_seq(seq, flow->next) > 0)
		stream_text_restart(tcp, flow, flow->due, false);
}

// A connection that passes unfiltered since octets were missing: a response that begins shows where the
// next message does, as a query would, which is not seen where only the servers' side is.
static void server_resumes(struct stream_tcp *tcp, struct stream_flow *flow,
	const struct stream_held *segment, const uint8_t *octets)
{
	if ((flow->reason == REASON_stream_gap || flow->reason == REASON_stream_limit) &&
		stream_seq(segment->seq, flow->next) >= 0 &&
		stream_is_response(octets, segment->size))
		stream_text_restart(tcp, flow, segment->seq, false);
}

// @return whether the segment may go on at once, with segment->reason
static bool server_octets(struct stream_tcp *tcp, struct stream_flow *flow,
	struct stream_held *segment, const uint8_t *octets)
{
	uint32_t end = segment->seq + segment->size;
	int32_t ahead;

	octets_skip(tcp, flow, segment->seq);
	server_resumes(tcp, flow, segment, octets);
	ahead = stream_seq(segment->seq, flow->next);
	if (flow->reason != REASON_none) {
		segment->reason = flow->reason;
		if (stream_seq(end, flow->next) > 0)
			flow->next = flow->clear = flow->seal = end;
		// Numbers come round again.
		stream_patch_trim(tcp, flow, flow->next - STREAM_PATCH_WINDOW);
	} else if (stream_seq(end, flow->next) <= 0) {
		segment->reason = REASON_stream_repeated;
	} else if (ahead <= 0) {
		segment->reason = REASON_stream_partial;
		stream_text_take(tcp, flow, segment, octets - ahead,
			(uint32_t)((int32_t)segment->size + ahead));
		if (flow->reason != REASON_none && segment->reason < flow->reason)
			segment->reason = flow->reason;
	} else {
		segment->reason = REASON_stream_partial;
	}
	if (flow->held_first == STREAM_NONE &&
		(flow->reason != REASON_none || stream_seq(end, flow->clear) <= 0)) {
		stream_patch_segment(tcp, flow, segment);
		return true;
	}
	stream_held_add(tcp, flow, segment);
	return false;
}

// Without payload, or nothing that is followed. @return whether that is all
static bool server_signs(struct stream_tcp *tcp, struct stream_flow *flow,
	const struct stream_key *key, struct pkt_tcp *seg)
{
	if (seg->flags & PKT_TCP_RST) {
		if (flow)
			flow_ends(tcp, flow);
		return true;
	}
	if (seg->flags & PKT_TCP_SYN) {
		seg->seq++;
		if (flow)
			server_agreed(tcp, flow, seg->seq);
		else if (seg->flags & PKT_TCP_ACK && seg->size == 0)
			server_began(tcp, key, seg->seq);
	}
	if (flow && seg->flags & PKT_TCP_FIN) {
		flow->flags |= STREAM_FIN;
		// What is there is all that comes.
		if (seg->size == 0 && seg->seq == flow->next) {
			stream_text_release(tcp, flow);
			stream_held_settle(tcp, flow);
		}
	}
	return seg->size == 0;
}

// @return whether it may go on at once
static bool server_segment(
	struct stream_tcp *tcp, struct burst_slot *slot, struct pkt_tcp *seg, void *packet)
{
	const uint8_t *octets = slot->frame + seg->payload;
	struct stream_held segment;
	struct stream_flow *flow;
	struct stream_key key;
	bool passes;

	stream_held_room(tcp);
	key_fill(&key, slot, true);
	flow = stream_flow_find(tcp, &key);
	if (server_signs(tcp, flow, &key, seg))
		return true;
	segment = (struct stream_held){
		.packet = packet,
		.seq = seg->seq,
		.size = seg->size,
		.payload = seg->payload,
		.l3 = slot->l3,
		.l4 = slot->l4,
	};
	flow = server_flow(tcp, flow, &key, &segment, octets);
	if (!flow) {
		slot->reason = REASON_stream_unknown;
		return true;
	}
	stream_flow_touch(tcp, flow, STREAM_LIVE);
	passes = server_octets(tcp, flow, &segment, octets);
	slot->reason = segment.reason;
	if (seg->flags & PKT_TCP_FIN && !passes) {
		stream_text_release(tcp, flow);
		stream_held_settle(tcp, flow);
	}
	return passes;
}

void stream_tcp_packet(struct stream_tcp *tcp, struct burst *burst, unsigned i, void *packet)
{
	const struct policy *policy = tcp->stream->policy;
	struct burst_slot *slot = &burst->slot[i];
	struct pkt_tcp seg;

	if (!pkt_tcp_parse(slot, &seg)) {
		slot->reason = REASON_bad_tcp;
		return;
	}
	if (burst->side == BURST_FROM_CLIENTS) {
		if (policy_is_port(policy, slot->dst_port))
			client_segment(tcp, slot, &seg);
	} else if (policy_is_port(policy, slot->src_port)) {
		if (!server_segment(tcp, slot, &seg, packet))
			burst->taken |= UINT32_C(1) << i;
	}
}

void stream_tcp_expire(struct stream_tcp *tcp)
{
	if (tcp->tick == tcp->expired)
		return;
	tcp->expired = tcp->tick;
	stream_held_expire(tcp);
}

void stream_tcp_flush(struct stream_tcp *tcp)
{
	for (enum stream_timer timer = 0; timer < STREAM_TIMERS; timer++)
		while (tcp->timers[timer].first != STREAM_NONE)
			stream_held_end(tcp, &tcp->flows[tcp->timers[timer].first]);
}
