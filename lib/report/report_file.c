/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct report_file *file, int err, char error[REPORT_ERROR_SIZE])
{
	snprintf(error, REPORT_ERROR_SIZE, "%s: %s", file->path, strerror(-err));
	return err;
}

int report_file_open(struct report_file *file, const char *path, char error[REPORT_ERROR_SIZE])
{
	struct stat status;
	int fd, err;

	*file = (struct report_file){0};
	file->path = report_copy(&file->memory, path, strlen(path));
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		file->beside = report_copy(&file->memory, "", 0);
		file->stream = S_ISDIR(status.st_mode) ? NULL : fopen(path, "we");
		if (S_ISDIR(status.st_mode))
			errno = EISDIR;
	} else {
		file->beside = report_format(&file->memory, "%s.XXXXXX", path);
		fd = mkstemp(file->beside);
		if (fd >= 0 && !(file->stream = fdopen(fd, "w"))) {
			close(fd);
			unlink(file->beside);
		}
	}
	if (file->stream)
		return 0;
	err = fail(file, -errno, error);
	report_memory_free(&file->memory);
	return err;
}

int report_file_close(struct report_file *file, int err, char error[REPORT_ERROR_SIZE])
{
	const mode_t mask = umask(0);
	int fd = fileno(file->stream);

	umask(mask);
	if (err == 0 && (fflush(file->stream) != 0 || ferror(file->stream)))
		err = fail(file, errno ? -errno : -EIO, error);
	if (err == 0 && *file->beside && (fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0))
		err = fail(file, -errno, error);
	if (fclose(file->stream) != 0 && err == 0)
		err = fail(file, -errno, error);
	if (err == 0 && *file->beside && rename(file->beside, file->path) < 0)
		err = fail(file, -errno, error);
	if (err < 0 && *file->beside)
		unlink(file->beside);
	report_memory_free(&file->memory);
	return err;
}
