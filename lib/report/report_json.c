/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * All figures as one JSON object; config/report.schema.json says what is in it.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "list/list.h"
#include "report/report_file.h"
#include "report/report_template.h"
#include "report/report_words.h"

#define OBJECT_KEYS 16 // of the whole

struct json {
	const struct report_output *output;
	struct report_memory memory;
	json_t *root;
};

static json_t *day(struct json *json, uint16_t number)
{
	const char *text = report_day_text(&json->memory, number, REPORT_EN);

	return *text ? json_string(text) : json_null();
}

static json_t *number(struct json *json, const struct report_number *n)
{
	if (n->shown == REPORT_SHOWN)
		return json_integer((json_int_t)n->n);
	return json_string(
		report_number_plain(&json->memory, n, json->output->figures->hide_below));
}

static json_t *moment(int64_t seconds)
{
	time_t time = (time_t)seconds;
	char text[40] = "";
	struct tm utc;

	if (gmtime_r(&time, &utc))
		strftime(text, sizeof(text), "%FT%TZ", &utc);
	return json_string(text);
}

static void about_add(struct json *json)
{
	const struct report_output *output = json->output;
	const struct report_figures *f = output->figures;
	const char *name = report_text_first(
		report_section_find(output->words, "operator", NULL), "name", output->language);

	json_object_set_new(json->root, "format", json_string("dnsweir-report"));
	json_object_set_new(json->root, "version", json_integer(1));
	json_object_set_new(json->root, "program", json_string("dnsweir-report " DNSWEIR_VERSION));
	json_object_set_new(json->root, "made", moment(output->made));
	json_object_set_new(
		json->root, "language", json_string(report_language_tag(output->language)));
	json_object_set_new(json->root, "operator", name ? json_string(name) : json_null());
	json_object_set_new(json->root, "period",
		json_pack("{s:o, s:o, s:s}", "from", day(json, f->period.from), "to",
			day(json, f->period.to), "zone", f->zone));
	json_object_set_new(json->root, "hide_below", json_integer((json_int_t)f->hide_below));
}

static void malware_add(struct json *json)
{
	const struct report_output *output = json->output;
	const struct report_figures *f = output->figures;
	json_t *array = json_array();

	for (size_t i = 0; i < f->n_malware; i++) {
		const struct report_malware *m = &f->malware[i];

		json_array_append_new(
			array, json_pack("{s:s, s:I, s:s, s:o, s:o}", "id", m->id, "fqdns",
				       (json_int_t)m->n_fqdns, "behaviour",
				       report_behaviour_name(
					       output->words, m->behaviour, output->language),
				       "start", day(json, m->start), "end", day(json, m->end)));
	}
	json_object_set_new(json->root, "malware", array);
}

static json_t *texts(struct json *json, const struct report_section *section, const char *key)
{
	json_t *array = json_array();
	const char *text;
	size_t at = 0;

	while ((text = report_text_next(section, key, json->output->language, &at)))
		json_array_append_new(array, json_string(text));
	return array;
}

static void behaviours_add(struct json *json)
{
	size_t n;
	const struct report_behaviour *all = report_behaviours(&json->memory, json->output, &n);
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			array, json_pack("{s:s, s:o, s:o}", "name", all[i].name, "characteristics",
				       texts(json, all[i].section, "characteristics"), "risk",
				       texts(json, all[i].section, "risk")));
	json_object_set_new(json->root, "behaviours", array);
}

static void months_add(struct json *json)
{
	const struct report_figures *f = json->output->figures;
	json_t *array = json_array();

	for (size_t i = 0; i < f->n_months; i++) {
		const struct report_month *m = &f->months[i];

		json_array_append_new(
			array, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "month",
				       report_format(&json->memory, "%04u-%02u", m->year, m->month),
				       "from", day(json, m->from), "to", day(json, m->to),
				       "filtered", number(json, &m->filtered), "responses",
				       number(json, &m->responses), "share",
				       *m->percent ? json_string(m->percent) : json_null()));
	}
	json_object_set_new(json->root, "months", array);
}

