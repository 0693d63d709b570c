/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/case_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "dns/dns_type.h"

static bool is(const struct case_words *words, const char *word)
{
	return strcmp(words->word[0], word) == 0;
}

static const char *word(const struct case_words *words, unsigned i)
{
	if (i >= words->n)
		case_die(words, "words are missing");
	return words->word[i];
}

unsigned long case_number(const struct case_words *words, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (end == text || *end)
		case_die(words, "expected a number");
	return n;
}

static uint16_t number(const struct case_words *words, unsigned i)
{
	return (uint16_t)case_number(words, word(words, i));
}

static void hex_put(struct wire *w, const struct case_words *words, unsigned first)
{
	for (unsigned i = first; i < words->n; i++)
		wire_hex(w, words->word[i]);
}

// Octets of the words from @p first, aside.
static size_t hex_read(const struct case_words *words, unsigned first, uint8_t *bytes, size_t room)
{
	struct wire *w = wire_create();
	size_t size;

	hex_put(w, words, first);
	size = w->size;
	if (size > room)
		case_die(words, "too many bytes");
	memcpy(bytes, w->bytes, size);
	wire_destroy(w);
	return size;
}

static uint16_t type_number(const struct case_words *words, const char *name)
{
	char text[16];

	for (unsigned type = 0; type < 256; type++)
		if (strcmp(dns_type_name((uint16_t)type, text), name) == 0)
			return (uint16_t)type;
	if (strncmp(name, "TYPE", 4) == 0)
		return (uint16_t)case_number(words, name + 4);
	case_die(words, "no such type");
}

// A last word class=N is taken off the line. @return the class
static uint16_t class_take(struct case_words *words)
{
	const char *last = words->word[words->n - 1];

	if (strncmp(last, "class=", 6) != 0)
		return DNS_CLASS_IN;
	words->n--;
	return (uint16_t)case_number(words, last + 6);
}

static void record_line(struct wire *w, struct case_words *words)
{
	uint16_t class = class_take(words), type = type_number(words, word(words, 3));
	uint32_t ttl = (uint32_t)case_number(words, word(words, 2));
	const char *rdata = words->n > 4 ? words->word[4] : "hex";
	struct addr addr;

	wire_record(w, word(words, 1), ttl, type, class);
	if (strcmp(rdata, "hex") == 0)
		hex_put(w, words, 5);
	else if (strcmp(rdata, "parts") == 0)
		for (unsigned i = 5; i < words->n; i++)
			wire_name(w, words->word[i]);
	else if (strcmp(rdata, "pointers") == 0)
		wire_pointers(w, number(words, 5), word(words, 6), word(words, 7));
	else if ((type == DNS_TYPE_A || type == DNS_TYPE_AAAA) && addr_parse(rdata, &addr) == 0)
		wire_put(w, addr.bytes, addr_size(addr.family));
	else
		wire_name(w, rdata);
	wire_record_end(w);
}

static void section_line(struct wire *w, const struct case_words *words)
{
	static const char *const names[WIRE_SECTIONS] = {"answer", "authority", "additional"};

	for (unsigned i = 0; i < WIRE_SECTIONS; i++)
		if (strcmp(names[i], word(words, 1)) == 0) {
			w->section = i;
			return;
		}
	case_die(words, "no such section");
}

static void with_line(struct wire *w, const struct case_words *words)
{
	for (unsigned i = 1; i < words->n; i++) {
		char *value = strchr(words->word[i], '=');
		int n;

		if (!value)
			case_die(words, "expected key=value");
		*value++ = '\0';
		n = (int)strtol(value, NULL, 0);
		if (strcmp(words->word[i], "add_ip") == 0)
			w->add_ip = n;
		else if (strcmp(words->word[i], "add_udp") == 0)
			w->add_udp = n;
		else if (strcmp(words->word[i], "qdcount") == 0)
			w->qdcount = n;
		else if (strcmp(words->word[i], "ancount") == 0)
			w->ancount = n;
		else if (strcmp(words->word[i], "csum") == 0 && strcmp(value, "none") == 0)
			w->csum = WIRE_CSUM_NONE;
		else if (strcmp(words->word[i], "csum") == 0 && strncmp(value, "wrong:", 6) == 0)
			w->csum = WIRE_CSUM_WRONG,
			w->csum_by = (uint16_t)strtol(value + 6, NULL, 0);
		else
			case_die(words, "no such key");
	}
}

