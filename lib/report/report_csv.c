/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A folder with a CSV file for each table (RFC 4180): UTF-8, a header line, dates YYYY-MM-DD.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "list/list.h"
#include "report/report_file.h"
#include "report/report_template.h"
#include "report/report_words.h"

#define CHANGE_NAMES                                                                  \
	{                                                                             \
		"added", "reopened", "ended", "watched", "fqdns_added", "fqdns_ended" \
	}

struct csv {
	const struct report_output *output;
	FILE *stream;
	struct report_memory *memory;
};

static void field_write(FILE *stream, const char *text)
{
	if (!strpbrk(text, ",\"")) {
		fputs(text, stream);
		return;
	}
	putc('"', stream);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', stream);
		putc(*text, stream);
	}
	putc('"', stream);
}

// A row; the list of fields ends with NULL.
static void row_write(FILE *stream, const char *const *fields)
{
	for (unsigned i = 0; fields[i]; i++) {
		if (i)
			putc(',', stream);
		field_write(stream, fields[i]);
	}
	fputs("\r\n", stream);
}

#define ROW(csv, ...) row_write((csv)->stream, (const char *const[]){__VA_ARGS__, NULL})

static const char *day(const struct csv *csv, uint16_t number)
{
	return report_day_text(csv->memory, number, REPORT_EN);
}

static const char *number(const struct csv *csv, uint64_t n)
{
	return report_format(csv->memory, "%" PRIu64, n);
}

static const char *plain(const struct csv *csv, const struct report_number *n)
{
	return report_number_plain(csv->memory, n, csv->output->figures->hide_below);
}

static void about_write(struct csv *csv)
{
	const struct report_figures *f = csv->output->figures;
	const struct report_section *operator=
		report_section_find(csv->output->words, "operator", NULL);
	const char *name = report_text_first(operator, "name", csv->output->language);

	ROW(csv, "key", "value");
	ROW(csv, "operator", name ? name : "");
	ROW(csv, "from", day(csv, f->period.from));
	ROW(csv, "to", day(csv, f->period.to));
	ROW(csv, "zone", f->zone);
	ROW(csv, "made", day(csv, list_day_of(csv->output->made)));
	ROW(csv, "version", DNSWEIR_VERSION);
	ROW(csv, "hide_below", number(csv, f->hide_below));
}

static void malware_write(struct csv *csv)
{
	const struct report_figures *f = csv->output->figures;

	ROW(csv, "id", "fqdns", "behaviour", "start", "end");
	for (size_t i = 0; i < f->n_malware; i++) {
		const struct report_malware *m = &f->malware[i];

		ROW(csv, m->id, number(csv, m->n_fqdns),
			report_behaviour_name(
				csv->output->words, m->behaviour, csv->output->language),
			day(csv, m->start), day(csv, m->end));
	}
}

// Paragraphs of a key, one after the other.
static const char *texts(
	const struct csv *csv, const struct report_section *section, const char *key)
{
	const char *all = "", *text;
	size_t at = 0;

	while ((text = report_text_next(section, key, csv->output->language, &at)))
		all = report_format(csv->memory, "%s%s%s", all, *all ? " " : "", text);
	return all;
}

static void behaviours_write(struct csv *csv)
{
	size_t n;
	const struct report_behaviour *all = report_behaviours(csv->memory, csv->output, &n);

	ROW(csv, "behaviour", "characteristics", "risk");
	for (size_t i = 0; i < n; i++)
		ROW(csv, all[i].name, texts(csv, all[i].section, "characteristics"),
			texts(csv, all[i].section, "risk"));
}

static void share_write(struct csv *csv)
{
	const struct report_figures *f = csv->output->figures;

	ROW(csv, "month", "from", "to", "filtered", "responses", "share");
	for (size_t i = 0; i < f->n_months; i++) {
		const struct report_month *m = &f->months[i];

		ROW(csv, report_format(csv->memory, "%04u-%02u", m->year, m->month),
			day(csv, m->from), day(csv, m->to), plain(csv, &m->filtered),
			plain(csv, &m->responses), m->percent);
	}
}

