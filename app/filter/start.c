/* SPDX-License-Identifier: BSD-3-Clause */
#include "start.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "base/block.h"
#include "base/log.h"
#include "core_tap.h"
#include "frames.h"
#include "list/list.h"
#include "streams.h"

#define STALE_MS     100 // a frame that its port does not take for so long is dropped
#define SCRATCH_SIZE ((size_t)BURST_MAX * FRAMES_SCRATCH_SIZE)

/* ---- lcores --------------------------------------------------------------------------------- */

// Whether CPU `cpu` is in a list such as "2-5,8" of the kernel.
static bool cpu_listed(const char *path, unsigned cpu)
{
	char text[1024] = "";
	FILE *file = fopen(path, "r");
	bool found = false;

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	for (char *at = text; *at && *at != '\n' && !found;) {
		unsigned first = (unsigned)strtoul(at, &at, 10), last = first;

		if (*at == '-')
			last = (unsigned)strtoul(at + 1, &at, 10);
		found = cpu >= first && cpu <= last;
		at += strspn(at, ", ");
		if (*at < '0' || *at > '9')
			break;
	}
	return found;
}

// An lcore has its CPU to itself: one CPU, isolated from the scheduler, and no other lcore on it.
static bool lcore_alone(unsigned lcore)
{
	rte_cpuset_t set = rte_lcore_cpuset(lcore), both;
	unsigned other, cpu = 0;

	if (CPU_COUNT(&set) != 1)
		return false;
	RTE_LCORE_FOREACH(other)
	{
		rte_cpuset_t others = rte_lcore_cpuset(other);

		CPU_AND(&both, &set, &others);
		if (other != lcore && CPU_COUNT(&both) > 0)
			return false;
	}
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu_listed("/sys/devices/system/cpu/isolated", cpu) ||
	       cpu_listed("/sys/devices/system/cpu/nohz_full", cpu);
}

static struct worker *worker_create(unsigned id, unsigned lcore)
{
	struct worker *w = aligned_alloc(64, (sizeof(*w) + 63) / 64 * 64);

	if (!w)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->id = id;
	w->lcore = lcore;
	w->node = (int)rte_lcore_to_socket_id(lcore);
	w->spin = app.conf->idle == CONF_IDLE_SPIN ||
		  (app.conf->idle == CONF_IDLE_AUTO && lcore_alone(lcore));
	w->sleep_max_us = app.conf->idle_sleep_max_us;
	w->stale_cycles = rte_get_tsc_hz() / 1000 * STALE_MS;
	w->scratch = block_alloc(SCRATCH_SIZE, w->node);
	w->stats = block_alloc(sizeof(*w->stats), w->node);
	if (!w->scratch || !w->stats) {
		block_free(w->scratch, SCRATCH_SIZE);
		block_free(w->stats, sizeof(*w->stats));
		free(w);
		return NULL;
	}
	return w;
}

int start_lcores(char *error)
{
	unsigned n = rte_lcore_count(), lcore;

	if (n < 2) {
		snprintf(error, APP_ERROR_SIZE,
			"expected at least 2 lcores (the main one for control, others as workers), "
			"EAL has %u: see -l and --lcores",
			n);
		return -1;
	}
	if (n - 1 > APP_WORKERS_MAX + 1) {
		snprintf(error, APP_ERROR_SIZE, "expected at most %u lcores, EAL has %u",
			APP_WORKERS_MAX + 2, n);
		return -1;
	}
	app.core_on_main = n == 2;
	app.core_lcore = app.core_on_main ? rte_get_main_lcore() : rte_get_next_lcore(-1, 1, 0);
	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		struct worker *w;

		if (lcore == app.core_lcore)
			continue;
		w = worker_create(app.n_workers, lcore);
		if (!w) {
			snprintf(error, APP_ERROR_SIZE, "worker of lcore %u: %s", lcore,
				strerror(ENOMEM));
			return -1;
		}
		app.stats[app.n_workers] = w->stats;
		app.workers[app.n_workers++] = w;
	}
	return 0;
}

void stop_lcores(void)
{
	for (unsigned i = 0; i < app.n_workers; i++) {
		block_free(app.workers[i]->scratch, SCRATCH_SIZE);
		block_free(app.workers[i]->stats, sizeof(*app.workers[i]->stats));
		free(app.workers[i]);
		app.workers[i] = NULL;
	}
	app.n_workers = 0;
}

/* ---- tables --------------------------------------------------------------------------------- */

void start_warnings(const struct conf *conf)
{
	char text[CONF_ERROR_SIZE];

	for (unsigned i = 0; conf_warning(conf, i, text); i++)
		log_line(LOG_WARN, "%s", text);
}

static int tables_load(struct load_state *state, char *error)
{
	struct replica *master;
	int err;

	load_begin(state);
	master = load_master(app.conf, false, state, error);
	if (!master)
		return -1;
	master->generation = 1;
	err = loader_publish(master, state);
	load_end();
	if (err < 0) {
		snprintf(error, APP_ERROR_SIZE, "copies of the tables: %s", strerror(ENOMEM));
		replica_free(master);
		return -1;
	}
	log_line(LOG_INFO, "loaded: %llu names, %llu consent prefixes, %.2f s",
		(unsigned long long)app.load.names, (unsigned long long)app.load.consent_prefixes,
		app.load.load_seconds);
	return 0;
}

