/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The ways of pipeline_match, for tests that hold one against the others: all find the same.
 */
#include "pipeline/pipeline.h"

/** Every message on its own, by the code that knows every form. */
void pipeline_match_slow(struct burst *burst, const struct pipeline_tables *tables);

/** Messages of the usual form together, on any CPU and on those of cpu_is_wide. */
void pipeline_match_plain(struct burst *burst, const struct pipeline_tables *tables);
void pipeline_match_wide(struct burst *burst, const struct pipeline_tables *tables);
