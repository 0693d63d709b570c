/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The collector's own counters, and behind them those of boxes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "dump/dump.h"
#include "pdns/pdns_feed.h"

#define OPEN_TYPE  "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PLAIN_TYPE "text/plain; version=0.0.4; charset=utf-8"

static void store_write(struct metrics *metrics, struct serve *serve)
{
	static const char *const log[] = {"kind", "log", NULL};
	static const char *const filtered[] = {"kind", "filtered", NULL};
	static const char *const sinkhole[] = {"kind", "sinkhole", NULL};
	int64_t oldest = store_oldest_ms(serve->store), now = (int64_t)time(NULL) * 1000;
	struct store_sizes sizes;
	struct store_stats stats;

	store_stats_get(serve->store, &stats);
	metrics_value(metrics, "dnsweir_log_oldest_seconds",
		"Age of the begin of the oldest day in the log; 0: there is none.",
		oldest && oldest < now ? (uint64_t)(now - oldest) / 1000 : 0);
	if (store_sizes_get(serve->store, &sizes) == 0) {
		metrics_value(metrics, "dnsweir_log_day_folders", "Days in the log.", sizes.days);
		metrics_family(metrics, "dnsweir_log_bytes", "What the log takes on the disk.");
		metrics_sample(metrics, "dnsweir_log_bytes", log, sizes.bytes[0]);
		metrics_sample(metrics, "dnsweir_log_bytes", filtered, sizes.bytes[1]);
		metrics_sample(metrics, "dnsweir_log_bytes", sinkhole, sizes.bytes[2]);
	}
	metrics_value(metrics, "dnsweir_log_stored_total", "Records written since the start.",
		stats.stored);
	metrics_value(metrics, "dnsweir_log_refused_total", "Records not taken since the start.",
		stats.refused);
	metrics_value(metrics, "dnsweir_log_failed_commits_total",
		"Commits that failed since the start.", stats.failed_commits);
	metrics_value(metrics, "dnsweir_log_pending_records", "Records that wait for a commit.",
		stats.pending);
}

static void streams_write(struct metrics *metrics, struct serve *serve)
{
	uint64_t numbered = 0, lost = 0;
	struct store_sender *streams = NULL;
	int n = store_senders(serve->store, &streams);

	for (int i = 0; i < n; i++) {
		numbered += streams[i].last_seq;
		lost += streams[i].lost;
	}
	free(streams);
	metrics_value(metrics, "dnsweir_collect_numbered_frames",
		"Frames that boxes numbered, over all streams in the log.", numbered);
	metrics_value(
		metrics, "dnsweir_collect_lost_frames", "Of them, those that never came.", lost);
}

static void sender_family(struct metrics *metrics, struct serve *serve, unsigned n,
	const char *name, const char *help, size_t offset)
{
	metrics_family(metrics, name, help);
	for (unsigned i = 0; i < n; i++) {
		const char *const labels[] = {"peer", serve->senders[i].peer, NULL};

		metrics_sample(metrics, name, labels,
			atomic_load(
				(_Atomic uint64_t *)(void *)((char *)&serve->senders[i] + offset)));
	}
}

static void senders_write(struct metrics *metrics, struct serve *serve)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} rows[] = {
		{"dnsweir_collect_frames_total", "Frames that came.",
			offsetof(struct serve_sender, frames)},
		{"dnsweir_collect_taken_total", "Frames that made a record.",
			offsetof(struct serve_sender, taken)},
		{"dnsweir_collect_opted_out_total", "Frames of clients that refuse a log.",
			offsetof(struct serve_sender, opted_out)},
		{"dnsweir_collect_lost_mirror_total",
			"Records that boxes lost before they had a number.",
			offsetof(struct serve_sender, lost_mirror)},
		{"dnsweir_collect_sender_connections_total", "Connections of a sender.",
			offsetof(struct serve_sender, connections)},
	};
	unsigned n;

	// A sender stays where it is.
	pthread_mutex_lock(&serve->sender_lock);
	n = serve->n_senders;
	pthread_mutex_unlock(&serve->sender_lock);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		sender_family(metrics, serve, n, rows[i].name, rows[i].help, rows[i].offset);
	metrics_family(metrics, "dnsweir_collect_refused_total", "Frames that made no record.");
	for (unsigned i = 0; i < n; i++)
		for (unsigned r = 0; r < SERVE_REFUSALS; r++)
			metrics_sample(metrics, "dnsweir_collect_refused_total",
				(const char *const[]){"peer", serve->senders[i].peer, "reason",
					serve_refusal_name(r), NULL},
				atomic_load(&serve->senders[i].refused[r]));
}

