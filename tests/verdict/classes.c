/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/classes.h"

#include <string.h>

#include "support/random.h"

static uint32_t dice(struct cursor *c, uint32_t n)
{
	return random_below(&c->random, n);
}

static void listed_get(struct cursor *c, struct name *name)
{
	corpus_names_get(&c->corpus->listed, dice(c, c->corpus->listed.n), name);
}

static uint8_t letter(struct cursor *c)
{
	return (uint8_t) "abcdefghijklmnopqrstuvwxyz0123456789-_"[dice(c, 38)];
}

static bool random_make(struct cursor *c, struct name *name)
{
	corpus_random(&c->random, name);
	return true;
}

static bool listed_make(struct cursor *c, struct name *name)
{
	listed_get(c, name);
	return true;
}

// What is done to one octet.
enum edit {
	EDIT_CHANGE,
	EDIT_ADD, // before it or behind it
	EDIT_DROP,
};

// The listed name with one octet edited, every octet in turn, then the next name.
static bool edit_make(struct cursor *c, struct name *name, enum edit edit)
{
	unsigned left;
	bool before = dice(c, 2);

	if (c->position == 0)
		listed_get(c, &c->from);
	left = c->position++;
	name_clear(name);
	for (unsigned i = 0; i < c->from.n; i++) {
		const uint8_t *label = c->from.wire + c->from.at[i];
		uint8_t edited[65];
		unsigned size = 0;

		for (unsigned j = 1; j <= label[0]; j++, left--) {
			if (left == 0 && (edit == EDIT_CHANGE || (edit == EDIT_ADD && before)))
				edited[size++] = letter(c);
			if (left != 0 || edit == EDIT_ADD)
				edited[size++] = label[j];
			if (left == 0 && edit == EDIT_ADD && !before)
				edited[size++] = letter(c);
		}
		if (size > 0 && !name_add(name, edited, size))
			break;
	}
	if (c->position >= (unsigned)c->from.size - c->from.n - 1)
		c->position = 0;
	return name->n > 0;
}

static bool changed_make(struct cursor *c, struct name *name)
{
	return edit_make(c, name, EDIT_CHANGE);
}

static bool added_make(struct cursor *c, struct name *name)
{
	return edit_make(c, name, EDIT_ADD);
}

static bool dropped_make(struct cursor *c, struct name *name)
{
	return edit_make(c, name, EDIT_DROP);
}

// Above, below, beside; a step or two away.
static bool related_make(struct cursor *c, struct name *name)
{
	uint32_t cut = dice(c, 3), more = dice(c, 3);
	uint8_t label[63];

	listed_get(c, &c->from);
	name_clear(name);
	while (more-- > 0)
		name_add(name, label, corpus_label(&c->random, 6, label));
	return name_add_labels(name, &c->from, cut < c->from.n ? cut : 0, c->from.n);
}

// The label of a name with octets put before or behind it.
static bool label_glue(struct cursor *c, struct name *name, unsigned at, bool before)
{
	static const char *const glue[] = {"evil", "not", "x", "-", "x-", "www", "com"};
	const char *text = glue[dice(c, 7)];
	const uint8_t *label = c->from.wire + c->from.at[at];
	uint8_t glued[80];
	unsigned size = (unsigned)strlen(text);

	memcpy(glued + (before ? 0 : label[0]), text, size);
	memcpy(glued + (before ? size : 0), label + 1, label[0]);
	return name_add_labels(name, &c->from, 0, at) && name_add(name, glued, size + label[0]) &&
	       name_add_labels(name, &c->from, at + 1, c->from.n);
}

// "evilexample.com", "example.com.evil.net", "com.example" and the like.
static bool affix_make(struct cursor *c, struct name *name)
{
	struct name other;

	listed_get(c, &c->from);
	listed_get(c, &other);
	name_clear(name);
	switch (dice(c, 8)) {
	case 0:
	case 1:
		return label_glue(c, name, 0, true);
	case 2:
		return label_glue(c, name, dice(c, c->from.n), true);
	case 3:
		return label_glue(c, name, c->from.n - 1u, false);
	case 4:
		return name_add_labels(name, &c->from, 0, c->from.n) && name_add(name, "evil", 4) &&
		       name_add(name, "net", 3);
	case 5:
		return name_add_labels(name, &c->from, 0, c->from.n) &&
		       name_add_labels(name, &other, 0, other.n);
	case 6:
		for (unsigned i = c->from.n; i-- > 0;)
			name_add_labels(name, &c->from, i, i + 1);
		return true;
	default:
		return c->from.n > 1 && name_add_labels(name, &c->from, 0, c->from.n - 1u);
	}
}

