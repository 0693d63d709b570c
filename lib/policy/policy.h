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
#define POLICY_CANARY        "canary" /**< name of the list of canary names */
#define POLICY_LIST_NAME_MAX 63  /**< bytes; what a telemetry path can hold */
#define POLICY_SINKHOLES_MAX 16  /**< addresses of one family */
#define POLICY_PORTS_MAX     16  /**< of DNS servers, over UDP and TCP */
#define POLICY_SERVERS_MAX   64  /**< watched servers, as prefixes */

enum policy_action {
	POLICY_SINKHOLE, /**< put the sinkhole's addresses into the answer */
	POLICY_LOG,      /**< count and log, leave the answer */
	POLICY_ALLOW,    /**< names that are never filtered */
	POLICY_NXDOMAIN, /**< the name does not exist */
	POLICY_NODATA,   /**< the name has no such record */
	POLICY_DROP,     /**< no answer at all */
	POLICY_TCP_ONLY, /**< over UDP: truncated, so that the client asks over TCP */
	POLICY_ACTIONS,
};

/** "sinkhole", "log", "allow", "nxdomain", "nodata", "drop", "tcp-only". */
const char *policy_action_name(enum policy_action action);

/** Whether lists with the action change responses. */
static inline bool policy_action_filters(enum policy_action action)
{
	return action != POLICY_LOG && action != POLICY_ALLOW;
}

/** Whether the action may put addresses into an answer: by itself, or where what it does is not
 * possible. */
static inline bool policy_action_sinkholes(enum policy_action action)
{
	return policy_action_filters(action) && action != POLICY_TCP_ONLY;
}

/** What to do with answers that DNSSEC protects (RFC 4035). */
enum policy_dnssec {
	POLICY_DNSSEC_REWRITE,     /**< as with others; signatures of what was changed are taken out */
	POLICY_DNSSEC_SKIP_SIGNED, /**< pass, if the client asked for signatures and there are some */
};

/** Extended DNS Error that tells the client why (RFC 8914). */
enum policy_ede {
	POLICY_EDE_NONE,
	POLICY_EDE_FORGED,
	POLICY_EDE_BLOCKED,
	POLICY_EDE_CENSORED,
	POLICY_EDE_FILTERED,
};

/** INFO-CODE of RFC 8914 s4: 4, 15, 16, 17. */
static inline uint16_t policy_ede_code(enum policy_ede ede)
{
	return ede == POLICY_EDE_FORGED ? 4 : (uint16_t)(15 + ede - POLICY_EDE_BLOCKED);
}

#define POLICY_EDE_TEXT_MAX 128 /**< octets; longer text would not fit many answers */

struct policy_sinkhole {
	uint8_t ipv4[POLICY_SINKHOLES_MAX][4];  /**< network byte order */
	uint8_t ipv6[POLICY_SINKHOLES_MAX][16]; /**< network byte order */
	uint8_t n_ipv4, n_ipv6;                 /**< 0: answers of that family are left */
	uint32_t ttl_max;                       /**< seconds; TTLs above it become it */
};

struct policy_list {
	char name[POLICY_LIST_NAME_MAX + 1];
	enum policy_action action;
	enum policy_dnssec dnssec;
	enum policy_ede ede;
	bool canary;                     /**< names that must not be sinkholed; a question for one
					      decides what becomes of the whole response */
	bool answer_empty;               /**< sinkhole: also answer where there is no address */
	uint16_t slot;                   /**< row of the list's counters; stays over reloads */
	/** The list's own, or the common one where it has none. Other actions than sinkhole fall back on
	 * it; they always have both families, the unspecified address where nothing else is said. */
	struct policy_sinkhole sinkhole;
	char ede_text[POLICY_EDE_TEXT_MAX + 1]; /**< UTF-8; "": none */
};

/** Give @p sinkhole the unspecified address of each family of which it has none. */
void policy_sinkhole_fill(struct policy_sinkhole *sinkhole);

struct policy {
	uint16_t n_lists;
	uint16_t n_servers;               /**< 0: any server */
	uint8_t n_ports;
	bool allow_message;               /**< an allowed question name passes the whole response */
	uint16_t ports[POLICY_PORTS_MAX]; /**< of servers, host byte order */
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
