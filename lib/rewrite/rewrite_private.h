/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/rewrite share.
 */
#include "rewrite/rewrite.h"

/** Flags of the header that stay when an answer is replaced (RFC 1035 s4.1.1, RFC 4035 s3.1.6): QR,
 * opcode, RD, RA, CD. */
#define REWRITE_FLAGS_KEPT 0xf990

/** n addresses, which one is a client's first: the top bits of a product, no division. */
static inline unsigned rewrite_first(uint32_t spread, unsigned n)
{
	return (unsigned)((uint64_t)(spread * 0x9e3779b1u) * n >> 32);
}

/* --- names of the question and answer sections: rewrite_names.c --- */

/**
 * Names held against each other, and the labels and octets that may be looked at for it. Ours: chains
 * end after 8 to 16 steps, and names have some 4 labels and 20 octets; without a limit names of 127
 * labels would make a message dearer than any other.
 */
#define REWRITE_NAMES_MAX 16
#define REWRITE_NAME_WORK 192

/** Names to hold others against. */
struct rewrite_names {
	const uint8_t *msg;
	uint16_t size;
	bool all;      /**< too many, or too much work: every name is one of them */
	bool services; /**< the answer section has SVCB or HTTPS records */
	unsigned n;
	unsigned work; /**< so far */
	uint16_t at[REWRITE_NAMES_MAX]; /**< bytes from msg[0]; none is nothing but a pointer */
	uint16_t octets[REWRITE_NAMES_MAX]; /**< of each; 0: not known so far, more than any: no name */
};

/** The place where the labels of a name are that is nothing but a pointer. */
static inline uint16_t rewrite_name_origin(const uint8_t *msg, uint32_t size, uint32_t off)
{
	return (uint16_t)(size - off >= 2 && msg[off] >= 0xc0 ? load_be16(msg + off) & 0x3fff
							      : off);
}

/** Add the name at @p off to none or some. */
void rewrite_names_add(struct rewrite_names *names, uint32_t off);

/** Those that the question and answer sections are about, and where the additional section goes on with them. */
void rewrite_names_collect(const struct rewrite_message *m, struct rewrite_names *names);

/** Whether the name at @p off is one of them. */
bool rewrite_names_have(struct rewrite_names *names, uint32_t off);

/* --- the OPT record: rewrite_opt.c --- */

/** Octets that the message's length can change by in the OPT: those of its Padding option. */
uint32_t rewrite_opt_padding(const uint8_t *msg, const struct dns_rest *rest);

/**
 * Whether a message of @p size octets, its Padding option counted, can be brought to the length that
 * it must have, or fits the room there is.
 */
bool rewrite_opt_fits(
	const struct rewrite_message *m, const struct dns_rest *rest, uint32_t size);

/**
 * Add the list's Extended DNS Error to the OPT that ends the message, where there is room; with a
 * fixed length fill up to @p target by padding.
 *
 * @param opt where it stands; 0: there is none
 */
void rewrite_opt_finish(
	struct rewrite_message *m, uint32_t opt, uint32_t target, struct rewrite_counts *counts);

/** Add the list's Extended DNS Error to a message whose addresses were replaced, where that is possible. */
void rewrite_opt_ede(struct rewrite_message *m, struct rewrite_counts *counts);

/* --- rewrite_signatures.c --- */

/**
 * Signatures in the answer section that cover what was changed go; where that is not possible they
 * stay. Both are counted.
 *
 * @param counts what was changed
 */
void rewrite_signatures_cut(struct rewrite_message *m, struct rewrite_counts *counts);
