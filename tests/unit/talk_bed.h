/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What tests of TCP begin with: a list with everything below evil.example, a box, and one connection.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/bytes.h"
#include "pkt/pkt_tcp.h"
#include "support/tables.h"
#include "support/talk.h"

static struct tables *made;
static const struct pipeline_tables *tables;
static struct talk *talk;
static struct traffic *traffic;
static const char leaked[4] = "\xc6\x33\x64\x42"; // 198.51.100.66 of talk_answer

/** A box of @p conf, and a resolver that has said nothing. */
static inline void begin_with(const struct stream_conf *conf)
{
	made = tables_create();
	tables_sinkhole(made, NULL, "192.0.2.1");
	tables_sinkhole(made, NULL, "2001:db8::1");
	tables_list(made, "c2", POLICY_SINKHOLE);
	tables_entry(made, ".evil.example", NULL, NULL);
	tables = tables_finish(made);
	talk = talk_create(tables, false);
	traffic = talk_traffic(talk, conf);
}

static inline void begin(void)
{
	begin_with(&traffic_conf);
}

static inline void end(void)
{
	traffic_destroy(traffic);
	talk_destroy(talk);
	tables_destroy(made);
}

/** All that was said has arrived as it has to. */
static inline void all_is_well(void)
{
	const char *error = talk_error(talk);

	cr_assert(!error, "%s", error);
	cr_assert_eq(traffic_held(traffic), 0);
}

static inline uint64_t verdicts(enum reason reason)
{
	return traffic->stats->verdicts[reason];
}

/** Responses that the list decided. */
static inline uint64_t matched(const struct traffic *t)
{
	return t->stats->matched[tables->policy->lists[0].slot];
}

/** Whether an address of a listed name has arrived. */
static inline bool has_leaked(void)
{
	for (uint32_t i = 0; i + 4 <= talk->size; i++)
		if (talk->got[i] && talk->got[i + 3] && memcmp(talk->arrived + i, leaked, 4) == 0)
			return true;
	return false;
}
