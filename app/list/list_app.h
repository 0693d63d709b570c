/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of dnsweir-list share: a file for each command.
 *
 * Threads: one.
 */
#include <stdbool.h>
#include <stdint.h>

#include "gen/gen.h"

enum list_exit {
	LIST_DONE = 0,
	LIST_FAILED = 1,
	LIST_USAGE = 2, /**< wrong usage, configuration or file */
};

/** The command line behind the command. */
struct list_args {
	const char *config, *output;
	int day;        /**< for explain, days since 2000-01-01; -1: today */
	unsigned shown; /**< names that diff shows of each kind */
	int n;
	char **words;   /**< operands */
};

/** Read the lists of a configuration and write them as one generation. */
int compile_run(const struct list_args *args);

/** Read list files and say what is in them. */
int check_run(const struct list_args *args);

/** Show the header and lists of a generation. */
int show_run(const struct list_args *args);

/** Show which rule of a generation decides on names. */
int explain_run(const struct list_args *args);

/** Show what differs between two generations. */
int diff_run(const struct list_args *args);

/** Open a generation, or log why not. @return 0 or -1 */
int generation_open(const char *path, struct gen *gen);

/** "*." or "." in front of a name of this scope. @return static */
const char *scope_mark(unsigned scope);
