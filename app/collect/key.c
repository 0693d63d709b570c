/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys of the API.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "collect_app.h"
#include "list/list.h"

static int add(const struct collect_args *args)
{
	struct http_key key = args->key;
	char text[HTTP_KEY_SIZE];
	int err;

	if (key.role == HTTP_NOBODY) {
		log_line(LOG_ERROR, "key add: expected --role (see --help)");
		return COLLECT_USAGE;
	}
	if (strlen(args->words[1]) > HTTP_KEY_NAME_MAX)
		err = -EINVAL;
	else {
		strcpy(key.name, args->words[1]);
		err = http_key_add(args->store, &key, text);
	}
	if (err == -EINVAL)
		log_line(LOG_ERROR,
			"key add: expected a name of 1..31 letters, digits, '-', '_' and '.'");
	else if (err == -EEXIST)
		log_line(LOG_ERROR, "key add: expected another name, there is a key \"%s\"",
			key.name);
	else if (err == 0 && !key.certificate)
		puts(text);
	return err == -EINVAL || err == -EEXIST ? COLLECT_USAGE : collect_exit_of(err);
}

static int list(const struct collect_args *args)
{
	struct http_key *keys;
	int n = http_keys_read(args->store, &keys);
	char day[11];

	for (int i = 0; i < n; i++) {
		printf("%-31s  %-7s  ", keys[i].name, http_role_name(keys[i].role));
		printf("%-10s  ", keys[i].expires == HTTP_NO_DAY
					  ? "-"
					  : list_day_format((uint16_t)keys[i].expires, day));
		if (keys[i].quota)
			printf("%" PRIu64, keys[i].quota);
		else
			putchar('-');
		puts(keys[i].certificate ? "  certificate" : "");
	}
	free(keys);
	return collect_exit_of(n);
}

static int take_out(const struct collect_args *args)
{
	int err = http_key_remove(args->store, args->words[1]);

	if (err != -ENOENT)
		return collect_exit_of(err);
	log_line(LOG_ERROR, "key remove: there is no key \"%s\"", args->words[1]);
	return COLLECT_USAGE;
}

int key_run(const struct collect_args *args)
{
	static const struct {
		const char *name;
		int (*run)(const struct collect_args *args);
		int words;
	} rows[] = {{"add", add, 2}, {"list", list, 1}, {"remove", take_out, 2}};
	struct stat info;

	if (stat(args->store, &info) != 0) {
		log_line(LOG_ERROR, "%s: %s", args->store, strerror(errno));
		return COLLECT_USAGE;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(args->words[0], rows[i].name) == 0 && args->n == rows[i].words)
			return rows[i].run(args);
	log_line(LOG_ERROR, "key: expected add NAME, list or remove NAME (see --help)");
	return COLLECT_USAGE;
}
