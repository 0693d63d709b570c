/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Labels that are one letter away from another, and which of the known mistakes that is.
 */
#include <errno.h>
#include <string.h>
#include <unicode/utf8.h>

#include "shape/shape.h"
#include "signal/signal.h"

#define LABEL_MAX 63 // RFC 1035 s2.3.4

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

const char *signal_class_name(enum signal_class class)
{
	static const char *const names[SIGNAL_CLASSES] = {"unlike", "addition", "bitsquatting",
		"cyrillic", "dictionary", "homoglyph", "hyphenation", "insertion", "omission",
		"plural", "repetition", "replacement", "subdomain", "tld", "transposition",
		"various", "vowel-swap", "distance"};

	return names[class];
}

int signal_label_read(const char *text, struct signal_label *label)
{
	int32_t size = (int32_t)strlen(text), at = 0;
	UChar32 c;

	label->n = 0;
	while (at < size) {
		if (label->n == LABEL_MAX)
			return -EINVAL;
		U8_NEXT(text, at, size, c);
		if (c < 0)
			return -EINVAL;
		label->c[label->n++] = (uint32_t)c;
	}
	return label->n > 0 ? 0 : -EINVAL;
}

// Returns false where there is no room, which is so of no label that could be in a name.
static bool label_write(const struct signal_label *label, char text[SHAPE_TEXT_SIZE])
{
	int32_t n = 0;
	UBool bad = 0;

	for (unsigned i = 0; i < label->n && !bad; i++)
		U8_APPEND((uint8_t *)text, n, SHAPE_TEXT_SIZE - 1, (UChar32)label->c[i], bad);
	text[n] = '\0';
	return !bad;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned signal_distance(const struct signal_label *a, const struct signal_label *b)
{
	unsigned rows[3][LABEL_MAX + 1];

	for (unsigned j = 0; j <= b->n; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a->n; i++) {
		const unsigned *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
		unsigned *row = rows[i % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b->n; j++) {
			row[j] = above[j - 1] + (a->c[i - 1] != b->c[j - 1]);
			row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a->c[i - 1] == b->c[j - 2] &&
				a->c[i - 2] == b->c[j - 1])
				row[j] = least(row[j], second[j - 2] + 1);
		}
	}
	return rows[a->n % 3][b->n];
}

/* ---- which mistake --------------------------------------------------------------------------- */

static bool is_one_of(uint32_t c, const char *set)
{
	return c > 0 && c < 0x80 && strchr(set, (int)c);
}

static bool keys_touch(const char *const rows[4], uint32_t a, uint32_t b)
{
	for (int row = 0; row < 4; row++)
		for (int column = 0; rows[row][column]; column++) {
			int size = (int)strlen(rows[row]);

			if ((uint32_t)rows[row][column] != a)
				continue;
			if ((column > 0 && (uint32_t)rows[row][column - 1] == b) ||
				(column + 1 < size && (uint32_t)rows[row][column + 1] == b))
				return true;
			// Each row stands half a key further to the right.
			for (int side = 0; side < 2; side++) {
				int up = column + side, down = column - side;

				if (row > 0 && up < (int)strlen(rows[row - 1]) &&
					(uint32_t)rows[row - 1][up] == b)
					return true;
				if (row < 3 && down >= 0 && down < (int)strlen(rows[row + 1]) &&
					(uint32_t)rows[row + 1][down] == b)
					return true;
			}
		}
	return false;
}

static bool keys_near(uint32_t a, uint32_t b)
{
	static const char *const boards[][4] = {
		{"1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"},
		{"1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm"},
		{"1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"},
	};

	for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++)
		if (keys_touch(boards[i], a, b))
			return true;
	return false;
}

static bool is_inserted(
	const struct signal_label *label, const struct signal_label *other, unsigned at)
{
	size_t rest = (label->n - at) * sizeof(label->c[0]);

	return memcmp(label->c, other->c, at * sizeof(label->c[0])) == 0 &&
	       memcmp(label->c + at, other->c + at + 1, rest) == 0;
}

static enum signal_class inserted_at(const struct signal_label *label, uint32_t c, unsigned at)
{
	if (at == label->n && is_one_of(c, letters) && c != '-')
		return SIGNAL_ADDITION;
	if (c == '-')
		return SIGNAL_HYPHENATION;
	if ((at > 0 && label->c[at - 1] == c) || (at < label->n && label->c[at] == c))
		return SIGNAL_REPETITION;
	if ((at > 1 && at < label->n && keys_near(label->c[at - 1], c)) ||
		(at > 0 && at + 1 < label->n && keys_near(label->c[at], c)))
		return SIGNAL_INSERTION;
	return c == 's' && at > 2 ? SIGNAL_PLURAL : SIGNAL_DISTANCE;
}

