/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define GRID                8 // octets, both families
#define IPV6_SIZE           40
#define IPV6_FRAGMENT       44
#define IPV6_FRAGMENT_SIZE  8
#define IPV4_MORE_FRAGMENTS 0x2000

int split_parse(const char *text, struct split *split)
{
	char *end;

	*split = (struct split){0};
	if (strcmp(text, "none") == 0)
		return 0;
	if (strcmp(text, "walk") == 0) {
		split->kind = SPLIT_WALK;
		return 0;
	}
	unsigned long size = strtoul(text, &end, 10);

	if (end == text || *end || size < GRID || size > FRAME_SIZE_MAX || size % GRID)
		return -EINVAL;
	*split = (struct split){SPLIT_SIZE, (uint16_t)size};
	return 0;
}

unsigned split_plan(
	const struct split *split, uint32_t size, uint32_t *walk, struct cut_piece *pieces)
{
	uint32_t first = size, each = split->size, at = 0;
	unsigned n = 0;

	if (split->kind == SPLIT_WALK && size > GRID) {
		// The last place on the grid that leaves something for the second piece.
		first = GRID * (1 + (*walk)++ % ((size - 1) / GRID));
		each = size;
	} else if (split->kind == SPLIT_SIZE && size > split->size) {
		first = split->size;
	}
	while (at < size && n < CUT_PIECES_MAX) {
		uint32_t take = n == 0 ? first : each;

		if (take > size - at)
			take = size - at;
		pieces[n++] = (struct cut_piece){at, take};
		at += take;
	}
	return n;
}

static uint16_t fragment_ipv4(const uint8_t *frame, const struct frame_view *v,
	const struct cut_piece *piece, uint32_t id, uint8_t *out)
{
	uint16_t end = (uint16_t)(v->l4 + piece->size);
	uint16_t field = (uint16_t)(piece->at / GRID);

	if (v->l4 + piece->at + piece->size < v->end)
		field |= IPV4_MORE_FRAGMENTS;
	memcpy(out, frame, v->l4);
	memcpy(out + v->l4, frame + v->l4 + piece->at, piece->size);
	store_be16(out + v->l3 + 4, (uint16_t)id);
	store_be16(out + v->l3 + 6, field);
	frame_finish_ipv4(out, v->l3, end);
	return end;
}

uint16_t split_fragment(const uint8_t *frame, const struct frame_view *v,
	const struct cut_piece *piece, uint32_t id, uint8_t *out)
{
	uint8_t *header = out + v->movable;
	uint16_t end = (uint16_t)(v->movable + IPV6_FRAGMENT_SIZE + piece->size);
	bool more = v->movable + piece->at + piece->size < v->end;

	if (v->version == 4)
		return fragment_ipv4(frame, v, piece, id, out);
	memcpy(out, frame, v->movable);
	out[v->next_at] = IPV6_FRAGMENT;
	header[0] = frame[v->next_at];
	header[1] = 0;
	// The offset counts eights, and stands three bits up.
	store_be16(header + 2, (uint16_t)(piece->at | (more ? 1 : 0)));
	store_be32(header + 4, id);
	memcpy(header + IPV6_FRAGMENT_SIZE, frame + v->movable + piece->at, piece->size);
	store_be16(out + v->l3 + 4, (uint16_t)(end - v->l3 - IPV6_SIZE));
	return end;
}
