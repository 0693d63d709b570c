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
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/block.h"
#include "base/log.h"
#include "list/list.h"

#define STALE_MS        100  // a frame that its port does not take for so long is dropped
#define POOL_CACHE      256
#define SCRATCH_SIZE    ((size_t)BURST_MAX * 65536)
#define AF_XDP_FILL     4096 // mbufs that a net_af_xdp queue keeps in its fill and completion rings

/* ---- EAL ------------------------------------------------------------------------------------ */

static bool eal_up;

// The last lines that say something, as one: EAL and drivers explain a failure in several.
static void eal_error_shorten(const char *captured, char *error, size_t size)
{
	const char *lines[64];
	size_t lengths[64], n = 0, used = 0;

	for (const char *line = captured; *line && n < 64;) {
		size_t length = strcspn(line, "\n");

		// What EAL says when all is well, and blank lines.
		if (length > 0 && strncmp(line, "EAL: Detected", 13) != 0 &&
			strncmp(line, "EAL: Multi-process", 18) != 0 &&
			strncmp(line, "EAL: Selected IOVA", 18) != 0) {
			lines[n] = line;
			lengths[n++] = length;
		}
		line += length + (line[length] == '\n');
	}
	error[0] = '\0';
	for (size_t i = 0; i < n && used + lengths[i] + 3 < size; i++) {
		if (i > 0 && lengths[i] == lengths[i - 1] && !strncmp(lines[i], lines[i - 1], lengths[i]))
			continue;
		used += (size_t)snprintf(error + used, size - used, "%s%.*s", used ? "; " : "",
			(int)lengths[i], lines[i]);
	}
}

static const char *eal_advice(const char *captured)
{
	if (strstr(captured, "hugepage") || strstr(captured, "huge page"))
		return "no huge pages to be had: reserve some (sysctl vm.nr_hugepages) or start with "
		       "--no-huge -m 256: ";
	if (strstr(captured, "Failed to get interface") || strstr(captured, "get_iface_info") ||
		strstr(captured, "no such interface"))
		return "a device names an interface that does not exist: ";
	return "";
}

int start_eal(int argc, char **argv, char *error)
{
	char *captured = NULL, words[APP_ERROR_SIZE];
	size_t size = 0;
	FILE *stream = open_memstream(&captured, &size);
	int n;

	// EAL explains itself in many lines; an operator wants one, and none when all is well.
	if (stream)
		rte_openlog_stream(stream);
	n = rte_eal_init(argc, argv);
	rte_openlog_stream(NULL);
	if (stream)
		fclose(stream);
	if (n < 0) {
		eal_error_shorten(captured ? captured : "", words, sizeof(words));
		snprintf(error, APP_ERROR_SIZE, "EAL cannot start: %s%s",
			captured ? eal_advice(captured) : "",
			words[0] ? words : rte_strerror(rte_errno));
		free(captured);
		return -1;
	}
	free(captured);
	eal_up = true;
	if (n + 1 < argc) {
		snprintf(error, APP_ERROR_SIZE, "%s: EAL does not know this argument", argv[n + 1]);
		return -1;
	}
	return 0;
}

