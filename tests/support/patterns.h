/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Patterns and names that tests put together: a table of rules, a set compiled, a scan, and names in
 * blocks of exactly their size, where a sanitizer sees a read beyond them. A mistake ends the test.
 */
#include "pattern/pattern.h"

/** Rules and patterns being collected, and then what matches names against them. */
struct patterns {
	struct fqdn_builder *names;
	struct pattern_builder *builder;
	struct fqdn_table *table;
	struct pattern_set *set;
	struct pattern_scan *scan;
};

void patterns_begin(struct patterns *p);
/** An expression of a list; @p verdict is an enum fqdn_verdict. */
void patterns_add(struct patterns *p, unsigned list, uint8_t verdict, const char *expression);
/** A name of a list. */
void patterns_add_name(struct patterns *p, const struct fqdn_rule *rule, const char *text);
/** Compile. */
void patterns_finish(struct patterns *p);
void patterns_end(struct patterns *p);

struct names {
	unsigned n;
	uint8_t *wire[PATTERN_NAMES_MAX];
	struct dns_labels labels[PATTERN_NAMES_MAX];
	struct fqdn_name each[PATTERN_NAMES_MAX];
};

void names_add_wire(struct names *names, const uint8_t *wire, unsigned size);
void names_add(struct names *names, const char *text);
void names_free(struct names *names);

/** @return the bits of names that a pattern matches */
uint64_t patterns_match(struct patterns *p, const struct names *names, struct fqdn_match *found);
