/* SPDX-License-Identifier: BSD-3-Clause */
#include "pattern/pattern_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"

// Borders are those of lines, as names are scanned joined by newlines. No expression gets DOTALL: a
// name has no newline that "." could mean, and it could only reach into the next one. Hyperscan's
// default of reporting every end of a match is what makes joined scans complete: a match that runs
// on into the next name does not hide the one that ends before.
#define FLAGS (HS_FLAG_MULTILINE | HS_FLAG_CASELESS)

#define HEAD 64 // in front of each block, for its size; keeps what follows aligned

static _Thread_local int memory_node = -1;

static void *memory_take(size_t size)
{
	size_t *block = block_alloc(size + HEAD, memory_node);

	if (!block)
		return NULL;
	*block = size + HEAD;
	return (uint8_t *)block + HEAD;
}

static void memory_give(void *memory)
{
	if (memory) {
		size_t *block = (void *)((uint8_t *)memory - HEAD);

		block_free(block, *block);
	}
}

void pattern_memory_node(int node)
{
	hs_set_database_allocator(memory_take, memory_give);
	hs_set_scratch_allocator(memory_take, memory_give);
	memory_node = node;
}

bool pattern_supported(void)
{
	return hs_valid_platform() == HS_SUCCESS;
}

static unsigned flags_of(uint32_t flags)
{
	return FLAGS | (flags & PATTERN_UTF8 ? HS_FLAG_UTF8 : 0) |
	       (flags & PATTERN_UCP ? HS_FLAG_UCP : 0);
}

static void error_take(hs_compile_error_t *failure, char *error)
{
	size_t size;

	snprintf(error, PATTERN_ERROR_SIZE, "%s", failure ? failure->message : "out of memory");
	hs_free_compile_error(failure);
	// It stands within a sentence of ours.
	size = strlen(error);
	if (size > 0 && error[size - 1] == '.')
		error[size - 1] = '\0';
}

const char *pattern_refusal(const char *expression, uint32_t flags, char error[PATTERN_ERROR_SIZE])
{
	hs_compile_error_t *failure = NULL;
	hs_expr_info_t *info = NULL;

	unsigned least;

	if (hs_expression_info(expression, flags_of(flags), &info, &failure) != HS_SUCCESS) {
		error_take(failure, error);
		return error;
	}
	least = info->min_width;
	free(info);
	if (least > 0)
		return NULL;
	snprintf(error, PATTERN_ERROR_SIZE, "it can match no text at all, and so every name");
	return error;
}

// The database of all expressions of a book.
static hs_database_t *compile(const struct pattern_book *book, int64_t *at, char *error)
{
	const char **expressions = calloc(book->n, sizeof(*expressions));
	unsigned *flags = calloc(book->n, sizeof(*flags)), *ids = calloc(book->n, sizeof(*ids));
	hs_compile_error_t *failure = NULL;
	hs_database_t *database = NULL;
	struct pattern pattern;

	*at = -1;
	if (!expressions || !flags || !ids) {
		snprintf(error, PATTERN_ERROR_SIZE, "%s", strerror(ENOMEM));
		goto out;
	}
	for (uint32_t i = 0; i < book->n; i++) {
		pattern_book_get(book, i, &pattern);
		expressions[i] = pattern.expression;
		flags[i] = flags_of(pattern.flags);
		ids[i] = i;
	}
	pattern_memory_node(-1);
	if (hs_compile_multi(expressions, flags, ids, book->n, HS_MODE_BLOCK, NULL, &database,
		    &failure) != HS_SUCCESS) {
		database = NULL;
		if (failure && failure->expression >= 0)
			*at = failure->expression;
		error_take(failure, error);
	}
out:
	free(expressions);
	free(flags);
	free(ids);
	return database;
}

// @param book taken, also on failure
static struct pattern_set *set_make(struct pattern_book *book, int64_t *at, char *error)
{
	struct pattern_set *set = calloc(1, sizeof(*set));
	struct pattern pattern;

	*at = -1;
	snprintf(error, PATTERN_ERROR_SIZE, "%s", strerror(ENOMEM));
	if (!set || !book) {
		free(book);
		free(set);
		return NULL;
	}
	set->book = book;
	set->n = book->n;
	set->rules = malloc(set->n * sizeof(*set->rules));
	for (uint32_t i = 0; set->rules && i < set->n; i++) {
		pattern_book_get(book, i, &pattern);
		set->rules[i] = pattern.rule;
	}
	if (set->rules && pattern_filter_make(book, &set->filter) == 0)
		set->database = compile(book, at, error);
	if (!set->database) {
		pattern_set_free(set);
		return NULL;
	}
	return set;
}

struct pattern_set *pattern_builder_finish(
	const struct pattern_builder *builder, int64_t *at, char *error)
{
	return set_make(pattern_book_make(builder), at, error);
}

struct pattern_set *pattern_set_open(const void *block, int64_t *at, char *error)
{
	const struct pattern_book *from = block;
	struct pattern_book *book = malloc(from->size);

	if (book)
		memcpy(book, from, from->size);
	return set_make(book, at, error);
}

void pattern_set_free(struct pattern_set *set)
{
	if (!set)
		return;
	hs_free_database(set->database);
	pattern_filter_free(set->filter);
	free(set->rules);
	free(set->book);
	free(set);
}

struct pattern_set *pattern_set_copy(const struct pattern_set *set, int node)
{
	struct pattern_set *copy = calloc(1, sizeof(*copy));
	char *bytes = NULL;
	size_t size;

	if (!copy || hs_serialize_database(set->database, &bytes, &size) != HS_SUCCESS)
		goto fail;
	copy->n = set->n;
	copy->rules = malloc(set->n * sizeof(*copy->rules));
	if (!copy->rules)
		goto fail;
	memcpy(copy->rules, set->rules, set->n * sizeof(*copy->rules));
	if (set->filter && !(copy->filter = pattern_filter_copy(set->filter, node)))
		goto fail;
	pattern_memory_node(node);
	if (hs_deserialize_database(bytes, size, &copy->database) != HS_SUCCESS)
		goto fail;
	free(bytes);
	return copy;
fail:
	free(bytes);
	pattern_set_free(copy);
	errno = ENOMEM;
	return NULL;
}

uint32_t pattern_set_count(const struct pattern_set *set)
{
	return set ? set->n : 0;
}

void pattern_set_get(const struct pattern_set *set, uint32_t i, struct pattern *pattern)
{
	pattern_book_get(set->book, i, pattern);
}

size_t pattern_set_size(const struct pattern_set *set)
{
	size_t size = 0;

	if (!set || hs_database_size(set->database, &size) != HS_SUCCESS)
		return 0;
	return size + (set->filter ? set->filter->size : 0);
}

const void *pattern_set_book(const struct pattern_set *set, size_t *size)
{
	*size = set ? set->book->size : 0;
	return set ? set->book : NULL;
}
