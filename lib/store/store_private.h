/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Keys, values and tables of the log. For the files of lib/store and its tests.
 *
 * A table is the RocksDB of one day and kind. Its rows:
 *
 *   hour  name                        records, one behind the other         what a merge appends to
 *   hour  name  number of the commit  records, one behind the other         many records of a name
 *   0xff 'D'                          version, begin of the day, zone       once
 *   0xff 'N'                          records of the table, commits         with each commit
 *   0xff 'S'  start id of a sender    its last number, records stored       with each commit
 *
 * Tables of sinkhole/ have rows of their own instead of the first two: store_contact_row.c.
 *
 *   hour   1 octet: STORE_HOUR_BIAS + whole hours since the begin of the day
 *   name   labels from the root down, each behind its length, and a 0 octet: names below a name are
 *          one range. In lower case.
 *   number of the commit  8 octets. Popular names get a row of their own for each commit, so that
 *          nothing has to be appended to rows that are large already.
 *
 * Records stored of a sender (row S) count over all tables and days. Tables are written one after
 * the other and each write is synced, so the greatest count in any table is the true one.
 *
 * Numbers are big-endian.
 */
#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include "dns/dns_const.h"
#include "rocks/rocks.h"
#include "store/store.h"

#define STORE_VERSION     1
#define STORE_HOUR_MS     3600000
#define STORE_HOUR_BIAS   32    /**< a zone that changed leaves records before the begin of a day */
#define STORE_HOUR_LAST   0xfe  /**< 0xff: other rows */
#define STORE_KEY_MAX     (1 + DNS_NAME_SIZE_MAX + 8)
#define STORE_VALUE_MAX   4096  /**< octets of one record, see store_record.c */
#define STORE_LARGE       4096  /**< octets of a name in one commit that get a row of their own */
#define STORE_SHELVES_MAX 4     /**< days that are open for writing at once */
#define STORE_WINDOWS_MAX (STORE_SHELVES_MAX * 2)
#define STORE_RETRY       2     /**< seconds between tries to write when something failed */
#define STORE_IDLE        3600  /**< seconds after which a day without records is closed */
#define STORE_PATH_MAX    4096  /**< POSIX PATH_MAX of Linux */

enum store_kind {
	STORE_LOG,
	STORE_CHANGED, /**< filtered/ */
	STORE_SINKHOLE, /**< what reached the sinkhole */
	STORE_KINDS,
};

/* Kinds that are opened for writing together, as bits 1 << enum store_kind. */
#define STORE_RECORDS  (1u << STORE_LOG | 1u << STORE_CHANGED)
#define STORE_CONTACTS (1u << STORE_SINKHOLE)

/* ---- store_key.c ---- */

/** Write the key of a name, folded. @return octets, or 0 when @p name is no name of that size */
size_t store_key_make(uint8_t hour, const uint8_t *name, size_t size, uint8_t key[STORE_KEY_MAX]);

/**
 * Read the name of a key.
 *
 * @param name [out] wire form
 * @return octets of it, or 0 when the key is damaged
 */
size_t store_key_name(const uint8_t *key, size_t size, uint8_t name[DNS_NAME_SIZE_MAX]);

/** First key behind all that begin with @p key, in place. @return octets, 0: there is none */
size_t store_key_after(uint8_t *key, size_t size);

/* ---- store_record.c ---- */

/** Write a record without time's hours and name. @return octets, at most STORE_VALUE_MAX */
size_t store_record_encode(const struct store_record *record, uint32_t ms, uint8_t *value);

/** Room that texts and addresses of a decoded record point into. */
struct store_room {
	struct addr addresses[STORE_ADDRESSES_MAX];
	char text[4][STORE_TEXT_MAX + 1];
};

/**
 * Read the record at @p value. Name, name_size and time_ms (but for the milliseconds of the hour)
 * are the caller's.
 *
 * @return octets, or 0 when it is damaged
 */
size_t store_record_decode(enum store_kind kind, const uint8_t *value, size_t size,
	struct store_record *record, struct store_room *room);

/* ---- store_merge.c ---- */

/** Values are put one behind the other. @return an operator that the options take */
rocksdb_mergeoperator_t *store_merge_create(void);

/* ---- store_table.c ---- */

