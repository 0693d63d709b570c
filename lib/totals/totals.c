/* SPDX-License-Identifier: BSD-3-Clause */
#include "totals/totals_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text/text.h"

#define BUSY_MS 10000 // a writer waits for another one that long

static const char schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	// An hour is known by the second at which it begins, UTC.
	"CREATE TABLE responses(hour INTEGER, box TEXT, rcode INTEGER, type INTEGER,"
	" n INTEGER NOT NULL, PRIMARY KEY(hour, box, rcode, type)) WITHOUT ROWID;"
	"CREATE TABLE filtered(hour INTEGER, box TEXT, list TEXT, id TEXT, action TEXT,"
	" n INTEGER NOT NULL, PRIMARY KEY(hour, box, list, id, action)) WITHOUT ROWID;"
	"CREATE TABLE lost(hour INTEGER, box TEXT, what TEXT,"
	" n INTEGER NOT NULL, PRIMARY KEY(hour, box, what)) WITHOUT ROWID;"
	// Entered by hand: added to what boxes counted.
	"CREATE TABLE entered(begin INTEGER NOT NULL, end INTEGER NOT NULL, at INTEGER NOT NULL,"
	" who TEXT NOT NULL, id TEXT NOT NULL, filtered INTEGER NOT NULL,"
	" responses INTEGER NOT NULL, note TEXT NOT NULL);";

static int fail(sqlite3 *db, const char *path, int err, char error[TOTALS_ERROR_SIZE])
{
	snprintf(error, TOTALS_ERROR_SIZE, "%s: %s", path,
		err == -EIO ? sqlite3_errmsg(db) : strerror(-err));
	return err;
}