static void counts_add(struct json *json)
{
	const struct report_figures *f = json->output->figures;
	json_t *array = json_array();

	for (size_t i = 0; i < f->n_counts; i++) {
		const struct report_count *c = &f->counts[i];
		json_t *months = json_array();

		for (size_t m = 0; m < f->n_months; m++)
			json_array_append_new(months, number(json, &c->months[m]));
		json_array_append_new(
			array, json_pack("{s:o, s:o, s:o}", "id",
				       *c->id ? json_string(c->id) : json_null(), "months", months,
				       "total", number(json, &c->total)));
	}
	json_object_set_new(json->root, "counts", array);
}

static void changes_add(struct json *json)
{
	static const char *const names[REPORT_CHANGE_KINDS] = {
		"added", "reopened", "ended", "watched", "fqdns_added", "fqdns_ended"};
	const struct report_figures *f = json->output->figures;
	json_t *array = json_array();

	for (size_t i = 0; i < f->n_changes; i++)
		json_array_append_new(array,
			json_pack("{s:o, s:s, s:s, s:I}", "day", day(json, f->changes[i].day),
				"change", names[f->changes[i].kind], "id", f->changes[i].id,
				"fqdns", (json_int_t)f->changes[i].n_fqdns));
	json_object_set_new(json->root, "changes", array);
}

static json_t *signed_number(const struct report_correction *c, int64_t n)
{
	return c->shown ? json_integer((json_int_t)n) : json_string("withheld");
}

static void corrections_add(struct json *json)
{
	const struct report_figures *f = json->output->figures;
	json_t *array = json_array();

	for (size_t i = 0; i < f->n_corrections; i++) {
		const struct report_correction *c = &f->corrections[i];

		json_array_append_new(
			array, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "from",
				       day(json, c->from), "to", day(json, c->to), "id",
				       *c->id ? json_string(c->id) : json_null(), "filtered",
				       signed_number(c, c->filtered), "responses",
				       signed_number(c, c->responses), "entered",
				       day(json, c->entered), "note", c->note));
	}
	json_object_set_new(json->root, "corrections", array);
}

static void rest_add(struct json *json)
{
	const struct report_figures *f = json->output->figures;
	json_t *addresses = json_array(), *lost = json_array();

	for (size_t i = 0; i < f->n_addresses; i++)
		json_array_append_new(
			addresses, json_pack("{s:s, s:I}", "id", f->addresses[i].id, "addresses",
					   (json_int_t)f->addresses[i].n));
	for (size_t i = 0; i < f->n_lost; i++)
		json_array_append_new(lost, json_pack("{s:s, s:I}", "what", f->lost[i].what,
						    "records", (json_int_t)f->lost[i].n));
	json_object_set_new(json->root, "addresses", addresses);
	json_object_set_new(json->root, "lost", lost);
}

int report_write_json(
	const struct report_output *output, const char *path, char error[REPORT_ERROR_SIZE])
{
	struct json json = {.output = output, .root = json_object()};
	struct report_file file;
	int err = report_file_open(&file, path, error);

	if (err == 0) {
		about_add(&json);
		malware_add(&json);
		behaviours_add(&json);
		months_add(&json);
		counts_add(&json);
		changes_add(&json);
		corrections_add(&json);
		rest_add(&json);
		// What of it there was no memory for is missing.
		if (json_object_size(json.root) != OBJECT_KEYS) {
			err = -ENOMEM;
		} else {
			errno = EIO;
			if (json_dumpf(json.root, file.stream, JSON_INDENT(2)) < 0 ||
				putc('\n', file.stream) == EOF)
				err = -errno;
		}
		if (err < 0)
			snprintf(error, REPORT_ERROR_SIZE, "%s: %s", path, strerror(-err));
		err = report_file_close(&file, err, error);
	}
	json_decref(json.root);
	report_memory_free(&json.memory);
	return err;
}
