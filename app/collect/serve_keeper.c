/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From connections into the log: batches wait in a queue, and one thread appends them and commits every
 * second. A commit takes as long as the disk does; what comes meanwhile waits here, and only when all
 * batches are full do connections wait too.
 */
#include <stdlib.h>
#include <time.h>

#include "serve.h"

#define COMMIT_NS 1000000000ll

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- batches --------------------------------------------------------------------------------- */

// Under the queue's lock.
static struct serve_batch *empty_take(struct serve_queue *queue)
{
	struct serve_batch *batch = queue->empty;

	if (batch) {
		queue->empty = batch->next;
	} else if (queue->n_made < SERVE_BATCHES + TAP_CONNECTIONS_MAX) {
		// What is never written to takes no memory.
		batch = malloc(sizeof(*batch));
		queue->n_made += batch != NULL;
	}
	if (!batch)
		return NULL;
	batch->next = NULL;
	batch->sender = NULL;
	batch->start = batch->last_seq = batch->n_refused = 0;
	batch->n = batch->used = 0;
	return batch;
}

static void full_put(struct serve_queue *queue, struct serve_batch *batch)
{
	batch->next = NULL;
	*queue->last = batch;
	queue->last = &batch->next;
	pthread_cond_signal(&queue->filled);
}

struct serve_batch *serve_batch_get(struct serve *serve)
{
	struct serve_batch *batch;

	pthread_mutex_lock(&serve->queue.lock);
	batch = empty_take(&serve->queue);
	pthread_mutex_unlock(&serve->queue.lock);
	return batch;
}

struct serve_batch *serve_batch_hand(struct serve *serve, struct serve_batch *batch, bool wait)
{
	struct serve_queue *queue = &serve->queue;
	struct serve_batch *empty;

	pthread_mutex_lock(&queue->lock);
	while (!(empty = empty_take(queue)) && wait)
		pthread_cond_wait(&queue->freed, &queue->lock);
	if (empty)
		full_put(queue, batch);
	pthread_mutex_unlock(&queue->lock);
	return empty;
}

void serve_batch_end(struct serve *serve, struct serve_batch *batch)
{
	pthread_mutex_lock(&serve->queue.lock);
	full_put(&serve->queue, batch);
	pthread_mutex_unlock(&serve->queue.lock);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void batch_append(struct serve *serve, const struct serve_batch *batch)
{
	const struct store_batch all = {batch->start, batch->last_seq, batch->records, batch->n};
	struct store_stats before, after;
	uint64_t taken;

	store_stats_get(serve->store, &before);
	if (batch->n_refused > 0)
		store_refuse(serve->store, batch->start, batch->last_seq, batch->n_refused);
	// What it does not take it counts and logs.
	store_append(serve->store, &all);
	store_stats_get(serve->store, &after);
	taken = after.appended - before.appended;
	atomic_fetch_add(&batch->sender->taken, taken);
	atomic_fetch_add(&batch->sender->refused[SERVE_NO_ROOM], batch->n - taken);
}

/** All that waits, or NULL when it is time to commit. @param end [out] no more will come */
static struct serve_batch *full_take(struct serve_queue *queue, int64_t until_ns, bool *end)
{
	const struct timespec until = {
		.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
	struct serve_batch *first;
	int err = 0;

	pthread_mutex_lock(&queue->lock);
	while (!queue->first && !queue->end && err == 0)
		err = pthread_cond_timedwait(&queue->filled, &queue->lock, &until);
	first = queue->first;
	queue->first = NULL;
	queue->last = &queue->first;
	*end = queue->end;
	pthread_mutex_unlock(&queue->lock);
	return first;
}

static void batch_free(struct serve_queue *queue, struct serve_batch *batch)
{
	pthread_mutex_lock(&queue->lock);
	batch->next = queue->empty;
	queue->empty = batch;
	pthread_cond_signal(&queue->freed);
	pthread_mutex_unlock(&queue->lock);
}

static void *keeper_main(void *arg)
{
	struct serve *serve = arg;
	int64_t next_ns = now_ns() + COMMIT_NS;
	bool end = false;

	while (!end) {
		struct serve_batch *batch = full_take(&serve->queue, next_ns, &end), *next;

		for (; batch; batch = next) {
			next = batch->next;
			pthread_mutex_lock(&serve->lock);
			batch_append(serve, batch);
			pthread_mutex_unlock(&serve->lock);
			batch_free(&serve->queue, batch);
		}
		if (!end && now_ns() < next_ns)
			continue;
		pthread_mutex_lock(&serve->lock);
		store_commit(serve->store);
		pthread_mutex_unlock(&serve->lock);
		next_ns = now_ns() + COMMIT_NS;
	}
	return NULL;
}

int serve_keeper_start(struct serve *serve)
{
	struct serve_queue *queue = &serve->queue;
	pthread_condattr_t attr;

	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->filled, &attr);
	pthread_cond_init(&queue->freed, &attr);
	pthread_condattr_destroy(&attr);
	queue->last = &queue->first;
	return -pthread_create(&queue->keeper, NULL, keeper_main, serve);
}

void serve_keeper_stop(struct serve *serve)
{
	struct serve_queue *queue = &serve->queue;
	struct serve_batch *batch;

	pthread_mutex_lock(&queue->lock);
	queue->end = true;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
	pthread_join(queue->keeper, NULL);
	while ((batch = queue->empty)) {
		queue->empty = batch->next;
		free(batch);
	}
	pthread_cond_destroy(&queue->filled);
	pthread_cond_destroy(&queue->freed);
	pthread_mutex_destroy(&queue->lock);
}
