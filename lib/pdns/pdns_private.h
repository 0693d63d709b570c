/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Keys, values, window and scans of the dataset. For the files of lib/pdns and its tests.
 *
 * One RocksDB; the first octet of a key says what it is. `reversed` is a name in labels from the
 * root down, each behind its length, and a 0 octet at the end: what is below a name is one range,
 * that name included if the 0 octet is left out. `forward` is the wire form. Numbers are
 * big-endian.
 *
 *   01  owner reversed  type 2  bailiwick 1  RDATA         value: see below        a tuple
 *   02  address 4   owner reversed  bailiwick 1            empty                   of an A tuple
 *   03  address 16  owner reversed  bailiwick 1            empty                   of an AAAA tuple
 *   04  target reversed  type 2  owner reversed  bailiwick 1   empty               of each name in RDATA
 *   05  hash 5      type 2  owner reversed  bailiwick 1    empty                   of all other tuples
 *   06  owner forward                                      empty                   of each owner that is no base domain
 *   07  target forward                                     empty                   of each name in RDATA
 *   08  size 1  shape  base domain forward                 empty                   of each base domain of owners
 *   09  hour 4      owner reversed                         empty                   of each owner of a tuple first seen then, and more
 *   ff 'V'                                                 version 1               once
 *   ff 'T'                                                 time 8                  all that came before is written
 *   ff 'G'                                                 gaps 8, seconds 8, from 8, to 8   when it was not closed
 *   ff 'N'                                                 number 8                of the last write
 *   ff 'R'                                                 time 8                  since when rows 09 are whole
 *   ff 'S' start 8                                         last number 8, messages 8   of a sender's stream
 *   ff 'I' hash 16                                         time 8                  of a file that was taken in
 *
 *   bailiwick  labels of it, the root not counted: it is the end of the owner's name
 *   hour       since 1970; of the last PDNS_RECENT_S only
 *   shape      what shape_key() makes of the base domain's first label
 *   hash       first octets of XXH3 of the RDATA. Two RDATA with the same are told apart where they are compared
 *   value      1 octet: PDNS_CLASS_BIT of each class that knows it; two bits higher, that it did so once; two
 *              bits higher, for each class two of them, octets of the seconds from first to last, less 1
 *              for each class, the lowest bit first: first time 4, seconds since 1970; unless it was once,
 *              seconds from first to last 1..4; count, varint
 *
 * Rows 06 and 08 together tell what begins with given labels. A base domain is in both where the list of public
 * suffixes was another one.
 *
 * An index entry leads to tuples: 02, 03 to one, 04, 05 to those of an RRset that have the target
 * or the RDATA. So an SOA record whose serial changes has one entry 04, and counts and times stand
 * once.
 *
 * Rows 01 are written by a merge operator (least first, greatest last, sum of counts), without
 * reading.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "dns/dns_rdata.h"
#include "feed/feed.h"
#include "pdns/pdns.h"
#include "rocks/rocks.h"

#define PDNS_VERSION 3

/** First octet of a key. */
enum pdns_tag {
	PDNS_TAG_TUPLE = PDNS_TABLE_TUPLES,
	PDNS_TAG_IPV4 = PDNS_TABLE_IPV4,
	PDNS_TAG_IPV6 = PDNS_TABLE_IPV6,
	PDNS_TAG_TARGET = PDNS_TABLE_TARGETS,
	PDNS_TAG_HASH = PDNS_TABLE_RDATA,
	PDNS_TAG_OWNER_START = PDNS_TABLE_OWNER_STARTS,
	PDNS_TAG_TARGET_START = PDNS_TABLE_TARGET_STARTS,
	PDNS_TAG_BASE = PDNS_TABLE_BASES,
	PDNS_TAG_RECENT = PDNS_TABLE_RECENT,
	PDNS_TAG_OTHER = 0xff,
};

/** Longest key: a tuple's. */
#define PDNS_KEY_MAX (1 + DNS_NAME_SIZE_MAX + 3 + PDNS_RDATA_MAX)
/** Longest key of an index entry: a target's. */
#define PDNS_INDEX_MAX (1 + DNS_NAME_SIZE_MAX + 2 + DNS_NAME_SIZE_MAX + 1)
/** Longest key of a base domain. */
#define PDNS_BASE_MAX (2 + 255 + DNS_NAME_SIZE_MAX)
#define PDNS_HASH_SIZE 5
#define PDNS_PATH_MAX  4096 /**< POSIX PATH_MAX of Linux */

