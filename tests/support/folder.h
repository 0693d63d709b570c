/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A test's own folder of plain files.
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

/** Remove a folder and the files in it. */
static inline void folder_remove(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(folder);
}
