/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text/text.h"
#include "totals/totals_private.h"

int totals_run(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	sqlite3_reset(statement);
	return result == SQLITE_DONE || result == SQLITE_ROW ? 0 : -EIO;
}

int totals_control(struct totals *totals, enum totals_statement which)
{
	sqlite3_stmt *statement = totals_statement(totals, which);

	return statement ? totals_run(statement) : -EIO;
}

static int responses_add(struct totals *totals, const struct totals_batch *batch)
{
	sqlite3_stmt *statement = totals_statement(totals, TOTALS_ADD_RESPONSES);
	int err = statement ? 0 : -EIO;

	for (size_t i = 0; i < batch->n_responses && err == 0; i++) {
		const struct totals_response *row = &batch->responses[i];

		if (row->n == 0)
			continue;
		sqlite3_bind_int64(statement, 1, batch->hour);
		sqlite3_bind_text(statement, 2, totals->box, -1, SQLITE_STATIC);
		sqlite3_bind_int(statement, 3, row->rcode);
		sqlite3_bind_int(statement, 4, row->type);
		sqlite3_bind_int64(statement, 5, (int64_t)row->n);
		err = totals_run(statement);
	}
	return err;
}

static int filtered_add(struct totals *totals, const struct totals_batch *batch)
{
	sqlite3_stmt *statement = totals_statement(totals, TOTALS_ADD_FILTERED);
	int err = statement ? 0 : -EIO;

	for (size_t i = 0; i < batch->n_filtered && err == 0; i++) {
		const struct totals_filtered *row = &batch->filtered[i];

		if (row->n == 0)
			continue;
		sqlite3_bind_int64(statement, 1, batch->hour);
		sqlite3_bind_text(statement, 2, totals->box, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 3, row->list, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 4, row->id, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 5, policy_action_name(row->action), -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 6, (int64_t)row->n);
		err = totals_run(statement);
	}
	return err;
}

static int lost_add(struct totals *totals, const struct totals_batch *batch)
{
	sqlite3_stmt *statement = totals_statement(totals, TOTALS_ADD_LOST);
	int err = statement ? 0 : -EIO;

	for (size_t i = 0; i < batch->n_lost && err == 0; i++) {
		const struct totals_lost *row = &batch->lost[i];

		if (row->n == 0)
			continue;
		sqlite3_bind_int64(statement, 1, batch->hour);
		sqlite3_bind_text(statement, 2, totals->box, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 3, row->what, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 4, (int64_t)row->n);
		err = totals_run(statement);
	}
	return err;
}

int totals_add(struct totals *totals, const struct totals_batch *batch)
{
	int err = totals_control(totals, TOTALS_BEGIN);

	if (err < 0)
		return err;
	err = responses_add(totals, batch);
	if (err == 0)
		err = filtered_add(totals, batch);
	if (err == 0)
		err = lost_add(totals, batch);
	if (err == 0)
		err = totals_control(totals, TOTALS_COMMIT);
	if (err < 0)
		totals_control(totals, TOTALS_ROLLBACK);
	return err;
}

static bool is_text(const char *text, size_t max)
{
	return strlen(text) <= max && text_utf8_clean(text, strlen(text));
}

int totals_enter(struct totals *totals, const struct totals_entered *entered)
{
	sqlite3_stmt *statement = totals_statement(totals, TOTALS_ADD_ENTERED);

	if (!is_text(entered->who, TOTALS_TEXT_MAX) || !is_text(entered->id, TOTALS_TEXT_MAX) ||
		!is_text(entered->note, TOTALS_NOTE_MAX))
		return -EINVAL;
	if (!statement)
		return -EIO;
	sqlite3_bind_int64(statement, 1, entered->begin);
	sqlite3_bind_int64(statement, 2, entered->end);
	sqlite3_bind_int64(statement, 3, entered->at);
	sqlite3_bind_text(statement, 4, entered->who, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 5, entered->id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 6, entered->filtered);
	sqlite3_bind_int64(statement, 7, entered->responses);
	sqlite3_bind_text(statement, 8, entered->note, -1, SQLITE_STATIC);
	return totals_run(statement);
}

// Of each counter of the attached file the larger number.
static int rows_take(struct totals *totals)
{
	static const char sql[] =
		"BEGIN IMMEDIATE;"
		"INSERT INTO main.responses SELECT * FROM other.responses WHERE true"
		" ON CONFLICT DO UPDATE SET n = max(n, excluded.n);"
		"INSERT INTO main.filtered SELECT * FROM other.filtered WHERE true"
		" ON CONFLICT DO UPDATE SET n = max(n, excluded.n);"
		"INSERT INTO main.lost SELECT * FROM other.lost WHERE true"
		" ON CONFLICT DO UPDATE SET n = max(n, excluded.n);"
		"COMMIT";

	return sqlite3_exec(totals->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

int totals_import(struct totals *totals, const char *path, char error[TOTALS_ERROR_SIZE])
{
	struct totals *other;
	sqlite3_stmt *attach = NULL;
	// This also makes sure that the file is one of totals.
	int err = totals_open(path, TOTALS_READ, NULL, &other, error);

	if (err < 0)
		return err;
	if (strcmp(totals_zone(other), totals->zone) != 0) {
		snprintf(error, TOTALS_ERROR_SIZE,
			"%s: expected totals of the time zone %.100s, got %.100s", path,
			totals->zone, totals_zone(other));
		totals_close(other);
		return -EINVAL;
	}
	totals_close(other);
	if (sqlite3_prepare_v2(totals->db, "ATTACH ?1 AS other", -1, &attach, NULL) == SQLITE_OK)
		sqlite3_bind_text(attach, 1, path, -1, SQLITE_STATIC);
	err = attach ? totals_run(attach) : -EIO;
	sqlite3_finalize(attach);
	if (err == 0)
		err = rows_take(totals);
	if (err < 0) {
		snprintf(error, TOTALS_ERROR_SIZE, "%s: %s", path, sqlite3_errmsg(totals->db));
		sqlite3_exec(totals->db, "ROLLBACK", NULL, NULL, NULL);
	}
	sqlite3_exec(totals->db, "DETACH other", NULL, NULL, NULL);
	return err;
}
