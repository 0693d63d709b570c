/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/name.h"

#include <stdio.h>
#include <string.h>

void name_clear(struct name *name)
{
	name->n = 0;
	name->size = 1;
	name->at[0] = 0;
	name->wire[0] = 0;
}

bool name_add(struct name *name, const void *octets, unsigned size)
{
	unsigned at = name->size - 1u;

	if (size == 0 || size > 63 || name->size + size + 1 > NAME_SIZE)
		return false;
	name->wire[at] = (uint8_t)size;
	memcpy(name->wire + at + 1, octets, size);
	name->wire[at + 1 + size] = 0;
	name->size = (uint8_t)(name->size + size + 1);
	name->at[++name->n] = (uint8_t)(name->size - 1);
	return true;
}

bool name_add_labels(struct name *name, const struct name *from, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		if (!name_add(name, from->wire + from->at[i] + 1, from->wire[from->at[i]]))
			return false;
	return true;
}

void name_read(struct name *name, const uint8_t *wire)
{
	name_clear(name);
	for (; *wire; wire += *wire + 1)
		name_add(name, wire + 1, *wire);
}

void name_from(struct name *name, const char *plain)
{
	name_clear(name);
	while (*plain) {
		unsigned size = (unsigned)strcspn(plain, ".");

		name_add(name, plain, size);
		plain += size + (plain[size] == '.');
	}
}

static char *octet_text(uint8_t c, char *to)
{
	static const char digits[] = "0123456789";

	if (c >= 'A' && c <= 'Z')
		c = (uint8_t)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
		*to++ = (char)c;
		return to;
	}
	*to++ = '\\';
	*to++ = digits[c / 100];
	*to++ = digits[c / 10 % 10];
	*to++ = digits[c % 10];
	return to;
}

void name_text(const struct name *name, char text[NAME_TEXT_SIZE], uint16_t start[NAME_LABELS])
{
	char *to = text;

	for (unsigned i = 0; i < name->n; i++) {
		const uint8_t *label = name->wire + name->at[i];

		if (i > 0)
			*to++ = '.';
		start[i] = (uint16_t)(to - text);
		for (unsigned j = 1; j <= label[0]; j++)
			to = octet_text(label[j], to);
	}
	*to = '\0';
}