// As wide as the period is long.
static void counts_write(struct csv *csv)
{
	const struct report_figures *f = csv->output->figures;

	fputs("id", csv->stream);
	for (size_t m = 0; m < f->n_months; m++)
		fprintf(csv->stream, ",%04u-%02u", f->months[m].year, f->months[m].month);
	fputs(",total\r\n", csv->stream);
	for (size_t i = 0; i < f->n_counts; i++) {
		field_write(csv->stream, f->counts[i].id);
		for (size_t m = 0; m < f->n_months; m++)
			fprintf(csv->stream, ",%s", plain(csv, &f->counts[i].months[m]));
		fprintf(csv->stream, ",%s\r\n", plain(csv, &f->counts[i].total));
	}
}

static void addresses_write(struct csv *csv)
{
	const struct report_figures *f = csv->output->figures;

	ROW(csv, "id", "addresses");
	for (size_t i = 0; i < f->n_addresses; i++)
		ROW(csv, f->addresses[i].id, number(csv, f->addresses[i].n));
}

static void changes_write(struct csv *csv)
{
	static const char *const names[REPORT_CHANGE_KINDS] = CHANGE_NAMES;
	const struct report_figures *f = csv->output->figures;

	ROW(csv, "day", "change", "id", "fqdns");
	for (size_t i = 0; i < f->n_changes; i++)
		ROW(csv, day(csv, f->changes[i].day), names[f->changes[i].kind], f->changes[i].id,
			number(csv, f->changes[i].n_fqdns));
}

static const char *signed_plain(const struct csv *csv, const struct report_correction *c, int64_t n)
{
	return c->shown ? report_format(csv->memory, "%" PRId64, n) : "withheld";
}

static void corrections_write(struct csv *csv)
{
	const struct report_figures *f = csv->output->figures;

	ROW(csv, "from", "to", "id", "filtered", "responses", "entered", "note");
	for (size_t i = 0; i < f->n_corrections; i++) {
		const struct report_correction *c = &f->corrections[i];

		ROW(csv, day(csv, c->from), day(csv, c->to), c->id,
			signed_plain(csv, c, c->filtered), signed_plain(csv, c, c->responses),
			day(csv, c->entered), c->note);
	}
}

static void lost_write(struct csv *csv)
{
	const struct report_figures *f = csv->output->figures;

	ROW(csv, "what", "records");
	for (size_t i = 0; i < f->n_lost; i++)
		ROW(csv, f->lost[i].what, number(csv, f->lost[i].n));
}

static const struct {
	const char *name;
	void (*write)(struct csv *csv);
} tables[] = {
	{"about", about_write},
	{"malware", malware_write},
	{"behaviours", behaviours_write},
	{"share", share_write},
	{"counts", counts_write},
	{"addresses", addresses_write},
	{"changes", changes_write},
	{"corrections", corrections_write},
	{"lost", lost_write},
};

int report_write_csv(
	const struct report_output *output, const char *path, char error[REPORT_ERROR_SIZE])
{
	int err = 0;

	if (mkdir(path, 0777) < 0 && errno != EEXIST) {
		err = -errno;
		snprintf(error, REPORT_ERROR_SIZE, "%s: %s", path, strerror(-err));
		return err;
	}
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && err == 0; i++) {
		struct report_memory memory = {0};
		struct csv csv = {.output = output, .memory = &memory};
		struct report_file file;

		err = report_file_open(
			&file, report_format(&memory, "%s/%s.csv", path, tables[i].name), error);
		if (err == 0) {
			csv.stream = file.stream;
			tables[i].write(&csv);
			err = report_file_close(&file, 0, error);
		}
		report_memory_free(&memory);
	}
	return err;
}
