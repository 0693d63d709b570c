/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The statistics core's output: each record of the rings as a dnstap frame.
 *
 * Threads: the statistics core; show and telemetry read the counters.
 */
#include "app.h"
#include "base/addr.h"

/** What the statistics core knows of a record besides it. */
struct core_seen {
	int64_t time_ns; /**< since 1970 */
	/** As it may leave the process; length: the bits that are kept. */
	struct prefix client;
	const struct policy_list *list; /**< of the rule that was hit; NULL: none, or not known any more */
	const char *id;                 /**< malware identifier; with a list */
};

/** Open the destinations of [tap], if there are any. @return 0, or -1 with @p error */
int core_tap_start(char *error);

/** Whether records are sent. */
bool core_tap_on(void);

/**
 * Send a record.
 *
 * @param msg the original message, record->stored_size octets; changed here
 */
void core_tap_send(const struct mirror_record *record, uint8_t *msg, const struct core_seen *seen);

/** All records of a round were sent. */
void core_tap_flush(void);

/** Give destinations time to take what is left, and close. No record comes any more. */
void core_tap_stop(void);
