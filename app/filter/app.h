/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of the data plane's program share; nothing else includes it.
 *
 * Threads: main lcore = control; one statistics lcore (or the main one, where there are only two);
 * the other lcores are workers; one loader thread, off the data path; DPDK's telemetry thread.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "anon/anon.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "load/load.h"
#include "mirror/mirror.h"
#include "pipeline/pipeline.h"
#include "port.h"
#include "replica/replica.h"
#include "stats/stats.h"
#include "stream/stream.h"
#include "tally/tally.h"

#define APP_WORKERS_MAX 64
#define APP_PORTS_MAX   (2 * CONF_PAIRS_MAX)
#define APP_ERROR_SIZE  CONF_ERROR_SIZE

/** Exit codes: architecture, section 7. */
enum app_exit {
	APP_DONE = 0,
	APP_FAILED = 1,
	APP_USAGE = 2,
};

/** Command line behind "--". */
struct options {
	const char *config;
	bool check;
	bool print_config;
	bool json;               /**< final counters as one JSON object on stdout */
	unsigned exit_when_idle; /**< milliseconds; 0: never */
};

/** What a burst is judged by, and what its records share. */
struct judging {
	struct pipeline_tables tables;
	struct mirror_meta meta;
};

/** What waits for a port, in order: the port to read from is not read meanwhile. */
struct backlog {
	void **packets; /**< handles (copies.h): `n` from `first` on */
	unsigned first, n, room;
	uint64_t since; /**< TSC when it began to wait */
};

/** One worker lcore. */
struct worker {
	/* read-only after start */
	unsigned id;       /**< also its queue on every port and its number as a reader */
	unsigned lcore;
	int node;          /**< NUMA */
	bool spin;         /**< never sleeps */
	unsigned sleep_max_us;
	unsigned n_pairs;
	struct conf_pair pairs[CONF_PAIRS_MAX];
	struct replica_set *replicas;
	struct mirror_ring *mirror; /**< NULL: mirroring is off */
	uint64_t stale_cycles; /**< a backlog older than this is dropped and counted */
	struct stats_worker *stats;

	/* private to the worker */
	struct burst burst __attribute__((aligned(64)));
	struct backlog backlogs[APP_PORTS_MAX]; /**< by pair, then side */
	struct backlog *out; /**< of the packets that are worked on */
	struct backlog *held_out; /**< of those that were held: to the clients of the same pair */
	struct judging judging; /**< of the burst that is worked on */
	struct stream *streams[CONF_PAIRS_MAX]; /**< by pair */
	struct copies *copies; /**< of small packets that are held */
	uint8_t *scratch; /**< BURST_MAX frames of several mbufs, 64 KiB each */
	struct stats_worker *unseen; /**< for what is judged before it is complete */

	/* shared */
	atomic_bool stop __attribute__((aligned(64))); /**< worker: r, ctl: w */
	_Atomic uint64_t rounds_busy;  /**< worker: w, ctl: r */
	_Atomic uint64_t rounds_empty; /**< worker: w, ctl: r */
	_Atomic uint64_t empty_run;    /**< worker: w, ctl: r; empty rounds since the last packet */
};

/** What the last loads came to; under app.lock. */
struct load_state {
	uint32_t generation;
	int64_t loaded_at;      /**< seconds since 1970 */
	double began;           /**< seconds of the monotonic clock */
	double load_seconds;    /**< from there to when the generation was in force */
	uint64_t names, names_bytes;
	uint64_t patterns, patterns_bytes;
	uint64_t consent_prefixes, consent_bad;
	uint64_t reloads_done, reloads_failed;
	int64_t failed_at;      /**< 0: the last reload was good */
	char error[APP_ERROR_SIZE];
	struct load_list lists[POLICY_LISTS_MAX];
};

/** The load that is going on; under app.lock. */
struct loading {
	bool active;
	double began;      /**< seconds of the monotonic clock */
	const char *phase; /**< static */
	char list[POLICY_LIST_NAME_MAX + 1];
	uint64_t names;
	unsigned percent;
};

struct hits;
struct loader;
struct recorder;

struct app {
	struct options options;
	struct conf *conf; /**< as started; loader replaces it under lock */
	unsigned n_workers, n_ports;
	bool link_propagate;
	bool core_on_main; /**< no lcore of its own for the statistics core */
	unsigned core_lcore;
	struct worker *workers[APP_WORKERS_MAX];
	struct mirror_ring *rings[APP_WORKERS_MAX]; /**< NULL: mirroring is off */
	unsigned core_busy; /**< records at once that keep the statistics lcore from sleeping */
	struct stats_worker *stats[APP_WORKERS_MAX];
	unsigned n_pairs;
	struct conf_pair pairs[CONF_PAIRS_MAX];
	struct port ports[APP_PORTS_MAX]; /**< pair i: client side 2i, resolver side 2i + 1 */
	struct rte_mempool *pool;
	struct replica_set *replicas;
	struct tally *tally;
	struct tally_generation *counters; /**< of the master in force; loader only */
	struct recorder *recorder; /**< NULL: no file of totals */
	struct loader *loader;
	struct anon *anon; /**< as the process was started with; core: w */
	struct hits *hits;
	struct ctl_server *ctl;
	uint64_t started_tsc;
	int64_t started_at;
	atomic_bool core_stop;
	_Atomic uint64_t core_records;