enum store_shelf_state {
	STORE_SHELF_READ,    /**< for one question; in no list */
	STORE_SHELF_OPEN,    /**< for writing */
	STORE_SHELF_RETIRED, /**< closed by the last one that asks it; till then it can be had back */
	STORE_SHELF_FAILED,  /**< the same, but it must be opened anew */
};

/** One day's: of records, or of contacts. */
struct store_shelf {
	struct store_shelf *next; /**< writer's list, latest used first; under store.lock */
	uint16_t day;
	unsigned group;           /**< STORE_RECORDS or STORE_CONTACTS: kinds it may have */
	enum store_shelf_state state; /**< under store.lock */
	unsigned refs;            /**< under store.lock */
	int64_t start_ms;         /**< row D */
	int64_t begin_ms, end_ms; /**< of the day in today's zone */
	int64_t used;             /**< monotonic seconds */
	rocksdb_t *db[STORE_KINDS];        /**< NULL: not asked for, or not there */
	uint64_t records[STORE_KINDS];     /**< row N, as of the last commit; under store.lock */
	uint64_t commits[STORE_KINDS];     /**< row N */
	struct timespec swept;    /**< change of log/'s folder that modes of files were set after */
};

struct store {
	char *folder;
	enum store_mode mode;
	int lock_fd;
	size_t sort_max;
	size_t window_size;
	rocksdb_options_t *options;
	rocksdb_writeoptions_t *write_options;
	pthread_mutex_t lock;
	struct store_shelf *shelves;  /**< for writing; under lock */
	struct store_sender *senders; /**< under lock; what was lost is worked out for the caller */
	bool *dirty;                  /**< by sender: has a number that is not written; under lock */
	size_t n_senders;
	struct store_stats stats;     /**< under lock */
	struct store_window *windows[STORE_WINDOWS_MAX];
	struct store_shelf *latest;   /**< that a record went to; NULL when that one is retired */
	int64_t tried;                /**< monotonic seconds when a day could not be opened */
	int failing;                  /**< -errno of what does not work, and is logged; 0: all does */
};

/** "log", "filtered", "sinkhole". */
const char *store_kind_name(enum store_kind kind);

/** Folder of a day, or with @p day < 0 that of the kind. @return @p path */
char *store_path(
	const struct store *store, enum store_kind kind, int day, char path[STORE_PATH_MAX]);

/** Make a folder that is to have @p mode. @return 0, also when it is there, or -errno */
int store_folder_make(const char *path, mode_t mode);

/** Open a table for reading, or for writing and make it. @return 0 or -errno, not logged */
int store_table_open(struct store *store, uint16_t day, enum store_kind kind, bool write,
	rocksdb_t **db);

/** Read begin of the day and counts of open tables; give new ones their row D. */
int store_rows_read(struct store *store, struct store_shelf *shelf, bool write);

/** Write row N into a batch. */
void store_batch_counts(rocksdb_writebatch_t *batch, uint64_t records, uint64_t commits);

/** Seconds that only go forward. */
int64_t store_now(void);

/* ---- store_shelf.c ---- */

/**
 * Open a day's tables.
 *
 * @param kinds bits 1 << enum store_kind, all of STORE_RECORDS or of STORE_CONTACTS
 * @param write for writing: all kinds of the group, and made where they are missing
 * @return 0, -EBUSY when another process has one open for writing, -ENOENT, or -errno; not logged
 */
int store_shelf_open(struct store *store, uint16_t day, unsigned kinds, bool write,
	struct store_shelf **shelf);

/**
 * Tables of a day for a question: the writer's, if it has them open, else opened for reading.
 *
 * @return 0 or -errno, logged
 */
int store_shelf_get(struct store *store, uint16_t day, unsigned kinds, struct store_shelf **shelf);

/** Give back, or close. */
void store_shelf_put(struct store *store, struct store_shelf *shelf);

/**
 * The writer's tables of a day; opens them. Not to be given back.
 *
 * @param group STORE_RECORDS or STORE_CONTACTS
 * @return 0, or -errno, not logged
 */
int store_shelf_write(
	struct store *store, uint16_t day, unsigned group, struct store_shelf **shelf);

/**
 * Close the tables of a day, once nobody asks them any more.
 *
 * @param failed they are not to be written any more as they are
 * @return whether they are closed
 */
