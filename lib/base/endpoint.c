/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG         64
#define KEEP_ALIVE_S    30    // a peer that is gone without a word is noticed
#define USER_TIMEOUT_MS 15000 // and one that takes no data

static_assert(ENDPOINT_PATH_SIZE == sizeof(((struct sockaddr_un *)NULL)->sun_path), "the same");
static_assert(ENDPOINT_TEXT_SIZE >= ADDR_TEXT_SIZE + sizeof("[]:65535"), "room for both");

int endpoint_parse(const char *text, struct endpoint *endpoint)
{
	const char *colon = strrchr(text, ':'), *end = colon, *first = text;
	char address[ADDR_TEXT_SIZE];
	unsigned long port;
	char *rest;

	*endpoint = (struct endpoint){0};
	if (*text == '/') {
		if (strlen(text) >= sizeof(endpoint->path))
			return -EINVAL;
		strcpy(endpoint->path, text);
		return 0;
	}
	if (!colon || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	port = strtoul(colon + 1, &rest, 10);
	if (*rest || port < 1 || port > UINT16_MAX)
		return -EINVAL;
	if (*first == '[') {
		first++;
		if (*--end != ']')
			return -EINVAL;
	}
	if (end <= first || (size_t)(end - first) >= sizeof(address))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s", (int)(end - first), first);
	if (addr_parse(address, &endpoint->addr) < 0 ||
		(endpoint->addr.family == ADDR_IPV6) != (*text == '['))
		return -EINVAL;
	endpoint->port = (uint16_t)port;
	return 0;
}

char *endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE])
{
	char address[ADDR_TEXT_SIZE];
	bool v6 = endpoint->addr.family == ADDR_IPV6;

	if (endpoint->path[0])
		return strcpy(text, endpoint->path);
	snprintf(text, ENDPOINT_TEXT_SIZE, "%s%s%s:%u", v6 ? "[" : "",
		addr_format(&endpoint->addr, address), v6 ? "]" : "", endpoint->port);
	return text;
}

socklen_t endpoint_address(const struct endpoint *endpoint, struct sockaddr_storage *address)
{
	struct sockaddr_un *un = (struct sockaddr_un *)address;
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (endpoint->path[0]) {
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, endpoint->path, sizeof(un->sun_path));
		return sizeof(*un);
	}
	if (endpoint->addr.family == ADDR_IPV4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(endpoint->port);
		memcpy(&in->sin_addr, endpoint->addr.bytes, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(endpoint->port);
	memcpy(&in6->sin6_addr, endpoint->addr.bytes, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

static void set_option(int fd, int level, int option, int value)
{
	// What is missing then is speed, or notice of a dead peer, not data.
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		return;
}

int endpoint_connect(const struct endpoint *endpoint, int *fd)
{
	struct sockaddr_storage address;
	socklen_t size = endpoint_address(endpoint, &address);
	int err;

	*fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return -errno;
	if (address.ss_family != AF_UNIX) {
		set_option(*fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		set_option(*fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_S);
		set_option(*fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_S);
		set_option(*fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
	}
	if (connect(*fd, (struct sockaddr *)&address, size) == 0)
		return 0;
	err = -errno;
	if (err != -EINPROGRESS) {
		close(*fd);
		*fd = -1;
	}
	return err;
}

int endpoint_listen(const struct endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t size = endpoint_address(endpoint, &address);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (address.ss_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}
