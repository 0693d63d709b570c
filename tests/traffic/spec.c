/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION        1000000
#define PER_CENT       10000 // parts of a million
#define FRAMES_DEFAULT 4
#define HOLD_DEFAULT   20 // ms
#define HOLD_MAX       10000
#define TEXT_SIZE      512

static const struct {
	const char *key;
	size_t at;
} chances[] = {
	{"loss", offsetof(struct spec, loss)},
	{"dup", offsetof(struct spec, dup)},
	{"reorder", offsetof(struct spec, reorder)},
	{"swap", offsetof(struct spec, swap)},
	{"shuffle", offsetof(struct spec, shuffle)},
	{"overlap", offsetof(struct spec, overlap)},
	{"recut", offsetof(struct spec, recut)},
	{"frag-shuffle", offsetof(struct spec, frag_shuffle)},
	{"miss-first", offsetof(struct spec, miss_first)},
	{"miss-last", offsetof(struct spec, miss_last)},
};

// 0 .. max, and nothing behind it but what @p end is for.
static int number_parse(const char *text, uint32_t max, uint32_t *value, char **end)
{
	unsigned long n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	n = strtoul(text, end, 10);
	*value = (uint32_t)n;
	return n > max ? -EINVAL : 0;
}

static int chance_parse(const char *text, uint32_t *chance, char **end)
{
	uint32_t whole, part = 0, unit = PER_CENT;

	if (number_parse(text, 100, &whole, end))
		return -EINVAL;
	if (**end == '.') {
		for ((*end)++; **end >= '0' && **end <= '9' && unit > 1; (*end)++) {
			unit /= 10;
			part += (uint32_t)(**end - '0') * unit;
		}
	}
	*chance = whole * PER_CENT + part;
	return *chance > MILLION ? -EINVAL : 0;
}

static int word_parse(const char *key, const char *value, struct spec *spec)
{
	char *end;

	if (strcmp(key, "cut") == 0)
		return cut_parse(value, &spec->cut);
	if (strcmp(key, "frag") == 0)
		return split_parse(value, &spec->frag);
	if (strcmp(key, "hold") == 0)
		return number_parse(value, HOLD_MAX, &spec->hold_ms, &end) || *end ? -EINVAL : 0;
	for (size_t i = 0; i < sizeof(chances) / sizeof(chances[0]); i++) {
		uint32_t *chance = (uint32_t *)((char *)spec + chances[i].at);

		if (strcmp(key, chances[i].key) != 0)
			continue;
		if (chance_parse(value, chance, &end))
			return -EINVAL;
		if (chance == &spec->reorder && *end == ':' &&
			number_parse(end + 1, MILLION, &spec->reorder_frames, &end))
			return -EINVAL;
		return *end ? -EINVAL : 0;
	}
	return -ENOENT;
}

int spec_parse(const char *text, struct spec *spec, char *error, size_t error_size)
{
	char copy[TEXT_SIZE], *next = copy, *word;
	int r;

	*spec = (struct spec){.reorder_frames = FRAMES_DEFAULT, .hold_ms = HOLD_DEFAULT};
	if (strlen(text) >= sizeof(copy)) {
		snprintf(error, error_size, "expected at most %zu characters", sizeof(copy) - 1);
		return -EINVAL;
	}
	strcpy(copy, text);
	while ((word = strsep(&next, ",")) != NULL) {
		char *value = strchr(word, '=');

		if (*word == '\0')
			continue;
		if (!value) {
			snprintf(error, error_size, "%s: expected KEY=VALUE", word);
			return -EINVAL;
		}
		*value++ = '\0';
		r = word_parse(word, value, spec);
		if (r < 0) {
			snprintf(error, error_size,
				r == -ENOENT ? "%s: no such key" : "%s: bad value %s", word, value);
			return -EINVAL;
		}
	}
	return 0;
}
