/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the dataset says: rows, sums, all of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "dns/dns_name.h"
#include "pdns_app.h"

#define STOPPED 1 // a visit has had enough

/** Rows on their way out. */
struct showing {
	const struct pdns_args *args;
	const char *sensor;
	char *text;   // PDNS_TEXT_SIZE octets
	char *cursor; // of the last row, in hexadecimal
	uint64_t rows;
	bool terminal;
};

static void time_write(int64_t time_s, char text[32])
{
	time_t at = (time_t)time_s;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

// FIRST LAST COUNT NAME TYPE DATA, times in UTC.
static void row_text(const struct showing *showing, const struct pdns_row *row)
{
	char owner[DNS_NAME_TEXT_SIZE], first[32], last[32], number[16];
	const char *type = pdns_type_name(row->type);

	dns_name_format(row->owner, owner);
	time_write(row->first_s, first);
	time_write(row->last_s, last);
	snprintf(number, sizeof(number), "TYPE%u", row->type);
	for (unsigned i = 0; i < row->n_rdata; i++) {
		if (pdns_rdata_text(row->type, row->rdata[i].data, row->rdata[i].size, true,
			    showing->text) < 0)
			continue;
		printf("%s  %s  %8" PRIu64 "  %s  %s  %s\n", first, last, row->count, owner,
			type ? type : number, showing->text);
	}
}

static void cursor_keep(struct showing *showing, const struct pdns_row *row)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < row->cursor_size; i++) {
		showing->cursor[2 * i] = digits[row->cursor[i] >> 4];
		showing->cursor[2 * i + 1] = digits[row->cursor[i] & 15];
	}
	showing->cursor[2 * row->cursor_size] = '\0';
}

static int row_show(void *ctx, const struct pdns_row *row)
{
	struct showing *showing = ctx;
	json_t *object;

	showing->rows++;
	// Only the last row's is of use.
	if (showing->cursor && showing->rows == showing->args->question.limit)
		cursor_keep(showing, row);
	if (showing->args->text) {
		row_text(showing, row);
		return ferror(stdout) ? STOPPED : 0;
	}
	object = pdns_cof_make(row, showing->sensor, false);
	if (!object)
		return -ENOMEM;
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return ferror(stdout) ? STOPPED : 0;
}

static int progress_show(void *ctx, const struct pdns_result *result)
{
	const struct showing *showing = ctx;

	if (showing->terminal && result->scanned % (64 * PDNS_PROGRESS_EACH) == 0)
		fprintf(stderr, "\r%" PRIu64 " read, %" PRIu64 " found\x1b[K", result->scanned,
			result->rows);
	return 0;
}

static int exit_of(int err)
{
	if (err == 0 || err == STOPPED)
		return COLLECT_DONE;
	if (err == -EINVAL) {
		log_line(LOG_ERROR, "--cursor: expected one of the same question");
		return COLLECT_USAGE;
	}
	log_line(LOG_ERROR, "dataset: %s", strerror(-err));
	return COLLECT_FAILED;
}

// One class's name, or that of none where rows are sums of all.
static const char *sensor_of(const struct pdns_args *args)
{
	return args->has_class ? pdns_class_name(args->class) : NULL;
}

// Opens the dataset for a question that says what for. @return enum collect_exit
static int asked_open(const struct pdns_args *args, struct pdns **pdns)
{
	if (args->asks)
		return pdns_app_open(args, PDNS_READ, pdns);
	log_line(LOG_ERROR, "expected --name, --rdata-name, --ip or --raw (see pdns --help)");
	return COLLECT_USAGE;
}

int pdns_query_run(struct pdns_args *args)
{
	struct showing showing = {.args = args, .sensor = sensor_of(args)};
	const struct pdns_visitor visitor = {&showing, row_show, progress_show};
	struct pdns_result result;
	struct pdns *pdns;
	int err = asked_open(args, &pdns);

	if (err != COLLECT_DONE)
		return err;
	showing.text = malloc(PDNS_TEXT_SIZE);
	showing.cursor = malloc(2 * PDNS_CURSOR_MAX + 1);
	err = showing.text && showing.cursor ? pdns_query(pdns, &args->question, &visitor, &result)
					     : -ENOMEM;
	if (err == 0 && result.limited)
		log_line(LOG_INFO, "there is more; go on with --cursor %s", showing.cursor);
	free(showing.text);
	free(showing.cursor);
	pdns_close(pdns);
	return exit_of(err);
}

int pdns_summarise_run(struct pdns_args *args)
{
	struct pdns_summary s;
	struct pdns *pdns;
	int err = asked_open(args, &pdns);

	if (err != COLLECT_DONE)
		return err;
	err = pdns_summarise(pdns, &args->question, args->max_count, NULL, &s);
	pdns_close(pdns);
	if (err == 0 && s.rows == 0)
		puts("{\"count\":0,\"num_results\":0}");
	else if (err == 0)
		printf("{\"count\":%" PRIu64 ",\"num_results\":%" PRIu64 ",\"time_first\":%" PRId64
		       ",\"time_last\":%" PRId64 "%s}\n",
			s.count, s.rows, s.first_s, s.last_s, s.limited ? ",\"limited\":true" : "");
	return exit_of(err);
}

