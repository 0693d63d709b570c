/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_frag_private.h"

#include <string.h>

#include "pkt/pkt.h"

#define IP_PROTO_UDP 17

static void key_make(
	const struct burst_slot *slot, const struct pkt_fragment *at, struct frag_key *key)
{
	bool v4 = slot->family == ADDR_IPV4;

	*key = (struct frag_key){
		.link = at->link,
		.id = at->id,
		.family = at->family,
		.protocol = at->protocol,
	};
	memcpy(key->addresses, slot->frame + slot->l3 + (v4 ? 12 : 8), v4 ? 8 : 32);
}

// What a first fragment says of its train.
enum first {
	FIRST_UNKNOWN, // nothing: it is not the first, or does not tell
	FIRST_WANTED,
	FIRST_OTHER,
};

static enum first first_read(const struct stream_frag *f, const struct pkt_fragment *at)
{
	if (at->transport == PKT_TRANSPORT_UNKNOWN)
		return FIRST_UNKNOWN;
	return at->transport == PKT_TRANSPORT_UDP && policy_is_port(f->stream->policy, at->src_port)
		       ? FIRST_WANTED
		       : FIRST_OTHER;
}

// What is held goes on, and so does what comes; if these may be copies, neither does.
static void train_pass(struct stream_frag *f, struct frag_train *train, enum reason reason)
{
	frag_release(f, train, reason);
	train->state = train->changed ? FRAG_DROP : FRAG_PASS;
	train->reason = train->changed ? REASON_fragment_repeated : reason;
}

// A packet of a train that is not held. @return whether it was taken
static bool train_refuse(struct stream_frag *f, const struct frag_train *train,
	struct burst_slot *slot, void *packet)
{
	if (train->state == FRAG_PASS) {
		slot->reason = train->reason;
		return false;
	}
	stream_held(f->stream, 1);
	stream_drop(f->stream, packet, train->reason);
	return true;
}

// @return whether there is room for one more packet in @p train
static bool make_room(struct stream_frag *f, struct frag_train *train)
{
	if (train->n_pieces == STREAM_FRAG_PIECES_MAX) {
		train_pass(f, train, REASON_fragment_limit);
		return false;
	}
	while (f->held == f->n_pieces) {
		if (train == &f->trains[f->oldest]) {
			train_pass(f, train, REASON_fragment_limit);
			return false;
		}
		frag_evict(f, REASON_fragment_limit);
	}
	return true;
}

// It is whole. What comes behind one that was changed may be copies, until its time is over.
static void train_end(struct stream_frag *f, struct frag_train *train)
{
	const struct frag_key key = train->key;
	bool changed = frag_judge(f, train);

	frag_forget(f, train);
	if (changed)
		frag_begin(f, &key)->changed = true;
}

// The next packet of a train that is held. @return whether it was taken
static bool train_take(struct stream_frag *f, struct frag_train *train, struct burst_slot *slot,
	const struct pkt_fragment *at, void *packet)
{
	if (!make_room(f, train))
		return train_refuse(f, train, slot, packet);
	frag_cover(f, train, at, slot->frame + at->payload);
	frag_hold(f, train, at, packet);
	if (train->contradicts && train->wanted) {
		frag_drop(f, train, REASON_fragment_overlap);
		train->state = FRAG_DROP;
		train->reason = REASON_fragment_overlap;
	} else if (frag_is_whole(train)) {
		train_end(f, train);
	}
	return true;
}

// @return whether the packet was taken
static bool packet_take(
	struct stream_frag *f, struct burst_slot *slot, const struct pkt_fragment *at, void *packet)
{
	enum first first = first_read(f, at);
	struct frag_train *train;
	struct frag_key key;

	key_make(slot, at, &key);
	train = frag_find(f, &key);
	// Numbers are used again: a first fragment begins anew what was not held any longer.
	if (train && train->state != FRAG_HOLD && at->offset == 0) {
		frag_forget(f, train);
		train = NULL;
	}
	if (!train)
		train = frag_begin(f, &key);
	if (first == FIRST_OTHER && !train->wanted && train->state == FRAG_HOLD) {
		train->changed = false;
		train_pass(f, train, REASON_fragment);
	}
	if (train->state != FRAG_HOLD)
		return train_refuse(f, train, slot, packet);
	train->wanted |= first == FIRST_WANTED;
	return train_take(f, train, slot, at, packet);
}

void stream_frag_expire(struct stream_frag *f)
{
	while (f->oldest && (int64_t)(f->stream->now - f->trains[f->oldest].deadline) >= 0)
		frag_evict(f, REASON_fragment_incomplete);
}

void stream_frag_packet(struct stream_frag *f, struct burst *burst, unsigned i, void *packet)
{
	struct burst_slot *slot = &burst->slot[i];
	struct pkt_fragment at;

	if (burst->side != BURST_FROM_RESOLVERS || f->n_trains == 0)
		return;
	// Trains that hold nothing end here, if nobody asked for it meanwhile.
	stream_frag_expire(f);
	if (!pkt_fragment_read(slot, &at)) {
		slot->reason = REASON_fragment_bad;
		return;
	}
	// Over IPv6 only the first fragment's word counts: RFC 8200 s4.5.
	if (slot->family == ADDR_IPV4 && slot->protocol != IP_PROTO_UDP)
		return;
	if (packet_take(f, slot, &at, packet))
		burst->taken |= UINT32_C(1) << i;
}

void stream_frag_flush(struct stream_frag *f)
{
	while (f->oldest)
		frag_evict(f, REASON_fragment_incomplete);
}
