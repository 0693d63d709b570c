/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Letters of ASCII that are taken for others, and the key that has all of them in one.
 */
#include <string.h>

#include "shape/shape.h"

#define KINDS_MAX 2     // kinds of letters that are replaced; with three, too much looks alike
#define DEEP_MAX  2     // "h" as "lh", and that as "1h"
#define WORK_MAX  20000 // steps of a comparison; such labels have no more

/** A letter that is taken for others. */
struct look {
	char letter;
	const char *as;
};

static const struct look looks[] = {{'0', "o"}, {'1', "i"}, {'1', "l"}, {'3', "8"}, {'6', "9"},
	{'8', "3"}, {'9', "6"}, {'b', "d"}, {'b', "lb"}, {'c', "e"}, {'d', "b"}, {'d', "cl"},
	{'d', "dl"}, {'e', "c"}, {'g', "q"}, {'h', "lh"}, {'i', "1"}, {'i', "l"}, {'k', "ik"},
	{'k', "lc"}, {'k', "lk"}, {'l', "1"}, {'l', "i"}, {'m', "n"}, {'m', "nn"}, {'m', "rn"},
	{'m', "rr"}, {'n', "m"}, {'n', "r"}, {'o', "0"}, {'q', "g"}, {'w', "vv"}};

#define N_LOOKS (sizeof(looks) / sizeof(looks[0]))

/** A comparison under way. */
struct trial {
	uint64_t used; // bit i: of looks[i]
	unsigned work;
};

/** What is still to be found: letters that stand for one, in front of the rest. */
struct rest {
	const char *text;
	char front[2];
	uint8_t deep[2]; // how often each was replaced
	unsigned n;
};

static bool fits(struct trial *trial, const struct rest *rest, const char *other);

// Behind the next letter.
static struct rest behind(const struct rest *rest)
{
	if (rest->n == 0)
		return (struct rest){.text = rest->text + 1};
	return (struct rest){rest->text, {rest->front[1]}, {rest->deep[1]}, rest->n - 1};
}

static bool look_tried(
	struct trial *trial, const struct rest *rest, const char *as, const char *other)
{
	uint8_t deep = (uint8_t)(rest->n > 0 ? rest->deep[0] + 1 : 1);
	struct rest next = behind(rest);

	if (as[1] && next.n == 1)
		// Two letters in front of one: they are matched as they are.
		return other[0] == as[0] && other[1] == as[1] && fits(trial, &next, other + 2);
	next.front[1] = as[1] ? as[1] : next.front[0];
	next.deep[1] = as[1] ? deep : next.deep[0];
	next.front[0] = as[0];
	next.deep[0] = deep;
	next.n = next.front[1] ? 2 : 1;
	return fits(trial, &next, other);
}

static bool look_fits(struct trial *trial, const struct rest *rest, size_t look, const char *other)
{
	uint64_t used = trial->used;

	trial->used |= (uint64_t)1 << look;
	if (__builtin_popcountll(trial->used) <= KINDS_MAX &&
		look_tried(trial, rest, looks[look].as, other))
		return true;
	trial->used = used;
	return false;
}

static bool fits(struct trial *trial, const struct rest *rest, const char *other)
{
	char letter = rest->n > 0 ? rest->front[0] : *rest->text;

	if (!letter || !*other || ++trial->work > WORK_MAX)
		return !letter && !*other;
	if (letter == *other) {
		struct rest next = behind(rest);

		if (fits(trial, &next, other + 1))
			return true;
	}
	for (size_t i = 0; i < N_LOOKS && (rest->n == 0 || rest->deep[0] < DEEP_MAX); i++)
		if (looks[i].letter == letter && look_fits(trial, rest, i, other))
			return true;
	return false;
}

bool shape_alike(const char *text, const char *other)
{
	char one[SHAPE_TEXT_SIZE], two[SHAPE_TEXT_SIZE];
	struct trial trial = {0};
	const struct rest rest = {.text = one};

	shape_fold(text, one);
	shape_fold(other, two);
	return fits(&trial, &rest, two);
}

// All letters that may be taken for each other come out as the same one, in one step or many; 0:
// one that comes and goes.
static char key_letter(char c)
{
	switch (c) {
	case '1':
	case 'i':
	case 'l':
		return 0;
	case 'b':
	case 'd':
	case 'e':
	case 'k':
		return 'c';
	case 'm':
	case 'r':
		return 'n';
	case 'w':
		return 'v';
	case 'q':
		return 'g';
	case '0':
		return 'o';
	case '3':
		return '8';
	case '9':
		return '6';
	}
	return c;
}

size_t shape_key(const char *text, char key[SHAPE_TEXT_SIZE])
{
	size_t size = shape_fold(text, key), n = 0;

	for (size_t i = 0; i < size; i++) {
		char c = key_letter(key[i]);

		// "rn" for "m": letters that stand twice count once.
		if (c && (n == 0 || key[n - 1] != c))
			key[n++] = c;
	}
	key[n] = '\0';
	return n;
}