int start_tables(char *error)
{
	int nodes[APP_WORKERS_MAX];
	struct load_state *state = calloc(1, sizeof(*state));
	cpu_set_t before;
	int err = -1;

	start_warnings(app.conf);
	for (unsigned i = 0; i < app.n_workers; i++)
		nodes[i] = app.workers[i]->node;
	app.replicas = replica_set_create(app.n_workers, nodes);
	if (!state || !app.replicas) {
		snprintf(error, APP_ERROR_SIZE, "tables: %s", strerror(ENOMEM));
		goto out;
	}
	app.tally = tally_create();
	if (!app.tally) {
		snprintf(error, APP_ERROR_SIZE, "tables: %s", strerror(ENOMEM));
		goto out;
	}
	replica_set_today(app.replicas, list_day_of(time(NULL)));
	if (loader_assign_slots(app.conf, error) < 0)
		goto out;
	// Nothing is forwarded yet: all CPUs are there for the load.
	loader_cpus(false, &before);
	err = tables_load(state, error);
	sched_setaffinity(0, sizeof(before), &before);
	if (err < 0)
		goto out;
	app.core_busy = app.conf->mirror_ring_slots / 16;
	for (unsigned i = 0; i < app.n_workers && err == 0; i++) {
		app.workers[i]->replicas = app.replicas;
		if (!app.conf->mirror_enabled)
			continue;
		app.rings[i] = mirror_ring_create(
			app.conf->mirror_ring_slots, app.workers[i]->node, conf_taps(app.conf));
		app.workers[i]->mirror = app.rings[i];
		if (!app.rings[i]) {
			snprintf(error, APP_ERROR_SIZE, "mirror ring of %u slots: %s",
				app.conf->mirror_ring_slots, strerror(errno));
			err = -1;
		}
	}
	if (err == 0 && core_start() < 0) {
		snprintf(error, APP_ERROR_SIZE, "statistics core: %s", strerror(ENOMEM));
		err = -1;
	}
	if (err == 0)
		err = core_tap_start(error);
out:
	free(state);
	return err;
}

void stop_tables(void)
{
	core_tap_stop();
	core_stop();
	for (unsigned i = 0; i < APP_WORKERS_MAX; i++) {
		mirror_ring_destroy(app.rings[i]);
		app.rings[i] = NULL;
	}
	// Before the names that it knows identifiers by.
	tally_destroy(app.tally);
	app.tally = NULL;
	app.counters = NULL;
	replica_set_destroy(app.replicas);
	app.replicas = NULL;
}

/* ---- streams -------------------------------------------------------------------------------- */

int start_streams(char *error)
{
	for (unsigned i = 0; i < app.n_workers; i++) {
		app.workers[i]->n_pairs = app.n_pairs;
		memcpy(app.workers[i]->pairs, app.pairs, sizeof(app.pairs));
		if (streams_create(app.workers[i], error) < 0)
			return -1;
	}
	return 0;
}

void stop_streams(void)
{
	for (unsigned i = 0; i < app.n_workers; i++)
		streams_destroy(app.workers[i]);
}

/* ---- control and threads -------------------------------------------------------------------- */

int start_control(char *error)
{
	if (loader_start() < 0) {
		snprintf(error, APP_ERROR_SIZE, "loader thread cannot be started");
		return -1;
	}
	if (app.conf->control_socket[0]) {
		app.ctl = ctl_server_open(app.conf->control_socket, app.conf->control_group,
			show_command, NULL, error, APP_ERROR_SIZE);
		if (!app.ctl)
			return -1;
	}
	telemetry_open();
	return 0;
}

void stop_control(void)
{
	telemetry_close();
	ctl_server_close(app.ctl);
	app.ctl = NULL;
	loader_stop();
}

int start_threads(char *error)
{
	(void)error;
	app.started_tsc = rte_rdtsc();
	app.started_at = time(NULL);
	if (app.core_on_main)
		replica_enter(app.replicas, replica_reader_core(app.replicas));
	else
		rte_eal_remote_launch(core_main, NULL, app.core_lcore);
	for (unsigned i = 0; i < app.n_workers; i++)
		rte_eal_remote_launch(worker_main, app.workers[i], app.workers[i]->lcore);
	for (unsigned i = 0; i < app.n_ports; i += 2)
		log_line(LOG_INFO,
			"forwarding: port %u (%s, clients) and port %u (%s, resolvers), %u "
			"worker%s",
			app.ports[i].id, app.ports[i].name, app.ports[i + 1].id,
			app.ports[i + 1].name, app.n_workers, app.n_workers == 1 ? "" : "s");
	return 0;
}

void stop_threads(void)
{
	for (unsigned i = 0; i < app.n_workers; i++)
		atomic_store(&app.workers[i]->stop, true);
	for (unsigned i = 0; i < app.n_workers; i++)
		rte_eal_wait_lcore(app.workers[i]->lcore);
	if (app.core_on_main) {
		core_poll();
		replica_leave(app.replicas, replica_reader_core(app.replicas));
	} else {
		atomic_store(&app.core_stop, true);
		rte_eal_wait_lcore(app.core_lcore);
	}
	// Before the final counters, which tell what became of the last frames.
	core_tap_stop();
}