static void connections_write(struct metrics *metrics, struct serve *serve)
{
	struct tap_listener_stats tap;
	struct http_stats api;

	tap_listener_stats_get(serve->listener, &tap);
	metrics_value(metrics, "dnsweir_collect_connections_total", "Connections of senders.",
		tap.connections);
	metrics_value(metrics, "dnsweir_collect_connections_refused_total",
		"Connections of senders that were refused.", tap.refused);
	metrics_value(metrics, "dnsweir_collect_open_connections",
		"Connections of senders that are there.", tap.open);
	metrics_family(metrics, "dnsweir_collect_tls_refused_total",
		"Of them, those that TLS is the reason for.");
	for (enum tls_fault f = TLS_GOOD + 1; f < TLS_FAULTS; f++)
		metrics_sample(metrics, "dnsweir_collect_tls_refused_total",
			(const char *const[]){"reason", tls_fault_name(f), NULL},
			tap.tls_refused[f]);
	metrics_value(metrics, "dnsweir_collect_certificate_expires_seconds",
		"When the certificate for senders ends, seconds since 1970; 0: there is none.",
		(uint64_t)tap.expires_s);
	http_stats_get(serve->http, &api);
	metrics_value(metrics, "dnsweir_api_requests_total", "Requests that were answered.",
		api.requests);
	metrics_family(metrics, "dnsweir_api_refused_total", "Requests that were refused.");
	for (unsigned r = 0; r < HTTP_REFUSALS; r++)
		metrics_sample(metrics, "dnsweir_api_refused_total",
			(const char *const[]){"reason", http_refusal_name(r), NULL},
			api.refused[r]);
	metrics_value(metrics, "dnsweir_api_timeouts_total",
		"Connections that were closed since no request came.", api.timeouts);
	metrics_value(metrics, "dnsweir_api_open_connections", "Connections that are there.",
		api.connections);
	metrics_value(metrics, "dnsweir_api_certificate_expires_seconds",
		"When the certificate ends, seconds since 1970; 0: there is none.",
		(uint64_t)api.expires_s);
}

static void pdns_write(struct metrics *metrics, struct pdns *pdns)
{
	static const char *const reasons[] = {"malformed", "made_up", "no_room", "bad_time"};
	struct pdns_stats s;

	pdns_stats_get(pdns, &s);
	metrics_value(metrics, "dnsweir_pdns_messages_total", "Answers observed since the start.",
		s.messages);
	metrics_value(metrics, "dnsweir_pdns_observations_total", "Observations of tuples in them.",
		s.tuples);
	metrics_family(metrics, "dnsweir_pdns_refused_total", "Answers that gave nothing.");
	for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		metrics_sample(metrics, "dnsweir_pdns_refused_total",
			(const char *const[]){"reason", reasons[i], NULL},
			(const uint64_t[]){s.malformed, s.made_up, s.no_room, s.bad_time}[i]);
	metrics_value(metrics, "dnsweir_pdns_flushed_total", "Tuples written since the start.",
		s.flushed);
	metrics_value(metrics, "dnsweir_pdns_failed_flushes_total",
		"Writes that failed since the start.", s.failed_flushes);
	metrics_value(
		metrics, "dnsweir_pdns_waiting_tuples", "Tuples that wait for a write.", s.waiting);
	metrics_value(
		metrics, "dnsweir_pdns_bytes", "What the dataset takes on the disk.", s.bytes);
	metrics_value(metrics, "dnsweir_pdns_numbered_messages",
		"Messages that boxes numbered, over all streams in the dataset.", s.numbered);
	metrics_value(metrics, "dnsweir_pdns_lost_messages",
		"Of them, those that never came, or were lost before they were written.", s.lost);
	metrics_value(metrics, "dnsweir_pdns_gaps",
		"Times that a collector ended without writing what waited.", s.gaps);
	metrics_value(metrics, "dnsweir_pdns_gap_seconds",
		"Time from which something may be lost thereby.", s.gap_seconds);
}

