/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the verdict on a listed response and its rewriting share.
 */
#include "base/burst.h"
#include "pipeline/pipeline.h"
#include "rewrite/rewrite.h"

#define IP_PROTO_UDP 17

/**
 * A response as lib/rewrite wants it. It may become as long as it is, or as 512 octets: this much the
 * client takes, since the server, which has seen the query, sent so much, and every client takes 512.
 */
void pipeline_message_get(const struct burst_slot *slot, const struct policy_list *list,
	struct rewrite_message *m);

/** What becomes of a response to which no record is added: by the addresses that it has, in all sections. */
enum reason pipeline_addresses_verdict(const struct rewrite_message *m);
