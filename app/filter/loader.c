/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "base/log.h"

#define LOADER_NICE 10 // packets come first, also where a worker shares its CPU

struct loader {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	uint64_t requested, finished; // under lock
	bool stop;                    // under lock
	int done_fd;
};

int loader_assign_slots(struct conf *conf, char *error)
{
	for (unsigned i = 0; i < conf->policy.n_lists; i++) {
		struct policy_list *list = &conf->policy.lists[i];
		unsigned slot = 0;

		while (slot < POLICY_LISTS_MAX && app.slots[slot][0] &&
			strcmp(app.slots[slot], list->name) != 0)
			slot++;
		if (slot == POLICY_LISTS_MAX) {
			snprintf(error, APP_ERROR_SIZE,
				"list %s: more than %u different lists since the start; restart to "
				"take it",
				list->name, POLICY_LISTS_MAX);
			return -ENOSPC;
		}
		snprintf(app.slots[slot], sizeof(app.slots[slot]), "%s", list->name);
		list->slot = (uint16_t)slot;
	}
	return 0;
}

// What only a restart changes; the rest of a changed file takes effect now.
static void restart_hint(const struct conf *old, const struct conf *new)
{
	const char *section = NULL;

	if (memcmp(old->pairs, new->pairs, sizeof(old->pairs)) != 0 ||
		old->n_pairs != new->n_pairs || old->rx_descriptors != new->rx_descriptors ||
		old->tx_descriptors != new->tx_descriptors || old->mbufs != new->mbufs ||
		old->mbuf_size != new->mbuf_size || old->mtu != new->mtu ||
		old->link_propagate != new->link_propagate)
		section = "ports";
	else if (old->idle != new->idle || old->idle_sleep_max_us != new->idle_sleep_max_us)
		section = "workers";
	else if (old->mirror_enabled != new->mirror_enabled ||
		 old->mirror_ring_slots != new->mirror_ring_slots)
		section = "mirror";
	else if (memcmp(&old->anonymise, &new->anonymise, sizeof(old->anonymise)) != 0 ||
		 strcmp(old->anonymise_key_file, new->anonymise_key_file) != 0)
		section = "anonymise";
	else if (memcmp(&old->tap_sockets, &new->tap_sockets, sizeof(old->tap_sockets)) != 0 ||
		 memcmp(&old->tap_tcp, &new->tap_tcp, sizeof(old->tap_tcp)) != 0 ||
		 old->tap_connections != new->tap_connections || old->tap_queue != new->tap_queue ||
		 old->tap_sample != new->tap_sample ||
		 strcmp(old->tap_identity, new->tap_identity) != 0)
		section = "tap";
	else if (strcmp(old->time_zone, new->time_zone) != 0)
		section = "time";
	else if (strcmp(old->totals_file, new->totals_file) != 0 ||
		 strcmp(old->totals_box, new->totals_box) != 0)
		section = "totals";
	else if (strcmp(old->control_socket, new->control_socket) != 0 ||
		 strcmp(old->control_group, new->control_group) != 0)
		section = "control";
	if (section)
		log_line(LOG_WARN, "%s: changes in [%s] take effect at the next start", new->path,
			section);
}

// Which entries are active is for people to read and takes its time: the generation is in force by now.
static void active_count(const struct replica *master, struct load_state *state)
{
	bool counted = false;

	load_phase("counting");
	while (!counted) {
		uint16_t today = replica_today(app.replicas);

		load_count_active(master, today, state);
		pthread_mutex_lock(&app.lock);
		// At midnight control counts, too, after it has set the day: that must not be undone.
		counted = today == replica_today(app.replicas);
		for (unsigned i = 0; counted && i < POLICY_LISTS_MAX; i++)
			app.load.lists[i].active = state->lists[i].active;
		pthread_mutex_unlock(&app.lock);
	}
}

// What the workers count identifiers of a master in.
static struct tally_generation *counters_begin(struct replica *master)
{
	int nodes[APP_WORKERS_MAX];
	struct tally_generation *counters;

	for (unsigned i = 0; i < app.n_workers; i++)
		nodes[i] = app.workers[i]->node;
	counters = tally_begin(app.tally, master->names, &master->policy, app.n_workers, nodes);
	master->worker_ids = counters ? tally_workers(counters) : NULL;
	return counters;
}

static void counters_end(struct tally_generation *counters)
{
	uint64_t lost = tally_end(app.tally, counters);

	if (lost > 0)
		log_line(LOG_ERROR,
			"no memory: %llu filtered responses have no identifier in the totals",
			(unsigned long long)lost);
}

int loader_publish(struct replica *master, struct load_state *state)
{
	struct tally_generation *counters = counters_begin(master);
	uint32_t generation = master->generation;
	struct replica *retired;
	struct timespec now;
	int err;

	load_phase("publishing");
	err = counters ? replica_publish(app.replicas, master, &retired) : -ENOMEM;
	if (err < 0) {
		counters_end(counters);
		return err;
	}
	// No worker counts in the old ones any more; their names are those of the master before.
	counters_end(app.counters);
	app.counters = counters;
	clock_gettime(CLOCK_MONOTONIC, &now);
	// Whoever uses a master outside the readers holds the lock.
	pthread_mutex_lock(&app.lock);
	replica_free(retired);
	app.load.generation = generation;
	app.load.loaded_at = time(NULL);
	app.load.load_seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - state->began;
	app.load.names = state->names;
	app.load.names_bytes = state->names_bytes;
	app.load.patterns = state->patterns;
	app.load.patterns_bytes = state->patterns_bytes;
	app.load.consent_prefixes = state->consent_prefixes;
	app.load.consent_bad = state->consent_bad;
	memcpy(app.load.lists, state->lists, sizeof(app.load.lists));
	pthread_mutex_unlock(&app.lock);
	active_count(master, state);
	return 0;
}

