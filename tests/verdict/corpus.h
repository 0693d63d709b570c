/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The lists that the verdict test asks about: some 200,000 entries of every scope, action and span
 * of days, and what floods a table whose key is known. The same in every run.
 */
#include "pipeline/pipeline.h"
#include "verdict/reference.h"

#define CORPUS_LISTS     9
#define CORPUS_DAY_FIRST 8000 /**< days since 2000-01-01 on which entries begin, end, and are asked */
#define CORPUS_DAYS      24

/** Where a list puts the addresses of listed names: 192.0.2.1 and on, by list. */
#define CORPUS_SINKHOLE "192.0.2."

/** Names in wire form behind each other. */
struct corpus_names {
	uint8_t *wire;
	size_t used, room;
	uint32_t *at;
	uint32_t n;
};

struct corpus {
	struct reference_entry *entries; /**< sorted */
	size_t n, room;
	struct corpus_names listed; /**< every name that has an entry, the floods' own too */
	/* unlisted ones, made to be taken for others by a table that only compares hashes */
	struct corpus_names alike; /**< share 32 bits of the hash with a listed name */
	struct corpus_names flood; /**< share all or 14 bits of it with thousands of listed names */
	struct corpus_names flood_listed;
	unsigned n_same; /**< of both of these, names whose look-ups begin with one and the same hash */
	struct tables *tables;
	const struct pipeline_tables *pipeline;
};

/** @param tries names hashed in search of those that are alike */
void corpus_make(struct corpus *corpus, uint64_t tries);

/** A random name of the shapes that lists and questions have. */
void corpus_random(uint64_t *random, struct name *name);

/** A random label of letters and digits, 1 to @p most octets. */
unsigned corpus_label(uint64_t *random, unsigned most, uint8_t label[63]);

void corpus_names_add(struct corpus_names *names, const struct name *name);
void corpus_names_get(const struct corpus_names *names, uint32_t i, struct name *name);

/** Add an entry: scope, list and days at random. */
void corpus_entry(struct corpus *corpus, uint64_t *random, const struct name *name);

/* flood.c */

/**
 * List names that collide under the key that getrandom() gives here, and make more that are not
 * listed. The table has no entry yet.
 */
void flood_list(struct corpus *corpus, uint64_t *random);

/** Look for unlisted names that are alike, among @p tries. */
void flood_alike(struct corpus *corpus, uint64_t *random, uint64_t tries);

/** Whether the table was made with the key that the names above were made for. */
bool flood_key_is_known(const struct fqdn_table *table);
