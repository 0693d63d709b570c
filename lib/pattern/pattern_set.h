/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A set as scans see it.
 */
#include <hs.h>

#include "pattern/pattern_filter.h"

struct pattern_set {
	hs_database_t *database;
	struct pattern_filter *filter; /**< NULL: every name is scanned */
	uint32_t n;
	uint32_t *rules; /**< by expression */
	struct pattern_book *book;
};

/** Memory that Hyperscan asks for from now on, in this thread, is on this node; -1: any. */
void pattern_memory_node(int node);
