/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names like another: all that look like its label by one range of the index, all that are made of
 * it by mistakes by one look each.
 */
#include <errno.h>
#include <idn2.h>
#include <stdio.h>
#include <string.h>

#include "dns/dns_name.h"
#include "shape/shape.h"
#include "signal/signal_private.h"

/** A search under way. */
struct search {
	struct pdns *pdns;
	const struct signal_like_question *question;
	int (*visit)(void *ctx, const struct signal_like *like);
	void *ctx;
	uint8_t base[DNS_NAME_SIZE_MAX]; // what is imitated
	size_t base_size;
	const uint8_t *suffix; // in `base`; the root: any
	char label[SHAPE_TEXT_SIZE];
	struct signal_label read;
	enum signal_class class; // of all that is found just now; SIGNAL_UNLIKE: to be told
	struct signal_set found; // names that were visited
};

static int like_visit(struct search *search, const uint8_t *name, size_t size,
	enum signal_class class, unsigned distance)
{
	const struct signal_like like = {name, size, class, distance};
	int is_new = signal_set_add(&search->found, name, size);

	return is_new > 0 ? search->visit(search->ctx, &like) : is_new;
}

/* ---- base domains ---------------------------------------------------------------------------- */

static int base_visit(void *ctx, const uint8_t *base, size_t size)
{
	struct search *search = ctx;
	enum signal_class class = search->class;
	struct signal_label label;
	char text[SHAPE_TEXT_SIZE];

	if (size == search->base_size && memcmp(base, search->base, size) == 0)
		return 0;
	shape_text(base, text);
	if (class == SIGNAL_UNLIKE)
		class = signal_classify(search->label, text);
	if (class == SIGNAL_UNLIKE || signal_label_read(text, &label) < 0)
		return 0;
	return like_visit(search, base, size, class, signal_distance(&search->read, &label));
}

