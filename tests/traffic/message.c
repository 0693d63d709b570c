/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/message.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

#define FLAGS_AT   2
#define FLAG_QR    0x80 // in the third octet
#define FLAG_AD    0x20 // in the fourth
#define CLASS_IN   1
#define LABEL_MAX  63
#define NAME_MAX_  255
#define RR_FIXED   10 // type, class, TTL, RDLENGTH
#define ANSWER_TTL 3600

enum {
	TYPE_A = 1,
	TYPE_AAAA = 28,
	TYPE_OPT = 41,
};

static const struct {
	const char *name;
	uint16_t type;
} types[] = {{"A", TYPE_A}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"MX", 15}, {"TXT", 16},
	{"AAAA", TYPE_AAAA}, {"SRV", 33}, {"SVCB", 64}, {"HTTPS", 65}, {"ANY", 255}};

uint16_t message_type(const char *text)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(text, types[i].name) == 0)
			return types[i].type;
	}
	return 0;
}

// Wire form of a name; octets, or -EINVAL.
static int name_put(const char *name, uint8_t *out)
{
	size_t at = 0;

	while (*name) {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > LABEL_MAX || at + n + 2 > NAME_MAX_)
			return -EINVAL;
		out[at] = (uint8_t)n;
		memcpy(out + at + 1, name, n);
		at += n + 1;
		name += n + (name[n] == '.');
	}
	out[at] = 0;
	return (int)at + 1;
}

int message_query(const char *name, uint16_t type, uint16_t id, uint16_t edns, uint8_t *out)
{
	static const uint8_t header[MESSAGE_HEADER] = {0, 0, 1, 0, 0, 1};
	int size = name_put(name, out + MESSAGE_HEADER);
	uint8_t *at = out + MESSAGE_HEADER + size;

	if (size < 0)
		return size;
	memcpy(out, header, sizeof(header));
	store_be16(out, id);
	store_be16(at, type);
	store_be16(at + 2, CLASS_IN);
	at += 4;
	if (edns) {
		memset(at, 0, 1 + RR_FIXED);
		store_be16(at + 1, TYPE_OPT);
		store_be16(at + 3, edns);
		at += 1 + RR_FIXED;
		out[11] = 1;
	}
	return (int)(at - out);
}

// Where the question ends: the name is not compressed there. 0: not within the message.
static size_t question_end(const uint8_t *message, size_t size)
{
	size_t at = MESSAGE_HEADER;

	while (at < size && message[at] != 0 && message[at] <= LABEL_MAX)
		at += message[at] + 1u;
	return at + 5 <= size && message[at] == 0 ? at + 5 : 0;
}

bool message_answers(const uint8_t *query, const uint8_t *answer, size_t size)
{
	size_t end = question_end(query, MESSAGE_QUERY_MAX);

	return end > 0 && size >= end && (answer[FLAGS_AT] & FLAG_QR) &&
	       load_be16(answer) == load_be16(query) && load_be16(answer + 4) == 1 &&
	       memcmp(query + MESSAGE_HEADER, answer + MESSAGE_HEADER, end - MESSAGE_HEADER) == 0;
}

// A record of a message. Offsets are octets from its start.
struct record {
	size_t start, rdata, end;
	uint16_t type, class;
};

// The record at an offset; false when it does not lie within the message.
static bool record_at(const uint8_t *message, size_t size, size_t at, struct record *r)
{
	r->start = at;
	while (at < size && message[at] != 0 && message[at] <= LABEL_MAX)
		at += message[at] + 1u;
	if (at >= size)
		return false;
	at += message[at] == 0 ? 1 : 2;
	if (at + RR_FIXED > size)
		return false;
	r->type = load_be16(message + at);
	r->class = load_be16(message + at + 2);
	r->rdata = at + RR_FIXED;
	r->end = r->rdata + load_be16(message + at + 8);
	return r->end <= size;
}

// The octets before the OPT record; all of them without one.
static size_t before_opt(const uint8_t *message, size_t size)
{
	size_t at = size < MESSAGE_HEADER ? 0 : question_end(message, size);
	struct record r;

	while (at > 0 && at < size && record_at(message, size, at, &r)) {
		if (r.type == TYPE_OPT)
			return r.start;
		at = r.end;
	}
	return size;
}