// Two labels in one: with what stood between them as an octet, or a dot, or nothing.
static bool labels_join(struct cursor *c, struct name *name)
{
	unsigned at = dice(c, c->from.n), size;
	const uint8_t *first = c->from.wire + c->from.at[at];
	uint8_t joined[128];
	uint32_t between = dice(c, 3);

	if (at + 1u >= c->from.n)
		return false;
	size = first[0];
	memcpy(joined, first + 1, size);
	if (between == 0)
		joined[size++] = '.';
	else if (between == 1)
		joined[size++] = first[first[0] + 1];
	memcpy(joined + size, first + first[0] + 2, first[first[0] + 1]);
	size += first[first[0] + 1];
	return name_add_labels(name, &c->from, 0, at) && name_add(name, joined, size) &&
	       name_add_labels(name, &c->from, at + 2, c->from.n);
}

// The same octets, cut into labels at other places; dots and length octets go, or count as letters.
static bool labels_recut(struct cursor *c, struct name *name)
{
	const uint8_t *wire = c->from.wire;
	uint8_t octets[NAME_SIZE];
	unsigned n = 0;
	bool lengths = dice(c, 2), dots = dice(c, 2);

	for (unsigned i = 0; i < c->from.n; i++)
		for (unsigned j = lengths && i > 0 ? 0 : 1; j <= wire[c->from.at[i]]; j++)
			if (!dots || wire[c->from.at[i] + j] != '.')
				octets[n++] = wire[c->from.at[i] + j];
	for (unsigned at = 0; at < n;) {
		unsigned size = 1 + dice(c, n - at < 12 ? n - at : 12);

		if (!name_add(name, octets + at, size))
			return false;
		at += size;
	}
	return name->n > 0;
}

// One label cut in two, at a dot in it where it has one.
static bool label_cut(struct cursor *c, struct name *name)
{
	unsigned at = dice(c, c->from.n), size = c->from.wire[c->from.at[at]];
	const uint8_t *octets = c->from.wire + c->from.at[at] + 1, *dot = memchr(octets, '.', size);
	unsigned cut = dot ? (unsigned)(dot - octets) : dice(c, size);
	unsigned skip = cut + (dot != NULL);

	return name_add_labels(name, &c->from, 0, at) &&
	       (cut == 0 || name_add(name, octets, cut)) &&
	       (skip == size || name_add(name, octets + skip, size - skip)) &&
	       name_add_labels(name, &c->from, at + 1, c->from.n);
}

static bool boundary_make(struct cursor *c, struct name *name)
{
	listed_get(c, &c->from);
	name_clear(name);
	switch (dice(c, 4)) {
	case 0:
	case 1:
		return labels_join(c, name);
	case 2:
		return labels_recut(c, name);
	default:
		return label_cut(c, name);
	}
}

// A listed name whose octets go through a function.
static bool octets_map(
	struct cursor *c, struct name *name, uint8_t (*map)(struct cursor *c, uint8_t octet))
{
	listed_get(c, name);
	for (unsigned i = 0; i < name->n; i++)
		for (unsigned j = 1; j <= name->wire[name->at[i]]; j++)
			name->wire[name->at[i] + j] = map(c, name->wire[name->at[i] + j]);
	return true;
}

static uint8_t octet_odd(struct cursor *c, uint8_t octet)
{
	if (dice(c, 8) != 0)
		return octet;
	switch (dice(c, 4)) {
	case 0:
		return 0;
	case 1:
		return octet | 0x80;
	case 2:
		return octet & 0x1f;
	default:
		return (uint8_t)(0x20 + dice(c, 0xe0));
	}
}

