/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/random.h"
#include "traffic/witness.h"

#define MILLION     1000000
#define SEQUENCE_AT 4
#define FLAGS_AT    13

// Where a flow's stream has got to, and its last octets.
struct flow {
	uint64_t key;
	uint32_t next; // sequence number behind the tail
	uint16_t n;
	uint8_t tail[LANE_TAIL];
};

struct held {
	uint8_t *frame;
	size_t size;
	uint64_t due_sent, due_ms;
};

struct lane {
	struct spec spec;
	struct cut_state state;
	uint32_t walk, id;
	uint16_t mtu;
	lane_send send;
	void *ctx;
	uint64_t now_ms;
	struct lane_counts counts;
	struct witness *witness;
	unsigned n_held;
	struct held held[LANE_HELD_MAX]; // oldest first
	struct flow flows[LANE_FLOWS];
	struct cut_piece pieces[CUT_PIECES_MAX];
	uint8_t made[FRAME_SIZE_MAX];
};

struct lane *lane_create(
	const struct spec *spec, uint64_t seed, uint16_t mtu, lane_send send, void *ctx)
{
	struct lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return NULL;
	lane->witness = witness_create();
	if (!lane->witness) {
		free(lane);
		return NULL;
	}
	lane->spec = *spec;
	lane->state.dice = RANDOM_SEED ^ (seed * 0xff51afd7ed558ccdu);
	lane->state.dice += lane->state.dice == 0;
	lane->id = (uint32_t)random_next(&lane->state.dice);
	lane->mtu = mtu < FRAME_MTU_MAX ? mtu : FRAME_MTU_MAX;
	lane->send = send;
	lane->ctx = ctx;
	return lane;
}

void lane_destroy(struct lane *lane)
{
	if (!lane)
		return;
	for (unsigned i = 0; i < lane->n_held; i++)
		free(lane->held[i].frame);
	witness_destroy(lane->witness);
	free(lane);
}

static bool chance(struct lane *lane, uint32_t parts)
{
	return parts > 0 && random_below(&lane->state.dice, MILLION) < parts;
}

static void go(struct lane *lane, const uint8_t *frame, size_t size)
{
	lane->counts.sent++;
	lane->send(lane->ctx, frame, size);
}

// The frames that are due, oldest first; all with @p all.
static void release(struct lane *lane, bool all)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < lane->n_held; i++) {
		struct held *h = &lane->held[i];

		if (all || h->due_sent <= lane->counts.sent || h->due_ms <= lane->now_ms) {
			go(lane, h->frame, h->size);
			free(h->frame);
		} else {
			lane->held[kept++] = *h;
		}
	}
	lane->n_held = kept;
}

static bool hold(struct lane *lane, const uint8_t *frame, size_t size)
{
	struct held *h = &lane->held[lane->n_held];
	uint8_t *copy = lane->n_held < LANE_HELD_MAX ? malloc(size) : NULL;

	if (!copy)
		return false;
	memcpy(copy, frame, size);
	*h = (struct held){copy, size, lane->counts.sent + lane->spec.reorder_frames,
		lane->now_ms + lane->spec.hold_ms};
	lane->n_held++;
	lane->counts.held++;
	return true;
}

// The last step: a frame of a conversation leaves once, twice, later or not at all.
static void leave(struct lane *lane, const uint8_t *frame, size_t size)
{
	unsigned copies = 1;

	if (chance(lane, lane->spec.loss)) {
		lane->counts.lost++;
		return;
	}
	if (chance(lane, lane->spec.dup)) {
		lane->counts.duplicated++;
		copies++;
	}
	for (; copies > 0; copies--) {
		if (!chance(lane, lane->spec.reorder) || !hold(lane, frame, size))
			go(lane, frame, size);
	}
	release(lane, false);
}

// --- TCP ---

static struct flow *flow_of(struct lane *lane, const uint8_t *frame, const struct frame_view *v)
{
	size_t at = v->l3 + (v->version == 4 ? 12u : 8u), size = v->version == 4 ? 8 : 32;
	uint64_t key = load_be32(frame + v->l4) + 1ull;

	for (size_t i = 0; i < size; i += 4)
		key = (key ^ load_be32(frame + at + i)) * 0x9e3779b97f4a7c15u;
	key ^= key >> 29;

	struct flow *flow = &lane->flows[key % LANE_FLOWS];

	if (flow->key != key)
		*flow = (struct flow){.key = key};
	return flow;
}

// Old octets with new in one segment, before the new ones come by themselves.
static void join(struct lane *lane, const uint8_t *frame, const struct frame_view *v)
{
	struct flow *flow = flow_of(lane, frame, v);
	uint32_t sequence = load_be32(frame + v->l4 + SEQUENCE_AT);
	uint16_t n_old, n_new, size, most = (uint16_t)(v->l3 + lane->mtu);
	uint16_t room = most > v->payload ? (uint16_t)(most - v->payload) : 0;

	if (flow->n == 0 || flow->next != sequence || room < 2)
		return;
	n_old = (uint16_t)(1 + random_below(&lane->state.dice, flow->n));
	n_new = (uint16_t)(1 + random_below(&lane->state.dice, frame_payload_size(v)));
	if (n_old > room / 2)
		n_old = room / 2;
	if (n_new > room - n_old)
		n_new = (uint16_t)(room - n_old);
	size = cut_join(frame, v, flow->tail + flow->n - n_old, n_old, n_new, most, lane->made);
	if (size == 0)
		return;
	lane->counts.joined++;
	leave(lane, lane->made, size);
}

