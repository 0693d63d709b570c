/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What reached the sinkhole: who connected to it, how often in a minute, to which port and with which
 * name; and, when asked for, which filtered answer each contact comes from.
 *
 * One row stands for all contacts of a client with one port and name in a minute, so a client that
 * connects a million times takes no more room than one that connects once.
 *
 * Layer:   lib/store; no EAL.
 * Threads, errors: as in store.h.
 */
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#define STORE_CONTACT_NAME_MAX 253 /**< octets of a name as text, RFC 1035 s2.3.4 */
#define STORE_MINUTE_MS        60000

/**
 * Rows of a day that are taken; what is over them is counted and not kept. Ours: 600 MB on the disk, enough
 * for 10,000 clients that connect every minute.
 */
#define STORE_CONTACTS_MAX 20000000

/** How long after a filtered answer a contact is put down to it. See doc/sinkhole.md. */
#define STORE_CONTACT_WINDOW_MS 3600000
#define STORE_CONTACT_WINDOW_MAX_MS 86400000

/** What clocks of two machines may differ by: an answer that is so much later is before a contact. */
#define STORE_CONTACT_SLACK_MS 5000

/** Where the name of a contact stands. */
enum store_named {
	STORE_NAMED_NONE, /**< there is none */
	STORE_NAMED_SNI,  /**< in the TLS ClientHello (RFC 6066 s3) */
	STORE_NAMED_HOST, /**< in the Host of an HTTP request */
	STORE_NAMED_COUNT,
};

/** Contacts of a client with a port and name in a minute. */
struct store_contact {
	int64_t first_ms, last_ms; /**< milliseconds since 1970 UTC, in the same minute */
	uint32_t n;                /**< at least 1 */
	struct addr client;        /**< whole */
	uint16_t client_port;      /**< of the latest; 0: not known */
	uint16_t port;             /**< of the sinkhole; 0: others than those kept apart */
	uint8_t protocol;          /**< of IP: 6 TCP, 17 UDP; 0 with port 0 */
	uint8_t named;             /**< enum store_named */
	const char *name;          /**< lower case, at most STORE_CONTACT_NAME_MAX; "" for none; borrowed */
};

/** What became of contacts. */
struct store_contacts_done {
	uint64_t stored;   /**< rows */
	uint64_t left_out; /**< contacts, over STORE_CONTACTS_MAX rows of a day */
};

/**
 * Write contacts, one synced write a day. Beside a writer of records this is fine, as these have
 * tables of their own.
 *
 * @param chunk    what they were read from. When the same chunk comes again, as it was or longer, its
 *                 rows replace those of before, so nothing counts twice
 * @param contacts in order of days; no two with all but times and n alike
 * @param done     [out] also with an error
 * @return 0, -EBUSY when another process puts contacts of such a day, or -errno; not logged, as callers
 *         try again and say so once. What was not written of the chunk is to be put again with all of it
 */
int store_contacts_put(struct store *store, uint64_t chunk, const struct store_contact *contacts,
	size_t n, struct store_contacts_done *done);

/** What a contact is put down to a filtered answer by. */
enum store_basis {
	STORE_BASIS_NONE, /**< no answer: who connects has not asked through this box */
	STORE_BASIS_TIME, /**< the latest one to the client */
	STORE_BASIS_NAME, /**< the latest one to the client with the name of the contact */
};

/** Everything asked for must hold. All zero: everything. */
struct store_contact_question {
	int64_t from_ms, to_ms; /**< of the contacts: first moment, and first one after; 0: open */
	struct prefix client;   /**< clients in it; family ADDR_NONE: any */
	const char *id;         /**< malware identifier; NULL: any, and none */
	int64_t window_ms;      /**< 0: STORE_CONTACT_WINDOW_MS */
};

/** All contacts that are alike but for the time. Strings are borrowed for the visit, never NULL. */
struct store_contact_row {
	const char *id;       /**< malware identifier of the answer; "": no answer, or it had none */
	const char *asked;    /**< name that the client had asked for, as text; "": no answer */
	const char *name;     /**< SNI or Host */
	struct addr client;
	uint16_t client_port; /**< of the latest */
	uint16_t port;
	uint8_t protocol, named, basis;
	int64_t first_ms, last_ms;
	uint64_t n;
};

/** Takes one row; those with an id by id, then all others. @return 0, or what shall end it */
typedef int (*store_contact_visit)(void *ctx, const struct store_contact_row *row);

/**
 * Contacts, each with the filtered answer that it comes from: the latest one to that client before it,
 * within the window, that had an address of the sinkhole; one with the name of the contact goes before
 * others.
 *
 * Reads filtered/ of the time once or, with many contacts, a window more for each million of them; takes
 * memory for each row, for a million contacts and for the answers to their clients.
 *
 * @return 0, what the visit stopped with, -EACCES when a folder may not be read, or -errno; logged
 */
int store_contacts(struct store *store, const struct store_contact_question *question,
	store_contact_visit visit, void *ctx);
