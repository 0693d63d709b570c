/* SPDX-License-Identifier: BSD-3-Clause */
#include "serve.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "api.h"
#include "base/block.h"
#include "base/log.h"
#include "list/list.h"

#define PATIENCE_MS     1000 // at the end, for what senders have on their way
#define RETENTION_PAUSE 3600 // seconds
#define ARENAS          2
#define SORT_MAX        ((size_t)1 << 20) // records; several may ask at once

/* ---- time ------------------------------------------------------------------------------------ */

// Whether it was done: not while another deletion goes on.
static bool retention(struct serve *serve)
{
	const struct store_actor actor = {.who = "retention", .lock = &serve->lock};
	uint16_t today = list_day_of(time(NULL));
	struct store_dropped dropped = {0};

	if (today <= serve->conf->collect_days)
		return true;
	if (pthread_mutex_trylock(&serve->deletion) != 0)
		return false;
	pthread_mutex_lock(&serve->lock);
	store_drop_before(
		serve->store, (uint16_t)(today - serve->conf->collect_days), &actor, &dropped);
	pthread_mutex_unlock(&serve->lock);
	pthread_mutex_unlock(&serve->deletion);
	if (dropped.days > 0)
		log_line(LOG_INFO, "removed %u days, %" PRIu64 " records older than %u days",
			dropped.days, dropped.records, serve->conf->collect_days);
	return true;
}

static void tick(struct serve *serve)
{
	pthread_mutex_lock(&serve->anon_lock);
	anon_set_day(serve->anon, list_day_of(time(NULL)));
	pthread_mutex_unlock(&serve->anon_lock);
	if (serve->pdns)
		pdns_alive(serve->pdns);
	http_server_tick(serve->http);
}

static void wait_for_end(struct serve *serve, const sigset_t *signals)
{
	const struct timespec second = {.tv_sec = 1};
	struct tap_listener_stats connections;
	int64_t next = 0;

	for (;;) {
		int signal = sigtimedwait(signals, NULL, &second);

		if (signal == SIGTERM || signal == SIGINT)
			return;
		// SIGHUP only hastens the tick, which reads what has changed.
		if (signal == SIGUSR1) {
			tap_listener_stats_get(serve->listener, &connections);
			serve_counters(serve, &connections, stdout);
		}
		tick(serve);
		if ((int64_t)time(NULL) < next || !retention(serve))
			continue;
		next = (int64_t)time(NULL) + RETENTION_PAUSE;
	}
}

/* ---- start and end --------------------------------------------------------------------------- */

static void bad_line(void *ctx, unsigned line, const char *what)
{
	log_line(LOG_WARN, "%s:%u: %s", (const char *)ctx, line, what);
}

static int consent_open(struct serve *serve)
{
	struct conf *conf = serve->conf;
	struct consent_rules rules = {0};
	struct consent_counts counts;
	int err;

	if (!conf->consent_source[0])
		return COLLECT_DONE;
	err = consent_read(conf->consent_source, &rules, bad_line, conf->consent_source, &counts);
	if (err == 0) {
		serve->consent = consent_table_build(rules.rules, rules.n, &serve->consent_size);
		err = serve->consent ? 0 : -errno;
	}
	consent_rules_free(&rules);
	if (err == 0)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "%s:%u: [consent] source: cannot read %s: %s", conf->path,
		conf->consent_source_line, conf->consent_source,
		err == -EBADMSG ? "expected the header prefix,filter,log" : strerror(-err));
	return COLLECT_USAGE;
}

static int anon_open(struct serve *serve)
{
	const struct conf *conf = serve->conf;
	char why[CONF_ERROR_SIZE / 2] = "";

	serve->anon = anon_create(&conf->anonymise, conf->anonymise_key_file, why, sizeof(why));
	if (serve->anon && anon_set_day(serve->anon, list_day_of(time(NULL))) == 0)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "%s:%u: [anonymise] key_file: %s", conf->path, conf->anonymise_key_line,
		why);
	return COLLECT_USAGE;
}

