/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_frag_private.h"

#include <string.h>

#include "pkt/pkt.h"

static inline uint32_t piece_end(const struct pkt_fragment *at)
{
	return at->offset + (uint32_t)at->size;
}

// Room for a piece beside the datagram.
static inline uint8_t *frag_other(const struct stream_frag *f)
{
	return f->stream->scratch + FRAG_FRAME_SIZE;
}

static void piece_read(const struct stream_frag *f, const struct frag_piece *piece, uint32_t at,
	uint8_t *to, uint32_t n)
{
	f->stream->hooks.ops->read(f->stream->hooks.ctx, piece->packet, at, to, n);
}

// @return how many of the units from..to were there before
static uint32_t units_set(uint64_t *units, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	while (from < to) {
		uint32_t bit = from % 64, size = to - from < 64 - bit ? to - from : 64 - bit;
		uint64_t mask = (size == 64 ? UINT64_MAX : (UINT64_C(1) << size) - 1) << bit;

		n += (uint32_t)__builtin_popcountll(units[from / 64] & mask);
		units[from / 64] |= mask;
		from += size;
	}
	return n;
}

// Whether what is held has the same octets where a new piece has some, too.
static bool agrees(struct stream_frag *f, const struct frag_train *train,
	const struct pkt_fragment *at, const uint8_t *payload)
{
	for (uint32_t i = train->head; i; i = f->pieces[i].next) {
		const struct frag_piece *piece = &f->pieces[i];
		uint32_t from = piece->at.offset > at->offset ? piece->at.offset : at->offset;
		uint32_t to = piece_end(&piece->at) < piece_end(at) ? piece_end(&piece->at)
								    : piece_end(at);

		if (from >= to)
			continue;
		piece_read(f, piece, piece->at.payload + from - piece->at.offset, frag_other(f),
			to - from);
		if (memcmp(frag_other(f), payload + from - at->offset, to - from) != 0)
			return false;
	}
	return true;
}

void frag_cover(struct stream_frag *f, struct frag_train *train, const struct pkt_fragment *at,
	const uint8_t *payload)
{
	uint32_t end = piece_end(at), from = at->offset / 8u, to = (end + 7) / 8, before;

	if (!at->more) {
		train->contradicts |= train->ended && train->total != end;
		train->ended = true;
		train->total = end;
	}
	if (end > train->end)
		train->end = end;
	train->contradicts |= train->ended && train->end > train->total;
	before = units_set(train->units, from, to);
	train->n_units = (uint16_t)(train->n_units + to - from - before);
	if (before && !train->contradicts && !agrees(f, train, at, payload))
		train->contradicts = true;
}

bool frag_is_whole(const struct frag_train *train)
{
	return train->ended && !train->contradicts && train->first &&
	       train->n_units == (train->total + 7) / 8;
}

// @return where the datagram starts in f->stream->scratch; 0: it does not fit
static uint32_t train_join(struct stream_frag *f, const struct frag_train *train)
{
	const struct frag_piece *first = &f->pieces[train->first];
	uint32_t start;

	if (first->at.payload + train->total > FRAG_FRAME_SIZE)
		return 0;
	piece_read(f, first, 0, f->stream->scratch, first->at.payload);
	start = pkt_fragment_join(f->stream->scratch, &first->at, train->total);
	for (uint32_t i = train->head; i; i = f->pieces[i].next) {
		const struct pkt_fragment *at = &f->pieces[i].at;

		piece_read(f, &f->pieces[i], at->payload, f->stream->scratch + start + at->offset,
			at->size);
	}
	return start;
}

// The fragment is the last one of its datagram now.
static void piece_finish(struct stream_frag *f, const struct frag_piece *piece, uint32_t size)
{
	const struct packet_ops *ops = f->stream->hooks.ops;
	void *ctx = f->stream->hooks.ctx;
	uint8_t *headers = frag_other(f);

	piece_read(f, piece, 0, headers, piece->at.payload);
	pkt_fragment_end(headers, &piece->at, size);
	ops->write(ctx, piece->packet, 0, headers, piece->at.payload);
	ops->shorten(ctx, piece->packet, piece->at.payload + size);
}

/*
 * Send a train whose message was changed.
 *
 * @param datagram what it is now
 * @param end      how long it is now
 */
static void train_send_edited(struct stream_frag *f, struct frag_train *train,
	const uint8_t *datagram, uint32_t end, enum reason reason)
{
	const struct packet_ops *ops = f->stream->hooks.ops;
	void *ctx = f->stream->hooks.ctx;

	while (train->head) {
		const struct frag_piece *piece = &f->pieces[train->head];
		uint32_t from = piece->at.offset, size = piece->at.size;
		bool shorter = end < train->total;

		if (shorter && from >= end) {
			stream_drop(f->stream, frag_unhold(f, train), REASON_fragment_cut);
			continue;
		}
		if (shorter && from + size >= end) {
			size = end - from;
			piece_finish(f, piece, size);
		}
		ops->write(ctx, piece->packet, piece->at.payload, datagram + from, size);
		stream_send(f->stream, frag_unhold(f, train), reason);
	}
}

// Fill slot 0 of the burst of one. @return why the datagram is no DNS response; REASON_none: it may be
static enum reason message_fill(struct stream_frag *f, uint32_t size)
{
	struct burst_slot *slot = &f->stream->message.slot[0];
	enum reason reason;

	*slot = (struct burst_slot){
		.frame = f->stream->scratch,
		.frame_size = size,
		.frame_room = size,
	};
	reason = pkt_parse(slot);
	if (reason == REASON_none && !policy_is_port(f->stream->policy, slot->src_port))
		return REASON_fragment;
	return reason;
}

bool frag_judge(struct stream_frag *f, struct frag_train *train)
{
	const struct burst *message = &f->stream->message;
	const struct burst_slot *slot = &message->slot[0];
	uint32_t start = train_join(f, train), end = train->total;
	enum reason reason = start ? message_fill(f, start + end) : REASON_oversize;

	// It is whole, so it is judged like any other.
	train->changed = false;
	if (reason != REASON_none) {
		frag_release(f, train, reason);
		return false;
	}
	reason = stream_judge(f->stream, STREAM_WHOLE);
	if (message->resized & 1)
		end = slot->msg + slot->msg_size - start;
	if (message->dropped & 1)
		frag_drop(f, train, reason);
	else if (message->edits & 1)
		train_send_edited(f, train, slot->frame + start, end, reason);
	else
		frag_release(f, train, reason);
	return (message->dropped | message->edits) & 1;
}