void loader_cpus(bool workers_run, cpu_set_t *before)
{
	cpu_set_t cpus = app.cpus;

	if (before)
		sched_getaffinity(0, sizeof(*before), before);
	for (unsigned i = 0; workers_run && i < app.n_workers; i++) {
		rte_cpuset_t taken = rte_lcore_cpuset(app.workers[i]->lcore);

		for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &taken))
				CPU_CLR(cpu, &cpus);
	}
	// Where workers have all of them, the thread stays on the CPU of control.
	if (CPU_COUNT(&cpus) > 0)
		sched_setaffinity(0, sizeof(cpus), &cpus);
}

// Everything is made aside first; the lock is held only to put it in force.
static int reload(char *error)
{
	struct load_state *state = malloc(sizeof(*state));
	struct conf *conf = NULL, *old;
	struct replica *master = NULL;
	int err = -EINVAL;

	if (!state) {
		snprintf(error, APP_ERROR_SIZE, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	load_begin(state);
	conf = conf_load(app.options.config, error);
	if (!conf)
		goto out;
	pthread_mutex_lock(&app.lock);
	err = loader_assign_slots(conf, error);
	pthread_mutex_unlock(&app.lock);
	if (err < 0)
		goto out;
	err = -EINVAL;
	master = load_master(conf, true, state, error);
	if (!master)
		goto out;
	master->generation = app.load.generation + 1;
	err = loader_publish(master, state);
	if (err < 0) {
		snprintf(error, APP_ERROR_SIZE, "copies of the tables: %s", strerror(-err));
		goto out;
	}
	master = NULL;
	pthread_mutex_lock(&app.lock);
	old = app.conf;
	app.conf = conf;
	pthread_mutex_unlock(&app.lock);
	restart_hint(old, conf);
	conf = old;
out:
	load_end();
	replica_free(master);
	conf_free(conf);
	free(state);
	return err;
}

static void reload_once(void)
{
	char error[APP_ERROR_SIZE] = "";
	int err = reload(error);

	pthread_mutex_lock(&app.lock);
	if (err < 0) {
		app.load.reloads_failed++;
		app.load.failed_at = time(NULL);
		snprintf(app.load.error, sizeof(app.load.error), "%s", error);
	} else {
		app.load.reloads_done++;
		app.load.failed_at = 0;
		app.load.error[0] = '\0';
	}
	pthread_mutex_unlock(&app.lock);
	if (err < 0)
		log_line(LOG_ERROR, "reload failed, generation %u stays in force: %s",
			app.load.generation, error);
	else
		log_line(LOG_INFO,
			"reloaded: generation %u, %llu names, %llu patterns, %llu consent "
			"prefixes, "
			"%.2f s",
			app.load.generation, (unsigned long long)app.load.names,
			(unsigned long long)app.load.patterns,
			(unsigned long long)app.load.consent_prefixes, app.load.load_seconds);
}

static void *loader_main(void *arg)
{
	struct loader *loader = arg;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), LOADER_NICE);
	loader_cpus(true, NULL);
	pthread_mutex_lock(&loader->lock);
	while (!loader->stop) {
		uint64_t serving;

		if (loader->requested == loader->finished) {
			pthread_cond_wait(&loader->wake, &loader->lock);
			continue;
		}
		serving = loader->requested;
		pthread_mutex_unlock(&loader->lock);
		reload_once();
		pthread_mutex_lock(&loader->lock);
		loader->finished = serving;
		eventfd_write(loader->done_fd, 1);
	}
	pthread_mutex_unlock(&loader->lock);
	return NULL;
}

int loader_start(void)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	int err;

	if (!loader)
		return -ENOMEM;
	loader->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&loader->lock, NULL);
	pthread_cond_init(&loader->wake, NULL);
	err = loader->done_fd < 0 ? errno
				  : pthread_create(&loader->thread, NULL, loader_main, loader);
	if (err != 0) {
		if (loader->done_fd >= 0)
			close(loader->done_fd);
		free(loader);
		return -err;
	}
	pthread_setname_np(loader->thread, "loader");
	app.loader = loader;
	return 0;
}

void loader_stop(void)
{
	struct loader *loader = app.loader;

	if (!loader)
		return;
	pthread_mutex_lock(&loader->lock);
	loader->stop = true;
	pthread_cond_signal(&loader->wake);
	pthread_mutex_unlock(&loader->lock);
	pthread_join(loader->thread, NULL);
	close(loader->done_fd);
	pthread_mutex_destroy(&loader->lock);
	pthread_cond_destroy(&loader->wake);
	free(loader);
	app.loader = NULL;
}

uint64_t loader_request(void)
{
	uint64_t number;

	pthread_mutex_lock(&app.loader->lock);
	number = ++app.loader->requested;
	pthread_cond_signal(&app.loader->wake);
	pthread_mutex_unlock(&app.loader->lock);
	return number;
}

uint64_t loader_finished(void)
{
	uint64_t finished;

	pthread_mutex_lock(&app.loader->lock);
	finished = app.loader->finished;
	pthread_mutex_unlock(&app.loader->lock);
	return finished;
}

int loader_fd(void)
{
	return app.loader->done_fd;
}