void stop_eal(void)
{
	if (eal_up)
		rte_eal_cleanup();
	eal_up = false;
}

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
	RTE_LCORE_FOREACH (other) {
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
			"EAL has %u: see -l and --lcores", n);
		return -1;
	}
	if (n - 1 > APP_WORKERS_MAX + 1) {
		snprintf(error, APP_ERROR_SIZE, "expected at most %u lcores, EAL has %u",
			APP_WORKERS_MAX + 2, n);
		return -1;
	}
	app.core_on_main = n == 2;
	app.core_lcore = app.core_on_main ? rte_get_main_lcore() : rte_get_next_lcore(-1, 1, 0);
	RTE_LCORE_FOREACH_WORKER (lcore) {
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

int start_tables(char *error)
{
	int nodes[APP_WORKERS_MAX];
	struct load_state *state = calloc(1, sizeof(*state));
	struct replica *master;
	int err = -1;

	for (unsigned i = 0; i < app.n_workers; i++)
		nodes[i] = app.workers[i]->node;
	app.replicas = replica_set_create(app.n_workers, nodes);
	if (!state || !app.replicas) {
		snprintf(error, APP_ERROR_SIZE, "tables: %s", strerror(ENOMEM));
		goto out;
	}
	replica_set_today(app.replicas, list_day_of(time(NULL)));
	if (loader_assign_slots(app.conf, error) < 0)
		goto out;
	master = load_master(app.conf, false, state, error);
	if (!master)
		goto out;
	master->generation = 1;
	if (loader_publish(master, state) < 0) {
		snprintf(error, APP_ERROR_SIZE, "copies of the tables: %s", strerror(ENOMEM));
		replica_free(master);
		goto out;
	}
	err = 0;
	for (unsigned i = 0; i < app.n_workers && err == 0; i++) {
		app.workers[i]->replicas = app.replicas;
		app.rings[i] = mirror_ring_create(app.conf->mirror_ring_slots, app.workers[i]->node);
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
out:
	free(state);
	return err;
}

void stop_tables(void)
{
	core_stop();
	for (unsigned i = 0; i < APP_WORKERS_MAX; i++) {
		mirror_ring_destroy(app.rings[i]);
		app.rings[i] = NULL;
	}
	replica_set_destroy(app.replicas);
	app.replicas = NULL;
}

/* ---- ports ---------------------------------------------------------------------------------- */

// Pairs from the configuration, or all ports two by two.
static int pairs_settle(struct conf_pair *pairs, unsigned *n_pairs, char *error)
{
	unsigned available = rte_eth_dev_count_avail(), n = 0;
	uint16_t id;

	if (available == 0) {
		snprintf(error, APP_ERROR_SIZE,
			"no port: bind a NIC to a DPDK driver or give EAL a --vdev or -a");
		return -1;
	}
	if (available % 2) {
		snprintf(error, APP_ERROR_SIZE,
			"expected an even number of ports, a client and a resolver side each, EAL has %u",
			available);
		return -1;
	}
	if (app.conf->n_pairs > 0) {
		*n_pairs = app.conf->n_pairs;
		memcpy(pairs, app.conf->pairs, sizeof(app.conf->pairs));
		for (unsigned i = 0; i < 2 * *n_pairs; i++) {
			id = i % 2 ? pairs[i / 2].resolver : pairs[i / 2].client;
			if (!rte_eth_dev_is_valid_port(id)) {
				snprintf(error, APP_ERROR_SIZE,
					"%s: [ports] pairs: expected ports that EAL has (0 to %u), got %u",
					app.conf->path, available - 1, id);
				return -1;
			}
		}
		return 0;
	}
	if (available > APP_PORTS_MAX) {
		snprintf(error, APP_ERROR_SIZE, "expected at most %u ports, EAL has %u", APP_PORTS_MAX,
			available);
		return -1;
	}
	RTE_ETH_FOREACH_DEV (id) {
		if (n % 2)
			pairs[n / 2].resolver = id;
		else
			pairs[n / 2].client = id;
		n++;
	}
	*n_pairs = n / 2;
	return 0;
}

static uint32_t pool_size(const struct conf_pair *pairs, unsigned n_pairs,
	const struct port_options *options)
{
	uint32_t n = app.n_workers * (2 * POOL_CACHE + 4 * BURST_MAX * (n_pairs + 1));

	if (app.conf->mbufs)
		return app.conf->mbufs;
	for (unsigned i = 0; i < 2 * n_pairs; i++) {
		uint16_t id = i % 2 ? pairs[i / 2].resolver : pairs[i / 2].client;
		struct rte_eth_dev_info info;

		n += port_descriptors(id, options);
		if (rte_eth_dev_info_get(id, &info) == 0 && strstr(info.driver_name, "af_xdp"))
			n += options->n_queues * AF_XDP_FILL;
	}
	return n;
}

static int ports_open(const struct conf_pair *pairs, unsigned n_pairs,
	const struct port_options *options, char *error)
{
	for (unsigned i = 0; i < 2 * n_pairs; i++) {
		uint16_t id = i % 2 ? pairs[i / 2].resolver : pairs[i / 2].client;

		app.n_ports = i + 1;
		if (port_open(id, options, &app.ports[i], error, APP_ERROR_SIZE) < 0)
			return -1;
	}
	for (unsigned i = 0; i < 2 * n_pairs; i += 2)
		if (app.ports[i].mtu != app.ports[i + 1].mtu)
			log_line(LOG_WARN,
				"ports %u and %u: MTU %u and %u, frames above the smaller one cannot pass",
				app.ports[i].id, app.ports[i + 1].id, app.ports[i].mtu,
				app.ports[i + 1].mtu);
	return 0;
}

int start_ports(char *error)
{
	struct port_options options = {
		.n_queues = (uint16_t)app.n_workers,
		.rx_descriptors = (uint16_t)app.conf->rx_descriptors,
		.tx_descriptors = (uint16_t)app.conf->tx_descriptors,
	};
	struct conf_pair pairs[CONF_PAIRS_MAX];
	unsigned n_pairs;
	uint32_t n;

	if (pairs_settle(pairs, &n_pairs, error) < 0)
		return -1;
	n = pool_size(pairs, n_pairs, &options);
	app.pool = rte_pktmbuf_pool_create("packets", n, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
		(int)rte_socket_id());
	if (!app.pool) {
		snprintf(error, APP_ERROR_SIZE,
			"packet pool of %u mbufs (about %u MiB): %s; give EAL more memory (-m) or set "
			"[ports] mbufs or rx_descriptors",
			n, (unsigned)((uint64_t)n * (RTE_MBUF_DEFAULT_BUF_SIZE + 256) >> 20),
			rte_strerror(rte_errno));
		return -1;
	}
	options.pool = app.pool;
	for (unsigned i = 0; i < app.n_workers; i++) {
		app.workers[i]->n_pairs = n_pairs;
		memcpy(app.workers[i]->pairs, pairs, sizeof(pairs));
	}
	return ports_open(pairs, n_pairs, &options, error);
}

void stop_ports(void)
{
	for (unsigned i = 0; i < app.n_ports; i++)
		port_close(&app.ports[i]);
	app.n_ports = 0;
	rte_mempool_free(app.pool);
	app.pool = NULL;
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
	telemetry_register();
	return 0;
}

void stop_control(void)
{
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
		log_line(LOG_INFO, "forwarding: port %u (%s, clients) and port %u (%s, resolvers), %u worker%s",
			app.ports[i].id, app.ports[i].name, app.ports[i + 1].id, app.ports[i + 1].name,
			app.n_workers, app.n_workers == 1 ? "" : "s");
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
		return;
	}
	atomic_store(&app.core_stop, true);
	rte_eal_wait_lcore(app.core_lcore);
}