	cpu_set_t cpus;       /**< those that the process was started with */
	pthread_mutex_t lock; /**< load, loading, conf, slots, and the use of replica_master outside the loader */
	struct load_state load;
	struct loading loading;
	char slots[POLICY_LISTS_MAX][POLICY_LIST_NAME_MAX + 1]; /**< names of lists by counter slot */
};

extern struct app app;

/* options.c */
/** Split argv at "--". @return APP_DONE to go on with, or the exit code, with *finished set */
int options_parse(int argc, char **argv, struct options *options, int *eal_argc, bool *finished);

/* load.c: build a generation from files; runs in the loader thread or before start */
/**
 * Read all that @p conf names and build a master.
 *
 * @param strict start-up: an empty list is allowed; reload: it is an error
 * @param error  [out] one line
 * @return the master, or NULL
 */
struct replica *load_master(struct conf *conf, bool strict, struct load_state *state, char *error);

/** A load begins, by the clock of @p state, and ends; between them `show loading` tells how far it is. */
void load_begin(struct load_state *state);
void load_phase(const char *phase);
void load_end(void);
json_t *load_loading_json(void);
/**
 * Let freed memory stay with the process while a load goes on. What is given back is taken out of the
 * page tables of all CPUs, and workers are interrupted for it: with thousands of arrays that a load
 * makes and frees they would lose more than half of their time.
 */
void load_memory_keep(void);

/** Entries of each list that are active today, into state->lists[].active. */
void load_count_active(const struct replica *master, uint16_t today, struct load_state *state);

/* loader.c: reload thread */
/**
 * Give each list its counters. Lists keep them over reloads: a name keeps its slot as long as the
 * process runs. Under app.lock. @return 0, or -ENOSPC with @p error
 */
int loader_assign_slots(struct conf *conf, char *error);
/** Put a master in force, with what its load came to. @return 0, or -ENOMEM: nothing has changed */
int loader_publish(struct replica *master, struct load_state *state);
/**
 * Let this thread, and the crew it has for a load, run on all CPUs that the process was started with
 * except those of workers. Before there are workers on them, on these, too.
 *
 * @param before [out] where the thread ran; NULL: not wanted
 */
void loader_cpus(bool workers_run, cpu_set_t *before);
int loader_start(void);
void loader_stop(void);
/** Ask for a reload; requests that come while one runs are served by one more. @return its number */
uint64_t loader_request(void);
/** Reloads finished, good or bad; a request n is served when this is >= n. */
uint64_t loader_finished(void);
/** Readable when a reload has finished. */
int loader_fd(void);

/* worker.c */
int worker_main(void *arg);

/* core.c: statistics core */
int core_main(void *arg);
/** One round over all rings. @return records taken */
unsigned core_poll(void);
/** Hits for the shell, newest first. */
json_t *core_hits(unsigned n);
int core_start(void);
void core_stop(void);

/* core_tap.c: what is sent as dnstap */
/** Its counters into an object. */
void core_tap_counters(json_t *object);
/** Reply of `show tap`. */
json_t *core_tap_json(void);

/* show.c: replies of the control protocol */
json_t *show_command(void *ctx, const struct ctl_command *command, const char *args,
	const struct ctl_peer *peer, unsigned request_id);
/** Sum over workers. */
void show_sum(struct stats_worker *sum);
/** Lists and their slots for stats_visit; under app.lock. @return how many */
unsigned show_lists(struct stats_list lists[POLICY_LISTS_MAX]);
/** All counters and what goes with them: `show stats` and --json. */
json_t *show_stats(void);
/** Seconds since 1970 in the operator's time zone; null for 0. */
json_t *show_moment(int64_t seconds);
json_t *show_lists_json(void);
json_t *show_workers_json(void);
json_t *show_port_json(unsigned i);

/* ids.c: malware identifiers that were met */
/** Those that were met most: `show ids`. */
json_t *ids_show(const char *args);
/** Rows of telemetry, [@p from, @p from + @p n) in the order of lists and identifiers. */
json_t *ids_page(unsigned from, unsigned n);
/** {list: {id: {action: n}}} of those that were met most. */
json_t *ids_stats(void);

/* totals.c: what was counted, into the file of totals, by a thread of its own */
/** Write a last time. Workers have stopped. */
void totals_finish(void);
/** Numbers of the file: `show totals`. */
json_t *totals_show(void);
/** Add them to those of `show stats`. */
void totals_stats(json_t *stats);

/* explain.c */
/** The decision for a name, and every rule that it meets: `explain NAME`. */
json_t *explain_json(const char *text);
/** The consent table, and what the client at an address refuses. */
json_t *consent_show(void);
json_t *consent_of(const char *text);

/* telemetry.c */
/** Answer commands of DPDK's telemetry; after telemetry_close they are refused. */
void telemetry_open(void);
void telemetry_close(void);

/* control.c */
/** Until told to stop. @return exit code */
int control_loop(void);
/** Signals that stop or reload; call before any thread is started. */
void control_signals(void);
/** Hold the reply to request @p request_id until reload @p number is finished. */
void control_defer(unsigned request_id, uint64_t number);
