/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys as a server uses them: who a key belongs to, and whether that one may ask now.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/log.h"
#include "http/http_private.h"
#include "list/list.h"
#include "text/text.h"

/** What a key has done. */
struct usage {
	struct http_rate rate;
	uint16_t day;
	uint64_t requests; /**< of that day */
};

struct http_keys {
	const char *folder;
	pthread_mutex_t lock;
	struct http_key *keys; /**< under lock, as all below */
	struct usage *usage;   /**< same index */
	int n;
	struct stat read; /**< file that was read last, also in vain */
	bool unsaved;     /**< something counted since the file of it was written */
	int64_t saved_ms; /**< when that was */
};

void http_hash(const char *text, uint8_t hash[HTTP_KEY_HASH_SIZE])
{
	gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), hash);
}

int http_rate_take(struct http_rate *rate, int64_t now_ms, unsigned each_second)
{
	double left = rate->spent - (double)(now_ms - rate->last_ms) * each_second / 1000;

	rate->last_ms = now_ms;
	rate->spent = left > 0 ? left : 0;
	if (rate->spent + 1 > each_second)
		return 0;
	rate->spent += 1;
	return 1;
}

static void file_state(const char *folder, struct stat *state)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/" HTTP_KEYS_FILE, folder);
	if (stat(path, state) != 0)
		*state = (struct stat){0};
}

