/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dns/dns_type.h"
#include "pkt/pkt_tcp.h"
#include "support/wire.h"

struct talk *talk_create(const struct pipeline_tables *tables, bool v6)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	if (!talk)
		abort();
	talk->tables = tables;
	talk->v6 = v6;
	return talk;
}

void talk_destroy(struct talk *talk)
{
	free(talk->said);
	free(talk->expected);
	free(talk->arrived);
	free(talk->got);
	free(talk);
}

static void *grown(void *old, uint32_t had, uint32_t size)
{
	uint8_t *p = realloc(old, size);

	if (!p)
		abort();
	memset(p + had, 0, size - had);
	return p;
}

static void put(struct talk *talk, const void *octets, uint32_t n, bool expected_too)
{
	if (talk->size + n > talk->room) {
		uint32_t room = 2 * (talk->size + n);

		talk->said = grown(talk->said, talk->room, room);
		talk->expected = grown(talk->expected, talk->room, room);
		talk->arrived = grown(talk->arrived, talk->room, room);
		talk->got = grown(talk->got, talk->room, room);
		talk->room = room;
	}
	memcpy(talk->said + talk->size, octets, n);
	memcpy(talk->expected + talk->size, octets, n);
	talk->size += n;
	if (expected_too)
		traffic_judged(talk->tables, talk->expected + talk->size - n, n, talk->v6);
}

void talk_raw(struct talk *talk, const void *octets, uint32_t n)
{
	put(talk, octets, n, false);
}

void talk_message(struct talk *talk, const uint8_t *msg, uint32_t size)
{
	uint8_t length[2];

	store_be16(length, (uint16_t)size);
	put(talk, length, 2, false);
	put(talk, msg, size, true);
}

void talk_answer(struct talk *talk, const char *name, const char *target, unsigned n, uint32_t ttl)
{
	struct wire *w = wire_create();

	wire_response(w, "192.0.2.53", "203.0.113.7", name, talk->v6 ? DNS_TYPE_AAAA : DNS_TYPE_A);
	if (target)
		wire_record_name(w, "^q", ttl, DNS_TYPE_CNAME, target);
	for (unsigned i = 0; i < n; i++)
		wire_record_address(w, target ? target : "^q", ttl,
			talk->v6 ? "2001:db8:66::66" : "198.51.100.66");
	wire_finish(w);
	// What a rewrite has to change before the first name that it depends on.
	if (ttl <= TALK_TTL_KEPT || talk->early)
		w->bytes[w->dns + 3] &= (uint8_t)~DNS_FLAG_AD;
	else
		w->bytes[w->dns + 3] |= DNS_FLAG_AD;
	talk_message(talk, w->bytes + w->dns, (uint32_t)(w->size - w->dns));
	wire_destroy(w);
}

static void arrive(void *ctx, const struct traffic_packet *packet)
{
	struct talk *talk = ctx;
	const struct traffic_segment *s = &packet->segment;
	uint32_t from = s->seq - TALK_ISN;

	if (s->from_client || s->client != TALK_PORT)
		return;
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t at = from + i;
		uint8_t octet = packet->frame[packet->payload + i];

		if (at >= talk->size || at < talk->acked)
			continue;
		talk->unlike += talk->got[at] && talk->arrived[at] != octet;
		talk->got[at] = true;
		talk->arrived[at] = octet;
	}
	while (talk->contiguous < talk->size && talk->got[talk->contiguous])
		talk->contiguous++;
}

struct traffic *talk_traffic(struct talk *talk, const struct stream_conf *conf)
{
	return traffic_create(talk->tables, conf, arrive, talk);
}

static struct traffic_segment segment_of(const struct talk *talk, bool from_client)
{
	return (struct traffic_segment){.from_client = from_client,
		.v6 = talk->v6,
		.client = TALK_PORT,
		.seq = from_client ? 1000 : TALK_ISN,
		.ack = from_client ? TALK_ISN + talk->contiguous : 1000};
}

const struct traffic_packet *talk_ask(struct talk *talk, struct traffic *t)
{
	struct traffic_segment s = segment_of(talk, true);

	s.octets = (const uint8_t *)"\0\x11query in a packet";
	s.n = 19;
	talk->acked = talk->contiguous;
	return traffic_send(t, &s);
}

const struct traffic_packet *talk_say(
	struct talk *talk, struct traffic *t, uint32_t from, uint32_t to)
{
	struct traffic_segment s = segment_of(talk, false);

	s.seq += from;
	s.octets = talk->said + from;
	s.n = to - from;
	return traffic_send(t, &s);
}

void talk_acknowledge(struct talk *talk, struct traffic *t)
{
	struct traffic_segment s = segment_of(talk, true);

	talk->acked = talk->contiguous;
	traffic_send(t, &s);
}

const struct traffic_packet *talk_sign(
	struct talk *talk, struct traffic *t, bool from_client, uint8_t flags, uint32_t at)
{
	struct traffic_segment s = segment_of(talk, from_client);

	s.flags = flags;
	s.seq += at;
	return traffic_send(t, &s);
}

const char *talk_error(const struct talk *talk)
{
	static char text[80];

	if (talk->unlike)
		return "octets that were sent again are not the same";
	if (talk->contiguous < talk->size) {
		snprintf(text, sizeof(text), "octets are missing: %u of %u", talk->contiguous,
			talk->size);
		return text;
	}
	for (uint32_t i = 0; i < talk->size; i++)
		if (talk->arrived[i] != talk->expected[i]) {
			snprintf(text, sizeof(text), "octet %u of %u is 0x%02x, not 0x%02x", i,
				talk->size, talk->arrived[i], talk->expected[i]);
			return text;
		}
	return NULL;
}
