/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The first step of a look-up, which is the only one for nearly every name: hash its last two labels
 * and see whether their bucket has the tag.
 */
#include "fqdn/fqdn_table_private.h"

/** Where a name's last labels lead to: their bucket's line is on its way. */
struct fqdn_aim {
	uint64_t hash;
	uint32_t bucket;
};

/** The bucket of a hash in a part, which is fetched. */
static inline uint32_t fqdn_bucket_aim(
	const struct fqdn_table *table, unsigned part, uint64_t hash)
{
	uint32_t bucket = table->part[part].first + fqdn_bucket_of(table->part[part].n, hash);

	__builtin_prefetch(fqdn_bucket_at(table, bucket));
	return bucket;
}

/** Hash of a name's last two labels; it has as many. */
uint64_t fqdn_hash_last_two(const struct fqdn_table *table, const struct fqdn_name *name);

/**
 * Look at the buckets of names.
 *
 * @param start labels to start with, 1 or 2
 * @param aims  [out] by name; undefined where it has fewer labels than that
 * @return bits of the names that may be listed
 */
uint64_t fqdn_scan(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	unsigned start, struct fqdn_aim *aims);

/**
 * Let names go that end one label further on: below a node like "co.uk" that has no rules itself, and
 * below which they have no node. Whether it is that node or one of the same tag makes no difference:
 * either way the name has no rule.
 *
 * @param may bits of the names that may be listed
 * @return those that still may
 */
uint64_t fqdn_scan_on(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	const struct fqdn_aim *aims, uint64_t may);

/** The two ways of fqdn_scan from two labels on: on any CPU, and on those of cpu_is_wide. */
uint64_t fqdn_scan_plain(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims);
uint64_t fqdn_scan_wide(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims);
