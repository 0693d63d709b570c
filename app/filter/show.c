/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "list/list.h"

#define HITS_SHOWN 20

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *show_moment(int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[40];
	struct tm tm;

	if (seconds == 0)
		return json_null();
	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm);
	return json_string(text);
}

void show_sum(struct stats_worker *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < app.n_workers; i++)
		stats_add(sum, app.stats[i]);
}

unsigned show_lists(struct stats_list lists[POLICY_LISTS_MAX])
{
	const struct policy *policy = &app.conf->policy;

	for (unsigned i = 0; i < policy->n_lists; i++)
		lists[i] = (struct stats_list){
			policy->lists[i].name, policy->lists[i].action, policy->lists[i].slot};
	return policy->n_lists;
}

static json_t *show_version(void)
{
	return json_pack("{s:s, s:i, s:o, s:f, s:i}", "version", DNSWEIR_VERSION, "pid",
		(int)getpid(), "started", show_moment(app.started_at), "uptime_seconds",
		(double)(rte_rdtsc() - app.started_tsc) / (double)rte_get_tsc_hz(), "workers",
		(int)app.n_workers);
}

// The counters alone, with app.lock held.
static json_t *counters(void)
{
	static struct stats_worker sum;
	static struct stats_list lists[POLICY_LISTS_MAX];

	show_sum(&sum);
	return stats_json(&sum, lists, show_lists(lists));
}

json_t *show_stats(void)
{
	json_t *object;

	pthread_mutex_lock(&app.lock);
	object = counters();
	json_object_set_new(object, "dnsweir_generation", number(app.load.generation));
	json_object_set_new(object, "dnsweir_names", number(app.load.names));
	json_object_set_new(object, "dnsweir_patterns", number(app.load.patterns));
	json_object_set_new(object, "dnsweir_consent_prefixes", number(app.load.consent_prefixes));
	json_object_set_new(object, "dnsweir_reloads_total", number(app.load.reloads_done));
	json_object_set_new(
		object, "dnsweir_reloads_failed_total", number(app.load.reloads_failed));
	core_tap_counters(object);
	pthread_mutex_unlock(&app.lock);
	json_object_set_new(object, "dnsweir_filtered_ids_total", ids_stats());
	totals_stats(object);
	return object;
}

static json_t *show_verdicts(void)
{
	json_t *array = json_array();
	struct stats_worker *sum = aligned_alloc(64, sizeof(*sum));

	if (!sum)
		return ctl_error("out of memory");
	show_sum(sum);
	for (enum reason reason = REASON_none + 1; reason < REASON_COUNT; reason++)
		json_array_append_new(array,
			json_pack("{s:s, s:I, s:s}", "reason", reason_name(reason), "packets",
				(json_int_t)sum->verdicts[reason], "meaning", reason_text(reason)));
	free(sum);
	return json_pack("{s:o}", "verdicts", array);
}

static json_t *show_responses(void)
{
	json_t *array = json_array();
	struct stats_worker *sum = aligned_alloc(64, sizeof(*sum));

	if (!sum)
		return ctl_error("out of memory");
	show_sum(sum);
	for (uint8_t rcode = 0; rcode < STATS_RCODES; rcode++)
		for (enum dns_type_row type = 0; type < DNS_TYPE_ROW_COUNT; type++)
			if (sum->responses[rcode][type])
				json_array_append_new(array,
					json_pack("{s:s, s:s, s:I}", "rcode", dns_rcode_name(rcode),
						"type", dns_type_row_name(type), "responses",
						(json_int_t)sum->responses[rcode][type]));
	free(sum);
	return json_pack("{s:o}", "responses", array);
}

static json_t *list_row(unsigned i, const struct stats_worker *sum)
{
	const struct policy_list *list = &app.conf->policy.lists[i];
	const struct load_list *state = &app.load.lists[i];
	uint64_t filtered = 0;

	// What was done may be something else than the action that is in force: a fallback, or one before.
	for (enum policy_action action = 0; action < POLICY_ACTIONS; action++)
		filtered += sum->filtered[list->slot][action];

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "name", list->name, "action",
		policy_action_name(list->action), "kind",
		app.conf->lists[i].format == CONF_FORMAT_PATTERN    ? "patterns"
		: app.conf->lists[i].format == CONF_FORMAT_BUILT_IN ? "built in"
								    : "names",
		"names", (json_int_t)state->names, "active", (json_int_t)state->active, "bad_lines",
		(json_int_t)state->bad, "matched", (json_int_t)sum->matched[list->slot], "filtered",
		(json_int_t)filtered);
}

