/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "stats/stats.h"
#include "support/case_file.h"
#include "support/change.h"
#include "support/fragments.h"
#include "support/run.h"
#include "support/stream_bed.h"

#define CASES_MAX 512
#define GROWTH    600 // octets behind a frame, as an mbuf has them

// Of messages in several frames: what the configuration has, with little memory.
static const struct stream_conf pieces_conf = {
	.flows = 16,
	.memory = 65536,
	.hold_ms = 10,
	.gap_ms = 1000,
	.held = 64,
	.frag = {.trains = 8, .packets = 128, .hold_ms = 1000},
};

struct case_path {
	char text[256];
};

// A case's step while its rows of counters are looked at.
struct check {
	const char *path;
	const struct case_step *step;
	unsigned met;                                    // counters of the step that were found
	uint64_t packets, bytes, verdicts[REASON_COUNT]; // that are implied
};

static void hex_print(const char *what, const uint8_t *bytes, size_t size)
{
	fprintf(stderr, "%s", what);
	for (size_t i = 0; i < size && i < 600; i++)
		fprintf(stderr, "%s%02x", i % 16 ? " " : "\n  ", bytes[i]);
	fprintf(stderr, "\n");
}

// "dnsweir_filtered_total{list=c2,action=sinkhole}" is "filtered c2 sinkhole".
static void row_key(const struct stats_row *row, char key[CASE_KEY_SIZE])
{
	static const char front[] = "dnsweir_", back[] = "_total";
	size_t n = strlen(row->metric) - strlen(front);

	if (n > strlen(back) && strcmp(row->metric + strlen(front) + n - strlen(back), back) == 0)
		n -= strlen(back);
	memcpy(key, row->metric + strlen(front), n);
	key[n] = '\0';
	for (unsigned i = 0; i < STATS_LABELS_MAX && row->labels[i].name; i++)
		n += (size_t)snprintf(key + n, CASE_KEY_SIZE - n, " %s", row->labels[i].value);
}

// What a row must be: implied by the frames, or said by the case.
static uint64_t row_wanted(struct check *check, const char *key)
{
	static const char verdicts[] = "verdicts ";
	const struct case_step *step = check->step;

	for (unsigned i = 0; i < step->n_counters; i++)
		if (strcmp(key, step->counters[i].key) == 0) {
			check->met++;
			return step->counters[i].value;
		}
	if (strcmp(key, "rx_packets") == 0)
		return check->packets;
	if (strcmp(key, "rx_bytes") == 0)
		return check->bytes;
	if (strncmp(key, verdicts, strlen(verdicts)) == 0)
		for (enum reason reason = 0; reason < REASON_COUNT; reason++)
			if (strcmp(key + strlen(verdicts), reason_name(reason)) == 0)
				return check->verdicts[reason];
	return 0;
}

static void row_check(void *ctx, const struct stats_row *row)
{
	struct check *check = ctx;
	char key[CASE_KEY_SIZE];
	uint64_t wanted;

	row_key(row, key);
	wanted = row_wanted(check, key);
	cr_expect(row->value == wanted, "%s:%u: counter %s: expected %llu, got %llu", check->path,
		check->step->line, key, (unsigned long long)wanted, (unsigned long long)row->value);
}

static void counters_check(struct check *check, const struct stats_worker *stats)
{
	const struct case_step *step = check->step;
	const struct policy *policy = tables_policy(step->tables);
	struct stats_list lists[POLICY_LISTS_MAX];

	for (unsigned i = 0; i < policy->n_lists; i++)
		lists[i] = (struct stats_list){
			policy->lists[i].name, policy->lists[i].action, policy->lists[i].slot};
	stats_visit(stats, lists, policy->n_lists, row_check, check);
	cr_expect(check->met == step->n_counters, "%s:%u: a counter of this case does not exist",
		check->path, step->line);
}

// What is counted by identifier adds up to what is counted by list, whatever was done.
static void ids_check(const struct check *check, const struct stats_worker *stats)
{
	struct stats_worker *sum = aligned_alloc(64, sizeof(*sum));

	cr_assert(sum);
	memset(sum, 0, sizeof(*sum));
	tables_ids_sum(check->step->tables, sum);
	cr_expect(memcmp(sum->filtered, stats->filtered, sizeof(sum->filtered)) == 0,
		"%s:%u: counters of identifiers are others than those of their lists", check->path,
		check->step->line);
	free(sum);
}

static void frame_compare(const char *path, const struct case_step *step, const uint8_t *frame,
	size_t size, size_t from)
{
	if (size == step->out_size && memcmp(frame + from, step->out + from, size - from) == 0)
		return;
	cr_expect(false, "%s:%u: another frame came out than expected", path, step->line);
	hex_print("expected", step->out, step->out_size);
	hex_print("got", frame, size);
}

