/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "pkt/pkt_tcp.h"
#include "support/traffic.h"

#define OCTETS_MAX 2048

// Of two connections: what was said by each resolver so far, from the input.
static uint8_t said[2][OCTETS_MAX];
static uint32_t n_said[2];

/*
 * The input is a list of steps: a byte that says what, two that say where and how much, and, for octets
 * that are said for the first time, the octets. What traffic.c holds of any traffic is the property.
 */
struct steps {
	const uint8_t *at;
	size_t left;
};

static unsigned byte_take(struct steps *steps)
{
	if (steps->left == 0)
		return 0;
	steps->left--;
	return *steps->at++;
}

// Octets that follow in the input are said after those before; else some are said again.
static void say(struct traffic *t, struct steps *steps, unsigned who, bool again)
{
	unsigned from = byte_take(steps), n = byte_take(steps);
	struct traffic_segment s = {.client = (uint16_t)(40000 + who), .v6 = who};

	if (again) {
		s.seq = n_said[who] > from * 8 ? n_said[who] - from * 8 : 0;
		n *= 4;
	} else {
		// A little ahead, where segments before it are missing.
		s.seq = n_said[who] + (from > 250 ? from - 250 : 0);
		for (unsigned i = 0; i < n && s.seq + i < OCTETS_MAX && steps->left > 0; i++) {
			said[who][s.seq + i] = (uint8_t)byte_take(steps);
			n_said[who] = s.seq + i + 1;
		}
	}
	if (s.seq >= n_said[who])
		return;
	s.octets = said[who] + s.seq;
	s.n = n < n_said[who] - s.seq ? n : n_said[who] - s.seq;
	traffic_send(t, &s);
}

static void step(struct traffic *t, struct steps *steps)
{
	static const uint8_t flags[4] = {
		PKT_TCP_SYN, PKT_TCP_FIN, PKT_TCP_RST, PKT_TCP_SYN | PKT_TCP_ACK};
	unsigned what = byte_take(steps), who = what & 1;
	struct traffic_segment s = {.client = (uint16_t)(40000 + who), .v6 = who};

	switch (what >> 1 & 7) {
	case 0:
	case 1:
	case 2:
		say(t, steps, who, false);
		return;
	case 3:
		say(t, steps, who, true);
		return;
	case 4:
		traffic_wait(t, what >> 4);
		return;
	case 5:
		// The client, with or without a query.
		s.from_client = true;
		s.ack = byte_take(steps) * 8;
		s.octets = (const uint8_t *)"\0\x02??";
		s.n = what >> 4 & 1 ? 4 : 0;
		break;
	case 6:
		s.from_client = what >> 4 & 1;
		s.flags = flags[what >> 5 & 3];
		s.seq = byte_take(steps) * 8;
		break;
	default:
		traffic_wait(t, 200 * (what >> 4));
		return;
	}
	traffic_send(t, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	// So small that every bound is met.
	static const struct stream_conf conf = {
		.flows = 1, .memory = 8192, .hold_ms = 10, .gap_ms = 1000, .held = 6};
	struct stream_conf roomy = conf;
	struct steps steps = {data, size};
	struct traffic *t;

	memset(said, 0, sizeof(said));
	memset(n_said, 0, sizeof(n_said));
	if (byte_take(&steps) & 1) {
		roomy.flows = 32;
		roomy.memory = 65536;
		roomy.held = 64;
	}
	t = traffic_create(fuzz_tables(0), &roomy, NULL, NULL);
	while (steps.left > 0)
		step(t, &steps);
	traffic_wait(t, 1500);
	FUZZ_CHECK(traffic_held(t) == 0);
	traffic_destroy(t);
	return 0;
}
