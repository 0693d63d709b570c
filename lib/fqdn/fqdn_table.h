/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The table of listed names: which rules stand for a name and for the subtrees it lies in.
 *
 * A table is one relocatable block (offsets, no pointers). A worker's copy is one memcpy of
 * fqdn_table_worker_size() bytes; the rest (identifiers) is for control and the statistics core.
 *
 * Rules carry the days on which they are active, and a look-up is told which day it is: entries
 * switch on and off at midnight without a new table.
 *
 * Layer:   lib/fqdn; no EAL. Look-ups allocate nothing.
 * Threads: look-ups any thread, the table does not change; building control only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/dns_known.h"

/** Which names a rule stands for; the first values are those of enum list_scope. */
enum fqdn_scope {
	FQDN_EXACT,   /**< the name */
	FQDN_BELOW,   /**< every name below it */
	FQDN_SUBTREE, /**< the name and every name below it */
	FQDN_PATTERN, /**< names that an expression matches; of no name, see lib/pattern */
};

/** What a rule wants. */
enum fqdn_verdict {
	FQDN_BLOCK,
	FQDN_LOG,
	FQDN_ALLOW,
	FQDN_VERDICTS,
};

/** Rules of one name, all lists together; more are refused, so that work per packet is bounded. */
#define FQDN_RULES_MAX 64

struct fqdn_rule {
	uint16_t list;      /**< index in struct policy */
	uint16_t first_day; /**< days since 2000-01-01; active from here ... */
	uint16_t last_day;  /**< ... to here, both inclusive */
	uint8_t scope;      /**< enum fqdn_scope */
	uint8_t verdict;    /**< enum fqdn_verdict */
	uint32_t id;        /**< malware identifier of this list, see fqdn_builder_id */
};

/** What a name's rules come to on a day. */
struct fqdn_match {
	const struct fqdn_rule *block; /**< the rule that decides; NULL: none. In the table */
	const struct fqdn_rule *log;   /**< rule of a list that only logs; NULL: none */
	const struct fqdn_rule *allow; /**< the exemption; NULL: none */
	bool suppressed;               /**< the exemption took the place of a block or log rule */
};

struct fqdn_table;

/** Most names of one fqdn_lookup_bulk. */
#define FQDN_BULK 64

/** A name in a message, as a look-up takes it. */
struct fqdn_name {
	const uint8_t *msg; /**< pointers in names count from here */
	uint16_t msg_size;  /**< octets that may be read */
	uint16_t last[3];   /**< length octets of the last three labels, the last one last; not looked at
				 where there is no such label */
	uint16_t at;        /**< where the name starts; it may be compressed */
	uint8_t n;          /**< labels without the root */
};

/** Where a name's last labels lead to. */
struct fqdn_aim {
	uint64_t hash;   /**< of the labels that a search starts with */
	uint32_t bucket; /**< the one to look at */
	uint16_t tag;    /**< what to look for */
};

/** What the names of one message take to look up; for messages of which little is known. */
struct fqdn_effort {
	const uint8_t *msg;      /**< names of other messages may be among those looked up */
	struct dns_known *known; /**< its names that have been read; their work is added to */
};

/**
 * Begin to look names up: fetch what their last two labels lead to, which takes a while. Any number
 * of names.
 *
 * @param aims [out] by name
 *
 * Hot path.
 */
void fqdn_lookup_aim(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims);

/**
 * Look names up with all their suffixes.
 *
 * Precedence: an exact rule is more specific than one for a subtree. An allow rule suppresses block
 * and log rules of the same or a less specific kind. Of what is left the list that comes first in
 * the policy decides, and within a list the longest name.
 *
 * @param names letters in any case
 * @param n     0..FQDN_BULK
 * @param aims  what fqdn_lookup_aim made of them in this table
 * @param today days since 2000-01-01
 * @param effort borrowed; NULL: nobody asks
 * @param match [out] by name; undefined where nothing is set
 * @return bits of the names for which any of the three rules is set
 *
 * Hot path. A probe for each name, and one for each label more that leads to listed names. All names
 * take a step before one takes the next, so that none waits for memory alone.
 */
uint64_t fqdn_lookup_aimed(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	const struct fqdn_aim *aims, uint16_t today, struct fqdn_effort *effort,
	struct fqdn_match *match);

/** Both at once. */
uint64_t fqdn_lookup_bulk(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	uint16_t today, struct fqdn_match *match);

/** Look one name up, for tools. */
bool fqdn_lookup(const struct fqdn_table *table, const struct dns_labels *labels, uint16_t today,
	struct fqdn_match *match);

/** The rules of exactly this canonical name (not its suffixes), for tools. @return their number */
unsigned fqdn_table_rules(const struct fqdn_table *table, const uint8_t *name,
	const struct fqdn_rule *rules[FQDN_RULES_MAX]);

/**
 * Count, for each list, the rules that are active on a day.
 *
 * @param counts [in,out] by list, @p n_lists of them; added to
 */
void fqdn_table_count_active(const struct fqdn_table *table, uint16_t today, uint64_t *counts,
	unsigned n_lists);

/** Names in the table. */
uint64_t fqdn_table_names(const struct fqdn_table *table);

