/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What a table is made of while names are added (fqdn_build.c), before it is laid out in one block
 * (fqdn_lay_out.c).
 */
#include "fqdn/fqdn_table_private.h"

// A growing array of fixed-size items.
struct array {
	uint8_t *items;
	size_t n, room;
};

// Sets are numbered as they are first needed. A set is its members' numbers, ascending by when they
// were added; `from` and `rule` tell which set and which rule it was made of.
struct builder_set {
	uint32_t first, n;   // members in `members`
	uint32_t from, rule; // made by adding rule to set from; from == 0: the empty set
};

// A listed name, or one above it that has two labels or more. Names of two labels, and those of one
// label, have no parent: below a name of one label nothing is kept.
struct builder_node {
	uint64_t hash;
	uint32_t text;   // place of its labels; the first one, or all where it has no parent
	uint32_t parent; // number in the shard + 1; 0: none
	uint32_t set;
	uint8_t depth;   // labels
	uint8_t size;    // octets of all its labels
};

// Nodes by hash. A slot has the lower half of the hash, so that growing touches no node.
struct node_index {
	struct {
		uint32_t hash, number; // number + 1; 0: free
	} * slots;
	size_t mask;
};

// Index by hash over items numbered from 0: number + 1, 0 is free. Load stays at or below 1/2.
struct index {
	uint32_t *slots;
	size_t mask, n;
};

// Names are told apart by their last two labels: what lies below one such pair lies in one shard, so
// a shard's nodes and their parents are all its own.
// A shard becomes a part of the table.
#define FQDN_SHARDS FQDN_PARTS

struct builder_shard {
	struct array nodes; // struct builder_node, parents before children
	struct array text;  // labels of nodes
	struct node_index index;
	size_t n_names;   // nodes with a set
	size_t n_singles; // of these, names of one label
};

struct fqdn_builder {
	struct fqdn_key key;
	struct builder_shard shard[FQDN_SHARDS];
	struct array sets;    // struct builder_set; set 0 is empty
	struct array members; // uint32_t
	struct array rules;   // struct fqdn_rule
	struct array ids;     // uint32_t: place in id_text
	struct array id_text;
	struct index set_index, rule_index, id_index;
};

#define ARRAY_AT(array, type, i) (&((type *)(void *)(array).items)[i])

// Labels that a node adds to those of its parent.
static inline unsigned fqdn_node_labels(const struct builder_node *node)
{
	return !node->parent && node->depth > 1 ? 2 : 1;
}
