/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Lists of patterns: Hyperscan expressions that names are matched against.
 *
 * A name is matched in presentation form, lower case, without the dot at its end. Each name stands
 * alone: ^ and $ are its borders, whatever else is in the same scan.
 *
 * All patterns of a generation are one set: one database, scanned once for up to PATTERN_NAMES_MAX
 * names at a time. Patterns have rules like names do; they are in the table of names, so that whoever
 * deals with rules need not know what a pattern is.
 *
 * Without Hyperscan (meson option `patterns`) reading and scanning are there as functions, but no set
 * can be made.
 *
 * Layer:   lib/pattern; no EAL. pattern_match allocates nothing.
 * Threads: all but pattern_match control only. A set does not change, any thread may scan it, each
 *          with a pattern_scan of its own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/dns_msg.h"
#include "fqdn/fqdn_table.h"

#define PATTERN_NAMES_MAX  64   /**< names of one scan; a bit of 64 for each */
#define PATTERN_ERROR_SIZE 1024

/** Flags of an expression that change what it matches; the others have no effect on a name. */
enum {
	PATTERN_UTF8 = 1, /**< 8 */
	PATTERN_UCP = 2,  /**< W */
	PATTERN_FLAGS = 3,
};

/** Whether sets can be made: the program has Hyperscan, and the CPU is one that it runs on. */
bool pattern_supported(void);

/** One expression; texts are borrowed. */
struct pattern {
	const char *id; /**< malware identifier; NULL where only its rule is known */
	const char *expression;
	uint32_t flags; /**< PATTERN_* */
	uint32_t line;  /**< of its file, 1.. */
	uint32_t rule;  /**< number of its rule, see fqdn_table_rule */
};

/** Who takes what is read. */
struct pattern_sink {
	void *ctx;
	/** A good line; its rule is not set. @return 0, or negative to stop with that result */
	int (*pattern)(void *ctx, const struct pattern *pattern);
	/** A line that is skipped. @p what: "expected ..., got ..."; borrowed for the call */
	void (*bad_line)(void *ctx, unsigned line, const char *what);
};

/**
 * Read a file of lines ID:/EXPRESSION/FLAGS; see doc/lists.md. Each expression is shown to Hyperscan.
 *
 * @return 0 (also with bad lines), -errno when the file cannot be read, or what pattern() returned
 */
int pattern_read(const char *path, const struct pattern_sink *sink);

/** Expressions on their way to a set. */
struct pattern_builder;

/** @return an empty builder (free with pattern_builder_destroy), or NULL */
struct pattern_builder *pattern_builder_create(void);
void pattern_builder_destroy(struct pattern_builder *builder);

/** Add an expression behind those that are there: the first one that matches a name decides.
 * @return 0 or -ENOMEM */
int pattern_builder_add(struct pattern_builder *builder, const struct pattern *pattern);

/** Expressions so far, and number @p i of them. */
uint32_t pattern_builder_count(const struct pattern_builder *builder);
void pattern_builder_get(const struct pattern_builder *builder, uint32_t i, struct pattern *pattern);

/** Take number @p i out. */
void pattern_builder_drop(struct pattern_builder *builder, uint32_t i);

struct pattern_set;

/**
 * Compile. May take minutes for tens of thousands of expressions.
 *
 * @param at    [out] on failure the expression that is at fault, or -1
 * @param error [out] on failure what Hyperscan says, PATTERN_ERROR_SIZE bytes
 * @return the set (taken, free with pattern_set_free), or NULL
 */
struct pattern_set *pattern_builder_finish(
	const struct pattern_builder *builder, int64_t *at, char *error);

/** NULL is allowed. */
void pattern_set_free(struct pattern_set *set);

/** A copy whose memory is on NUMA node @p node (-1: any), for scans only: it has no book. */
struct pattern_set *pattern_set_copy(const struct pattern_set *set, int node);

/** Expressions in it, 0 for NULL. */
uint32_t pattern_set_count(const struct pattern_set *set);

