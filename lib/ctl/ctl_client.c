/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/ctl_private.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_MAX (64u << 20) /* bytes; ours: a broken peer must not fill our memory */

/** Wait until @p sock is ready for @p events. @return 0, -ETIMEDOUT, -EINTR or another -errno */
static int wait_ready(int sock, short events, int64_t deadline)
{
	struct pollfd fd = {.fd = sock, .events = events};
	int64_t left = deadline - ctl_now_ms();
	int n = poll(&fd, 1, left > 0 ? (int)left : 0);

	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int send_request(int sock, const char *request, int64_t deadline)
{
	char line[CTL_REQUEST_MAX];
	size_t size = strlen(request), done = 0;

	if (size + 1 > sizeof(line))
		return -EMSGSIZE;
	if (strchr(request, '\n'))
		return -EINVAL;
	memcpy(line, request, size);
	line[size++] = '\n';
	while (done < size) {
		int result = wait_ready(sock, POLLOUT, deadline);
		ssize_t n;

		if (result < 0)
			return result;
		n = send(sock, line + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		// A server that refuses us has said why before it hung up; read that.
		if (n < 0 && errno == EPIPE)
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/** Read up to the first newline. @param line [out] taken by the caller, also on failure */
static int read_line(int sock, char **line, size_t *size, int64_t deadline)
{
	size_t room = 0;

	*line = NULL;
	*size = 0;
	for (;;) {
		int result;
		ssize_t n;

		if (*size == room) {
			char *grown = room < REPLY_MAX
					      ? realloc(*line, room = room ? room * 2 : 4096)
					      : NULL;

			if (!grown)
				return room < REPLY_MAX ? -ENOMEM : -EMSGSIZE;
			*line = grown;
		}
		result = wait_ready(sock, POLLIN, deadline);
		if (result < 0)
			return result;
		n = recv(sock, *line + *size, room - *size, MSG_DONTWAIT);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0 && memchr(*line + *size, '\n', (size_t)n)) {
			*size = (size_t)((char *)memchr(*line, '\n', *size + (size_t)n) - *line);
			return 0;
		}
		*size += n > 0 ? (size_t)n : 0;
	}
}

// @param timeout_s what is said about the deadline
static json_t *call_until(int sock, const char *request, int64_t deadline, unsigned timeout_s,
	char *error, size_t error_size)
{
	json_error_t what;
	json_t *reply = NULL;
	size_t size = 0;
	char *line = NULL;
	int result = send_request(sock, request, deadline);

	if (result == 0)
		result = read_line(sock, &line, &size, deadline);
	if (result == -ETIMEDOUT)
		snprintf(error, error_size, "no reply within %u s", timeout_s);
	else if (result == -ECONNRESET)
		snprintf(error, error_size, "the connection was closed without a reply");
	else if (result == -EINTR)
		snprintf(error, error_size, "interrupted");
	else if (result < 0)
		snprintf(error, error_size, "cannot talk to the box: %s", strerror(-result));
	if (result == 0) {
		reply = json_loadb(line, size, 0, &what);
		if (!reply)
			snprintf(error, error_size, "the reply is not JSON: %s", what.text);
		else if (!json_is_object(reply)) {
			snprintf(error, error_size, "the reply is not a JSON object");
			json_decref(reply);
			reply = NULL;
		}
	}
	free(line);
	return reply;
}

json_t *ctl_call(int sock, const char *request, unsigned timeout_s, char *error, size_t error_size)
{
	return call_until(sock, request, ctl_now_ms() + (int64_t)timeout_s * 1000, timeout_s, error,
		error_size);
}

unsigned ctl_ask(const char *path, const char *const *requests, unsigned n, unsigned timeout_ms,
	json_t **replies)
{
	int64_t deadline = ctl_now_ms() + timeout_ms;
	int sock = ctl_connect_within(path, timeout_ms);
	char error[CTL_REQUEST_MAX];
	unsigned there = 0;

	for (unsigned i = 0; i < n; i++)
		replies[i] = NULL;
	for (; sock >= 0 && there < n; there++) {
		replies[there] = call_until(
			sock, requests[there], deadline, timeout_ms / 1000, error, sizeof(error));
		if (!replies[there])
			break;
	}
	if (sock >= 0)
		close(sock);
	return there;
}