static void remember(struct lane *lane, const uint8_t *frame, const struct frame_view *v)
{
	struct flow *flow = flow_of(lane, frame, v);
	uint16_t size = frame_payload_size(v);

	flow->n = size < LANE_TAIL ? size : LANE_TAIL;
	memcpy(flow->tail, frame + v->end - flow->n, flow->n);
	flow->next = load_be32(frame + v->l4 + SEQUENCE_AT) + size;
}

static void pieces_leave(
	struct lane *lane, const uint8_t *frame, const struct frame_view *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint16_t size = cut_segment(frame, v, &lane->pieces[i], lane->made);

		leave(lane, lane->made, size);
	}
}

// Some of a segment that has been sent, with other borders than it was sent with.
static void repeat(struct lane *lane, const uint8_t *frame, const struct frame_view *v)
{
	const struct cut other = {.kind = CUT_RANDOM};
	unsigned n = cut_plan(&other, frame_payload_size(v), &lane->state, lane->pieces), kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (chance(lane, MILLION / 2))
			lane->pieces[kept++] = lane->pieces[i];
	}
	lane->counts.repeated += kept;
	pieces_leave(lane, frame, v, kept);
}

static void segment(
	struct lane *lane, const uint8_t *frame, size_t size, const struct frame_view *v)
{
	const struct spec *spec = &lane->spec;
	const struct cut halves = {.kind = CUT_SIZES,
		.n_runs = 1,
		.rest = true,
		.runs = {{(uint16_t)(frame_payload_size(v) / 2), 1}}};
	uint16_t payload = frame_payload_size(v);
	bool swap = chance(lane, spec->swap), shuffle = chance(lane, spec->shuffle);
	bool overlap = chance(lane, spec->overlap), recut = chance(lane, spec->recut);
	unsigned n = cut_plan(&spec->cut, payload, &lane->state, lane->pieces);

	if (recut)
		join(lane, frame, v);
	if (n == 1 && payload > 1 && (swap || shuffle || overlap))
		n = cut_plan(&halves, payload, &lane->state, lane->pieces);
	if (n > 1 && overlap) {
		cut_overlap(payload, n, &lane->state, lane->pieces);
		lane->counts.overlapped++;
	}
	if (n > 1 && (swap || shuffle))
		lane->counts.swapped++;
	if (n > 1 && shuffle)
		cut_shuffle(n, &lane->state, lane->pieces);
	else if (swap)
		cut_swap(n, lane->pieces);
	if (n > 1) {
		lane->counts.segments++;
		lane->counts.pieces += n;
		pieces_leave(lane, frame, v, n);
	} else {
		leave(lane, frame, size);
	}
	if (recut)
		repeat(lane, frame, v);
	remember(lane, frame, v);
}

// --- UDP ---

static void datagram(
	struct lane *lane, const uint8_t *frame, size_t size, const struct frame_view *v)
{
	uint32_t id;
	unsigned n = split_plan(
		&lane->spec.frag, (uint32_t)(v->end - v->movable), &lane->walk, lane->pieces);
	uint32_t missing = UINT32_MAX; // where the piece stands that is left out

	if (n < 2) {
		leave(lane, frame, size);
		return;
	}
	if (chance(lane, lane->spec.miss_first))
		missing = 0;
	else if (chance(lane, lane->spec.miss_last))
		missing = lane->pieces[n - 1].at;
	if (chance(lane, lane->spec.frag_shuffle))
		cut_shuffle(n, &lane->state, lane->pieces);
	lane->counts.datagrams++;
	id = lane->id++;
	for (unsigned i = 0; i < n; i++) {
		lane->counts.fragments++;
		if (lane->pieces[i].at == missing) {
			lane->counts.missing++;
			continue;
		}
		uint16_t made = split_fragment(frame, v, &lane->pieces[i], id, lane->made);

		leave(lane, lane->made, made);
	}
}

void lane_take(struct lane *lane, const uint8_t *frame, size_t size, uint64_t now_ms)
{
	struct frame_view v;
	enum frame_kind kind = frame_look(frame, size, &v);

	lane->now_ms = now_ms;
	lane->counts.received++;
	if (kind == FRAME_WHOLE && v.protocol == FRAME_TCP && frame_is_dns(&v))
		witness_look(lane->witness, frame, &v);
	if (kind == FRAME_OTHER || kind == FRAME_CONTROL) {
		go(lane, frame, size);
	} else if (kind == FRAME_FRAGMENT || !frame_is_dns(&v)) {
		leave(lane, frame, size);
	} else if (v.protocol == FRAME_UDP) {
		datagram(lane, frame, size, &v);
	} else if (frame_payload_size(&v) > 0 &&
		   !(frame[v.l4 + FLAGS_AT] & (FRAME_SYN | FRAME_RST | FRAME_URG))) {
		segment(lane, frame, size, &v);
	} else {
		leave(lane, frame, size);
	}
}

unsigned lane_tick(struct lane *lane, uint64_t now_ms)
{
	lane->now_ms = now_ms;
	release(lane, false);
	return lane->n_held;
}

void lane_flush(struct lane *lane)
{
	release(lane, true);
}

const struct lane_counts *lane_counts(struct lane *lane)
{
	const struct witness_counts *seen = witness_counts(lane->witness);

	lane->counts.changed = seen->changed;
	lane->counts.bad_sums = seen->bad_sums;
	return &lane->counts;
}
