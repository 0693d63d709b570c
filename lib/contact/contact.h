/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * From lines in the logs of a sinkhole host to contacts: reading a line, gathering those of a minute,
 * following files that are rotated.
 *
 * A line is a JSON object, in one of two forms; members that are not named here are passed over.
 *
 *   nginx, as config/sinkhole/nginx.conf has it:
 *     {"time":1763836872.123,"client":"203.0.113.7","client_port":51234,"protocol":"tcp","port":443,
 *      "sni":"c2.example"}              or "host", or none of both
 *   ulogd2, plugin JSON:
 *     {"oob.time.sec":1763836872,"oob.time.usec":123000,"src_ip":"203.0.113.7","src_port":51234,
 *      "dest_port":6667,"ip.protocol":6}     or "ip6.nexthdr"; "timestamp" if there is no oob.time
 *
 * Names are the attacker's text: they become lower case, octets that host names have not become '?'.
 *
 * Layer:   lib/contact; no EAL.
 * Threads: contact_line_parse is a pure function; all else one at a time, but contact_follow_counts.
 * Source:  RFC 6066 s3 (SNI), RFC 9110 s7.2 (Host), RFC 6302 (source ports in logs of servers).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store_contact.h"

#define CONTACT_LINE_MAX  65536     /**< octets of a line; ours: above what nginx makes of a name of 8 KiB */
#define CONTACT_CHUNK_MAX (1 << 20) /**< octets that are read at once */

/**
 * Ports and names of a client that are kept apart in a minute of a chunk; what is over them is one contact
 * with port 0. Ours: malware has a few, who scans all ports has enough with that.
 */
#define CONTACT_KEPT_MAX 16

/**
 * Read a line.
 *
 * @param line    without its end
 * @param contact [out] of one contact
 * @param name    [out] what contact->name is
 * @return 0, or -EBADMSG
 */
int contact_line_parse(const char *line, size_t size, struct store_contact *contact,
	char name[STORE_CONTACT_NAME_MAX + 1]) __attribute__((warn_unused_result));

/** Lines, and what became of them. */
struct contact_counts {
	uint64_t lines;
	uint64_t bad;       /**< not to be read, or cut off where a file ended */
	uint64_t bad_time;  /**< older than what is kept, or of a clock that is wrong by days */
	uint64_t opted_out; /**< of clients that refused logging */
	uint64_t stored;    /**< rows written */
	uint64_t left_out;  /**< contacts over the bound of a day */
	uint64_t gaps;      /**< files that were gone before they were read to their end */
};

/** Where contacts go. */
struct contact_sink {
	void *ctx;
	unsigned days;     /**< that contacts are kept */
	unsigned patience; /**< seconds that who writes a file has to let go of it once it was moved */
	/** Whether a client refused logging. */
	bool (*refuses)(void *ctx, const struct addr *client);
	/** As store_contacts_put. */
	int (*put)(void *ctx, uint64_t chunk, const struct store_contact *contacts, size_t n,
		struct store_contacts_done *done);
};

/* ---- contact_gather.c ---- */

struct contact_gather;

/** @return one without contacts, or NULL */
struct contact_gather *contact_gather_create(void);
void contact_gather_destroy(struct contact_gather *gather);

/** Take one, borrowed. @return 0 or -ENOMEM */
int contact_gather_add(struct contact_gather *gather, const struct store_contact *contact);

/** All that were taken, as store_contacts_put wants them; until the next call for @p gather. */
const struct store_contact *contact_gather_all(struct contact_gather *gather, size_t *n);

/** Forget all. */
void contact_gather_clear(struct contact_gather *gather);

/* ---- contact_chunk.c ---- */

/**
 * Read whole lines, and put what is in them.
 *
 * @param chunk  that this text is, for store_contacts_put
 * @param counts added to, only when all went well
 * @return 0, or -errno of the sink
 */
int contact_chunk_put(const struct contact_sink *sink, uint64_t chunk, const char *text, size_t size,
	struct contact_counts *counts);

/**
 * Put a file, once, from where it stands to its end. The same file put again does not count twice, as
 * long as it has not grown.
 *
 * @param counts added to
 * @return 0 or -errno; not logged
 */
int contact_file_put(const struct contact_sink *sink, int fd, struct contact_counts *counts);

/* ---- contact_follow.c ---- */

struct contact_follow;

/**
 * Follow files, which need not be there yet.
 *
 * A file that was renamed, or copied and cut (logrotate, with and without `copytruncate`), is read to its
 * end before the new one is begun, also when that happened while nobody followed: files beside it
 * whose names begin with its own are looked through for what was read last. Compressed ones are lost.
 *
 * @param paths     borrowed
 * @param positions file that says how far each was read; replaced after each chunk that was put
 * @param sink      kept
 * @return NULL without memory, or when what is in @p positions cannot be read; logged
 */
struct contact_follow *contact_follow_open(const char *const *paths, unsigned n, const char *positions,
	const struct contact_sink *sink);

/** Read and put what has come; call it once a second. @return 0 or -errno, logged once till it works */
int contact_follow_tick(struct contact_follow *follow);

/** What came to now; any thread. */
void contact_follow_counts(struct contact_follow *follow, struct contact_counts *counts);

void contact_follow_close(struct contact_follow *follow);
