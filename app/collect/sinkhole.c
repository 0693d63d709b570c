/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Logs of the sinkhole host: followed by the service, or taken once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "serve.h"

#define PATIENCE 5 // seconds that nginx and ulogd have to open a new file, once told

static bool client_refuses(void *ctx, const struct addr *client)
{
	const struct serve *serve = ctx;

	if (!serve->consent)
		return false;
	return (client->family == ADDR_IPV4 ? consent_lookup_ipv4(serve->consent, client->bytes)
					    : consent_lookup_ipv6(serve->consent, client->bytes)) &
	       CONSENT_NO_LOG;
}

static int contacts_put(void *ctx, uint64_t chunk, const struct store_contact *contacts, size_t n,
	struct store_contacts_done *done)
{
	struct serve *serve = ctx;
	int err;

	pthread_mutex_lock(&serve->lock);
	err = store_contacts_put(serve->store, chunk, contacts, n, done);
	pthread_mutex_unlock(&serve->lock);
	return err;
}

static struct contact_sink sink_of(struct serve *serve)
{
	return (struct contact_sink){.ctx = serve,
		.days = serve->conf->collect_days,
		.patience = PATIENCE,
		.refuses = client_refuses,
		.put = contacts_put};
}

static void *follower_run(void *ctx)
{
	const struct timespec second = {.tv_sec = 1};
	struct serve *serve = ctx;

	while (!atomic_load(&serve->follower_ends)) {
		// It has said what does not work, and goes on where it was.
		contact_follow_tick(serve->follow);
		nanosleep(&second, NULL);
	}
	return NULL;
}

int serve_follow_start(struct serve *serve)
{
	const struct endpoints *at = &serve->conf->collect_sinkhole;
	char positions[CONF_PATH_SIZE + 32];
	const char *paths[ENDPOINTS_MAX];
	int err;

	if (at->n == 0)
		return COLLECT_DONE;
	for (unsigned i = 0; i < at->n; i++)
		paths[i] = at->at[i].path;
	snprintf(positions, sizeof(positions), "%s/sinkhole/positions.json",
		serve->conf->collect_store);
	serve->sink = sink_of(serve);
	serve->follow = contact_follow_open(paths, at->n, positions, &serve->sink);
	if (!serve->follow)
		return COLLECT_FAILED;
	err = pthread_create(&serve->follower, NULL, follower_run, serve);
	if (err == 0)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "logs of the sinkhole cannot be followed: %s", strerror(err));
	contact_follow_close(serve->follow);
	serve->follow = NULL;
	return COLLECT_FAILED;
}

void serve_follow_stop(struct serve *serve)
{
	if (!serve->follow)
		return;
	atomic_store(&serve->follower_ends, true);
	pthread_join(serve->follower, NULL);
}

static int log_take(struct serve *serve, const char *path)
{
	const struct store_options options = {.mode = STORE_MEND};
	const struct contact_sink sink = sink_of(serve);
	struct contact_counts counts = {0};
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0) {
		log_line(LOG_ERROR, "%s: %s", path, strerror(errno));
		return COLLECT_USAGE;
	}
	err = store_open(serve->conf->collect_store, &options, &serve->store);
	if (err == 0) {
		err = contact_file_put(&sink, fd, &counts);
		if (err)
			log_line(LOG_ERROR, "%s: %s", path,
				err == -EBUSY ? "the collector has such a day open: let it follow "
						"this file (see [collect] sinkhole)"
					      : strerror(-err));
		printf("%" PRIu64 " lines: %" PRIu64 " rows stored, %" PRIu64
		       " lines not to be read, %" PRIu64 " of a time that is not kept, %" PRIu64
		       " of clients that refused logging, %" PRIu64
		       " contacts over a day's bound\n",
			counts.lines, counts.stored, counts.bad, counts.bad_time, counts.opted_out,
			counts.left_out);
	}
	if (fd != STDIN_FILENO)
		close(fd);
	store_close(serve->store);
	return collect_exit_of(err);
}

int sinkhole_run(const struct collect_args *args)
{
	struct serve *serve = calloc(1, sizeof(*serve));
	int err;

	if (!serve)
		return COLLECT_FAILED;
	pthread_mutex_init(&serve->lock, NULL);
	err = serve_conf(serve, args->config);
	if (err == COLLECT_DONE)
		err = log_take(serve, args->words[0]);
	serve_free(serve);
	return err;
}
