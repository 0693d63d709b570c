/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dnstap.pb-c.h"
#include "support/random.h"
#include "tap/tap_extra.h"
#include "tap/tap_scrub.h"

#define ROOM 300000

/* ---- messages against protobuf-c ------------------------------------------------------------- */

static uint8_t octets[70000];

// Octets of some size, or none.
static struct tap_octets some(uint64_t *state, size_t most)
{
	size_t size = random_below(state, 4) ? random_below(state, (uint32_t)most + 1) : 0;

	if (random_below(state, 3) == 0)
		return (struct tap_octets){0};
	return (struct tap_octets){octets + random_below(state, 1000), size};
}

static uint32_t number(uint64_t *state, uint32_t most)
{
	return random_below(state, 3) ? 1 + random_below(state, most) : 0;
}

static struct tap_moment moment(uint64_t *state)
{
	if (random_below(state, 3) == 0)
		return (struct tap_moment){0};
	return (struct tap_moment){1 + (random_next(state) >> random_below(state, 64)) / 2,
		random_below(state, 2) ? random_below(state, 1000000000) : 0};
}

static void message_make(uint64_t *state, struct tap_message *m)
{
	uint32_t large = random_below(state, 10) ? 300 : 65535;

	memset(m, 0, sizeof(*m));
	m->identity = some(state, 40);
	m->version = some(state, 40);
	m->extra = some(state, 200);
	m->type = 1 + random_below(state, 14);
	m->family = number(state, 2);
	m->protocol = number(state, 7);
	m->query_port = number(state, 65535);
	m->response_port = number(state, 65535);
	m->http_protocol = number(state, 3);
	m->query_address = some(state, 16);
	m->response_address = some(state, 16);
	m->query_time = moment(state);
	m->response_time = moment(state);
	m->query_message = some(state, large);
	m->query_zone = some(state, 255);
	m->response_message = some(state, large);
	m->has_policy = random_below(state, 2);
	if (!m->has_policy)
		return;
	// protobuf-c has a string's end in a NUL.
	m->policy.type = random_below(state, 2) ? (struct tap_octets){(const uint8_t *)"RPZ", 3}
						: (struct tap_octets){0};
	m->policy.rule = some(state, 40);
	m->policy.value = some(state, 255);
	m->policy.action = number(state, 6);
	m->policy.match = number(state, 5);
}

static bool octets_same(
	const struct tap_octets *ours, protobuf_c_boolean has, const ProtobufCBinaryData *theirs)
{
	if (!ours->data || !has)
		return !ours->data && !has;
	return ours->size == theirs->len &&
	       (theirs->len == 0 || memcmp(ours->data, theirs->data, theirs->len) == 0);
}

