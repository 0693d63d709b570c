/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A client of an HTTP server on loopback that keeps its connection and takes answers for their size and time alone.
 * A mistake ends the program with one line on stderr.
 */
#include <stddef.h>
#include <stdint.h>

struct http_asker {
	uint16_t port;
	const char *headers; /**< of each request, with an end to each line; kept */
	int fd;
	char in[1 << 16];
	size_t from, to;   /**< octets that were received and not read yet */
	uint64_t first_ns; /**< when the first octet of the last answer's body was there */
};

/** Connect; port and headers are set. */
void http_asker_open(struct http_asker *asker);

/** Ask, and read the answer. @return octets of its body, or -1: it is no answer with status 200; then open it anew */
long http_asker_ask(struct http_asker *asker, const char *target);

void http_asker_close(struct http_asker *asker);
