/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/case_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/case_file.h"
#include "support/csum_full.h"
#include "support/fragments.h"

#define PROTO_TCP  6
#define TCP_HEADER 20
#define TCP_CSUM   16 // in the header
#define FRAGMENT   9  // identification
#define LENGTH     2  // before a message over TCP: RFC 1035 s4.2.2
#define QUERY      14 // a length and a header

// FROM-TO, FROM-
static void range_read(const struct case_words *words, struct case_event *event)
{
	char *end;

	event->to = UINT32_MAX;
	if (words->n < 2)
		case_die(words, "expected FROM-[TO]");
	event->from = (uint32_t)strtoul(words->word[1], &end, 10);
	if (end == words->word[1] || *end != '-')
		case_die(words, "expected FROM-[TO]");
	if (end[1])
		event->to = (uint32_t)case_number(words, end + 1);
	if (event->to < event->from)
		case_die(words, "a range ends before it begins");
}

void case_pieces_line(struct case_pieces *pieces, const struct case_words *words)
{
	static const char *const kinds[] = {"send", "wait", "get"}, *const others[] = {"changed",
									    "", "unchanged"};
	struct case_event *event = &pieces->event[pieces->n++];

	*event = (struct case_event){.line = words->line, .kind = CASE_GET + 1};
	for (enum case_event_kind kind = CASE_SEND; kind <= CASE_GET; kind++)
		if (strcmp(words->word[0], kinds[kind]) == 0)
			event->kind = kind;
	if (pieces->n == CASE_EVENTS || event->kind > CASE_GET)
		case_die(words, "expected send, wait or get; not too many");
	if (event->kind == CASE_WAIT) {
		event->from = (uint32_t)case_number(words, words->n > 1 ? words->word[1] : "");
		return;
	}
	range_read(words, event);
	for (unsigned i = 2; i < words->n; i++) {
		if (strcmp(words->word[i], others[event->kind]) == 0)
			event->other = true;
		else if (event->kind == CASE_GET)
			event->reason = case_reason(words, words->word[i]);
		else
			case_die(words, "no such word");
	}
}

bool case_pieces_are_tcp(const struct wire *w)
{
	return w->dns && !w->l4;
}

// Lengths and checksums of a frame of TCP whose octets are there.
static void tcp_finish(const struct wire *w, uint8_t *frame, uint32_t size)
{
	uint8_t *ip = frame + w->ip, *tcp = frame + w->dns - TCP_HEADER;
	bool v4 = w->version == 4;
	uint32_t n = (uint32_t)(frame + size - tcp);
	uint16_t sum;

	if (w->pppoe)
		store_be16(frame + w->pppoe + 4, (uint16_t)(size - w->pppoe - 6));
	store_be16(ip + (v4 ? 2 : 4), (uint16_t)(size - w->ip - (v4 ? 0 : 40)));
	if (v4) {
		store_be16(ip + 10, 0);
		store_be16(ip + 10, (uint16_t)~csum_full_sum(0, ip, (ip[0] & 15) * 4u));
	}
	store_be16(tcp + TCP_CSUM, 0);
	sum = csum_full_sum(PROTO_TCP + n, ip + (v4 ? 12 : 8), v4 ? 8 : 32);
	store_be16(tcp + TCP_CSUM, (uint16_t)~csum_full_sum(sum, tcp, n));
}

static uint32_t segment_make(const struct wire *w, uint32_t from, uint32_t to, uint8_t *frame)
{
	uint8_t *tcp = frame + w->dns - TCP_HEADER, length[LENGTH];
	uint32_t size = (uint32_t)w->dns;

	memcpy(frame, w->bytes, w->dns);
	store_be32(tcp + 4, load_be32(tcp + 4) + from);
	store_be16(length, (uint16_t)(w->size - w->dns));
	for (uint32_t i = from; i < to; i++)
		frame[size++] = i < LENGTH ? length[i] : w->bytes[w->dns + i - LENGTH];
	tcp_finish(w, frame, size);
	return size;
}

uint32_t case_piece_make(const struct wire *w, const struct case_event *event, uint8_t *frame)
{
	bool tcp = case_pieces_are_tcp(w);
	uint32_t total = tcp ? LENGTH + (uint32_t)(w->size - w->dns) : fragment_total(w), size;
	struct fragment_cut cut = {.from = event->from, .to = event->to, .id = FRAGMENT};

	if (cut.to > total)
		cut.to = total;
	cut.more = cut.to < total;
	size = tcp ? segment_make(w, cut.from, cut.to, frame) : fragment_make(w, &cut, frame);
	if (event->kind == CASE_SEND && event->other) {
		frame[size - 1] ^= 1;
		if (tcp)
			tcp_finish(w, frame, size);
	}
	return size;
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t octet = a[i];

		a[i] = b[i];
		b[i] = octet;
	}
}

uint32_t case_query_make(const struct wire *w, uint8_t *frame)
{
	uint8_t *addresses = frame + w->ip + (w->version == 4 ? 12 : 8);
	uint8_t *tcp = frame + w->dns - TCP_HEADER;
	size_t size = w->version == 4 ? 4 : 16;

	memcpy(frame, w->bytes, w->dns);
	swap(addresses, addresses + size, size);
	swap(tcp, tcp + 2, 2);
	swap(tcp + 4, tcp + 8, 4);
	memset(frame + w->dns, 0, QUERY);
	frame[w->dns + 1] = QUERY - LENGTH;
	tcp_finish(w, frame, (uint32_t)w->dns + QUERY);
	return (uint32_t)w->dns + QUERY;
}
