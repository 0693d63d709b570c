/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/pattern share.
 *
 * The book of a set, numbers in the byte order of the computer:
 *
 *   +-------------------------------------------------------+ 0
 *   | struct pattern_book                          24 bytes |
 *   +-------------------------------------------------------+
 *   | struct pattern_item[n]                  16 bytes each |
 *   +-------------------------------------------------------+
 *   | expressions, each ended by NUL                        |
 *   +-------------------------------------------------------+ size
 */
#include <assert.h>

#include "pattern/pattern.h"

#define PATTERN_MAGIC 0x74617064u /* "dpat" in memory */

struct pattern_book {
	uint32_t magic, n;
	uint64_t size; /**< bytes of the whole block */
	uint64_t reserved;
};

struct pattern_item {
	uint32_t rule, flags, line;
	uint32_t text; /**< where the expression starts, bytes from the first one's start */
};

static_assert(sizeof(struct pattern_book) == 24, "layout above");
static_assert(sizeof(struct pattern_item) == 16, "layout above");

/** The book of what a builder has. @return a block (taken, free with free), or NULL */
struct pattern_book *pattern_book_make(const struct pattern_builder *builder);

/** What Hyperscan says against an expression. @return NULL: nothing; else in @p error */
const char *pattern_refusal(
	const char *expression, uint32_t flags, char error[PATTERN_ERROR_SIZE]);