// Nothing of a sender's clients is to lie about when this process dies.
static void no_core_dumps(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

// Memory has a bound only if what one thread frees is there for the others; and the dataset has a file open for each
// 24 MiB of it.
static void limits_set(void)
{
	struct rlimit files;

	mallopt(M_ARENA_MAX, ARENAS);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int networks_open(struct serve *serve)
{
	const struct conf *conf = serve->conf;

	if (!conf->pdns_store[0] || !conf->pdns_networks[0])
		return COLLECT_DONE;
	return signal_networks_read(conf->pdns_networks, &serve->networks) < 0 ? COLLECT_USAGE
									       : COLLECT_DONE;
}

static int dataset_open(struct serve *serve)
{
	const struct conf *conf = serve->conf;
	const struct pdns_options options = {.mode = PDNS_WRITE,
		.gentle = true,
		.window_size = (size_t)conf->pdns_memory << 20,
		.cache_size = (size_t)conf->pdns_cache << 20,
		.window_s = conf->pdns_window_s,
		.feed_size = (uint64_t)conf->pdns_feed_size << 20,
		.feed_keep_s = (uint64_t)conf->pdns_feed_days * 86400};

	return conf->pdns_store[0] ? pdns_open(conf->pdns_store, &options, &serve->pdns) : 0;
}

// All addresses together. The configuration has no more than fit.
static void addresses_get(const struct conf *conf, struct endpoints *at)
{
	char text[ENDPOINT_TEXT_SIZE];

	*at = conf->collect_sockets;
	for (unsigned i = 0; i < conf->collect_tcp.n; i++) {
		at->at[at->n++] = conf->collect_tcp.at[i];
		if (!addr_is_loopback(&conf->collect_tcp.at[i].addr))
			log_line(LOG_WARN,
				"[collect] tcp: whoever reaches %s can write into the log, and "
				"what comes can be read on its way; with tls neither",
				endpoint_format(&conf->collect_tcp.at[i], text));
	}
	for (unsigned i = 0; i < conf->collect_tls.n; i++) {
		at->at[at->n] = conf->collect_tls.at[i];
		at->at[at->n++].tls = true;
	}
}

static int listener_open(struct serve *serve)
{
	const struct conf *conf = serve->conf;
	const struct tls_files files = {
		conf->collect_tls_certificate, conf->collect_tls_key, conf->collect_tls_ca};
	struct tap_listener_tls tls = {.senders = conf->collect_tls_senders};
	struct tap_listener_hooks hooks = serve_hooks;
	char error[CONF_ERROR_SIZE] = "";
	struct endpoints at;

	addresses_get(conf, &at);
	hooks.ctx = serve;
	if (conf->collect_tls.n == 0 || tls_keeper_open(&files, &serve->tls, error) == 0) {
		tls.keeper = serve->tls;
		serve->listener = tap_listener_open(
			&at, conf->collect_group, &tls, &hooks, error, sizeof(error));
	}
	if (serve->listener)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "%s", error);
	return COLLECT_USAGE;
}

static int serve_open(struct serve *serve)
{
	const struct store_options options = {.mode = STORE_WRITE, .sort_max = SORT_MAX};
	int err = store_open(serve->conf->collect_store, &options, &serve->store);

	if (err == 0)
		err = dataset_open(serve);
	if (err == 0)
		err = serve_writer_start(serve);
	if (err == 0)
		err = serve_keeper_start(serve);
	if (err)
		return err < 0 ? collect_exit_of(err) : err;
	serve->keeping = true;
	err = listener_open(serve);
	if (err != COLLECT_DONE)
		return err;
	// What the API shows is there before it is.
	err = serve_follow_start(serve);
	err = err ? err : serve_dump_start(serve);
	return err == COLLECT_DONE ? api_open(serve) : err;
}

void serve_free(struct serve *serve)
{
	block_free(serve->consent, serve->consent_size);
	signal_networks_free(serve->networks);
	anon_destroy(serve->anon);
	conf_free(serve->conf);
	free(serve);
}

int serve_conf(struct serve *serve, const char *path)
{
	char error[CONF_ERROR_SIZE];
	int err = COLLECT_DONE;

	serve->conf = conf_load_collect(path, error);
	if (!serve->conf) {
		log_line(LOG_ERROR, "%s", error);
		return COLLECT_USAGE;
	}
	if (serve->conf->time_zone[0])
		err = collect_zone(serve->conf->time_zone);
	return err == COLLECT_DONE ? consent_open(serve) : err;
}

// What the configuration names and nothing has read so far; --check looks no further.
static int certificates_check(const struct conf *conf)
{
	const struct {
		bool used;
		struct tls_files files;
	} each[] = {
		{conf->collect_tls.n > 0, {conf->collect_tls_certificate, conf->collect_tls_key,
						  conf->collect_tls_ca}},
		{conf->api_certificate[0] != 0,
			{conf->api_certificate, conf->api_key, conf->api_client_ca}},
	};
	char error[CONF_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct tls_keeper *keeper = NULL;

		if (each[i].used && tls_keeper_open(&each[i].files, &keeper, error) < 0) {
			log_line(LOG_ERROR, "%s", error);
			return COLLECT_USAGE;
		}
		tls_keeper_close(keeper);
	}
	return COLLECT_DONE;
}

static int serve_check(struct serve *serve)
{
	int err = certificates_check(serve->conf);

	if (err == COLLECT_DONE)
		log_line(LOG_INFO, "%s: good", serve->conf->path);
	return err;
}

// Until it is told to end.
static int serve_live(struct serve *serve, const sigset_t *signals)
{
	struct tap_listener_stats connections = {0};
	int err = serve_open(serve);

	if (err == COLLECT_DONE) {
		log_line(LOG_INFO, "serving: log in %s", serve->conf->collect_store);
		wait_for_end(serve, signals);
		tap_listener_stats_get(serve->listener, &connections);
		connections.open = 0;
	}
	serve_follow_stop(serve);
	serve_dump_stop(serve);
	// Who asks about senders is gone before they are.
	api_close(serve);
	tap_listener_close(serve->listener, PATIENCE_MS);
	tls_keeper_close(serve->tls);
	if (serve->keeping)
		serve_keeper_stop(serve);
	serve_writer_stop(serve);
	if (err == COLLECT_DONE) {
		err = store_commit(serve->store) < 0 ? COLLECT_FAILED : COLLECT_DONE;
		serve_counters(serve, &connections, stdout);
	}
	contact_follow_close(serve->follow);
	if (store_close(serve->store) < 0)
		err = COLLECT_FAILED;
	if (pdns_close(serve->pdns) < 0)
		err = COLLECT_FAILED;
	return err;
}

int serve_run(const struct collect_args *args)
{
	struct serve *serve = calloc(1, sizeof(*serve));
	sigset_t signals;
	int err;

	if (!serve)
		return COLLECT_FAILED;
	no_core_dumps();
	limits_set();
	pthread_mutex_init(&serve->deletion, NULL);
	pthread_mutex_init(&serve->lock, NULL);
	pthread_mutex_init(&serve->anon_lock, NULL);
	pthread_mutex_init(&serve->sender_lock, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	err = serve_conf(serve, args->config);
	if (err == COLLECT_DONE)
		err = anon_open(serve);
	if (err == COLLECT_DONE)
		err = networks_open(serve);
	if (err == COLLECT_DONE)
		err = args->check ? serve_check(serve) : serve_live(serve, &signals);
	serve_free(serve);
	return err;
}
