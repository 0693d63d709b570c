/* SPDX-License-Identifier: BSD-3-Clause */
/* Gives a fuzz target each file of the folders named, for builds without libFuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

#define INPUT_ROOM (1u << 20)

static int file_run(const char *path, uint8_t *room)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return -1;
	}
	size = fread(room, 1, INPUT_ROOM, file);
	fclose(file);
	// In front of what may crash: the last line names the input.
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(room, size);
	return 0;
}

static int folder_run(const char *folder, uint8_t *room)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];
	int n = 0;

	if (!dir) {
		perror(folder);
		return -1;
	}
	while (n >= 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		n = file_run(path, room) < 0 ? -1 : n + 1;
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	uint8_t *room = malloc(INPUT_ROOM);
	int total = 0;

	for (int i = 1; room && i < argc; i++) {
		int n = folder_run(argv[i], room);

		if (n < 0)
			return 1;
		total += n;
	}
	free(room);
	printf("%d inputs\n", total);
	// A corpus that is not there proves nothing.
	return total > 0 ? 0 : 1;
}
