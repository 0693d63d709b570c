/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file of keys: reading it, adding to it, taking out of it.
 */
#include "http/http_key.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http_private.h"
#include "list/list.h"
#include "text/text.h"

#define LINE_SIZE 256

static const char *const role_names[HTTP_ROLES] = {
	"nobody", "metrics", "pdns", "log", "analyst", "admin"};

const char *http_role_name(enum http_role role)
{
	return role_names[role];
}

int http_role_parse(const char *name)
{
	for (int role = HTTP_METRICS; role < HTTP_ROLES; role++)
		if (strcmp(name, role_names[role]) == 0)
			return role;
	return -EINVAL;
}

static bool name_good(const char *name)
{
	size_t size = strlen(name);

	return size >= 1 && size <= HTTP_KEY_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       size;
}

void http_hex_write(const uint8_t *octets, size_t n, char *text)
{
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", octets[i]);
}

static bool hex_read(const char *text, uint8_t *octets, size_t n)
{
	if (strlen(text) != 2 * n || strspn(text, "0123456789abcdef") != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned octet;

		sscanf(text + 2 * i, "%2x", &octet);
		octets[i] = (uint8_t)octet;
	}
	return true;
}

// Returns NULL, or what was expected.
static const char *line_parse(char *line, struct http_key *key)
{
	char *words[5], *rest = line, *end;
	unsigned n = 0;
	int role;

	while (n < 5 && (words[n] = strtok_r(n ? NULL : line, " \t\r\n", &rest)))
		n++;
	if (n < 5 || strtok_r(NULL, " \t\r\n", &rest))
		return "NAME ROLE EXPIRES QUOTA HASH";
	if (!name_good(words[0]))
		return "a name of 1..31 letters, digits, '-', '_' and '.'";
	snprintf(key->name, sizeof(key->name), "%s", words[0]);
	role = http_role_parse(words[1]);
	if (role < 0)
		return "a role: metrics, pdns, log, analyst or admin";
	key->role = (enum http_role)role;
	key->expires = HTTP_NO_DAY;
	if (strcmp(words[2], "-") != 0) {
		key->expires = list_day_parse(words[2], strlen(words[2]));
		if (key->expires < 0)
			return "a day YYYY-MM-DD, or -";
	}
	errno = 0;
	key->quota = strcmp(words[3], "-") == 0 ? 0 : strtoull(words[3], &end, 10);
	if (strcmp(words[3], "-") != 0 && (errno || *end || words[3][0] < '0' || words[3][0] > '9'))
		return "a number of requests a day, or -";
	key->certificate = strcmp(words[4], "certificate") == 0;
	if (key->certificate || hex_read(words[4], key->hash, sizeof(key->hash)))
		return NULL;
	return "64 hexadecimal digits, or certificate";
}

static int file_read(FILE *file, const char *path, struct http_key **out)
{
	char line[LINE_SIZE];
	const char *expected;
	int n = 0;

	*out = calloc(HTTP_KEYS_MAX, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (unsigned number = 1; fgets(line, sizeof(line), file); number++) {
		if (line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0')
			continue;
		expected = n < HTTP_KEYS_MAX ? line_parse(line, &(*out)[n]) : "at most 1024 keys";
		if (expected) {
			log_line(LOG_ERROR, "%s:%u: expected %s", path, number, expected);
			free(*out);
			*out = NULL;
			return -EINVAL;
		}
		n++;
	}
	return n;
}

int http_keys_read(const char *folder, struct http_key **keys)
{
	char path[PATH_MAX];
	FILE *file;
	int n;

	*keys = NULL;
	snprintf(path, sizeof(path), "%s/" HTTP_KEYS_FILE, folder);
	file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return 0;
	if (!file) {
		n = -errno;
		log_line(LOG_ERROR, "%s: %s", path, strerror(errno));
		return n;
	}
	n = file_read(file, path, keys);
	fclose(file);
	return n;
}

static void key_write(FILE *file, const struct http_key *key)
{
	char day[11] = "-", quota[24] = "-", hash[2 * HTTP_KEY_HASH_SIZE + 1];

	if (key->expires != HTTP_NO_DAY)
		list_day_format((uint16_t)key->expires, day);
	if (key->quota)
		snprintf(quota, sizeof(quota), "%" PRIu64, key->quota);
	http_hex_write(key->hash, sizeof(key->hash), hash);
	fprintf(file, "%s %s %s %s %s\n", key->name, http_role_name(key->role), day, quota,
		key->certificate ? "certificate" : hash);
}

struct key_list {
	const struct http_key *keys;
	int n;
};

static void list_write(FILE *file, const void *what)
{
	const struct key_list *list = what;

	for (int i = 0; i < list->n; i++)
		key_write(file, &list->keys[i]);
}

// The folder, locked against others who change its keys.
static int folder_lock(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	err = -errno;
	log_line(LOG_ERROR, "%s: %s", folder, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

static int key_index(const struct http_key *keys, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(keys[i].name, name) == 0)
			return i;
	return -1;
}

int http_key_add(const char *folder, struct http_key *key, char text[HTTP_KEY_SIZE])
{
	uint8_t octets[32];
	struct http_key *keys;
	int lock, n;

	if (!name_good(key->name))
		return -EINVAL;
	text[0] = '\0';
	memset(key->hash, 0, sizeof(key->hash));
	if (!key->certificate) {
		if (getrandom(octets, sizeof(octets), 0) != sizeof(octets))
			return -EIO;
		http_hex_write(octets, sizeof(octets), text);
		http_hash(text, key->hash);
	}
	lock = folder_lock(folder);
	if (lock < 0)
		return lock;
	n = http_keys_read(folder, &keys);
	if (n >= 0 && key_index(keys, n, key->name) >= 0) {
		n = -EEXIST;
	} else if (n == HTTP_KEYS_MAX) {
		log_line(LOG_ERROR, "%s/" HTTP_KEYS_FILE ": has %d keys, which is the most", folder,
			n);
		n = -ENOSPC;
	} else if (n >= 0) {
		struct http_key *more = realloc(keys, ((size_t)n + 1) * sizeof(*more));

		if (more) {
			keys = more;
			keys[n] = *key;
			n = text_file_replace(folder, HTTP_KEYS_FILE, list_write,
				&(struct key_list){keys, n + 1});
		} else {
			n = -ENOMEM;
		}
	}
	free(keys);
	close(lock);
	return n;
}

int http_key_remove(const char *folder, const char *name)
{
	struct http_key *keys;
	int lock = folder_lock(folder), n, at;

	if (lock < 0)
		return lock;
	n = http_keys_read(folder, &keys);
	at = n > 0 ? key_index(keys, n, name) : -1;
	if (n >= 0 && at < 0) {
		n = -ENOENT;
	} else if (n >= 0) {
		memmove(&keys[at], &keys[at + 1], (size_t)(n - at - 1) * sizeof(*keys));
		n = text_file_replace(
			folder, HTTP_KEYS_FILE, list_write, &(struct key_list){keys, n - 1});
	}
	free(keys);
	close(lock);
	return n;
}