// One text of the file; "" where there is none.
static int text_read(sqlite3 *db, const char *sql, char text[TOTALS_TEXT_MAX + 1])
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	*text = '\0';
	if (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
		snprintf(text, TOTALS_TEXT_MAX + 1, "%s", sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return result;
}

// Schema and zone, unless another process was faster.
static int tables_make(struct totals *totals, const char *path, char error[TOTALS_ERROR_SIZE])
{
	char *sql = NULL;
	int result = sqlite3_exec(totals->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	char n[TOTALS_TEXT_MAX + 1];

	if (result == SQLITE_OK)
		result = text_read(totals->db, "SELECT count(*) FROM sqlite_schema", n);
	if (result == SQLITE_ROW && strcmp(n, "0") == 0) {
		sql = sqlite3_mprintf("PRAGMA application_id = %d; PRAGMA user_version = %d; %s"
				      "INSERT INTO meta VALUES('zone', %Q), ('box', %Q)",
			TOTALS_APPLICATION, TOTALS_VERSION, schema, totals->zone, totals->box);
		result = sql ? sqlite3_exec(totals->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
		sqlite3_free(sql);
	}
	if (result == SQLITE_OK || result == SQLITE_ROW)
		result = sqlite3_exec(totals->db, "COMMIT", NULL, NULL, NULL);
	return result == SQLITE_OK ? 0 : fail(totals->db, path, -EIO, error);
}

// Whether the file is ours, and of this version; its zone.
static int file_check(struct totals *totals, const char *path, char error[TOTALS_ERROR_SIZE])
{
	char zone[TOTALS_TEXT_MAX + 1], application[TOTALS_TEXT_MAX + 1],
		version[TOTALS_TEXT_MAX + 1];
	int result = text_read(totals->db, "PRAGMA application_id", application);

	if (result == SQLITE_NOTADB ||
		(result == SQLITE_ROW && atoi(application) != TOTALS_APPLICATION)) {
		snprintf(error, TOTALS_ERROR_SIZE, "%s: expected a file of totals", path);
		return -EBADMSG;
	}
	if (result == SQLITE_ROW)
		result = text_read(totals->db, "PRAGMA user_version", version);
	if (result == SQLITE_ROW && atoi(version) != TOTALS_VERSION) {
		snprintf(error, TOTALS_ERROR_SIZE, "%s: expected totals of version %d, got %s",
			path, TOTALS_VERSION, version);
		return -EBADMSG;
	}
	if (result == SQLITE_ROW)
		result = text_read(totals->db, "SELECT value FROM meta WHERE key = 'zone'", zone);
	if (result != SQLITE_ROW)
		return fail(totals->db, path, -EIO, error);
	if (*totals->zone && strcmp(zone, totals->zone) != 0) {
		snprintf(error, TOTALS_ERROR_SIZE,
			"%s: expected totals of the time zone %.100s, got %.100s", path,
			totals->zone, zone);
		return -EINVAL;
	}
	strcpy(totals->zone, zone);
	return 0;
}

// The host's name, for a file that is made.
static void box_of_host(char box[TOTALS_TEXT_MAX + 1])
{
	if (gethostname(box, TOTALS_TEXT_MAX) < 0 || !*box)
		strcpy(box, "localhost");
	box[TOTALS_TEXT_MAX] = '\0';
}

static int box_set(struct totals *totals, const char *box, char error[TOTALS_ERROR_SIZE])
{
	if (!*box || strlen(box) > TOTALS_TEXT_MAX || !text_utf8_clean(box, strlen(box))) {
		snprintf(error, TOTALS_ERROR_SIZE,
			"expected a name of a box of 1 to %d octets of UTF-8", TOTALS_TEXT_MAX);
		return -EINVAL;
	}
	strcpy(totals->box, box);
	return 0;
}

// A path as a URI of a file that nobody changes, or NULL. Free with sqlite3_free.
static char *immutable_uri(const char *path)
{
	sqlite3_str *uri = sqlite3_str_new(NULL);

	sqlite3_str_appendall(uri, "file:");
	for (const char *c = path; *c; c++)
		sqlite3_str_appendf(uri, strchr("%?#", *c) ? "%%%02X" : "%c", *c);
	sqlite3_str_appendall(uri, "?immutable=1");
	return sqlite3_str_finish(uri);
}

// Open for reading. With a write-ahead log that takes a file beside it; where this user may not make
// it, nobody can be writing as long as there is no log, and the file is read as it stands.
static int reader_open(const char *path, sqlite3 **db)
{
	int result = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL);
	char text[TOTALS_TEXT_MAX + 1];
	char *log, *uri;
	bool is_log;

	if (result == SQLITE_OK)
		result = text_read(*db, "SELECT count(*) FROM sqlite_schema", text);
	if (result != SQLITE_CANTOPEN && result != SQLITE_READONLY)
		return *db ? SQLITE_OK : SQLITE_NOMEM; // file_check() finds out what else is wrong
	log = sqlite3_mprintf("%s-wal", path);
	is_log = !log || access(log, F_OK) == 0;
	sqlite3_free(log);
	uri = is_log ? NULL : immutable_uri(path);
	if (!uri)
		return result;
	sqlite3_close(*db);
	*db = NULL;
	result = sqlite3_open_v2(uri, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	sqlite3_free(uri);
	return result;
}

static int writer_open(struct totals *totals, const char *path, enum totals_mode mode,
	char error[TOTALS_ERROR_SIZE])
{
	int flags = SQLITE_OPEN_READWRITE | (mode == TOTALS_CREATE ? SQLITE_OPEN_CREATE : 0);
	char application[TOTALS_TEXT_MAX + 1], n[TOTALS_TEXT_MAX + 1];

	if (sqlite3_open_v2(path, &totals->db, flags, NULL) != SQLITE_OK)
		return fail(totals->db, path, -EIO, error);
	sqlite3_busy_timeout(totals->db, BUSY_MS);
	// Nothing is done to a file that is another program's.
	if (text_read(totals->db, "SELECT count(*) FROM sqlite_schema", n) != SQLITE_ROW ||
		text_read(totals->db, "PRAGMA application_id", application) != SQLITE_ROW ||
		(strcmp(n, "0") != 0 && atoi(application) != TOTALS_APPLICATION))
		return file_check(totals, path, error);
	// FULL: what was added is on the disk when totals_add() returns.
	if (sqlite3_exec(totals->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL,
		    NULL, NULL) != SQLITE_OK)
		return fail(totals->db, path, -EIO, error);
	return mode == TOTALS_CREATE ? tables_make(totals, path, error) : 0;
}

int totals_open(const char *path, enum totals_mode mode, const char *box, struct totals **out,
	char error[TOTALS_ERROR_SIZE])
{
	struct totals *totals = calloc(1, sizeof(*totals));
	struct stat status;
	int err = 0;

	*out = NULL;
	if (!totals)
		return fail(NULL, path, -ENOMEM, error);
	// SQLite's own words for these do not tell one from another.
	if (stat(path, &status) == 0 ? !S_ISREG(status.st_mode)
				     : mode != TOTALS_CREATE || errno != ENOENT) {
		err = fail(NULL, path, stat(path, &status) == 0 ? -EINVAL : -errno, error);
		goto out;
	}
	if (mode == TOTALS_READ) {
		if (reader_open(path, &totals->db) != SQLITE_OK)
			err = fail(totals->db, path, -EIO, error);
		else
			sqlite3_busy_timeout(totals->db, BUSY_MS);
	} else {
		box_of_host(totals->box);
		err = totals_zone_name(totals->zone);
		if (err < 0)
			snprintf(error, TOTALS_ERROR_SIZE, "expected a time zone of %d octets",
				TOTALS_TEXT_MAX);
		if (err == 0 && box)
			err = box_set(totals, box, error);
		if (err == 0)
			err = writer_open(totals, path, mode, error);
	}
	if (err == 0)
		err = file_check(totals, path, error);
	// Without a name of its own the writer is who made the file, whatever the host's name is now.
	if (err == 0 && !box && mode != TOTALS_READ &&
		text_read(totals->db, "SELECT value FROM meta WHERE key = 'box'", totals->box) !=
			SQLITE_ROW)
		err = fail(totals->db, path, -EIO, error);
out:
	if (err < 0)
		totals_close(totals);
	else
		*out = totals;
	return err;
}

void totals_close(struct totals *totals)
{
	if (!totals)
		return;
	for (unsigned i = 0; i < TOTALS_STATEMENTS; i++)
		sqlite3_finalize(totals->statements[i]);
	sqlite3_close(totals->db);
	free(totals);
}

const char *totals_error(const struct totals *totals)
{
	return sqlite3_errmsg(totals->db);
}

const char *totals_zone(const struct totals *totals)
{
	return totals->zone;
}
