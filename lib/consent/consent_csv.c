/* SPDX-License-Identifier: BSD-3-Clause */
#include "consent/consent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/text.h"

enum consent_field {
	FIELD_PREFIX,
	FIELD_FILTER,
	FIELD_LOG,
	FIELDS,
};

#define HEADER "prefix,filter,log"

static const char *const field_names[FIELDS] = {"prefix", "filter", "log"};

// Where skipped lines are told.
struct bad_sink {
	void (*bad_line)(void *ctx, unsigned line, const char *what);
	void *ctx;
	struct consent_counts *counts;
};

static void line_bad(const struct bad_sink *sink, unsigned line, const char *expected,
	const char *text, size_t size)
{
	char quoted[TEXT_QUOTE_SIZE];
	char what[TEXT_QUOTE_SIZE + 128];

	snprintf(what, sizeof(what), "%s, got %s", expected, text_quote(text, size, quoted));
	sink->counts->bad++;
	sink->bad_line(sink->ctx, line, what);
}

// Set @p flag for "no". Returns whether the field is yes or no.
static bool answer_parse(const char *text, uint8_t flag, uint8_t *refused)
{
	if (strcasecmp(text, "yes") == 0)
		return true;
	*refused |= flag;
	return strcasecmp(text, "no") == 0;
}

// The words for a line that is no rule, or NULL; *field is the one they are about.
static const char *rule_parse(
	const struct text_csv *csv, struct consent_rule *rule, enum consent_field *field)
{
	memset(rule, 0, sizeof(*rule));
	for (unsigned i = 0; i < FIELDS; i++) {
		*field = (enum consent_field)i;
		if (strlen(csv->field[i]) != csv->size[i])
			return "expected text without NUL";
	}
	*field = FIELD_PREFIX;
	if (prefix_parse(csv->field[FIELD_PREFIX], &rule->prefix) < 0)
		return "expected an IPv4 or IPv6 prefix";
	*field = FIELD_FILTER;
	if (!answer_parse(csv->field[FIELD_FILTER], CONSENT_NO_FILTER, &rule->refused))
		return "expected \"yes\" or \"no\" for filter";
	*field = FIELD_LOG;
	if (!answer_parse(csv->field[FIELD_LOG], CONSENT_NO_LOG, &rule->refused))
		return "expected \"yes\" or \"no\" for log";
	return NULL;
}

static int rule_add(struct consent_rules *rules, const struct consent_rule *rule)
{
	if (rules->n == rules->room) {
		size_t room = rules->room ? rules->room * 2 : 64;
		struct consent_rule *more = reallocarray(rules->rules, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		rules->rules = more;
		rules->room = room;
	}
	rules->rules[rules->n++] = *rule;
	return 0;
}

static int line_read(
	const struct bad_sink *sink, const struct text_line *line, struct consent_rules *rules)
{
	enum consent_field field;
	struct consent_rule rule;
	struct text_csv csv;
	const char *error = text_csv_split(line, &csv);

	if (!error && csv.n != FIELDS)
		error = "expected 3 fields (" HEADER ")";
	if (error) {
		line_bad(sink, line->number, error, line->text, line->size);
		return 0;
	}
	error = rule_parse(&csv, &rule, &field);
	if (error) {
		line_bad(sink, line->number, error, csv.field[field], csv.size[field]);
		return 0;
	}
	sink->counts->good++;
	return rule_add(rules, &rule);
}

static int lines_read(
	const struct bad_sink *sink, struct text_file *file, struct consent_rules *rules)
{
	struct text_line line = {.text = "", .size = 0, .number = 1};
	int err = 0;

	if (!text_line_next(file, &line) || !text_csv_is_header(&line, field_names, FIELDS)) {
		line_bad(sink, line.number, "expected the header \"" HEADER "\"", line.text,
			line.size);
		return -EBADMSG;
	}
	while (err == 0 && text_line_next(file, &line))
		err = line_read(sink, &line, rules);
	return err;
}

int consent_read(const char *path, struct consent_rules *rules,
	void (*bad_line)(void *ctx, unsigned line, const char *what), void *ctx,
	struct consent_counts *counts)
{
	const struct bad_sink sink = {.bad_line = bad_line, .ctx = ctx, .counts = counts};
	struct text_file file;
	int err;

	memset(counts, 0, sizeof(*counts));
	err = text_file_read(path, &file);
	if (err < 0)
		return err;
	err = lines_read(&sink, &file, rules);
	counts->lines = file.n_lines;
	text_file_free(&file);
	return err;
}

void consent_rules_free(struct consent_rules *rules)
{
	free(rules->rules);
	memset(rules, 0, sizeof(*rules));
}
