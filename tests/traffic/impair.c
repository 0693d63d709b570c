/* SPDX-License-Identifier: BSD-3-Clause */
// traffic impair: a wire between two interfaces that loses, repeats, swaps, cuts and splits.
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "traffic/frame.h"
#include "traffic/lane.h"
#include "traffic/link.h"
#include "traffic/traffic.h"

#define USAGE                                                                                \
	"impair [--there SPEC] [--back SPEC] [--seed N] [--seconds N] INTERFACE INTERFACE\n" \
	"  SPEC: loss=PCT,dup=PCT,reorder=PCT[:FRAMES],hold=MS\n"                            \
	"        cut=none|SIZE[xTIMES][+...][+rest]|random[:LIMIT]|walk\n"                   \
	"        swap=PCT,shuffle=PCT,overlap=PCT,recut=PCT\n"                               \
	"        frag=none|SIZE|walk,frag-shuffle=PCT,miss-first=PCT,miss-last=PCT"
#define BURST   64 // frames of one side before the other has its turn
#define IDLE_MS 100

struct direction {
	const char *name;
	struct link *from;
	struct lane *lane;
};

static void send_to(void *ctx, const uint8_t *frame, size_t size)
{
	link_send(ctx, frame, size);
}

static int forward(struct direction *d)
{
	static uint8_t frame[FRAME_SIZE_MAX];

	for (unsigned i = 0; i < BURST && !traffic_stopped; i++) {
		int size = link_receive(d->from, frame);

		if (size <= 0)
			return size;
		lane_take(d->lane, frame, (size_t)size, traffic_now_ms());
	}
	return 0;
}

static void print(struct direction *d, const struct link *to, bool last)
{
	const struct lane_counts *c = lane_counts(d->lane);
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {{"received", c->received}, {"sent", c->sent}, {"lost", c->lost},
		{"duplicated", c->duplicated}, {"held", c->held}, {"segments", c->segments},
		{"pieces", c->pieces}, {"swapped", c->swapped}, {"overlapped", c->overlapped},
		{"repeated", c->repeated}, {"joined", c->joined}, {"datagrams", c->datagrams},
		{"fragments", c->fragments}, {"missing", c->missing}, {"changed", c->changed},
		{"bad_sums", c->bad_sums}, {"missed", link_missed(d->from)},
		{"refused", to->refused}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%s.%s=%llu%c", d->name, rows[i].name, (unsigned long long)rows[i].value,
			last && i + 1 == sizeof(rows) / sizeof(rows[0]) ? '\n' : ' ');
}

static int run(struct direction directions[2], uint64_t end_ms)
{
	struct pollfd polls[2] = {
		{directions[0].from->fd, POLLIN, 0}, {directions[1].from->fd, POLLIN, 0}};
	unsigned held = 0;
	int r = 0;

	printf("ready\n");
	fflush(stdout);
	while (r == 0 && !traffic_stopped && traffic_now_ms() < end_ms) {
		poll(polls, 2, held ? 1 : IDLE_MS);
		held = 0;
		for (unsigned i = 0; i < 2 && r == 0; i++) {
			r = forward(&directions[i]);
			held += lane_tick(directions[i].lane, traffic_now_ms());
		}
	}
	for (unsigned i = 0; i < 2; i++)
		lane_flush(directions[i].lane);
	print(&directions[0], directions[1].from, false);
	print(&directions[1], directions[0].from, true);
	return r ? 1 : 0;
}

// Both ends of the wire, and what goes on between.
static int between(const char *names[2], const struct spec specs[2], uint64_t seed, uint64_t end_ms)
{
	struct link links[2] = {{.fd = -1}, {.fd = -1}};
	struct direction directions[2] = {{"there", &links[0], NULL}, {"back", &links[1], NULL}};
	int status = 1;

	if (link_open(&links[0], names[0]) == 0 && link_open(&links[1], names[1]) == 0) {
		for (unsigned i = 0; i < 2; i++)
			directions[i].lane = lane_create(
				&specs[i], seed + i, links[1 - i].mtu, send_to, &links[1 - i]);
		if (directions[0].lane && directions[1].lane)
			status = run(directions, end_ms);
	}
	for (unsigned i = 0; i < 2; i++) {
		lane_destroy(directions[i].lane);
		link_close(&links[i]);
	}
	return status;
}

int traffic_impair(int argc, char **argv)
{
	static const struct option options[] = {{"there", required_argument, NULL, 't'},
		{"back", required_argument, NULL, 'b'}, {"seed", required_argument, NULL, 's'},
		{"seconds", required_argument, NULL, 'S'}, {0}};
	struct spec specs[2];
	uint64_t seed = 1, seconds = 0;
	char error[128];
	int o;

	spec_parse("", &specs[0], error, sizeof(error));
	specs[1] = specs[0];
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 't' || o == 'b') {
			if (spec_parse(optarg, &specs[o == 'b'], error, sizeof(error)) < 0) {
				fprintf(stderr, "traffic: --%s: %s\n", o == 't' ? "there" : "back",
					error);
				return 2;
			}
		} else if (o == '?' ||
			   !traffic_number(optarg, 1 << 30, o == 's' ? &seed : &seconds)) {
			return traffic_usage(USAGE);
		}
	}
	if (argc - optind != 2)
		return traffic_usage(USAGE);
	return between((const char *[2]){argv[optind], argv[optind + 1]}, specs, seed,
		seconds ? traffic_now_ms() + seconds * 1000 : UINT64_MAX);
}
