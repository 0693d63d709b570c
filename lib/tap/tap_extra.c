/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_extra.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define MARK "dnsweir 1"

static const char hex[] = "0123456789abcdef";

/* ---- writing -------------------------------------------------------------------------------- */

static inline char *text_put(char *at, const char *text)
{
	size_t size = strlen(text);

	memcpy(at, text, size);
	return at + size;
}

static char *number_put(char *at, const char *key, uint64_t value)
{
	char digits[20], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	at = text_put(at, key);
	memcpy(at, first, (size_t)(digits + sizeof(digits) - first));
	return at + (digits + sizeof(digits) - first);
}

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static char *word_put(char *at, const char *key, const char *word)
{
	at = text_put(at, key);
	for (; *word; word++) {
		if (plain(*word)) {
			*at++ = *word;
			continue;
		}
		*at++ = '%';
		*at++ = hex[(uint8_t)*word >> 4];
		*at++ = hex[*word & 15];
	}
	return at;
}

size_t tap_extra_write(const struct tap_extra *extra, char text[TAP_EXTRA_SIZE])
{
	char *at = text_put(text, MARK " start=");

	for (int shift = 60; shift >= 0; shift -= 4)
		*at++ = hex[extra->start >> shift & 15];
	at = number_put(at, " seq=", extra->seq);
	at = number_put(at, " gen=", extra->generation);
	at = number_put(at, " bits=", extra->bits);
	if (extra->list[0]) {
		at = word_put(at, " list=", extra->list);
		at = word_put(at, " action=", extra->action);
		at = word_put(at, " verdict=", extra->verdict);
	}
	if (extra->lost > 0)
		at = number_put(at, " lost=", extra->lost);
	if (extra->sample > 1)
		at = number_put(at, " sample=", extra->sample);
	return (size_t)(at - text);
}

/* ---- reading -------------------------------------------------------------------------------- */

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static bool number_read(const uint8_t *text, size_t size, int base, uint64_t max, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < size; i++) {
		int digit = digit_of(text[i]);

		if (digit >= base || *value > (max - (uint64_t)digit) / (uint64_t)base)
			return false;
		*value = *value * (uint64_t)base + (uint64_t)digit;
	}
	return size > 0;
}

static bool word_read(const uint8_t *text, size_t size, char *word, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++, n++) {
		uint64_t c = text[i];

		if (n == max)
			return false;
		if (c == '%') {
			if (size - i < 3 || !number_read(text + i + 1, 2, 16, UINT8_MAX, &c) ||
				c == 0)
				return false;
			i += 2;
		}
		word[n] = (char)c;
	}
	word[n] = '\0';
	return true;
}

/** Which of the words that have to be there were. */
enum {
	HAS_START = 1,
	HAS_SEQ = 2,
	HAS_BITS = 4,
	HAS_ALL = 7,
};

#define IS(key) (key_size == sizeof(key) - 1 && memcmp(text, key, sizeof(key) - 1) == 0)

// One KEY=VALUE. @return false when the value cannot be
static bool pair_read(
	const uint8_t *text, size_t size, size_t key_size, struct tap_extra *extra, unsigned *has)
{
	const uint8_t *value = text + key_size + 1;
	size_t value_size = size - key_size - 1;
	uint64_t number = 0;
	bool good = true;

	if (IS("start")) {
		good = number_read(value, value_size, 16, UINT64_MAX, &extra->start) &&
		       extra->start > 0;
		*has |= HAS_START;
	} else if (IS("seq")) {
		good = number_read(value, value_size, 10, UINT64_MAX, &extra->seq) &&
		       extra->seq > 0;
		*has |= HAS_SEQ;
	} else if (IS("bits")) {
		good = number_read(value, value_size, 10, 128, &number);
		extra->bits = (uint8_t)number;
		*has |= HAS_BITS;
	} else if (IS("gen")) {
		good = number_read(value, value_size, 10, UINT32_MAX, &number);
		extra->generation = (uint32_t)number;
	} else if (IS("list")) {
		good = word_read(value, value_size, extra->list, TAP_EXTRA_LIST_MAX);
	} else if (IS("action")) {
		good = word_read(value, value_size, extra->action, TAP_EXTRA_ACTION_MAX);
	} else if (IS("verdict")) {
		good = word_read(value, value_size, extra->verdict, TAP_EXTRA_VERDICT_MAX);
	} else if (IS("lost")) {
		good = number_read(value, value_size, 10, UINT64_MAX, &extra->lost);
	} else if (IS("sample")) {
		good = number_read(value, value_size, 10, UINT32_MAX, &number);
		extra->sample = (uint32_t)number;
	}
	return good;
}

int tap_extra_read(const uint8_t *text, size_t size, struct tap_extra *extra)
{
	const uint8_t *end = text + size;
	const size_t name_size = sizeof("dnsweir ") - 1, mark_size = sizeof(MARK) - 1;
	unsigned has = 0;

	if (size < name_size || memcmp(text, MARK, name_size) != 0)
		return -ENOENT;
	if (size < mark_size || memcmp(text, MARK, mark_size) != 0 ||
		(size > mark_size && text[mark_size] != ' '))
		return -EINVAL;
	memset(extra, 0, sizeof(*extra));
	for (text += mark_size; text < end;) {
		const uint8_t *word = ++text, *blank = memchr(word, ' ', (size_t)(end - word));
		const uint8_t *equals;

		text = blank ? blank : end;
		equals = memchr(word, '=', (size_t)(text - word));
		if (equals && !pair_read(word, (size_t)(text - word), (size_t)(equals - word),
				      extra, &has))
			return -EINVAL;
	}
	return has == HAS_ALL ? 0 : -EINVAL;
}