// What is right at a record of the answer section, against what is there.
static bool record_right(const uint8_t *wanted, const struct record *r,
	const struct message_sink *sink, const uint8_t *got)
{
	const uint8_t *address = r->type == TYPE_A ? sink->ipv4 : sink->ipv6;
	size_t size = r->end - r->rdata, ttl_at = r->rdata - 6;
	bool ours = r->class == CLASS_IN &&
		    ((r->type == TYPE_A && size == 4) || (r->type == TYPE_AAAA && size == 16));

	if (!ours)
		return memcmp(wanted + r->start, got + r->start, r->end - r->start) == 0;
	return memcmp(wanted + r->start, got + r->start, ttl_at - r->start) == 0 &&
	       load_be16(got + r->rdata - 2) == size && load_be32(got + ttl_at) <= sink->ttl_max &&
	       load_be32(got + ttl_at) <= load_be32(wanted + ttl_at) &&
	       memcmp(got + r->rdata, address, size) == 0;
}

// Whether an address of the listed name is anywhere in what came.
static bool leaked(const uint8_t *wanted, size_t wanted_size, const uint8_t *got, size_t got_size)
{
	size_t at = question_end(wanted, wanted_size);
	struct record r;

	for (unsigned i = load_be16(wanted + 6); i > 0; i--, at = r.end) {
		if (!record_at(wanted, wanted_size, at, &r))
			return false;
		if ((r.type == TYPE_A || r.type == TYPE_AAAA) && r.end > r.rdata &&
			memmem(got, got_size, wanted + r.rdata, r.end - r.rdata))
			return true;
	}
	return false;
}

static bool listed_right(const uint8_t *wanted, size_t wanted_size, const struct message_sink *sink,
	const uint8_t *got, size_t got_size)
{
	size_t size = before_opt(wanted, wanted_size), at = question_end(wanted, wanted_size);
	struct record r;

	if (before_opt(got, got_size) != size || (wanted_size > size) != (got_size > size))
		return false;
	if (wanted[2] != got[2] || (wanted[3] & ~FLAG_AD) != got[3] ||
		memcmp(wanted + 4, got + 4, at - 4) != 0)
		return false;
	for (unsigned i = load_be16(wanted + 6); i > 0; i--, at = r.end) {
		if (!record_at(wanted, wanted_size, at, &r) || !record_right(wanted, &r, sink, got))
			return false;
	}
	return memcmp(wanted + at, got + at, size - at) == 0;
}

enum message_verdict message_judge(const uint8_t *wanted, size_t wanted_size,
	const struct message_sink *sink, const uint8_t *got, size_t got_size)
{
	if (got_size < MESSAGE_HEADER || question_end(got, got_size) == 0)
		return MESSAGE_WRONG;
	if (!sink)
		return wanted_size == got_size && memcmp(wanted + 2, got + 2, got_size - 2) == 0
			       ? MESSAGE_RIGHT
			       : MESSAGE_WRONG;
	if (leaked(wanted, wanted_size, got, got_size))
		return MESSAGE_LEAKED;
	return listed_right(wanted, wanted_size, sink, got, got_size) ? MESSAGE_RIGHT
								      : MESSAGE_WRONG;
}

size_t message_answer(const uint8_t *query, size_t size, uint8_t *out)
{
	size_t end, rdata;
	uint64_t hash = 0xcbf29ce484222325u;
	uint16_t type;

	if (size < MESSAGE_HEADER || query[FLAGS_AT] & FLAG_QR || load_be16(query + 4) != 1)
		return 0;
	end = question_end(query, size);
	if (end == 0)
		return 0;
	for (size_t i = MESSAGE_HEADER; i < end - 4; i++)
		hash = (hash ^ query[i]) * 0x100000001b3u;
	type = load_be16(query + end - 4);
	rdata = type == TYPE_A ? 4 : type == TYPE_AAAA ? 16 : 0;
	memcpy(out, query, end);
	out[FLAGS_AT] |= FLAG_QR;
	out[3] = 0x80; // recursion available, NOERROR
	memset(out + 6, 0, 6);
	if (rdata == 0)
		return end;
	out[7] = 1;
	out[end] = 0xc0;
	out[end + 1] = MESSAGE_HEADER;
	store_be16(out + end + 2, type);
	store_be16(out + end + 4, CLASS_IN);
	store_be32(out + end + 6, ANSWER_TTL);
	store_be16(out + end + 10, (uint16_t)rdata);
	for (size_t i = 0; i < rdata; i++)
		out[end + 12 + i] = (uint8_t)(hash >> (8 * (i % 8)) | (i == 0));
	return end + 12 + rdata;
}
