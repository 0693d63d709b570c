/* SPDX-License-Identifier: BSD-3-Clause */
#include "text/text.h"

#include <string.h>

unsigned text_utf8_char(const char *text, size_t size, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *t = (const uint8_t *)text;
	unsigned n;

	if (size == 0)
		return 0;
	if (t[0] < 0x80) {
		*code = t[0];
		return 1;
	}
	n = (t[0] & 0xe0) == 0xc0 ? 2 : (t[0] & 0xf0) == 0xe0 ? 3 : (t[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (n == 0 || n > size)
		return 0;
	*code = t[0] & (0xffu >> (n + 1));
	for (unsigned i = 1; i < n; i++) {
		if ((t[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (t[i] & 0x3f);
	}
	// RFC 3629 s3: the shortest form only, no surrogates, nothing above U+10FFFF.
	if (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return n;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

// Characters that a terminal does not show, or that turn the direction of what follows.
static bool is_unseen(uint32_t code)
{
	return is_control(code) || code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) ||
	       code == 0xfeff;
}

bool text_utf8_clean(const char *text, size_t size)
{
	uint32_t code;

	for (size_t at = 0; at < size;) {
		unsigned n = text_utf8_char(text + at, size - at, &code);

		if (n == 0 || is_control(code))
			return false;
		at += n;
	}
	return true;
}

const char *text_quote(const char *text, size_t size, char out[TEXT_QUOTE_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *to = out;
	size_t at = 0;

	*to++ = '"';
	while (at < size) {
		uint32_t code;
		unsigned n = text_utf8_char(text + at, size - at, &code);
		bool seen = n > 0 && !is_unseen(code);

		if (n == 0)
			n = 1;
		if (at + n > TEXT_QUOTE_MAX)
			break;
		for (unsigned i = 0; i < n; i++, at++) {
			const uint8_t octet = (uint8_t)text[at];

			if (seen) {
				*to++ = text[at];
				continue;
			}
			*to++ = '\\';
			*to++ = 'x';
			*to++ = digits[octet >> 4];
			*to++ = digits[octet & 15];
		}
	}
	strcpy(to, at < size ? "...\"" : "\"");
	return out;
}