#define PDNS_BAILIWICK_NONE 255 /**< not known: it is estimated when it is written */

/* RFC 1035 s3.2.2 and later ones, as in dns/dns_const.h */
#define PDNS_TYPE_NS    2
#define PDNS_TYPE_SOA   6
#define PDNS_TYPE_PTR   12
#define PDNS_TYPE_NSEC  47

/* ---- pdns_key.c ------------------------------------------------------------------------------ */

/** Octets of the name in wire form at @p name, or 0 when there is none within @p size octets. */
size_t pdns_name_size(const uint8_t *name, size_t size);

/** Labels of a name, the root label not counted. @param name valid */
unsigned pdns_name_labels(const uint8_t *name);

/** Where the last @p labels labels of a name start. @param name valid @return an offset */
size_t pdns_name_tail(const uint8_t *name, unsigned labels);

/** Write a name reversed. @param name valid  @param to room for as many octets @return octets */
size_t pdns_name_reverse(const uint8_t *name, uint8_t *to);

/** Copy a name in lower case. @param name valid @return octets */
size_t pdns_name_fold(const uint8_t *name, uint8_t *to);

/** A tuple as its key has it. */
struct pdns_tuple_key {
	const uint8_t *owner; /**< wire form, lower case */
	size_t owner_size;
	uint16_t type;
	uint8_t bailiwick; /**< labels */
	const uint8_t *rdata;
	size_t rdata_size;
};

/** Write a tuple's key without RDATA. @return octets */
size_t pdns_key_rrset(const struct pdns_tuple_key *tuple, uint8_t *key);

/**
 * Read a tuple's key.
 *
 * @param owner [out] DNS_NAME_SIZE_MAX octets; @p tuple points at it and into @p key
 * @return whether it is whole
 */
bool pdns_key_read(const uint8_t *key, size_t size, uint8_t *owner, struct pdns_tuple_key *tuple);

/** What @p visit is called with for each index entry of a tuple. */
typedef void (*pdns_index_visit)(void *ctx, const uint8_t *key, size_t size);

/** Make the keys of the index entries that a tuple has, but for that of its owner's name (06). */
void pdns_key_index(const struct pdns_tuple_key *tuple, pdns_index_visit visit, void *ctx);

/**
 * Read what an index entry says of where its tuples are.
 *
 * @param tuple [out] without RDATA; with it for 02 and 03
 * @param target [out] of 04, the name as it is reversed, in @p key; else NULL
 * @return whether it is whole
 */
bool pdns_key_index_read(const uint8_t *key, size_t size, uint8_t *owner,
	struct pdns_tuple_key *tuple, const uint8_t **target);

/** First key behind all that begin with @p key, in place. @return octets, 0: there is none */
size_t pdns_key_after(uint8_t *key, size_t size);

/* ---- pdns_rdata.c ---------------------------------------------------------------------------- */

/**
 * Write RDATA of a message uncompressed, its names in lower case.
 *
 * @param to PDNS_RDATA_MAX octets
 * @return octets, or a negative enum dns_err: it is malformed, or longer than that
 */
int pdns_rdata_expand(const uint8_t *msg, uint32_t size, const struct dns_rr *rr, uint8_t *to);

/**
 * Where the names in RDATA are that are written and asked for as targets.
 *
 * @param at [out] bytes from @p rdata
 * @return how many
 */
unsigned pdns_rdata_targets(uint16_t type, const uint8_t *rdata, size_t size, uint16_t at[DNS_RDATA_NAMES_MAX]);

/** Whether RDATA of a type is one name and nothing else: NS, CNAME, PTR, ... */
bool pdns_type_is_name(uint16_t type);

/** Check and fold uncompressed RDATA in place. @return whether it is none that a message could not have */
bool pdns_rdata_fold(uint16_t type, uint8_t *rdata, size_t size);

/** Write the hash of RDATA in entries 05. */
void pdns_rdata_hash(const uint8_t *rdata, size_t size, uint8_t hash[PDNS_HASH_SIZE]);

