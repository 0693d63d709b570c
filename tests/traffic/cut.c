/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/cut.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/random.h"

#define SEQUENCE_AT 4
#define FLAGS_AT    13
#define IPV4_ID_AT  4

// "SIZE" or "SIZExTIMES", up to a '+' or the end.
static const char *run_parse(const char *text, struct cut_run *run)
{
	char *end;
	unsigned long size = strtoul(text, &end, 10), times = 1;

	if (end == text || size < 1 || size > FRAME_SIZE_MAX)
		return NULL;
	if (*end == 'x') {
		text = end + 1;
		times = strtoul(text, &end, 10);
		if (end == text || times < 1 || times > FRAME_SIZE_MAX)
			return NULL;
	}
	if (*end != '\0' && (*end != '+' || end[1] == '\0'))
		return NULL;
	*run = (struct cut_run){(uint16_t)size, (uint16_t)times};
	return *end ? end + 1 : end;
}

static int sizes_parse(const char *text, struct cut *cut)
{
	cut->kind = CUT_SIZES;
	do {
		if (cut->n_runs > 0 && strcmp(text, "rest") == 0) {
			cut->rest = true;
			return 0;
		}
		if (cut->n_runs == CUT_RUNS_MAX)
			return -EINVAL;
		text = run_parse(text, &cut->runs[cut->n_runs++]);
	} while (text && *text);
	return text ? 0 : -EINVAL;
}

int cut_parse(const char *text, struct cut *cut)
{
	char *end;

	*cut = (struct cut){0};
	if (strcmp(text, "none") == 0)
		return 0;
	if (strcmp(text, "walk") == 0) {
		cut->kind = CUT_WALK;
		return 0;
	}
	if (strncmp(text, "random", 6) == 0) {
		cut->kind = CUT_RANDOM;
		if (text[6] == '\0')
			return 0;
		if (text[6] != ':' || text[7] < '1' || text[7] > '9')
			return -EINVAL;
		unsigned long limit = strtoul(text + 7, &end, 10);

		cut->limit = (uint16_t)limit;
		return *end || limit > FRAME_SIZE_MAX ? -EINVAL : 0;
	}
	return sizes_parse(text, cut);
}

static uint32_t random_size(const struct cut *cut, uint32_t left, struct cut_state *state)
{
	uint32_t top = cut->limit && cut->limit < left ? cut->limit : left, bits = 0;

	// Small pieces are as likely as large ones.
	while (top >> bits > 1)
		bits++;
	bits = random_below(&state->dice, bits + 1);
	uint32_t size = (1u << bits) + random_below(&state->dice, 1u << bits);

	return size < top ? size : top;
}

unsigned cut_plan(
	const struct cut *cut, uint32_t size, struct cut_state *state, struct cut_piece *pieces)
{
	unsigned n = 0, run = 0, times = 0;

	for (uint32_t at = 0; at < size && n < CUT_PIECES_MAX; n++) {
		uint32_t left = size - at, take = left;

		if (cut->kind == CUT_RANDOM) {
			take = random_size(cut, left, state);
		} else if (cut->kind == CUT_WALK && n == 0 && size > 1) {
			take = 1 + state->walk++ % (size - 1);
		} else if (cut->kind == CUT_SIZES && run < cut->n_runs) {
			take = cut->runs[run].size;
			if (++times >= cut->runs[run].times &&
				(run + 1 < cut->n_runs || cut->rest)) {
				run++;
				times = 0;
			}
		}
		if (take > left)
			take = left;
		pieces[n] = (struct cut_piece){at, take};
		at += take;
	}
	return n;
}

void cut_overlap(uint32_t size, unsigned n, struct cut_state *state, struct cut_piece *pieces)
{
	for (unsigned i = 0; i + 1 < n; i++) {
		uint32_t room = size - pieces[i].at - pieces[i].size;
		uint32_t more = pieces[i + 1].size < room ? pieces[i + 1].size : room;

		pieces[i].size += more > 0 ? 1 + random_below(&state->dice, more) : 0;
	}
}

void cut_swap(unsigned n, struct cut_piece *pieces)
{
	// Turning the whole and then each part is moving one part behind the other.
	unsigned half = n / 2;
	const unsigned spans[3][2] = {{0, n}, {0, n - half}, {n - half, n}};

	for (unsigned s = 0; s < 3; s++) {
		for (unsigned a = spans[s][0], b = spans[s][1]; a + 1 < b; a++) {
			struct cut_piece piece = pieces[a];

			pieces[a] = pieces[--b];
			pieces[b] = piece;
		}
	}
}

void cut_shuffle(unsigned n, struct cut_state *state, struct cut_piece *pieces)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned other = random_below(&state->dice, i);
		struct cut_piece piece = pieces[i - 1];

		pieces[i - 1] = pieces[other];
		pieces[other] = piece;
	}
}

// Frames made of one would have its identification all; neighbours are free enough with DF.
static void number_packet(uint8_t *frame, const struct frame_view *v, uint32_t number)
{
	uint8_t *id = frame + v->l3 + IPV4_ID_AT;

	if (v->version == 4)
		store_be16(id, (uint16_t)(load_be16(id) + number));
}

uint16_t cut_segment(const uint8_t *frame, const struct frame_view *v,
	const struct cut_piece *piece, uint8_t *out)
{
	struct frame_view made = *v;
	uint32_t sequence = load_be32(frame + v->l4 + SEQUENCE_AT) + piece->at;

	memcpy(out, frame, v->payload);
	memcpy(out + v->payload, frame + v->payload + piece->at, piece->size);
	made.end = (uint16_t)(v->payload + piece->size);
	store_be32(out + v->l4 + SEQUENCE_AT, sequence);
	if (piece->at + piece->size < frame_payload_size(v))
		out[v->l4 + FLAGS_AT] &= (uint8_t) ~(FRAME_FIN | FRAME_PSH);
	number_packet(out, v, piece->at);
	frame_finish(out, &made);
	return made.end;
}

uint16_t cut_join(const uint8_t *frame, const struct frame_view *v, const uint8_t *old,
	uint16_t n_old, uint16_t n_new, uint16_t room, uint8_t *out)
{
	struct frame_view made = *v;
	uint32_t sequence = load_be32(frame + v->l4 + SEQUENCE_AT) - n_old;

	if ((uint32_t)v->payload + n_old + n_new > room)
		return 0;
	memcpy(out, frame, v->payload);
	memcpy(out + v->payload, old, n_old);
	memcpy(out + v->payload + n_old, frame + v->payload, n_new);
	made.end = (uint16_t)(v->payload + n_old + n_new);
	store_be32(out + v->l4 + SEQUENCE_AT, sequence);
	if (n_new < frame_payload_size(v))
		out[v->l4 + FLAGS_AT] &= (uint8_t) ~(FRAME_FIN | FRAME_PSH);
	number_packet(out, v, 0x8000);
	frame_finish(out, &made);
	return made.end;
}
