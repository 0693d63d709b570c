/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the fuzz targets share. A target is LLVMFuzzerTestOneInput; it is linked with libFuzzer, or
 * with replay_main.c, which gives it the files of its corpus.
 */
#include <stddef.h>
#include <stdint.h>

#include "support/run.h"
#include "support/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** End with a crash that names what does not hold, also in a build without assertions. */
#define FUZZ_CHECK(holds)                  \
	do {                               \
		if (!(holds))              \
			fuzz_fail(#holds); \
	} while (0)

_Noreturn void fuzz_fail(const char *what);

/** The input in a heap block of exactly its size; free it. An empty one is of one byte. */
uint8_t *fuzz_copy(const uint8_t *data, size_t size);

/**
 * Tables that list names of the corpus, with every kind of list and consent; made once.
 *
 * @param choice what filtering lists do: each action and setting has numbers of its own
 */
const struct pipeline_tables *fuzz_tables(uint8_t choice);
