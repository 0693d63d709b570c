/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <stdlib.h>
#include <string.h>

// NULL as the function that frees values means free() to RocksDB, so what is returned is malloc'ed.
static char *join(const char *first, size_t first_size, const char *const *operands,
	const size_t *sizes, int n, unsigned char *success, size_t *size)
{
	size_t sum = first_size, at = first_size;
	char *joined;

	for (int i = 0; i < n; i++)
		sum += sizes[i];
	// An allocation of no octets may be NULL, which is no failure.
	joined = malloc(sum + 1);
	*success = joined != NULL;
	*size = joined ? sum : 0;
	if (!joined)
		return NULL;
	if (first_size > 0)
		memcpy(joined, first, first_size);
	for (int i = 0; i < n; i++) {
		memcpy(joined + at, operands[i], sizes[i]);
		at += sizes[i];
	}
	return joined;
}

static char *merge_full(void *state, const char *key, size_t key_size, const char *existing,
	size_t existing_size, const char *const *operands, const size_t *sizes, int n,
	unsigned char *success, size_t *size)
{
	return join(existing, existing ? existing_size : 0, operands, sizes, n, success, size);
}

// Without it a popular name's operands would be joined anew by each reader.
static char *merge_partial(void *state, const char *key, size_t key_size,
	const char *const *operands, const size_t *sizes, int n, unsigned char *success,
	size_t *size)
{
	return join(NULL, 0, operands, sizes, n, success, size);
}

static void merge_destroy(void *state)
{
}

static const char *merge_name(void *state)
{
	return "dnsweir.append";
}

rocksdb_mergeoperator_t *store_merge_create(void)
{
	return rocksdb_mergeoperator_create(
		NULL, merge_destroy, merge_full, merge_partial, NULL, merge_name);
}
