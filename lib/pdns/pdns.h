/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Passive DNS: what names resolved to, when first, when last, how often; and nothing of who asked.
 *
 * The unit is the tuple: owner name, type and one RDATA. Names are in lower case, those inside of
 * RDATA of the types that RFC 3597 s4 lists and of later ones too (dns/dns_rdata.h), and never
 * compressed. Each tuple has first time, last time and count for each of two classes of sensors,
 * see below, and a bailiwick, which is part of what tells tuples apart.
 *
 * What is observed waits in memory, each tuple once, for some seconds; then it is merged into
 * RocksDB. A process that is killed loses what waited, and the next open says of which time that was. Senders that number what they send are told
 * how many of their messages that was (pdns_streams). See doc/pdns.md.
 *
 * Privacy: no function here takes a client's address, or anything else of who asked.
 *
 * Layer:   lib/pdns; no EAL, no HTTP.
 * Threads: any thread may observe, put, skip, flush and ask, several at once, while none opens or
 * closes.
 *          Another process may read beside the one that writes; it sees what was flushed before it opened.
 * Errors:  0 or -errno, logged once where it happened. -EIO for what RocksDB has no errno for.
 * Source:  draft-dulaunoy-dnsop-passive-dns-cof-13 (what a tuple is, times, count).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "dns/dns_const.h"

/** Where a sensor stands; counted apart. */
enum pdns_class {
	PDNS_CLIENT,   /**< between clients and a resolver: count is how often a tuple was served */
	PDNS_RESOLVER, /**< between a resolver and authorities: how often it was fetched */
	PDNS_CLASSES,
};

#define PDNS_CLASS_BIT(class) (1u << (class))

/** "client", "resolver". */
const char *pdns_class_name(enum pdns_class class);

/* ---- opening --------------------------------------------------------------------------------- */

enum pdns_mode {
	PDNS_READ,  /**< any number of processes, also beside a writer */
	PDNS_WRITE, /**< one process; makes FOLDER, mode 0750, when it is missing */
};

struct pdns_options {
	enum pdns_mode mode;
	size_t window_size; /**< octets that wait at most; 0: 64 MiB */
	size_t cache_size;  /**< octets of what was read that are kept at most; 0: 256 MiB */
	unsigned window_s;  /**< seconds that anything waits at most; 0: 10 */
	bool gentle;        /**< pdns_tick makes pauses, so that those who ask get the CPU */
	uint64_t feed_size; /**< octets that the feed (pdns_feed.h) may take on the disk; 0: there is none */
	uint64_t feed_keep_s; /**< seconds that its rows are kept */
};

struct pdns;

/**
 * @param options borrowed
 * @param pdns    [out]
 * @return 0, -EBUSY when another process writes, -ENOENT for reading what is not there, or -errno
 */
int pdns_open(const char *folder, const struct pdns_options *options, struct pdns **pdns);

/** Flush, and close. NULL is fine. @return result of the flush; it is closed anyway */
int pdns_close(struct pdns *pdns);

/* ---- what comes in --------------------------------------------------------------------------- */

/** A response. */
struct pdns_answer {
	enum pdns_class class;
	int64_t time_s;      /**< seconds since 1970 UTC, 0..UINT32_MAX */
	const uint8_t *msg;  /**< wire form, borrowed */
	size_t size;         /**< octets */
	const uint8_t *zone; /**< bailiwick that the resolver asked in, uncompressed; NULL: not known */
	size_t zone_size;    /**< octets, the root label among them */
	uint64_t start;      /**< start id of a sender that numbers what it sends; 0: does not */
	uint64_t seq;        /**< number of this message; ignored with start 0 */
};

/** Why an answer gave nothing. */
enum pdns_refusal {
	PDNS_E_MESSAGE = -1, /**< no response of opcode QUERY, or its answer section cannot be read */
	PDNS_E_MADE_UP = -2, /**< a policy made it up: it says so by an EDE or an SOA (see doc/pdns.md) */
	PDNS_E_ROOM = -3,    /**< the window is full and cannot be flushed */
	PDNS_E_TIME = -4,    /**< time_s out of range */
};

/**
 * Take what an answer says.
 *
 * @return how many tuples, 0 or more, or a negative enum pdns_refusal
 */