static bool odd_make(struct cursor *c, struct name *name)
{
	return octets_map(c, name, octet_odd);
}

static uint8_t octet_case(struct cursor *c, uint8_t octet)
{
	if (octet >= 'a' && octet <= 'z' && dice(c, 2))
		return octet - 'a' + 'A';
	return octet >= 'A' && octet <= 'Z' && dice(c, 2) ? octet - 'A' + 'a' : octet;
}

static bool case_make(struct cursor *c, struct name *name)
{
	return octets_map(c, name, octet_case);
}

// "@[`{" and their like stand beside the letters, and are no letters; nor is anything but a letter
// the same with another bit of 32.
static uint8_t octet_beside(struct cursor *c, uint8_t octet)
{
	bool is_letter = (octet | 0x20) >= 'a' && (octet | 0x20) <= 'z';

	if (!is_letter)
		return dice(c, 2) ? octet ^ 0x20 : octet;
	if (dice(c, 8) == 0)
		return (uint8_t) "@[`{"[dice(c, 4)];
	return octet_case(c, octet);
}

static bool beside_make(struct cursor *c, struct name *name)
{
	return octets_map(c, name, octet_beside);
}

// As long as a name can be, below a listed one: labels of 63 octets, or 127 labels.
static bool long_make(struct cursor *c, struct name *name)
{
	unsigned each = dice(c, 2) ? 63 : 1 + dice(c, 3), room;
	uint8_t label[63];

	listed_get(c, &c->from);
	name_clear(name);
	if (c->from.size >= NAME_SIZE - 1)
		return name_add_labels(name, &c->from, 0, c->from.n);
	room = NAME_SIZE - c->from.size - dice(c, 2);
	memset(label, 'a' + (int)dice(c, 26), sizeof(label));
	while (room > 1) {
		unsigned size = room - 1 < each ? room - 1 : each;

		// No octet may be left over, since a label takes two.
		if (room - size - 1 == 1 && size > 1)
			size--;
		label[0] = letter(c);
		name_add(name, label, size);
		room -= size + 1;
	}
	return name_add_labels(name, &c->from, 0, c->from.n);
}

static bool single_make(struct cursor *c, struct name *name)
{
	uint8_t label[63];

	name_clear(name);
	if (dice(c, 2))
		return name_add(name, label, corpus_label(&c->random, 4, label));
	listed_get(c, &c->from);
	return name_add_labels(name, &c->from, c->from.n - 1u, c->from.n);
}

static bool alike_make(struct cursor *c, struct name *name)
{
	const struct corpus_names *alike = &c->corpus->alike;
	uint8_t label[63];

	if (alike->n == 0)
		return false;
	name_clear(name);
	// Names below them begin with the same hash.
	if (dice(c, 2))
		name_add(name, label, corpus_label(&c->random, 8, label));
	corpus_names_get(alike, dice(c, alike->n), &c->from);
	return name_add_labels(name, &c->from, 0, c->from.n);
}

static bool flood_make(struct cursor *c, struct name *name)
{
	const struct corpus_names *names =
		dice(c, 2) ? &c->corpus->flood : &c->corpus->flood_listed;

	corpus_names_get(names, dice(c, names->n), name);
	return true;
}

const struct class classes[] = {
	{"random", random_make, 9, true},
	{"listed", listed_make, 8, true},
	{"one letter changed, in every place", changed_make, 9, true},
	{"one letter more, in every place", added_make, 9, true},
	{"one letter less, in every place", dropped_make, 9, true},
	{"parents, children, siblings", related_make, 9, true},
	{"prefix and suffix tricks", affix_make, 9, true},
	{"other label boundaries", boundary_make, 9, true},
	{"odd octets", odd_make, 5, true},
	{"letters in mixed case", case_make, 5, true},
	{"neighbours of letters", beside_make, 5, true},
	{"up to 255 octets and 127 labels", long_make, 4, true},
	{"one label", single_make, 3, true},
	{"unlisted, 32 bits of a listed hash", alike_make, 5, false},
	{"thousands in one bucket", flood_make, 2, true},
};
const unsigned n_classes = sizeof(classes) / sizeof(classes[0]);