/** Whether a type has data at all: no meta types, no pseudo records (RFC 6895 s3.1). */
bool pdns_type_is_data(uint16_t type);

/* ---- pdns_merge.c ---------------------------------------------------------------------------- */

struct pdns_sum {
	uint64_t count; /**< 0: this class does not know the tuple */
	uint32_t first, last;
};

#define PDNS_VALUE_MAX (1 + PDNS_CLASSES * (4 + 4 + 10))

/** @return octets */
size_t pdns_value_write(const struct pdns_sum sums[PDNS_CLASSES], uint8_t *value);

/** Add what a value says to @p sums. @return whether it is whole; if not, nothing is added */
bool pdns_value_add(const uint8_t *value, size_t size, struct pdns_sum sums[PDNS_CLASSES]);

void pdns_sum_add(struct pdns_sum *to, const struct pdns_sum *from);

/** @return an operator that the options take */
rocksdb_mergeoperator_t *pdns_merge_create(void);

/* ---- pdns_window.c --------------------------------------------------------------------------- */

/** A tuple that waits, the octets of owner and RDATA behind it. */
struct pdns_entry {
	uint64_t hash; /**< of class, type, bailiwick, owner and RDATA */
	struct pdns_sum sum;
	uint16_t type;
	uint16_t rdata_size;
	uint8_t owner_size;
	uint8_t class;
	uint8_t bailiwick; /**< labels, or PDNS_BAILIWICK_NONE */
	uint8_t octets[];
};

#define PDNS_AGES 64

/** Tuples that wait, each once. Its owner sees to locks. Times are monotonic microseconds. */
struct pdns_window {
	uint8_t *arena;  /**< entries, each at a multiple of 8 */
	size_t size, used;
	size_t most;     /**< no message begins when so much is used; by its owner */
	uint64_t seed;   /**< of the hash: nobody outside can make names that share one */
	uint32_t *slots; /**< place of an entry in units of 8, and 1 added; 0: free */
	uint32_t mask, n;
	int64_t since_us; /**< when the first message or tuple came that is not written; 0: empty */
	int64_t ages_us[PDNS_AGES]; /**< when each next part of `size` was begun: what is behind came no earlier */
	unsigned n_ages;
};

/** @return 0 or -ENOMEM */
int pdns_window_init(struct pdns_window *window, size_t size);
void pdns_window_free(struct pdns_window *window);

/** Whether @p n tuples that are not there yet, of @p octets of names and RDATA in all, can be added. */
bool pdns_window_has_room(const struct pdns_window *window, size_t n, size_t octets);

/**
 * Add to a tuple. @param tuple its bailiwick may be PDNS_BAILIWICK_NONE
 * @return false: there is no room
 */
bool pdns_window_add(struct pdns_window *window, enum pdns_class class,
	const struct pdns_tuple_key *tuple, const struct pdns_sum *sum);

void pdns_window_clear(struct pdns_window *window);

/** Whether pdns_window_age is to be called, because something came. */
bool pdns_window_wants_age(const struct pdns_window *window);
void pdns_window_age(struct pdns_window *window, int64_t now_us);

/** When the first of what is at @p at octets and behind came, or a little earlier. @return 0: the window is empty */
int64_t pdns_window_since(const struct pdns_window *window, size_t at);

/** The entry at @p *at, octets, which moves to the next one. @return NULL: there is none */
const struct pdns_entry *pdns_window_next(const struct pdns_window *window, size_t *at);

/* ---- pdns_pace.c: when to write ----------------------------------------------------------------- */

/** How quick writes were of late. Its owner sees to locks. */
struct pdns_pace {
	int64_t window_us; /**< that anything may wait, less what is kept back for disks, ticks and marks that are late */
	uint64_t speed;    /**< octets of a window a second, pauses not counted */
};

void pdns_pace_init(struct pdns_pace *pace, unsigned window_s);

/** Learn from a write. @param octets of a window  @param whole not a little rest, which says nothing of being slow */
void pdns_pace_wrote(struct pdns_pace *pace, size_t octets, int64_t took_us, bool whole);

/**
 * Octets that may wait.
 *
 * @param age_us how long the first of them waits
 * @param ahead  octets that are written before
 */
size_t pdns_pace_room(const struct pdns_pace *pace, int64_t age_us, size_t ahead);

