/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "text/text.h"

int text_file_replace(const char *folder, const char *name,
	void (*write)(FILE *file, const void *what), const void *what)
{
	char path[PATH_MAX], made[PATH_MAX];
	struct stat owner;
	FILE *file = NULL;
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(made, sizeof(made), "%s/%s.new", folder, name);
	fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		file = fdopen(fd, "w");
	if (!file) {
		err = -errno;
		if (fd >= 0)
			close(fd);
	} else {
		// Root may have been asked for what the collector's user has to read.
		if (stat(folder, &owner) != 0 || fchmod(fd, 0600) != 0 ||
			(geteuid() == 0 && fchown(fd, owner.st_uid, owner.st_gid) != 0))
			err = -errno;
		write(file, what);
		if (!err && (fflush(file) != 0 || fsync(fd) != 0))
			err = -errno;
		if (fclose(file) != 0 && !err)
			err = -errno;
		if (!err && rename(made, path) != 0)
			err = -errno;
		if (err)
			unlink(made);
	}
	if (err)
		log_line(LOG_ERROR, "%s: cannot be written: %s", path, strerror(-err));
	return err;
}