// Returns whether the text is a label that names may have.
static bool label_encode(const char *text, uint8_t label[1 + DNS_LABEL_SIZE_MAX])
{
	const char *from = text;
	char *encoded = NULL;
	bool ascii = true;
	size_t size;

	for (const char *c = text; *c; c++)
		ascii &= (uint8_t)*c < 0x80;
	if (!ascii && idn2_lookup_u8((const uint8_t *)text, (uint8_t **)&encoded,
			      IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	if (encoded)
		from = encoded;
	size = strlen(from);
	if (size >= 1 && size <= DNS_LABEL_SIZE_MAX) {
		label[0] = (uint8_t)size;
		memcpy(label + 1, from, size);
	}
	idn2_free(encoded);
	return size >= 1 && size <= DNS_LABEL_SIZE_MAX;
}

// Base domains with exactly that first label.
static int text_look(void *ctx, enum signal_class class, const char *text)
{
	struct search *search = ctx;
	const struct pdns_base_visitor visitor = {search, base_visit};
	uint8_t label[1 + DNS_LABEL_SIZE_MAX];
	char seen[SHAPE_TEXT_SIZE], key[SHAPE_TEXT_SIZE];
	const struct signal_like_question *q = search->question;
	int err = q->progress ? q->progress(search->ctx) : 0;

	if (err || !label_encode(text, label))
		return err;
	// What looks like an A-label is read as one.
	shape_text(label, seen);
	shape_key(seen, key);
	search->class = class == SIGNAL_DISTANCE ? SIGNAL_UNLIKE : class;
	return pdns_bases(search->pdns, key, label, &visitor);
}

static int joined_look(struct search *search, enum signal_class class, const char *a,
	const char *between, const char *b)
{
	char text[SHAPE_TEXT_SIZE];
	int n = snprintf(text, sizeof(text), "%s%s%s", a, between, b);

	return n > 0 && n < (int)sizeof(text) ? text_look(search, class, text) : 0;
}

/* ---- one kind after the other ---------------------------------------------------------------- */

static int shapes_look(struct search *search)
{
	const struct pdns_base_visitor visitor = {search, base_visit};
	char key[SHAPE_TEXT_SIZE];

	shape_key(search->label, key);
	search->class = SIGNAL_UNLIKE;
	return pdns_bases(search->pdns, key, NULL, &visitor);
}

static int edits_look(struct search *search)
{
	return signal_edits(search->label, text_look, search);
}

static int words_look(struct search *search)
{
	static const char *const between[] = {"", "-"};
	const struct signal_like_question *q = search->question;
	const char *first = strchr(search->label, '-'), *last = strrchr(search->label, '-');
	char begin[SHAPE_TEXT_SIZE];
	int err = 0;

	snprintf(begin, sizeof(begin), "%.*s", last ? (int)(last - search->label) : 0,
		search->label);
	for (size_t i = 0; i < q->n_words && err == 0; i++) {
		for (unsigned b = 0; b < 2 && err == 0; b++) {
			err = joined_look(
				search, SIGNAL_DICTIONARY, search->label, between[b], q->words[i]);
			if (err == 0)
				err = joined_look(search, SIGNAL_DICTIONARY, q->words[i],
					between[b], search->label);
		}
		// A word of the label's own that is another now.
		if (err == 0 && last)
			err = joined_look(search, SIGNAL_DICTIONARY, begin, "-", q->words[i]);
		if (err == 0 && first)
			err = joined_look(search, SIGNAL_DICTIONARY, q->words[i], "", first);
	}
	return err;
}

// "examplecom.com", "example-com.com", "exampleco.jp".
static int suffix_look(struct search *search)
{
	const uint8_t *suffix = search->suffix;
	char first[SHAPE_TEXT_SIZE], all[DNS_NAME_TEXT_SIZE];
	int err;

	if (!suffix[0])
		return 0;
	shape_text(suffix, first);
	err = joined_look(search, SIGNAL_VARIOUS, search->label, "", first);
	if (err == 0)
		err = joined_look(search, SIGNAL_VARIOUS, search->label, "-", first);
	if (err || !suffix[1u + suffix[0]])
		return err;
	// "co.jp" as "cojp" and "co-jp".
	dns_name_format(suffix, all);
	for (char *c = all; *c; c++)
		if (*c == '.')
			*c = '-';
	return joined_look(search, SIGNAL_VARIOUS, search->label, "-", all);
}

// "es" behind what an "s" alone does not go with; "s" is one letter away.
static int plurals_look(struct search *search)
{
	const char *label = search->label;
	int err = 0;

	for (size_t at = 2; label[at] && err == 0; at++) {
		char begin[SHAPE_TEXT_SIZE];

		if (label[at] != 's' && label[at] != 'x' && label[at] != 'z')
			continue;
		snprintf(begin, sizeof(begin), "%.*s", (int)at + 1, label);
		err = joined_look(search, SIGNAL_PLURAL, begin, "es", label + at + 1);
	}
	return err;
}

static int seen_visit(void *ctx, const struct pdns_row *row)
{
	*(bool *)ctx = true;
	return 0;
}

// "ex.ample.com": names in base domains that are others' own.
static int subdomains_look(struct search *search)
{
	const uint8_t *base = search->base;
	uint8_t name[DNS_NAME_SIZE_MAX];
	int err = 0;

	if (!search->suffix[0] || search->base_size >= sizeof(name) ||
		(base[0] > 4 && memcmp(base + 1, "xn--", 4) == 0))
		return 0;
	for (unsigned at = 1; at + 1 < base[0] && err == 0; at++) {
		struct pdns_question q = {.by = PDNS_BY_OWNER,
			.scope = PDNS_SUBTREE,
			.types = PDNS_ANY_AT_ALL,
			.limit = 1,
			.name = name,
			.name_size = search->base_size + 1};
		struct pdns_result result;
		bool seen = false;
		const struct pdns_visitor visitor = {&seen, seen_visit, NULL};

		if (base[at] == '-' || base[at + 1] == '-')
			continue;
		name[0] = (uint8_t)at;
		memcpy(name + 1, base + 1, at);
		name[at + 1] = (uint8_t)(base[0] - at);
		memcpy(name + at + 2, base + 1 + at, search->base_size - 1 - at);
		err = pdns_query(search->pdns, &q, &visitor, &result);
		if (err == 0 && seen)
			err = like_visit(search, name, q.name_size, SIGNAL_SUBDOMAIN, 0);
	}
	return err;
}

static int search_begin(struct search *search, const uint8_t *name, size_t size)
{
	size_t at;

	if (size < 2 || size > DNS_NAME_SIZE_MAX)
		return -EINVAL;
	at = signal_base_at(name);
	search->base_size = size - at;
	memcpy(search->base, name + at, search->base_size);
	search->suffix = search->base + 1 + search->base[0];
	shape_text(search->base, search->label);
	return signal_label_read(search->label, &search->read);
}

int signal_similar(struct pdns *pdns, const struct signal_like_question *question,
	int (*visit)(void *ctx, const struct signal_like *like), void *ctx)
{
	static int (*const looks[])(struct search * search) = {
		shapes_look, edits_look, plurals_look, suffix_look, words_look, subdomains_look};
	struct search search = {.pdns = pdns, .question = question, .visit = visit, .ctx = ctx};
	int err = search_begin(&search, question->name, question->size);

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]) && err == 0; i++)
		err = looks[i](&search);
	signal_set_free(&search.found);
	return err;
}