/**
 * Microseconds that writing may begin later.
 *
 * @param age_us how long the first of it waits
 * @param octets that are to be written, those ahead among them
 * @return less than 0: it may already be too late
 */
int64_t pdns_pace_slack(const struct pdns_pace *pace, int64_t age_us, size_t octets);

/* ---- pdns.c ---------------------------------------------------------------------------------- */

/** Index entries that were written not long ago are not written again. By hash of the tuple. */
#define PDNS_KNOWN_SLOTS (1u << 22)
#define PDNS_KNOWN_WAYS  4 /**< slots that a tuple may be in */

/** The same of base domains, by hash. */
#define PDNS_BASES_SLOTS (1u << 16)

/** A stream of numbered messages. */
struct pdns_stream {
	uint64_t start;    /**< 0: the sum of streams that there was no more room for */
	uint64_t last;     /**< greatest number */
	uint64_t messages; /**< of them that came */
	bool dirty;        /**< not as in its row, nor in `sealed` */
};

struct pdns {
	char *folder;
	enum pdns_mode mode;
	int lock_fd;
	int mark_fd; /**< -1: none */
	unsigned window_s;
	bool gentle;
	int64_t (*now_us)(void); /**< pdns_now_us, or a test's own */
	pthread_rwlock_t db_lock; /**< written to while it is opened anew */
	rocksdb_t *db;            /**< NULL: it could not be */
	rocksdb_options_t *options;
	rocksdb_writeoptions_t *write_options;
	rocksdb_cache_t *cache;

	pthread_mutex_t lock;       /**< of all up to the next comment */
	struct pdns_window *filling, *emptying;
	struct pdns_stream *streams; /**< that of start 0 first */
	size_t n_streams;
	uint64_t *retired;           /**< starts of streams whose rows are to be removed */
	size_t n_retired;
	struct pdns_stats stats;
	bool failing; /**< the last flush failed, and that was logged */
	struct pdns_pace pace;

	pthread_mutex_t flush_lock; /**< taken before `lock`; of `emptying`, which is whoever flushes' */
	size_t flushed_to;          /**< octets of `emptying` that are written */
	size_t tried_to;            /**< and that the last write tried to bring them to */
	struct pdns_stream *sealed; /**< rows to be written with the last of `emptying` */
	size_t n_sealed;
	uint64_t writes;            /**< row N */
	bool db_failed;             /**< a write failed, so it has to be opened anew */
	bool sealed_waits;          /**< `emptying` or `sealed` are not all written */
	int64_t sealed_s;           /**< when they were sealed, seconds since 1970 */
	_Atomic unsigned hurried;   /**< threads that wait for a flush */
	uint64_t *known;
	uint64_t *bases;
	struct feed *feed;          /**< NULL: none is kept */
	uint8_t *feed_row;          /**< FEED_ROW_MAX octets */
	int64_t recent_oldest;      /**< hour that rows 09 were removed up to */

	struct pdns_window windows[2];
};

#define PDNS_ROW_SIZE    2
#define PDNS_ROW_VERSION "\xffV"
#define PDNS_ROW_WRITTEN "\xffT"
#define PDNS_ROW_GAPS    "\xffG"
#define PDNS_ROW_WRITES  "\xffN"
#define PDNS_ROW_RECENT  "\xffR"

int64_t pdns_now_us(void); /**< monotonic */

/** Keep the database from being opened anew. @return 0, or -EIO: there is none just now */
int pdns_db_use(struct pdns *pdns);
void pdns_db_unuse(struct pdns *pdns);

/**
 * Open the database anew: after an error RocksDB takes no more writes. Under flush_lock.
 *
 * @return 0, -EBUSY while somebody asks it, or -errno
 */
int pdns_db_reopen(struct pdns *pdns);

/** Row N. @return 0 or -errno */
int pdns_writes_read(const struct pdns *pdns, uint64_t *writes);

/** Options of a database. @return taken by the caller */
rocksdb_options_t *pdns_options_make(const struct pdns *pdns, enum pdns_mode mode);

/* ---- pdns_chunk.c ---------------------------------------------------------------------------- */

