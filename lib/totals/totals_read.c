/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "totals/totals_private.h"

static const char *const sql[TOTALS_STATEMENTS] = {
	[TOTALS_BEGIN] = "BEGIN IMMEDIATE",
	[TOTALS_COMMIT] = "COMMIT",
	[TOTALS_ROLLBACK] = "ROLLBACK",
	[TOTALS_ADD_RESPONSES] = "INSERT INTO responses VALUES(?, ?, ?, ?, ?)"
				 " ON CONFLICT DO UPDATE SET n = n + excluded.n",
	[TOTALS_ADD_FILTERED] = "INSERT INTO filtered VALUES(?, ?, ?, ?, ?, ?)"
				" ON CONFLICT DO UPDATE SET n = n + excluded.n",
	[TOTALS_ADD_LOST] = "INSERT INTO lost VALUES(?, ?, ?, ?)"
			    " ON CONFLICT DO UPDATE SET n = n + excluded.n",
	[TOTALS_ADD_ENTERED] = "INSERT INTO entered VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	[TOTALS_SUM_RESPONSES] = "SELECT rcode, type, sum(n) FROM responses"
				 " WHERE hour >= ? AND hour < ? GROUP BY rcode, type"
				 " ORDER BY rcode, type",
	[TOTALS_SUM_FILTERED] = "SELECT list, id, action, sum(n) FROM filtered"
				" WHERE hour >= ? AND hour < ? GROUP BY list, id, action"
				" ORDER BY list, id, action",
	[TOTALS_SUM_LOST] = "SELECT what, sum(n) FROM lost"
			    " WHERE hour >= ? AND hour < ? GROUP BY what ORDER BY what",
	[TOTALS_ALL_ENTERED] = "SELECT begin, end, at, who, id, filtered, responses, note"
			       " FROM entered WHERE end > ? AND begin < ? ORDER BY at, rowid",
};

sqlite3_stmt *totals_statement(struct totals *totals, enum totals_statement which)
{
	sqlite3_stmt **statement = &totals->statements[which];

	if (!*statement)
		sqlite3_prepare_v3(
			totals->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
	return *statement;
}

int totals_snapshot(struct totals *totals)
{
	if (totals->in_snapshot)
		sqlite3_exec(totals->db, "COMMIT", NULL, NULL, NULL);
	// A transaction sees the file as it is at its first reading.
	totals->in_snapshot = sqlite3_exec(totals->db, "BEGIN; SELECT 1 FROM meta", NULL, NULL,
				      NULL) == SQLITE_OK;
	return totals->in_snapshot ? 0 : -EIO;
}

// A text column; what is not there (a foreign hand) is "".
static const char *column(sqlite3_stmt *statement, int i)
{
	const char *text = (const char *)sqlite3_column_text(statement, i);

	return text ? text : "";
}

typedef int (*row_fn)(sqlite3_stmt *row, const void *receiver, void *ctx);

// Every row of a period to row(); takers differ by table, so each is handed over by its address.
static int rows_read(struct totals *totals, enum totals_statement which, const int64_t period[2],
	row_fn row, const void *taker, void *ctx)
{
	sqlite3_stmt *statement = totals_statement(totals, which);
	int result = SQLITE_ERROR, err = 0;

	if (!statement)
		return -EIO;
	sqlite3_bind_int64(statement, 1, period[0]);
	sqlite3_bind_int64(statement, 2, period[1]);
	while (err == 0 && (result = sqlite3_step(statement)) == SQLITE_ROW)
		err = row(statement, taker, ctx);
	sqlite3_reset(statement);
	return err < 0 ? err : result == SQLITE_DONE ? 0 : -EIO;
}

static int response_row(sqlite3_stmt *row, const void *taker, void *ctx)
{
	const totals_response_fn *take = taker;
	const struct totals_response sum = {
		.rcode = (uint16_t)sqlite3_column_int(row, 0),
		.type = (uint16_t)sqlite3_column_int(row, 1),
		.n = (uint64_t)sqlite3_column_int64(row, 2),
	};

	return (*take)(ctx, &sum);
}

static int filtered_row(sqlite3_stmt *row, const void *taker, void *ctx)
{
	const totals_filtered_fn *take = taker;
	const char *name = column(row, 2);
	struct totals_filtered sum = {
		.list = column(row, 0),
		.id = column(row, 1),
		.n = (uint64_t)sqlite3_column_int64(row, 3),
	};

	while (sum.action < POLICY_ACTIONS && strcmp(policy_action_name(sum.action), name) != 0)
		sum.action++;
	// A file of this version has no other action; leaving it out would falsify a sum.
	return sum.action < POLICY_ACTIONS ? (*take)(ctx, &sum) : -EBADMSG;
}

static int lost_row(sqlite3_stmt *row, const void *taker, void *ctx)
{
	const totals_lost_fn *take = taker;
	const struct totals_lost sum = {
		.what = column(row, 0),
		.n = (uint64_t)sqlite3_column_int64(row, 1),
	};

	return (*take)(ctx, &sum);
}

static int entered_row(sqlite3_stmt *row, const void *taker, void *ctx)
{
	const totals_entered_fn *take = taker;
	const struct totals_entered entered = {
		.begin = sqlite3_column_int64(row, 0),
		.end = sqlite3_column_int64(row, 1),
		.at = sqlite3_column_int64(row, 2),
		.who = column(row, 3),
		.id = column(row, 4),
		.filtered = sqlite3_column_int64(row, 5),
		.responses = sqlite3_column_int64(row, 6),
		.note = column(row, 7),
	};

	return (*take)(ctx, &entered);
}

int totals_each_response(
	struct totals *totals, int64_t begin, int64_t end, totals_response_fn take, void *ctx)
{
	const int64_t period[2] = {begin, end};

	return rows_read(totals, TOTALS_SUM_RESPONSES, period, response_row, &take, ctx);
}

int totals_each_filtered(
	struct totals *totals, int64_t begin, int64_t end, totals_filtered_fn take, void *ctx)
{
	const int64_t period[2] = {begin, end};

	return rows_read(totals, TOTALS_SUM_FILTERED, period, filtered_row, &take, ctx);
}

int totals_each_lost(
	struct totals *totals, int64_t begin, int64_t end, totals_lost_fn take, void *ctx)
{
	const int64_t period[2] = {begin, end};

	return rows_read(totals, TOTALS_SUM_LOST, period, lost_row, &take, ctx);
}

int totals_each_entered(
	struct totals *totals, int64_t begin, int64_t end, totals_entered_fn take, void *ctx)
{
	const int64_t period[2] = {begin, end};

	return rows_read(totals, TOTALS_ALL_ENTERED, period, entered_row, &take, ctx);
}
