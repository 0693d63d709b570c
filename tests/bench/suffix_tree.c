/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/suffix_tree.h"

#include <errno.h>
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns_msg.h"

struct suffix_tree {
	void *children;                        // tsearch's tree of struct suffix_tree
	bool end;                              // a name ends here
	uint8_t label[DNS_LABEL_SIZE_MAX + 1]; // length octet and as many octets as it has, no more
};

#define NODE_SIZE(label_size) (offsetof(struct suffix_tree, label) + 1 + (label_size))

// Labels are compared where they stand: a key is the length octet, wherever it lies.
static int label_compare(const void *a, const void *b)
{
	const uint8_t *x = *(const uint8_t *const *)a, *y = *(const uint8_t *const *)b;
	int order = memcmp(x + 1, y + 1, *x < *y ? *x : *y);

	return order ? order : *x - *y;
}

// tsearch keeps a pointer to this: the label first, so that a look-up needs no node of its own.
struct child {
	const uint8_t *label;
	struct suffix_tree node;
};

struct suffix_tree *suffix_tree_create(void)
{
	return calloc(1, sizeof(struct suffix_tree));
}

static void child_free(void *pointer)
{
	struct child *child = pointer;

	tdestroy(child->node.children, child_free);
	free(child);
}

void suffix_tree_destroy(struct suffix_tree *tree)
{
	if (!tree)
		return;
	tdestroy(tree->children, child_free);
	free(tree);
}

static struct child *child_add(struct suffix_tree *tree, const uint8_t *label)
{
	struct child *child = calloc(1, offsetof(struct child, node) + NODE_SIZE(*label));

	if (!child)
		return NULL;
	memcpy(child->node.label, label, *label + 1u);
	child->label = child->node.label;
	if (tsearch(child, &tree->children, label_compare))
		return child;
	free(child);
	return NULL;
}

int suffix_tree_add(struct suffix_tree *tree, const struct dns_labels *labels)
{
	for (unsigned i = labels->n; i-- > 0;) {
		const uint8_t *label = labels->msg + labels->at[i];
		struct child *const *found = tfind(&label, &tree->children, label_compare);
		struct child *child = found ? *found : child_add(tree, label);

		if (!child)
			return -ENOMEM;
		tree = &child->node;
	}
	tree->end = true;
	return 0;
}

bool suffix_tree_lookup(const struct suffix_tree *tree, const struct dns_labels *labels)
{
	for (unsigned i = labels->n; i-- > 0;) {
		const uint8_t *label = labels->msg + labels->at[i];
		struct child *const *found = tfind(&label, &tree->children, label_compare);

		if (!found)
			return false;
		tree = &(*found)->node;
		if (tree->end)
			return true;
	}
	return false;
}