static bool same_state(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

// What a key of the same name and hash has done counts on.
static void usage_carry(
	const struct http_keys *keys, const struct http_key *key, struct usage *usage)
{
	for (int i = 0; i < keys->n; i++)
		if (strcmp(keys->keys[i].name, key->name) == 0 &&
			memcmp(keys->keys[i].hash, key->hash, sizeof(key->hash)) == 0)
			*usage = keys->usage[i];
}

static int keys_load(struct http_keys *keys)
{
	struct http_key *read;
	struct usage *usage;
	int n;

	file_state(keys->folder, &keys->read);
	n = http_keys_read(keys->folder, &read);
	if (n < 0)
		return n;
	usage = calloc((size_t)n + 1, sizeof(*usage));
	if (!usage) {
		free(read);
		return -ENOMEM;
	}
	pthread_mutex_lock(&keys->lock);
	for (int i = 0; i < n; i++)
		usage_carry(keys, &read[i], &usage[i]);
	free(keys->keys);
	free(keys->usage);
	keys->keys = read;
	keys->usage = usage;
	keys->n = n;
	pthread_mutex_unlock(&keys->lock);
	return 0;
}

/* ---- what was asked, over restarts ----------------------------------------------------------- */

/** What is written of a key. */
struct usage_row {
	char name[HTTP_KEY_NAME_MAX + 1];
	char day[11];
	uint64_t requests;
	char hash[2 * HTTP_KEY_HASH_SIZE + 1];
};

struct usage_rows {
	struct usage_row *rows;
	int n;
};

static void usage_write(FILE *file, const void *what)
{
	const struct usage_rows *rows = what;

	for (int i = 0; i < rows->n; i++)
		fprintf(file, "%s %s %" PRIu64 " %s\n", rows->rows[i].name, rows->rows[i].day,
			rows->rows[i].requests, rows->rows[i].hash);
}

// Under lock, but the writing: requests do not wait for a disk.
static int usage_rows_make(struct http_keys *keys, struct usage_rows *rows)
{
	rows->rows = calloc((size_t)keys->n + 1, sizeof(*rows->rows));
	if (!rows->rows)
		return -ENOMEM;
	for (int i = 0; i < keys->n; i++) {
		struct usage_row *row = &rows->rows[rows->n];

		if (keys->usage[i].requests == 0)
			continue;
		memcpy(row->name, keys->keys[i].name, sizeof(row->name));
		list_day_format(keys->usage[i].day, row->day);
		row->requests = keys->usage[i].requests;
		http_hex_write(keys->keys[i].hash, HTTP_KEY_HASH_SIZE, row->hash);
		rows->n++;
	}
	return 0;
}

void http_keys_save(struct http_keys *keys, int64_t now_ms, bool now)
{
	struct usage_rows rows = {0};
	int err;

	pthread_mutex_lock(&keys->lock);
	if (!keys->unsaved || (!now && now_ms - keys->saved_ms < HTTP_USAGE_S * 1000)) {
		pthread_mutex_unlock(&keys->lock);
		return;
	}
	err = usage_rows_make(keys, &rows);
	keys->unsaved = false;
	keys->saved_ms = now_ms;
	pthread_mutex_unlock(&keys->lock);
	if (err == 0)
		err = text_file_replace(keys->folder, HTTP_USAGE_FILE, usage_write, &rows);
	free(rows.rows);
	if (err == 0)
		return;
	pthread_mutex_lock(&keys->lock);
	keys->unsaved = true;
	pthread_mutex_unlock(&keys->lock);
}

static void usage_take(struct http_keys *keys, const struct usage_row *row)
{
	int day = list_day_parse(row->day, strlen(row->day));
	char hash[2 * HTTP_KEY_HASH_SIZE + 1];

	for (int i = 0; i < keys->n; i++) {
		http_hex_write(keys->keys[i].hash, HTTP_KEY_HASH_SIZE, hash);
		if (day < 0 || strcmp(keys->keys[i].name, row->name) != 0 ||
			strcmp(hash, row->hash) != 0)
			continue;
		keys->usage[i].day = (uint16_t)day;
		keys->usage[i].requests = row->requests;
	}
}

// A file that cannot be read only means that a quota begins anew.
static void usage_read(struct http_keys *keys)
{
	struct usage_row row;
	char path[4096], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/" HTTP_USAGE_FILE, keys->folder);
	file = fopen(path, "re");
	if (!file) {
		if (errno != ENOENT)
			log_line(LOG_WARN, "%s: %s", path, strerror(errno));
		return;
	}
	for (unsigned number = 1; fgets(line, sizeof(line), file); number++)
		if (sscanf(line, "%31s %10s %" SCNu64 " %64s", row.name, row.day, &row.requests,
			    row.hash) == 4)
			usage_take(keys, &row);
		else
			log_line(LOG_WARN, "%s:%u: expected NAME DAY REQUESTS HASH", path, number);
	fclose(file);
}

int http_keys_open(const char *folder, struct http_keys **out)
{
	struct http_keys *keys = calloc(1, sizeof(*keys));
	int err;

	if (!keys)
		return -ENOMEM;
	keys->folder = folder;
	pthread_mutex_init(&keys->lock, NULL);
	err = keys_load(keys);
	if (err == 0)
		usage_read(keys);
	if (err == 0)
		*out = keys;
	else
		http_keys_close(keys);
	return err;
}

void http_keys_close(struct http_keys *keys)
{
	if (!keys)
		return;
	pthread_mutex_destroy(&keys->lock);
	free(keys->keys);
	free(keys->usage);
	free(keys);
}

void http_keys_refresh(struct http_keys *keys)
{
	struct stat state;
	int err;

	file_state(keys->folder, &state);
	if (same_state(&state, &keys->read))
		return;
	err = keys_load(keys);
	if (err)
		log_line(LOG_WARN, "%s/" HTTP_KEYS_FILE ": the keys of before stay in force",
			keys->folder);
	else
		log_line(LOG_INFO, "%s/" HTTP_KEYS_FILE ": %d keys", keys->folder, keys->n);
}

// Under lock.
static enum http_key_state usage_count(
	struct usage *usage, const struct http_key *key, uint16_t today)
{
	if (usage->day != today) {
		usage->day = today;
		usage->requests = 0;
	}
	if (key->quota && usage->requests >= key->quota)
		return HTTP_KEY_QUOTA;
	usage->requests++;
	return HTTP_KEY_GOOD;
}

// Under lock. Whether the key of this index may ask now; -1: there is none.
static enum http_key_state admit(struct http_keys *keys, int found, int64_t now_ms, unsigned rate,
	bool counts, struct http_key *key)
{
	enum http_key_state state = HTTP_KEY_GOOD;
	uint16_t today = list_day_of(time(NULL));

	if (found < 0 ||
		(keys->keys[found].expires != HTTP_NO_DAY && today > keys->keys[found].expires))
		return HTTP_KEY_UNKNOWN;
	*key = keys->keys[found];
	if (!http_rate_take(&keys->usage[found].rate, now_ms, rate))
		return HTTP_KEY_RATE;
	if (counts)
		state = usage_count(&keys->usage[found], key, today);
	keys->unsaved |= counts && state == HTTP_KEY_GOOD;
	return state;
}

enum http_key_state http_keys_check(struct http_keys *keys, const char *text, int64_t now_ms,
	unsigned rate, bool counts, struct http_key *key)
{
	enum http_key_state state;
	uint8_t hash[HTTP_KEY_HASH_SIZE];
	int found = -1;

	http_hash(text, hash);
	pthread_mutex_lock(&keys->lock);
	for (int i = 0; i < keys->n; i++)
		if (gnutls_memcmp(hash, keys->keys[i].hash, sizeof(hash)) == 0 &&
			!keys->keys[i].certificate)
			found = i;
	state = admit(keys, found, now_ms, rate, counts, key);
	pthread_mutex_unlock(&keys->lock);
	return state;
}

enum http_key_state http_keys_check_certificate(struct http_keys *keys, const char *name,
	int64_t now_ms, unsigned rate, bool counts, struct http_key *key)
{
	enum http_key_state state;
	int found = -1;

	pthread_mutex_lock(&keys->lock);
	for (int i = 0; i < keys->n; i++)
		if (keys->keys[i].certificate && strcmp(keys->keys[i].name, name) == 0)
			found = i;
	state = admit(keys, found, now_ms, rate, counts, key);
	pthread_mutex_unlock(&keys->lock);
	return state;
}

enum http_role http_keys_role(struct http_keys *keys, const struct http_key *key)
{
	uint16_t today = list_day_of(time(NULL));
	enum http_role role = HTTP_NOBODY;

	pthread_mutex_lock(&keys->lock);
	for (int i = 0; i < keys->n; i++) {
		const struct http_key *there = &keys->keys[i];

		if (strcmp(there->name, key->name) == 0 &&
			memcmp(there->hash, key->hash, sizeof(key->hash)) == 0 &&
			(there->expires == HTTP_NO_DAY || today <= there->expires))
			role = there->role;
	}
	pthread_mutex_unlock(&keys->lock);
	return role;
}

uint64_t http_keys_used(struct http_keys *keys, const struct http_key *key)
{
	uint16_t today = list_day_of(time(NULL));
	uint64_t used = 0;

	pthread_mutex_lock(&keys->lock);
	for (int i = 0; i < keys->n; i++)
		if (strcmp(keys->keys[i].name, key->name) == 0 && keys->usage[i].day == today)
			used = keys->usage[i].requests;
	pthread_mutex_unlock(&keys->lock);
	return used;
}

bool http_keys_take(struct http_keys *keys, const struct http_key *key)
{
	uint16_t today = list_day_of(time(NULL));
	bool may = false;

	pthread_mutex_lock(&keys->lock);
	for (int i = 0; i < keys->n; i++)
		if (strcmp(keys->keys[i].name, key->name) == 0)
			may = usage_count(&keys->usage[i], key, today) == HTTP_KEY_GOOD;
	keys->unsaved |= may;
	pthread_mutex_unlock(&keys->lock);
	return may;
}
