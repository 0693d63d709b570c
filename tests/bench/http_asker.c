/* SPDX-License-Identifier: BSD-3-Clause */
#include "http_asker.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define REQUEST 4096 // octets of one

void http_asker_open(struct http_asker *c)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(c->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		bench_die("API", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->fd = fd;
	c->from = c->to = 0;
}

// Have octets. Returns whether there are some.
static bool more(struct http_asker *c)
{
	ssize_t n;

	if (c->from < c->to)
		return true;
	n = recv(c->fd, c->in, sizeof(c->in), 0);
	c->from = 0;
	c->to = n > 0 ? (size_t)n : 0;
	return n > 0;
}

// Read a line without its end. Returns false when the connection ended.
static bool line_read(struct http_asker *c, char *line, size_t size)
{
	size_t n = 0;

	while (more(c)) {
		char octet = c->in[c->from++];

		if (octet == '\n') {
			line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = '\0';
			return true;
		}
		if (n < size - 1)
			line[n++] = octet;
	}
	return false;
}

static bool body_skip(struct http_asker *c, size_t size)
{
	while (size > 0 && more(c)) {
		size_t n = c->to - c->from < size ? c->to - c->from : size;

		if (!c->first_ns)
			c->first_ns = bench_now_ns();
		c->from += n;
		size -= n;
	}
	return size == 0;
}

// Returns octets of the body, or -1.
static long answer_read(struct http_asker *c)
{
	char line[512];
	long size = -1, all = 0;

	c->first_ns = 0;
	if (!line_read(c, line, sizeof(line)) || strncmp(line, "HTTP/1.1 200", 12) != 0)
		return -1;
	while (line_read(c, line, sizeof(line)) && line[0])
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			size = atol(line + 15);
	if (size >= 0)
		return body_skip(c, (size_t)size) ? size : -1;
	for (; line_read(c, line, sizeof(line)); all += size) {
		size = strtol(line, NULL, 16);
		if (size > 0 && !body_skip(c, (size_t)size))
			return -1;
		if (!line_read(c, line, sizeof(line)))
			return -1;
		if (size == 0)
			return all;
	}
	return -1;
}

long http_asker_ask(struct http_asker *c, const char *target)
{
	char request[REQUEST];
	size_t size = (size_t)snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", target, c->headers);

	return send(c->fd, request, size, MSG_NOSIGNAL) == (ssize_t)size ? answer_read(c) : -1;
}

void http_asker_close(struct http_asker *c)
{
	close(c->fd);
}
