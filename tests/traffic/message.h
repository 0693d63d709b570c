/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * DNS messages as a client sees them: queries, and whether an answer is what it has to be. Shares
 * no code with the filter.
 *
 * Layer:   tests/traffic; no sockets.
 * Threads: pure functions, any thread.
 * Source:  RFC 1035 s4.1, RFC 3596, RFC 6891.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_SIZE_MAX  65535
#define MESSAGE_QUERY_MAX 290 /**< octets of a query: header, name, type, class, OPT */
#define MESSAGE_HEADER    12

/** What a listed name's answer becomes. */
struct message_sink {
	uint8_t ipv4[4], ipv6[16];
	uint32_t ttl_max;
};

enum message_verdict {
	MESSAGE_RIGHT,
	MESSAGE_WRONG,  /**< not the answer that was to be expected */
	MESSAGE_LEAKED, /**< an address of a listed name is in it */
	MESSAGE_VERDICTS,
};

/** The number of a type's name. @return 0 when it is none that is known here */
uint16_t message_type(const char *text);

/**
 * Write a query with RD set.
 *
 * @param name text, labels of letters, digits, '-' and '_' with dots between
 * @param edns UDP payload size to advertise, octets; 0: no OPT
 * @param out  [out] room for MESSAGE_QUERY_MAX
 * @return octets, or -EINVAL for a name that is none
 */
int message_query(const char *name, uint16_t type, uint16_t id, uint16_t edns, uint8_t *out);

/** Whether @p size octets of @p answer are a response with the question of @p query. */
bool message_answers(const uint8_t *query, const uint8_t *answer, size_t size);

/**
 * Judge what came against what comes without the box.
 *
 * Unlisted (@p sink NULL): octet for octet the same but for the ID. Listed: A and AAAA records of
 * the answer section have the sinkhole's addresses, a TTL no larger than its limit, AD is cleared,
 * and all else up to the OPT record, which the box may add to, is the same.
 */
enum message_verdict message_judge(const uint8_t *wanted, size_t wanted_size,
	const struct message_sink *sink, const uint8_t *got, size_t got_size);

/**
 * Answer a query for A or AAAA with one address that depends on the name alone, others with no
 * record.
 *
 * @param out [out] room for @p size + 64
 * @return octets; 0 when it is no query of one question
 */
size_t message_answer(const uint8_t *query, size_t size, uint8_t *out);