/** Bytes of the whole block, and of the part that workers need. */
size_t fqdn_table_size(const struct fqdn_table *table);
size_t fqdn_table_worker_size(const struct fqdn_table *table);

/** Rules, and the number of one that is of no name is below it too. */
uint32_t fqdn_table_n_rules(const struct fqdn_table *table);

/** Malware identifier of a rule, "" for none. Not in a worker's copy. */
const char *fqdn_table_id(const struct fqdn_table *table, const struct fqdn_rule *rule);

/** Identifiers of all lists, and rules' `id` are below it. A worker's copy knows it, too. */
uint32_t fqdn_table_n_ids(const struct fqdn_table *table);

#define FQDN_NO_LIST UINT32_MAX

/**
 * An identifier by its number. Not in a worker's copy.
 *
 * @param number below fqdn_table_n_ids
 * @param list   [out] the list that has it; FQDN_NO_LIST: number 0
 */
const char *fqdn_table_id_of(const struct fqdn_table *table, uint32_t number, uint32_t *list);

/** Number of a rule of this table, and the rule of a number: the same in every copy of the table. */
uint32_t fqdn_table_rule_number(const struct fqdn_table *table, const struct fqdn_rule *rule);
const struct fqdn_rule *fqdn_table_rule(const struct fqdn_table *table, uint32_t number);

/** Takes a listed name, canonical, with its rules; all borrowed. @return 0, other: stop with that */
typedef int fqdn_name_fn(void *ctx, const uint8_t *name, const struct fqdn_rule *const *rules,
	unsigned n_rules);

/** Hand over every listed name, for tools. @return 0, or what @p take returned */
int fqdn_table_each(const struct fqdn_table *table, fqdn_name_fn *take, void *ctx);

/**
 * Whether a block that came from outside is a table that can be used: no function of this header
 * reads outside of it, nor outside of its first fqdn_table_worker_size() bytes what a worker calls.
 * It does not tell a table from another one: damage is for a checksum to find.
 *
 * @param block   aligned to 64 bytes
 * @param n_lists lists that rules may name
 * @return NULL, or what was expected (static)
 */
const char *fqdn_table_check(const void *block, size_t size, unsigned n_lists);

struct fqdn_builder;

/** @return an empty builder (free with fqdn_builder_destroy), or NULL */
struct fqdn_builder *fqdn_builder_create(void);
void fqdn_builder_destroy(struct fqdn_builder *builder);

/**
 * Number of an identifier of a list, the same for the same list and text. So the number alone tells
 * the list, and what is counted by it is counted by list and identifier.
 * @param list FQDN_NO_LIST with "": 0, for rules of which nobody asks
 * @return 0.. , or -ENOMEM
 */
int64_t fqdn_builder_id(struct fqdn_builder *builder, uint32_t list, const char *id);

/**
 * Add a rule for a name. A rule that is already there is not added again.
 *
 * @return 1 added, 0 was there, -ENOMEM, or -E2BIG when the name has FQDN_RULES_MAX rules
 */
int fqdn_builder_add(struct fqdn_builder *builder, const uint8_t *name, uint8_t size,
	const struct fqdn_rule *rule);

#define FQDN_NAME_AHEAD 32

/** The way into a builder for one of several threads. */
struct fqdn_lane;

/**
 * Make ways in for several threads, once. They are freed with the builder.
 *
 * What they take becomes names in fqdn_builder_gather, in the order of lists and lines, whichever lane
 * it came through.
 *
 * @param n at most CREW_MAX (base/crew.h)
 * @return 0 or -ENOMEM
 */
int fqdn_builder_lanes(struct fqdn_builder *builder, unsigned n);
struct fqdn_lane *fqdn_builder_lane(struct fqdn_builder *builder, unsigned i);

/**
 * Take a rule for a name. The thread has this lane alone; others have theirs.
 *
 * @param name FQDN_NAME_AHEAD octets behind it may be read
 * @param rule its id is not looked at
 * @param id   malware identifier, "" for none
 * @param line where it stands in its list; lines of a list ascend
 * @return 0, -EINVAL for the root, or -ENOMEM
 */
int fqdn_lane_add(struct fqdn_lane *lane, const uint8_t *name, uint8_t size,
	const struct fqdn_rule *rule, const char *id, uint32_t line);

/** A rule that was not added: its name has FQDN_RULES_MAX others. */
struct fqdn_refused {
	uint16_t list;
	uint32_t line;
};

/**
 * Add all that lanes have taken, with up to @p threads threads, which also make the table. The lanes are empty afterwards,
 * and nothing can be added any more.
 *
 * @param refused [out] borrowed from the builder, by list and line
 * @param n       [out] how many
 * @return 0 or -ENOMEM
 */
int fqdn_builder_gather(struct fqdn_builder *builder, unsigned threads,
	const struct fqdn_refused **refused, size_t *n);

/**
 * Add a rule that is of no name, as those of patterns are.
 *
 * @return its number, see fqdn_table_rule, or -ENOMEM
 */
int64_t fqdn_builder_add_rule(struct fqdn_builder *builder, const struct fqdn_rule *rule);

/**
 * Make the table.
 *
 * @return a block of fqdn_table_size() bytes from block_alloc (taken), or NULL with errno set
 */
struct fqdn_table *fqdn_builder_finish(struct fqdn_builder *builder);
