/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Totals in an SQLite file: what boxes counted, an hour of the operator's time zone at a time, and
 * figures entered by hand. Reports are made of it.
 *
 * A box adds what came since the last time. All of a batch is in the file or nothing of it, also
 * after a crash; a file is never left that does not open. Readers never wait for a writer.
 *
 * Moments are seconds since 1970 UTC; an hour is known by the moment at which it begins. Hours, days
 * and months are those of the zone that tzset() has set; the file knows its name, and totals_open()
 * refuses one that was made for another zone where the two have to be the same.
 *
 * Layer:   lib/totals; no EAL.
 * Threads: a struct totals belongs to one thread at a time; several may have the same file open, as
 *          may several processes. The time functions are pure but for the zone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define TOTALS_VERSION    1
#define TOTALS_ERROR_SIZE 512
#define TOTALS_TEXT_MAX   255 /**< octets of a box, id or zone */
#define TOTALS_NOTE_MAX   1000 /**< octets of a note */

struct totals;

enum totals_mode {
	TOTALS_READ,   /**< the file has to be there; its zone is that of totals_zone() */
	TOTALS_WRITE,  /**< it has to be there, and of the process's zone */
	TOTALS_CREATE, /**< the same, and it is made where it is not there */
};

/**
 * Open the file at @p path.
 *
 * @param box   who adds, in each of its rows; NULL: who made the file, which is the host's name at
 *              that time unless something else was said. Unused with TOTALS_READ; borrowed
 * @param error [out] where not 0: one line naming the file
 * @return 0; -errno of opening; -EBADMSG: no file of totals, or one of another version; -EINVAL: a
 *         writer's zone is not the file's, or a bad box; -EIO: SQLite has another reason
 */
int totals_open(const char *path, enum totals_mode mode, const char *box, struct totals **totals,
	char error[TOTALS_ERROR_SIZE]);

/** NULL is fine. */
void totals_close(struct totals *totals);

/** Why the last call that gave -EIO did: borrowed until the next call. */
const char *totals_error(const struct totals *totals);

/** Zone of the file's hours, "Asia/Tokyo"; kept. */
const char *totals_zone(const struct totals *totals);

/** Responses by code and type. */
struct totals_response {
	uint16_t rcode; /**< RFC 6895 s2.3 */
	uint16_t type;  /**< of the first question; 0: all that have no row of their own */
	uint64_t n;
};

/** Responses that a rule of a list met, by what was done with them. */
struct totals_filtered {
	const char *list;
	const char *id; /**< malware identifier, UTF-8; "": the list has none */
	enum policy_action action;
	uint64_t n;
};

/** Records that did not reach the log, by where they were lost. */
struct totals_lost {
	const char *what;
	uint64_t n;
};

/** What came in one hour since the last batch. Rows that are 0 take no room. All borrowed. */
struct totals_batch {
	int64_t hour; /**< as totals_hour() has it */
	const struct totals_response *responses;
	const struct totals_filtered *filtered;
	const struct totals_lost *lost;
	size_t n_responses, n_filtered, n_lost;
};

/**
 * Add a batch in one transaction. The file has it when this returns, also if power fails then.
 *
 * @return 0, or -EIO: nothing of it was added, it can be tried again
 */
int totals_add(struct totals *totals, const struct totals_batch *batch);

/** A figure that somebody entered; it is added to what boxes counted. */
struct totals_entered {
	int64_t begin, end; /**< the period that it is for, end excluded */
	int64_t at;         /**< when it was entered */
	const char *who;    /**< login name */
	const char *id;     /**< malware; "": of all, or not known of which */
	int64_t filtered, responses; /**< may be negative, to correct */
	const char *note;   /**< where it is from, and why */
};

/** Enter a figure. @return 0, -EIO, or -EINVAL: a text is too long or no clean UTF-8 */
int totals_enter(struct totals *totals, const struct totals_entered *entered);

/**
 * Take the counters of another file. Of a counter that both have the larger number is taken, since
 * counters only grow: a file may be taken again when it has grown, and an older copy takes nothing
 * away. Boxes are known by their names, so no two may have the same. Figures entered by hand stay
 * where they are.
 *
 * @return 0, or as totals_open() with @p error, and nothing was taken
 */
int totals_import(struct totals *totals, const char *path, char error[TOTALS_ERROR_SIZE]);

/** Receivers of sums. Texts are borrowed for the call. @return 0, or negative to stop with it */
typedef int (*totals_response_fn)(void *ctx, const struct totals_response *sum);
typedef int (*totals_filtered_fn)(void *ctx, const struct totals_filtered *sum);
typedef int (*totals_lost_fn)(void *ctx, const struct totals_lost *sum);
typedef int (*totals_entered_fn)(void *ctx, const struct totals_entered *entered);

/**
 * Sums over all boxes and the hours that begin in [@p begin, @p end), in the order of their keys.
 * Between totals_snapshot() calls all of them see the file as it was then.
 *
 * @return 0, -EIO, or what the receiver returned
 */
int totals_each_response(struct totals *totals, int64_t begin, int64_t end, totals_response_fn take,
	void *ctx);
int totals_each_filtered(struct totals *totals, int64_t begin, int64_t end, totals_filtered_fn take,
	void *ctx);
int totals_each_lost(
	struct totals *totals, int64_t begin, int64_t end, totals_lost_fn take, void *ctx);

/** Figures entered whose period and [@p begin, @p end) have a moment in common, oldest first. */
int totals_each_entered(struct totals *totals, int64_t begin, int64_t end, totals_entered_fn take,
	void *ctx);

/** See the file as it is now, until the next call of this or totals_close(). @return 0 or -EIO */
int totals_snapshot(struct totals *totals);

/** Begin of the hour of the process's zone that @p now is in. */
int64_t totals_hour(int64_t now);

/** First moment of a day of the process's zone, which need not be 0:00. */
int64_t totals_day_begin(int year, int month, int day);

/**
 * Name of the process's zone: what TZ says, else the system's, else "UTC".
 *
 * @return 0, or -EINVAL: it is longer than TOTALS_TEXT_MAX
 */
int totals_zone_name(char name[TOTALS_TEXT_MAX + 1]);

/**
 * Make @p name the process's zone. Not while other threads run.
 *
 * @return 0, or -EINVAL: this system does not know it
 */
int totals_zone_set(const char *name);
