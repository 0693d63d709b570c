/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What a dataset of passive DNS gives away about names: which imitate another one, which are new,
 * which share servers or networks with another one. See doc/signals.md.
 *
 * Each question has `progress`, which is called now and then with the ctx of its visit: 0 to go on, else what the
 * question shall stop with. NULL: nobody asks.
 *
 * Layer:   lib/signal; on lib/pdns, whose questions it asks.
 * Threads: any, as lib/pdns.
 * Errors:  0 or -errno.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "pdns/pdns.h"

/** How a name is like another; those of dnstwist and two more. */
enum signal_class {
	SIGNAL_UNLIKE,
	SIGNAL_ADDITION,      /**< a letter or digit at the end */
	SIGNAL_BITSQUATTING,  /**< one bit of an octet */
	SIGNAL_CYRILLIC,      /**< all letters from that script */
	SIGNAL_DICTIONARY,    /**< with a word of the caller's */
	SIGNAL_HOMOGLYPH,     /**< letters that look like others */
	SIGNAL_HYPHENATION,   /**< a hyphen more */
	SIGNAL_INSERTION,     /**< a neighbour of a key more */
	SIGNAL_OMISSION,      /**< a letter less */
	SIGNAL_PLURAL,        /**< an "s" or "es" inside */
	SIGNAL_REPETITION,    /**< a letter twice */
	SIGNAL_REPLACEMENT,   /**< a neighbour of a key in its place */
	SIGNAL_SUBDOMAIN,     /**< a dot inside */
	SIGNAL_TLD,           /**< below another public suffix */
	SIGNAL_TRANSPOSITION, /**< two letters in the wrong order */
	SIGNAL_VARIOUS,       /**< the public suffix within the name */
	SIGNAL_VOWEL_SWAP,    /**< another vowel */
	SIGNAL_DISTANCE,      /**< any other letter too many, too few or wrong */
	SIGNAL_CLASSES,
};

/** "addition", "vowel-swap"; static. */
const char *signal_class_name(enum signal_class class);

/** A label as characters. */
struct signal_label {
	uint32_t c[64]; /**< Unicode code points */
	unsigned n;
};

/** Read UTF-8. @return 0, or -EINVAL: none, or too long for a label */
int signal_label_read(const char *text, struct signal_label *label);

/**
 * Least number of letters inserted, left out, replaced or exchanged with the next one, no place
 * twice (optimal string alignment, as is common for Damerau-Levenshtein).
 */
unsigned signal_distance(const struct signal_label *a, const struct signal_label *b);

/**
 * How a label is like another as a whole; SIGNAL_TLD if they are the same, SIGNAL_UNLIKE if it
 * takes more than one letter, and they do not look alike.
 *
 * @param label what is imitated, UTF-8
 * @param other UTF-8
 */
enum signal_class signal_classify(const char *label, const char *other);

/** What gets text of labels in UTF-8. @return 0 to go on */
typedef int (*signal_text_visit)(void *ctx, enum signal_class class, const char *text);

/** Make all labels one letter away, those of ASCII that names have. @return what visit did */
int signal_edits(const char *label, signal_text_visit visit, void *ctx);

/** A name like the one asked for. */
struct signal_like {
	const uint8_t *name; /**< base domain, or with SIGNAL_SUBDOMAIN a name in one; wire form, borrowed */
	size_t size;         /**< octets */
	enum signal_class class;
	unsigned distance; /**< of the first labels as people see them; 0 with SIGNAL_TLD and SIGNAL_SUBDOMAIN */
};

struct signal_like_question {
	const uint8_t *name; /**< wire form; of a longer name the base domain counts. One label: in any suffix */
	size_t size;
	const char *const *words; /**< UTF-8, for SIGNAL_DICTIONARY */
	size_t n_words;
	int (*progress)(void *ctx);
};

/**
 * Find names in the dataset that are like another, each once, whether that one is there or not.
 *
 * @param visit @return 0, or what it shall stop with
 * @return 0, what visit stopped with, -EINVAL: no name with a label, or -errno
 */
int signal_similar(struct pdns *pdns, const struct signal_like_question *question,
	int (*visit)(void *ctx, const struct signal_like *like), void *ctx);

/* ---- what is new ----------------------------------------------------------------------------- */