struct pdns_chunk_row {
	uint64_t head; /**< first octets of the key, as a number */
	uint32_t at;   /**< bytes from `octets`, of the key; the value is behind it */
	uint32_t key_size, value_size; /**< octets; an index entry has no value */
};

/** Rows to be written at once. Zeroes: none. */
struct pdns_chunk {
	uint8_t *octets;
	size_t size, used;
	struct pdns_chunk_row *rows;
	size_t n, room;
	int err; /**< 0 or -ENOMEM */
};

struct pdns_chunk_part {
	const uint8_t *data;
	size_t size;
};

/** Add a row whose key is all parts one behind the other. */
void pdns_chunk_add(struct pdns_chunk *chunk, const struct pdns_chunk_part *parts, unsigned n,
	const uint8_t *value, size_t value_size);

/** Add an index entry. @param ctx the chunk */
void pdns_chunk_index(void *ctx, const uint8_t *key, size_t size);

/** Put all rows into a batch, in the order of their keys, and have none. @return 0 or -ENOMEM: some are missing */
int pdns_chunk_take(struct pdns_chunk *chunk, rocksdb_writebatch_t *batch);

void pdns_chunk_free(struct pdns_chunk *chunk);

/* ---- pdns_flush.c ---------------------------------------------------------------------------- */

/**
 * Remember that a tuple and its index entries are written. Under flush_lock, or while nobody else has it.
 *
 * @return whether they were before, as far as it is remembered
 */
bool pdns_known_take(struct pdns *pdns, const struct pdns_tuple_key *tuple);

/**
 * Have room in the window as pdns_window_has_room says; where somebody calls pdns_tick gently, by leaving the writing to
 * him. Others may take it before we do.
 *
 * @return 0 or -errno
 */
int pdns_room_make(struct pdns *pdns, size_t n, size_t octets);

/* ---- pdns_mark.c: what a process that is killed leaves ---------------------------------------- */

/** Read what is known of gaps into `stats`. @return 0 or -errno */
int pdns_mark_load(struct pdns *pdns);
/** Say what the one before may have lost, and that this one lives. @return 0 or -errno */
int pdns_mark_open(struct pdns *pdns);
void pdns_mark_close(struct pdns *pdns, bool all_written);

/* ---- pdns_feed.c ----------------------------------------------------------------------------- */

/** Open the feed, if there is to be one, as far as row N goes. @return 0 or -errno */
int pdns_feed_up(struct pdns *pdns, const struct pdns_options *options);

/** Add a tuple that is written to the feed's batch. @param known whether it was written before, as far as is remembered */
void pdns_feed_add(struct pdns *pdns, const struct pdns_entry *entry, uint8_t bailiwick, bool known);

/* ---- pdns_streams.c -------------------------------------------------------------------------- */

/** Note that a message came. Under lock. */
void pdns_stream_note(struct pdns *pdns, uint64_t start, uint64_t seq);
/** Have `sealed` be what changed up to now. Under flush_lock and lock. @return 0 or -ENOMEM */
int pdns_streams_seal(struct pdns *pdns);
/** Put the rows of `sealed` into a batch. Under flush_lock. */
void pdns_streams_write(const struct pdns *pdns, rocksdb_writebatch_t *batch);
/** Read the rows. @return 0 or -errno */
int pdns_streams_load(struct pdns *pdns);

/* ---- pdns_scan.c: a question under way -------------------------------------------------------- */

struct pdns_scan {
	struct pdns *pdns;
	const struct pdns_question *question;
	const struct pdns_visitor *visitor;
	struct pdns_result *result;
	unsigned classes;
	const rocksdb_snapshot_t *snapshot;
	rocksdb_readoptions_t *read;
	rocksdb_iterator_t *tuples, *entries, *starts; /**< NULL until they are needed */

	uint8_t name[DNS_NAME_SIZE_MAX]; /**< of the question, lower case */
	size_t name_size;
	uint8_t bailiwick[DNS_NAME_SIZE_MAX];
	size_t bailiwick_size;
	unsigned bailiwick_labels;

	/* Where the cursor is: behind `tuple`, reached by `entry` if that has octets. */
	const uint8_t *from_entry, *from_tuple;
	size_t from_entry_size, from_tuple_size;

	/* The index entry that leads to tuples; size 0: none does. */
	uint8_t entry[PDNS_INDEX_MAX];
	size_t entry_size;
	const uint8_t *target; /**< in `entry`, reversed; NULL */

