/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Messages for the operator: one line each, on stderr, naming the thing.
 *
 * Layer:   lib/base; no EAL.
 * Threads: any thread but a worker (a log line is a system call); each line is one write.
 */

enum log_level {
	LOG_ERROR, /**< something asked for was not done */
	LOG_WARN,  /**< it works, but not as the operator may think */
	LOG_INFO,  /**< a change of state worth a line in the journal */
};

/** Name in front of each line; kept. Default "dnsweir". */
void log_program(const char *name);

/** Lines less severe than @p level are not written. Default LOG_INFO. */
void log_threshold(enum log_level level);

/** Write one line: "PROGRAM: TEXT" ("PROGRAM: warning: TEXT" for LOG_WARN). */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