// The message alone. There is no packet to count.
static void stream_check(const char *path, const struct case_step *step,
	const struct pipeline_tables *tables, struct stats_worker *stats)
{
	uint32_t size = (uint32_t)step->in->size;
	uint8_t *frame = malloc(size);
	struct burst_slot slot;
	struct change change = {step->in->bytes, frame, size, size, &slot, 0};
	enum reason reason;
	const char *error;

	cr_assert(frame);
	memcpy(frame, step->in->bytes, size);
	reason = run_message(frame, size, step->part, tables, stats, &slot);
	change.msg_size = slot.msg_size;
	error = change_fixed_error(&change);
	cr_expect(reason == step->reason, "%s:%u: expected the reason %s, it is %s", path,
		step->line, reason_name(step->reason), reason_name(reason));
	frame_compare(path, step, frame, size, slot.msg);
	cr_expect(!error, "%s:%u: %s", path, step->line, error);
	free(frame);
}

static void packet_check(const char *path, const struct case_step *step,
	const struct pipeline_tables *tables, struct stats_worker *stats)
{
	uint32_t size = (uint32_t)step->in->size;
	struct run_buffer buffer = {.frame = malloc(size + GROWTH), .size = size, size + GROWTH, 0};
	struct burst_slot slot;
	struct change change = {step->in->bytes, buffer.frame, size, size, &slot, 0};
	const char *error;

	cr_assert(buffer.frame);
	memcpy(buffer.frame, step->in->bytes, size);
	run_buffer(&buffer, step->side, tables, stats, &slot);
	change.after_size = buffer.size;
	change.msg_size = buffer.msg_size;
	cr_expect(stats->verdicts[step->reason] == 1,
		"%s:%u: expected the verdict %s, reason is %s", path, step->line,
		reason_name(step->reason), reason_name(slot.reason));
	frame_compare(path, step, buffer.frame, buffer.size, 0);
	error = change_error(&change);
	cr_expect(!error, "%s:%u: %s", path, step->line, error);
	if (slot.edit && slot.reason != REASON_dropped && step->good) {
		struct csum_udp u = change_csum(buffer.frame, &slot, buffer.msg_size);

		cr_expect(csum_full_udp_good(&u), "%s:%u: the checksum is wrong", path, step->line);
	}
	free(buffer.frame);
}

static void piece_send(
	struct check *check, struct stream_bed *bed, const struct case_event *event, uint8_t *frame)
{
	uint32_t size = case_piece_make(check->step->in, event, frame);

	stream_bed_packet(bed, frame, size, BURST_FROM_RESOLVERS);
	check->packets++;
	check->bytes += size;
}

// The client's query, without which it is not known where a message begins.
static void query_send(struct check *check, struct stream_bed *bed, uint8_t *frame)
{
	uint32_t size = case_query_make(check->step->in, frame);

	stream_bed_packet(bed, frame, size, BURST_FROM_CLIENTS);
	cr_assert(bed->n_sent == 1, "%s:%u: the query did not come out", check->path,
		check->step->line);
	check->packets = check->verdicts[REASON_tcp_dns] = 1;
	check->bytes = size;
	stream_bed_clear(bed);
}

// The next frame that came out is the one that the case has.
static void piece_get(struct check *check, const struct stream_bed *bed, unsigned n,
	const struct wire *out, const struct case_event *event, uint8_t *frame)
{
	const struct case_step *step = check->step;
	uint32_t size = case_piece_make(event->other ? step->in : out, event, frame);
	const struct stream_bed_packet *p;

	check->verdicts[event->reason ? event->reason : step->reason]++;
	cr_assert(n < bed->n_sent, "%s:%u: this frame did not come out", check->path, event->line);
	p = bed->sent[n];
	if (p->size == size && memcmp(p->bytes, frame, size) == 0)
		return;
	cr_expect(false, "%s:%u: another frame came out than expected", check->path, event->line);
	hex_print("expected", frame, size);
	hex_print("got", p->bytes, p->size);
}

// A message in several frames.
static void pieces_check(
	struct check *check, const struct pipeline_tables *tables, struct stats_worker *stats)
{
	const struct case_step *step = check->step;
	struct stream_bed *bed = stream_bed_create(&pieces_conf, tables);
	struct wire *out = wire_copy(step->in);
	uint8_t *frame = malloc(FRAGMENT_ROOM);
	unsigned got = 0;

