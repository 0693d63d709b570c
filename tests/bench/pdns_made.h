/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Tuples and answers of which there may be millions, made from their number alone.
 *
 * Registered names are two to four syllables out of some hundreds, some with digits, below 12 suffixes as common as
 * in the wild; each has 6 to 24 tuples: hosts with usual names, with numbers, and with 12 random digits; 50 % A, 14 %
 * AAAA, 13 % CNAME, 7 % NS, 4 % MX, 4 % TXT, 3 % SOA, 3 % HTTPS, 2 % PTR. Addresses are of 30,000 blocks of 256, half
 * of the names in 300 of them.
 */
#include <stddef.h>
#include <stdint.h>

#include "dns/dns_const.h"

struct made {
	uint8_t owner[DNS_NAME_SIZE_MAX], rdata[DNS_NAME_SIZE_MAX + 64]; /**< wire form */
	size_t owner_size, rdata_size; /**< octets */
	uint16_t type;
	char domain[96]; /**< registered, in text */
};

/** Another number, which says nothing of @p n. */
uint64_t made_mixed(uint64_t n);

/** Tuple @p i. */
void made_tuple(uint32_t i, struct made *made);

/** Wire form of a name. @param name [out] DNS_NAME_SIZE_MAX octets @return octets */
size_t made_name(const char *text, uint8_t *name);

/** Answers that come again and again, and some that are new each time. */
struct made_stream {
	uint64_t seed;
	double log_n;    /**< of the tuples that answers come again of, natural */
	uint32_t tuples; /**< so many */
	uint32_t fresh;  /**< new ones so far */
};

void made_stream_init(struct made_stream *stream, uint32_t tuples, uint64_t seed);

#define MADE_MSG_MAX 1024

/**
 * The next answer, of one to three records: by a Zipf distribution with exponent 1; 3 in 100 are of names that nobody
 * saw.
 *
 * @param msg [out] MADE_MSG_MAX octets @return octets
 */
size_t made_answer(struct made_stream *stream, uint8_t *msg);

/** Records of an answer. */
unsigned made_answer_count(const uint8_t *msg);