int pdns_observe(struct pdns *pdns, const struct pdns_answer *answer);

/** Note the number of a message that is not observed on purpose. */
void pdns_skip(struct pdns *pdns, uint64_t start, uint64_t seq);

/** A tuple that is known otherwise, as from another dataset. */
struct pdns_tuple {
	enum pdns_class class;
	const uint8_t *owner; /**< uncompressed wire form, any case; borrowed */
	size_t owner_size;    /**< octets */
	uint16_t type;
	const uint8_t *rdata; /**< uncompressed wire form, any case; borrowed */
	size_t rdata_size;    /**< octets, at most PDNS_RDATA_MAX */
	const uint8_t *bailiwick; /**< NULL, or no ancestor of the owner: it is estimated */
	size_t bailiwick_size;
	int64_t first_s, last_s;  /**< 0..UINT32_MAX */
	uint64_t count;           /**< 1.. */
};

#define PDNS_RDATA_MAX 65535 /**< RFC 1035 s3.2.1 */

/**
 * Add a tuple to what is there of it.
 *
 * @param pdns NULL: it is only looked at
 * @return 0, -EINVAL for what is no tuple, or -ENOSPC as PDNS_E_ROOM
 */
int pdns_put(struct pdns *pdns, const struct pdns_tuple *tuple);

/**
 * Write what waits, in time for nothing to wait longer than window_s. Call it once a second; `gentle` ten times, from a
 * thread that does nothing else.
 *
 * @return 0 or -errno
 */
int pdns_tick(struct pdns *pdns);

/**
 * Note that this process lives, for what is said after a kill. pdns_tick does, too, but may be busy for seconds.
 */
void pdns_alive(struct pdns *pdns);

/** Write what waits. What cannot be written waits for the next time. @return 0 or -errno */
int pdns_flush(struct pdns *pdns);

struct pdns_stats {
	uint64_t messages; /**< observed, and that gave tuples or none */
	uint64_t tuples;   /**< observations of tuples in them, and put */
	uint64_t malformed, made_up, no_room, bad_time; /**< messages, by enum pdns_refusal */
	uint64_t skipped_records; /**< of messages: malformed RDATA, or not in bailiwick */
	uint64_t flushed;  /**< tuples that a flush wrote, each once a flush */
	uint64_t flushes, failed_flushes;
	uint64_t waiting;      /**< tuples that wait */
	uint64_t window_used;  /**< octets that they take */
	uint64_t numbered, lost; /**< messages that senders numbered, and of them those that never came,
				      or were in a window that was lost; over all of the streams known */
	uint64_t gaps;         /**< times that a process ended without closing, ever */
	uint64_t gap_seconds;  /**< from which something may be lost thereby, in all */
	int64_t gap_from_s, gap_to_s; /**< those of the last time, seconds since 1970 */
	uint64_t rows;       /**< in the database, index entries among them; an estimate */
	uint64_t bytes;      /**< of its files, without what was not yet put into one */
};

void pdns_stats_get(struct pdns *pdns, struct pdns_stats *stats);

/** What the tables of a dataset are, and what they take on the disk. */
enum pdns_table {
	PDNS_TABLE_TUPLES = 1,
	PDNS_TABLE_IPV4,          /**< addresses of A records */
	PDNS_TABLE_IPV6,
	PDNS_TABLE_TARGETS,       /**< names in RDATA */
	PDNS_TABLE_RDATA,         /**< all other RDATA */
	PDNS_TABLE_OWNER_STARTS,  /**< owners by their first label */
	PDNS_TABLE_TARGET_STARTS,
	PDNS_TABLE_BASES,         /**< base domains by what their first label looks like */
	PDNS_TABLE_RECENT,        /**< owners by the hour when a tuple of theirs was perhaps first seen */
	PDNS_TABLES,
};

/** Octets of a table's rows in files, nearly. */
uint64_t pdns_table_bytes(struct pdns *pdns, enum pdns_table table);

/** Put all files in order now, which takes as long as writing them; else it is done bit by bit. */
void pdns_compact(struct pdns *pdns);

/**
 * Make a copy that is whole in itself, while all goes on. The process that writes links files where
 * it can, so the copy belongs on the same file system; one that reads copies what it sees.
 *
 * @param path must not be there
 * @return 0 or -errno
 */
