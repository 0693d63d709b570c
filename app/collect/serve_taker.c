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
	struct serve_taker *taker = calloc(1, sizeof(*taker));

	if (!taker)
		return NULL;
	// This is the connection's own thread.
	if (serve->pdns)
		serve_stand_back(SERVE_NICE_INTAKE);
	taker->serve = serve;
	taker->batch = serve_batch_get(serve);
	if (!taker->batch) {
		free(taker);
		return NULL;
	}
	pthread_mutex_lock(&serve->sender_lock);
	taker->sender = sender_find(serve, peer);
	pthread_mutex_unlock(&serve->sender_lock);
	taker->batch->sender = taker->sender;
	add(&taker->sender->connections, 1);
	return taker;
}

static void batch_hand(struct serve_taker *taker, bool wait)
{
	struct serve_batch *batch = taker->batch, *empty;

	if (batch->n == 0 && batch->n_refused == 0)
		return;
	empty = serve_batch_hand(taker->serve, batch, wait);
	if (!empty)
		return;
	empty->sender = taker->sender;
	taker->batch = empty;
}

// Records of a box that its rings lost: told as a sum since its start, by each connection anew.
static void lost_note(struct serve_taker *taker, const struct tap_extra *extra)
{
	struct serve *serve = taker->serve;
	unsigned i = 0;

	if (extra->lost == taker->lost)
		return;
	taker->lost = extra->lost;
	pthread_mutex_lock(&serve->sender_lock);
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
	pthread_mutex_unlock(&serve->sender_lock);
}

static void refuse(struct serve_taker *taker, unsigned why)
{
	add(&taker->sender->refused[why], 1);
}

/** A batch with room for one more record of the stream @p start. */
static struct serve_batch *batch_for(struct serve_taker *taker, uint64_t start)
{
	const struct serve_batch *batch = taker->batch;

	if (batch->n == SERVE_BATCH || batch->used > SERVE_ARENA - SERVE_ROOM ||
		start != batch->start)
		batch_hand(taker, true);
	taker->batch->start = start;
	return taker->batch;
}

static void message_take(
	struct serve_taker *taker, const struct tap_message *message, const struct tap_extra *extra)
{
	struct serve_batch *batch = batch_for(taker, extra ? extra->start : 0);
	unsigned result =
		serve_record(taker->serve, batch, message, extra, &batch->records[batch->n]);

	if (taker->serve->pdns)
		result = serve_observe(taker->serve, message, extra, result);
	if (extra) {
		batch->last_seq = extra->seq;
		lost_note(taker, extra);
	}
	if (result == SERVE_TAKEN) {
		batch->n++;
	} else if (result == SERVE_OPTED_OUT) {
		add(&taker->sender->opted_out, 1);
	} else if (result == SERVE_OBSERVED) {
		add(&taker->sender->observed, 1);
	} else {
		refuse(taker, result - SERVE_REFUSED);
		// Its number would count as lost before it is told.
		batch->n_refused += extra != NULL;
	}
}

static void taker_frame(void *connection, const uint8_t *frame, size_t size)
{
	struct serve_taker *taker = connection;
	struct tap_message message;
	struct tap_extra said;
	int err;

	add(&taker->sender->frames, 1);
	if (tap_decode(frame, size, &message) < 0) {
		refuse(taker, SERVE_NO_DNSTAP);
		return;
	}
	err = message.extra.data ? tap_extra_read(message.extra.data, message.extra.size, &said)
				 : -ENOENT;
	if (err == -EINVAL)
		refuse(taker, SERVE_NO_DNSTAP);
	else
		message_take(taker, &message, err == 0 ? &said : NULL);
}

static void taker_oversized(void *connection, size_t size)
{
	struct serve_taker *taker = connection;

	(void)size;
	add(&taker->sender->frames, 1);
	refuse(taker, SERVE_NO_DNSTAP);
}

// While the keeper has all he can take there is no haste: the batch fills further.
static void taker_pause(void *connection)
{
	batch_hand(connection, false);
}

static void taker_close(void *connection, const char *why)
{
	struct serve_taker *taker = connection;

	serve_batch_end(taker->serve, taker->batch);
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
