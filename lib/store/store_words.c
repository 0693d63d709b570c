/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_contact_private.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

static size_t slot_find(const struct store_words *w, const char *text)
{
	size_t at = XXH3_64bits(text, strlen(text)) & (w->n_slots - 1);

	while (w->slots[at] && strcmp(w->text + w->slots[at], text) != 0)
		at = (at + 1) & (w->n_slots - 1);
	return at;
}

static bool slots_grow(struct store_words *w)
{
	struct store_words more = *w;

	more.n_slots = w->n_slots ? w->n_slots * 2 : 1024;
	more.slots = calloc(more.n_slots, sizeof(*more.slots));
	if (!more.slots)
		return false;
	for (size_t i = 0; i < w->n_slots; i++)
		if (w->slots[i])
			more.slots[slot_find(&more, w->text + w->slots[i])] = w->slots[i];
	free(w->slots);
	*w = more;
	return true;
}

static bool text_grow(struct store_words *w, size_t size)
{
	size_t room = w->room ? w->room : 4096;
	char *more;

	while (room < w->used + size)
		room *= 2;
	if (room > STORE_WORD_NONE)
		return false;
	more = realloc(w->text, room);
	if (!more)
		return false;
	w->text = more;
	w->room = room;
	return true;
}

uint32_t store_words_add(struct store_words *w, const char *text)
{
	size_t size = strlen(text) + 1, at;

	if (w->room - w->used < size + 1 && !text_grow(w, size + 1))
		return STORE_WORD_NONE;
	if (w->used == 0)
		w->text[w->used++] = '\0';
	if (size == 1)
		return 0;
	if (w->n * 2 >= w->n_slots && !slots_grow(w))
		return STORE_WORD_NONE;
	at = slot_find(w, text);
	if (w->slots[at])
		return w->slots[at];
	w->slots[at] = (uint32_t)w->used;
	memcpy(w->text + w->used, text, size);
	w->used += size;
	w->n++;
	return w->slots[at];
}

void store_words_free(struct store_words *w)
{
	free(w->text);
	free(w->slots);
	*w = (struct store_words){0};
}