// A class at a time: so what is imported again elsewhere has the counts of each.
int pdns_export_run(struct pdns_args *args)
{
	struct showing showing = {.args = args};
	const struct pdns_visitor visitor = {&showing, row_show, progress_show};
	unsigned classes = args->question.classes;
	struct pdns_result result;
	struct pdns *pdns;
	int err = pdns_app_open(args, PDNS_READ, &pdns);
	int exit_code = err;

	if (err != COLLECT_DONE)
		return exit_code;
	showing.terminal = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
	if (args->question.types == PDNS_ANY)
		args->question.types = PDNS_ANY_AT_ALL;
	for (unsigned class = 0; class < PDNS_CLASSES && err == 0; class ++) {
		if (classes && !(classes & PDNS_CLASS_BIT(class)))
			continue;
		args->question.classes = PDNS_CLASS_BIT(class);
		showing.sensor = pdns_class_name(class);
		err = pdns_query(pdns, &args->question, &visitor, &result);
	}
	if (showing.terminal)
		fputs("\r\x1b[K", stderr);
	pdns_close(pdns);
	return exit_of(err);
}

int pdns_backup_run(struct pdns_args *args)
{
	struct pdns *pdns;
	int err = pdns_app_open(args, PDNS_READ, &pdns);

	if (err != COLLECT_DONE)
		return err;
	err = pdns_backup(pdns, args->words[0]);
	pdns_close(pdns);
	return err == 0 ? COLLECT_DONE : err == -EEXIST ? COLLECT_USAGE : COLLECT_FAILED;
}

/* ---- statistics ------------------------------------------------------------------------------ */

struct counting {
	uint64_t types[UINT16_MAX + 1];
	uint64_t classes[1 << PDNS_CLASSES];
	uint64_t tuples;
	int64_t first_s, last_s;
};

static int row_count(void *ctx, const struct pdns_row *row)
{
	struct counting *c = ctx;

	c->types[row->type]++;
	c->classes[row->classes]++;
	c->first_s = c->tuples == 0 || row->first_s < c->first_s ? row->first_s : c->first_s;
	c->last_s = row->last_s > c->last_s ? row->last_s : c->last_s;
	c->tuples++;
	return 0;
}

static void counts_print(struct pdns *pdns, const struct counting *c)
{
	static const char *const tables[] = {"tuples", "ipv4", "ipv6", "targets", "rdata",
		"owner_starts", "target_starts", "bases", "recent"};
	struct pdns_stats stats;
	const char *comma = "";

	pdns_stats_get(pdns, &stats);
	printf("{\"tuples\":%" PRIu64 ",\"time_first\":%" PRId64 ",\"time_last\":%" PRId64
	       ",\"client\":%" PRIu64 ",\"resolver\":%" PRIu64 ",\"both\":%" PRIu64
	       ",\"numbered\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"tables\":{",
		c->tuples, c->first_s, c->last_s, c->classes[1], c->classes[2], c->classes[3],
		stats.numbered, stats.lost, stats.bytes);
	for (enum pdns_table table = PDNS_TABLE_TUPLES; table < PDNS_TABLES; table++)
		printf("%s\"%s\":%" PRIu64, table == PDNS_TABLE_TUPLES ? "" : ",",
			tables[table - PDNS_TABLE_TUPLES], pdns_table_bytes(pdns, table));
	fputs("},\"types\":{", stdout);
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		if (c->types[type] == 0)
			continue;
		if (pdns_type_name((uint16_t)type))
			printf("%s\"%s\":%" PRIu64, comma, pdns_type_name((uint16_t)type),
				c->types[type]);
		else
			printf("%s\"TYPE%u\":%" PRIu64, comma, type, c->types[type]);
		comma = ",";
	}
	puts("}}");
}

int pdns_stats_run(struct pdns_args *args)
{
	const struct pdns_question everything = {.types = PDNS_ANY_AT_ALL};
	struct counting *counting = calloc(1, sizeof(*counting));
	const struct pdns_visitor visitor = {.ctx = counting, .visit = row_count};
	struct pdns_result result;
	struct pdns *pdns;
	int err = counting ? pdns_app_open(args, PDNS_READ, &pdns) : COLLECT_FAILED;

	if (err == COLLECT_DONE) {
		err = pdns_query(pdns, &everything, &visitor, &result);
		if (err == 0)
			counts_print(pdns, counting);
		pdns_close(pdns);
		err = exit_of(err);
	}
	free(counting);
	return err;
}