json_t *show_lists_json(void)
{
	static struct stats_worker sum;
	json_t *array = json_array();

	pthread_mutex_lock(&app.lock);
	show_sum(&sum);
	for (unsigned i = 0; i < app.conf->policy.n_lists; i++)
		json_array_append_new(array, list_row(i, &sum));
	pthread_mutex_unlock(&app.lock);
	return json_pack("{s:o}", "lists", array);
}

static json_t *sinkhole_json(const struct policy_sinkhole *sinkhole)
{
	json_t *ipv4 = json_array(), *ipv6 = json_array();
	char text[ADDR_TEXT_SIZE];
	struct addr addr = {0};

	for (unsigned i = 0; i < sinkhole->n_ipv4; i++) {
		addr.family = ADDR_IPV4;
		memcpy(addr.bytes, sinkhole->ipv4[i], 4);
		json_array_append_new(ipv4, json_string(addr_format(&addr, text)));
	}
	for (unsigned i = 0; i < sinkhole->n_ipv6; i++) {
		addr.family = ADDR_IPV6;
		memcpy(addr.bytes, sinkhole->ipv6[i], 16);
		json_array_append_new(ipv6, json_string(addr_format(&addr, text)));
	}
	return json_pack("{s:o, s:o, s:I}", "ipv4", ipv4, "ipv6", ipv6, "ttl_max",
		(json_int_t)sinkhole->ttl_max);
}

// What a filtering list says besides its action, as in the configuration.
static json_t *settings_json(const struct policy_list *list)
{
	json_t *object = json_pack("{s:s}", "dnssec",
		list->dnssec == POLICY_DNSSEC_SKIP_SIGNED ? "skip-signed" : "rewrite");

	if (list->action == POLICY_SINKHOLE)
		json_object_set_new(
			object, "on_empty", json_string(list->answer_empty ? "answer" : "pass"));
	if (list->ede != POLICY_EDE_NONE) {
		json_object_set_new(object, "ede", json_integer(policy_ede_code(list->ede)));
		json_object_set_new(object, "ede_text", json_string(list->ede_text));
	}
	return object;
}

static json_t *show_list(const char *name)
{
	struct stats_worker *sum = aligned_alloc(64, sizeof(*sum));
	json_t *object = NULL;

	if (!sum)
		return ctl_error("out of memory");
	pthread_mutex_lock(&app.lock);
	show_sum(sum);
	for (unsigned i = 0; i < app.conf->policy.n_lists && !object; i++) {
		const struct policy_list *list = &app.conf->policy.lists[i];

		if (strcmp(list->name, name) != 0)
			continue;
		object = list_row(i, sum);
		json_object_set_new(object, "source", json_string(app.conf->lists[i].source));
		json_object_set_new(
			object, "first_bad_line", json_string(app.load.lists[i].first_bad));
		if (policy_action_sinkholes(list->action))
			json_object_set_new(object, "sinkhole", sinkhole_json(&list->sinkhole));
		if (policy_action_filters(list->action))
			json_object_update_new(object, settings_json(list));
	}
	pthread_mutex_unlock(&app.lock);
	free(sum);
	return object ? object : ctl_error("no list \"%s\"; `show lists` has their names", name);
}

json_t *show_port_json(unsigned i)
{
	const struct port *port = &app.ports[i];
	struct port_state state;

	port_read(port, &state);
	return json_pack(
		"{s:i, s:s, s:s, s:i, s:s, s:s, s:s, s:i, s:i, s:b, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:I, s:I}",
		"port", port->id, "name", port->name, "side", i % 2 ? "resolver" : "client",
		"partner", app.ports[i ^ 1].id, "driver", port->driver, "interface", port->ifname,
		"link",
		port->down_by_us ? "down with partner"
		: state.up       ? "up"
				 : "down",
		"queues", port->n_queues, "mtu", port->mtu, "rss", port->rss, "rx_packets",
		(json_int_t)state.rx_packets, "tx_packets", (json_int_t)state.tx_packets,
		"rx_bytes", (json_int_t)state.rx_bytes, "tx_bytes", (json_int_t)state.tx_bytes,
		"rx_missed", (json_int_t)state.rx_missed, "rx_no_mbuf",
		(json_int_t)state.rx_no_mbuf, "rx_errors", (json_int_t)state.rx_errors, "tx_errors",
		(json_int_t)state.tx_errors);
}

static json_t *show_ports(void)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < app.n_ports; i++)
		json_array_append_new(array, show_port_json(i));
	return json_pack("{s:o}", "ports", array);
}

