/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list_private.h"

enum catalogue_field {
	FIELD_ID,
	FIELD_FQDN,
	FIELD_BEHAVIOUR,
	FIELD_START,
	FIELD_END,
	FIELDS,
};

static const char *const field_names[FIELDS] = {"id", "fqdn", "behaviour", "start", "end"};

bool list_catalogue_is_header(const struct text_line *line)
{
	return text_csv_is_header(line, field_names, FIELDS);
}

// The words for a text that is no id or behaviour, or NULL.
static const char *text_error(const struct text_csv *csv, enum catalogue_field field)
{
	if (csv->size[field] > LIST_TEXT_MAX)
		return field == FIELD_ID ? "expected an id of at most 255 octets"
					 : "expected a behaviour of at most 255 octets";
	if (!text_utf8_clean(csv->field[field], csv->size[field]))
		return field == FIELD_ID
			       ? "expected an id in UTF-8 without control characters"
			       : "expected a behaviour in UTF-8 without control characters";
	if (field == FIELD_ID && csv->size[field] == 0)
		return "expected an id";
	return NULL;
}

static const char *days_parse(
	const struct text_csv *csv, struct list_entry *entry, enum catalogue_field *field)
{
	int first = list_day_parse(csv->field[FIELD_START], csv->size[FIELD_START]);
	int last = LIST_DAY_LAST;

	*field = FIELD_START;
	if (first < 0)
		return "expected a start date YYYY-MM-DD";
	*field = FIELD_END;
	if (csv->size[FIELD_END] > 0)
		last = list_day_parse(csv->field[FIELD_END], csv->size[FIELD_END]);
	if (last < 0)
		return "expected an end date YYYY-MM-DD or nothing";
	if (last < first)
		return "expected an end date not before the start date";
	entry->first_day = (uint16_t)first;
	entry->last_day = (uint16_t)last;
	return NULL;
}

int list_catalogue_line(struct list_reader *reader, const struct text_line *line)
{
	struct list_entry entry = {.line = line->number};
	const struct text_csv *csv = &reader->csv;
	enum catalogue_field field = FIELD_ID;
	const char *error = text_csv_split(line, &reader->csv);

	if (!error && csv->n != FIELDS)
		error = "expected 5 fields (" LIST_CATALOGUE_HEADER ")";
	if (error) {
		list_bad(reader, line->number, error, line->text, line->size);
		return 0;
	}
	error = text_error(csv, FIELD_ID);
	if (!error) {
		field = FIELD_BEHAVIOUR;
		error = text_error(csv, FIELD_BEHAVIOUR);
	}
	if (!error)
		error = days_parse(csv, &entry, &field);
	if (error) {
		list_bad(reader, line->number, error, csv->field[field], csv->size[field]);
		return 0;
	}
	if (!list_entry_name(reader, csv->field[FIELD_FQDN], csv->size[FIELD_FQDN], &entry))
		return 0;
	entry.id = csv->field[FIELD_ID];
	entry.behaviour = csv->field[FIELD_BEHAVIOUR];
	return list_good(reader, &entry);
}
