/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "list/list.h"
#include "start.h"

struct app app = {.lock = PTHREAD_MUTEX_INITIALIZER};

/** Run forward; undone backward from the one that failed, itself included. */
static const struct {
	int (*start)(char *error);
	void (*stop)(void);
} stages[] = {
	{start_lcores, stop_lcores}, {start_pairs, NULL}, {start_streams, stop_streams},
	{start_tables, stop_tables}, {start_totals, stop_totals}, {start_ports, stop_ports},
	{start_control, stop_control},
	{start_threads, NULL}, // stopped by hand: counters are read between threads and ports
};

#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

// Everything the configuration names is read, as at a start; no port is touched.
static int check(void)
{
	struct load_state *state = calloc(1, sizeof(*state));
	char error[APP_ERROR_SIZE] = "";
	struct replica *master = state ? load_master(app.conf, false, state, error) : NULL;

	if (!master) {
		log_line(LOG_ERROR, "%s", error);
		free(state);
		return APP_USAGE;
	}
	printf("%s: good; %u lists, %llu names, %llu patterns, %llu consent prefixes\n",
		app.conf->path, app.conf->policy.n_lists, (unsigned long long)state->names,
		(unsigned long long)state->patterns, (unsigned long long)state->consent_prefixes);
	replica_free(master);
	free(state);
	return APP_DONE;
}

static void row_print(void *ctx, const struct stats_row *row)
{
	(void)ctx;
	if (row->value == 0)
		return;
	printf("%s", row->metric);
	for (unsigned i = 0; i < STATS_LABELS_MAX && row->labels[i].name; i++)
		printf("%c%s=\"%s\"", i ? ',' : '{', row->labels[i].name, row->labels[i].value);
	printf("%s %llu\n", row->labels[0].name ? "}" : "", (unsigned long long)row->value);
}

static void counters_print(void)
{
	static struct stats_list lists[POLICY_LISTS_MAX];
	static struct stats_worker sum;
	json_t *stats;

	if (!app.options.json) {
		show_sum(&sum);
		stats_visit(&sum, lists, show_lists(lists), row_print, NULL);
		return;
	}
	stats = show_stats();
	json_dumpf(stats, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(stats);
}

static int run(int eal_argc, char **argv)
{
	char error[APP_ERROR_SIZE] = "";
	int exit_code = APP_USAGE;
	size_t n = 0;

	if (start_eal(eal_argc, argv, error) == 0)
		for (; n < N_STAGES; n++)
			if (stages[n].start(error) < 0)
				break;
	if (n == N_STAGES) {
		exit_code = control_loop();
		// A reload waits for the workers, so it ends before they do.
		loader_stop();
		stop_threads();
		totals_finish();
		counters_print();
	} else {
		log_line(LOG_ERROR, "cannot start: %s", error);
	}
	// The stage that failed may have got half way: its stop copes with that. Those behind it
	// find nothing to undo.
	for (n = N_STAGES; n-- > 0;)
		if (stages[n].stop)
			stages[n].stop();
	stop_eal();
	return exit_code;
}

// Bad keys shall be found before any port is touched.
static int anonymiser_make(void)
{
	const struct conf *conf = app.conf;
	char why[APP_ERROR_SIZE];

	app.anon = anon_create(&conf->anonymise, conf->anonymise_key_file, why, sizeof(why));
	if (app.anon)
		return 0;
	if (anon_mode_keyed(conf->anonymise.mode))
		log_line(LOG_ERROR, "%s:%u: key_file: %s", conf->path, conf->anonymise_key_line,
			why);
	else
		log_line(LOG_ERROR, "%s: anonymise: %s", conf->path, why);
	return -1;
}

int main(int argc, char **argv)
{
	char error[CONF_ERROR_SIZE];
	bool finished;
	int eal_argc, exit_code;

	exit_code = options_parse(argc, argv, &app.options, &eal_argc, &finished);
	if (exit_code != APP_DONE || finished)
		return exit_code;
	if (app.options.print_config) {
		conf_print(stdout, CONF_BOX);
		return APP_DONE;
	}
	app.conf = conf_load(app.options.config, error);
	if (!app.conf) {
		log_line(LOG_ERROR, "%s", error);
		return APP_USAGE;
	}
	if (anonymiser_make() < 0) {
		conf_free(app.conf);
		return APP_USAGE;
	}
	sched_getaffinity(0, sizeof(app.cpus), &app.cpus);
	load_memory_keep();
	app.link_propagate = app.conf->link_propagate;
	if (app.conf->time_zone[0])
		setenv("TZ", app.conf->time_zone, 1);
	tzset();
	if (app.options.check) {
		start_warnings(app.conf);
		exit_code = check();
	} else {
		control_signals();
		exit_code = run(eal_argc, argv);
	}
	anon_destroy(app.anon);
	conf_free(app.conf);
	return exit_code;
}
