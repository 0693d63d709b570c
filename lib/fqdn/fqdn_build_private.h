/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What a table is made of while names are added (fqdn_build.c; by several threads: fqdn_lane.c),
 * before it is laid out in one block (fqdn_lay_out.c).
 */
#include <pthread.h>

#include "base/crew.h"
#include "fqdn/fqdn_table_private.h"

// A growing array of fixed-size items. One that does not grow any more, in an arena, has no room.
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
	size_t mask, room; // room: slots that there is memory for
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
	struct array ids;     // struct fqdn_id
	struct array id_text;
	struct index set_index, rule_index, id_index;
	struct fqdn_lane *lanes; // one for each thread that adds names
	unsigned n_lanes, n_threads; // threads: for all that comes behind; 0: the calling one
	struct arena *done[CREW_MAX]; // what threads made of shards
	struct array refused; // struct fqdn_refused
	// For what shards have in common, while lanes are in use: rules, identifiers and then sets.
	pthread_mutex_t lock;
};

#define ARRAY_AT(array, type, i) (&((type *)(void *)(array).items)[i])

// Labels that a node adds to those of its parent.
static inline unsigned fqdn_node_labels(const struct builder_node *node)
{
	return !node->parent && node->depth > 1 ? 2 : 1;
}

/** Room for n more items, the first of which is returned; NULL: no memory. The allocation may move. */
void *fqdn_array_extend(struct array *array, size_t n, size_t item_size);

/** Number of a rule, the same for the same rule. @return 0.., or -ENOMEM */
int64_t fqdn_builder_rule(struct fqdn_builder *b, const struct fqdn_rule *rule);

/**
 * Number of the set that has the members of @p from and @p rule; @p from itself when the rule is in it.
 *
 * @return 0.., -ENOMEM, or -E2BIG when there are FQDN_RULES_MAX already
 */
int64_t fqdn_builder_set(struct fqdn_builder *b, uint32_t from, uint32_t rule);

/** Shard of a name in wire form; FQDN_PIECE octets behind it can be read. */
struct builder_shard *fqdn_shard_of_name(
	struct fqdn_builder *b, const uint8_t *name, uint8_t size);

/**
 * The node of a name, made with the nodes above it if need be, down from the one of two labels.
 *
 * @param name as above
 * @return 0 or -ENOMEM
 */
int fqdn_shard_node(const struct fqdn_builder *b, struct builder_shard *shard, const uint8_t *name,
	uint8_t size, struct builder_node **node);

/** Give a node another set of rules. */
void fqdn_shard_set(struct builder_shard *shard, struct builder_node *node, uint32_t set);

/** Begin an index for @p n nodes, empty; its memory may be there from before. @return 0 or -ENOMEM */
int fqdn_shard_index(struct builder_shard *shard, size_t n);

void fqdn_shard_free(struct builder_shard *shard);

void fqdn_lanes_free(struct fqdn_builder *b);

// Pieces that are cut from large blocks of memory and freed all at once.
struct arena;

/** @param arenas one thread's, NULL at first @return aligned to a line, or NULL: no memory */
void *fqdn_arena_take(struct arena **arenas, size_t size);
void fqdn_arena_free(struct arena **arenas);
