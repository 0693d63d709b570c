/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The first step of a look-up, which is the only one for nearly every name: hash its last two labels
 * and see whether their bucket has the tag.
 */
#include "fqdn/fqdn_table_private.h"

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

/** As fqdn_lookup_aim, by the last label alone. */
void fqdn_aim_single(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims);

/** Look at the buckets of names. @return bits of those that may be listed */
uint64_t fqdn_scan(const struct fqdn_table *table, unsigned n, const struct fqdn_aim *aims);

/** The two ways of fqdn_lookup_aim and fqdn_scan: on any CPU, and on those of cpu_is_wide. */
void fqdn_aim_plain(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims);
void fqdn_aim_wide(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims);
uint64_t fqdn_scan_plain(const struct fqdn_table *table, unsigned n, const struct fqdn_aim *aims);
uint64_t fqdn_scan_wide(const struct fqdn_table *table, unsigned n, const struct fqdn_aim *aims);
