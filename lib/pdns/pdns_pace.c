/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When to write what waits, so that all of it is written before the window is over. One inequality says it: the age of
 * what waits, and what writing it takes at half of the speed that writes had of late, and before it what is being
 * written, are no more than the window. Where it no more holds, what waits is written; where that has to wait for
 * another write, senders do. The half is for a machine that becomes busy in the middle of it.
 */
#include "pdns_private.h"

#define SPEED_FIRST \
	((uint64_t)512 << 10) // octets a second that are believed at first: of a slow disk
#define SPEED_LEAST (64 << 10)
#define SLOWER_US   1000000 // of writing that is looked back on where it became slower
#define QUICKER_US  3000000 // and quicker
#define MARGIN      4 // part of the window: disks stand still, marks and ticks come a second apart

void pdns_pace_init(struct pdns_pace *pace, unsigned window_s)
{
	int64_t window_us = (int64_t)window_s * 1000000;

	*pace = (struct pdns_pace){
		.window_us = window_us - window_us / MARGIN, .speed = SPEED_FIRST};
}

void pdns_pace_wrote(struct pdns_pace *pace, size_t octets, int64_t took_us, bool whole)
{
	int64_t believed = (int64_t)pace->speed;
	int64_t speed = (int64_t)octets * 1000000 / (took_us + 1);
	int64_t back_us = speed < believed ? SLOWER_US : QUICKER_US;
	int64_t weight_us = took_us < back_us ? took_us : back_us;

	// A long write says more than a short one, as in what is written in a time on the whole.
	if (speed >= believed || whole)
		believed += (speed - believed) * weight_us / back_us;
	pace->speed = believed > SPEED_LEAST ? (uint64_t)believed : SPEED_LEAST;
}

size_t pdns_pace_room(const struct pdns_pace *pace, int64_t age_us, size_t ahead)
{
	int64_t left_us = pace->window_us - age_us;
	uint64_t octets = left_us > 0 ? pace->speed / 2 * (uint64_t)left_us / 1000000 : 0;

	return octets > ahead ? octets - ahead : 0;
}

int64_t pdns_pace_slack(const struct pdns_pace *pace, int64_t age_us, size_t octets)
{
	return pace->window_us - age_us - (int64_t)((uint64_t)octets * 2000000 / pace->speed);
}