static void feed_write(struct metrics *metrics, struct serve *serve)
{
	int64_t now = (int64_t)time(NULL);
	struct pdns_feed_state state;

	pdns_feed_state_get(serve->pdns, &state);
	metrics_value(metrics, "dnsweir_feed_readers", "Readers that follow the feed.",
		atomic_load(&serve->feeding));
	metrics_value(metrics, "dnsweir_feed_rows_total", "Rows written since the feed was begun.",
		state.next);
	metrics_value(
		metrics, "dnsweir_feed_bytes", "What the feed takes on the disk.", state.bytes);
	metrics_value(metrics, "dnsweir_feed_segments", "Files that it is in.", state.segments);
	metrics_value(metrics, "dnsweir_feed_oldest_seconds",
		"Age of the oldest row, about; 0: there is none.",
		state.oldest_s && state.oldest_s < now ? (uint64_t)(now - state.oldest_s) : 0);
	metrics_family(
		metrics, "dnsweir_feed_refused_total", "Readers that were refused or sent away.");
	for (unsigned i = 0; i < SERVE_FEED_REFUSALS; i++)
		metrics_sample(metrics, "dnsweir_feed_refused_total",
			(const char *const[]){"reason", serve_feed_refusal_name(i), NULL},
			atomic_load(&serve->feed_refused[i]));
}

static void dumps_write(struct metrics *metrics, struct serve *serve)
{
	struct dump_state state;

	metrics_value(metrics, "dnsweir_dump_failed_total",
		"Daily dumps that could not be written since the start.",
		atomic_load(&serve->dump_failures));
	if (dump_state_get(serve->conf->pdns_store, &state) < 0)
		return;
	metrics_value(metrics, "dnsweir_dump_files", "Files of daily dumps.", state.files);
	metrics_value(metrics, "dnsweir_dump_bytes", "What they take on the disk.", state.bytes);
	metrics_value(metrics, "dnsweir_dump_last_day_seconds",
		"When the latest day that is dumped began, seconds since 1970; 0: there is none.",
		state.last_day ? (uint64_t)(store_day_start_ms(state.last_day) / 1000) : 0);
	metrics_value(metrics, "dnsweir_dump_last_day_bytes",
		"What the files of that day take on the disk.", state.last_bytes);
}

void api_metrics(struct http_request *request, void *ctx)
{
	struct metrics metrics = {.out = http_out(request),
		.open = strstr(http_accept(request), "application/openmetrics-text")};
	struct serve *serve = ctx;

	http_begin(request, 200, metrics.open ? OPEN_TYPE : PLAIN_TYPE);
	store_write(&metrics, serve);
	streams_write(&metrics, serve);
	connections_write(&metrics, serve);
	senders_write(&metrics, serve);
	if (serve->pdns) {
		pdns_write(&metrics, serve->pdns);
		if (pdns_has_feed(serve->pdns))
			feed_write(&metrics, serve);
		dumps_write(&metrics, serve);
	}
	api_boxes_write(&metrics, &serve->conf->api_boxes);
	metrics_end(&metrics);
}