int pdns_backup(struct pdns *pdns, const char *path);

#define PDNS_IMPORT_ID 16

/**
 * When a file was taken in, so that none is counted twice.
 *
 * @param id     hash of the file
 * @param time_s [out] seconds since 1970; 0: it was not
 * @return 0 or -errno
 */
int pdns_import_time(struct pdns *pdns, const uint8_t id[PDNS_IMPORT_ID], int64_t *time_s);

/** Note that a file was taken in whole; flushes first. @return 0 or -errno */
int pdns_import_note(struct pdns *pdns, const uint8_t id[PDNS_IMPORT_ID]);

/* ---- questions ------------------------------------------------------------------------------- */

enum pdns_by {
	PDNS_BY_EVERYTHING, /**< all there is, by owner name from the root down */
	PDNS_BY_OWNER,      /**< `scope` and `name` */
	PDNS_BY_TARGET,     /**< the same of names inside RDATA, but not of RRSIG and NSEC */
	PDNS_BY_ADDRESS,    /**< A and AAAA, `from` to `to` */
	PDNS_BY_RAW,        /**< RDATA is `raw` */
	PDNS_BY_RECENT,     /**< all tuples of owners that have one first seen at `recent_s` or later, and of some more */
};

/** What of names. */
enum pdns_scope {
	PDNS_EXACT,   /**< that name */
	PDNS_SUBTREE, /**< that name and all below it: a DNSDB user's "*.example.com" */
	PDNS_BELOW,   /**< all below it */
	PDNS_START,   /**< all that begin with its labels: "www.example.*"; the root label is left out */
};

enum pdns_types {
	PDNS_ANY,        /**< all but those of DNSSEC */
	PDNS_ANY_DNSSEC, /**< DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, CDS, CDNSKEY, KEY, SIG, NXT, DLV */
	PDNS_ANY_AT_ALL,
	PDNS_ONE, /**< `type` */
};

/** Whether @p type is one of PDNS_ANY_DNSSEC. */
bool pdns_type_is_dnssec(uint16_t type);

#define PDNS_CURSOR_MAX (2 + 2 * (1 + 2 * DNS_NAME_SIZE_MAX + 8) + PDNS_RDATA_MAX)

/**
 * Everything asked for must hold. All zeroes but `by`: no condition.
 */
struct pdns_question {
	enum pdns_by by;
	enum pdns_scope scope;
	const uint8_t *name; /**< uncompressed wire form, any case; borrowed as all below */
	size_t name_size;    /**< octets */
	struct addr from, to; /**< of the same family, both included */
	const uint8_t *raw;
	size_t raw_size;
	int64_t recent_s; /**< seconds since 1970; in the last PDNS_RECENT_S */
	enum pdns_types types;
	uint16_t type;
	const uint8_t *bailiwick; /**< NULL: any */
	size_t bailiwick_size;
	unsigned classes; /**< of PDNS_CLASS_BIT; 0: all. Times and count are those of these alone */
	int64_t first_after, first_before; /**< of the first time, in seconds since 1970, both included */
	int64_t last_after, last_before;   /**< of the last time; 0: open */
	bool grouped;    /**< rows are RRsets: owner, type, bailiwick; else tuples */
	uint64_t offset; /**< rows left out in front */
	uint64_t limit;  /**< rows at most; 0: all */
	const uint8_t *cursor; /**< of a row that the same question had: goes on behind it; NULL */
	size_t cursor_size;
};

struct pdns_rdata {
	const uint8_t *data;
	uint16_t size; /**< octets */
};

/** RRsets of more members come in several rows. */
#define PDNS_GROUP_MAX 1024

/** An answer. Borrowed until the visit returns. */
struct pdns_row {
	const uint8_t *owner; /**< wire form, lower case */
	size_t owner_size;
	uint16_t type;
	const uint8_t *bailiwick; /**< the end of `owner` */
	size_t bailiwick_size;
	unsigned classes; /**< that know it; of PDNS_CLASS_BIT */
	/** A group's are those of the tuples that met the question: least, greatest, and greatest: of an
	 * RRset that is served whole each member has the same. */
	int64_t first_s, last_s;
	uint64_t count;
	unsigned n_rdata; /**< 1 if not grouped */
	const struct pdns_rdata *rdata;
	const uint8_t *cursor; /**< opaque octets */
	size_t cursor_size;
};

