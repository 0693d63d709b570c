/* SPDX-License-Identifier: BSD-3-Clause */
#include "core_tap.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/counter.h"
#include "base/log.h"
#include "dns/dns_msg.h"
#include "tap/tap_scrub.h"
#include "tap/tap_sender.h"

#define PATIENCE_MS 2000 // at the end, for collectors to take what is left

static const char version[] = "dnsweir " DNSWEIR_VERSION;
static const char policy_type[] = "RPZ"; // the form of policy that readers of dnstap know

static struct {
	struct tap_sender *sender; // NULL: nothing is sent
	struct tls_keeper *tls;    // NULL: nothing is sent over TLS
	unsigned sample, turn;
	char identity[HOST_NAME_MAX + 1];
	uint64_t mirror_lost; // core: records that did not come so far
	uint64_t left_out;    // core: w, others: r; not sampled
	pthread_mutex_t lock; // of what follows, and of the sender's end
	bool was_on;
	struct tap_sender_stats last; // when it was closed
} tap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void thread_start(void)
{
	loader_cpus(true, NULL);
}

static unsigned endpoints_add(
	struct endpoint *to, unsigned n, const struct endpoints *more, bool tls)
{
	for (unsigned i = 0; i < more->n; i++) {
		to[n] = more->at[i];
		to[n++].tls = tls;
	}
	return n;
}

static int tls_open(const struct conf *conf, char *error)
{
	const struct tls_files files = {
		conf->tap_tls_certificate, conf->tap_tls_key, conf->tap_tls_ca};
	char why[TLS_ERROR_SIZE];

	if (conf->tap_tls.n == 0 || tls_keeper_open(&files, &tap.tls, why) == 0)
		return 0;
	snprintf(error, APP_ERROR_SIZE, "[tap] tls: %s", why);
	return -1;
}

int core_tap_start(char *error)
{
	struct endpoint to[3 * ENDPOINTS_MAX];
	const struct conf *conf = app.conf;
	struct tap_sender_config config = {
		.to = to,
		.connections = conf->tap_connections,
		.queue_size = (size_t)conf->tap_queue << 20,
		.tls_name = conf->tap_tls_name,
		.thread_start = thread_start,
	};

	if (!conf_taps(conf))
		return 0;
	if (tls_open(conf, error) < 0)
		return -1;
	config.tls = tap.tls;
	config.n = endpoints_add(to, 0, &conf->tap_sockets, false);
	config.n = endpoints_add(to, config.n, &conf->tap_tcp, false);
	config.n = endpoints_add(to, config.n, &conf->tap_tls, true);
	tap.sample = conf->tap_sample;
	snprintf(tap.identity, sizeof(tap.identity), "%s", conf->tap_identity);
	if (!tap.identity[0] && gethostname(tap.identity, sizeof(tap.identity) - 1) < 0)
		tap.identity[0] = '\0';
	tap.sender = tap_sender_open(&config);
	if (!tap.sender) {
		tls_keeper_close(tap.tls);
		snprintf(error, APP_ERROR_SIZE, "[tap] with a queue of %u MiB: %s", conf->tap_queue,
			strerror(errno));
		return -1;
	}
	tap.was_on = true;
	if (tap.sample > 1)
		log_line(LOG_WARN,
			"[tap] sample: of the responses without a rule only 1 in %u is sent",
			tap.sample);
	return 0;
}

bool core_tap_on(void)
{
	return tap.sender != NULL;
}

void core_tap_stop(void)
{
	if (!tap.sender)
		return;
	pthread_mutex_lock(&tap.lock);
	tap_sender_close(tap.sender, PATIENCE_MS, &tap.last);
	tap.sender = NULL;
	pthread_mutex_unlock(&tap.lock);
	tls_keeper_close(tap.tls);
	if (tap.last.lost_stop > 0)
		log_line(LOG_WARN, "[tap]: %llu frames were left that nobody took",
			(unsigned long long)tap.last.lost_stop);
}

void core_tap_flush(void)
{
	if (!tap.sender)
		return;
	tap_sender_flush(tap.sender);
	// Once a round: these counters are in lines that workers write.
	tap.mirror_lost = 0;
	for (unsigned i = 0; i < app.n_workers; i++)
		tap.mirror_lost += counter_read(&app.stats[i]->mirror_lost);
}

static struct tap_octets text_octets(const char *text)
{
	return (struct tap_octets){*text ? (const uint8_t *)text : NULL, strlen(text)};
}

static enum tap_action action_of(enum reason reason)
{
	switch (reason) {
	case REASON_fallback:
	case REASON_rewritten:
	case REASON_answered:
		return TAP_LOCAL_DATA;
	case REASON_truncated:
		return TAP_TRUNCATE;
	case REASON_nodata:
		return TAP_NODATA;
	case REASON_nxdomain:
		return TAP_NXDOMAIN;
	case REASON_dropped:
		return TAP_DROP;
	default:
		return TAP_PASS;
	}
}

