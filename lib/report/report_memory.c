/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report_memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define CHUNK_SIZE ((size_t)64 << 10)

struct report_chunk {
	struct report_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char bytes[];
};

static void *must(void *memory)
{
	if (!memory) {
		log_line(LOG_ERROR, "out of memory");
		exit(1);
	}
	return memory;
}

void *report_object(size_t size)
{
	return must(calloc(1, size));
}

void report_memory_free(struct report_memory *memory)
{
	while (memory->chunks) {
		struct report_chunk *next = memory->chunks->next;

		free(memory->chunks);
		memory->chunks = next;
	}
}

void *report_alloc(struct report_memory *memory, size_t size)
{
	struct report_chunk *chunk = memory->chunks;
	void *at;

	size = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = must(calloc(1, sizeof(*chunk) + room));
		chunk->size = room;
		chunk->next = memory->chunks;
		memory->chunks = chunk;
	}
	at = chunk->bytes + chunk->used;
	chunk->used += size;
	return at;
}

char *report_copy(struct report_memory *memory, const char *text, size_t size)
{
	return memcpy(report_alloc(memory, size + 1), text, size);
}

char *report_format(struct report_memory *memory, const char *format, ...)
{
	va_list args, again;
	char *text;
	int size;

	va_start(args, format);
	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, args);
	text = report_alloc(memory, (size_t)size + 1);
	vsnprintf(text, (size_t)size + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void *report_grow(struct report_memory *memory, void *array, size_t n, size_t element)
{
	void *larger;

	// It has room for the next power of two.
	if (n > 0 && (n & (n - 1)) != 0)
		return array;
	larger = report_alloc(memory, (n ? 2 * n : 1) * element);
	if (n)
		memcpy(larger, array, n * element);
	return larger;
}
