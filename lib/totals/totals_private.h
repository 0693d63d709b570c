/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The file of totals: its tables, and what the functions that use it share.
 */
#include <sqlite3.h>

#include "totals/totals.h"

enum totals_statement {
	TOTALS_BEGIN,
	TOTALS_COMMIT,
	TOTALS_ROLLBACK,
	TOTALS_ADD_RESPONSES,
	TOTALS_ADD_FILTERED,
	TOTALS_ADD_LOST,
	TOTALS_ADD_ENTERED,
	TOTALS_SUM_RESPONSES,
	TOTALS_SUM_FILTERED,
	TOTALS_SUM_LOST,
	TOTALS_ALL_ENTERED,
	TOTALS_STATEMENTS,
};

struct totals {
	sqlite3 *db;
	sqlite3_stmt *statements[TOTALS_STATEMENTS]; /**< made when first used */
	char zone[TOTALS_TEXT_MAX + 1];
	char box[TOTALS_TEXT_MAX + 1]; /**< "" in a file that is only read */
	bool in_snapshot;
};

/** Application id in the file's header: "dnsw". */
#define TOTALS_APPLICATION 0x646e7377

/** The statement, ready for values. @return NULL: see totals_error() */
sqlite3_stmt *totals_statement(struct totals *totals, enum totals_statement which);

/** Run a statement without rows to its end. @return 0 or -EIO */
int totals_run(sqlite3_stmt *statement);

/** Begin, end or undo a transaction. @return 0 or -EIO */
int totals_control(struct totals *totals, enum totals_statement which);