	cr_assert(frame);
	memcpy(out->bytes, step->out, step->out_size);
	out->size = step->out_size;
	if (case_pieces_are_tcp(step->in))
		query_send(check, bed, frame);
	for (unsigned i = 0; i < step->pieces.n; i++) {
		const struct case_event *event = &step->pieces.event[i];

		cr_assert(event->kind == CASE_GET || got == bed->n_sent,
			"%s:%u: before this a frame came out that the case does not have",
			check->path, event->line);
		if (event->kind == CASE_SEND)
			piece_send(check, bed, event, frame);
		else if (event->kind == CASE_WAIT)
			stream_bed_wait(bed, event->from);
		else
			piece_get(check, bed, got++, out, event, frame);
	}
	cr_expect(got == bed->n_sent, "%s:%u: a frame came out that the case does not have",
		check->path, step->line);
	*stats = bed->stats;
	stream_bed_destroy(bed);
	wire_destroy(out);
	free(frame);
}

static void step_check(void *ctx, const struct case_step *step)
{
	const char *path = ctx;
	const struct pipeline_tables *tables = tables_finish(step->tables);
	struct stats_worker *stats = aligned_alloc(64, sizeof(*stats));
	struct check check = {.path = path, .step = step};

	cr_assert(stats);
	memset(stats, 0, sizeof(*stats));
	if (step->pieces.n > 0) {
		pieces_check(&check, tables, stats);
	} else if (step->stream) {
		stream_check(path, step, tables, stats);
	} else {
		check.packets = check.verdicts[step->reason] = 1;
		check.bytes = step->in->size;
		packet_check(path, step, tables, stats);
	}
	counters_check(&check, stats);
	ids_check(&check, stats);
	free(stats);
}

static const char *cases_folder(char folder[256])
{
	const char *source = getenv("DNSWEIR_SOURCE");

	snprintf(folder, 256, "%s/tests/cases", source ? source : ".");
	return folder;
}

static int path_compare(const void *a, const void *b)
{
	return strcmp(((const struct case_path *)a)->text, ((const struct case_path *)b)->text);
}

// Every file of the folder. @param paths CASES_MAX of room
static size_t paths_find(struct case_path *paths)
{
	char folder[256];
	DIR *dir = opendir(cases_folder(folder));
	struct dirent *entry;
	size_t n = 0;

	while (dir && n < CASES_MAX && (entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');
		int length;

		if (!dot || strcmp(dot, ".case") != 0)
			continue;
		length = snprintf(
			paths[n].text, sizeof(paths[n].text), "%s/%s", folder, entry->d_name);
		n += length > 0 && (size_t)length < sizeof(paths[n].text);
	}
	if (dir)
		closedir(dir);
	qsort(paths, n, sizeof(*paths), path_compare);
	return n;
}

static void paths_free(struct criterion_test_params *params)
{
	cr_free(params->params);
}

ParameterizedTestParameters(cases, frames_in_give_frames_and_counters_out)
{
	struct case_path *paths = cr_malloc(CASES_MAX * sizeof(*paths));
	size_t n = paths_find(paths);

	return cr_make_param_array(struct case_path, paths, n, paths_free);
}

ParameterizedTest(struct case_path *path, cases, frames_in_give_frames_and_counters_out)
{
	// Cases of patterns are called pattern_*; without Hyperscan there are none.
	if (strstr(path->text, "/pattern_") && !pattern_supported())
		cr_skip_test("built without Hyperscan");
	case_read(path->text, step_check, path->text);
}

static void reason_note(void *ctx, const struct case_step *step)
{
	bool *met = ctx;
	char name[32];

	met[step->reason] = true;
	for (unsigned i = 0; i < step->pieces.n; i++)
		met[step->pieces.event[i].reason] = true;
	for (unsigned i = 0; i < step->n_counters; i++)
		if (sscanf(step->counters[i].key, "verdicts %31s", name) == 1)
			for (enum reason reason = 0; reason < REASON_COUNT; reason++)
				met[reason] |= strcmp(reason_name(reason), name) == 0;
}

// What takes a hundred packets, or another connection, has tests with lib/stream.
static bool is_of_streams(enum reason reason)
{
	return reason == REASON_bad_tcp || reason == REASON_stream_unknown ||
	       reason == REASON_stream_framing || reason == REASON_stream_limit ||
	       reason == REASON_fragment_limit;
}

Test(cases, every_reason_has_a_case)
{
	struct case_path *paths = malloc(CASES_MAX * sizeof(*paths));
	bool met[REASON_COUNT] = {false};
	size_t n;

	cr_assert_not_null(paths);
	n = paths_find(paths);
	cr_assert(n >= 60, "%zu cases", n);
	for (size_t i = 0; i < n; i++)
		case_read(paths[i].text, reason_note, met);
	free(paths);
	for (enum reason reason = REASON_none + 1; reason < REASON_COUNT; reason++)
		cr_expect(met[reason] || is_of_streams(reason), "no case for %s",
			reason_name(reason));
}
