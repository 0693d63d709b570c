/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The kinds of names that are asked, most of them made to be taken for listed ones.
 */
#include "verdict/corpus.h"

/** Where a class is on its way through the listed names. */
struct cursor {
	const struct corpus *corpus;
	uint64_t random;
	uint32_t position; /**< for classes that change a name in every place in turn */
	struct name from;  /**< the listed name that is being changed */
};

struct class {
	const char *what;
	bool (*make)(struct cursor *cursor, struct name *name); /**< false: none this time */
	unsigned share; /**< of 100 */
	bool filtered;  /**< some of these have to be blocked, or the test asks the wrong things */
};

extern const struct class classes[];
extern const unsigned n_classes;
