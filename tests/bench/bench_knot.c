/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The messages of a capture through knot_pkt_parse: bench_knot FRAMES.pcap. ns is per message.
 *
 * This program alone is under the GNU General Public License, version 3 or later, because it links
 * libknot, which is. It is a program of its own for that reason, is not installed, and is built only
 * where libknot is.
 */
#include <stdio.h>

#include <libknot/libknot.h>

#include "bench/bench.h"

static unsigned pass(const struct bench_frames *frames)
{
	unsigned n = 0;

	for (unsigned i = 0; i < frames->n; i++) {
		const struct bench_frame *frame = &frames->frame[i];
		knot_pkt_t *pkt;

		if (frame->msg_size == 0)
			continue;
		pkt = knot_pkt_new(frame->bytes + frame->msg, frame->msg_size, NULL);
		if (!pkt || knot_pkt_parse(pkt, 0) != KNOT_EOK)
			bench_die("knot_pkt_parse", "refused a message");
		knot_pkt_free(pkt);
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
