/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Where a stream socket is: a unix socket's path, or an address and a TCP port. Names of hosts are none:
 * a box must not need the resolvers that it stands in front of.
 *
 * Layer:   lib/base; no EAL.
 * Threads: pure functions, any thread; endpoint_connect waits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

#define ENDPOINT_PATH_SIZE 108 /**< of struct sockaddr_un, NUL included */
#define ENDPOINT_TEXT_SIZE ENDPOINT_PATH_SIZE
#define ENDPOINTS_MAX      8

struct endpoint {
	char path[ENDPOINT_PATH_SIZE]; /**< unix socket; "": TCP */
	struct addr addr;
	uint16_t port; /**< host byte order, not 0 */
	bool tls;      /**< TLS over it; not part of the text */
};

struct endpoints {
	unsigned n;
	struct endpoint at[ENDPOINTS_MAX];
};

/** Read "/PATH", "ADDRESS:PORT" or "[ADDRESS]:PORT". @return 0, or -EINVAL */
int endpoint_parse(const char *text, struct endpoint *endpoint);

/** Write it as it is read. @return @p text */
char *endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE]);

/** @param address [out] @return its size */
socklen_t endpoint_address(const struct endpoint *endpoint, struct sockaddr_storage *address);

/** Begin to connect. @param fd [out] a non-blocking socket  @return 0, -EINPROGRESS, or -errno */
int endpoint_connect(const struct endpoint *endpoint, int *fd);

/** Listen at a TCP endpoint. @return a non-blocking socket, or -errno */
int endpoint_listen(const struct endpoint *endpoint);
