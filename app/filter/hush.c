/* SPDX-License-Identifier: BSD-3-Clause */
#include "hush.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEPT_SIZE 65536

static int saved_out = -1, saved_err = -1, file = -1;

void hush_begin(void)
{
	int null;

	fflush(stdout);
	fflush(stderr);
	file = memfd_create("said", MFD_CLOEXEC);
	if (file < 0)
		return;
	saved_out = dup(STDOUT_FILENO);
	saved_err = dup(STDERR_FILENO);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(null, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	close(null);
}

static bool starts(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

// What is said when all is well explains no failure.
static bool explains(const char *line)
{
	static const char *const plain[] = {"EAL: Detected", "EAL: Multi-process",
		"EAL: Selected IOVA", "EAL: FATAL", "libbpf: elf: skipping", "libxdp: No bpffs",
		"libxdp: Can't use dispatcher", "libxdp: Falling back",
		"TELEMETRY:", "EAL: Physical addresses are unavailable"};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (starts(line, plain[i]))
			return false;
	return *line != '\0';
}

static void said_append(char *said, size_t size, const char *line)
{
	size_t used = strlen(said), need = strlen(line) + 2;

	// The same twice in a row says no more than once.
	if (used >= need - 2 && strcmp(said + used - (need - 2), line) == 0)
		return;
	if (need >= size)
		return;
	while (used + need >= size) {
		char *next = strstr(said, "; ");

		if (!next)
			said[0] = '\0';
		else
			memmove(said, next + 2, strlen(next + 2) + 1);
		used = strlen(said);
	}
	snprintf(said + used, size - used, "%s%s", used ? "; " : "", line);
}

void hush_end(char *said, size_t size)
{
	static char text[KEPT_SIZE];
	char *line, *rest = text;
	ssize_t n;

	said[0] = '\0';
	if (file < 0)
		return;
	fflush(stdout);
	fflush(stderr);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	close(saved_out);
	close(saved_err);
	n = pread(file, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(file);
	file = -1;
	while ((line = strsep(&rest, "\n")))
		if (explains(line))
			said_append(said, size, line);
}
