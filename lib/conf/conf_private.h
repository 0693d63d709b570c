/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/conf share: the tables of keys, the scan of the text, the reader.
 *
 * iniparser knows neither line numbers nor duplicates, and lower-cases names. So the text is
 * scanned once for where everything stands (conf_scan.c), then a copy without comments goes to
 * iniparser, which has the say on values.
 *
 * Threads: control only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

#define CONF_FILE_MAX  (1u << 20) /**< bytes; ours: far above any configuration meant */
#define CONF_LINE_MAX  1022       /**< bytes; iniparser's buffer of 1024 less newline and NUL */
#define CONF_CLIP_SIZE 72         /**< room for a value quoted in an error */

enum conf_type {
	CONF_NUMBER,       /**< unsigned: min..max */
	CONF_POWER_OF_TWO, /**< unsigned: min..max */
	CONF_BITS,         /**< unsigned: min..max, or empty: ANON_BITS_AUTO */
	CONF_WORD,         /**< enum: index of the word in `words` */
	CONF_FLAG,         /**< bool: index of the word in `words`, two of them */
	CONF_ACTION,       /**< enum policy_action */
	CONF_PAIRS,        /**< n_pairs, pairs */
	CONF_UDP_PORTS,    /**< n_ports, ports of the policy */
	CONF_PREFIXES,     /**< n_servers, servers of the policy */
	CONF_IPV4,         /**< ipv4 of a struct policy_sinkhole */
	CONF_IPV6,         /**< ipv6 of a struct policy_sinkhole */
	CONF_TEXT,         /**< char[], at most `max` octets */
	CONF_FILE,         /**< char[CONF_PATH_SIZE], of a file that is there */
	CONF_OUTPUT,       /**< char[CONF_PATH_SIZE], of a file that is made in a folder that is there */
	CONF_ZONE,         /**< time_zone */
	CONF_SOCKET,       /**< control_socket */
	CONF_GROUP,        /**< char[64] */
	CONF_FOLDER,       /**< char[CONF_PATH_SIZE], need not be there */
	CONF_PATHS,        /**< struct endpoints of unix sockets */
	CONF_ADDRESSES,    /**< struct endpoints of TCP */
};

/** The struct that `offset` of a key counts from. */
enum conf_home {
	CONF_IN_CONF,
	CONF_IN_SINKHOLE,      /**< the common struct policy_sinkhole of [sinkhole] */
	CONF_IN_LIST,          /**< struct conf_list */
	CONF_IN_POLICY_LIST,   /**< struct policy_list */
	CONF_IN_LIST_SINKHOLE, /**< struct policy_sinkhole of a list */
	CONF_HOMES,
};

/** Whose files may have a key. */
enum conf_use {
	CONF_USE_BOX,
	CONF_USE_COLLECT,
	CONF_USE_BOTH,
};

/** One key of the file. */
struct conf_key {
	const char *section; /**< CONF_LIST_SECTION: a template for all lists */
	const char *key;
	enum conf_type type;
	const char *fallback; /**< the default as it would be written; NULL: see below */
	uint32_t min, max;
	const char *unit;    /**< "" for none */
	const char *help;    /**< sentences */
	const char *words;   /**< "auto|spin|backoff", for CONF_WORD and CONF_FLAG */
	const char *example; /**< shown in a list instead of the default */
	unsigned actions;    /**< bits of the enum policy_action whose lists may have it; 0: all */
	bool required;       /**< has to be there; without it and a default: as in [sinkhole] */
	enum conf_use use;
	enum conf_home home;
	size_t offset;
	size_t line_offset; /**< of an unsigned for the line of a CONF_FILE, 0: none */
};

#define CONF_LIST_SECTION "list NAME"

/** A section and what it is about. */
struct conf_section {
	const char *name; /**< CONF_LIST_SECTION: of each list */
	const char *help; /**< sentences */
};

/** Sections and their keys, in the order in which they are printed. */
struct conf_table {
	const struct conf_section *sections;
	size_t n_sections;
	const struct conf_key *keys; /**< section by section */
	size_t n_keys;
};

extern const struct conf_table conf_box;     /**< those of boxes; the collector reads some of them, too */
extern const struct conf_table conf_collect; /**< those of the collector alone */

/** The key behind @p key in both tables, the box's first; with NULL the first. @return NULL: that was the last */
const struct conf_key *conf_key_next(const struct conf_key *key);

/** Help of a section. @return sentences, or NULL when there is no such section */
const char *conf_section_help(const char *section);

/** Whether files of @p program may have a key. */
static inline bool conf_key_is_of(const struct conf_key *key, enum conf_program program)
{
	return key->use == CONF_USE_BOTH || (key->use == CONF_USE_COLLECT) == (program == CONF_COLLECT);
}

/** Whether files of @p program have @p section. */
bool conf_section_is_of(const char *section, enum conf_program program);

/** The row of @p key in @p section, or NULL. */
const struct conf_key *conf_key_find(const char *section, const char *key);

/** The key of @p section that @p key is a slip of, or NULL. */
const char *conf_key_guess(const char *section, const char *key);

/** The section that @p name is a slip of, or NULL. */
const char *conf_section_guess(const char *name, enum conf_program program);

/** Write "a, b", the keys of @p section, or with NULL "[a], [b]", the sections of @p program. @return @p text */
char *conf_names(const char *section, enum conf_program program, char *text, size_t size);

/** Write "sinkhole, log", the actions with a bit in @p actions. @return @p text */
char *conf_actions(unsigned actions, char *text, size_t size);

/** Where a section or a key stands. */
struct conf_spot {
	char *section; /**< as written */
	char *key;     /**< lower case; NULL for the section line itself */
	unsigned line;
};

/** The file's text, scanned. */
struct conf_scan {
	char *text; /**< comments blanked, same lines as the file; for iniparser */
	size_t size;
	struct conf_spot *spots; /**< in the order of the file */
	size_t n, room;
};

/** Who reads what, for errors. */
struct conf_reader {
	const char *path;
	unsigned line; /**< what is being looked at */
	char *error;   /**< CONF_ERROR_SIZE bytes */
	bool sources;  /**< the lists' sources will be read; else the compiled file, which must exist */
};

/** Set the error to "FILE:LINE: text", or "FILE: text" when the line is 0. @return -EINVAL */
int conf_fail(const struct conf_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** The error "KEY: expected EXPECTED, got VALUE". @return -EINVAL */
int conf_fail_value(const struct conf_reader *reader, const struct conf_key *key,
	const char *expected, const char *value);

/** Quote @p text for an error: one line, cut when long; "nothing" when empty. @return @p clip */
char *conf_clip(const char *text, char clip[CONF_CLIP_SIZE]);

/** Read the file and find its spots. @return 0, or negative with the error set */
int conf_scan_file(struct conf_reader *reader, struct conf_scan *scan);

void conf_scan_free(struct conf_scan *scan);

/**
 * Check @p value and put it where @p key belongs.
 *
 * @param home the struct that key->home names
 * @return 0, or negative with the error set
 */
int conf_value_set(
	struct conf_reader *reader, const struct conf_key *key, const char *value, void *home);

/** The same for types that name what the system has: files, folders, time zones, sockets, groups. */
int conf_value_set_system(
	struct conf_reader *reader, const struct conf_key *key, const char *value, void *home);

/**
 * Check what several keys say together: a mode with a key has to be told where that is, and what is sent
 * comes out of the mirror.
 *
 * @return 0, or negative with the error set
 */
int conf_check(struct conf_reader *reader, const struct conf_scan *scan, const struct conf *conf);
