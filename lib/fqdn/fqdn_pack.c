/* SPDX-License-Identifier: BSD-3-Clause */
#include "fqdn/fqdn_pack.h"

#define LETTER(lower, upper, digit) [lower] = (digit), [upper] = (digit)

const uint8_t fqdn_pack_digit[256] = {LETTER('a', 'A', 1), LETTER('b', 'B', 2), LETTER('c', 'C', 3),
	LETTER('d', 'D', 4), LETTER('e', 'E', 5), LETTER('f', 'F', 6), LETTER('g', 'G', 7),
	LETTER('h', 'H', 8), LETTER('i', 'I', 9), LETTER('j', 'J', 10), LETTER('k', 'K', 11),
	LETTER('l', 'L', 12), LETTER('m', 'M', 13), LETTER('n', 'N', 14), LETTER('o', 'O', 15),
	LETTER('p', 'P', 16), LETTER('q', 'Q', 17), LETTER('r', 'R', 18), LETTER('s', 'S', 19),
	LETTER('t', 'T', 20), LETTER('u', 'U', 21), LETTER('v', 'V', 22), LETTER('w', 'W', 23),
	LETTER('x', 'X', 24), LETTER('y', 'Y', 25),
	LETTER('z', 'Z', 26), ['0'] = 27, ['1'] = 28, ['2'] = 29, ['3'] = 30, ['4'] = 31,
	['5'] = 32, ['6'] = 33, ['7'] = 34, ['8'] = 35, ['9'] = 36, ['-'] = 37, ['_'] = 38};

// Groups go up to 65535: what is behind the last digit is no octet of a name.
static const uint8_t octets[64] = "\0abcdefghijklmnopqrstuvwxyz0123456789-_";

unsigned fqdn_pack(const uint8_t *label, uint8_t *to)
{
	unsigned n = *label++, size = 0;

	for (unsigned i = 0; i < n; i++)
		if (fqdn_pack_digit[label[i]] == 0)
			return 0;
	to[size++] = (uint8_t)(FQDN_PACK_FIRST + n);
	for (unsigned i = 0; i < n; i += 3) {
		unsigned group = 0;

		for (unsigned j = i; j < i + 3; j++)
			group = group * FQDN_PACK_BASE + (j < n ? fqdn_pack_digit[label[j]] : 0);
		to[size++] = (uint8_t)group;
		to[size++] = (uint8_t)(group >> 8);
	}
	return size;
}

void fqdn_unpack(const uint8_t *from, uint8_t label[FQDN_UNPACK_ROOM])
{
	unsigned n = *from++ - (unsigned)FQDN_PACK_FIRST;

	*label++ = (uint8_t)n;
	for (unsigned i = 0; i < n; i += 3, from += 2) {
		unsigned group = from[0] | (unsigned)from[1] << 8;

		label[i] = octets[group / (FQDN_PACK_BASE * FQDN_PACK_BASE)];
		label[i + 1] = octets[group / FQDN_PACK_BASE % FQDN_PACK_BASE];
		label[i + 2] = octets[group % FQDN_PACK_BASE];
	}
}
