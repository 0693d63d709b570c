/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of the dataset, and files that were taken into it.
 */
#include "pdns_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bytes.h"
#include "base/log.h"

#define CHUNK_ROWS  20000
#define IMPORT_SIZE (2 + PDNS_IMPORT_ID)

/* ---- copies ---------------------------------------------------------------------------------- */

static int checkpoint_make(struct pdns *pdns, const char *to)
{
	char *error = NULL;
	rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(pdns->db, &error);
	int err = rocks_error(error);

	error = NULL;
	if (err)
		return err;
	rocksdb_checkpoint_create(checkpoint, to, 0, &error);
	rocksdb_checkpoint_object_destroy(checkpoint);
	return rocks_error(error);
}

static int chunk_write(
	rocksdb_t *to, const rocksdb_writeoptions_t *how, rocksdb_writebatch_t *batch)
{
	char *error = NULL;

	rocksdb_write(to, how, batch, &error);
	rocksdb_writebatch_clear(batch);
	return rocks_error(error);
}

static int rows_copy(rocksdb_iterator_t *rows, rocksdb_t *to)
{
	rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
	rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
	char *error = NULL;
	int err = 0;

	// It is put into files at the end.
	rocksdb_writeoptions_disable_WAL(how, 1);
	for (rocksdb_iter_seek_to_first(rows); rocksdb_iter_valid(rows) && err == 0;
		rocksdb_iter_next(rows)) {
		size_t key_size, size;
		const char *key = rocksdb_iter_key(rows, &key_size);
		const char *value = rocksdb_iter_value(rows, &size);

		rocksdb_writebatch_put(batch, key, key_size, value, size);
		if (rocksdb_writebatch_count(batch) == CHUNK_ROWS)
			err = chunk_write(to, how, batch);
	}
	rocksdb_iter_get_error(rows, &error);
	err = err ? err : rocks_error(error);
	err = err ? err : chunk_write(to, how, batch);
	rocksdb_writebatch_destroy(batch);
	rocksdb_writeoptions_destroy(how);
	return err;
}

// A process that only reads cannot keep files from being removed, so it copies rows.
static int rows_copy_to(struct pdns *pdns, const char *to)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
	char *error = NULL;
	rocksdb_options_t *options = pdns_options_make(pdns, PDNS_WRITE);
	rocksdb_t *copy = rocksdb_open(options, to, &error);
	int err = rocks_error(error);

	error = NULL;
	if (err == 0) {
		rocksdb_iterator_t *rows;

		rocksdb_readoptions_set_fill_cache(read, 0);
		rows = rocksdb_create_iterator(pdns->db, read);
		err = rows_copy(rows, copy);
		rocksdb_iter_destroy(rows);
		if (err == 0)
			rocksdb_flush(copy, flush, &error);
		err = err ? err : rocks_error(error);
		rocksdb_close(copy);
	}
	rocksdb_options_destroy(options);
	rocksdb_flushoptions_destroy(flush);
	rocksdb_readoptions_destroy(read);
	return err;
}

int pdns_backup(struct pdns *pdns, const char *path)
{
	char to[PDNS_PATH_MAX];
	int err = pdns->mode == PDNS_WRITE ? pdns_flush(pdns) : 0;

	if (err == 0 && mkdir(path, 0750) < 0)
		err = -errno;
	snprintf(to, sizeof(to), "%s/db", path);
	if (err == 0)
		err = pdns_db_use(pdns);
	if (err == 0) {
		err = pdns->mode == PDNS_WRITE ? checkpoint_make(pdns, to) : rows_copy_to(pdns, to);
		pdns_db_unuse(pdns);
	}
	if (err)
		log_line(LOG_ERROR, "%s: cannot be made: %s", path, strerror(-err));
	return err;
}

/* ---- files that were taken ------------------------------------------------------------------- */

static void import_key(const uint8_t id[PDNS_IMPORT_ID], char key[IMPORT_SIZE])
{
	key[0] = (char)PDNS_TAG_OTHER;
	key[1] = 'I';
	memcpy(key + 2, id, PDNS_IMPORT_ID);
}

int pdns_import_time(struct pdns *pdns, const uint8_t id[PDNS_IMPORT_ID], int64_t *time_s)
{
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	char key[IMPORT_SIZE], *error = NULL, *value;
	size_t size = 0;
	int err;

	import_key(id, key);
	value = rocksdb_get(pdns->db, read, key, sizeof(key), &size, &error);
	err = rocks_error(error);
	*time_s = value && size == 8 ? (int64_t)load_be64((uint8_t *)value) : 0;
	rocksdb_free(value);
	rocksdb_readoptions_destroy(read);
	return err;
}

int pdns_import_note(struct pdns *pdns, const uint8_t id[PDNS_IMPORT_ID])
{
	char key[IMPORT_SIZE], *error = NULL;
	uint8_t value[8];
	int err = pdns_flush(pdns);

	if (err)
		return err;
	import_key(id, key);
	store_be64(value, (uint64_t)time(NULL));
	rocksdb_put(pdns->db, pdns->write_options, key, sizeof(key), (char *)value, sizeof(value),
		&error);
	return rocks_error(error);
}
