/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of `dnsweir-collect pdns` share: commands on a dataset of passive DNS.
 *
 * Threads: one.
 */
#include "collect_app.h"
#include "consent/consent.h"
#include "dump/dump.h"
#include "pdns/pdns_cof.h"
#include "signal/signal.h"

#define PDNS_APP_FOLDER "/var/lib/dnsweir/pdns" /**< where the dataset is unless said otherwise */

/** Words of a list. */
struct pdns_words {
	char **word;
	size_t n, room;
};

/** The command line behind `pdns COMMAND`. */
struct pdns_args {
	const char *folder;
	enum pdns_class class; /**< of what is imported */
	bool has_class;        /**< else both, where it is a question */
	bool again;            /**< files that were imported already */
	bool text;             /**< rows for people */
	bool csv;
	bool only_new;         /**< of the feed only what is in the dataset for the first time */
	const char *given[128]; /**< values of options, as they were given, by their letters; NULL: none */
	const char *wordlist;  /**< file; NULL: none */
	const char *network_file; /**< CSV file; NULL: none */
	struct pdns_words dictionary; /**< of the word list */
	const struct signal_networks *networks; /**< of the file; NULL: none */
	const char *consent;   /**< CSV file; NULL: everybody consents */
	uint64_t max_count;
	bool has_day;
	uint16_t day; /**< of a dump, as list_day_parse has it */
	struct pdns_question question;
	bool asks; /**< one of the options that say what for was given */
	uint8_t name[DNS_NAME_SIZE_MAX], bailiwick[DNS_NAME_SIZE_MAX];
	uint8_t raw[PDNS_RDATA_MAX];
	uint8_t cursor[PDNS_CURSOR_MAX];
	int n;
	char **words; /**< operands */
	char error[COLLECT_ERROR_SIZE]; /**< one line, of what is wrong with an option */
};

/** `dnsweir-collect pdns ...`. @param argv its first word is "pdns" @return exit code */
int pdns_main(int argc, char **argv);

/**
 * Take the value of an option of a question.
 *
 * @param option its letter in the table of options
 * @return enum collect_exit; what was expected is in args->error, and begins with the option
 */
int pdns_ask_take(int option, const char *value, struct pdns_args *args);

/**
 * Read a moment: seconds since 1970, -SECONDS before now, or a day (its begin).
 *
 * @return 0 or -EINVAL
 */
int pdns_ask_time(const char *text, int64_t *time_s);

int pdns_query_run(struct pdns_args *args);
int pdns_summarise_run(struct pdns_args *args);
int pdns_export_run(struct pdns_args *args);
int pdns_stats_run(struct pdns_args *args);
int pdns_backup_run(struct pdns_args *args);
int pdns_import_run(struct pdns_args *args);
int pdns_dump_run(struct pdns_args *args);
int pdns_feed_run(struct pdns_args *args);

/** When a day begins and ends, in the operator's zone. */
void pdns_dump_day(uint16_t day, struct dump_day *of);
/** Open the dataset of @p args, or say why not. @return enum collect_exit */
int pdns_app_open(const struct pdns_args *args, enum pdns_mode mode, struct pdns **pdns);

/* ---- signals --------------------------------------------------------------------------------- */

/** Where rows of a signal go, and how it went. */
struct pdns_sink {
	FILE *out;
	uint64_t rows; /**< written */
	bool more;     /**< the limit left some out */
	/** Now and then, and behind each row; or NULL. @return not 0: enough */
	int (*progress)(void *ctx);
	void *ctx;
};

#define PDNS_ENOUGH 1

/**
 * Answer what options ask for, for commands and the API.
 *
 * @param args its operands are names
 * @return 0, PDNS_ENOUGH when the reader, the limit or the progress had enough, or -errno
 */
typedef int pdns_signal_write(const struct pdns_args *args, struct pdns *pdns, struct pdns_sink *sink);

pdns_signal_write pdns_flux_write, pdns_new_write, pdns_shared_write, pdns_similar_write;

/** Run one of them as a command. @return enum collect_exit */
int pdns_signal_run(struct pdns_args *args, const char *command, pdns_signal_write *write);

/**
 * Read a name that is an operand.
 *
 * @param name [out] canonical, DNS_NAME_SIZE_MAX octets
 * @return octets, or -EINVAL: what was expected is in @p error
 */
int pdns_operand_read(const char *text, uint8_t *name, char error[COLLECT_ERROR_SIZE]);

/** Room for one more row. @return false: the limit is reached */
bool pdns_sink_room(struct pdns_sink *sink, const struct pdns_args *args);

/** A row, or the head of rows, was written. @return 0 or PDNS_ENOUGH */
int pdns_sink_wrote(struct pdns_sink *sink);

/** Write a row in JSON. @param row taken; NULL: memory is short @return 0 or -ENOMEM */
int pdns_sink_json(struct pdns_sink *sink, json_t *row);

/** What a signal's progress is: its ctx begins with the sink. */
int pdns_sink_progress(void *ctx);

/**
 * Add a word.
 *
 * @param text letters become small ones in place
 * @return 0, -EINVAL: it is no label, or -ENOMEM
 */
int pdns_word_add(struct pdns_words *words, char *text);
void pdns_words_free(struct pdns_words *words);

/* ---- importing ------------------------------------------------------------------------------- */

/** A file that is taken in. */
struct pdns_import {
	const struct pdns_args *args;
	struct pdns *pdns;
	const char *path;
	const struct consent_table *consent; /**< NULL: everybody consents */
	uint64_t messages;  /**< or lines, or frames */
	uint64_t responses; /**< of them, that were observed */
	uint64_t tuples, opted_out, refused;
	int err; /**< -errno of what ended it */
	bool terminal;
	int64_t told_s;
};

/** Observe a response, if its client lets us. @param client NULL: not known, or not a client's */
void pdns_import_message(struct pdns_import *import, struct pdns_answer *answer, const struct addr *client);

/**
 * A file ends where it should not, as one does that was still being written.
 *
 * @return enum collect_exit: with something read it is a warning
 */
int pdns_import_cut(const struct pdns_import *import, const char *why);

/** Say how far it is. */
void pdns_import_progress(struct pdns_import *import);

/** Each takes a whole file. @return enum collect_exit */
int pdns_import_capture(struct pdns_import *import);
int pdns_import_tap(struct pdns_import *import);
int pdns_import_cof(struct pdns_import *import);
