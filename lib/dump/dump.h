/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Daily dumps of passive DNS: files of the tuples that were seen on a day.
 *
 *   tuples_YYYYMMDD.ndjson.gz       objects of the Common Output Format, one a line
 *   address_ipv4_YYYYMMDD.csv.gz    TIME|ADDRESS|NAME, and address_ipv6_...
 *   cname_YYYYMMDD.csv.gz           TIME|NAME|CANONICAL NAME
 *   mx_YYYYMMDD.csv.gz              TIME|NAME|PREFERENCE EXCHANGE
 *   nameserver_YYYYMMDD.csv.gz      TIME|NAME|NAME SERVER
 *   new_domain_YYYYMMDD.csv.gz      TIME|BASE DOMAIN, of those that nothing older is known of
 *
 * TIME is the last time, of new domains the first, in seconds since 1970. A tuple was seen on a day if the day and
 * the time from its first to its last have a second in common; its times and count are those of ever. Files of a day
 * appear together and whole.
 *
 * Layer:   lib/dump; lib/pdns, zlib.
 * Threads: any; one process at a time writes (a lock file).
 * Errors:  0 or -errno, logged once where it happened.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pdns/pdns.h"

/** Longest name of a file, and a NUL. */
#define DUMP_NAME_SIZE 40

enum dump_file {
	DUMP_TUPLES,
	DUMP_IPV4,
	DUMP_IPV6,
	DUMP_CNAME,
	DUMP_MX,
	DUMP_NAMESERVER,
	DUMP_NEW_DOMAIN,
	DUMP_FILES,
};

/** A day's. */
struct dump_day {
	uint16_t day;         /**< as list_day_parse has it */
	int64_t from_s, to_s; /**< its first second since 1970, and the next day's */
};

struct dump_progress {
	uint64_t tuples;           /**< read so far */
	uint64_t rows[DUMP_FILES]; /**< written so far */
};

/**
 * Write the files of a day, in place of those that are there.
 *
 * @param dataset folder of the dataset; the files' is "dumps" in it, made if need be
 * @param tell    called now and then; NULL: nobody wants to know. @return 0, or what it shall stop with
 * @param done    [out] what it came to
 * @return 0, -EBUSY while another dump is written, what @p tell stopped with, or -errno
 */
int dump_write(struct pdns *pdns, const char *dataset, const struct dump_day *day,
	int (*tell)(void *ctx, const struct dump_progress *progress), void *ctx, struct dump_progress *done);

/** Whether all files of a day are there. */
bool dump_is_there(const char *dataset, uint16_t day);

/** Remove the files of days before one, and what was left of dumps that were not ended. @return files, or -errno */
int dump_remove_before(const char *dataset, uint16_t day);

/** A file that is there. */
struct dump_entry {
	char name[DUMP_NAME_SIZE];
	uint16_t day;
	uint64_t size; /**< octets */
};

/** What there is, by name. @param entries [out] free() it  @return how many, or -errno */
int dump_list(const char *dataset, struct dump_entry **entries);

/** What there is, in sum. */
struct dump_state {
	unsigned files;
	uint64_t bytes;
	uint16_t last_day;   /**< the latest that there is a file of; 0: there is none */
	uint64_t last_bytes; /**< of its files */
};

/** @return 0 or -errno */
int dump_state_get(const char *dataset, struct dump_state *state);

/** Open a file that is there for reading. @return descriptor, -ENOENT also for what is no name of a dump, or -errno */
int dump_open(const char *dataset, const char *name);
