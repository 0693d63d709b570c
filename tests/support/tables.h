/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Tables for the pipeline out of lines of text, read by the code that reads an operator's files.
 *
 *   struct tables *t = tables_create();
 *   tables_sinkhole(t, NULL, "192.0.2.1");
 *   tables_list(t, "c2", POLICY_SINKHOLE);
 *   tables_entry(t, "*.evil.example", "2024-01-01", "");
 *   pipeline_match(&burst, tables_finish(t));
 *
 * More may be added after tables_finish; the next one builds anew. The tables lie in heap blocks of
 * exactly the size that a worker copies. A mistake in the text aborts the test.
 */
#include "pipeline/pipeline.h"

struct tables;

/** DNS port 53, ttl_max 60, today 2024-06-15, no list, no sinkhole, no consent rule. */
struct tables *tables_create(void);
void tables_destroy(struct tables *t);

/** Open a list, behind those that are there; entries and own sinkholes go to it. */
void tables_list(struct tables *t, const char *name, enum policy_action action);

/** Open the list of canary names, whose entries are exact names, with what becomes of them. */
void tables_canary(struct tables *t, enum policy_action action);

/** "name", "*.name" or ".name"; dates as in a catalogue: start may be NULL, end NULL or "". */
void tables_entry(struct tables *t, const char *fqdn, const char *start, const char *end);

/** A pattern of the list last opened; only where pattern_supported. */
void tables_pattern(struct tables *t, const char *expression);

/** Sinkhole address of the list last opened, or the common one when @p list is NULL. */
void tables_sinkhole(struct tables *t, const char *list, const char *address);

void tables_consent(struct tables *t, const char *prefix, uint8_t refused);

/** @param today "YYYY-MM-DD" */
void tables_today(struct tables *t, const char *today);

/** The policy, for what has no function here: ports, servers, allow scope. */
struct policy *tables_policy(struct tables *t);
void tables_ttl_max(struct tables *t, uint32_t ttl_max);

/** Add what was counted by identifier since tables_finish to the rows of the lists: @p sum->filtered. */
void tables_ids_sum(const struct tables *t, struct stats_worker *sum);

/** Build. Borrowed until the next tables_finish or tables_destroy. */
const struct pipeline_tables *tables_finish(struct tables *t);
