/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the service counts, as one JSON object: at its end, at SIGUSR1, and in the API.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "dump/dump.h"
#include "list/list.h"
#include "pdns/pdns_feed.h"
#include "serve.h"

static const char *const refusals[SERVE_REFUSALS] = {
	[SERVE_NO_DNSTAP] = "no_dnstap",
	[SERVE_OTHER_TYPE] = "other_type",
	[SERVE_BAD_TIME] = "bad_time",
	[SERVE_NO_ROOM] = "no_room",
};

static const char *const feed_refusals[SERVE_FEED_REFUSALS] = {
	[SERVE_FEED_TOO_MANY] = "too_many",
	[SERVE_FEED_TOO_LATE] = "too_late",
	[SERVE_FEED_OTHER] = "other_feed",
	[SERVE_FEED_NO_KEY] = "no_key",
};

const char *serve_feed_refusal_name(enum serve_feed_refusal refusal)
{
	return feed_refusals[refusal];
}

const char *serve_refusal_name(enum serve_refusal refusal)
{
	return refusals[refusal];
}

static void sender_show(const struct serve_sender *sender, FILE *out)
{
	fputs("{\"peer\":", out);
	http_json_text(out, sender->peer);
	fprintf(out,
		",\"connections\":%" PRIu64 ",\"frames\":%" PRIu64 ",\"taken\":%" PRIu64
		",\"opted_out\":%" PRIu64 ",\"observed\":%" PRIu64 ",\"lost_mirror\":%" PRIu64
		",\"refused\":{",
		atomic_load(&sender->connections), atomic_load(&sender->frames),
		atomic_load(&sender->taken), atomic_load(&sender->opted_out),
		atomic_load(&sender->observed), atomic_load(&sender->lost_mirror));
	for (unsigned i = 0; i < SERVE_REFUSALS; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", refusals[i],
			atomic_load(&sender->refused[i]));
	fputs("}}", out);
}

static void contacts_show(struct serve *serve, FILE *out)
{
	struct contact_counts counts;

	if (!serve->follow)
		return;
	contact_follow_counts(serve->follow, &counts);
	fprintf(out,
		",\"sinkhole\":{\"lines\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"bad_time\":%" PRIu64
		",\"opted_out\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"left_out\":%" PRIu64
		",\"gaps\":%" PRIu64 "}",
		counts.lines, counts.bad, counts.bad_time, counts.opted_out, counts.stored,
		counts.left_out, counts.gaps);
}

static void pdns_show(struct pdns *pdns, FILE *out)
{
	struct pdns_stats s;

	pdns_stats_get(pdns, &s);
	fprintf(out,
		"\"pdns\":{\"messages\":%" PRIu64 ",\"tuples\":%" PRIu64 ",\"waiting\":%" PRIu64
		",\"flushed\":%" PRIu64 ",\"failed_flushes\":%" PRIu64 ",\"malformed\":%" PRIu64
		",\"made_up\":%" PRIu64 ",\"no_room\":%" PRIu64 ",\"skipped_records\":%" PRIu64
		",\"numbered\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"bytes\":%" PRIu64
		",\"gaps\":%" PRIu64 ",\"gap_seconds\":%" PRIu64 ",\"gap_from\":%" PRId64
		",\"gap_to\":%" PRId64 "},",
		s.messages, s.tuples, s.waiting, s.flushed, s.failed_flushes, s.malformed,
		s.made_up, s.no_room, s.skipped_records, s.numbered, s.lost, s.bytes, s.gaps,
		s.gap_seconds, s.gap_from_s, s.gap_to_s);
}

static void feed_show(struct serve *serve, FILE *out)
{
	struct pdns_feed_state state;

	pdns_feed_state_get(serve->pdns, &state);
	fprintf(out,
		"\"feed\":{\"readers\":%u,\"rows\":%" PRIu64 ",\"bytes\":%" PRIu64
		",\"segments\":%zu,\"oldest_s\":%" PRId64 ",\"refused\":{",
		atomic_load(&serve->feeding), state.next, state.bytes, state.segments,
		state.oldest_s);
	for (unsigned i = 0; i < SERVE_FEED_REFUSALS; i++)
		fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", feed_refusals[i],
			atomic_load(&serve->feed_refused[i]));
	fputs("}},", out);
}

static void dumps_show(struct serve *serve, FILE *out)
{
	struct dump_state state;
	char day[11];

	fprintf(out, "\"dumps\":{\"failed\":%" PRIu64, atomic_load(&serve->dump_failures));
	if (dump_state_get(serve->conf->pdns_store, &state) == 0) {
		fprintf(out, ",\"files\":%u,\"bytes\":%" PRIu64, state.files, state.bytes);
		if (state.last_day > 0)
			fprintf(out, ",\"last_day\":\"%s\",\"last_bytes\":%" PRIu64,
				list_day_format(state.last_day, day), state.last_bytes);
	}
	fputs("},", out);
}

static void tls_show(const struct tap_listener_stats *connections, FILE *out)
{
	const char *comma = "";

	fputs("\"tls_refused\":{", out);
	for (enum tls_fault f = TLS_GOOD + 1; f < TLS_FAULTS; f++, comma = ",")
		fprintf(out, "%s\"%s\":%" PRIu64, comma, tls_fault_name(f),
			connections->tls_refused[f]);
	fputs("},", out);
}

void serve_counters(struct serve *serve, const struct tap_listener_stats *connections, FILE *out)
{
	struct store_sender *streams = NULL;
	struct store_stats store;
	uint64_t produced = 0, lost = 0;
	int n;

	pthread_mutex_lock(&serve->lock);
	store_stats_get(serve->store, &store);
	n = store_senders(serve->store, &streams);
	for (int i = 0; i < n; i++) {
		produced += streams[i].last_seq;
		lost += streams[i].lost;
	}
	free(streams);
	fprintf(out,
		"{\"connections\":%" PRIu64 ",\"connections_refused\":%" PRIu64 ",\"open\":%u,",
		connections->connections, connections->refused, connections->open);
	tls_show(connections, out);
	fprintf(out,
		"\"stored\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"refused\":%" PRIu64
		",\"failed_commits\":%" PRIu64 ",\"numbered\":%" PRIu64 ",\"lost\":%" PRIu64 ",",
		store.stored, store.pending, store.refused, store.failed_commits, produced, lost);
	pthread_mutex_unlock(&serve->lock);
	if (serve->pdns) {
		pdns_show(serve->pdns, out);
		if (pdns_has_feed(serve->pdns))
			feed_show(serve, out);
		dumps_show(serve, out);
	}
	fputs("\"senders\":[", out);
	pthread_mutex_lock(&serve->sender_lock);
	for (unsigned i = 0; i < serve->n_senders; i++) {
		if (i)
			fputc(',', out);
		sender_show(&serve->senders[i], out);
	}
	fputc(']', out);
	pthread_mutex_unlock(&serve->sender_lock);
	contacts_show(serve, out);
	fputs("}\n", out);
	fflush(out);
}