// A letter more may be one of several places': the first that has a class of its own counts.
static enum signal_class inserted(
	const struct signal_label *label, const struct signal_label *other)
{
	enum signal_class class = SIGNAL_DISTANCE;

	for (unsigned at = 0; at <= label->n && class == SIGNAL_DISTANCE; at++)
		if (is_inserted(label, other, at))
			class = inserted_at(label, other->c[at], at);
	return class;
}

static enum signal_class replaced(
	const struct signal_label *label, const struct signal_label *other)
{
	unsigned at = 0;
	uint32_t a, b;

	while (label->c[at] == other->c[at])
		at++;
	a = label->c[at];
	b = other->c[at];
	if (at + 1 < label->n && label->c[at + 1] != other->c[at + 1])
		return SIGNAL_TRANSPOSITION;
	if (is_one_of(a, "aeiou") && is_one_of(b, "aeiou"))
		return SIGNAL_VOWEL_SWAP;
	if (is_one_of(b, letters) && __builtin_popcount(a ^ b) == 1)
		return SIGNAL_BITSQUATTING;
	return keys_near(a, b) ? SIGNAL_REPLACEMENT : SIGNAL_DISTANCE;
}

static bool is_cyrillic(const struct signal_label *label)
{
	for (unsigned i = 0; i < label->n; i++)
		if (label->c[i] < 0x400 || label->c[i] > 0x52f)
			return false;
	return true;
}

enum signal_class signal_classify(const char *label, const char *other)
{
	struct signal_label a, b;

	if (strcmp(label, other) == 0)
		return SIGNAL_TLD;
	if (signal_label_read(label, &a) < 0 || signal_label_read(other, &b) < 0)
		return SIGNAL_UNLIKE;
	if (shape_alike(label, other))
		return is_cyrillic(&b) && !is_cyrillic(&a) ? SIGNAL_CYRILLIC : SIGNAL_HOMOGLYPH;
	if (signal_distance(&a, &b) != 1)
		return SIGNAL_UNLIKE;
	if (a.n > b.n)
		return SIGNAL_OMISSION;
	return a.n < b.n ? inserted(&a, &b) : replaced(&a, &b);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int edit_visit(const struct signal_label *edit, signal_text_visit visit, void *ctx)
{
	char text[SHAPE_TEXT_SIZE];

	return edit->n > 0 && label_write(edit, text) ? visit(ctx, SIGNAL_DISTANCE, text) : 0;
}

// The label with @p out of its characters left out at @p at, and room for one more if @p in.
static void edit_cut(const struct signal_label *label, unsigned at, unsigned out, unsigned in,
	struct signal_label *edit)
{
	edit->n = label->n - out + in;
	memcpy(edit->c, label->c, at * sizeof(label->c[0]));
	memcpy(edit->c + at + in, label->c + at + out, (label->n - at - out) * sizeof(label->c[0]));
}

static int letters_visit(const struct signal_label *label, unsigned at, unsigned out,
	signal_text_visit visit, void *ctx)
{
	struct signal_label edit;
	int err = 0;

	edit_cut(label, at, out, 1, &edit);
	for (const char *c = letters; *c && err == 0; c++) {
		edit.c[at] = (uint8_t)*c;
		// The same letter is no mistake; twice the same is made at its first place.
		if ((out && label->c[at] == edit.c[at]) ||
			(!out && at > 0 && label->c[at - 1] == edit.c[at]))
			continue;
		err = edit_visit(&edit, visit, ctx);
	}
	return err;
}

int signal_edits(const char *text, signal_text_visit visit, void *ctx)
{
	struct signal_label label, edit;
	int err = signal_label_read(text, &label);

	for (unsigned at = 0; at < label.n && err == 0; at++) {
		edit_cut(&label, at, 1, 0, &edit);
		if (at == 0 || label.c[at] != label.c[at - 1])
			err = edit_visit(&edit, visit, ctx);
		if (err == 0)
			err = letters_visit(&label, at, 1, visit, ctx);
		if (err == 0 && at + 1 < label.n && label.c[at] != label.c[at + 1]) {
			edit = label;
			edit.c[at] = label.c[at + 1];
			edit.c[at + 1] = label.c[at];
			err = edit_visit(&edit, visit, ctx);
		}
	}
	for (unsigned at = 0; at <= label.n && label.n < LABEL_MAX && err == 0; at++)
		err = letters_visit(&label, at, 0, visit, ctx);
	return err;
}