/** What a question came to, so far. */
struct pdns_result {
	uint64_t scanned; /**< entries of the database read */
	uint64_t rows;    /**< given to visit */
	bool limited;     /**< there are more; known at the end */
};

struct pdns_visitor {
	void *ctx;
	/** A row. @return 0, or what pdns_query shall stop with */
	int (*visit)(void *ctx, const struct pdns_row *row);
	/** After each PDNS_PROGRESS_EACH entries, or NULL. @return the same */
	int (*progress)(void *ctx, const struct pdns_result *result);
};

#define PDNS_PROGRESS_EACH 1024

#define PDNS_RECENT_S (25 * 3600) /**< how far PDNS_BY_RECENT goes back */

/**
 * Rows are in the order of the database's keys: by owner, target or address from the root down,
 * then type. What is flushed meanwhile is not seen; with a cursor it is, behind that.
 *
 * @param result [out] also with an error
 * @return 0, what the visitor stopped with, -EINVAL for a question or cursor that is none, -ENODATA
 *         (PDNS_BY_RECENT; before the first row) when only PDNS_BY_EVERYTHING can tell, or -errno
 */
int pdns_query(struct pdns *pdns, const struct pdns_question *question,
	const struct pdns_visitor *visitor, struct pdns_result *result);

struct pdns_summary {
	uint64_t count;   /**< sum over rows */
	uint64_t rows;
	int64_t first_s, last_s; /**< with rows */
	bool limited;     /**< by limit or max_count: there are more */
};

/**
 * What the rows of a question come to.
 *
 * @param max_count stop when `count` has reached it; 0: never
 * @param visitor   its ctx and progress only; NULL is fine
 */
int pdns_summarise(struct pdns *pdns, const struct pdns_question *question, uint64_t max_count,
	const struct pdns_visitor *visitor, struct pdns_summary *summary);

/** Who gets base domains. */
struct pdns_base_visitor {
	void *ctx;
	/** @param base wire form, lower case, borrowed @return 0, or what pdns_bases shall stop with */
	int (*visit)(void *ctx, const uint8_t *base, size_t size);
};

/**
 * The base domains (pdns_base_labels) of all owners whose first label looks like something.
 *
 * @param shape of shape_key(), borrowed
 * @param label only those with this first label: its length, then its octets in lower case; NULL: all
 * @return 0, what the visitor stopped with, -EINVAL, or -errno
 */
int pdns_bases(struct pdns *pdns, const char *shape, const uint8_t *label,
	const struct pdns_base_visitor *visitor);

/* ---- names and text -------------------------------------------------------------------------- */

/**
 * Labels of the base domain of a name, the root label not counted: that which somebody registered.
 * What stands below "co.jp" has 3, "co.jp" itself 2.
 *
 * @param name uncompressed wire form, lower case
 */
unsigned pdns_base_labels(const uint8_t *name);

/** Presentation form of RDATA takes up to so many octets, its NUL among them. */
#define PDNS_TEXT_SIZE (4 * PDNS_RDATA_MAX + 64)

/**
 * Write RDATA as text, as in a zone file; in the form of RFC 3597 where the type is not known or
 * the data is none of it.
 *
 * @param dots whether names in it end with a dot
 * @param text [out] PDNS_TEXT_SIZE octets
 * @return octets written, NUL not counted, or -ENOMEM
 */
int pdns_rdata_text(uint16_t type, const uint8_t *rdata, size_t size, bool dots, char *text);

/**
 * Read what pdns_rdata_text wrote, or what stands in a zone file. Names without a dot at the end
 * are whole too.
 *
 * @param rdata [out] PDNS_RDATA_MAX octets
 * @return octets, or -EINVAL
 */
int pdns_rdata_parse(uint16_t type, const char *text, uint8_t *rdata);

/** Mnemonic of a type, or NULL where it has none. Static. */
const char *pdns_type_name(uint16_t type);

/** Read "AAAA", "aaaa", "TYPE28" or "28". @return the type, or -EINVAL */
int pdns_type_parse(const char *text);
