/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far files were read, in a file of JSON:
 *
 *   {"version":1,"files":[{"path":"...","offset":4711,"chunk":17,"head":"9f1c22d8a4b07e35",
 *                          "head_size":64,"in_line":false}]}
 */
#include "contact_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"

#define VERSION 1

static bool position_read(const json_t *json, struct contact_position *at)
{
	const char *head = json_string_value(json_object_get(json, "head"));
	json_int_t offset = json_integer_value(json_object_get(json, "offset"));
	json_int_t chunk = json_integer_value(json_object_get(json, "chunk"));
	json_int_t head_size = json_integer_value(json_object_get(json, "head_size"));

	if (!head || offset < 0 || chunk < 0 || head_size < 0 || head_size > CONTACT_HEAD_MAX)
		return false;
	*at = (struct contact_position){.offset = offset,
		.chunk = (uint64_t)chunk,
		.head = strtoull(head, NULL, 16),
		.head_size = (size_t)head_size,
		.in_line = json_is_true(json_object_get(json, "in_line"))};
	return true;
}

int contact_positions_read(const char *path, struct contact_file *files, unsigned n)
{
	json_error_t error;
	json_t *json, *list, *row;
	bool good;
	size_t i;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0;
	json = json_load_file(path, 0, &error);
	list = json_object_get(json, "files");
	good = json_is_array(list) &&
	       json_integer_value(json_object_get(json, "version")) == VERSION;
	json_array_foreach(list, i, row)
	{
		const char *of = json_string_value(json_object_get(row, "path"));

		good = good && of;
		for (unsigned f = 0; good && f < n; f++)
			if (strcmp(files[f].path, of) == 0)
				good = position_read(row, &files[f].at);
	}
	if (!good)
		log_line(LOG_ERROR, "%s: expected how far files were read, got %s", path,
			json ? "something else" : error.text);
	json_decref(json);
	return good ? 0 : -EBADMSG;
}

static json_t *position_json(const struct contact_file *file)
{
	char head[17];

	snprintf(head, sizeof(head), "%016" PRIx64, file->at.head);
	return json_pack("{s:s, s:I, s:I, s:s, s:I, s:b}", "path", file->path, "offset",
		(json_int_t)file->at.offset, "chunk", (json_int_t)file->at.chunk, "head", head,
		"head_size", (json_int_t)file->at.head_size, "in_line", (int)file->at.in_line);
}

static int text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err = 0;
	size_t size = strlen(text);

	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, text, size) != (ssize_t)size)
		err = errno ? -errno : -ENOSPC;
	if (err == 0 && fsync(fd) != 0)
		err = -errno;
	close(fd);
	return err;
}

static int folder_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int fd, err = 0;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		err = -errno;
	close(fd);
	return err;
}

int contact_positions_write(const char *path, const struct contact_file *files, unsigned n)
{
	json_t *list = json_array(), *json;
	char next[PATH_MAX], *text;
	int err = -ENOMEM;

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, position_json(&files[i]));
	json = json_pack("{s:i, s:o}", "version", VERSION, "files", list);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	if (text && snprintf(next, sizeof(next), "%s.new", path) >= (int)sizeof(next))
		err = -ENAMETOOLONG;
	else if (text)
		err = text_write(next, text);
	// A file whose octets are on the disk takes the place of the other one, or does not. Were an older one
	// back after the power failed, chunks would be cut otherwise than they were, and count twice.
	if (err == 0 && rename(next, path) != 0)
		err = -errno;
	if (err == 0)
		err = folder_sync(path);
	free(text);
	json_decref(json);
	return err;
}
