/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments of two answers, in an order and with cuts, copies, changes and pauses that the input says.
 * Each step takes four octets of it:
 *
 *   0  bits: which answer, which datagram of it, more to come, last octet changed, an odd size
 *   1  bits: a pause; or, the rest of the input is a frame
 *   2  where the fragment starts, in units of 8 octets; or milliseconds
 *   3  how many octets it has
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "support/fragments.h"
#include "support/stream_bed.h"

#define ANSWERS 2
#define IDS     2
#define HOLD_MS 100

struct fuzz {
	struct stream_bed *bed;
	const struct wire *answers;
	struct fragment_host hosts[ANSWERS][IDS];
	unsigned n_seen;
};

// Addresses of a name that is listed, over both families.
static const struct wire *answers(void)
{
	static struct wire *made;

	if (made)
		return made;
	made = calloc(ANSWERS, sizeof(*made));
	FUZZ_CHECK(made != NULL);
	for (unsigned i = 0; i < ANSWERS; i++) {
		struct wire *w = wire_create();

		wire_response(w, i ? "2001:db8:53::53" : "198.51.100.53",
			i ? "2001:db8:c::7" : "203.0.113.7", "evil.example", 1);
		wire_record_address(w, "evil.example", 300, "198.51.100.66");
		wire_finish(w);
		made[i] = *w;
		wire_destroy(w);
	}
	return made;
}

// No receiver that keeps to the RFCs gets an answer as it was sent, but where the box gave up waiting.
static void hosts_look(struct fuzz *fuzz)
{
	const struct stats_worker *stats = &fuzz->bed->stats;

	for (; fuzz->n_seen < fuzz->bed->n_sent; fuzz->n_seen++) {
		const struct stream_bed_packet *p = fuzz->bed->sent[fuzz->n_seen];
		const struct wire *w = &fuzz->answers[p->bytes[14] >> 4 == 6];
		unsigned id = w->version == 4 ? load_be16(p->bytes + 18) : load_be32(p->bytes + 58);
		struct fragment_host *host = &fuzz->hosts[w->version == 6][id % IDS];
		uint32_t total = fragment_total(w);

		fragment_host_take(host, p->bytes, p->size);
		if (!fragment_host_done(host))
			continue;
		FUZZ_CHECK(host->total != total ||
			   memcmp(host->bytes, w->bytes + w->size - total, total) != 0 ||
			   stats->verdicts[REASON_fragment_incomplete] +
					   stats->verdicts[REASON_fragment_limit] >
				   0);
		memset(host, 0, sizeof(*host));
	}
}

static void step(struct fuzz *fuzz, const uint8_t in[4])
{
	static uint8_t frame[FRAGMENT_ROOM];
	struct fragment_cut cut = {.from = in[2] % 16 * 8, .more = in[0] & 4, .id = in[0] >> 1 & 1};
	const struct wire *w = &fuzz->answers[in[0] & 1];
	uint32_t total = fragment_total(w), size;

	if (cut.from >= total)
		return;
	cut.to = cut.from + 1 + in[3] % (total - cut.from);
	// Mostly a multiple of 8, as it has to be.
	if (cut.more && !(in[0] & 16))
		cut.to = cut.from + (cut.to - cut.from + 7) / 8 * 8;
	size = fragment_make(w, &cut, frame);
	if (in[0] & 8)
		frame[size - 1] ^= 1;
	stream_bed_packet(fuzz->bed, frame, size, BURST_FROM_RESOLVERS);
	hosts_look(fuzz);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct stream_conf conf = {
		.flows = 4,
		.memory = 4096,
		.hold_ms = 10,
		.gap_ms = 10,
		.held = 8,
		.frag = {.trains = 3, .packets = 24, .hold_ms = HOLD_MS},
	};
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));

	FUZZ_CHECK(fuzz != NULL);
	fuzz->answers = answers();
	fuzz->bed = stream_bed_create(&conf, fuzz_tables(0));
	for (size_t at = 0; size - at >= 4; at += 4) {
		const uint8_t *in = data + at;

		if (in[1] & 1) {
			stream_bed_wait(fuzz->bed, in[2]);
			hosts_look(fuzz);
		} else if (in[1] & 2) {
			stream_bed_packet(fuzz->bed, in + 4, (uint32_t)(size - at - 4),
				in[2] & 1 ? BURST_FROM_CLIENTS : BURST_FROM_RESOLVERS);
			break;
		} else {
			step(fuzz, in);
		}
	}
	stream_bed_destroy(fuzz->bed);
	free(fuzz);
	return 0;
}
