/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A worker's streams: one context of lib/stream for each port pair, and how its messages are judged.
 *
 * Threads: created and destroyed by the main lcore while the worker does not run; otherwise the
 * worker's own.
 */
#include "app.h"

/** Contexts for all pairs of @p w, by the configuration. @return 0, or -1 with @p error */
int streams_create(struct worker *w, char *error);
void streams_destroy(struct worker *w);

/** Send on what waited too long at @p pair. Hot path. */
void streams_expire(struct worker *w, unsigned pair);

/** Send on all that is held: the worker ends. */
void streams_flush(struct worker *w);
