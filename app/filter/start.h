/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The stages of starting and stopping: what each start_ made, the stop_ of the same name undoes, also
 * when the start failed half way. Order and table: main.c.
 *
 * Threads: main lcore.
 */
#include "app.h"

/** Initialise EAL with its part of the command line. @p error one line on failure. @return 0 or -1 */
int start_eal(int argc, char **argv, char *error);
void stop_eal(void);

/** Share out lcores: control, statistics core, workers. */
int start_lcores(char *error);
void stop_lcores(void);

/** Which ports belong together. Undone by nothing. */
int start_pairs(char *error);

/** What is legal in the configuration but hardly meant, one line each. */
void start_warnings(const struct conf *conf);

/** What workers follow streams and hold fragments with. */
int start_streams(char *error);
void stop_streams(void);

/** First generation of the tables, mirror rings. */
int start_tables(char *error);
void stop_tables(void);

/** The file of totals, and the thread that writes to it. */
int start_totals(char *error);
void stop_totals(void);

/** Packet pool and ports. */
int start_ports(char *error);
void stop_ports(void);

/** Loader thread, control socket, telemetry. */
int start_control(char *error);
void stop_control(void);

/** Statistics core and workers run. */
int start_threads(char *error);
void stop_threads(void);
