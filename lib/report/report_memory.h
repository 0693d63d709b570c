/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Memory that is freed all at once: the texts and tables of a report.
 *
 * Layer:   lib/report, for its files only; ends the program where memory runs out (see report.h).
 * Threads: one.
 */
#include <stddef.h>

/** Begins as {0}; what comes from it lives until report_memory_free(). */
struct report_memory {
	struct report_chunk *chunks;
};

void report_memory_free(struct report_memory *memory);

/** @p size octets that are 0, aligned for any object. */
void *report_alloc(struct report_memory *memory, size_t size)
	__attribute__((returns_nonnull, alloc_size(2)));

/** A copy of @p size octets with a NUL behind it. */
char *report_copy(struct report_memory *memory, const char *text, size_t size)
	__attribute__((returns_nonnull));

char *report_format(struct report_memory *memory, const char *format, ...)
	__attribute__((returns_nonnull, format(printf, 2, 3)));

/**
 * Room for one more element behind the @p n that @p array has.
 *
 * @param array made by this function only, NULL with no element
 * @return the array, where it is now; the new element is 0
 */
void *report_grow(struct report_memory *memory, void *array, size_t n, size_t element)
	__attribute__((returns_nonnull));

/** Allocate outside of a report_memory, for free(). */
void *report_object(size_t size) __attribute__((returns_nonnull));
