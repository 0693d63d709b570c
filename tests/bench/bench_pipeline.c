/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames of a capture through the stages of lib/pipeline, in bursts, against a list:
 *
 *   bench_pipeline [--rewrite] [--alone] [--full] [--patterns FILE.hs] FRAMES.pcap NAMES.txt
 *
 * With --alone each frame is a burst of its own; with --full the list also has Extended DNS Errors,
 * and answers where there is no address.
 *
 * ns is per packet, of the stages parse, consent and match, which change nothing, so that passes
 * over the same frames do the same work. With --rewrite each burst is copied first, outside of the
 * clock, and all stages run. "stages" has each stage's part, clock reads included.
 */
#include <stdio.h>
#include <string.h>

#include "base/block.h"
#include "bench/bench.h"
#include "list/list.h"
#include "pipeline/pipeline.h"

#define COPY_SIZE 65536
// From one copy to the next, as between mbufs: at 64 KiB all would take turns in the same lines of the cache.
#define COPY_STRIDE (COPY_SIZE + 2496)

enum {
	STAGE_PARSE,
	STAGE_CONSENT,
	STAGE_MATCH,
	STAGE_REWRITE,
	STAGE_COUNT,
	STAGES,
};

static const char *const stage_names[STAGES] = {"parse", "consent", "match", "rewrite", "count"};

static struct {
	struct burst burst;
	uint8_t copies[BURST_MAX][COPY_STRIDE];
	struct policy policy;
	struct pipeline_tables tables;
	struct stats_worker stats;
	uint64_t ns[STAGES];
	uint64_t hits;
} run;

static void policy_fill(bool full)
{
	struct policy *policy = &run.policy;

	policy->n_lists = policy->n_ports = 1;
	policy->ports[0] = 53;
	strcpy(policy->lists[0].name, "bench");
	policy->lists[0].action = POLICY_SINKHOLE;
	policy->lists[0].sinkhole =
		(struct policy_sinkhole){.ipv4 = {{192, 0, 2, 1}}, .n_ipv4 = 1, .ttl_max = 60};
	if (!full)
		return;
	policy_sinkhole_fill(&policy->lists[0].sinkhole);
	policy->lists[0].answer_empty = true;
	policy->lists[0].ede = POLICY_EDE_BLOCKED;
	strcpy(policy->lists[0].ede_text, "listed");
}

// Fill a burst with the frames from at on. @return their number
static unsigned burst_fill(
	const struct bench_frames *frames, unsigned at, const struct bench_options *options)
{
	unsigned most = options->alone ? 1 : BURST_MAX, left = frames->n - at;
	unsigned n = left < most ? left : most;

	run.burst.n = n;
	run.burst.side = BURST_FROM_RESOLVERS;
	for (unsigned i = 0; i < n; i++) {
		const struct bench_frame *frame = &frames->frame[at + i];
		struct burst_slot *slot = &run.burst.slot[i];

		slot->frame = frame->bytes;
		slot->frame_size = frame->size;
		if (!options->rewrite)
			continue;
		if (frame->size > COPY_SIZE)
			bench_die("frame", "larger than a copy may be");
		slot->frame = memcpy(run.copies[i], frame->bytes, frame->size);
	}
	return n;
}

// What valgrind counts: all stages and nothing else. Its name is known to scripts/check_instructions.
__attribute__((noinline)) static void bench_stages(bool rewrite)
{
	pipeline_parse(&run.burst, &run.tables);
	pipeline_consent(&run.burst, &run.tables);
	pipeline_match(&run.burst, &run.tables);
	if (rewrite) {
		pipeline_fit(&run.burst, &run.tables);
		pipeline_rewrite(&run.burst, &run.tables, &run.stats);
		pipeline_count(&run.burst, &run.tables, &run.stats);
	}
}

static uint64_t stage_end(unsigned stage, uint64_t begun)
{
	uint64_t now = bench_now_ns();

	run.ns[stage] += now - begun;
	return now;
}

