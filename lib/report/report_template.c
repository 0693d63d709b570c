/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report_template.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/list.h"
#include "text/text.h"

#define KEYS_MAX 5

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_TEXT,
	ARGUMENT_PERIOD, /* YYYY-MM-DD..YYYY-MM-DD */
};

static const struct {
	const char *name;
	enum argument argument;
	const char *keys[KEYS_MAX];
} kinds[] = {
	{"document", ARGUMENT_NONE, {"title", "font"}},
	{"operator", ARGUMENT_NONE, {"name"}},
	{"background", ARGUMENT_NONE, {"heading", "text"}},
	{"outline", ARGUMENT_NONE, {"heading", "text"}},
	{"services", ARGUMENT_TEXT, {"title", "item"}},
	{"selection", ARGUMENT_NONE, {"heading", "text"}},
	{"behaviour", ARGUMENT_TEXT, {"match", "name", "characteristics", "risk"}},
	{"malware", ARGUMENT_TEXT, {"name", "characteristics", "risk"}},
	{"status", ARGUMENT_NONE, {"heading", "text"}},
	{"operation", ARGUMENT_NONE, {"heading", "text"}},
	{"period", ARGUMENT_PERIOD, {"text"}},
	{"contact", ARGUMENT_NONE, {"heading", "text"}},
	{"opt-out", ARGUMENT_NONE, {"heading", "text"}},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct reading {
	struct report_template *words;
	struct report_section *section; // that is being read
	size_t kind;                    // of it
	bool in_text;                   // a further line may go on with the last text
};

// "[name]" or "[name argument]", without the brackets.
static const char *section_begin(struct reading *r, const char *text, size_t size, unsigned line)
{
	struct report_template *words = r->words;
	const char *blank = memchr(text, ' ', size);
	size_t name_size = blank ? (size_t)(blank - text) : size;
	const char *argument = text + name_size;
	size_t argument_size = size - name_size;

	text_trim(&argument, &argument_size);
	for (r->kind = 0; r->kind < N_KINDS; r->kind++)
		if (strlen(kinds[r->kind].name) == name_size &&
			memcmp(kinds[r->kind].name, text, name_size) == 0)
			break;
	if (r->kind == N_KINDS)
		return "expected [document], [operator], [background], [outline], [services NAME], "
		       "[selection], [behaviour NAME], [malware ID], [status], [operation], "
		       "[period FROM..TO], [contact] or [opt-out]";
	if (kinds[r->kind].argument == ARGUMENT_NONE && argument_size > 0)
		return "expected nothing behind the name of this section";
	if (kinds[r->kind].argument == ARGUMENT_TEXT && argument_size == 0)
		return "expected a name behind that of the section";
	if (kinds[r->kind].argument == ARGUMENT_PERIOD &&
		(argument_size != 22 || memcmp(argument + 10, "..", 2) != 0 ||
			list_day_parse(argument, 10) < 0 || list_day_parse(argument + 12, 10) < 0))
		return "expected a period YYYY-MM-DD..YYYY-MM-DD";
	words->sections = report_grow(
		&words->memory, words->sections, words->n_sections, sizeof(*words->sections));
	r->section = &words->sections[words->n_sections++];
	r->section->name = kinds[r->kind].name;
	r->section->argument = report_copy(&words->memory, argument, argument_size);
	r->section->line = line;
	r->in_text = false;
	return NULL;
}

// "key", "key.ja" or "key.en".
static const char *key_find(const struct reading *r, const char *text, size_t size, int *language)
{
	*language = REPORT_BOTH;
	if (size > 3 && memcmp(text + size - 3, ".ja", 3) == 0)
		*language = REPORT_JA;
	if (size > 3 && memcmp(text + size - 3, ".en", 3) == 0)
		*language = REPORT_EN;
	if (*language != REPORT_BOTH)
		size -= 3;
	for (unsigned i = 0; i < KEYS_MAX && kinds[r->kind].keys[i]; i++)
		if (strlen(kinds[r->kind].keys[i]) == size &&
			memcmp(kinds[r->kind].keys[i], text, size) == 0)
			return kinds[r->kind].keys[i];
	return NULL;
}

static const char *text_begin(struct reading *r, const struct text_line *line)
{
	static _Thread_local char expected[128];
	const char *equals = memchr(line->text, '=', line->size), *key = line->text, *value;
	struct report_memory *memory = &r->words->memory;
	size_t key_size, value_size;
	struct report_text text;

	if (!r->section)
		return "expected a section";
	if (!equals)
		return "expected KEY = TEXT, or a blank before a line that goes on with a text";
	key_size = (size_t)(equals - line->text);
	value = equals + 1;
	value_size = line->size - key_size - 1;
	text_trim(&key, &key_size);
	text_trim(&value, &value_size);
	text.key = key_find(r, key, key_size, &text.language);
	if (!text.key) {
		snprintf(expected, sizeof(expected), "expected a key of [%s]: ", r->section->name);
		for (unsigned i = 0; i < KEYS_MAX && kinds[r->kind].keys[i]; i++) {
			strcat(expected, i ? ", " : "");
			strcat(expected, kinds[r->kind].keys[i]);
		}
		return expected;
	}
	text.text = report_copy(memory, value, value_size);
	r->section->texts = report_grow(
		memory, r->section->texts, r->section->n_texts, sizeof(*r->section->texts));
	r->section->texts[r->section->n_texts++] = text;
	r->in_text = true;
	return NULL;
}

// A blank between two lines belongs where one of them has letters of a script that has blanks.
static const char *text_go_on(struct reading *r, const char *text, size_t size)
{
	struct report_text *last;
	size_t before;

	if (!r->in_text)
		return "expected KEY = TEXT before a line that goes on with it";
	last = &r->section->texts[r->section->n_texts - 1];
	before = strlen(last->text);
	last->text = report_format(&r->words->memory, "%s%s%.*s", last->text,
		before && !(last->text[before - 1] & 0x80 && *text & 0x80) ? " " : "", (int)size,
		text);
	return NULL;
}

static const char *line_take(struct reading *r, const struct text_line *line)
{
	const char *text = line->text;
	size_t size = line->size;

	text_trim(&text, &size);
	if (!text_utf8_clean(text, size))
		return "expected UTF-8 without control characters";
	if (*line->text == ' ' || *line->text == '\t')
		return text_go_on(r, text, size);
	if (*text != '[')
		return text_begin(r, line);
	if (text[size - 1] != ']')
		return "expected a section that ends with ]";
	return section_begin(r, text + 1, size - 2, line->number);
}

struct report_template *report_template_read(const char *path, char error[REPORT_ERROR_SIZE])
{
	struct report_template *words = report_object(sizeof(*words));
	struct reading reading = {.words = words};
	char quoted[TEXT_QUOTE_SIZE];
	struct text_line line;
	struct text_file file;
	int err = text_file_read(path, &file);
	const char *what = NULL;

	if (err < 0) {
		snprintf(error, REPORT_ERROR_SIZE, "%s: %s", path, strerror(-err));
		report_template_destroy(words);
		return NULL;
	}
	words->path = report_copy(&words->memory, path, strlen(path));
	while (!what && text_line_next(&file, &line))
		what = line_take(&reading, &line);
	if (what)
		snprintf(error, REPORT_ERROR_SIZE, "%s:%u: %s, got %s", path, line.number, what,
			text_quote(line.text, line.size, quoted));
	text_file_free(&file);
	if (!what)
		return words;
	report_template_destroy(words);
	return NULL;
}

void report_template_destroy(struct report_template *words)
{
	if (!words)
		return;
	report_memory_free(&words->memory);
	free(words);
}

const struct report_section *report_section_find(
	const struct report_template *words, const char *name, const char *argument)
{
	for (size_t i = 0; words && i < words->n_sections; i++) {
		const struct report_section *section = &words->sections[i];

		if (strcmp(section->name, name) == 0 &&
			(!argument || strcmp(section->argument, argument) == 0))
			return section;
	}
	return NULL;
}

const char *report_text_next(const struct report_section *section, const char *key,
	enum report_language language, size_t *at)
{
	while (section && *at < section->n_texts) {
		const struct report_text *text = &section->texts[(*at)++];

		if (strcmp(text->key, key) == 0 &&
			(text->language == (int)language || text->language == REPORT_BOTH))
			return text->text;
	}
	return NULL;
}

const char *report_text_first(
	const struct report_section *section, const char *key, enum report_language language)
{
	size_t at = 0;

	return report_text_next(section, key, language, &at);
}
