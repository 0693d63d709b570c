/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/block.h"
#include "fqdn/fqdn_build_private.h"

#define ARENA_MIN ((size_t)256 << 10)
#define ARENA_MAX ((size_t)16 << 20)
#define LINE      64

struct arena {
	struct arena *older;
	size_t size, used;
};

void *fqdn_arena_take(struct arena **arenas, size_t size)
{
	struct arena *arena = *arenas;

	size = (size + LINE - 1) & ~(size_t)(LINE - 1);
	if (!arena || arena->size - arena->used < size) {
		size_t grown = arena ? arena->size * 4 : ARENA_MIN;

		if (grown > ARENA_MAX)
			grown = ARENA_MAX;
		if (grown < size + LINE)
			grown = size + LINE;
		arena = block_alloc(grown, -1);
		if (!arena)
			return NULL;
		*arena = (struct arena){*arenas, grown, LINE};
		*arenas = arena;
	}
	arena->used += size;
	return (uint8_t *)arena + arena->used - size;
}

void fqdn_arena_free(struct arena **arenas)
{
	while (*arenas) {
		struct arena *older = (*arenas)->older;

		block_free(*arenas, (*arenas)->size);
		*arenas = older;
	}
}
