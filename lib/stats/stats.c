/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/stats.h"

#include <string.h>

void stats_add(struct stats_worker *sum, const struct stats_worker *from)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *values = (const uint64_t *)from;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += counter_read(&values[i]);
}

static void visit_plain(const struct stats_worker *sum, stats_visitor visitor, void *ctx)
{
	const struct stats_row rows[] = {
		{"dnsweir_rx_packets_total", .value = sum->rx_packets},
		{"dnsweir_rx_bytes_total", .value = sum->rx_bytes},
		{"dnsweir_tx_packets_total", .value = sum->tx_packets},
		{"dnsweir_tx_bytes_total", .value = sum->tx_bytes},
		{"dnsweir_tx_dropped_total", .value = sum->tx_dropped},
		{"dnsweir_encrypted_total", {{"port", "853"}, {"transport", "tcp"}},
			sum->encrypted[STATS_ENCRYPTED_DOT]},
		{"dnsweir_encrypted_total", {{"port", "853"}, {"transport", "udp"}},
			sum->encrypted[STATS_ENCRYPTED_DOQ]},
		{"dnsweir_encrypted_total", {{"port", "443"}, {"transport", "tcp"}},
			sum->encrypted[STATS_ENCRYPTED_DOH]},
		{"dnsweir_encrypted_total", {{"port", "443"}, {"transport", "udp"}},
			sum->encrypted[STATS_ENCRYPTED_DOH3]},
		{"dnsweir_held_packets", .value = sum->held},
		{"dnsweir_streams", .value = sum->streams},
		{"dnsweir_streams_evicted_total", .value = sum->streams_evicted},
		{"dnsweir_streams_unfiltered_total", {{"reason", "gap"}},
			sum->streams_unfiltered[STATS_STREAM_GAP]},
		{"dnsweir_streams_unfiltered_total", {{"reason", "limit"}},
			sum->streams_unfiltered[STATS_STREAM_LIMIT]},
		{"dnsweir_streams_unfiltered_total", {{"reason", "framing"}},
			sum->streams_unfiltered[STATS_STREAM_FRAMING]},
		{"dnsweir_stream_messages_total", .value = sum->stream_messages},
		{"dnsweir_stream_parts_total", .value = sum->stream_parts},
		{"dnsweir_stream_late_total", .value = sum->stream_late},
		{"dnsweir_records_rewritten_total", {{"type", "A"}},
			sum->records_rewritten[STATS_RECORD_A]},
		{"dnsweir_records_rewritten_total", {{"type", "AAAA"}},
			sum->records_rewritten[STATS_RECORD_AAAA]},
		{"dnsweir_records_rewritten_total", {{"type", "SVCB"}},
			sum->records_rewritten[STATS_RECORD_SVCB]},
		{"dnsweir_records_rewritten_total", {{"type", "HTTPS"}},
			sum->records_rewritten[STATS_RECORD_HTTPS]},
		{"dnsweir_records_left_total", .value = sum->records_left},
		{"dnsweir_records_malformed_total", .value = sum->records_malformed},
		{"dnsweir_rrsigs_total", {{"result", "removed"}}, sum->rrsigs[STATS_RRSIG_REMOVED]},
		{"dnsweir_rrsigs_total", {{"result", "kept"}}, sum->rrsigs[STATS_RRSIG_KEPT]},
		{"dnsweir_ede_total", {{"result", "added"}}, sum->ede[STATS_EDE_ADDED]},
		{"dnsweir_ede_total", {{"result", "no_room"}}, sum->ede[STATS_EDE_NO_ROOM]},
		{"dnsweir_mirror_records_total", .value = sum->mirrored},
		{"dnsweir_mirror_lost_total", .value = sum->mirror_lost},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		visitor(ctx, &rows[i]);
}

static void visit_list(const struct stats_worker *sum, const struct stats_list *list,
	stats_visitor visitor, void *ctx)
{
	const struct stats_row matched = {
		"dnsweir_matched_total", {{"list", list->name}}, sum->matched[list->slot]};

	visitor(ctx, &matched);
	for (enum policy_action action = 0; action < POLICY_ACTIONS; action++) {
		struct stats_row row = {"dnsweir_filtered_total",
			{{"list", list->name}, {"action", policy_action_name(action)}},
			sum->filtered[list->slot][action]};

		// The action in force from the start; one of an earlier configuration while it counts.
		if (action == list->action || row.value)
			visitor(ctx, &row);
	}
}

void stats_visit(const struct stats_worker *sum, const struct stats_list *lists, unsigned n_lists,
	stats_visitor visitor, void *ctx)
{
	visit_plain(sum, visitor, ctx);
	for (enum reason reason = REASON_none + 1; reason < REASON_COUNT; reason++) {
		struct stats_row row = {"dnsweir_verdicts_total", {{"reason", reason_name(reason)}},
			sum->verdicts[reason]};

		visitor(ctx, &row);
	}
	for (unsigned i = 0; i < n_lists; i++)
		visit_list(sum, &lists[i], visitor, ctx);
	for (uint8_t rcode = 0; rcode < STATS_RCODES; rcode++)
		for (enum dns_type_row type = 0; type < DNS_TYPE_ROW_COUNT; type++) {
			struct stats_row row = {"dnsweir_responses_total",
				{{"rcode", dns_rcode_name(rcode)},
					{"type", dns_type_row_name(type)}},
				sum->responses[rcode][type]};

			if (row.value)
				visitor(ctx, &row);
		}
}

json_t *stats_object_under(json_t *object, const char *key)
{
	json_t *under = json_object_get(object, key);

	if (!under) {
		under = json_object();
		json_object_set_new(object, key, under);
	}
	return under;
}

static void row_to_json(void *ctx, const struct stats_row *row)
{
	const char *key = row->metric;
	json_t *object = ctx;

	for (unsigned i = 0; i < STATS_LABELS_MAX && row->labels[i].name; i++) {
		object = stats_object_under(object, key);
		key = row->labels[i].value;
	}
	json_object_set_new(object, key, json_integer((json_int_t)row->value));
}

json_t *stats_json(const struct stats_worker *sum, const struct stats_list *lists, unsigned n_lists)
{
	json_t *object = json_object();

	// There from the start, so that readers need not ask whether it is.
	stats_object_under(object, "dnsweir_responses_total");
	stats_object_under(object, "dnsweir_matched_total");
	stats_object_under(object, "dnsweir_filtered_total");
	stats_visit(sum, lists, n_lists, row_to_json, object);
	return object;
}