enum signal_news {
	SIGNAL_NEW_DOMAIN, /**< a base domain; its names are told, too */
	SIGNAL_NEW_NAME,
	SIGNAL_NEW_RDATA, /**< of a name that was known */
	SIGNAL_NEWS,
};

/** "domain", "name", "rdata"; static. */
const char *signal_news_name(enum signal_news news);

/** Something that was first seen since a time. All of it borrowed. */
struct signal_new {
	enum signal_news news;
	int64_t time_s; /**< when it was first seen, seconds since 1970 */
	const uint8_t *name; /**< wire form */
	size_t size;         /**< octets */
	uint16_t type;       /**< with SIGNAL_NEW_RDATA, as all below */
	const uint8_t *rdata;
	size_t rdata_size;
};

struct signal_new_question {
	int64_t since_s; /**< what was not seen before, seconds since 1970 */
	int (*progress)(void *ctx);
};

/**
 * Find what is new. Of the last PDNS_RECENT_S it reads what may be; of a longer time, the whole dataset.
 *
 * @param visit called in the order of names; @return 0, or what it shall stop with
 * @return 0, what visit stopped with, or -errno
 */
int signal_new_find(struct pdns *pdns, const struct signal_new_question *question,
	int (*visit)(void *ctx, const struct signal_new *found), void *ctx);

/* ---- what is shared -------------------------------------------------------------------------- */

#define SIGNAL_SERVERS_MAX 256  /**< name servers of a domain that are looked at */
#define SIGNAL_BLOCKS_MAX  1024 /**< blocks of its addresses */

/** A domain that shares something with the one asked for. All of it borrowed. */
struct signal_shared {
	const uint8_t *name; /**< base domain, wire form */
	size_t size;         /**< octets */
	const uint8_t *server; /**< name server, wire form; NULL: it is `block` */
	struct prefix block;
};

struct signal_shared_question {
	const uint8_t *name; /**< wire form; its base domain counts */
	size_t size;
	uint8_t ipv4_length, ipv6_length; /**< bits of a block; 0: 24 and 48 */
	int (*progress)(void *ctx);
};

/**
 * Find base domains that have a name server of another one's, or names in a block of addresses that
 * it has names in; each once for each server and block.
 *
 * @param visit @return 0, or what it shall stop with
 * @return 0, what visit stopped with, -EINVAL, or -errno
 */
int signal_shared_find(struct pdns *pdns, const struct signal_shared_question *question,
	int (*visit)(void *ctx, const struct signal_shared *shared), void *ctx);

/* ---- fast flux ------------------------------------------------------------------------------- */

/** Which autonomous system addresses are in, as the operator says. */
struct signal_networks;

/**
 * Read a CSV file with the header "prefix,asn". What is wrong is logged with its line.
 *
 * @param networks [out] free with signal_networks_free
 * @return 0, -EINVAL, or -errno
 */
int signal_networks_read(const char *path, struct signal_networks **networks);
void signal_networks_free(struct signal_networks *networks);

/** The system of the longest prefix that an address is in; 0: none. */
uint32_t signal_networks_find(const struct signal_networks *networks, const struct addr *addr);

#define SIGNAL_BRIEF_S 86400 /**< an address that a name had for less is brief */

/** How the addresses of a name change. */
struct signal_flux {
	const uint8_t *name; /**< wire form, borrowed */
	size_t size;         /**< octets */
	unsigned addresses;
	unsigned networks; /**< autonomous systems; without a table, and where it has none, /16 and /32 */
	unsigned brief;    /**< addresses */
	unsigned score;    /**< 0..100: part of addresses in networks of their own, times part of brief ones */
	int64_t first_s, last_s;
};

struct signal_flux_question {
	const uint8_t *name; /**< wire form: it and all below; NULL: all names. Those not named read everything */
	size_t size;
	int64_t last_after; /**< only addresses seen then or later; 0: all */
	unsigned least;     /**< only names of so many addresses */
	const struct signal_networks *networks; /**< NULL: none */
	int (*progress)(void *ctx);
};

/**
 * Find names by how their addresses change.
 *
 * @param visit called in the order of names; @return 0, or what it shall stop with
 * @return 0, what visit stopped with, or -errno
 */
int signal_flux_find(struct pdns *pdns, const struct signal_flux_question *question,
	int (*visit)(void *ctx, const struct signal_flux *flux), void *ctx);
