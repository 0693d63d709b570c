/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "serve.h"

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/** The sender's row; the last one is for all who come when there are no more. Under lock. */
static struct serve_sender *sender_find(struct serve *serve, const char *peer)
{
	unsigned i = 0;

	while (i < serve->n_senders && strcmp(serve->senders[i].peer, peer) != 0)
		i++;
	if (i == SERVE_SENDERS_MAX)
		return &serve->senders[i - 1];
	if (i == serve->n_senders) {
		memcpy(serve->senders[i].peer, i == SERVE_SENDERS_MAX - 1 ? "others" : peer,
			strlen(i == SERVE_SENDERS_MAX - 1 ? "others" : peer) + 1);
		serve->n_senders++;
	}
	return &serve->senders[i];
}

static void *taker_open(void *ctx, const char *peer)
{
	struct serve *serve = ctx;
	struct serve_taker *taker = malloc(sizeof(*taker));

	if (!taker)
		return NULL;
	taker->serve = serve;
	taker->start = taker->last_seq = taker->lost = 0;
	taker->n = taker->used = 0;
	pthread_mutex_lock(&serve->lock);
	taker->sender = sender_find(serve, peer);
	pthread_mutex_unlock(&serve->lock);
	add(&taker->sender->connections, 1);
	return taker;
}

static void batch_store(struct serve_taker *taker)
{
	const struct store_batch batch = {taker->start, taker->last_seq, taker->records, taker->n};
	int err;

	if (taker->n == 0)
		return;
	pthread_mutex_lock(&taker->serve->lock);
	err = store_append(taker->serve->store, &batch);
	pthread_mutex_unlock(&taker->serve->lock);
	// The store counts and logs what it does not take.
	add(err < 0 ? &taker->sender->refused[SERVE_NO_ROOM] : &taker->sender->taken, taker->n);
	taker->n = taker->used = 0;
}

// Records of a box that its rings lost: told as a sum since its start, by each connection anew.
static void lost_note(struct serve_taker *taker, const struct tap_extra *extra)
{
	struct serve *serve = taker->serve;
	unsigned i = 0;

	if (extra->lost == taker->lost)
		return;
	taker->lost = extra->lost;
	pthread_mutex_lock(&serve->lock);
	while (i < SERVE_STARTS_MAX && serve->starts[i].start != extra->start)
		i++;
	if (i == SERVE_STARTS_MAX) {
		i = serve->n_starts++ % SERVE_STARTS_MAX;
		serve->starts[i].start = extra->start;
		serve->starts[i].lost = 0;
	}
	if (extra->lost > serve->starts[i].lost) {
		add(&taker->sender->lost_mirror, extra->lost - serve->starts[i].lost);
		serve->starts[i].lost = extra->lost;
	}
	pthread_mutex_unlock(&serve->lock);
}

static void refuse(struct serve_taker *taker, const struct tap_extra *extra, unsigned why)
{
	add(&taker->sender->refused[why], 1);
	if (!extra)
		return;
	// It has a number, which would count as lost.
	pthread_mutex_lock(&taker->serve->lock);
	store_refuse(taker->serve->store, extra->start, extra->seq, 1);
	pthread_mutex_unlock(&taker->serve->lock);
}

static void taker_frame(void *connection, const uint8_t *frame, size_t size)
{
	struct serve_taker *taker = connection;
	struct tap_message message;
	struct tap_extra said;
	const struct tap_extra *extra = NULL;
	uint64_t start;
	unsigned result;
	int err;

	add(&taker->sender->frames, 1);
	if (tap_decode(frame, size, &message) < 0) {
		refuse(taker, NULL, SERVE_NO_DNSTAP);
		return;
	}
	err = message.extra.data ? tap_extra_read(message.extra.data, message.extra.size, &said)
				 : -ENOENT;
	if (err == -EINVAL) {
		refuse(taker, NULL, SERVE_NO_DNSTAP);
		return;
	}
	if (err == 0)
		extra = &said;
	start = extra ? extra->start : 0;
	if (taker->n == SERVE_BATCH || taker->used > SERVE_ARENA - SERVE_ROOM ||
		start != taker->start)
		batch_store(taker);
	taker->start = start;
	result = serve_record(taker, &message, extra, &taker->records[taker->n]);
	if (result >= SERVE_REFUSED) {
		refuse(taker, extra, result - SERVE_REFUSED);
		return;
	}
	if (extra) {
		taker->last_seq = extra->seq;
		lost_note(taker, extra);
	}
	if (result == SERVE_TAKEN)
		taker->n++;
	else
		add(&taker->sender->opted_out, 1);
}

static void taker_oversized(void *connection, size_t size)
{
	struct serve_taker *taker = connection;

	(void)size;
	add(&taker->sender->frames, 1);
	refuse(taker, NULL, SERVE_NO_DNSTAP);
}

static void taker_pause(void *connection)
{
	batch_store(connection);
}

static void taker_close(void *connection, const char *why)
{
	struct serve_taker *taker = connection;

	batch_store(taker);
	if (why)
		log_line(LOG_WARN, "sender %s: %s", taker->sender->peer, why);
	free(taker);
}

const struct tap_listener_hooks serve_hooks = {
	.open = taker_open,
	.frame = taker_frame,
	.oversized = taker_oversized,
	.pause = taker_pause,
	.close = taker_close,
};
