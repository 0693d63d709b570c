/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The query log: responses by day, hour and name, in RocksDB, compressed.
 *
 *   FOLDER/log/2026-11-22/        responses as they were, client addresses anonymised   0750, 0640
 *   FOLDER/filtered/2026-11-22/   responses that were changed, client addresses whole   0700, 0600
 *   FOLDER/sinkhole/2026-11-22/   what reached the sinkhole, see store_contact.h        0700, 0600
 *   FOLDER/audit.ndjson           what was deleted, when and by whom                    0640
 *   FOLDER/lock                   held by the one process that writes
 *
 * A day is one of the zone that tzset() has set. Retention is the removal of its folders.
 * See doc/log.md.
 *
 * What is appended waits in memory until store_commit, which writes all of it for a day at once,
 * together with the numbers of its senders. So what a crash loses shows up as lost:
 * lost = last number of the sender - records stored of it.
 *
 * Layer:   lib/store; no EAL.
 * Threads: one at a time appends, commits, puts, drops and forgets; a deletion may let others in between its
 *          pieces, but no second deletion (struct store_actor). Meanwhile any may ask: store_query,
 *          store_infected, store_addresses, store_contacts, store_days, store_sizes_get, store_oldest_ms,
 *          store_senders, store_stats_get. A reader in another process sees what was committed before its
 *          question.
 * Errors:  0 or -errno, logged once where it happened. -EIO for what RocksDB has no errno for.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define STORE_ADDRESSES_MAX 64  /**< of an original answer that are kept; the rest is cut */
#define STORE_TEXT_MAX      255 /**< octets of each text of a record; the rest is cut */
#define STORE_RCODE_MAX     4095 /**< RFC 6891 s6.1.3: 12 bits */

/** Which part of a message the name that decided stands in. */
enum store_match {
	STORE_MATCH_NONE,
	STORE_MATCH_QNAME,  /**< a question */
	STORE_MATCH_ANSWER, /**< an owner name or a target in the answer section */
};

/**
 * One response. Pointers are borrowed: by store_append for the call, in a visit until it returns.
 * Strings may be NULL when written, for ""; read, they are never NULL.
 */
struct store_record {
	int64_t time_ms;      /**< milliseconds since 1970 UTC */
	const uint8_t *name;  /**< question name, uncompressed wire form; kept and given in lower case */
	uint8_t name_size;    /**< octets, 1..255, the root label among them */
	bool filtered;        /**< the answer was changed, or not sent on: goes to filtered/ */
	bool tcp;
	uint16_t type;        /**< of the question; 0 with the root as name: there was no question */
	uint16_t rcode;       /**< of the original answer, 0..STORE_RCODE_MAX */
	struct prefix client; /**< length: the bits that are kept; family ADDR_NONE: not known */

	/* What a rule decided; all empty or 0 without a rule. */
	const char *list;     /**< name of the list */
	const char *id;       /**< malware identifier */
	const char *action;   /**< of the list, "sinkhole": policy_action_name */
	const char *verdict;  /**< what was done in fact, "rewritten": reason_name */
	uint32_t generation;  /**< of the tables that it was judged by */
	uint8_t match;        /**< enum store_match */
	const uint8_t *match_name; /**< name that decided, as name; NULL when not known */
	uint8_t match_name_size;   /**< 0: not known */
	uint16_t client_port;      /**< 0: not known; filtered responses only, RFC 8932 s5.2.1 */
	uint8_t n_addresses;       /**< A and AAAA of the original answer, up to STORE_ADDRESSES_MAX */
	const struct addr *addresses;
};

/** What came in from one sender, in its order. */
struct store_batch {
	uint64_t start;    /**< start id of the sending process; 0: a sender without numbers */
	uint64_t last_seq; /**< number of the latest record seen, counted from 1; with start 0: ignored */
	const struct store_record *records; /**< borrowed */
	size_t n;                           /**< may be 0, when a number was seen but no record */
};

enum store_mode {
	STORE_READ,  /**< any number of processes, also beside a writer */
	STORE_WRITE, /**< one process; makes FOLDER when it is missing. Sets the process's umask to
			  077, as RocksDB's own threads make files at any time. */
	STORE_MEND,  /**< store_drop_before, store_forget, store_contacts_put beside a writer; days it has
			  open are -EBUSY */
};

