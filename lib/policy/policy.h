/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the configuration says about lists: actions, sinkholes, times to live. A plain value without
 * pointers, so that each worker has its own copy beside its tables.
 *
 * Layer:   lib/policy; no EAL, no allocation.
 * Threads: pure functions, any thread.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define POLICY_LISTS_MAX     256 /**< lists in force at once; a list's index fits 16 bits */
#define POLICY_LIST_NAME_MAX 63  /**< bytes; what a telemetry path can hold */
#define POLICY_SINKHOLES_MAX 16  /**< addresses of one family */
#define POLICY_PORTS_MAX     16  /**< UDP source ports taken for DNS */
#define POLICY_SERVERS_MAX   64  /**< watched servers, as prefixes */

enum policy_action {
	POLICY_SINKHOLE, /**< put the sinkhole's addresses into the answer */
	POLICY_LOG,      /**< count and log, leave the answer */
	POLICY_ALLOW,    /**< names that are never filtered */
	POLICY_ACTIONS,
};

/** "sinkhole", "log", "allow". */
const char *policy_action_name(enum policy_action action);

struct policy_sinkhole {
	uint8_t ipv4[POLICY_SINKHOLES_MAX][4];  /**< network byte order */
	uint8_t ipv6[POLICY_SINKHOLES_MAX][16]; /**< network byte order */
	uint8_t n_ipv4, n_ipv6;                 /**< 0: answers of that family are left */
	uint32_t ttl_max;                       /**< seconds; TTLs above it become it */
};

struct policy_list {
	char name[POLICY_LIST_NAME_MAX + 1];
	enum policy_action action;
	struct policy_sinkhole sinkhole; /**< the list's own, or the common one where it has none */
	uint16_t slot;                   /**< row of the list's counters; stays over reloads */
};

struct policy {
	uint16_t n_lists;
	uint16_t n_servers;               /**< 0: any server */
	uint8_t n_ports;
	bool allow_message;               /**< an allowed question name passes the whole response */
	uint16_t ports[POLICY_PORTS_MAX]; /**< UDP source ports, host byte order */
	struct prefix servers[POLICY_SERVERS_MAX];
	struct policy_list lists[POLICY_LISTS_MAX]; /**< in the order of the configuration */
};

/** Whether DNS is spoken at @p port. Hot path. */
static inline bool policy_is_port(const struct policy *policy, uint16_t port)
{
	for (unsigned i = 0; i < policy->n_ports; i++)
		if (policy->ports[i] == port)
			return true;
	return false;
}
