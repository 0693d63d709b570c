/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/ctl_socket.h"

#include "ctl/ctl_private.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!*path)
		return -EINVAL;
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

int ctl_connect(const char *path)
{
	return ctl_connect_within(path, 0);
}

int ctl_connect_within(const char *path, unsigned timeout_ms)
{
	const struct timeval bound = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	struct sockaddr_un address;
	int result = address_of(path, &address), fd;

	if (result < 0)
		return result;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	// Who has too many that wait to be accepted lets us wait, too; 0 is no bound.
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound)) < 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		result = errno == EAGAIN ? -ETIMEDOUT : -errno;
		close(fd);
		return result;
	}
	return fd;
}

static int fail(const char *path, const char *what, int result, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s: %s%s%s", path, what, result ? ": " : "",
		result ? strerror(-result) : "");
	return result ? result : -EADDRINUSE;
}

/** Make the folder of the socket; only the last one, so that a slip makes no tree. */
static int make_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	if (!slash || slash == path)
		return 0;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

/** Remove a socket file that nobody listens on. @return 0, or -errno with the error set */
static int remove_stale(
	const char *path, const struct sockaddr_un *address, char *error, size_t error_size)
{
	struct stat st;
	int fd, result = 0;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail(path, "cannot listen", -errno, error, error_size);
	if (!S_ISSOCK(st.st_mode))
		return fail(path, "is there and is no socket", 0, error, error_size);
	// Non-blocking, so that a listener whose queue is full does not hold up the start.
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(path, "cannot listen", -errno, error, error_size);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		result = -errno;
	close(fd);
	if (result == 0 || result == -EAGAIN)
		return fail(path, "another process listens there", 0, error, error_size);
	if (result != -ECONNREFUSED)
		return fail(path, "cannot tell whether it is in use", result, error, error_size);
	if (unlink(path) < 0)
		return fail(path, "cannot remove the stale socket", -errno, error, error_size);
	return 0;
}

/** Set group and mode before listen, so that nobody connects with too many rights. */
static int set_rights(const char *path, const char *group)
{
	if (*group) {
		const struct group *entry = getgrnam(group);

		if (!entry)
			return -ENOENT;
		if (chown(path, (uid_t)-1, entry->gr_gid) < 0)
			return -errno;
	}
	return chmod(path, 0660) < 0 ? -errno : 0;
}

int ctl_socket_listen(
	const char *path, const char *group, struct stat *made, char *error, size_t error_size)
{
	struct sockaddr_un address;
	int result = address_of(path, &address), fd;

	if (result == 0)
		result = make_folder(path);
	if (result < 0)
		return fail(path, "cannot listen", result, error, error_size);
	result = remove_stale(path, &address, error, error_size);
	if (result < 0)
		return result;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(path, "cannot listen", -errno, error, error_size);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		result = fail(path, "cannot listen", -errno, error, error_size);
		close(fd);
		return result;
	}
	result = set_rights(path, group);
	if (result < 0) {
		snprintf(error, error_size, "%s: cannot set group '%s' and mode: %s", path, group,
			result == -ENOENT ? "no such group" : strerror(-result));
	} else if (listen(fd, CTL_CLIENTS_MAX) < 0 || lstat(path, made) < 0) {
		result = fail(path, "cannot listen", -errno, error, error_size);
	}
	if (result < 0) {
		unlink(path);
		close(fd);
		return result;
	}
	return fd;
}

void ctl_socket_remove(const char *path, const struct stat *made)
{
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_ino == made->st_ino && st.st_dev == made->st_dev)
		unlink(path);
}