static json_t *worker_json(unsigned i)
{
	struct worker *w = app.workers[i];
	uint64_t busy = atomic_load_explicit(&w->rounds_busy, memory_order_relaxed);
	uint64_t empty = atomic_load_explicit(&w->rounds_empty, memory_order_relaxed);

	return json_pack("{s:i, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "worker",
		(int)i, "lcore", (int)w->lcore, "idle", w->spin ? "spin" : "backoff", "rx_packets",
		(json_int_t)counter_read(&w->stats->rx_packets), "tx_packets",
		(json_int_t)counter_read(&w->stats->tx_packets), "tx_dropped",
		(json_int_t)counter_read(&w->stats->tx_dropped), "rounds_busy", (json_int_t)busy,
		"rounds_empty", (json_int_t)empty, "mirrored",
		(json_int_t)counter_read(&w->stats->mirrored), "mirror_lost",
		(json_int_t)counter_read(&w->stats->mirror_lost), "mirror_ring_used",
		(json_int_t)mirror_ring_used(app.rings[i]));
}

json_t *show_workers_json(void)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < app.n_workers; i++)
		json_array_append_new(array, worker_json(i));
	return json_pack("{s:o}", "workers", array);
}

static json_t *show_mirror(void)
{
	uint64_t produced = 0, lost = 0;
	bool enabled = app.rings[0] != NULL;
	unsigned slots;

	// As started: a changed file takes effect at the next start.
	pthread_mutex_lock(&app.lock);
	slots = enabled ? app.conf->mirror_ring_slots : 0;
	pthread_mutex_unlock(&app.lock);
	for (unsigned i = 0; i < app.n_workers; i++) {
		produced += counter_read(&app.stats[i]->mirrored);
		lost += counter_read(&app.stats[i]->mirror_lost);
	}
	return json_pack("{s:b, s:I, s:I, s:I, s:i}", "enabled", enabled, "records",
		(json_int_t)produced, "taken",
		(json_int_t)atomic_load_explicit(&app.core_records, memory_order_relaxed), "lost",
		(json_int_t)lost, "ring_slots", (int)slots);
}

static json_t *show_generation(void)
{
	char today[11];
	json_t *object;

	pthread_mutex_lock(&app.lock);
	object = json_pack("{s:I, s:o, s:f, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:o, s:s}",
		"generation", (json_int_t)app.load.generation, "loaded",
		show_moment(app.load.loaded_at), "load_seconds", app.load.load_seconds, "names",
		(json_int_t)app.load.names, "bytes_per_worker", (json_int_t)app.load.names_bytes,
		"patterns", (json_int_t)app.load.patterns, "patterns_bytes",
		(json_int_t)app.load.patterns_bytes, "today",
		list_day_format(replica_today(app.replicas), today), "reloads_done",
		(json_int_t)app.load.reloads_done, "reloads_failed",
		(json_int_t)app.load.reloads_failed, "last_failed", show_moment(app.load.failed_at),
		"last_error", app.load.error);
	pthread_mutex_unlock(&app.lock);
	return object;
}

static json_t *show_hits(const char *args)
{
	unsigned long n = HITS_SHOWN;
	char *end;

	if (*args) {
		n = strtoul(args, &end, 10);
		if (*end || n < 1 || n > 1024)
			return ctl_error("expected a number of hits, 1 to 1024, got \"%s\"", args);
	}
	if (!app.rings[0])
		return ctl_error("no hits are kept: mirroring is off ([mirror] enabled = no)");
	return json_pack("{s:o}", "hits", core_hits((unsigned)n));
}

json_t *show_command(void *ctx, const struct ctl_command *command, const char *args,
	const struct ctl_peer *peer, unsigned request_id)
{
	static const struct {
		const char *path;
		json_t *(*plain)(void);
		json_t *(*with)(const char *);
	} handlers[] = {
		{"show version", show_version, NULL},
		{"show stats", show_stats, NULL},
		{"show verdicts", show_verdicts, NULL},
		{"show responses", show_responses, NULL},
		{"show lists", show_lists_json, NULL},
		{"show list", NULL, show_list},
		{"show ports", show_ports, NULL},
		{"show workers", show_workers_json, NULL},
		{"show mirror", show_mirror, NULL},
		{"show tap", core_tap_json, NULL},
		{"show consent", consent_show, NULL},
		{"show generation", show_generation, NULL},
		{"show loading", load_loading_json, NULL},
		{"show totals", totals_show, NULL},
		{"show ids", NULL, ids_show},
		{"show hits", NULL, show_hits},
		{"explain", NULL, explain_json},
		{"consent", NULL, consent_of},
	};

	(void)ctx;
	(void)peer;
	if (strcmp(command->path, "reload") == 0) {
		control_defer(request_id, loader_request());
		return NULL;
	}
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (strcmp(handlers[i].path, command->path) == 0)
			return handlers[i].plain ? handlers[i].plain() : handlers[i].with(args);
	return ctl_error("\"%s\" is not served", command->path);
}
