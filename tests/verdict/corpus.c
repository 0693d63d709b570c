/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/random.h"
#include "support/tables.h"

#define ENTRIES  200000
#define EPOCH    946684800 // 2000-01-01 in seconds since 1970
#define DAY_LAST 0xffff

static const char *const ends[] = {"com", "com", "com", "com", "net", "org", "jp", "de", "info",
	"co.uk", "ru", "xyz", "top", "com.br", "example", "_tcp.local"};
static const char *const words[] = {"www", "mail", "cdn", "api", "login", "a", "b", "ns1", "evil",
	"example", "_dmarc", "xn--p1ai"};

static const enum policy_action actions[CORPUS_LISTS] = {POLICY_LOG, POLICY_SINKHOLE, POLICY_ALLOW,
	POLICY_SINKHOLE, POLICY_LOG, POLICY_SINKHOLE, POLICY_ALLOW, POLICY_SINKHOLE,
	POLICY_SINKHOLE};

static void *grown(void *array, size_t n, size_t *room, size_t item)
{
	if (n <= *room)
		return array;
	*room = 2 * n;
	array = realloc(array, *room * item);
	if (!array)
		abort();
	return array;
}

void corpus_names_add(struct corpus_names *names, const struct name *name)
{
	size_t room = names->room;

	names->wire = grown(names->wire, names->used + name->size, &names->room, 1);
	// No name is shorter than three octets, so this array never has more items than that.
	if (room != names->room)
		names->at = realloc(names->at, names->room / 2 * sizeof(*names->at));
	memcpy(names->wire + names->used, name->wire, name->size);
	names->at[names->n++] = (uint32_t)names->used;
	names->used += name->size;
}

void corpus_names_get(const struct corpus_names *names, uint32_t i, struct name *name)
{
	name_read(name, names->wire + names->at[i]);
}

unsigned corpus_label(uint64_t *random, unsigned most, uint8_t label[63])
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	unsigned size = 1 + random_below(random, most);

	for (unsigned i = 0; i < size; i++)
		label[i] = (uint8_t)set[random_below(random, sizeof(set) - 1)];
	return size;
}

// Any octets at all, mostly those that text and tables may stumble over.
static unsigned label_odd(uint64_t *random, uint8_t label[63])
{
	static const uint8_t odd[] = {0, 1, 3, '.', '.', ' ', '*', '\\', '@', '[', ']', '^', '`',
		'{', '|', '}', '~', 0x7f, 0x80, 0xc0, 0xc1, 0xe1, 0xff, '"', ',', '#', '\n', '/',
		':'};
	unsigned size = corpus_label(random, 12, label);

	for (unsigned i = 0; i < size; i++)
		if (random_below(random, 3) == 0)
			label[i] = random_below(random, 4) ? odd[random_below(random, sizeof(odd))]
							   : (uint8_t)random_next(random);
	return size;
}

static void name_end(uint64_t *random, struct name *name)
{
	struct name end;

	name_from(&end, ends[random_below(random, sizeof(ends) / sizeof(ends[0]))]);
	name_add_labels(name, &end, 0, end.n);
}

// As long as names get: 63 octets a label, one octet a label, or anything between.
static void name_long(uint64_t *random, struct name *name)
{
	unsigned most = random_below(random, 3), size;
	uint8_t label[63];

	do {
		size = corpus_label(random, 63, label);
		if (most == 0)
			memset(label, 'a' + (int)random_below(random, 26), size = 63);
		else if (most == 1)
			size = 1;
	} while (name_add(name, label, size));
	// Up to the last octet that a name has.
	if (name->size < NAME_SIZE - 1) {
		size = NAME_SIZE - 1u - name->size;
		name_add(name, label, size < 63 ? size : 63);
	}
}

void corpus_random(uint64_t *random, struct name *name)
{
	uint32_t shape = random_below(random, 100);
	uint8_t label[63];
	unsigned size;

	name_clear(name);
	if (shape == 0) {
		name_long(random, name);
		return;
	}
	if (shape < 5) {
		for (unsigned n = random_below(random, 4); n > 0; n--)
			name_add(name, label, label_odd(random, label));
		name_add(name, label, label_odd(random, label));
		return;
	}
	for (unsigned n = random_below(random, 10) / 4; n > 0; n--) {
		const char *word = words[random_below(random, sizeof(words) / sizeof(words[0]))];

		name_add(name, word, (unsigned)strlen(word));
	}
	// Shorter ones would come so often that a name got more rules than it may have.
	do {
		size = corpus_label(random, 17, label);
	} while (size < 3);
	name_add(name, label, size);
	name_end(random, name);
}

