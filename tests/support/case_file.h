/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Cases: a policy, frames in, frames and counters out, as text that a person can write and check.
 * The form, of which the files in tests/cases have examples:
 *
 *   about A listed name's address becomes the sinkhole's.
 *   policy
 *     sinkhole 192.0.2.1
 *     list c2 sinkhole
 *       name evil.example
 *   in
 *     ether
 *     ip 192.0.2.53 203.0.113.7
 *     udp 53 40000
 *     dns
 *     question evil.example A
 *     answer ^q 300 A 198.51.100.1
 *   out rewritten
 *     answer 1 192.0.2.1 ttl 60
 *   counters
 *     responses NOERROR A 1
 *
 * A message that comes in several frames has a section `pieces` behind `out`: support/case_pieces.h.
 *
 * A word at the left margin opens a section, what is indented belongs to it, "#" starts a comment
 * line. After `counters` a case may go on with a further `in`, under the policy so far or one that
 * a further `policy` section changes.
 *
 * policy: sinkhole ADDRESS... | list NAME ACTION [ADDRESS...] | with on_empty=answer
 *      dnssec=skip-signed ede=CODE ede_text=WORD (of the list last named) | name NAME [START [END]] |
 *      (a list called canary is that of canary names, with action allow, nxdomain or nodata) |
 *      pattern EXPRESSION | consent PREFIX FILTER LOG | today DAY | ttl_max N | ports N... |
 *      servers PREFIX... | allow_scope message. A case with patterns is called pattern_NAME.case
 * in:  hex BYTES | ether | type NUMBER | tag NUMBER VID | vlan VID | qinq VID | pppoe |
 *      ip SRC DST | options BYTES | ext PROTOCOL BYTES | udp SRC DST | tcp SRC DST | zeros N |
 *      dns [FLAGS] | question NAME TYPE [class=N] | section answer|authority|additional |
 *      answer NAME TTL TYPE RDATA [class=N] | @MARK | repeat N LINE (each # is the number) |
 *      with add_ip=N add_udp=N qdcount=N ancount=N csum=none|wrong:N |
 *      poke frame|ip|udp|dns OFFSET BYTES | snap N | pad N | from clients | from stream [part]
 *      RDATA: an address, a name, hex BYTES, parts NAME... (also hex:BYTES), or pointers N TO LAST (see
 *      wire_pointers).
 *      poke, snap and pad act on the finished frame: checksums do not follow. From stream: the message
 *      is judged as one out of a TCP stream, whose length is fixed, or as one of which a part has left
 *      before; its headers do not count.
 * out: unchanged | dropped | answer N ADDRESS [ttl T] | flags NUMBER | checksum NUMBER | hex BYTES, or
 *      a message anew, from `dns` on as in `in`, behind the headers that the frame in has before its
 *      own `dns`; also pad N.
 *      The UDP checksum expected is computed from scratch; it is off by what it was off before, and
 *      none stays none.
 * counters: rows of stats_visit without "dnsweir_" and "_total" that are not 0; those of packets,
 *      bytes and verdicts are implied, of pieces those that come out.
 */
#include "support/case_pieces.h"
#include "support/tables.h"
#include "support/wire.h"

#define CASE_COUNTERS 32
#define CASE_KEY_SIZE 128

struct case_counter {
	char key[CASE_KEY_SIZE]; /**< "responses NOERROR A" */
	uint64_t value;
};

/** One frame of a case, or one message in several. */
struct case_step {
	unsigned line; /**< where `in` stands */
	struct tables *tables;
	enum burst_side side;
	bool stream; /**< the message is one out of a TCP stream */
	bool part;   /**< of which something has left before */
	struct wire *in;
	enum reason reason;
	bool good;    /**< the UDP checksum in is right, so it must be right out */
	uint8_t *out; /**< the frame that comes out */
	size_t out_size;
	struct case_pieces pieces;
	struct case_counter counters[CASE_COUNTERS];
	unsigned n_counters;
};

typedef void (*case_taker)(void *ctx, const struct case_step *step);

/** Read the case at @p path; each step is borrowed for the call. A mistake in it aborts. */
void case_read(const char *path, case_taker take, void *ctx);

/** Words of a line. */
struct case_words {
	const char *path;
	unsigned line;
	unsigned n;
	char *word[512];
};

/** The reason of this name. */
enum reason case_reason(const struct case_words *words, const char *name);

_Noreturn void case_die(const struct case_words *words, const char *what);

/** One line of an `in` section: case_frame.c. */
struct case_frame {
	struct wire *wire;
	struct wire *headers; /**< as it was before the message; NULL: it has none */
	enum burst_side side;
	bool stream, part;
	bool finished;
};

void case_frame_line(struct case_frame *frame, struct case_words *words);
void case_frame_finish(struct case_frame *frame);

/** The same headers with nothing behind them: for a message that comes out of this one. */
struct case_frame case_frame_headers(const struct case_frame *frame, const struct case_words *words);

/** Free what the frame has. */
void case_frame_free(struct case_frame *frame);
unsigned long case_number(const struct case_words *words, const char *text);
