/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values that name what this system has, or will have: files, folders, time zones, sockets, groups.
 */
#include "conf/conf_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"

/** Whether a file can be opened for reading and is no folder. @return 0 or an errno */
static int check_readable(const char *path)
{
	// Non-blocking, so that a pipe without a writer does not hold up the start.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error = 0;
	struct stat st;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) < 0)
		error = errno;
	else if (S_ISDIR(st.st_mode))
		error = EISDIR;
	close(fd);
	return error;
}

/** Take a path, relative to the folder of the file that names it. @return false: too long, or none */
static bool path_take(
	const struct conf_reader *reader, const char *value, char path[CONF_PATH_SIZE])
{
	const char *slash = strrchr(reader->path, '/');
	int folder = *value == '/' || !slash ? 0 : (int)(slash + 1 - reader->path);

	static_assert(CONF_PATH_SIZE == 1024, "named in the errors below");
	return *value && snprintf(path, CONF_PATH_SIZE, "%.*s%s", folder, reader->path, value) <
				 CONF_PATH_SIZE;
}

// A path, or "" where none is needed and none is said.
static int set_path(struct conf_reader *reader, const struct conf_key *key, const char *value,
	char path[CONF_PATH_SIZE])
{
	if (!*value && !key->required) {
		path[0] = '\0';
		return 0;
	}
	if (!path_take(reader, value, path))
		return conf_fail_value(
			reader, key, "the path of a file, at most 1023 bytes", value);
	return 0;
}

// Whether it can be opened is for the program to find out that writes it; a slip in the path is not.
static int set_output(struct conf_reader *reader, const struct conf_key *key, const char *value,
	char path[CONF_PATH_SIZE])
{
	char folder[CONF_PATH_SIZE + 1], *slash;
	struct stat status;

	if (set_path(reader, key, value, path) < 0)
		return -EINVAL;
	if (!*path)
		return 0;
	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[1] = '\0';
	else
		strcpy(folder, ".");
	if (stat(folder, &status) < 0 || !S_ISDIR(status.st_mode) ||
		(stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
		return conf_fail_value(reader, key, "a file in a folder that is there", value);
	return 0;
}

static int set_file(struct conf_reader *reader, const struct conf_key *key, const char *value,
	char path[CONF_PATH_SIZE])
{
	char clip[CONF_CLIP_SIZE];
	int error;

	if (set_path(reader, key, value, path) < 0)
		return -EINVAL;
	if (!*path)
		return 0;
	// Of the lists' sources and what was compiled of them only one is read.
	if ((key->home == CONF_IN_LIST && !reader->sources) ||
		(key->home == CONF_IN_CONF && key->offset == offsetof(struct conf, compiled) &&
			reader->sources))
		return 0;
	// A key is for the eyes of the program that uses it alone; that one says what is wrong with it.
	if (key->home == CONF_IN_CONF && key->offset == offsetof(struct conf, anonymise_key_file))
		return 0;
	error = check_readable(path);
	if (error)
		return conf_fail(reader, "%s: expected a readable file, got %s: %s", key->key,
			conf_clip(value, clip), strerror(error));
	return 0;
}

static int set_zone(struct conf_reader *reader, const struct conf_key *key, const char *value,
	struct conf *conf)
{
	char path[sizeof(ZONE_FOLDER) + sizeof(conf->time_zone)], magic[4] = "";
	FILE *file;

	if (*value) {
		// A name of the database is a path below its folder; zones start with "TZif".
		snprintf(path, sizeof(path), "%s/%s", ZONE_FOLDER, value);
		file = strlen(value) < sizeof(conf->time_zone) && *value != '/' &&
				       !strstr(value, "..")
			       ? fopen(path, "re")
			       : NULL;
		if (file && fread(magic, 1, sizeof(magic), file) < sizeof(magic))
			magic[0] = '\0';
		if (file)
			fclose(file);
		if (memcmp(magic, "TZif", sizeof(magic)) != 0)
			return conf_fail_value(
				reader, key, "a time zone below " ZONE_FOLDER, value);
	}
	snprintf(conf->time_zone, sizeof(conf->time_zone), "%s", value);
	return 0;
}

static int set_socket(struct conf_reader *reader, const struct conf_key *key, const char *value,
	struct conf *conf)
{
	// struct sockaddr_un has 108 bytes for the path and its NUL, see unix(7).
	if (!*value || strlen(value) >= sizeof(conf->control_socket))
		return conf_fail_value(reader, key, "a path of at most 107 bytes, or none", value);
	snprintf(conf->control_socket, sizeof(conf->control_socket), "%s",
		strcmp(value, "none") == 0 ? "" : value);
	return 0;
}

static int set_group(
	struct conf_reader *reader, const struct conf_key *key, const char *value, char *group)
{
	const size_t room = sizeof(((struct conf *)NULL)->control_group);

	if (*value && (strlen(value) >= room || !getgrnam(value)))
		return conf_fail_value(reader, key, "the name of a group of this system", value);
	snprintf(group, room, "%s", value);
	return 0;
}

static int set_folder(struct conf_reader *reader, const struct conf_key *key, const char *value,
	char path[CONF_PATH_SIZE])
{
	// Where none is the default, it can be said, too.
	if (!*value && !*key->fallback) {
		*path = '\0';
		return 0;
	}
	return path_take(reader, value, path)
		       ? 0
		       : conf_fail_value(
				 reader, key, "the path of a folder, at most 1023 bytes", value);
}

int conf_value_set_system(
	struct conf_reader *reader, const struct conf_key *key, const char *value, void *home)
{
	void *to = (char *)home + key->offset;

	switch (key->type) {
	case CONF_FILE:
		return set_file(reader, key, value, to);
	case CONF_OUTPUT:
		return set_output(reader, key, value, to);
	case CONF_FOLDER:
		return set_folder(reader, key, value, to);
	case CONF_ZONE:
		return set_zone(reader, key, value, home);
	case CONF_SOCKET:
		return set_socket(reader, key, value, home);
	default:
		return set_group(reader, key, value, to);
	}
}
