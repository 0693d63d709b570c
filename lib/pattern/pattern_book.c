/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pattern/pattern_private.h"

struct pattern_builder {
	struct pattern_item *items;
	char *text;
	size_t n, room; // items
	size_t text_size, text_room;
};

struct pattern_builder *pattern_builder_create(void)
{
	return calloc(1, sizeof(struct pattern_builder));
}

void pattern_builder_destroy(struct pattern_builder *b)
{
	if (!b)
		return;
	free(b->items);
	free(b->text);
	free(b);
}

int pattern_builder_add(struct pattern_builder *b, const struct pattern *pattern)
{
	size_t size = strlen(pattern->expression) + 1;

	if (b->n == b->room) {
		size_t room = b->room * 2 + 64;
		struct pattern_item *items = realloc(b->items, room * sizeof(*items));

		if (!items)
			return -ENOMEM;
		b->items = items;
		b->room = room;
	}
	if (b->text_room - b->text_size < size) {
		size_t room = b->text_room * 2 + size;
		char *text = room <= UINT32_MAX ? realloc(b->text, room) : NULL;

		if (!text)
			return -ENOMEM;
		b->text = text;
		b->text_room = room;
	}
	memcpy(b->text + b->text_size, pattern->expression, size);
	b->items[b->n++] = (struct pattern_item){.rule = pattern->rule,
		.flags = pattern->flags,
		.line = pattern->line,
		.text = (uint32_t)b->text_size};
	b->text_size += size;
	return 0;
}

uint32_t pattern_builder_count(const struct pattern_builder *b)
{
	return (uint32_t)b->n;
}

static void item_get(const struct pattern_item *item, const char *text, struct pattern *pattern)
{
	*pattern = (struct pattern){.expression = text + item->text,
		.flags = item->flags,
		.line = item->line,
		.rule = item->rule};
}

void pattern_builder_get(const struct pattern_builder *b, uint32_t i, struct pattern *pattern)
{
	item_get(&b->items[i], b->text, pattern);
}

void pattern_builder_drop(struct pattern_builder *b, uint32_t i)
{
	b->n--;
	memmove(&b->items[i], &b->items[i + 1], (b->n - i) * sizeof(b->items[0]));
}

static const struct pattern_item *book_items(const struct pattern_book *book)
{
	return (const struct pattern_item *)(const void *)(book + 1);
}

struct pattern_book *pattern_book_make(const struct pattern_builder *b)
{
	size_t size =
		sizeof(struct pattern_book) + b->n * sizeof(struct pattern_item) + b->text_size;
	struct pattern_book *book = malloc(size);

	if (!book || b->n == 0) {
		free(book);
		return NULL;
	}
	*book = (struct pattern_book){.magic = PATTERN_MAGIC, .n = (uint32_t)b->n, .size = size};
	memcpy(book + 1, b->items, b->n * sizeof(struct pattern_item));
	memcpy((struct pattern_item *)(void *)(book + 1) + b->n, b->text, b->text_size);
	return book;
}

uint32_t pattern_book_count(const void *block)
{
	return ((const struct pattern_book *)block)->n;
}

void pattern_book_get(const void *block, uint32_t i, struct pattern *pattern)
{
	const struct pattern_book *book = block;
	const struct pattern_item *items = book_items(book);

	item_get(&items[i], (const char *)(items + book->n), pattern);
}

const char *pattern_book_check(const void *block, size_t size, uint32_t n_rules)
{
	const struct pattern_book *book = block;
	const struct pattern_item *items;
	size_t text_size;

	if (size < sizeof(*book) || book->magic != PATTERN_MAGIC || book->size != size)
		return "patterns of this version";
	if (book->n == 0 || (size - sizeof(*book)) / sizeof(*items) < book->n)
		return "patterns that fit their size";
	items = book_items(book);
	text_size = size - sizeof(*book) - book->n * sizeof(*items);
	if (text_size == 0 || ((const char *)block)[size - 1] != '\0')
		return "expressions that end";
	for (uint32_t i = 0; i < book->n; i++)
		if (items[i].text >= text_size || items[i].rule >= n_rules ||
			items[i].flags & ~(uint32_t)PATTERN_FLAGS)
			return "patterns with rules that are there";
	// They are shown to people.
	for (const char *text = (const char *)(items + book->n); text_size > 0; text_size--, text++)
		if (*text && (*text < 0x20 || *text > 0x7e))
			return "expressions of printable ASCII";
	return NULL;
}
