/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the benchmarks share: frames out of a capture, tables out of a list, rounds and their output.
 *
 * A program prints one JSON object a round, on a line of its own. With --step it prints "ready" when
 * it is set up and does a round for each line on stdin, so that a caller can let several programs
 * take turns in one run without setting them up again.
 *
 * A mistake ends the program with one line on stderr.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/burst.h"

struct fqdn_table;
struct pattern_set;

struct bench_frame {
	uint8_t *bytes;
	uint32_t size;
	uint16_t msg, msg_size; /**< DNS message; msg_size 0: none */
};

struct bench_frames {
	struct bench_frame *frame;
	unsigned n;
};

struct bench_options {
	unsigned rounds;       /**< without step */
	unsigned round_ms;     /**< a round takes at least this long ... */
	unsigned passes;       /**< ... or exactly so many passes over the frames; 0: by time */
	unsigned first, count; /**< frames taken; count 0: all */
	bool step;
	bool rewrite;
	bool tree;             /**< bench_lookup: the tree, too */
	bool alone;            /**< bench_pipeline: each frame is a burst of its own */
	bool full;             /**< bench_pipeline: the list does whatever there is beside addresses */
	const char *patterns;  /**< bench_pipeline: file of expressions; NULL: none */
};

/** Options of all programs, then @p n_words words. @return the index of the first word */
int bench_options_parse(int argc, char **argv, struct bench_options *options, int n_words,
	const char *usage);

/** Whether there is another round to do; waits for the caller's line with --step. */
bool bench_round(const struct bench_options *options, unsigned done);

/** The frames of a capture in pcap format; @p options says which. */
void bench_frames_read(const char *path, const struct bench_options *options,
	struct bench_frames *frames);
void bench_frames_free(struct bench_frames *frames);

/**
 * The table of a plain list of names, all of list 0, FQDN_BLOCK, and of the patterns of the options.
 *
 * @param set [out] NULL: no patterns
 */
struct fqdn_table *bench_table_load(
	const char *path, const struct bench_options *options, struct pattern_set **set);

uint64_t bench_now_ns(void);

_Noreturn void bench_die(const char *what, const char *why);
