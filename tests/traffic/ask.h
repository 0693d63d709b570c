/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the askers over UDP and TCP share: the queries, what has to come, what came.
 *
 * Threads: one.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "traffic/message.h"

#define ASK_SOURCES_MAX     64
#define ASK_CONNECTIONS_MAX 60000

struct ask_query {
	char *name;
	uint16_t type;
	bool listed;
	uint8_t *wanted; /**< what comes without the box, NULL: nothing was recorded */
	uint32_t wanted_size;
};

/** What came of it. */
struct ask_counts {
	uint64_t asked, unanswered;
	uint64_t verdicts[MESSAGE_VERDICTS]; /**< of every answer, also of a second one */
	uint64_t again;  /**< UDP: queries that were sent once more */
	uint64_t resets; /**< TCP: connections that ended before all answers were there */
	uint64_t stalls; /**< TCP: connections on which nothing came for too long */
	uint64_t most;   /**< TCP: connections open at once */
	uint64_t longest_ms; /**< from a query to its answer */
};

struct ask {
	/* the command line */
	struct sockaddr_storage server;
	struct sockaddr_storage sources[ASK_SOURCES_MAX]; /**< addresses to ask from */
	unsigned n_sources;   /**< 0: as the kernel likes */
	uint16_t edns;        /**< UDP payload size to advertise; 0: no OPT */
	unsigned connections; /**< TCP; 0: UDP */
	unsigned window;      /**< queries under way at once: on a connection, or over UDP in all */
	unsigned rounds;      /**< TCP: how often each connection is used */
	unsigned pause_ms;    /**< between two of these */
	unsigned wait_ms;     /**< UDP: before a query is sent again */
	unsigned tries;       /**< UDP */
	unsigned limit_ms;    /**< TCP: without progress, a stall */
	bool record;          /**< answers are taken for what is wanted */
	bool sinks;           /**< listed names' answers have sinkhole addresses */
	struct message_sink sink;
	/* the queries */
	struct ask_query *queries;
	unsigned n;
	struct ask_counts counts;
	unsigned told; /**< lines on stderr about wrong answers */
};

/** An answer to query @p i, borrowed, @p ms after it was asked. */
void ask_take(struct ask *ask, unsigned i, const uint8_t *answer, size_t size, uint64_t ms);

/** Octets of an address for bind() or connect(). */
static inline socklen_t ask_address_size(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? 16 : 28;
}

/** Ask all queries, each until it is answered or was tried often enough. @return 0, or -errno */
int ask_udp(struct ask *ask);

/** Ask on ask->connections connections at once, see ask_tcp.c. @return 0, or -errno */
int ask_tcp(struct ask *ask);
