/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cases as seeds for fuzzers: case_seeds FRAMES MESSAGES CASE... writes each frame to the
 * folder FRAMES, and the DNS message in it, if there is one, to the folder MESSAGES.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/case_file.h"

#define SEED_MAX 1500 // bytes; what a fuzzer starts from is best small

struct seeds {
	const char *frames, *messages, *name;
	size_t name_size;
};

static void seed_write(const struct seeds *seeds, const char *folder, unsigned line,
	const uint8_t *bytes, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(
		path, sizeof(path), "%s/%.*s-%u", folder, (int)seeds->name_size, seeds->name, line);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void step_take(void *ctx, const struct case_step *step)
{
	const struct wire *w = step->in;

	if (w->size > SEED_MAX)
		return;
	seed_write(ctx, ((struct seeds *)ctx)->frames, step->line, w->bytes, w->size);
	if (w->dns && w->size > w->dns)
		seed_write(ctx, ((struct seeds *)ctx)->messages, step->line, w->bytes + w->dns,
			w->size - w->dns);
}

int main(int argc, char **argv)
{
	struct seeds seeds;

	if (argc < 4) {
		fprintf(stderr, "usage: case_seeds FRAMES MESSAGES CASE...\n");
		return 2;
	}
	seeds.frames = argv[1];
	seeds.messages = argv[2];
	for (int i = 3; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/');

		seeds.name = slash ? slash + 1 : argv[i];
		seeds.name_size = strcspn(seeds.name, ".");
		case_read(argv[i], step_take, &seeds);
	}
	return 0;
}