struct store_options {
	enum store_mode mode;
	size_t window_size; /**< octets that wait for a commit at most; 0: 64 MiB */
	size_t sort_max;    /**< records that a question sorts in memory at once; 0: 4 Mi */
};

struct store;

/**
 * Open a store.
 *
 * @param options borrowed
 * @param store   [out]
 * @return 0, -EBUSY when another process writes, -ENOENT for reading what is not there, or -errno
 */
int store_open(const char *folder, const struct store_options *options, struct store **store);

/** Commit, and close. NULL is fine. @return result of the commit; the store is closed anyway */
int store_close(struct store *store);

/**
 * Take a batch. When the window is full it is committed first.
 *
 * The caller bears the times: a day is made for each that comes, so records of a sender whose clock
 * is wrong by days are better refused before (store_refuse).
 *
 * @return 0, also when records were none (no name, say): these count as refused. -errno when the
 *         window is full and cannot be committed (a full disk, say): what was not taken of the
 *         batch counts as refused. With a numbered sender it is lost, too.
 */
int store_append(struct store *store, const struct store_batch *batch);

/** Count records of a sender that the caller does not store on purpose, as received and refused. */
void store_refuse(struct store *store, uint64_t start, uint64_t last_seq, uint64_t n);

/**
 * Write what waits, one write a day and kind, each synced. Call it once a second.
 * What cannot be written waits for the next commit.
 *
 * @return 0 or -errno
 */
int store_commit(struct store *store);

struct store_stats {
	uint64_t appended; /**< records taken since the open */
	uint64_t stored;   /**< of them, written */
	uint64_t pending;  /**< of them, waiting */
	uint64_t refused;  /**< not taken */
	uint64_t failed_commits;
	uint64_t window_used; /**< octets that wait */
};

void store_stats_get(struct store *store, struct store_stats *stats);

/** A sender since its start, also over restarts of the collector. */
struct store_sender {
	uint64_t start;
	uint64_t last_seq; /**< produced; 0 for start 0 */
	uint64_t stored;   /**< written */
	uint64_t refused;  /**< on purpose, or since there was no room; since the open */
	uint64_t pending;
	uint64_t lost;     /**< last_seq - stored - pending */
};

/**
 * All senders that the days kept know.
 *
 * @param senders [out] array, free() it
 * @return how many, or -errno
 */
int store_senders(struct store *store, struct store_sender **senders);

/* ---- Days ---- */

/** A day's folders. */
struct store_day {
	uint16_t day;         /**< as list_day_parse has it */
	int64_t start_ms;     /**< when it began */
	int64_t first_ms;     /**< begin of the first hour with records; start_ms if there is none */
	uint64_t records[3];  /**< [0] log, [1] filtered, [2] sinkhole */
	uint64_t bytes[3];    /**< of their files */
};

/** Begin of a day in the zone that tzset() has set, milliseconds since 1970 UTC. */
int64_t store_day_start_ms(uint16_t day);

/** Days stored, oldest first. @param days [out] array, free() it @return how many, or -errno */
int store_days(struct store *store, struct store_day **days);

/** What all days take on the disk; opens nothing. */
struct store_sizes {
	unsigned days;
	uint64_t bytes[3]; /**< [0] log, [1] filtered, [2] sinkhole */
};

/** @return 0 or -errno */
int store_sizes_get(struct store *store, struct store_sizes *sizes);

/**
 * Begin of the oldest day that has a folder, milliseconds since 1970 UTC; 0: there is none. What
 * dnsweir_log_oldest_seconds is made of; opens nothing.
 */
int64_t store_oldest_ms(struct store *store);

/**
 * Who takes part in a deletion, and how others go on meanwhile. Where several threads use the store, each holds
 * a lock of theirs; a deletion lets go of it between its pieces. All but `who` may be NULL.
 */
struct store_actor {
	const char *who;       /**< for the audit log: "retention", or a user's name */
	pthread_mutex_t *lock; /**< held by the caller, and when the deletion returns */
	void *ctx;
	/** Returns when no question is asked any more that began before; not under lock. */
	void (*settle)(void *ctx);
	/** Whether to leave the rest, which is then an error (-EINTR). */
	bool (*stop)(void *ctx);
};