bool store_shelf_retire(struct store *store, struct store_shelf *shelf, bool failed);

/**
 * Where the hours of a day's keys begin: what its tables say, which on a full disk can still be read, or
 * what they will say when they are made.
 *
 * @return 0 or -errno, not logged
 */
int store_day_begin(struct store *store, uint16_t day, int64_t *start_ms);

/** Shelves open for writing one after the other, from NULL on; for the writer. */
struct store_shelf *store_shelf_next(struct store *store, const struct store_shelf *before);

/** Put what is in memory into files: nobody has to go through the write-ahead log then. */
int store_shelf_flush(struct store_shelf *shelf);

/** Make the files of log/ readable for the group, where new ones came. */
void store_shelf_modes(const struct store *store, struct store_shelf *shelf);

/* ---- store_append.c ---- */

/** store_commit, also right after one that failed. */
int store_commit_last(struct store *store);

/* ---- store_days.c ---- */

/** Remove what is left of days whose removal was cut short. @return 0 or -errno, logged */
int store_leftovers_remove(struct store *store);

/**
 * Days with a folder of these kinds, oldest first.
 *
 * @param days [out] free() it
 * @return how many, or -errno, logged
 */
int store_folders(const struct store *store, unsigned kinds, uint16_t **days);

/* ---- store_senders.c ---- */

/** Index of a sender, made if new; under lock. @return -ENOMEM */
int store_sender_find(struct store *store, uint64_t start);

/** Read the rows of all days. @return 0 or -errno, logged */
int store_senders_load(struct store *store);

/** Write row S of a sender into a batch. */
void store_batch_sender(rocksdb_writebatch_t *batch, const struct store_sender *sender, uint64_t n);

/* ---- store_window.c ---- */

/** What waits for a commit, of one name and hour. */
struct store_entry {
	uint32_t key;   /**< in the arena */
	uint32_t first; /**< item in the arena */
	uint32_t last;
	uint32_t size;  /**< octets of all values */
	uint32_t slot;
	uint16_t key_size;
};

/** Records of one sender that wait. */
struct store_tally {
	int sender;
	uint64_t n;
};

#define STORE_WINDOW_EMPTY 1 /**< octets; offset 0 says that there is none */

/**
 * What waits for a commit, of one table. An item of the arena is the offset of the next one (4
 * octets, 0: the last), a size (2) and a value.
 */
struct store_window {
	uint16_t day;
	enum store_kind kind;
	int64_t start_ms;        /**< that the hours of the keys count from */
	uint64_t doubt;          /**< commit that failed, and may be there nevertheless; 0: none */
	uint64_t records;
	size_t size, used;       /**< of the arena; STORE_WINDOW_EMPTY: nothing */
	uint8_t *arena;
	struct store_entry *entries;
	uint32_t n_entries, max_entries;
	uint32_t *slots;         /**< index of an entry + 1, 0: free */
	uint32_t mask;
	struct store_tally *tallies;
	size_t n_tallies;
};

/** @return a window of @p size octets, or NULL */
struct store_window *store_window_create(size_t size);
void store_window_destroy(struct store_window *window);

/** Take a record of sender @p sender. @return 0, -ENOBUFS when it is full, or -ENOMEM */
int store_window_add(struct store_window *window, const uint8_t *key, size_t key_size,
	const uint8_t *value, size_t size, int sender);

/** Write all that waits into a batch, in the order of the keys. @return 0 or -ENOMEM */
int store_window_batch(
	const struct store_window *window, uint64_t commit, rocksdb_writebatch_t *batch);

/** Forget all that waits. */
void store_window_clear(struct store_window *window);

/* ---- store_drop.c ---- */

/** A deletion that others get in between. */
struct store_work {
	const struct store_actor *actor;
	struct store_dropped *dropped;
	int64_t since_us; /**< when the lock was had */
};

/** The lock is held from now on. */
void store_work_begin(struct store_work *work, const struct store_actor *actor, struct store_dropped *dropped);

/** Let go of the lock, or take it again. */
void store_work_let(struct store_work *work);
void store_work_take(struct store_work *work);

/** Let others have the lock for as long as it was held. @return 0, or -EINTR when it is to stop */
int store_work_breathe(struct store_work *work);

/** Whether the lock was held for as long as a piece may take. */
bool store_work_is_long(const struct store_work *work);