	uint64_t left_out; /**< of question->offset */
	struct pdns_row row; /**< begun when n_rdata > 0 */
	uint8_t owner[DNS_NAME_SIZE_MAX];
	uint8_t row_bailiwick;
	struct pdns_rdata rdata[PDNS_GROUP_MAX];
	size_t rdata_at[PDNS_GROUP_MAX];
	uint8_t *room; /**< of RDATA */
	size_t room_size, room_used;
	uint8_t *cursor;
};

/** All went well so far: go on. Else the whole scan ends with the number. */
#define PDNS_SCAN_END 1 /**< enough was found; nobody sees it */

/** @return 0 or -errno; pdns_scan_close comes after both */
int pdns_scan_open(struct pdns_scan *scan);
void pdns_scan_close(struct pdns_scan *scan);

/** Position an iterator that is made if need be. */
void pdns_scan_seek(struct pdns_scan *scan, rocksdb_iterator_t **iterator, const uint8_t *key, size_t size);

/** Key under the iterator if it begins with @p prefix, else NULL. @param size [out] */
const uint8_t *pdns_scan_key(rocksdb_iterator_t *iterator, const uint8_t *prefix, size_t prefix_size, size_t *size);

/** Count an entry. @return 0, or what the visitor stops with */
int pdns_scan_count(struct pdns_scan *scan);

/** A tuple meets the question: a row, or a member of one. @return 0 or what the scan ends with */
int pdns_scan_found(struct pdns_scan *scan, const struct pdns_tuple_key *tuple, const uint8_t *key,
	size_t key_size, const struct pdns_sum *sum, unsigned classes);

/** Give the row that is begun. @return 0 or what the scan ends with */
int pdns_scan_row(struct pdns_scan *scan);

/* ---- pdns_bases.c ---------------------------------------------------------------------------- */

/** Make the key of a base domain, unless that was done not long ago. Under flush_lock. */
void pdns_bases_put(struct pdns *pdns, const uint8_t *base, pdns_index_visit visit, void *ctx);

/** The beginning of the keys of base domains that begin with @p start, wire form up to a last label. @return octets */
size_t pdns_bases_prefix(const uint8_t *start, size_t size, uint8_t key[PDNS_BASE_MAX]);

/** Base domain in such a key. @param base_size [out] octets @return wire form, NULL: there is none */
const uint8_t *pdns_bases_read(const uint8_t *key, size_t size, size_t *base_size);

/* ---- pdns_forward.c, what questions have in common with the feed ------------------------------- */

bool pdns_type_wanted(const struct pdns_question *question, uint16_t type);

/** Whether @p name, in lower case, is @p asked, below it, or begins so. @param asked in lower case */
bool pdns_name_matches(const uint8_t *name, enum pdns_scope scope, const uint8_t *asked, size_t size);

/* ---- pdns_recent.c --------------------------------------------------------------------------- */

/** Make the key of a tuple that was perhaps never written before, if it is recent. Under flush_lock. */
void pdns_recent_put(const struct pdns_tuple_key *tuple, int64_t first_s, pdns_index_visit visit, void *ctx);

/** Have a batch remove what is no more recent, once an hour. Under flush_lock. */
void pdns_recent_trim(struct pdns *pdns, rocksdb_writebatch_t *batch);

/** Note since when there is such a table. @return 0 or -errno */
int pdns_recent_open(struct pdns *pdns);

/** What is done with each owner. */
typedef int (*pdns_owner_visit)(struct pdns_scan *scan, const uint8_t *owner);

/** Owners of a question by PDNS_BY_RECENT. @return 0, -ENODATA, or what the scan ends with */
int pdns_recent(struct pdns_scan *scan, pdns_owner_visit visit);

/* ---- pdns_forward.c --------------------------------------------------------------------------- */

/** Tuples whose keys begin with @p prefix. @return 0 or what the scan ends with */
int pdns_forward(struct pdns_scan *scan, const uint8_t *prefix, size_t size);

/** The tuple of that key, if it is there: quicker than a range of one. @return 0 or what the scan ends with */
int pdns_forward_one(struct pdns_scan *scan, const uint8_t *key, size_t size);
