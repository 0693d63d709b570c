/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_sender_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counter.h"
#include "tap/tap_control.h"
#include "tap/tap_private.h"

#define FLUSH_AFTER 256 // frames that a thread which sleeps is left to sleep for at most

static unsigned n_lanes(const struct tap_sender *sender)
{
	return sender->n * sender->connections;
}

static void lane_wake(struct tap_lane *lane)
{
	const uint64_t one = 1;

	// It fails only when the counter is full, and then the thread is awake.
	if (write(lane->wake, &one, sizeof(one)) < 0)
		return;
}

static int lane_start(struct tap_lane *lane, size_t queue_size)
{
	int err = tap_ring_init(&lane->ring, queue_size);

	lane->wake = -1;
	lane->wire.fd = -1;
	if (err < 0)
		return err;
	while (lane->start == 0)
		if (getrandom(&lane->start, sizeof(lane->start), 0) != sizeof(lane->start))
			return -errno;
	lane->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lane->wake < 0)
		return -errno;
	return -pthread_create(&lane->thread, NULL, tap_lane_main, lane);
}

static void lane_free(struct tap_lane *lane)
{
	tap_ring_free(&lane->ring);
	if (lane->wake >= 0)
		close(lane->wake);
}

static void lanes_end(struct tap_sender *sender, unsigned n, int64_t end_ms)
{
	for (unsigned i = 0; i < n; i++) {
		atomic_store(&sender->lanes[i].end_ms, end_ms);
		lane_wake(&sender->lanes[i]);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(sender->lanes[i].thread, NULL);
}

static void lane_encrypt(struct tap_lane *lane, const struct tap_sender_config *config)
{
	char address[ADDR_TEXT_SIZE];

	if (!lane->to.tls)
		return;
	lane->tls = config->tls;
	snprintf(lane->tls_name, sizeof(lane->tls_name), "%s",
		*config->tls_name ? config->tls_name : addr_format(&lane->to.addr, address));
}

struct tap_sender *tap_sender_open(const struct tap_sender_config *config)
{
	unsigned n = config->n * config->connections;
	size_t size = sizeof(struct tap_sender) + n * sizeof(struct tap_lane);
	struct tap_sender *sender = aligned_alloc(64, (size + 63) / 64 * 64);

	if (!sender)
		return NULL;
	memset(sender, 0, size);
	sender->n = config->n;
	sender->connections = config->connections;
	for (unsigned i = 0; i < n; i++) {
		struct tap_lane *lane = &sender->lanes[i];
		int err;

		lane->to = config->to[i / config->connections];
		lane->first = i % config->connections == 0;
		lane->thread_start = config->thread_start;
		lane_encrypt(lane, config);
		err = lane_start(lane, config->queue_size);
		if (err == 0)
			continue;
		lanes_end(sender, i, 1);
		for (unsigned j = 0; j <= i; j++)
			lane_free(&sender->lanes[j]);
		free(sender);
		errno = -err;
		return NULL;
	}
	return sender;
}

void tap_sender_close(
	struct tap_sender *sender, unsigned patience_ms, struct tap_sender_stats *stats)
{
	if (!sender)
		return;
	lanes_end(sender, n_lanes(sender), tap_now_ms() + patience_ms);
	if (stats)
		tap_sender_stats_get(sender, stats);
	for (unsigned i = 0; i < n_lanes(sender); i++)
		lane_free(&sender->lanes[i]);
	free(sender);
}

static void lane_send(struct tap_lane *lane, struct tap_message *message, struct tap_extra *extra)
{
	char text[TAP_EXTRA_SIZE];
	uint8_t *place;
	size_t size;

	extra->start = lane->start;
	extra->seq = lane->seq + 1;
	counter_add(&lane->seq, 1);
	message->extra = (struct tap_octets){(const uint8_t *)text, tap_extra_write(extra, text)};
	size = tap_size(message);
	place = size <= TAP_FRAME_MAX ? tap_ring_reserve(&lane->ring, TAP_LENGTH_SIZE + size)
				      : NULL;
	if (place) {
		store_be32(place, (uint32_t)size);
		tap_encode(message, place + TAP_LENGTH_SIZE);
		tap_ring_commit(&lane->ring, TAP_LENGTH_SIZE + size);
	} else {
		counter_add(&lane->lost_full, 1);
	}
	message->extra = (struct tap_octets){0};
}

void tap_sender_send(
	struct tap_sender *sender, struct tap_message *message, struct tap_extra *extra)
{
	uint64_t lost = extra->lost;

	for (unsigned i = 0; i < sender->n; i++) {
		struct tap_lane *lane = &sender->lanes[i * sender->connections + sender->turn];

		extra->lost = lane->first ? lost : 0;
		lane_send(lane, message, extra);
	}
	extra->lost = lost;
	if (++sender->turn == sender->connections)
		sender->turn = 0;
	if (++sender->unflushed == FLUSH_AFTER)
		tap_sender_flush(sender);
}

void tap_sender_flush(struct tap_sender *sender)
{
	sender->unflushed = 0;
	// Whoever says that he sleeps looks into the ring once more behind this fence's like.
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < n_lanes(sender); i++) {
		struct tap_lane *lane = &sender->lanes[i];

		if (atomic_load_explicit(&lane->asleep, memory_order_relaxed) &&
			tap_ring_used(&lane->ring) > 0 && atomic_exchange(&lane->asleep, false))
			lane_wake(lane);
	}
}

void tap_sender_stats_get(const struct tap_sender *sender, struct tap_sender_stats *stats)
{
	*stats = (struct tap_sender_stats){.lanes = n_lanes(sender)};
	for (unsigned i = 0; i < n_lanes(sender); i++) {
		const struct tap_lane *lane = &sender->lanes[i];

		stats->frames += counter_read(&lane->seq);
		stats->sent += counter_read(&lane->sent);
		stats->lost_full += counter_read(&lane->lost_full);
		stats->lost_stop += counter_read(&lane->lost_stop);
		stats->waiting += tap_ring_used(&lane->ring);
		stats->connects += counter_read(&lane->connects);
		stats->refused += counter_read(&lane->refused);
		stats->connected += atomic_load(&lane->connected);
	}
}
