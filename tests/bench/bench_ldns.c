/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of a capture through ldns_wire2pkt: bench_ldns FRAMES.pcap. ns is per message. */
#include <stdio.h>

#include <ldns/ldns.h>

#include "bench/bench.h"

static unsigned pass(const struct bench_frames *frames)
{
	unsigned n = 0;

	for (unsigned i = 0; i < frames->n; i++) {
		const struct bench_frame *frame = &frames->frame[i];
		ldns_pkt *pkt;

		if (frame->msg_size == 0)
			continue;
		if (ldns_wire2pkt(&pkt, frame->bytes + frame->msg, frame->msg_size) !=
			LDNS_STATUS_OK)
			bench_die("ldns_wire2pkt", "refused a message");
		ldns_pkt_free(pkt);
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct bench_options options;
	struct bench_frames frames;
	int word = bench_options_parse(argc, argv, &options, 1, "FRAMES.pcap");

	bench_frames_read(argv[word], &options, &frames);
	for (unsigned i = 0; bench_round(&options, i); i++) {
		uint64_t begun = bench_now_ns(), ns, packets = 0;

		do {
			packets += pass(&frames);
			ns = bench_now_ns() - begun;
		} while (packets > 0 && ns < options.round_ms * 1000000ull);
		if (packets == 0)
			bench_die(argv[word], "no DNS message in it");
		printf("{\"ns\": %.2f, \"packets\": %llu}\n", (double)ns / (double)packets,
			(unsigned long long)packets);
	}
	bench_frames_free(&frames);
	return 0;
}
