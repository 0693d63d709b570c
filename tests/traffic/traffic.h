/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The subcommands of the traffic tool. Each takes its own name as argv[0] and returns an exit
 * code: 0 done, 1 something was not as expected, 2 wrong usage.
 */
#include <stdbool.h>
#include <stdint.h>

int traffic_impair(int argc, char **argv);
int traffic_ask(int argc, char **argv);
int traffic_serve(int argc, char **argv);
int traffic_flood(int argc, char **argv);

/** Set by SIGTERM and SIGINT. */
extern volatile bool traffic_stopped;

/** Milliseconds of a clock that does not go back. */
uint64_t traffic_now_ms(void);

/** A number of a command line. @return false when it is none of 0 .. @p max */
bool traffic_number(const char *text, uint64_t max, uint64_t *value);

/** One line on stderr. @return 2 */
int traffic_usage(const char *usage) __attribute__((cold));