/** What a deletion came to. */
struct store_dropped {
	unsigned days;
	uint64_t records, bytes;
	unsigned busy;    /**< days left alone, since another process has them open */
	unsigned longest_ms; /**< that the lock was held at once */
	uint64_t similar; /**< store_forget: records left, whose wider prefix holds the one forgotten */
};

/**
 * Remove all days before @p day, each with a line in the audit log. Goes on behind what fails.
 *
 * @param dropped [out] what was done, also with an error
 * @return 0 or -errno (-EBUSY: see dropped->busy)
 */
int store_drop_before(struct store *store, uint16_t day, const struct store_actor *actor,
	struct store_dropped *dropped);

/**
 * Take out every record and contact whose client lies in @p prefix: as whole address, or with as many
 * bits kept. Files are rewritten, so the addresses are gone from them afterwards. Records that are
 * anonymised to a wider prefix than @p prefix cannot be told apart and stay. What waits is
 * committed first.
 *
 * @return 0 or -errno (-EBUSY: see dropped->busy)
 */
int store_forget(struct store *store, const struct prefix *prefix, const struct store_actor *actor,
	struct store_dropped *dropped);

/**
 * Append a line to the audit log: time, who, and members of a JSON object, written by @p format.
 * Any thread or process.
 *
 * @return 0 or -errno, logged with the line
 */
int store_audit(const struct store *store, const struct store_actor *actor, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- Questions ---- */

enum store_scope {
	STORE_ANY_NAME,
	STORE_EXACT,   /**< that name */
	STORE_SUBTREE, /**< that name and all below it */
};

/** Which folders are asked. */
enum store_kinds {
	STORE_ALL,
	STORE_FILTERED,   /**< filtered/ */
	STORE_UNFILTERED, /**< log/: for those who may not read the other */
};

enum store_order {
	STORE_BY_TIME, /**< oldest first */
	STORE_BY_NAME, /**< hour by hour, in each by name from the root down; takes no memory */
};

/** Everything asked for must hold. All zero but `rcode` and `type` at -1: everything. */
struct store_question {
	int64_t from_ms, to_ms; /**< first moment, and first one after; 0: open */
	enum store_scope scope;
	const uint8_t *name;    /**< wire form, any case; borrowed */
	uint8_t name_size;      /**< octets */
	struct prefix client;   /**< clients in it; family ADDR_NONE: any */
	const char *id;         /**< malware identifier; NULL: any */
	int rcode, type;        /**< -1: any */
	enum store_kinds kinds;
	enum store_order order;
};

struct store_progress {
	unsigned hours_done, hours; /**< hours that have anything to do with the question */
	uint64_t seen, found;       /**< records read, and that met it */
};

struct store_visitor {
	void *ctx;
	/** A record that meets the question. @return 0, or what store_query shall stop with */
	int (*visit)(void *ctx, const struct store_record *record);
	/** Now and then, or NULL. @return 0, or what store_query shall stop with */
	int (*progress)(void *ctx, const struct store_progress *progress);
};

/** @return 0, what the visitor stopped with, -EACCES when a folder may not be read, or -errno */
int store_query(struct store *store, const struct store_question *question,
	const struct store_visitor *visitor);

/** An address in connection with a malware identifier. */
struct store_seen {
	const char *id;   /**< borrowed for the visit */
	struct addr addr;
	int64_t first_ms, last_ms;
	uint64_t n;       /**< records */
};

/** Takes one row, ordered by id, then address. @return 0, or what the walk shall stop with */
typedef int (*store_seen_visit)(void *ctx, const struct store_seen *row);

/**
 * Clients that had answers filtered from @p from_ms up to before @p to_ms (0: open), by malware id.
 * Takes memory for each row.
 *
 * @return 0, what the visit stopped with, or -errno
 */
int store_infected(struct store *store, int64_t from_ms, int64_t to_ms, store_seen_visit visit,
	void *ctx);

/** The same for the addresses that the original answers had: servers of the malware. */
int store_addresses(struct store *store, int64_t from_ms, int64_t to_ms, store_seen_visit visit,
	void *ctx);
