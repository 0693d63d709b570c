/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void load_memory_keep(void)
{
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_TOP_PAD, 16 << 20);
}

void load_begin(struct load_state *state)
{
	state->began = seconds_now();
	pthread_mutex_lock(&app.lock);
	app.loading = (struct loading){.active = true, .began = state->began, .phase = "reading"};
	pthread_mutex_unlock(&app.lock);
}

static void progress_note(void *ctx, const struct load_progress *progress)
{
	pthread_mutex_lock(&app.lock);
	app.loading.phase = progress->phase;
	snprintf(app.loading.list, sizeof(app.loading.list), "%s", progress->list);
	app.loading.names = progress->names;
	app.loading.percent = progress->percent;
	pthread_mutex_unlock(&app.lock);
}

void load_phase(const char *phase)
{
	const struct load_progress progress = {.phase = phase, .list = ""};

	progress_note(NULL, &progress);
}

void load_end(void)
{
	// All that was kept, at once.
	malloc_trim(0);
	pthread_mutex_lock(&app.lock);
	app.loading = (struct loading){.phase = "none"};
	pthread_mutex_unlock(&app.lock);
}

json_t *load_loading_json(void)
{
	const struct loading *loading = &app.loading;
	json_t *object;

	pthread_mutex_lock(&app.lock);
	object = json_pack("{s:b, s:s, s:s, s:I, s:i, s:f}", "loading", loading->active, "phase",
		loading->phase ? loading->phase : "none", "list", loading->list, "names",
		(json_int_t)loading->names, "percent", (int)loading->percent, "seconds",
		loading->active ? seconds_now() - loading->began : 0.0);
	pthread_mutex_unlock(&app.lock);
	return object;
}

static void compiling_log(void *ctx, uint32_t patterns)
{
	load_phase("compiling patterns");
	log_line(LOG_INFO, "compiling %u patterns", patterns);
}

static int lists_load(const struct conf *conf, bool strict, struct replica *master,
	struct load_state *state, char *error)
{
	const struct load_options options = {
		.strict = strict, .progress = progress_note, .compiling = compiling_log};
	struct load_tables tables = {.lists = state->lists};
	int err = conf->compiled[0] ? load_compiled(conf, &options, &tables, error)
				    : load_lists(conf, &options, &tables, error);

	if (err < 0)
		return -1;
	master->names = tables.names;
	master->names_size = fqdn_table_size(master->names);
	master->patterns = tables.patterns;
	if (master->patterns)
		master->scan = pattern_scan_create(master->patterns, -1);
	if (master->patterns && !master->scan) {
		snprintf(error, APP_ERROR_SIZE, "patterns: %s", strerror(ENOMEM));
		return -1;
	}
	return 0;
}

static int consent_load(
	const struct conf *conf, struct replica *master, struct load_state *state, char *error)
{
	master->consent = load_consent(conf, &master->consent_size, &state->consent_bad, error);
	if (!master->consent)
		return -1;
	state->consent_prefixes = consent_table_prefixes(master->consent);
	return 0;
}

struct replica *load_master(struct conf *conf, bool strict, struct load_state *state, char *error)
{
	struct replica *master = calloc(1, sizeof(*master));

	memset(state->lists, 0, sizeof(state->lists));
	state->consent_prefixes = state->consent_bad = 0;
	if (!master) {
		snprintf(error, APP_ERROR_SIZE, "%s", strerror(ENOMEM));
		return NULL;
	}
	master->policy = conf->policy;
	if (lists_load(conf, strict, master, state, error) < 0 ||
		consent_load(conf, master, state, error) < 0) {
		replica_free(master);
		return NULL;
	}
	state->names = fqdn_table_names(master->names);
	state->names_bytes = fqdn_table_worker_size(master->names);
	state->patterns = pattern_set_count(master->patterns);
	state->patterns_bytes = pattern_set_size(master->patterns);
	return master;
}

void load_count_active(const struct replica *master, uint16_t today, struct load_state *state)
{
	uint64_t counts[POLICY_LISTS_MAX];

	memset(counts, 0, sizeof(counts));
	fqdn_table_count_active(master->names, today, counts, POLICY_LISTS_MAX);
	for (uint32_t i = 0; i < pattern_set_count(master->patterns); i++) {
		struct pattern pattern;

		pattern_set_get(master->patterns, i, &pattern);
		counts[fqdn_table_rule(master->names, pattern.rule)->list]++;
	}
	for (unsigned i = 0; i < master->policy.n_lists; i++)
		state->lists[i].active = counts[i];
}
