/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What each counter of a box is, for OpenMetrics: labels and meaning. `show stats` has values by the same
 * names, below an object for each label.
 *
 * Layer:   lib/stats; no EAL.
 * Threads: read only.
 */

#define STATS_METRIC_LABELS_MAX 3

/** One that ends in "_total" is a counter, all others are gauges. */
struct stats_metric {
	const char *name;
	const char *labels[STATS_METRIC_LABELS_MAX]; /**< as many as are not NULL, outermost first */
	const char *help;                            /**< a sentence */
};

/** All, ending with a NULL name. */
extern const struct stats_metric stats_metrics[];
