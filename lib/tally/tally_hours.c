/* SPDX-License-Identifier: BSD-3-Clause */
#include "tally/tally_private.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static void hour_free(struct tally_hour *hour)
{
	free(hour->parts);
	free(hour);
}

void tally_hours_free(struct tally *tally)
{
	while (tally->n_hours > 0)
		hour_free(tally->hours[--tally->n_hours]);
}

// The hour that what comes now belongs to: the last one that waits, or a new one.
static struct tally_hour *hour_open(struct tally *tally, int64_t hour)
{
	struct tally_hour *last = tally->n_hours ? tally->hours[tally->n_hours - 1] : NULL;

	if (last && (last->hour == hour || tally->n_hours == TALLY_HOURS_MAX))
		return last;
	last = calloc(1, sizeof(*last));
	if (!last)
		return NULL;
	last->hour = hour;
	last->number = ++tally->hour_number;
	tally->hours[tally->n_hours++] = last;
	return last;
}

struct taking {
	struct tally_hour *hour;
	int err;
};

// The place of an identifier in the hour.
static struct tally_part *part_get(struct tally_hour *hour, struct tally_entry *entry)
{
	if (entry->hour == hour->number)
		return &hour->parts[entry->place];
	if (hour->n == hour->room) {
		size_t room = hour->room ? 2 * hour->room : 64;
		struct tally_part *parts = reallocarray(hour->parts, room, sizeof(*parts));

		if (!parts)
			return NULL;
		hour->parts = parts;
		hour->room = room;
	}
	entry->hour = hour->number;
	entry->place = hour->n++;
	hour->parts[entry->place] = (struct tally_part){.row = &entry->row};
	return &hour->parts[entry->place];
}

static void entry_take(const void *node, VISIT which, void *ctx)
{
	struct tally_entry *entry = *(struct tally_entry *const *)node;
	struct taking *taking = ctx;
	struct tally_part *part;

	if ((which != postorder && which != leaf) ||
		memcmp(entry->row.filtered, entry->taken, sizeof(entry->taken)) == 0)
		return;
	part = part_get(taking->hour, entry);
	if (!part) {
		taking->err = -ENOMEM;
		return;
	}
	for (unsigned action = 0; action < POLICY_ACTIONS; action++)
		part->filtered[action] += entry->row.filtered[action] - entry->taken[action];
	memcpy(entry->taken, entry->row.filtered, sizeof(entry->taken));
}

int tally_take(struct tally *tally, const struct stats_worker *sum, int64_t hour)
{
	struct taking taking = {0};

	pthread_mutex_lock(&tally->lock);
	taking.hour = hour_open(tally, hour);
	if (!taking.hour) {
		pthread_mutex_unlock(&tally->lock);
		return -ENOMEM;
	}
	for (unsigned rcode = 0; rcode < STATS_RCODES; rcode++)
		for (unsigned type = 0; type < DNS_TYPE_ROW_COUNT; type++)
			taking.hour->responses[rcode][type] +=
				sum->responses[rcode][type] - tally->taken[rcode][type];
	memcpy(tally->taken, sum->responses, sizeof(tally->taken));
	taking.hour->mirror_lost += sum->mirror_lost - tally->mirror_lost;
	tally->mirror_lost = sum->mirror_lost;
	taking.err = tally_refresh(tally);
	twalk_r(tally->entries, entry_take, &taking);
	pthread_mutex_unlock(&tally->lock);
	return taking.err;
}

static int hour_write(const struct tally_hour *hour, struct totals *totals)
{
	struct totals_response responses[STATS_RCODES * DNS_TYPE_ROW_COUNT];
	const struct totals_lost lost = {"mirror", hour->mirror_lost};
	struct totals_batch batch = {
		.hour = hour->hour, .responses = responses, .lost = &lost, .n_lost = 1};
	struct totals_filtered *filtered = calloc(hour->n * POLICY_ACTIONS + 1, sizeof(*filtered));
	int err;

	if (!filtered)
		return -ENOMEM;
	for (uint16_t rcode = 0; rcode < STATS_RCODES; rcode++)
		for (enum dns_type_row type = 0; type < DNS_TYPE_ROW_COUNT; type++)
			if (hour->responses[rcode][type])
				responses[batch.n_responses++] = (struct totals_response){rcode,
					dns_type_row_value(type), hour->responses[rcode][type]};
	for (size_t i = 0; i < hour->n; i++)
		for (enum policy_action action = 0; action < POLICY_ACTIONS; action++)
			if (hour->parts[i].filtered[action])
				filtered[batch.n_filtered++] = (struct totals_filtered){
					hour->parts[i].row->list, hour->parts[i].row->id, action,
					hour->parts[i].filtered[action]};
	batch.filtered = filtered;
	err = batch.n_responses || batch.n_filtered || lost.n ? totals_add(totals, &batch) : 0;
	free(filtered);
	return err;
}

int tally_write(struct tally *tally, struct totals *totals)
{
	// Hours are added and taken by this thread alone, and texts of rows stay where they are, so the
	// disk is waited for without the lock.
	while (tally->n_hours > 0) {
		struct tally_hour *oldest = tally->hours[0];
		int err = hour_write(oldest, totals);

		if (err < 0)
			return err;
		pthread_mutex_lock(&tally->lock);
		tally->n_hours--;
		memmove(&tally->hours[0], &tally->hours[1],
			tally->n_hours * sizeof(tally->hours[0]));
		pthread_mutex_unlock(&tally->lock);
		hour_free(oldest);
	}
	return 0;
}

struct tally_waiting tally_waiting(struct tally *tally)
{
	struct tally_waiting waiting = {0};

	pthread_mutex_lock(&tally->lock);
	waiting.hours = tally->n_hours;
	for (unsigned i = 0; i < tally->n_hours; i++)
		for (unsigned rcode = 0; rcode < STATS_RCODES; rcode++)
			for (unsigned type = 0; type < DNS_TYPE_ROW_COUNT; type++)
				waiting.responses += tally->hours[i]->responses[rcode][type];
	pthread_mutex_unlock(&tally->lock);
	return waiting;
}
