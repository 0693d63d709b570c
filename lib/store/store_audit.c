/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define LINE_MAX_SIZE 8192
#define WHO_MAX       64

// What of a name can stand in a JSON string as it is.
static void who_write(const char *who, char out[WHO_MAX])
{
	size_t n = 0;

	for (; who && *who && n < WHO_MAX - 1; who++)
		if ((unsigned char)*who >= 0x20 && *who != '"' && *who != '\\')
			out[n++] = *who;
	out[n] = '\0';
}

// One write, so lines of several processes do not mix.
static int line_write(const struct store *store, const char *line, size_t size)
{
	char path[STORE_PATH_MAX];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/audit.ndjson", store->folder);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		err = -errno;
	} else {
		// The umask has taken the group's bit.
		if (fchmod(fd, 0640) != 0 && errno != EPERM)
			err = -errno;
		if (write(fd, line, size) != (ssize_t)size)
			err = errno ? -errno : -EIO;
		if (fsync(fd) != 0 && !err)
			err = -errno;
		close(fd);
	}
	if (err)
		log_line(LOG_ERROR, "%s: %s; not in it: %.*s", path, strerror(-err), (int)size - 1,
			line);
	return err;
}

int store_audit(const struct store *store, const struct store_actor *actor, const char *format, ...)
{
	char line[LINE_MAX_SIZE], who[WHO_MAX], when[32];
	struct timespec now;
	struct tm utc;
	size_t size;
	va_list args;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
	who_write(actor ? actor->who : NULL, who);
	size = (size_t)snprintf(line, sizeof(line), "{\"time\":\"%s\",\"who\":\"%s\",", when, who);
	va_start(args, format);
	size += (size_t)vsnprintf(line + size, sizeof(line) - size - 3, format, args);
	va_end(args);
	if (size > sizeof(line) - 3)
		size = sizeof(line) - 3;
	line[size++] = '}';
	line[size++] = '\n';
	return line_write(store, line, size);
}