#define SAME_OCTETS(field, member) \
	cr_assert(octets_same(&m->field, p->has_##member, &p->member), #field)
#define SAME_NUMBER(field, member)                                               \
	cr_assert((m->field != 0) == p->has_##member &&                          \
			  (!p->has_##member || m->field == (uint32_t)p->member), \
		#field)
#define SAME_MOMENT(field)                                                                    \
	cr_assert((m->field.sec != 0) == p->has_##field##_sec &&                              \
			  p->has_##field##_sec == p->has_##field##_nsec &&                    \
			  m->field.sec == p->field##_sec && m->field.nsec == p->field##_nsec, \
		#field)

static void policy_same(const struct tap_message *m, const Dnstap__Policy *p)
{
	cr_assert(m->has_policy == (p != NULL));
	if (!p)
		return;
	cr_assert((m->policy.type.data != NULL) == (p->type != NULL));
	if (p->type)
		cr_assert(strlen(p->type) == m->policy.type.size &&
			  memcmp(p->type, m->policy.type.data, m->policy.type.size) == 0);
	SAME_OCTETS(policy.rule, rule);
	SAME_OCTETS(policy.value, value);
	SAME_NUMBER(policy.action, action);
	SAME_NUMBER(policy.match, match);
}

static void message_same(const struct tap_message *m, const Dnstap__Message *p)
{
	cr_assert(m->type == (uint32_t)p->type);
	SAME_NUMBER(family, socket_family);
	SAME_NUMBER(protocol, socket_protocol);
	SAME_OCTETS(query_address, query_address);
	SAME_OCTETS(response_address, response_address);
	SAME_NUMBER(query_port, query_port);
	SAME_NUMBER(response_port, response_port);
	SAME_MOMENT(query_time);
	SAME_OCTETS(query_message, query_message);
	SAME_OCTETS(query_zone, query_zone);
	SAME_MOMENT(response_time);
	SAME_OCTETS(response_message, response_message);
	SAME_NUMBER(http_protocol, http_protocol);
	policy_same(m, p->policy);
}

static void dnstap_same(const struct tap_message *m, const Dnstap__Dnstap *p)
{
	cr_assert(p->type == DNSTAP__DNSTAP__TYPE__MESSAGE);
	SAME_OCTETS(identity, identity);
	SAME_OCTETS(version, version);
	SAME_OCTETS(extra, extra);
	cr_assert_not_null(p->message);
	message_same(m, p->message);
}

Test(tap, protobuf_c_reads_every_field_that_is_written)
{
	uint64_t state = RANDOM_SEED;
	uint8_t *frame = malloc(ROOM);

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)random_next(&state);
	for (unsigned i = 0; i < 3000; i++) {
		struct tap_message m;
		Dnstap__Dnstap *p;
		size_t size;

		message_make(&state, &m);
		size = tap_size(&m);
		cr_assert(size <= ROOM);
		cr_assert(tap_encode(&m, frame) == size);
		p = dnstap__dnstap__unpack(NULL, size, frame);
		cr_assert_not_null(p);
		dnstap_same(&m, p);
		dnstap__dnstap__free_unpacked(p, NULL);
	}
	free(frame);
}

Test(tap, what_protobuf_c_writes_is_read)
{
	uint64_t state = RANDOM_SEED + 1;
	uint8_t *frame = malloc(ROOM), *again = malloc(ROOM);

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)random_next(&state);
	for (unsigned i = 0; i < 3000; i++) {
		struct tap_message m, read;
		Dnstap__Dnstap *p;
		size_t size;

		message_make(&state, &m);
		p = dnstap__dnstap__unpack(NULL, tap_encode(&m, frame), frame);
		cr_assert_not_null(p);
		size = dnstap__dnstap__pack(p, again);
		cr_assert(tap_decode(again, size, &read) == 0);
		dnstap_same(&read, p);
		dnstap__dnstap__free_unpacked(p, NULL);
	}
	free(frame);
	free(again);
}

Test(tap, a_frame_that_ends_early_is_refused_wherever_it_ends)
{
	uint64_t state = RANDOM_SEED + 2;
	struct tap_message m, read;
	uint8_t frame[4096];
	size_t size;

	do
		message_make(&state, &m);
	while (tap_size(&m) > sizeof(frame) || !m.has_policy);
	size = tap_encode(&m, frame);
	cr_assert(tap_decode(frame, size, &read) == 0);
	for (size_t cut = 0; cut < size; cut++) {
		// In a block of its own, for the sanitizer to see what is read behind it.
		uint8_t *part = malloc(cut ? cut : 1);

		memcpy(part, frame, cut);
		cr_assert(tap_decode(part, cut, &read) == -EINVAL, "%zu of %zu", cut, size);
		free(part);
	}
}

Test(tap, fields_that_are_not_known_and_other_wire_types_are_passed_over)
{
	// Field 500 as a varint, 501 with 8, 502 with 4 octets, 503 with two; the type as octets, then as
	// it should be; a message of type 6 with family in 4 octets.
	const uint8_t frame[] = {0xa0, 0x1f, 0x96, 0x01, 0xa9, 0x1f, 1, 2, 3, 4, 5, 6, 7, 8, 0xb5,
		0x1f, 1, 2, 3, 4, 0xba, 0x1f, 2, 9, 9, 0x7a, 1, 1, 0x72, 7, 0x08, 6, 0x15, 1, 0, 0,
		0, 0x78, 1};
	struct tap_message m;

	cr_assert(tap_decode(frame, sizeof(frame), &m) == 0);
	cr_assert(m.type == TAP_CLIENT_RESPONSE);
	cr_assert(m.family == 0);
}

Test(tap, frames_that_are_no_message_are_refused)
{
	static const struct {
		const char *what;
		uint8_t size, frame[16];
	} rows[] = {
		{"nothing", 0, {0}},
		{"no type", 4, {0x72, 2, 0x08, 6}},
		{"no message", 2, {0x78, 1}},
		{"another type", 6, {0x72, 2, 0x08, 6, 0x78, 2}},
		{"a message without a type", 6, {0x72, 2, 0x10, 1, 0x78, 1}},
		{"a group", 4, {0x0b, 0x0c, 0x78, 1}},
		{"a varint without an end", 12,
			{0x78, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{"a length of 2^64 - 1", 11,
			{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
	};
	struct tap_message m;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(
			tap_decode(rows[i].frame, rows[i].size, &m) == -EINVAL, "%s", rows[i].what);
}

/* ---- extra ----------------------------------------------------------------------------------- */

static int extra_read(const char *text, struct tap_extra *extra)
{
	size_t size = strlen(text);
	uint8_t *copy = malloc(size ? size : 1);
	int result;

	memcpy(copy, text, size);
	result = tap_extra_read(copy, size, extra);
	free(copy);
	return result;
}

static bool extra_same(const struct tap_extra *a, const struct tap_extra *b)
{
	return a->start == b->start && a->seq == b->seq && a->lost == b->lost &&
	       a->generation == b->generation && a->sample == b->sample && a->bits == b->bits &&
	       strcmp(a->list, b->list) == 0 && strcmp(a->action, b->action) == 0 &&
	       strcmp(a->verdict, b->verdict) == 0;
}

Test(tap_extra, what_is_written_is_read)
{
	const struct tap_extra full = {.start = UINT64_MAX,
		.seq = UINT64_MAX,
		.lost = 7,
		.generation = UINT32_MAX,
		.sample = 100,
		.bits = 128,
		.list = "a list = %41 \n\xff",
		.action = "sinkhole",
		.verdict = "rewritten"};
	const struct tap_extra least = {.start = 1, .seq = 1, .bits = 0};
	struct tap_extra read;
	char text[TAP_EXTRA_SIZE];
	size_t size = tap_extra_write(&full, text);

	cr_assert(tap_extra_read((const uint8_t *)text, size, &read) == 0);
	cr_assert(extra_same(&read, &full));
	cr_assert(memchr(text, '\n', size) == NULL);
	size = tap_extra_write(&least, text);
	cr_assert(tap_extra_read((const uint8_t *)text, size, &read) == 0);
	cr_assert(extra_same(&read, &least));
}

Test(tap_extra, the_longest_text_fits)
{
	struct tap_extra extra = {.start = UINT64_MAX,
		.seq = UINT64_MAX,
		.lost = UINT64_MAX,
		.generation = UINT32_MAX,
		.sample = UINT32_MAX,
		.bits = UINT8_MAX};
	char text[TAP_EXTRA_SIZE];

	memset(extra.list, 0xff, sizeof(extra.list) - 1);
	memset(extra.action, 0xff, sizeof(extra.action) - 1);
	memset(extra.verdict, 0xff, sizeof(extra.verdict) - 1);
	cr_assert(tap_extra_write(&extra, text) <= sizeof(text));
}

Test(tap_extra, the_form_is_the_one_that_is_documented)
{
	const struct tap_extra extra = {.start = 0x9f1c22d8a4b07e35,
		.seq = 4711,
		.generation = 3,
		.bits = 22,
		.list = "c2",
		.action = "sinkhole",
		.verdict = "rewritten",
		.lost = 12};
	char text[TAP_EXTRA_SIZE + 1];

	text[tap_extra_write(&extra, text)] = '\0';
	cr_assert_str_eq(text, "dnsweir 1 start=9f1c22d8a4b07e35 seq=4711 gen=3 bits=22 list=c2 "
			       "action=sinkhole verdict=rewritten lost=12");
}

Test(tap_extra, keys_may_come_in_any_order_and_some_that_are_not_known)
{
	struct tap_extra extra;

	cr_assert(extra_read("dnsweir 1  new=7 bits=24 flag seq=2 start=ff", &extra) == 0);
	cr_assert(extra.start == 0xff && extra.seq == 2 && extra.bits == 24 && !extra.list[0]);
}

Test(tap_extra, what_cannot_be_is_refused)
{
	static const struct {
		int result;
		const char *text;
	} rows[] = {
		{-ENOENT, ""},
		{-ENOENT, "dnsweir"},
		{-ENOENT, "a tag of somebody else"},
		{-EINVAL, "dnsweir 2 start=1 seq=1 bits=1"},
		{-EINVAL, "dnsweir 11 start=1 seq=1 bits=1"},
		{-EINVAL, "dnsweir 1"},
		{-EINVAL, "dnsweir 1 seq=1 bits=1"},
		{-EINVAL, "dnsweir 1 start=1 bits=1"},
		{-EINVAL, "dnsweir 1 start=1 seq=1"},
		{-EINVAL, "dnsweir 1 start=0 seq=1 bits=1"},
		{-EINVAL, "dnsweir 1 start=1 seq=0 bits=1"},
		{-EINVAL, "dnsweir 1 start=1 seq= bits=1"},
		{-EINVAL, "dnsweir 1 start=1 seq=-1 bits=1"},
		{-EINVAL, "dnsweir 1 start=1 seq=1 bits=129"},
		{-EINVAL, "dnsweir 1 start=1ffffffffffffffff seq=1 bits=1"},
		{-EINVAL, "dnsweir 1 start=1 seq=18446744073709551616 bits=1"},
		{-EINVAL, "dnsweir 1 start=1 seq=1 bits=1 gen=4294967296"},
		{-EINVAL, "dnsweir 1 start=1 seq=1 bits=1 list=%4"},
		{-EINVAL, "dnsweir 1 start=1 seq=1 bits=1 list=%zz"},
		{-EINVAL, "dnsweir 1 start=1 seq=1 bits=1 list=%00"},
		{-EINVAL, "dnsweir 1 start=1 seq=1 bits=1 "
			  "verdict=0123456789012345678901234567890123"},
	};
	struct tap_extra extra;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(extra_read(rows[i].text, &extra) == rows[i].result, "%s", rows[i].text);
}

/* ---- scrubbing ------------------------------------------------------------------------------- */

// A response: a question, an A record, an OPT with options.
#define QUESTION "\x12\x34\x81\x80\0\1\0\1\0\0\0\1\3www\7example\0\0\1\0\1"
#define ANSWER   "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x50"
#define OPT      "\0\0\x29\x04\xd0\0\0\x80\0\0\x2b"
#define SUBNET   "\0\x08\0\x08\0\1\x20\0\xc0\0\2\x63"
#define EDE      "\0\x0f\0\2\0\x0f"
#define COOKIE   "\0\x0a\0\x08\1\2\3\4\5\6\7\x08"
#define MAC      "\xfd\xe9\0\6\2\1\2\3\4\5"
#define WHOLE    QUESTION ANSWER OPT SUBNET EDE COOKIE MAC "\0\3\0"
#define N        (sizeof(WHOLE) - 1)

Test(tap_scrub, options_that_tell_of_the_client_are_zeroed_and_others_stay)
{
	static const char wanted[] =
		QUESTION ANSWER OPT "\0\x08\0\x08\0\0\0\0\0\0\0\0" EDE
				    "\0\x0a\0\x08\0\0\0\0\0\0\0\0\xfd\xe9\0\6\0\0\0\0\0\0\0\0\0";
	uint8_t *msg = malloc(N);

	memcpy(msg, WHOLE, N);
	cr_assert(tap_scrub(msg, N) == N);
	cr_assert(memcmp(msg, wanted, N) == 0);
	free(msg);
}

Test(tap_scrub, what_cannot_be_read_is_not_passed_on)
{
	const size_t answer = sizeof(QUESTION) - 1, opt = answer + sizeof(ANSWER) - 1;

	for (size_t size = 12; size <= N; size++) {
		uint8_t *msg = malloc(size);
		size_t left;

		memcpy(msg, WHOLE, size);
		left = tap_scrub(msg, size);
		cr_expect(left == (size < answer       ? 12
					  : size < opt ? answer
					  : size < N   ? opt
						       : N),
			"%zu", size);
		free(msg);
	}
}

Test(tap_scrub, octets_behind_the_last_record_are_not_passed_on)
{
	uint8_t msg[N + 7];

	memcpy(msg, WHOLE "\0192.0.2", sizeof(msg));
	cr_assert(tap_scrub(msg, sizeof(msg)) == N);
}

Test(tap_scrub, an_option_that_is_longer_than_its_record_is_zeroed_to_the_end)
{
	uint8_t msg[] = QUESTION ANSWER "\0\0\x29\x04\xd0\0\0\x80\0\0\6\0\x08\0\x08\1\2";
	const size_t size = sizeof(msg) - 1;

	cr_assert(tap_scrub(msg, size) == size);
	cr_assert(msg[size - 1] == 0 && msg[size - 2] == 0 && msg[size - 3] == 8);
}
