/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "base/log.h"
#include "list/list.h"

#define TICK_MS       50   // how often time, links and idleness are looked at
#define TICK_CORE_MS  2    // with the statistics core on this lcore
#define EMPTY_RUN_MIN 1000 // empty rounds that say more than a pause of the scheduler
#define DEFERRED_MAX  CTL_CLIENTS_MAX

static int signal_fd = -1;

static struct {
	unsigned request_id;
	uint64_t number; // reload it waits for
} deferred[DEFERRED_MAX];
static unsigned n_deferred;

void control_signals(void)
{
	sigset_t set;

	// Blocked before any thread exists, so that none of them is interrupted.
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
}

// @return whether to stop
static bool signals_take(void)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			loader_request();
			continue;
		}
		log_line(LOG_INFO, "%s: stopping", strsignal((int)info.ssi_signo));
		stop = true;
	}
	return stop;
}

void control_defer(unsigned request_id, uint64_t number)
{
	if (n_deferred == DEFERRED_MAX) {
		ctl_reply(app.ctl, request_id, ctl_error("too many reloads are waited for"));
		return;
	}
	deferred[n_deferred].request_id = request_id;
	deferred[n_deferred++].number = number;
}

static void deferred_answer(void)
{
	uint64_t finished = loader_finished();
	eventfd_t value;
	unsigned kept = 0;

	eventfd_read(loader_fd(), &value);
	for (unsigned i = 0; i < n_deferred; i++) {
		json_t *reply;

		if (deferred[i].number > finished) {
			deferred[kept++] = deferred[i];
			continue;
		}
		pthread_mutex_lock(&app.lock);
		reply = app.load.failed_at
				? ctl_error("reload failed, generation %u stays in force: %s",
					  app.load.generation, app.load.error)
				: json_pack("{s:I, s:I, s:I, s:f}", "generation",
					  (json_int_t)app.load.generation, "names",
					  (json_int_t)app.load.names, "consent_prefixes",
					  (json_int_t)app.load.consent_prefixes, "load_seconds",
					  app.load.load_seconds);
		pthread_mutex_unlock(&app.lock);
		ctl_reply(app.ctl, deferred[i].request_id, reply);
	}
	n_deferred = kept;
}

// Midnight in the operator's zone: entries switch by the day alone, no table changes.
static void day_watch(void)
{
	uint16_t today = list_day_of(time(NULL));
	char text[11];

	if (today == replica_today(app.replicas))
		return;
	replica_set_today(app.replicas, today);
	pthread_mutex_lock(&app.lock);
	load_count_active(replica_master(app.replicas), today, &app.load);
	pthread_mutex_unlock(&app.lock);
	log_line(LOG_INFO, "entries of %s are in force", list_day_format(today, text));
}

// What one side sees of its cable, the other side's neighbour shall see too.
static void links_watch(void)
{
	for (unsigned i = 0; i + 1 < app.n_ports; i += 2) {
		struct port *pair[2] = {&app.ports[i], &app.ports[i + 1]};

		for (unsigned side = 0; side < 2; side++) {
			struct port *port = pair[side], *partner = pair[1 - side];
			bool up = port_link(port);

			// A port that we took down says nothing about its cable.
			if (port->down_by_us || up == !partner->down_by_us)
				continue;
			log_line(LOG_WARN, "port %u (%s): link %s, so is port %u (%s)", port->id,
				port->name, up ? "up again" : "down", partner->id, partner->name);
			if (port_link_set(partner, up) < 0) {
				// Tell it once; the port cannot show it.
				partner->down_by_us = !up;
			}
		}
	}
}

static bool all_idle(uint64_t now)
{
	static uint64_t idle_since;
	bool idle = true;

	for (unsigned i = 0; i < app.n_workers; i++)
		idle &= atomic_load_explicit(&app.workers[i]->empty_run, memory_order_relaxed) >
			EMPTY_RUN_MIN;
	if (!idle || idle_since == 0)
		idle_since = now;
	return idle && (now - idle_since) * 1000 / rte_get_tsc_hz() >= app.options.exit_when_idle;
}

int control_loop(void)
{
	struct pollfd fds[3] = {
		{.fd = signal_fd, .events = POLLIN},
		{.fd = loader_fd(), .events = POLLIN},
		{.fd = app.ctl ? ctl_server_fd(app.ctl) : -1, .events = POLLIN},
	};
	uint64_t ticked = 0, tick = rte_get_tsc_hz() * TICK_MS / 1000;

	for (;;) {
		uint64_t now;

		poll(fds, 3, app.core_on_main ? TICK_CORE_MS : TICK_MS);
		if (fds[0].revents && signals_take())
			return APP_DONE;
		if (fds[1].revents)
			deferred_answer();
		if (app.core_on_main)
			core_poll();
		if (app.ctl)
			ctl_server_poll(app.ctl);
		now = rte_rdtsc();
		if (now - ticked < tick)
			continue;
		ticked = now;
		day_watch();
		if (app.link_propagate)
			links_watch();
		if (app.options.exit_when_idle && all_idle(now))
			return APP_DONE;
	}
}