/** What a rule decided. @param name room for the name that it matched */
static void policy_fill(const struct mirror_record *record, const uint8_t *msg,
	const struct core_seen *seen, struct tap_message *message, struct dns_name *name)
{
	struct tap_policy *policy = &message->policy;

	message->has_policy = true;
	policy->type = text_octets(policy_type);
	policy->action = action_of(record->reason);
	if (seen->list)
		policy->rule = text_octets(seen->id);
	// For names in the answer dnstap has no word.
	if (record->match == DNS_HEADER_SIZE)
		policy->match = TAP_QNAME;
	if (record->match < record->stored_size &&
		dns_msg_name_read(msg, record->stored_size, record->match, name) > 0)
		policy->value = (struct tap_octets){name->bytes, name->size};
}

static void extra_fill(
	const struct mirror_record *record, const struct core_seen *seen, struct tap_extra *extra)
{
	memset(extra, 0, sizeof(*extra));
	extra->generation = record->generation;
	extra->bits = seen->client.length;
	extra->sample = tap.sample;
	extra->lost = tap.mirror_lost;
	if (record->rule == MIRROR_NO_RULE)
		return;
	snprintf(extra->verdict, sizeof(extra->verdict), "%s", reason_name(record->reason));
	if (!seen->list)
		return;
	snprintf(extra->list, sizeof(extra->list), "%s", seen->list->name);
	snprintf(
		extra->action, sizeof(extra->action), "%s", policy_action_name(seen->list->action));
}

void core_tap_send(const struct mirror_record *record, uint8_t *msg, const struct core_seen *seen)
{
	bool whole = reason_is_filtered(record->reason), v4 = seen->client.addr.family == ADDR_IPV4;
	struct tap_message message = {
		.identity = text_octets(tap.identity),
		.version = text_octets(version),
		.type = TAP_CLIENT_RESPONSE,
		.family = v4 ? TAP_INET : TAP_INET6,
		.protocol = record->protocol == IPPROTO_TCP ? TAP_TCP : TAP_UDP,
		.query_address = {seen->client.addr.bytes, v4 ? 4 : 16},
		// A port tells clients behind one address apart (RFC 8932 s5.2.1).
		.query_port = whole ? record->client_port : 0,
		.response_port = record->server_port,
		.response_time = {(uint64_t)(seen->time_ns / 1000000000),
			(uint32_t)(seen->time_ns % 1000000000)},
	};
	struct tap_extra extra;
	struct dns_name name;

	if (record->rule == MIRROR_NO_RULE && ++tap.turn < tap.sample) {
		counter_add(&tap.left_out, 1);
		return;
	}
	if (record->rule == MIRROR_NO_RULE)
		tap.turn = 0;
	// A pseudonym may be of the other family than the server's address, which does without then.
	if ((record->family == ADDR_IPV4) == v4)
		message.response_address = (struct tap_octets){record->server, v4 ? 4 : 16};
	if (msg && record->rule != MIRROR_NO_RULE)
		policy_fill(record, msg, seen, &message, &name);
	if (msg)
		message.response_message =
			(struct tap_octets){msg, tap_scrub(msg, record->stored_size)};
	extra_fill(record, seen, &extra);
	tap_sender_send(tap.sender, &message, &extra);
}

/* ---- what is shown -------------------------------------------------------------------------- */

static bool stats_get(struct tap_sender_stats *stats)
{
	bool on;

	pthread_mutex_lock(&tap.lock);
	on = tap.was_on;
	if (tap.sender)
		tap_sender_stats_get(tap.sender, stats);
	else
		*stats = tap.last;
	pthread_mutex_unlock(&tap.lock);
	return on;
}

void core_tap_counters(json_t *object)
{
	struct tap_sender_stats stats = {0};

	stats_get(&stats);
	json_object_update_new(object,
		json_pack("{s:I, s:I, s:I, s:{s:I, s:I}, s:I, s:I, s:I}",
			"dnsweir_tap_frames_total", (json_int_t)stats.frames,
			"dnsweir_tap_sent_total", (json_int_t)stats.sent,
			"dnsweir_tap_left_out_total", (json_int_t)counter_read(&tap.left_out),
			"dnsweir_tap_lost_total", "queue", (json_int_t)stats.lost_full, "stop",
			(json_int_t)stats.lost_stop, "dnsweir_tap_connects_total",
			(json_int_t)stats.connects, "dnsweir_tap_refused_total",
			(json_int_t)stats.refused, "dnsweir_tap_connected",
			(json_int_t)stats.connected));
}

json_t *core_tap_json(void)
{
	struct tap_sender_stats stats = {0};
	bool on = stats_get(&stats);

	return json_pack("{s:b, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "enabled",
		on, "connections", (int)stats.lanes, "connected", (int)stats.connected, "connects",
		(json_int_t)stats.connects, "refused", (json_int_t)stats.refused, "frames",
		(json_int_t)stats.frames, "sent", (json_int_t)stats.sent, "lost_queue",
		(json_int_t)stats.lost_full, "lost_stop", (json_int_t)stats.lost_stop,
		"waiting_bytes", (json_int_t)stats.waiting, "left_out",
		(json_int_t)counter_read(&tap.left_out), "sample", (int)(on ? tap.sample : 0));
}
