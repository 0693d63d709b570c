/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the two halves of the module share: rows over generations (tally.c), and the hours that wait to
 * be written (tally_hours.c).
 */
#include <pthread.h>

#include "tally/tally.h"

/** An identifier that was met; in a tree, by list and id. */
struct tally_entry {
	struct tally_row row;              // as of the last tally_refresh
	uint64_t ended[POLICY_ACTIONS];    // counted in generations that are used no more
	uint64_t taken[POLICY_ACTIONS];    // noted in an hour
	uint64_t hour;                     // number of the last hour that has a place for it
	size_t place;
	char text[]; // list, id
};

/** What one identifier came to in an hour. */
struct tally_part {
	const struct tally_row *row;
	uint64_t filtered[POLICY_ACTIONS];
};

/** An hour that waits. */
struct tally_hour {
	int64_t hour;
	uint64_t number; // of the first noting; no two have the same
	uint64_t responses[STATS_RCODES][DNS_TYPE_ROW_COUNT];
	uint64_t mirror_lost;
	struct tally_part *parts;
	size_t n, room;
};

struct tally {
	pthread_mutex_t lock;
	struct tally_generation *generations; // in use
	void *entries;                        // tsearch(3) of struct tally_entry
	struct tally_hour *hours[TALLY_HOURS_MAX]; // oldest first; changed by one thread
	unsigned n_hours;
	uint64_t hour_number;
	uint64_t taken[STATS_RCODES][DNS_TYPE_ROW_COUNT], mirror_lost; // noted in an hour
};

/** Bring the rows up to date; the lock is held. @return 0 or -ENOMEM */
int tally_refresh(struct tally *tally);

void tally_hours_free(struct tally *tally);
