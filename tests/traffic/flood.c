/* SPDX-License-Identifier: BSD-3-Clause */
// traffic flood: frames at a rate from one end of the wire.
#include "traffic/flood.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "traffic/link.h"
#include "traffic/traffic.h"

#define USAGE     "flood --kind syn|syn-ack|fragment --count N --rate PACKETS_A_SECOND INTERFACE"
#define BATCH_NS  1000000 // frames that are due in this time go together
#define SECOND_NS 1000000000ull

static const char *const kinds[] = {"syn", "syn-ack", "fragment"};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void flood(struct link *link, enum flood_kind kind, uint32_t count, uint64_t rate)
{
	static uint8_t frame[FRAME_SIZE_MAX];
	const struct timespec batch = {0, BATCH_NS};
	uint64_t start = now_ns(), elapsed;
	uint32_t sent = 0;

	while (sent < count && !traffic_stopped) {
		uint64_t due = (now_ns() - start) / 1000 * rate / 1000000 + 1;

		for (; sent < count && sent < due && !traffic_stopped; sent++)
			link_send(link, frame, flood_frame(kind, sent, frame));
		nanosleep(&batch, NULL);
	}
	elapsed = now_ns() - start;
	printf("sent=%llu refused=%llu rate=%llu\n", (unsigned long long)(sent - link->refused),
		(unsigned long long)link->refused,
		(unsigned long long)(sent * SECOND_NS / (elapsed ? elapsed : 1)));
}

int traffic_flood(int argc, char **argv)
{
	static const struct option options[] = {{"kind", required_argument, NULL, 'k'},
		{"count", required_argument, NULL, 'c'}, {"rate", required_argument, NULL, 'r'},
		{0}};
	uint64_t count = 0, rate = 0;
	struct link link;
	int o, kind = -1;
	bool good = true;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'k') {
			for (int i = 0; i < 3; i++)
				kind = strcmp(optarg, kinds[i]) == 0 ? i : kind;
		} else {
			good = good && o != '?' &&
			       traffic_number(optarg, 60000000, o == 'c' ? &count : &rate);
		}
	}
	if (!good || kind < 0 || count == 0 || rate == 0 || argc - optind != 1)
		return traffic_usage(USAGE);
	if (link_open(&link, argv[optind]) < 0)
		return 1;
	flood(&link, (enum flood_kind)kind, (uint32_t)count, rate);
	link_close(&link);
	return 0;
}