static void stages_timed(bool rewrite)
{
	uint64_t t = bench_now_ns();

	pipeline_parse(&run.burst, &run.tables);
	t = stage_end(STAGE_PARSE, t);
	pipeline_consent(&run.burst, &run.tables);
	t = stage_end(STAGE_CONSENT, t);
	pipeline_match(&run.burst, &run.tables);
	t = stage_end(STAGE_MATCH, t);
	if (!rewrite)
		return;
	pipeline_fit(&run.burst, &run.tables);
	pipeline_rewrite(&run.burst, &run.tables, &run.stats);
	t = stage_end(STAGE_REWRITE, t);
	pipeline_count(&run.burst, &run.tables, &run.stats);
	stage_end(STAGE_COUNT, t);
}

static void hits_count(void)
{
	for (unsigned i = 0; i < run.burst.n; i++)
		run.hits += run.burst.slot[i].block != NULL && run.burst.slot[i].response;
}

// One pass in which each stage has a clock read of its own; it also counts the hits.
static void pass_by_stage(const struct bench_frames *frames, const struct bench_options *options)
{
	memset(run.ns, 0, sizeof(run.ns));
	run.hits = 0;
	for (unsigned at = 0; at < frames->n;) {
		at += burst_fill(frames, at, options);
		stages_timed(options->rewrite);
		hits_count();
	}
}

// @return ns taken by the stages. Without copies a clock read a burst would be most of what is beside
// the stages, so the whole pass is timed.
static uint64_t pass(const struct bench_frames *frames, const struct bench_options *options)
{
	uint64_t ns = 0, begun = bench_now_ns();

	for (unsigned at = 0; at < frames->n;) {
		at += burst_fill(frames, at, options);
		if (options->rewrite)
			begun = bench_now_ns();
		bench_stages(options->rewrite);
		if (options->rewrite)
			ns += bench_now_ns() - begun;
	}
	return options->rewrite ? ns : bench_now_ns() - begun;
}

static void round_do(const struct bench_frames *frames, const struct bench_options *options)
{
	uint64_t begun = bench_now_ns(), ns = 0, packets = 0;

	for (unsigned i = 0;
		options->passes ? i < options->passes
				: bench_now_ns() - begun < options->round_ms * 1000000ull;
		i++) {
		ns += pass(frames, options);
		packets += frames->n;
	}
	pass_by_stage(frames, options);
	printf("{\"ns\": %.2f, \"packets\": %llu, \"hit_share\": %.7f, \"stages\": {",
		(double)ns / (double)packets, (unsigned long long)packets,
		(double)run.hits / frames->n);
	for (unsigned i = 0; i < (options->rewrite ? STAGES : STAGE_REWRITE); i++)
		printf("%s\"%s\": %.2f", i ? ", " : "", stage_names[i],
			(double)run.ns[i] / frames->n);
	puts("}}");
}

int main(int argc, char **argv)
{
	struct bench_options options;
	struct bench_frames frames;
	struct fqdn_table *names;
	struct consent_table *consent;
	struct pattern_set *set;
	size_t consent_size;
	int word = bench_options_parse(argc, argv, &options, 2,
		"[--rewrite] [--alone] [--full] [--patterns FILE.hs] [--passes N] "
		"[--frames FIRST:COUNT] FRAMES.pcap NAMES.txt");

	bench_frames_read(argv[word], &options, &frames);
	names = bench_table_load(argv[word + 1], &options, &set);
	consent = consent_table_build(NULL, 0, &consent_size);
	if (!consent)
		bench_die("consent table", "no memory");
	policy_fill(options.full);
	run.tables =
		(struct pipeline_tables){.policy = &run.policy, .names = names, .consent = consent};
	run.tables.ids = block_reserve(fqdn_table_n_ids(names) * sizeof(*run.tables.ids), -1);
	if (!run.tables.ids)
		bench_die("counters", "no memory");
	if (set)
		run.tables.patterns = pattern_scan_create(set, -1);
	if (set && !run.tables.patterns)
		bench_die("patterns", "no memory");
	run.tables.today = (uint16_t)list_day_parse("2024-06-15", 10);
	for (unsigned i = 0; bench_round(&options, i); i++)
		round_do(&frames, &options);
	pattern_scan_free(run.tables.patterns);
	pattern_set_free(set);
	block_free(run.tables.ids, fqdn_table_n_ids(names) * sizeof(*run.tables.ids));
	block_free(names, fqdn_table_size(names));
	block_free(consent, consent_size);
	bench_frames_free(&frames);
	return 0;
}