/** Number @p i of a set that has its book. */
void pattern_set_get(const struct pattern_set *set, uint32_t i, struct pattern *pattern);

/** Bytes of the database. */
size_t pattern_set_size(const struct pattern_set *set);

/**
 * The book of a set: its expressions in one relocatable block, which can be kept in a file and made
 * a set of again. It holds no compiled code: what Hyperscan compiles cannot be checked.
 */
const void *pattern_set_book(const struct pattern_set *set, size_t *size);

/**
 * Whether a block that came from outside is a book.
 *
 * @param block   aligned to 8 bytes
 * @param n_rules rules that expressions may name
 * @return NULL, or what was expected (static)
 */
const char *pattern_book_check(const void *block, size_t size, uint32_t n_rules);

/** Expressions of a checked book, and number @p i of them. */
uint32_t pattern_book_count(const void *book);
void pattern_book_get(const void *book, uint32_t i, struct pattern *pattern);

/** Compile a checked book, see pattern_builder_finish. */
struct pattern_set *pattern_set_open(const void *book, int64_t *at, char *error);

/** What one thread scans with. */
struct pattern_scan;

/** @param set kept, @param node NUMA node or -1  @return NULL with errno when there is no memory */
struct pattern_scan *pattern_scan_create(const struct pattern_set *set, int node);
void pattern_scan_free(struct pattern_scan *scan);

/**
 * What the names of one message may take to be matched, in octets of text that Hyperscan scans: a name of
 * many octets may stand in few of a message, and an octet of it takes from 2 to 400 instructions, as the
 * expressions are. An octet of a name that is gone through without being scanned is half of one.
 *
 * Ours: the longest name there is, with every octet escaped, and chains of twenty names of 50 octets.
 */
#define PATTERN_TEXT_MIN  1152 /**< what any message may take, ... */
#define PATTERN_TEXT_PART 8    /**< ... and one for each so many of its octets */

static inline uint32_t pattern_text_most(uint32_t msg_size)
{
	return PATTERN_TEXT_MIN + msg_size / PATTERN_TEXT_PART;
}

/** What matching takes, from call to call. Names of one message follow one another. */
struct pattern_effort {
	const uint8_t *msg; /**< of the name met last; NULL in the beginning */
	uint32_t left;      /**< what the names of that message may still take */
	bool odd;           /**< set by the caller: going through names counts, too, as they may be many */
	uint64_t over;      /**< [out] bits of the names that were not matched, as nothing was left */
};

/**
 * Match names against all patterns and add what comes of it to what the table of names said.
 *
 * A pattern is less specific than any rule for a name or a subtree, so an exemption of those
 * suppresses it, and an exemption by a pattern suppresses other patterns only. Of what is left the
 * list that comes first in the policy decides, and within a list the first line.
 *
 * @param names  the table whose rules the patterns have
 * @param each   as given to fqdn_lookup_bulk; @p n of them, at most PATTERN_NAMES_MAX
 * @param found  [in,out] by name, what the table said; valid where the bit of @p hits is set
 * @param effort borrowed; NULL: names take what they take
 * @return the bits of names that have a rule now
 *
 * Hot path. One scan for all names, and one more for each that seems to match.
 */
uint64_t pattern_match(struct pattern_scan *scan, const struct fqdn_table *names,
	const struct fqdn_name *each, unsigned n, struct fqdn_match *found, uint64_t hits,
	struct pattern_effort *effort);

/** The same for one name, for tools. @return whether it has a rule now */
bool pattern_match_one(struct pattern_scan *scan, const struct fqdn_table *names,
	const struct dns_labels *name, struct fqdn_match *found, bool hit);

/** Takes the number of a pattern that matches. */
typedef void pattern_taker(void *ctx, uint32_t i);

/** Hand over every pattern that matches a name, in their order, for tools. @return 0 or -ENOMEM */
int pattern_match_each(
	struct pattern_scan *scan, const struct dns_labels *name, pattern_taker *take, void *ctx);
