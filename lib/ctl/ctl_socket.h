/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The unix socket of the control protocol as a file: made, replaced when stale, removed.
 *
 * Threads: control only.
 */
#include <stddef.h>
#include <sys/stat.h>

/**
 * Listen at @p path, mode 0660. The folder is made when its parent exists. A socket file that
 * refuses connections is replaced; anything else in the way is an error.
 *
 * @param group name, or "" for the group of the process
 * @param made  [out] the file, for ctl_socket_remove
 * @param error [out] one line on failure
 * @return a non-blocking socket, or -errno
 */
int ctl_socket_listen(
	const char *path, const char *group, struct stat *made, char *error, size_t error_size);

/** Remove the socket file, unless somebody has put another in its place. */
void ctl_socket_remove(const char *path, const struct stat *made);
