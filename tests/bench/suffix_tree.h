/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the table of names is compared with: a tree with a node a label, the last label at the top,
 * and in each node a red-black tree of its children, which is how dnsdist's SuffixMatchNode stands
 * in memory (a std::set a node).
 */
#include <stdbool.h>
#include <stdint.h>

struct dns_labels;
struct suffix_tree;

struct suffix_tree *suffix_tree_create(void);
void suffix_tree_destroy(struct suffix_tree *tree);

/** @param labels in lower case @return 0 or -ENOMEM */
int suffix_tree_add(struct suffix_tree *tree, const struct dns_labels *labels);

/** Whether the name or a suffix of it was added. */
bool suffix_tree_lookup(const struct suffix_tree *tree, const struct dns_labels *labels);
