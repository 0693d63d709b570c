/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Consent: which client prefixes refuse filtering, logging, or both. The most specific prefix wins;
 * a client under none of them has consented to both.
 *
 * Layer:   lib/consent; no EAL. Look-ups allocate nothing.
 * Threads: look-ups any thread; reading and building control only.
 * Source:  RFC 4632 s5.1 (longest match).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define CONSENT_NO_FILTER 1 /**< leave the answers of these clients as they are */
#define CONSENT_NO_LOG    2 /**< no record, in no total */

struct consent_rule {
	struct prefix prefix;
	uint8_t refused; /**< CONSENT_NO_FILTER | CONSENT_NO_LOG, 0: consents to both */
};

/** Rules as read, growing. Zero-initialise; free with consent_rules_free. */
struct consent_rules {
	struct consent_rule *rules;
	size_t n, room;
};

struct consent_counts {
	uint64_t lines, good, bad;
};

/**
 * Read a consent file: UTF-8 CSV with the header line `prefix,filter,log`, then `yes` or `no` for
 * what the customer agrees to; blank lines and lines that start with "#" are skipped. A prefix
 * given twice refuses what either line refuses.
 *
 * @param bad_line called for each line that is skipped: "expected ..., got ...", borrowed
 * @return 0 (also with bad lines), -errno when the file cannot be read, -EBADMSG without the header
 */
int consent_read(const char *path, struct consent_rules *rules,
	void (*bad_line)(void *ctx, unsigned line, const char *what), void *ctx,
	struct consent_counts *counts);

void consent_rules_free(struct consent_rules *rules);

/** The table: one relocatable block, offsets only; copy it with memcpy. */
struct consent_table;

/**
 * Build the table of @p n rules, in any order.
 *
 * @param size [out] bytes of the block, for copying and for block_free
 * @return a block from block_alloc (taken by the caller), or NULL with errno set
 */
struct consent_table *consent_table_build(const struct consent_rule *rules, size_t n, size_t *size);

/** Prefixes the table was built from. */
uint64_t consent_table_prefixes(const struct consent_table *table);

/**
 * What the client at an address refuses. Hot path: bounded work, no division.
 *
 * @param addr 4 or 16 bytes in network byte order, borrowed, any alignment
 * @return CONSENT_NO_FILTER | CONSENT_NO_LOG bits
 */
uint8_t consent_lookup_ipv4(const struct consent_table *table, const uint8_t *addr);
uint8_t consent_lookup_ipv6(const struct consent_table *table, const uint8_t *addr);
