/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_contact_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void store_pile_fold(struct store_pile *pile)
{
	size_t kept = 0, size = pile->size;

	if (pile->n == 0)
		return;
	qsort(pile->at, pile->n, size, pile->compare);
	for (size_t i = 1; i < pile->n; i++) {
		char *into = pile->at + kept * size, *from = pile->at + i * size;

		if (pile->compare(into, from) == 0)
			pile->merge(into, from);
		else if (++kept != i)
			memcpy(into + size, from, size);
	}
	pile->n = kept + 1;
}

int store_pile_add(struct store_pile *pile, const void *thing)
{
	size_t room = pile->room ? pile->room * 2 : 1024;
	char *more;

	if (pile->n == pile->room) {
		store_pile_fold(pile);
		// Folding again and again for the little room that it makes would take for ever.
		if (pile->n * 4 >= pile->room * 3) {
			more = realloc(pile->at, room * pile->size);
			if (!more)
				return -ENOMEM;
			pile->at = more;
			pile->room = room;
		}
	}
	memcpy(pile->at + pile->n++ * pile->size, thing, pile->size);
	return 0;
}
