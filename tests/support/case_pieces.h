/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The section `pieces` of a case: a message that comes in several frames, and what comes out, in order.
 *
 *   pieces
 *     send 0-24
 *     send 24-
 *     get 0-24
 *     get 24-
 *
 * send FROM-[TO] [changed]            octets FROM to before TO, or to the end, come; with the last octet
 *                                     another one
 * wait MS                             time passes
 * get FROM-[TO] [REASON] [unchanged]  the next frame that comes out has these octets of the frame in
 *                                     `out`, or of the one in `in`; it is counted under REASON, or
 *                                     under that of `out`
 *
 * Of a frame with UDP the octets are those behind the IP header, its pieces are IP fragments. Of one with
 * TCP they are those of the stream, the message's length first, its pieces are segments; before the first
 * the client asks. No frame may come out that there is no `get` for. Pieces that do not come out have
 * their verdicts in `counters`.
 */
#include "base/reason.h"
#include "support/wire.h"

#define CASE_EVENTS 64

struct case_words;

enum case_event_kind {
	CASE_SEND,
	CASE_WAIT,
	CASE_GET,
};

struct case_event {
	unsigned line;
	enum case_event_kind kind;
	uint32_t from, to;  /**< octets; to the end: UINT32_MAX. Of wait: milliseconds are `from` */
	enum reason reason; /**< of get; REASON_none: that of the message */
	bool other;         /**< send: changed. get: unchanged */
};

struct case_pieces {
	struct case_event event[CASE_EVENTS];
	unsigned n; /**< 0: the frame comes whole */
};

void case_pieces_line(struct case_pieces *pieces, const struct case_words *words);

/** Whether the pieces of the finished frame @p w are TCP segments. */
bool case_pieces_are_tcp(const struct wire *w);

/**
 * Write the piece of the finished frame @p w that @p event is about.
 *
 * @param frame FRAGMENT_ROOM bytes
 * @return its bytes
 */
uint32_t case_piece_make(const struct wire *w, const struct case_event *event, uint8_t *frame);

/** The same for the client's query that comes before a message over TCP. */
uint32_t case_query_make(const struct wire *w, uint8_t *frame);