// What acts on the finished frame. @return whether the line was one of these
static bool finished_line(struct case_frame *frame, const struct case_words *words)
{
	struct wire *w = frame->wire;
	uint8_t bytes[512];
	size_t base, size;

	if (!is(words, "poke") && !is(words, "snap") && !is(words, "pad"))
		return false;
	case_frame_finish(frame);
	if (is(words, "snap")) {
		w->size = number(words, 1);
	} else if (is(words, "pad")) {
		wire_zeros(w, number(words, 1));
	} else {
		const char *layer = word(words, 1);

		base = strcmp(layer, "ip") == 0    ? w->ip
		       : strcmp(layer, "udp") == 0 ? w->l4
		       : strcmp(layer, "dns") == 0 ? w->dns
						   : 0;
		base += case_number(words, word(words, 2));
		size = hex_read(words, 3, bytes, sizeof(bytes));
		if (base + size > w->size)
			case_die(words, "outside the frame");
		memcpy(w->bytes + base, bytes, size);
	}
	return true;
}

// @return whether the line describes a layer below DNS
static bool layer_line(struct wire *w, const struct case_words *words)
{
	uint8_t bytes[512];

	if (is(words, "ether"))
		wire_ether(w);
	else if (is(words, "type"))
		wire_type(w, number(words, 1));
	else if (is(words, "tag"))
		wire_tag(w, number(words, 1), number(words, 2));
	else if (is(words, "vlan"))
		wire_tag(w, 0x8100, number(words, 1));
	else if (is(words, "qinq"))
		wire_tag(w, 0x88a8, number(words, 1));
	else if (is(words, "pppoe"))
		wire_pppoe(w);
	else if (is(words, "ip"))
		wire_ip(w, word(words, 1), word(words, 2));
	else if (is(words, "options"))
		wire_ip_options(w, bytes, hex_read(words, 1, bytes, sizeof(bytes)));
	else if (is(words, "ext"))
		wire_ext(w, (uint8_t)number(words, 1), bytes,
			hex_read(words, 2, bytes, sizeof(bytes)));
	else if (is(words, "udp"))
		wire_udp(w, number(words, 1), number(words, 2));
	else if (is(words, "tcp"))
		wire_tcp(w, number(words, 1), number(words, 2));
	else
		return false;
	return true;
}

static bool dns_line(struct case_frame *frame, struct case_words *words)
{
	struct wire *w = frame->wire;

	if (is(words, "dns")) {
		if (!frame->headers)
			frame->headers = wire_copy(w);
		wire_dns(w, words->n > 1 ? number(words, 1) : 0x8180);
	} else if (is(words, "question")) {
		uint16_t class = class_take(words);

		wire_question_class(w, word(words, 1), type_number(words, word(words, 2)), class);
	} else if (is(words, "section")) {
		section_line(w, words);
	} else if (is(words, "answer")) {
		record_line(w, words);
	} else if (words->word[0][0] == '@') {
		wire_mark(w, words->word[0] + 1);
	} else {
		return false;
	}
	return true;
}

static void repeat_line(struct case_frame *frame, const struct case_words *words)
{
	unsigned long times = case_number(words, word(words, 1));

	for (unsigned long n = 1; n <= times; n++) {
		struct case_words line = {
			.path = words->path, .line = words->line, .n = words->n - 2};
		char text[8][256];

		if (line.n > 8)
			case_die(words, "too many words to repeat");
		for (unsigned i = 0; i < line.n; i++) {
			char *to = text[i];

			for (const char *at = words->word[i + 2]; *at && to < text[i] + 240; at++) {
				if (*at != '#')
					*to++ = *at;
				else
					to += sprintf(to, "%lu", n);
			}
			*to = '\0';
			line.word[i] = text[i];
		}
		case_frame_line(frame, &line);
	}
}

void case_frame_line(struct case_frame *frame, struct case_words *words)
{
	if (is(words, "from") && strcmp(word(words, 1), "clients") == 0)
		frame->side = BURST_FROM_CLIENTS;
	else if (is(words, "from") && strcmp(word(words, 1), "stream") == 0)
		frame->stream = true, frame->part = words->n > 2;
	else if (is(words, "with"))
		with_line(frame->wire, words);
	else if (is(words, "repeat"))
		repeat_line(frame, words);
	else if (is(words, "zeros"))
		wire_zeros(frame->wire, case_number(words, word(words, 1)));
	else if (is(words, "hex"))
		hex_put(frame->wire, words, 1);
	else if (!finished_line(frame, words) && !layer_line(frame->wire, words) &&
		 !dns_line(frame, words))
		case_die(words, "no such line in a frame");
}

void case_frame_finish(struct case_frame *frame)
{
	if (!frame->finished)
		wire_finish(frame->wire);
	frame->finished = true;
}

struct case_frame case_frame_headers(const struct case_frame *frame, const struct case_words *words)
{
	struct case_frame out = {.side = frame->side};

	if (!frame->headers)
		case_die(words, "a message out where none came in");
	out.wire = wire_copy(frame->headers);
	// What its checksum is off by, it stays off by.
	out.wire->csum = frame->wire->csum;
	out.wire->csum_by = frame->wire->csum_by;
	return out;
}

void case_frame_free(struct case_frame *frame)
{
	wire_destroy(frame->wire);
	wire_destroy(frame->headers);
	frame->wire = frame->headers = NULL;
}