// A name beside one that is there: above it, below it, or next to it.
static void name_related(struct corpus *corpus, uint64_t *random, struct name *name)
{
	struct name other;
	uint8_t label[63];
	uint32_t how = random_below(random, 4);

	corpus_names_get(&corpus->listed, random_below(random, corpus->listed.n), &other);
	name_clear(name);
	// "com" and "co.uk" are not listed: all else of this test would lie below them.
	if (how == 3 && other.n < 4)
		how = 1;
	if (how == 1 || how == 2)
		name_add(name, label, corpus_label(random, 8, label));
	name_add_labels(name, &other, how > 1 && other.n > 1, other.n);
}

void corpus_entry(struct corpus *corpus, uint64_t *random, const struct name *name)
{
	struct reference_entry *entry;
	char text[NAME_TEXT_SIZE];
	uint16_t start[NAME_LABELS];
	uint32_t list = random_below(random, CORPUS_LISTS);

	corpus->entries =
		grown(corpus->entries, corpus->n + 1, &corpus->room, sizeof(*corpus->entries));
	entry = &corpus->entries[corpus->n++];
	name_text(name, text, start);
	*entry = (struct reference_entry){
		.text = strdup(text),
		.list = (uint16_t)list,
		.last_day = DAY_LAST,
		.scope = (uint8_t)(random_below(random, 5) * 2 / 3),
		.verdict = actions[list] == POLICY_SINKHOLE ? FQDN_BLOCK
			   : actions[list] == POLICY_LOG    ? FQDN_LOG
							    : FQDN_ALLOW,
	};
	if (random_below(random, 4) == 0)
		entry->first_day =
			(uint16_t)(CORPUS_DAY_FIRST + random_below(random, CORPUS_DAYS / 2));
	if (random_below(random, 4) == 0)
		entry->last_day = (uint16_t)(CORPUS_DAY_FIRST + CORPUS_DAYS / 2 +
					     random_below(random, CORPUS_DAYS / 2));
	corpus_names_add(&corpus->listed, name);
}

static const char *day_text(uint16_t day, char text[16])
{
	time_t seconds = EPOCH + (time_t)day * 86400;

	strftime(text, 16, "%Y-%m-%d", gmtime(&seconds));
	return text;
}

// Through the code that reads an operator's files, list by list.
static void tables_fill(struct corpus *corpus)
{
	static const char *const scopes[] = {"", "*.", "."};
	char text[NAME_TEXT_SIZE + 2], first[16], last[16];

	corpus->tables = tables_create();
	for (unsigned list = 0; list < CORPUS_LISTS; list++) {
		snprintf(text, sizeof(text), "list-%u", list);
		tables_list(corpus->tables, text, actions[list]);
		snprintf(text, sizeof(text), CORPUS_SINKHOLE "%u", list + 1);
		tables_sinkhole(corpus->tables, "own", text);
		for (size_t i = 0; i < corpus->n; i++) {
			const struct reference_entry *entry = &corpus->entries[i];

			if (entry->list != list)
				continue;
			snprintf(text, sizeof(text), "%s%s", scopes[entry->scope], entry->text);
			tables_entry(corpus->tables, text,
				entry->first_day ? day_text(entry->first_day, first) : NULL,
				entry->last_day != DAY_LAST ? day_text(entry->last_day, last)
							    : NULL);
		}
	}
	corpus->pipeline = tables_finish(corpus->tables);
}

void corpus_make(struct corpus *corpus, uint64_t tries)
{
	uint64_t random = RANDOM_SEED;

	memset(corpus, 0, sizeof(*corpus));
	flood_list(corpus, &random);
	while (corpus->n < ENTRIES) {
		uint32_t how = random_below(&random, 20);
		struct name name;
		uint8_t label[63];

		corpus_random(&random, &name);
		// A top-level domain now and then; three in ten have to do with others; and one in
		// ten is the very name of another entry.
		if (random_below(&random, 1000) == 0) {
			name_clear(&name);
			name_add(&name, label, corpus_label(&random, 10, label));
		} else if (how < 6) {
			name_related(corpus, &random, &name);
		} else if (how < 8) {
			corpus_names_get(
				&corpus->listed, random_below(&random, corpus->listed.n), &name);
		}
		if (name.n > 0)
			corpus_entry(corpus, &random, &name);
	}
	reference_sort(corpus->entries, corpus->n);
	tables_fill(corpus);
	flood_alike(corpus, &random, tries);
}
