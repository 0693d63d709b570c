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
#include "support/run.h"

#define CASES_MAX 512
#define GROWTH    600 // octets behind a frame, as an mbuf has them

struct case_path {
	char text[256];
};

// A case's step while its rows of counters are looked at.
struct check {
	const char *path;
	const struct case_step *step;
	unsigned met; // counters of the step that were found
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

// What a row must be: said by the case, or implied by there being one frame.
static uint64_t row_wanted(struct check *check, const char *key)
{
	const struct case_step *step = check->step;
	char verdict[CASE_KEY_SIZE];

	snprintf(verdict, sizeof(verdict), "verdicts %s", reason_name(step->reason));
	if (!step->stream && (strcmp(key, verdict) == 0 || strcmp(key, "rx_packets") == 0))
		return 1;
	if (!step->stream && strcmp(key, "rx_bytes") == 0)
		return step->in->size;
	for (unsigned i = 0; i < step->n_counters; i++)
		if (strcmp(key, step->counters[i].key) == 0) {
			check->met++;
			return step->counters[i].value;
		}
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

static void counters_check(
	const char *path, const struct case_step *step, const struct stats_worker *stats)
{
	const struct policy *policy = tables_policy(step->tables);
	struct check check = {.path = path, .step = step};
	struct stats_list lists[POLICY_LISTS_MAX];

	for (unsigned i = 0; i < policy->n_lists; i++)
		lists[i] = (struct stats_list){
			policy->lists[i].name, policy->lists[i].action, policy->lists[i].slot};
	stats_visit(stats, lists, policy->n_lists, row_check, &check);
	cr_expect(check.met == step->n_counters, "%s:%u: a counter of this case does not exist",
		path, step->line);
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

static void step_check(void *ctx, const struct case_step *step)
{
	const char *path = ctx;
	const struct pipeline_tables *tables = tables_finish(step->tables);
	struct stats_worker *stats = aligned_alloc(64, sizeof(*stats));

	cr_assert(stats);
	memset(stats, 0, sizeof(*stats));
	if (step->stream)
		stream_check(path, step, tables, stats);
	else
		packet_check(path, step, tables, stats);
	counters_check(path, step, stats);
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

	met[step->reason] = true;
}

// What is found out by several packets has tests with lib/stream.
static bool is_of_streams(enum reason reason)
{
	const char *name = reason_name(reason);

	return reason == REASON_bad_tcp || strncmp(name, "stream_", 7) == 0 ||
	       strncmp(name, "fragment_", 9) == 0;
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
		cr_expect(met[reason] || is_of_streams(reason), "no case for %s", reason_name(reason));
}
