/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of dnsweir-collect share: a file for each command or a few.
 *
 * Threads: one, but for `serve`.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dns/dns_const.h"
#include "http/http_key.h"
#include "store/store.h"
#include "store/store_contact.h"

#define COLLECT_ERROR_SIZE 512
#define COLLECT_STORE "/var/lib/dnsweir/collect" /**< where the log is unless said otherwise */

enum collect_exit {
	COLLECT_DONE = 0,
	COLLECT_FAILED = 1,
	COLLECT_USAGE = 2, /**< wrong usage, configuration or file */
};

enum collect_format {
	COLLECT_TEXT, /**< for people; not with every command */
	COLLECT_NDJSON,
	COLLECT_CSV,
};

/** The command line behind the command. */
struct collect_args {
	const char *config; /**< NULL: none given */
	bool check;         /**< read what it names, and no more */
	const char *store;
	enum collect_format format;
	bool has_format;
	unsigned eve_version;             /**< 2 or 3 */
	uint64_t limit;                   /**< records; 0: all */
	int day;                          /**< --day; -1: none */
	int before;                       /**< --before; -1: none */
	int64_t window_ms;                /**< --window */
	struct store_question question;
	uint8_t name[DNS_NAME_SIZE_MAX];  /**< of the question */
	struct http_key key;              /**< --role, --expires, --quota, --certificate */
	const char *server;               /**< --server; NULL: none given */
	unsigned valid_days;              /**< --valid-days; 0: none given */
	int n;
	char **words;                     /**< operands */
	char error[COLLECT_ERROR_SIZE];   /**< one line, of what is wrong with an option */
};

/** Nothing is asked for. */
#define COLLECT_ARGS \
	{.store = COLLECT_STORE, .eve_version = 3, .day = -1, .before = -1, \
		.window_ms = STORE_CONTACT_WINDOW_MS, \
		.question = {.rcode = -1, .type = -1}, .key = {.expires = HTTP_NO_DAY}}

/** Where an answer goes, and how it went. */
struct collect_sink {
	FILE *out;
	uint64_t rows; /**< written */
	/** Now and then, or NULL. @return not 0: enough */
	int (*progress)(void *ctx, const struct store_progress *progress);
	void *ctx;
};

/** Take dnstap until told to stop. */
int serve_run(const struct collect_args *args);

/** Show the records that meet a question. */
int query_run(const struct collect_args *args);

/** What is wrong with options together; NULL: nothing. Static, begins with the option */
const char *query_wrong(const struct collect_args *args);

/*
 * Answers to what options ask for, for commands and the API. 0, or 1 when the reader or the progress had
 * enough, or -errno, logged.
 */
typedef int collect_write(const struct collect_args *args, struct store *store, struct collect_sink *sink);

collect_write query_write, infected_write, contacts_write, addresses_write, days_write;

/** Write one of these on standard output, in a form other than text. */
int seen_run(const struct collect_args *args, collect_write *write);

/** Show which clients had answers filtered, by malware id. */
int infected_run(const struct collect_args *args);

/** Show what reached the sinkhole. */
int contacts_run(const struct collect_args *args);

/** Take a log of the sinkhole into the store, once. */
int sinkhole_run(const struct collect_args *args);

/** Show how many server addresses each malware had. */
int addresses_run(const struct collect_args *args);

/** Show what is stored. */
int days_run(const struct collect_args *args);

/** Remove old days. */
int purge_run(const struct collect_args *args);

/** Take a client's records out. */
int forget_run(const struct collect_args *args);

/** Make, list and remove keys of the API. */
int key_run(const struct collect_args *args);

/** Make and show certificates. */
int certificate_run(const struct collect_args *args);

/**
 * Take the value of an option of a question ("--client", "203.0.113.0/24").
 *
 * @param option its letter in the table of options
 * @return enum collect_exit; what was expected is in args->error, and begins with the option
 */
int ask_option_take(int option, const char *value, struct collect_args *args);

/** Open the log of @p args, or say why not. @return enum collect_exit */
int collect_open(const struct collect_args *args, enum store_mode mode, struct store **store);

/** Make @p zone the time zone of this process, or say why not. @return enum collect_exit */
int collect_zone(const char *zone);

/** Exit code of what a store's function returned. */
int collect_exit_of(int err);

/* ---- eve.c, csv.c: how a record is shown ---- */

#define COLLECT_TIME_SIZE 40

/** Write "2026-11-22T12:00:00.123000+0900", in the zone. @return @p text */
char *collect_time(int64_t time_ms, char text[COLLECT_TIME_SIZE]);

/** Name of a response code of 12 bits, "RCODE77" where it has none. @return name or @p text */
const char *collect_rcode(uint16_t rcode, char text[16]);

/** A line in the form of Suricata's EVE log, with members of our own. */
void eve_write(FILE *out, const struct store_record *record, unsigned version);

void csv_header(FILE *out);
void csv_write(FILE *out, const struct store_record *record);

/** Write @p text as a field (RFC 4180). */
void csv_text(FILE *out, const char *text);
